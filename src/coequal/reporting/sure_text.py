"""How sure the verdict is: what was compared, at which level, and what the study could show."""

from typing import NamedTuple

from coequal.analysis.data_summary import DataSummary
from coequal.formatting import count, count_in_words, listed, percent, within_sentence
from coequal.reporting.evidence.effects import power_of_effects
from coequal.reporting.growth_text import growth_sentences
from coequal.reporting.pair_sentences import settings_each, worse_than
from coequal.reporting.power_text import budget_sentence, power
from coequal.reporting.rerun_text import seeds_text
from coequal.statistics.looks import LEVEL
from coequal.statistics.verdict import Verdict

NOT_EQUAL = "Models that cannot be told apart are not necessarily equal."


class Line(NamedTuple):
    """One line of the first screen.

    Attributes:
        name: what it is about, in a word.
        text: a sentence or two.
    """

    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.name}: {within_sentence(self.text)}"


def how_sure(summary: DataSummary) -> list[Line]:
    """What was compared, how certain the outcome is, and what the study could have shown; empty
    where nothing is compared.

    Args:
        summary: of the dataset.
    """
    verdict, effects = summary.verdict, summary.rerun_comparison.effects
    judged = verdict is not None and bool(verdict.pairs)
    if effects and not (judged and verdict is not None and verdict.could_separate):
        return _of_changes(summary)
    if verdict is None or not judged:
        return []
    lines = (
        Line("Compared", compared(verdict)),
        Line("Certainty", certainty(verdict) if verdict.could_separate else ""),
        Line("Power", power(summary)),
    )
    return [line for line in lines if line.text]


def more_on_how_sure(summary: DataSummary) -> list[str]:
    """Everything else that is to be said of it, in sentences.

    Args:
        summary: of the dataset.
    """
    verdict = summary.verdict
    if verdict is None or not verdict.pairs:
        return []
    sentences = (
        _method(verdict),
        _retrained(verdict),
        budget_sentence(verdict),
        _no_margin(verdict),
        anytime_sentence(summary),
        _saved(summary),
        _beyond(summary),
        *growth_sentences(summary),
    )
    return [sentence for sentence in sentences if sentence]


def compared(verdict: Verdict) -> str:
    """What of a model is compared."""
    most = verdict.rules.looks[-1].settings
    over = settings_each(verdict) if verdict.looks_done else f"{count(most, 'setting')} each"
    if most == 1:
        return "One run of one random setting of each model."
    if verdict.budget == 1:
        return f"One run of one random setting of each model; {over}."
    scored = (
        "retrained with a fresh seed"
        if verdict.rules.share
        else "scored by the search's own run, which is slightly too good"
    )
    return (
        f"The best of {verdict.budget} random settings of each model (chosen on validation), "
        f"{scored}; {over}."
    )


def certainty(verdict: Verdict) -> str:
    """At which level the outcome holds, and at which look this is."""
    looks, done = verdict.rules.looks, verdict.looks_done
    most = looks[-1].settings
    if not done:
        return f"No look has been taken; the first is at {count(looks[0].settings, 'setting')}."
    at = looks[done - 1].settings
    if not verdict.finished:
        return (
            f"Look {done} of {len(looks)}, at {at} of {most} settings. Decisions made at a look "
            f"are final; the next look is at {looks[done].settings} settings."
        )
    pairs = count(max(verdict.rules.comparisons, len(verdict.pairs)), "pair")
    jointly = f"95 %, jointly over {pairs}"
    if len(looks) == 1:
        text = f"{jointly}; one look, at {count(most, 'setting')}."
    else:
        all_looks = f"{count_in_words(len(looks))} looks"
        text = f"{jointly} and {all_looks}; look {done}, at {at} settings."
    decided = all(pair.decided for pair in verdict.pairs)
    return text if decided else f"{text} {NOT_EQUAL}"


def anytime_sentence(summary: DataSummary) -> str:
    """What is valid however often one looks; empty where that is nothing, or all looks are done."""
    verdict, contest = summary.verdict, summary.contest
    if verdict is None or contest is None or verdict.finished:
        return ""
    losses = [
        (a, b) if evidence.wins > evidence.losses else (b, a)
        for (a, b), evidence in contest.anytime.items()
        if evidence.shown(anytime_level(verdict))
    ]
    if not losses:
        return ""
    clauses = "; ".join(worse_than(losses, verdict.order, summary.title))
    return (
        "Valid at any time, for one run of one random setting (betting on signs, with an error of "
        f"its own of 5 % over all pairs): {clauses}."
    )


def anytime_level(verdict: Verdict) -> float:
    """The error of the evidence of one pair that is valid at any time."""
    return LEVEL / max(1, verdict.rules.comparisons, len(verdict.pairs))


def _of_changes(summary: DataSummary) -> list[Line]:
    """The lines of a study whose changes are compared by re-runs."""
    comparison = summary.rerun_comparison
    settings = {
        model.rerun.setting
        for e in comparison.effects
        for model in (summary.model(e.name), summary.model(e.against))
        if model.rerun is not None
    }
    which = "the authors' setting" if settings == {0} else "the chosen setting"
    pairs = count(comparison.comparisons, "comparison")
    every = all(effect.shown for effect in comparison.effects)
    may_exist = "" if every else "An effect that is not shown may still exist."
    lines = (
        Line("Compared", f"Settings, not models: {which} of each, {seeds_text(summary)}."),
        Line("Certainty", f"95 %, jointly over {pairs}. {may_exist}".strip()),
        Line("Power", power_of_effects(summary)),
    )
    return list(lines)


def _method(verdict: Verdict) -> str:
    return f"Method: {verdict.method}." if verdict.looks_done else ""


def _retrained(verdict: Verdict) -> str:
    if verdict.budget == 1 or not verdict.rules.share:
        return ""
    return (
        f"The best {percent(verdict.rules.share)} of each model's settings (by validation) were "
        "retrained with a fresh seed, and the score of that seed counts."
    )


def _no_margin(verdict: Verdict) -> str:
    if verdict.rules.margin is not None:
        return ""
    form = "{difference: ...}" if verdict.rules.scale == "linear" else "{ratio: 1.1}"
    return (
        "Equivalence is not judged, because the study does not declare which difference matters "
        f"(`equivalence: {form}`)."
    )


def _saved(summary: DataSummary) -> str:
    """The settings that beaten models were not trained for; empty without any."""
    contest, verdict = summary.contest, summary.verdict
    assert contest is not None
    assert verdict is not None
    saved = {name: settings for name, settings in contest.saved.items() if settings}
    if not saved:
        return ""
    most = contest.most_settings
    who = listed([f"{settings} for {summary.title(name)}" for name, settings in saved.items()])
    return (
        f"A model is not trained further once all its pairs are decided. Of the {most} settings "
        f"per model, this saved {who}; the saved settings were not reassigned."
    )


def _beyond(summary: DataSummary) -> str:
    """That settings after the last look decide nothing; empty where there are none."""
    verdict = summary.verdict
    assert verdict is not None
    last = verdict.rules.looks[-1].settings
    if not verdict.finished or all(len(model.ended) <= last for model in summary.models):
        return ""
    return (
        f"Settings after the last look (at {last}) sharpen curves and estimates but do not change "
        "the verdict."
    )
