"""What was observed beside the verdict: the best score, what it all cost, and what failed."""

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.failure_rate import failure_rate
from coequal.formatting import amount, count, duration, listed, percent, ratio_in_words
from coequal.reporting.setting_text import score_text, setting_of
from coequal.reporting.sure_text import Line

PREFIXES = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"))


def observed(summary: DataSummary) -> list[Line]:
    """What it cost, and what failed; empty before the first result.

    Args:
        summary: of the dataset.
    """
    lines = (Line("Cost", cost_sentence(summary)), Line("Failures", failures_sentence(summary)))
    return [line for line in lines if line.text]


def lowest(summary: DataSummary) -> str:
    """The best test value found, by whom, and how far from the next."""
    metric = summary.metric
    chosen = [(m, m.chosen) for m in summary.ranked if m.chosen is not None]
    if not chosen:
        return "No trial has a score." if summary.ended else ""
    (model, setting), *others = chosen
    text = (
        f"Among the settings chosen on validation, {setting_of(model.title, setting.number)} has "
        f"the {metric.best} test {metric.label}, {score_text(model)}"
    )
    if not others:
        return f"{text}; no other model has a score."
    rival, second = others[0]
    comparable = min(setting.test, second.test) > 0
    ratio = f" ({ratio_in_words(second.test / setting.test)})" if comparable else ""
    return f"{text}; the runner-up, {rival.title}, has {score_text(rival)}{ratio}."


def cost_sentence(summary: DataSummary) -> str:
    """What the whole study cost, and a trial of each model; empty before the first result."""
    facts = summary.facts
    if not facts.results:
        return ""
    places = ", ".join(
        listed(sorted(seen))
        for name in ("processor", "device")
        if (seen := facts.environment.get(name, set()) - {"cpu", ""})
    )
    whole = (
        f"{count(facts.results, 'trial')}, {duration(facts.seconds, decimals=1)} of training, "
        f"{flops(facts.flops)}{f' ({places})' if places else ''}"
    )
    each = _each_trial(summary)
    return f"{whole}; {each}." if each else f"{whole}."


def _each_trial(summary: DataSummary) -> str:
    """What a finished trial of the search cost, from the cheapest model to the dearest."""
    costs = sorted(
        (sum(s.spent.flops for s in done if s.spent) / len(done), m.index, m.title)
        for m in summary.models
        if (done := [s for s in m.tried if not s.failed])
    )
    if len(costs) < 2 or costs[0][0] <= 0:
        return ""
    (least, _, cheap), (most, _, dear) = costs[0], costs[-1]
    if most / least < 1.05:
        return f"a trial of any model took about {flops(most)}"
    return f"a trial took {flops(least)} ({cheap}) to {flops(most)} ({dear})"


def flops(number: float) -> str:
    """Floating-point operations: "165 TFLOPs".

    Args:
        number: of them.
    """
    for size, prefix in PREFIXES:
        if number >= size:
            return f"{amount(number / size)} {prefix}FLOPs"
    return f"{amount(number / 1e9)} GFLOPs"


def failures_sentence(summary: DataSummary) -> str:
    """How often random settings failed, over all models, and re-runs; the authors' settings stand
    apart."""
    rate, sentences, phase = failure_rate(summary.models), [], summary.rerun_phase
    if rate.interval is not None:
        low, high = percent(rate.interval.low).removesuffix(" %"), percent(rate.interval.high)
        some = listed([f"{title} {failed}" for title, failed in rate.by_model.items()])
        share = f"{percent(rate.failed / rate.trials)}; " if rate.failed else ""
        sentences.append(
            f"{_failed_of(rate.failed, rate.trials, 'run')} of random settings failed "
            f"({share}95 %: {low} to {high}, over draws of settings){f': {some}' if some else ''}."
        )
    if rate.authors:
        sentences.append(f"The authors' setting of {listed(rate.authors)} failed.")
    if phase is not None and phase.ended:
        sentences.append(f"{_failed_of(phase.failed, phase.ended, 're-run')} failed.")
    return " ".join(sentences)


def _failed_of(failed: int, runs: int, noun: str) -> str:
    """How many of how many failed, as the beginning of a sentence: "None of 80 re-runs"."""
    none = "None" if runs > 1 else "0"
    return f"{failed or none} of {count(runs, noun)}"
