"""The study's metric: which way is better, how far it can go, and what a reader calls it."""

from collections.abc import Mapping
from dataclasses import dataclass

from coequal.records import MetricInfo
from coequal.selection import SelectionRule


@dataclass(frozen=True)
class NamedMetric:
    """A metric's name, and what the metric tells about its values.

    Attributes:
        name: as in study files and results.
        info: its direction, label and bounds.
    """

    name: str
    info: MetricInfo

    @property
    def label(self) -> str:
        """What a reader calls it: "FD", "GAN-train", "manifold F1"."""
        return self.info.label or self.name.replace("_", " ")

    @property
    def higher(self) -> bool:
        """Whether more is better."""
        return self.info.better == "higher"

    @property
    def sign(self) -> float:
        """What a value is multiplied by to be a cost: -1 where more is better, else 1."""
        return -1.0 if self.higher else 1.0

    @property
    def best(self) -> str:
        """The superlative of a good value: "lowest"."""
        return "highest" if self.higher else "lowest"

    @property
    def better(self) -> str:
        """The direction in words: "lower is better"."""
        if self.info.better == "target":
            return "best at its target"
        return f"{self.info.better} is better"

    @property
    def bound(self) -> float | None:
        """The value that no model can better, whatever it does; None where none is known."""
        return self.info.best

    def cost(self, value: float) -> float:
        """A number of which less is better, as `coequal.statistics` wants it; its own inverse."""
        return self.info.cost(value)


def study_metric(rule: SelectionRule) -> NamedMetric:
    """The metric that a study chooses by."""
    return NamedMetric(rule.metric, rule.info)


def named_metrics(metrics: Mapping[str, MetricInfo]) -> dict[str, NamedMetric]:
    """Metrics by their names."""
    return {name: NamedMetric(name, info) for name, info in metrics.items()}
