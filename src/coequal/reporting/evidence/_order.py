"""The evidence in the order of the page: every module of this folder, by its group and place."""

from importlib import import_module

from coequal import lookup
from coequal.analysis.across_datasets import StudySummary
from coequal.analysis.data_summary import DataSummary
from coequal.reporting.evidence._evidence import Evidence, Group

GROUPS = tuple(Group)

EVERY = sorted(
    (
        import_module(f"{__package__}.{name}").EVIDENCE
        for name in lookup.names("reporting/evidence")
    ),
    key=lambda piece: (GROUPS.index(piece.group), piece.place),
)

ON_DATA: tuple[Evidence[DataSummary], ...] = tuple(
    piece for piece in EVERY if piece.group is not Group.TOGETHER
)
"""All the evidence on one dataset."""

ACROSS_DATASETS: tuple[Evidence[StudySummary], ...] = tuple(
    piece for piece in EVERY if piece.group is Group.TOGETHER
)
"""The evidence on all datasets of a study together."""
