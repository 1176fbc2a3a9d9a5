"""Which figures there are of one data set, with their titles and how to read them."""

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from coequal.analysis.summary import DataSummary
from coequal.report import reading
from coequal.report.figures import budget, classes, health, known, learning, settings


@dataclass(frozen=True)
class Kind:
    """One kind of figure."""

    draw: Callable[[DataSummary], Figure | None]  # None where there is nothing to draw
    read: Callable[[DataSummary], str]
    name: str

    def title(self, summary: DataSummary) -> str:
        """The paper's name for it, where it has one."""
        return reading.TITLES[self.name].format(label=summary.metric.label)


FIGURES: dict[str, Kind] = {
    "reruns": Kind(settings.reruns, reading.reruns, "reruns"),
    "distribution": Kind(settings.distribution, reading.distribution, "distribution"),
    "best_of_n": Kind(budget.best_of_n, reading.best_of_n, "best_of_n"),
    "bands": Kind(budget.bands, reading.bands, "bands"),
    "cost": Kind(budget.cost, reading.cost, "cost"),
    "ranks": Kind(budget.ranks, reading.ranks, "ranks"),
    "learning": Kind(learning.learning, reading.learning, "learning"),
    "f1": Kind(budget.f1, reading.f1, "f1"),
    "by_class": Kind(classes.by_class, reading.by_class, "by_class"),
    "confusion": Kind(classes.confusion, reading.confusion, "confusion"),
    "manifold_plane": Kind(known.plane, reading.manifold_plane, "manifold_plane"),
    "manifold_distance": Kind(
        known.against_distance, reading.manifold_distance, "manifold_distance"
    ),
    "health_settings": Kind(health.health_settings, reading.health_settings, "health_settings"),
}
