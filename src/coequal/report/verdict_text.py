"""What the numbers say, in sentences: the verdict, how sure it is, and what is missing."""

from collections.abc import Sequence

from coequal.analysis.across_datasets import joint_pairs
from coequal.analysis.data_summary import DataSummary
from coequal.analysis.failure_rate import failure_rate
from coequal.formatting import (
    amount,
    capital,
    count,
    count_in_words,
    listed,
    number,
    percent,
    ratio_in_words,
)
from coequal.report.pair_sentences import verdict_in_words, worse_than
from coequal.report.setting_text import score_text, setting_name, setting_of
from coequal.results.stopped import never_finished
from coequal.statistics.comparison import TWINS_TOLD_APART
from coequal.statistics.looks import LEVEL
from coequal.statistics.power import fewest_settings
from coequal.statistics.reruns import MIN_RUNS, MIN_RUNS_FOR_CLAIM
from coequal.statistics.rules import SETTINGS_PER_BUDGET
from coequal.statistics.verdict import Verdict, open_pairs

QUESTION = ("search.budget", "equivalence", "select.", "search.spending", "search.retrain")
"""Fields of a study that say what is asked; a change of them after a look is a new question."""
FAR = 100
"""A pair that would need more than so many times the settings of the study is given no number."""
NOT_EQUAL = "A pair that is not decided may be equal or not: neither was shown."


def progress(summary: DataSummary) -> str:
    """What is missing from an unfinished study; empty if nothing is."""
    parts = []
    if summary.ended < summary.planned:
        waiting = [m for m in summary.models if len(m.tried) < m.planned]
        missing = listed([f"{m.title} {len(m.tried)} of {m.planned}" for m in waiting])
        text = f"{summary.ended} of {summary.planned} trials of the search have results"
        parts.append(f"{text}. Incomplete: {missing}.")
    phase = summary.rerun_phase
    if phase and phase.missing:
        text = f"{phase.ended} of {phase.planned} re-runs have results"
        early = summary.ended < summary.planned
        parts.append(f"{text}{' (they are chosen once the search has ended)' if early else ''}.")
    return " ".join(parts)


def never_finished_sentences(summaries: Sequence[DataSummary]) -> list[str]:
    """Which models never ran, and which never finished a trial, with the reason of each; empty
    where every model that was tried has finished one."""
    stopped = summaries[0].facts.stopped if summaries else ()
    halted = {entry.model for entry in stopped}
    failures: dict[str, str] = {}
    finished: set[str] = set()
    for model in (model for summary in summaries for model in summary.models):
        again = (run for runs in model.fresh_seeds.values() for run in runs if run.has_result)
        for run in (*model.tried, *again):
            if run.failed:
                failures.setdefault(model.name, f"{run.status}, {run.reason}")
            else:
                finished.add(model.name)
    found = {m: text for m, text in failures.items() if m not in finished | halted}
    models = len(summaries[0].models) if summaries else 0
    return never_finished(models, stopped, found)


def verdict_sentence(summary: DataSummary) -> str:
    """The verdict for humans, in one sentence."""
    verdict, with_results = summary.verdict, [model for model in summary.models if model.tried]
    if not with_results:
        return "There are no results yet."
    if len(with_results) == 1:
        return f"Only {with_results[0].title} has results: there is nothing to compare it with."
    if verdict is None or not verdict.pairs:
        return effect_sentence(summary) or (
            "Only the authors' settings were trained: models are compared by random settings, of "
            "which this study draws none."
        )
    if any(pair.decided for pair in verdict.pairs):
        return verdict_in_words(verdict, summary.title)
    if not verdict.looks_done:
        first = count(verdict.rules.looks[0].settings, "setting")
        return f"Nothing is judged before the first look, at {first} of each model."
    if not verdict.could_separate:
        return effect_sentence(summary) or _too_few(verdict)
    return verdict_in_words(verdict, summary.title)


def verdict_note(summary: DataSummary) -> str:
    """What the verdict does not say; empty where it says everything."""
    verdict = summary.verdict
    if verdict is None or not verdict.looks_done or all(pair.decided for pair in verdict.pairs):
        return ""
    if not verdict.could_separate and summary.rerun_comparison.effects:
        return "An effect that is not shown may still exist; this compares settings, not models."
    return NOT_EQUAL


def effect_sentence(summary: DataSummary) -> str:
    """What the changes did that the study compares with one model each; empty without any."""
    compared = summary.rerun_comparison
    if not compared.effects:
        return ""
    shown = {"better": "none", "worse": "none"}
    for outcome in shown:
        names = [summary.title(e.name) for e in compared.effects if compared.outcome(e) == outcome]
        if names:
            shown[outcome] = listed(names)
    start = "Of" if summary.finished else "So far: of"
    return (
        f"{start} {count(len(compared.effects), 'change')}, each against the model without it, "
        f"shown to be better: {shown['better']}; shown to be worse: {shown['worse']}; at 95 % over "
        "these comparisons."
    )


def how_sure(summary: DataSummary) -> list[str]:
    """How sure the verdict is, in a few sentences: what was compared, at which look, and what
    the study could have shown."""
    verdict = summary.verdict
    if verdict is None or not verdict.pairs:
        return []
    lines = [
        *how_it_was_judged(summary),
        _no_margin(verdict),
        smallest_sentence(summary),
        takes_sentence(summary),
        anytime_sentence(summary),
        _saved(summary),
        _beyond(summary),
        *growth_sentences(summary),
    ]
    if verdict.could_separate:
        lines.append(effect_sentence(summary))
    return [line for line in lines if line]


def how_it_was_judged(summary: DataSummary) -> list[str]:
    """What was compared, at which look, and why at another budget than the declared one."""
    verdict = summary.verdict
    if verdict is None or not verdict.pairs:
        return []
    lines = [compared(verdict), look_sentence(verdict), _budget(verdict)]
    return [line for line in lines if line]


def compared(verdict: Verdict) -> str:
    """What of a model is compared."""
    over = f"over {_settings(verdict) if verdict.looks_done else _planned(verdict)}"
    if verdict.budget == 1:
        return f"We compare one run of one random setting of each model, {over}."
    if verdict.rules.share:
        scored = (
            "trained once more with a fresh seed (as the best "
            f"{percent(verdict.rules.share)} of each model's settings were)"
        )
    else:
        scored = "with the score of the search's own run, which is slightly too good"
    return (
        f"We compare the best of {verdict.budget} random settings of each model, chosen by "
        f"validation, {scored}, {over}."
    )


def look_sentence(verdict: Verdict) -> str:
    """At which look this is, by which method, and how sure it is; empty before the first."""
    looks, done = verdict.rules.looks, verdict.looks_done
    if not done:
        return ""
    at, most = looks[done - 1].settings, looks[-1].settings
    when = f"Look {done} of {len(looks)}, at {at} of {most} settings"
    if len(looks) == 1:
        when = f"One look, at {count(most, 'setting')}"
    pairs = count(max(verdict.rules.comparisons, len(verdict.pairs)), "pair")
    if verdict.finished:
        over = f"{pairs}{'' if len(looks) == 1 else ' and all looks'}"
        return f"{when}: {verdict.method}; at 95 %, jointly over {over}."
    following = looks[done].settings
    return (
        f"{when}: {verdict.method} ({pairs}). What a look has decided stands; the next look is at "
        f"{following} settings."
    )


def smallest_sentence(summary: DataSummary) -> str:
    """The smallest difference that the study could show; empty where it is not known."""
    verdict, contest = summary.verdict, summary.contest
    if verdict is None or contest is None or contest.smallest_difference is None:
        return ""
    size = contest.smallest_difference
    if verdict.rules.scale == "linear":
        difference = f"typical scores {number(size)} apart"
    else:
        words = ratio_in_words(1 / size if summary.metric.higher else size)
        than = "as" if words.endswith("high") else "than"
        difference = f"a typical score {words} {than} the other"
    return (
        f"With the spread of these searches, the last look (at {contest.most_settings} settings) "
        f"shows {difference} with a probability of 80 %; smaller differences mostly stay "
        "undecided."
    )


def takes_sentence(summary: DataSummary) -> str:
    """What it would take to decide the pair that is nearest to a decision, or any; empty where
    nothing is open, or looks are left that may decide it."""
    verdict, contest = summary.verdict, summary.contest
    if verdict is None or contest is None:
        return ""
    if not verdict.could_separate and not any(pair.decided for pair in verdict.pairs):
        return _least_settings(verdict)
    if not verdict.finished:
        return ""
    left = open_pairs(verdict.pairs, verdict.beaten, verdict.rules)
    if not left:
        return ""
    needed = {
        (pair.a, pair.b): settings
        for pair in left
        if (settings := contest.needed.get((pair.a, pair.b))) is not None
    }
    if not needed:
        return (
            "No number of settings can be named that would decide what is open: the models are too "
            "close."
        )
    a, b = min(needed, key=lambda key: needed[key])
    return (
        f"Nearest to a decision is {summary.title(a)} against {summary.title(b)}: it would take "
        f"{needed_text(needed[a, b], contest.most_settings)}."
    )


def needed_text(settings: int, most: int) -> str:
    """How many settings a pair needs, and what to do about it.

    Args:
        settings: of each model, that would decide the pair with a power of 80 %.
        most: settings that the study may train.
    """
    far = FAR * most  # more is an order of magnitude that nobody will train
    about = f"about {settings:,}" if settings <= far else f"more than {far:,}"
    about = f"{about} settings each"
    if settings <= most:
        return about
    return f"{about}; the study's most is {most}, by search.settings or the last of search.looks"


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
        "Valid at any time, of one run of one random setting (bets on signs, with an error of 5 % "
        f"of their own over all pairs): {clauses}."
    )


def joint_sentence(summaries: Sequence[DataSummary]) -> str:
    """What holds over all data sets together; empty for a study with one, or one that is not
    finished."""
    joint = joint_pairs(summaries)
    if not joint:
        return ""
    over = f"over the {count_in_words(len(summaries))} data sets"
    sure = f"at 95 %, jointly over {count(len(joint), 'pair')}"
    losses = [(p.a, p.b) if p.probability > 0.5 else (p.b, p.a) for p in joint if p.shown]
    if not losses:
        return f"No model is shown to be better than another {over} ({sure})."
    names = list(dict.fromkeys(name for pair in joint for name in (pair.a, pair.b)))
    clauses = "; ".join(worse_than(losses, names, summaries[0].title))
    rest = "" if all(pair.shown for pair in joint) else "; nothing else is shown"
    return f"{capital(over)}, {clauses}{rest} ({sure})."


def anytime_level(verdict: Verdict) -> float:
    """The error of the evidence of one pair that is valid at any time."""
    return LEVEL / max(1, verdict.rules.comparisons, len(verdict.pairs))


def rerun_sentence(summary: DataSummary) -> str:
    """What the re-runs of the chosen settings say, of settings and not of models; empty where the
    study has none or names the pairs that it compares, and while any is missing."""
    phase, comparison = summary.rerun_phase, summary.rerun_verdict
    if phase is None or phase.missing or any(model.against for model in summary.models):
        return ""
    if comparison is None:
        return (
            "The re-runs don't compare the chosen settings: fewer than two models have any that "
            "can be compared."
        )
    compared = [*comparison.tier, *comparison.beaten]
    if len(compared) < 2:
        return (
            f"The re-runs don't compare the chosen settings: that takes {MIN_RUNS} seeds or more "
            "of at least two of them."
        )
    settings = {m.name: (m.title, m.rerun) for m in summary.models if m.rerun}
    runs = [len(settings[name][1].runs) for name in compared]
    seeds = count(runs[0], "fresh seed") if len(set(runs)) == 1 else _between(runs)

    def named(models: Sequence[str]) -> str:
        return listed([setting_of(settings[m][0], settings[m][1].setting or 0) for m in models])

    if not comparison.could_separate:
        return (
            f"The re-runs, {seeds} of each chosen setting, can't show that any of them is worse: "
            f"comparing {len(compared)} settings takes more seeds."
        )
    if not comparison.beaten:
        shown = "none of the settings was shown to be worse than another, at 95 %"
    else:
        shown = (
            f"{named(comparison.beaten)} {_was(comparison.beaten)} shown to be worse than another "
            f"setting, at 95 %; {named(comparison.tier)} {_was(comparison.tier)} not"
        )
    few = min(runs) < MIN_RUNS_FOR_CLAIM
    caution = f" (a screening only: a claim takes {MIN_RUNS_FOR_CLAIM} seeds)" if few else ""
    low, high = TWINS_TOLD_APART
    models = (
        "This says nothing about the models: the choice of a setting is one draw, and of two "
        "identical models, each searched with 20 settings, 10 seeds told the chosen settings apart "
        f"in {100 * low:.0f} to {percent(high)} of simulated studies."
        if any(setting.number for m in summary.models for setting in m.settings)
        else "This compares the authors' settings, not the models."
    )
    return f"Chosen settings, {seeds} of each: {shown}{caution}. {models}"


def facts(summary: DataSummary) -> list[str]:
    """Two or three things that were observed, each in one sentence."""
    return [fact for fact in (lowest(summary), _failures(summary), _compute(summary)) if fact]


def lowest(summary: DataSummary) -> str:
    """The best test value found, by whom, and how far from the next."""
    metric = summary.metric
    chosen = [(m, m.chosen) for m in summary.ranked if m.chosen is not None]
    if not chosen:
        return "No trial has a score." if summary.ended else ""
    (model, setting), *others = chosen
    text = (
        f"The {metric.best} test {metric.label} of a setting chosen on validation is "
        f"{score_text(model)}, by {model.title} with {setting_name(setting)}"
    )
    if not others:
        return f"{text}; no other model has a score."
    rival, second = others[0]
    comparable = min(setting.test, second.test) > 0
    ratio = f" ({ratio_in_words(second.test / setting.test)})" if comparable else ""
    return f"{text}; the runner-up, {rival.title}, has {score_text(rival)}{ratio}."


def _too_few(verdict: Verdict) -> str:
    return (
        f"No model is shown to be worse than another. No ranking is possible: with "
        f"{_settings(verdict)}, the smallest attainable p-value is {verdict.least_p:.2g}; "
        f"{count(len(verdict.pairs), 'pair')} of models require {verdict.threshold:.2g}."
    )


def _least_settings(verdict: Verdict) -> str:
    """How many settings a verdict takes at least."""
    if not verdict.threshold:
        return ""
    least = fewest_settings(verdict.threshold)
    return f"A verdict takes {least} settings of each model or more (search.settings: {least})."


def _budget(verdict: Verdict) -> str:
    """Why the declared budget is not the one that is judged; empty if it is."""
    declared, judged = verdict.rules.budget, verdict.budget
    if judged == declared:
        return ""
    most, enough = verdict.rules.looks[-1].settings, SETTINGS_PER_BUDGET * declared
    return (
        f"The declared budget of {declared} can't be judged with {count(most, 'setting')}: that "
        f"takes {enough} (search.settings: {enough}). Judged is a budget of {judged}."
    )


def _no_margin(verdict: Verdict) -> str:
    if verdict.rules.margin is not None:
        return ""
    form = "{difference: ...}" if verdict.rules.scale == "linear" else "{ratio: 1.1}"
    return (
        "Whether models are equivalent is not judged: the study declares no difference that "
        f"matters (`equivalence: {form}`)."
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
    who = listed([f"{settings} of {summary.title(name)}" for name, settings in saved.items()])
    return (
        f"Models without an open pair trained no further. Of {most} settings each, this saved "
        f"{who}; no other model was given them."
    )


def _beyond(summary: DataSummary) -> str:
    """That settings after the last look decide nothing; empty where there are none."""
    verdict = summary.verdict
    assert verdict is not None
    last = verdict.rules.looks[-1].settings
    if not verdict.finished or all(len(model.ended) <= last for model in summary.models):
        return ""
    return (
        f"Settings after the last look, at {last}, sharpen curves and estimates; the verdict "
        "stands."
    )


def growth_sentences(summary: DataSummary) -> list[str]:
    """What each version of a study that has grown changed, after which look; empty for others."""
    lines = []
    for version in summary.facts.versions[1:]:
        looks = len(version.looks)
        when = (
            f"after look {looks}, at {version.looks[-1][0]} settings"
            if looks
            else "before any look"
        )
        lines.append(
            f"Version {version.number} of the study began {when}: {'; '.join(version.changes)}."
        )
        asked = [c for c in version.changes if c.partition(":")[0].startswith(QUESTION)]
        if looks and asked:
            lines.append(
                f"The question itself was changed after a look ({'; '.join(asked)}): the error of "
                "5 % is not kept for what was decided with knowledge of earlier results."
            )
    return lines


def _failures(summary: DataSummary) -> str:
    """How often random settings failed, over all models; the authors' settings stand apart."""
    rate, sentences = failure_rate(summary.models), []
    if rate.interval is not None:
        low, high = map(percent, rate.interval)
        some = listed([f"{title} {failed}" for title, failed in rate.by_model.items()])
        shared = " that models share" if rate.trials > rate.settings else ""
        sentences.append(
            f"{rate.failed} of {rate.trials} runs of random settings failed "
            f"({percent(rate.failed / rate.trials)}, 95 % interval {low} to {high}, over the draw "
            f"of {count(rate.settings, 'setting')}{shared}){f': {some}' if some else ''}."
        )
    if rate.authors:
        sentences.append(f"The authors' setting of {listed(rate.authors)} failed.")
    return " ".join(sentences)


def _compute(summary: DataSummary) -> str:
    costs = sorted(
        (sum(s.spent.flops for s in done if s.spent) / len(done) / 1e9, m.index, m.title)
        for m in summary.models
        if (done := [s for s in m.tried if not s.failed])
    )
    if len(costs) < 2 or costs[0][0] <= 0:
        return ""
    (least, _, cheap), (most, _, dear) = costs[0], costs[-1]
    if most / least < 1.05:
        return f"A finished trial of any model cost about {amount(most)} GFLOPs."
    return (
        f"Equal budgets were not equal compute: a finished trial cost {amount(least)} GFLOPs "
        f"({cheap}) to {amount(most)} ({dear}), a factor of {most / least:.1f}."
    )


def _planned(verdict: Verdict) -> str:
    return f"{count(verdict.rules.looks[-1].settings, 'setting')} each"


def _settings(verdict: Verdict) -> str:
    counts = sorted(set(verdict.settings.values()))
    if len(counts) == 1:
        return f"{count(counts[0], 'setting')} each"
    return f"{counts[0]} to {counts[-1]} settings each"


def _between(runs: Sequence[int]) -> str:
    return f"{min(runs)} to {max(runs)} fresh seeds"


def _was(names: Sequence[str]) -> str:
    return "was" if len(names) == 1 else "were"
