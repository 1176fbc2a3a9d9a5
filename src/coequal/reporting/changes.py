"""What single changes did, as the table and the forest plot of them show it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.formatting import half_width, number, signed
from coequal.statistics.comparison import Effect


@dataclass(frozen=True)
class Change:
    """One model against the one that the study compares it with, in units that people read.

    Attributes:
        effect: what was computed of it.
        model: with the change.
        name: what was changed, or the model's title.
        outcome: "better", "worse" or "not shown".
        relative: whether values are ratios; else they are differences in the metric's units.
        value: the change: infinite or 0 where failures decide it, NaN where all runs failed.
        ends: of its interval; None where there are too few runs.
        gain: the smallest gain that could have been shown; None where no gain could.
        unchanged: the value of no change.
    """

    effect: Effect
    model: ModelSummary
    name: str
    outcome: str
    relative: bool
    value: float
    ends: tuple[float, float] | None
    gain: float | None

    @property
    def unchanged(self) -> float:
        """The value of no change."""
        return 1.0 if self.relative else 0.0

    @property
    def text(self) -> str:
        """The change in per cent, or as a difference; what happened where there is none."""
        if math.isnan(self.value):
            return "all runs failed"
        if math.isinf(self.effect.change):
            return "its runs fail" if self.effect.change > 0 else "the other's fail"
        if self.relative and self.value == 0:
            return "the other's fail"
        return self._written(self.value)

    @property
    def between(self) -> str:
        """The interval: "−57 to +7 %"; that there are too few runs where there is none."""
        if self.ends is None:
            return "too few runs"
        low, high = map(self._end, self.ends)
        return f"{low.removesuffix(' %') if high.endswith(' %') else low} to {high}"

    @property
    def gain_text(self) -> str:
        """The smallest gain that could have been shown, or "none"."""
        return "none" if self.gain is None else self._written(self.gain)

    def _end(self, end: float) -> str:
        if math.isinf(end):
            return "∞" if end > 0 else "−∞"
        return self._written(end)

    def _written(self, value: float) -> str:
        half = half_width(self.ends)
        if not self.relative:
            return number(value, half)
        per_cent = 10.0 if half is None else min(10.0, 100 * half)  # whole per cent at most
        return f"{signed(100 * (value - 1), per_cent)} %"


def changes(summary: DataSummary) -> list[Change]:
    """Every change of a study, best first within those of one base, whose runs all failed last;
    bases in the study's order."""
    compared = summary.rerun_comparison
    found = sorted(compared.effects, key=_order(summary))
    return [_change(summary, effect) for effect in found]


def in_units(summary: DataSummary) -> Callable[[float], float]:
    """From a change of costs to a ratio, or to a difference in the metric's own units."""
    relative = summary.rerun_comparison.scale == "log"
    return (lambda value: value) if relative else summary.metric.cost


def _order(summary: DataSummary) -> Callable[[Effect], tuple[int, bool, float, float, str]]:
    places = {model.name: model.index for model in summary.models}

    def key(effect: Effect) -> tuple[int, bool, float, float, str]:
        unknown = math.isnan(effect.change)
        change = 0.0 if unknown else effect.change
        return places[effect.against], unknown, change, -effect.wins, effect.name

    return key


def _change(summary: DataSummary, effect: Effect) -> Change:
    model, units = summary.model(effect.name), in_units(summary)
    ends: Sequence[float] = sorted(map(units, effect.interval or ()))
    return Change(
        effect=effect,
        model=model,
        name=model.change or model.title,
        outcome=summary.rerun_comparison.outcome(effect),
        relative=summary.rerun_comparison.scale == "log",
        value=units(effect.change),
        ends=(ends[0], ends[1]) if ends else None,
        gain=None if effect.smallest_gain is None else units(effect.smallest_gain),
    )
