"""Every number that is reported of one dataset."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coequal.analysis.budget_curves import BudgetCurve, CostCurve
from coequal.analysis.instrument import InstrumentPart
from coequal.analysis.manifold import ManifoldResults
from coequal.analysis.metric import NamedMetric
from coequal.analysis.model import ModelSummary, PhaseProgress
from coequal.analysis.pairs import Contest
from coequal.analysis.rerun_comparison import RerunComparison
from coequal.analysis.source import (
    Facts,
)
from coequal.analysis.variance import VarianceParts
from coequal.selection import SelectionRule
from coequal.statistics.comparison import Comparison
from coequal.statistics.ranks import Ranks
from coequal.statistics.verdict import Verdict


@dataclass(frozen=True)
class DataSummary:
    """Every number that is reported of one dataset of the study.

    Attributes:
        data: its name.
        metric: that the study chooses by.
        rule: how the study chooses a checkpoint and a setting.
        cap: the value that a failure counts as in means: that of uniform noise; None: none was
            declared.
        floor: the value of held-out real images; None if unknown.
        bound: the best value that the metric allows; None if unknown.
        reference: how the instrument was calibrated.
        protocols: by metric and split, how it was measured.
        models: in the study's order.
        contest: the comparison of the searches; None without results.
        curves: by model, the expected best of n settings.
        ranks: of the models at each budget; None where there is nothing to rank.
        cost_curves: by unit ("flops", "seconds") and model.
        f1_curves: by model, the expected best F1; empty where no F1 was measured.
        rerun_comparison: the chosen settings, by their re-runs.
        variance: where the differences between runs come from; None with too few scores.
        rerun_phase: how far the re-runs are; None if the study plans none.
        facts: counts over the whole study.
        metrics: of the study, by name.
        manifold: results against a known manifold; None where there is none.
        instrument: what the instrument adds to the numbers; empty where that was not measured.
    """

    data: str
    metric: NamedMetric
    rule: SelectionRule
    cap: float | None
    floor: float | None
    bound: float | None
    reference: Mapping[str, Any]
    protocols: Mapping[str, Mapping[str, str]]
    models: tuple[ModelSummary, ...]
    contest: Contest | None
    curves: Mapping[str, BudgetCurve]
    ranks: Ranks | None
    cost_curves: Mapping[str, Mapping[str, CostCurve]]
    f1_curves: Mapping[str, BudgetCurve]
    rerun_comparison: RerunComparison
    variance: VarianceParts | None
    rerun_phase: PhaseProgress | None
    facts: Facts
    metrics: Mapping[str, NamedMetric]
    manifold: ManifoldResults | None
    instrument: tuple[InstrumentPart, ...] = ()

    @property
    def planned(self) -> int:
        """Number of trials of the search, the authors' settings among them."""
        return sum(model.planned for model in self.models)

    @property
    def ended(self) -> int:
        """Number of the search's trials that have a result."""
        return sum(len(model.tried) for model in self.models)

    @property
    def finished(self) -> bool:
        """Whether search and re-runs have all their results."""
        phase = self.rerun_phase
        return self.ended == self.planned and (phase is None or phase.missing == 0)

    @property
    def rerun_verdict(self) -> Comparison | None:
        """Which chosen settings differ; None with fewer than two models that can be compared."""
        return self.rerun_comparison.verdict

    @property
    def verdict(self) -> Verdict | None:
        """What the comparison of the searches says."""
        return self.contest.verdict if self.contest else None

    @property
    def ranked(self) -> tuple[ModelSummary, ...]:
        """Models by the test value of the chosen setting; those without one last. Not a verdict."""

        def place(model: ModelSummary) -> tuple[float, int]:
            chosen = model.chosen
            return (math.inf if chosen is None else self.metric.cost(chosen.test), model.index)

        return tuple(sorted(self.models, key=place))

    @property
    def other_metrics(self) -> tuple[NamedMetric, ...]:
        """The metrics that were measured beside the study's own."""
        return tuple(self.metrics[name] for name in self.protocols if name != self.metric.name)

    def model(self, name: str) -> ModelSummary:
        """A model by its name."""
        return next(model for model in self.models if model.name == name)

    def title(self, name: str) -> str:
        """A model's title by its name."""
        return self.model(name).title
