"""The words of the first picture: notes, numbers, axis, caption, and a description of it all."""

from collections.abc import Sequence

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.tiers import Standing, Tiers
from coequal.formatting import NONE, count, half_width, interval, listed, number

NAMED = 3
"""A longer list of models is given as a number."""


def note(standing: Standing, summary: DataSummary) -> str:
    """What stands below a model's name: by whom it is beaten, or that its runs failed.

    Args:
        standing: of the model.
        summary: of the dataset.
    """
    if standing.beaten_by:
        return f"beaten by {_few(standing.beaten_by, summary)}"
    if standing.equivalent:
        return f"equivalent to {_few(standing.equivalent, summary)}"
    if standing.score is None:
        tried = summary.model(standing.model).tried
        if not tried:
            return "no result yet"
        failed = sum(trial.failed for trial in tried)
        return f"all {len(tried)} runs failed" if failed == len(tried) else "no score"
    return f"{standing.failed} failed" if standing.failed else ""


def value_text(standing: Standing) -> tuple[str, str]:
    """A model's score, and its interval in a second line; empty where there is none.

    Args:
        standing: of the model.
    """
    if standing.score is None:
        return NONE, ""
    return number(standing.score, half_width(standing.interval)), interval(standing.interval)


def marks(summary: DataSummary) -> list[tuple[float, str]]:
    """The references of the axis: value and name."""
    worst = summary.cap is not None and summary.cap == summary.metric.info.worst
    named = ((summary.cap, "worst possible" if worst else "noise"), (summary.floor, "real images"))
    return [(value, f"{name} {number(value)}") for value, name in named if value is not None]


def axis_label(tiers: Tiers, summary: DataSummary, log: bool) -> str:
    """What the axis shows, and which way is better."""
    metric = summary.metric
    what = f"test {metric.label}{', logarithmic' if log else ''}"
    if metric.info.better == "target":
        return f"{what} ({metric.better})"
    return f"{what}; better →" if metric.higher else f"← better; {what}"


def caption(tiers: Tiers, summary: DataSummary) -> str:
    """How the picture is read, in two sentences or three."""
    metric, verdict = summary.metric, summary.verdict
    if tiers.basis == "tuned" and verdict is not None:
        tuned = "one random setting"
        if verdict.budget > 1:
            tuned = f"the best of {verdict.budget} random settings"
        return (
            f"Dots: typical test {metric.label} of {tuned}. Lines: 95 % intervals of each model by "
            "itself; whether they overlap decides nothing."
        )
    if tiers.basis == "reruns":
        return (
            f"Dots: test {metric.label} of the chosen setting (centre of its re-runs). Lines: 95 % "
            "intervals over training seeds, which do not cover the choice of a setting. "
            f"{_why_reruns(summary)}"
        )
    several = any(len(standing.runs) > 1 for standing in tiers.standings)
    chosen = " (large: the one chosen on validation)" if several else ""
    return f"Each dot is one run of one setting{chosen}; so few runs give no interval."


def meaning(tiers: Tiers, summary: DataSummary) -> str:
    """What dots and lines are, where the caption says too little; else empty."""
    verdict = summary.verdict
    if tiers.basis != "tuned" or verdict is None:
        return ""
    mean = "geometric mean" if verdict.rules.scale == "log" else "mean"
    return (
        f"In the figure, dots are typical scores ({mean}; a failure counts as noise or as the "
        "worst run) and lines are Student's t intervals over the draw of settings. The verdict "
        "compares two models on the same settings, which tells them apart better than the two "
        "lines do."
    )


def description(tiers: Tiers, summary: DataSummary) -> str:
    """The picture in words, for who can't see it."""
    parts = []
    for standing in tiers.standings:
        value, ends = value_text(standing)
        about = note(standing, summary)
        known = f" {value}" if standing.score is not None else ""
        extra = [text for text in (f"95 %: {ends}" if ends else "", about) if text]
        more = f" ({'; '.join(extra)})" if extra else ""
        parts.append(f"{summary.title(standing.model)}{known}{more}")
    references = "".join(f"; {name}" for _, name in marks(summary))
    return f"Test {summary.metric.label} of the models: {', '.join(parts)}{references}."


def _why_reruns(summary: DataSummary) -> str:
    drawn = max((len(model.ended) for model in summary.models), default=0)
    if not drawn:
        return "No random settings were drawn."
    return f"The search, {count(drawn, 'random setting')} each, is too small for an interval."


def _few(names: Sequence[str], summary: DataSummary) -> str:
    titles = [summary.model(name).label for name in names]
    if len(titles) <= NAMED:
        return listed(titles)
    return f"{titles[0]} and {len(titles) - 1} others"
