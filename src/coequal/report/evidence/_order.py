"""The evidence in the order of the page: every module of this folder, by its own `place`."""

from importlib import import_module

from coequal import lookup
from coequal.analysis.across_datasets import StudySummary
from coequal.analysis.data_summary import DataSummary
from coequal.report.evidence._evidence import Evidence

FIRST_PLACE_AFTER_SAMPLES = 1000

EVERY = sorted(
    (import_module(f"{__package__}.{name}").EVIDENCE for name in lookup.names("report/evidence")),
    key=lambda piece: piece.place,
)

ON_DATA: tuple[Evidence[DataSummary], ...] = tuple(
    piece for piece in EVERY if not piece.across_datasets
)
"""All the evidence on one data set."""

BEFORE_SAMPLES = tuple(piece for piece in ON_DATA if piece.place < FIRST_PLACE_AFTER_SAMPLES)
AFTER_SAMPLES = tuple(piece for piece in ON_DATA if piece.place >= FIRST_PLACE_AFTER_SAMPLES)

ACROSS_DATASETS: tuple[Evidence[StudySummary], ...] = tuple(
    piece for piece in EVERY if piece.across_datasets
)
"""The evidence on all data sets of a study together."""
