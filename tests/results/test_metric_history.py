"""What the report reads of many trials is what their results say."""

import math
import os
from dataclasses import replace

import numpy as np
import pytest

from coequal.analysis.source import result_source
from coequal.records import Measurement
from coequal.results.collect import collect, current_index
from coequal.results.folder import RunFolder
from coequal.results.index import Index
from coequal.results.metric_history import first_uses, history_of, protocol_uses
from coequal.results.results_csv import refresh_tables, write_tables


def test_the_index_gives_every_planned_trial_and_the_numbers_of_one_metric(run):
    collect(run)
    with Index(run) as index:
        found = list(index.histories("fd", beside="is"))
    assert [trial for trial, _ in found] == run.plan()
    known = run.results()
    assert [trial.id for trial, one in found if one is not None] == list(known)
    for trial, one in found:
        if one is None:
            continue
        wanted = history_of(known[trial.id], "fd", "is")
        assert np.array_equal(one.numbers, wanted.numbers, equal_nan=True)
        assert one._replace(numbers=wanted.numbers) == wanted
    # Setting 0: 8 / c at step 10 c on validation, one more on test; "is" only on validation.
    (_, first) = found[0]
    assert first.steps == (10, 20)
    assert first.numbers[:3].tolist() == [[8.0, 4.0], [9.0, 5.0], [0.1 + 0.2] * 2]
    assert np.isnan(first.numbers[3]).all()
    assert found[3][1].numbers.shape == (4, 0)  # it failed before its first checkpoint


def test_a_metric_beside_is_its_test_value(run):
    collect(run)
    with Index(run) as index:
        (_, first), *_ = index.histories("is", beside="fd")
    assert first.numbers[0].tolist() == [2.0, 2.0]
    assert all(math.isnan(value) for value in first.numbers[1])
    assert first.numbers[3].tolist() == [9.0, 5.0]


def test_every_way_of_measuring_is_named_once_in_order(run, result_of, trial_of, put):
    other = result_of(trial_of("vae", 2), 3.0, checkpoints=1)
    point = other.checkpoints[0]
    use = Measurement("fd", "validation", 1.0, "real=validation:9")
    put(run, replace(other, checkpoints=(replace(point, measurements=(use,)),)))
    collect(run)
    with Index(run) as index:
        found = index.protocol_uses()
    assert found == first_uses(use for r in run.results().values() for use in protocol_uses(r))
    assert [(w.metric, w.split, w.protocol) for w in found] == [
        ("fd", "validation", "real=validation:355"),
        ("is", "validation", "real=validation:355"),
        ("fd", "test", "real=test:355"),
        ("fd", "validation", "real=validation:9"),
    ]
    assert found[-1].trial == other.trial.id


def test_a_missing_or_old_index_is_brought_up_to_date_and_said(run, result_of, trial_of, put):
    said: list[str] = []
    with result_source(run, said.append) as source:
        assert sum(one is not None for _, one in source.histories("fd")) == 6
    assert said == ["the index was brought up to the trial folders: 6 results"]
    put(run, result_of(trial_of("vae", 2), 3.0))
    said.clear()
    with result_source(run, said.append) as source:
        assert sum(one is not None for _, one in source.histories("fd")) == 7
    assert said == ["the index was brought up to the trial folders: 7 results"]
    said.clear()
    with result_source(run, said.append):
        assert said == []


def test_no_report_is_made_while_a_result_cannot_be_used(run):
    path = run.trial_folder(run.plan()[0].id) / "result.json"
    path.write_text(path.read_text()[:100])
    with (
        pytest.raises(ValueError, match=r"result\.json .*delete it to run the trial again"),
        result_source(run, lambda line: None),
    ):
        raise AssertionError("it was read without that result")
    with pytest.raises(ValueError, match="delete it"), current_index(run):
        raise AssertionError("it was read without that result")


def test_stored_results_are_read_when_they_are_asked_for(run):
    found = run.stored()
    assert list(found) == list(run.results())
    assert dict(found) == run.results()
    first = next(iter(found))
    (run.trial_folder(first) / "result.json").write_text("{")
    assert len(found) == 6
    with pytest.raises(ValueError, match="delete it"):
        found[first]
    with pytest.raises(KeyError):
        found[run.plan()[5].id]  # it has no result


def _refresh(run: RunFolder) -> None:
    with current_index(run) as index:
        refresh_tables(run, index)


def test_tables_are_written_again_only_if_they_say_something_else(run, result_of, trial_of, put):
    write_tables(run)
    wanted = (run.path / "results.csv").read_bytes()
    (run.path / "results.csv").write_text("somebody's own")
    _refresh(run)  # nobody noted that it belongs to these results
    path = run.path / "results.csv"
    assert path.read_bytes() == wanted
    before = path.stat().st_ino
    _refresh(run)
    assert path.stat().st_ino == before  # not even touched
    os.utime(path, ns=(1, 1))
    _refresh(run)
    assert path.stat().st_ino != before
    before = path.stat().st_ino
    put(run, result_of(trial_of("vae", 2), 3.0))
    collect(run)  # by some other command, which writes no tables
    _refresh(run)
    assert path.stat().st_ino != before
    assert len(path.read_text().splitlines()) == len(wanted.decode().splitlines()) + 2
