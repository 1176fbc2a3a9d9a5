"""The evidence in the order of the page."""

from coequal.analysis.across_datasets import StudySummary
from coequal.analysis.data_summary import DataSummary
from coequal.report.evidence import (
    bands,
    best_and_reruns,
    best_of_n,
    by_class,
    chances,
    confusion,
    cost,
    defeats,
    distribution,
    effects,
    f1,
    failures,
    health,
    health_settings,
    hyperparameters,
    learning,
    manifold_choice,
    manifold_distance,
    manifold_plane,
    other_metrics,
    overall,
    power,
    profile,
    rank_flips,
    ranks,
    rerun_pairs,
    reruns,
    search,
    sensitivity,
    stopped_early,
    transfer,
    unhealthy,
    variance,
)
from coequal.report.evidence.evidence import Evidence

ORDER: tuple[Evidence[DataSummary], ...] = (
    effects.EVIDENCE,
    best_and_reruns.EVIDENCE,
    other_metrics.EVIDENCE,
    reruns.EVIDENCE,
    distribution.EVIDENCE,
    best_of_n.EVIDENCE,
    bands.EVIDENCE,
    cost.EVIDENCE,
    ranks.EVIDENCE,
    rank_flips.EVIDENCE,
    defeats.EVIDENCE,
    chances.EVIDENCE,
    power.EVIDENCE,
    rerun_pairs.EVIDENCE,
    learning.EVIDENCE,
    f1.EVIDENCE,
    manifold_plane.EVIDENCE,
    manifold_distance.EVIDENCE,
    manifold_choice.EVIDENCE,
    by_class.EVIDENCE,
    confusion.EVIDENCE,
    search.EVIDENCE,
    variance.EVIDENCE,
    sensitivity.EVIDENCE,
    hyperparameters.EVIDENCE,
    health.EVIDENCE,
    health_settings.EVIDENCE,
    unhealthy.EVIDENCE,
    stopped_early.EVIDENCE,
)
"""The evidence on one data set."""

LAST: tuple[Evidence[DataSummary], ...] = (failures.EVIDENCE,)
"""The evidence on one data set that follows the samples."""

ACROSS_DATASETS: tuple[Evidence[StudySummary], ...] = (
    transfer.EVIDENCE,
    overall.EVIDENCE,
    profile.EVIDENCE,
)
"""The evidence on all data sets of a study together."""
