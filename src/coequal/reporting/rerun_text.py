"""What the re-runs say, of chosen settings and of changes, in sentences."""

from collections.abc import Sequence

from coequal.analysis.data_summary import DataSummary
from coequal.formatting import capital, count, count_in_words, listed, percent
from coequal.reporting.pair_sentences import be
from coequal.reporting.setting_text import setting_of
from coequal.statistics.comparison import TWINS_TOLD_APART
from coequal.statistics.reruns import MIN_RUNS, MIN_RUNS_FOR_CLAIM

MAX_NAMES = 4
"""A longer list of changes is given as a number."""


def effect_sentence(summary: DataSummary) -> str:
    """What the changes did that the study compares with one model each; empty without any."""
    compared = summary.rerun_comparison
    if not compared.effects:
        return ""
    shown = {
        outcome: [summary.title(e.name) for e in compared.effects if compared.outcome(e) == outcome]
        for outcome in ("better", "worse")
    }
    only = compared.effects[0]
    if len(compared.effects) == 1:
        other = summary.title(only.against)
        for outcome, names in shown.items():
            if names:
                return f"{names[0]} is shown to be {outcome} than {other}."
        return f"{summary.title(only.name)} and {other} cannot be told apart."
    changes = f"{count(len(compared.effects), 'change')} (each compared with the model without it)"
    if not any(shown.values()):
        text = f"none of {changes} is shown to make a difference"
    elif all(shown.values()):
        better, worse = shown["better"], shown["worse"]
        text = (
            f"{_some(better, changes)} better{_named(better)}, and {_some(worse)} worse"
            f"{_named(worse)}"
        )
    else:
        outcome, names = next((o, n) for o, n in shown.items() if n)
        other = "better" if outcome == "worse" else "worse"
        text = f"{_some(names, changes)} {outcome}{_named(names)}; none is shown to be {other}"
    return f"{capital(text) if summary.finished else f'So far, {text}'}."


def _some(names: Sequence[str], of: str = "") -> str:
    """That so many of them are shown to be something."""
    which = f" of {of}" if of else ""
    return f"{count_in_words(len(names))}{which} {be(names)} shown to be"


def _named(names: Sequence[str]) -> str:
    """The names in brackets; empty where they are too many."""
    return f" ({listed(names)})" if len(names) <= MAX_NAMES else ""


def tuned_sentence(summary: DataSummary) -> str:
    """Which of the chosen settings are better, in short; empty where re-runs do not compare them,
    or are missing."""
    phase, comparison = summary.rerun_phase, summary.rerun_verdict
    if phase is None or phase.missing or comparison is None:
        return ""
    compared = [*comparison.tier, *comparison.beaten]
    if len(compared) < 2 or any(model.against for model in summary.models):
        return ""
    if not comparison.could_separate:
        return f"So few seeds cannot tell {count_in_words(len(compared))} settings apart."
    if not comparison.beaten:
        return "No two of the chosen settings can be told apart."
    rest = count_in_words(len(comparison.beaten))
    if len(comparison.tier) > 1:
        one = len(comparison.beaten) == 1
        which = f"that of {_titles(summary, comparison.beaten)}" if one else f"the other {rest}"
        return (
            f"The settings of {_titles(summary, comparison.tier)} are not shown to be worse than "
            f"any other; {which} {'is' if one else 'are'}."
        )
    best = comparison.tier[0]
    worse = {d.worse for d in comparison.differences if d.shown and d.better == best}
    if worse != set(comparison.beaten):
        return (
            f"{summary.title(best)}'s chosen setting is the only one that is not shown to be worse "
            "than another."
        )
    setting = f"{summary.title(best)}'s chosen setting is better than"
    if len(compared) == 2:
        return f"{setting} that of {summary.title(comparison.beaten[0])}."
    return f"{setting} those of the other {rest}."


def seeds_text(summary: DataSummary) -> str:
    """With how many fresh seeds the chosen settings were trained again."""
    runs = [len(m.rerun.runs) for m in summary.models if m.rerun and m.rerun.runs] or [0]
    text = count(runs[0], "fresh seed") if len(set(runs)) == 1 else _between(runs)
    few = min(runs) < MIN_RUNS_FOR_CLAIM
    return f"{text}{f'; a claim needs {MIN_RUNS_FOR_CLAIM}' if few else ''}"


def _titles(summary: DataSummary, names: Sequence[str]) -> str:
    return listed([summary.title(name) for name in names])


def rerun_sentence(summary: DataSummary) -> str:
    """What the re-runs of the chosen settings say, of settings and not of models; empty where the
    study has none or names the pairs that it compares, and while any is missing."""
    phase, comparison = summary.rerun_phase, summary.rerun_verdict
    if phase is None or phase.missing or any(model.against for model in summary.models):
        return ""
    if comparison is None:
        return (
            "The re-runs cannot compare the chosen settings: fewer than two models have re-runs "
            "that can be compared."
        )
    compared = [*comparison.tier, *comparison.beaten]
    if len(compared) < 2:
        return (
            f"The re-runs cannot compare the chosen settings: this needs at least {MIN_RUNS} seeds "
            "for each of two or more settings."
        )
    settings = {m.name: (m.title, m.rerun) for m in summary.models if m.rerun}
    runs = [len(settings[name][1].runs) for name in compared]
    seeds = count(runs[0], "fresh seed") if len(set(runs)) == 1 else _between(runs)

    def named(models: Sequence[str]) -> str:
        return listed([setting_of(settings[m][0], settings[m][1].setting or 0) for m in models])

    if not comparison.could_separate:
        return (
            f"The re-runs ({seeds} of each chosen setting) cannot show that any setting is worse: "
            f"comparing {len(compared)} settings takes more seeds."
        )
    if not comparison.beaten:
        shown = "none of the settings is significantly worse than another (95 %)"
    else:
        shown = (
            f"{named(comparison.beaten)} {be(comparison.beaten)} significantly worse than another "
            f"setting (95 %); {named(comparison.tier)} {be(comparison.tier)} not"
        )
    few = min(runs) < MIN_RUNS_FOR_CLAIM
    caution = f" (a screening only: a claim needs {MIN_RUNS_FOR_CLAIM} seeds)" if few else ""
    low, high = TWINS_TOLD_APART
    models = (
        "This says nothing about the models, because the choice of a setting is a single draw: in "
        "simulated studies of two identical models, each searched with 20 settings, 10 seeds told "
        f"the chosen settings apart in {100 * low:.0f} to {percent(high)} of cases."
        if any(setting.number for m in summary.models for setting in m.settings)
        else "This compares the authors' settings, not the models."
    )
    return f"Chosen settings, {seeds} of each: {shown}{caution}. {models}"


def _between(runs: Sequence[int]) -> str:
    return f"{min(runs)} to {max(runs)} fresh seeds"
