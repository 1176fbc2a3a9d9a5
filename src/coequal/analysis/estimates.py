"""A metric of a model with its error: of one measurement, or over training seeds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from coequal.analysis.model import ModelSummary

DEGREES_OF_ONE_RUN = 2
"""Degrees of freedom that the error of one measurement is taken to have: those of the spread of
three classifiers. Errors over images have many more."""


@dataclass(frozen=True)
class Estimate:
    """A number with its error.

    Attributes:
        value: the number: the mean where there are several runs.
        error: its standard error: over training seeds where there are several runs, else of the one
            measurement (over new images, and of classifiers over their seeds, too); None where it
            is not known.
        runs: how many trainings it comes from.
    """

    value: float
    error: float | None
    runs: int = 1

    @property
    def degrees(self) -> int:
        """The degrees of freedom of the error."""
        return self.runs - 1 if self.runs > 1 else DEGREES_OF_ONE_RUN


def estimate(model: ModelSummary, metric: str) -> Estimate | None:
    """A metric of a model's chosen setting: over its re-runs, or of the search's run where there
    are none. None where it was not measured.

    Args:
        model: with its test values.
        metric: the name of the number.
    """
    found = _measured(model.rerun_test_values, model.rerun_test_errors, metric)
    if not found:
        found = _measured([model.test_values], [model.test_errors], metric)
    if not found:
        return None
    if len(found) == 1:
        return Estimate(*found[0])
    values = [value for value, _ in found]
    return Estimate(fmean(values), stdev(values) / math.sqrt(len(values)), len(values))


def _measured(
    values: Sequence[Mapping[str, float]], errors: Sequence[Mapping[str, float]], metric: str
) -> list[tuple[float, float | None]]:
    """The finite values of runs, with their errors."""
    return [
        (value, its.get(metric))
        for run, its in zip(values, errors, strict=True)
        if math.isfinite(value := run.get(metric, math.nan))
    ]
