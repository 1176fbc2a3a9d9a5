"""Sentences on what separates models that the study's own metric does not, and on who leads in
which metric."""

from collections.abc import Sequence

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.estimates import Estimate
from coequal.analysis.separation import Separation, leaders, separations
from coequal.formatting import capital, count, listed, number, with_error

MOST_PAIRS = 3  # of models that sentences are about


def separation_sentences(summary: DataSummary, most: int = MOST_PAIRS) -> list[str]:
    """A sentence for each pair of models that another metric separates, the clearest first, and one
    on what the errors are over; empty where no pair is.

    Args:
        summary: of a dataset.
        most: pairs at the most; that there are more is said.
    """
    pairs: dict[frozenset[str], list[Separation]] = {}
    for one in separations(summary):
        pairs.setdefault(frozenset((one.high, one.low)), []).append(one)
    if not pairs:
        return []
    shown = list(pairs.values())[:most]
    sentences = [_pair(summary, found) for found in shown]
    if len(pairs) > len(shown):
        others = count(len(pairs) - len(shown), "other pair")
        sentences.append(f"The same is true of {others} of models.")
    return [*sentences, _errors(_estimates([one for found in shown for one in found]))]


def leaders_sentence(summary: DataSummary) -> str:
    """Which model has the best value of which metric; empty where one leads in all."""
    found = leaders(summary)
    if not found:
        return ""
    parts: list[str] = []
    for name, metrics in found.items():
        where = listed([summary.metrics[metric].label for metric in metrics])
        parts.append(f"{summary.title(name)}{'' if parts else ' leads'} in {where}")
    return f"The metrics disagree on the best model: {'; '.join(parts)} (observed, not tested)."


def other_metrics_in_short(summary: DataSummary) -> str:
    """Who leads in which metric, the clearest pair with its clearest metric, and over what the
    errors are; empty where there is none of these."""
    found = separations(summary)[:1]
    lines = [_pair(summary, found), _errors(_estimates(found))] if found else []
    return " ".join(line for line in (leaders_sentence(summary), *lines) if line)


def _estimates(found: Sequence[Separation]) -> list[Estimate]:
    return [value for one in found for value in (*one.distances, *one.values)]


def _pair(summary: DataSummary, found: Sequence[Separation]) -> str:
    """ "FD does not tell A and B apart (21.2 ± 0.6 and 20.7 ± 0.5), but GAN-train does (...)."."""
    first = found[0]
    one, other = (summary.title(name) for name in (first.high, first.low))
    distances = " and ".join(map(_text, first.distances))
    start = (
        f"{capital(summary.metric.label)} does not tell {one} and {other} apart ({distances}), but "
    )
    parts: list[str] = []
    for difference in found:
        high, low = difference.values
        metric = summary.metrics[difference.metric]
        unit = metric.info.unit
        of = f" {unit.removeprefix('fraction ')}" if unit.startswith("fraction of") else ""
        points = f", {100 * (high.value - low.value):.0f} points" if of else ""
        reverse = (difference.high, difference.low) != (first.high, first.low)
        values = (low, high) if reverse else (high, low)
        both = " and ".join(map(_text, values))
        verb = f"so does {metric.label}" if parts else f"{metric.label} does"
        parts.append(f"{verb} ({both}{of}{points})")
    return f"{start}{' and '.join(parts)}."


def _errors(values: Sequence[Estimate]) -> str:
    """What the errors of the sentences before are over."""
    if min(value.runs for value in values) > 1:
        return "± is the standard error of the mean over re-runs with fresh seeds."
    return (
        "± is the standard error of the measurement (new images, new classifier seeds), not of "
        "another training run: here, each model is a single trained network."
    )


def _text(value: Estimate) -> str:
    return with_error(value.value, value.error) or number(value.value)
