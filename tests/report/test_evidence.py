"""Every piece of evidence has a module of its own and one place in the report."""

from importlib import import_module
from pathlib import Path

from coequal.report import evidence
from coequal.report.evidence.order import ACROSS_DATASETS, LAST, ORDER

EVERY = (*ORDER, *LAST, *ACROSS_DATASETS)


def test_every_module_of_evidence_stands_once_in_the_order():
    files = {path.stem for path in Path(evidence.__path__[0]).glob("*.py")}
    modules = files - {"__init__", "evidence", "order"}
    assert sorted(one.name for one in EVERY) == sorted(modules)
    for one in EVERY:
        assert import_module(f"coequal.report.evidence.{one.name}").EVIDENCE is one


def test_every_piece_shows_something_and_no_two_write_the_same_file():
    assert all(one.figure or one.table for one in EVERY)
    files = [name for one in EVERY for name in (*one.csv, *one.streamed_csv)]
    files += [one.name for one in EVERY if one.table]
    assert len(files) == len(set(files))
