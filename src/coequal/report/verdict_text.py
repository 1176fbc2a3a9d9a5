"""What the numbers say, in sentences: the verdict, how sure it is, and what is missing."""

from collections.abc import Sequence

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.failure_rate import failure_rate
from coequal.analysis.model import ModelSummary
from coequal.analysis.pairs import ModelPair
from coequal.formatting import amount, capital, count, listed, number, p_value, percent, probability
from coequal.report.setting_text import setting_name, setting_of
from coequal.statistics.comparison import TWINS_TOLD_APART
from coequal.statistics.elimination import Removal
from coequal.statistics.reruns import MIN_RUNS, MIN_RUNS_FOR_CLAIM

NOT_EQUAL = "no model in this tier was shown to be beaten, which does not mean that they are equal"


VERDICT_TAKES_MORE = "The verdict, which accounts for all pairs, takes more."


def progress(summary: DataSummary) -> str:
    """What is missing from an unfinished study; empty if nothing is."""
    parts = []
    if summary.ended < summary.planned:
        waiting = [m for m in summary.models if len(m.ended) < len(m.settings)]
        missing = listed([f"{m.title} {len(m.ended)} of {len(m.settings)}" for m in waiting])
        text = f"{summary.ended} of {summary.planned} trials of the search have results"
        parts.append(f"{text}. Incomplete: {missing}.")
    phase = summary.rerun_phase
    if phase and phase.missing:
        text = f"{phase.ended} of {phase.planned} re-runs have results"
        early = summary.ended < summary.planned
        parts.append(f"{text}{' (they are chosen once the search has ended)' if early else ''}.")
    return " ".join(parts)


def verdict_sentence(summary: DataSummary) -> str:
    """The verdict for humans, in one sentence."""
    verdict = summary.verdict
    with_results = [model for model in summary.models if model.ended]
    if verdict is None:
        return "There are no results yet."
    if len(with_results) == 1:
        return f"Only {with_results[0].title} has results: there is nothing to compare it with."
    whole = summary.ended == summary.planned
    start, no_model = ("", "No model") if whole else ("So far: ", "no model")
    if not verdict.could_separate and summary.rerun_comparison.effects:
        return effect_sentence(summary)
    if not verdict.could_separate:
        return (
            f"{start}{no_model} is shown to be worse than another. No ranking is possible: with "
            f"{_settings(with_results)}, the smallest attainable p-value is {verdict.least_p:.2g}; "
            f"comparing {len(with_results)} models requires {verdict.threshold:.2g}."
        )
    if not verdict.removed:
        return f"{start}{no_model} was shown to be beaten, at 95 %."
    tier = listed([summary.title(name) for name in verdict.tier])
    beaten = listed([summary.title(removal.model) for removal in verdict.removed])
    verbs = (
        "was" if len(verdict.tier) == 1 else "were",
        "was" if len(verdict.removed) == 1 else "were",
    )
    return f"{start}{tier} {verbs[0]} not shown to be beaten; {beaten} {verbs[1]}, at 95 %."


def verdict_note(summary: DataSummary) -> str:
    """What the verdict does not say; empty where it compares nothing."""
    verdict = summary.verdict
    if verdict is None or len(verdict.tier) < 2:
        return ""
    if not verdict.could_separate and summary.rerun_comparison.effects:
        return "An effect that is not shown may still exist; this compares settings, not models."
    return f"{capital(NOT_EQUAL)}."


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
    """How sure the verdict is, in a few sentences: method, clearest defeat, power."""
    verdict = summary.verdict
    if verdict is None or len(verdict.settings) < 2:
        return []
    lines = [_budget(summary)]
    if verdict.removed:
        lines.append(clearest(summary, verdict.removed[-1]))
    lines.append(power_sentence(summary))
    if verdict.could_separate:
        lines.append(effect_sentence(summary))
    return [line for line in lines if line]


def clearest(summary: DataSummary, removal: Removal) -> str:
    """The least clear of the defeats: the one that the tier's border rests on."""
    z = "" if removal.z is None else f", z = {removal.z:.2f}"
    return (
        f"{summary.title(removal.model)} was eliminated last: {summary.title(removal.beaten_by)} "
        f"beats it with probability {probability(removal.probability)} (p = "
        f"{p_value(removal.p_value)}{z}; threshold {p_value(removal.threshold)})."
    )


def power_sentence(summary: DataSummary) -> str:
    """What it would take to separate the first two of the tier; empty where nobody can say."""
    verdict, contest = summary.verdict, summary.contest
    if verdict is None or contest is None or len(verdict.tier) < 2 or not verdict.could_separate:
        return ""
    a, b = verdict.tier[:2]
    pair = contest.pair(a, b)
    return "" if pair is None else _power(summary, pair, a, b)


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
        f"{number(setting.test)}, by {model.title} with {setting_name(setting)}"
    )
    if not others:
        return f"{text}; no other model has a score."
    rival, second = others[0]
    gap = abs(second.test - setting.test)
    difference = f", {100 * gap / abs(setting.test):.1f} % away" if setting.test else ""
    return f"{text}; the runner-up, {rival.title}, has {number(second.test)}{difference}."


def _budget(summary: DataSummary) -> str:
    verdict = summary.verdict
    assert verdict is not None
    each = _settings([m for m in summary.models if m.ended])
    if verdict.budget == 1:
        return (
            "We compare one random setting of one model with one of the other, over searches of "
            f"{each}: {verdict.method}."
        )
    return (
        f"We compare the best of {verdict.budget} random settings of one model with the best of "
        f"{verdict.budget} of the other, over searches of {each}: {verdict.method}."
    )


def _power(summary: DataSummary, pair: ModelPair, a: str, b: str) -> str:
    names = f"As a single comparison, separating {summary.title(a)} from {summary.title(b)} at 95 %"
    needed = pair.needed
    if needed is None:
        return f"{names}: no number of settings can be given ({pair.needed_refusal})."
    low, high = needed.more(needed.low), needed.more(needed.high)
    least = 0 if low is None else max(low)
    kept = f"at the same budget n = {needed.budget:g}"
    if high is None:
        lack = count(least, "more setting")
        return (
            f"{names} would take at least {lack} of each, {kept}, and may be impossible. "
            f"{VERDICT_TAKES_MORE}"
        )
    most = max(high)
    if most == 0:
        return f"{names} may be possible with these searches as they are. {VERDICT_TAKES_MORE}"
    return (
        f"{names} would take about {least:,} to {most:,} more settings of each, {kept} (80 % "
        f"range). {VERDICT_TAKES_MORE}"
    )


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
        if (done := [s for s in m.ended if not s.failed])
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


def _settings(models: Sequence[ModelSummary]) -> str:
    counts = sorted({len(model.ended) for model in models})
    if len(counts) == 1:
        return f"{count(counts[0], 'setting')} each"
    return f"{counts[0]} to {counts[-1]} settings each"


def _between(runs: Sequence[int]) -> str:
    return f"{min(runs)} to {max(runs)} fresh seeds"


def _was(names: Sequence[str]) -> str:
    return "was" if len(names) == 1 else "were"
