"""Every piece of evidence has a module of its own and one place in the report."""

from importlib import import_module

from coequal import lookup
from coequal.reporting.evidence._order import ACROSS_DATASETS, EVERY, ON_DATA


def test_every_module_has_its_name_and_a_place_of_its_own():
    names = lookup.names("reporting/evidence")
    assert sorted(one.name for one in EVERY) == names
    for one in EVERY:
        assert import_module(f"coequal.reporting.evidence.{one.name}").EVIDENCE is one
    for pieces in (ON_DATA, ACROSS_DATASETS):
        assert len({one.place for one in pieces}) == len(pieces)
    assert len(ON_DATA) + len(ACROSS_DATASETS) == len(EVERY)


def test_every_piece_shows_something_and_no_two_write_the_same_file():
    assert all(one.figure or one.table for one in EVERY)
    files = [name for one in EVERY for name in one.csv]
    files += [one.name for one in EVERY if one.table]
    assert len(files) == len(set(files))
