"""A trial's health goes into every form of its result; old results have none."""

import csv
import json
from dataclasses import replace

import pytest

from coequal.results import database
from coequal.results.collect import collect, view
from coequal.results.export import export
from coequal.results.index import Index
from coequal.results.results_csv import write_tables

COLLAPSED = {"verdict": "collapsed", "step": 75, "evidence": "one image, 'é'"}
HEALTHY = {"verdict": "healthy", "step": None, "evidence": "nothing speaks against it"}


@pytest.fixture
def watched(run, put):
    """The third and the fourth result of the made-up run (ns_gan 1, vae 1) were watched."""
    for place, health in ((2, COLLAPSED), (3, HEALTHY)):
        known = run.result(run.plan()[place].id)
        put(run, replace(known, health=health))
    return run


def test_health_comes_back_from_the_index(watched):
    collect(watched)
    with Index(watched) as index:
        found = [result.health for result in index.results()]
        histories = [one.health for _, one in index.histories("fd", "is") if one is not None]
    assert found == [None, None, COLLAPSED, HEALTHY, None, None]
    assert histories == found


def test_a_result_that_goes_takes_its_health_along(watched, put):
    collect(watched)
    trial = watched.plan()[2]
    with Index(watched, write=True) as index:
        index.rows.drop([trial.id])
    health = "SELECT health FROM trial WHERE key = ?"
    with Index(watched) as index:
        assert index.rows.connection.execute(health, (trial.id,)).fetchone() == (None,)


def test_columns_of_the_table(watched):
    """The first results have no health: its columns come after theirs."""
    write_tables(watched)
    before = (watched.path / "results.csv").read_bytes()
    with view(watched) as index:
        write_tables(watched, index)
    assert (watched.path / "results.csv").read_bytes() == before
    assert before.splitlines()[0].endswith(b"setting.beta1,health,health_step")
    rows = list(csv.DictReader(before.decode().splitlines()))
    seen = {(r["model"], r["setting"], r["health"], r["health_step"]) for r in rows}
    # ns_gan 1 has a second run, a fresh seed that nobody watched.
    assert {s for s in seen if s[2]} == {
        ("ns_gan", "1", "collapsed", "75"),
        ("vae", "1", "healthy", ""),
    }
    assert ("ns_gan", "1", "", "") in seen


def test_heads_of_results_that_are_alike_but_for_their_health(watched):
    """ns_gan 0 and 1 have the same settings and measurements; only the second was watched."""
    collect(watched)
    with Index(watched) as index:
        assert COLLAPSED in [head.health for head in index.heads()]


def test_json(watched, tmp_path):
    listed = json.loads(export(watched, "json", tmp_path / "out.json").read_text())
    assert [values["health"] for values in listed] == [None, None, COLLAPSED, HEALTHY, None, None]


def test_parquet(watched, tmp_path):
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = parquet.read_table(export(watched, "parquet", tmp_path / "out.parquet")).to_pylist()
    pairs = {(row["health"], row["health_step"]) for row in rows}
    assert pairs == {(None, None), ("collapsed", 75), ("healthy", None)}


def test_a_result_from_before_health(run):
    """A result.json without the key, as older versions wrote it."""
    path = run.trial_folder(run.plan()[0].id) / "result.json"
    values = json.loads(path.read_text())
    del values["health"]
    path.write_text(json.dumps(values))
    collect(run)
    with Index(run) as index:
        assert [result.health for result in index.results()] == [None] * 6
    write_tables(run)
    assert "health" not in (run.path / "results.csv").read_text()


def test_an_index_from_before_health_is_made_anew(watched):
    collect(watched)
    with Index(watched, write=True) as index:
        index.rows.connection.execute("ALTER TABLE trial DROP COLUMN health")
        index.rows.connection.execute(f"PRAGMA user_version = {database.VERSION - 1}")
    with view(watched) as index:
        assert COLLAPSED in [result.health for result in index.results()]


@pytest.mark.parametrize(
    "health", [{"verdict": "collapsed"}, {**COLLAPSED, "step": "75"}, "collapsed"]
)
def test_health_that_is_none_is_said(run, health):
    path = run.trial_folder(run.plan()[0].id) / "result.json"
    values = json.loads(path.read_text()) | {"health": health}
    path.write_text(json.dumps(values))
    assert "is not a result" in "".join(collect(run).unusable)
