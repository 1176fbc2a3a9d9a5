"""A trial's health goes into every form of its result; old results have none."""

import csv
import json
from dataclasses import asdict, replace

import pytest

from coequal.records import TrialHealth
from coequal.results.export import export
from coequal.results.results_csv import write_tables

COLLAPSED = TrialHealth("collapsed", 75, "one image, 'é'")
HEALTHY = TrialHealth("healthy", None, "nothing speaks against it")


@pytest.fixture
def watched(run, put):
    """The third and the fourth result of the made-up run (ns_gan 1, vae 1) were watched."""
    for place, health in ((2, COLLAPSED), (3, HEALTHY)):
        known = run.result(run.plan()[place].id)
        put(run, replace(known, health=health))
    return run


def test_columns_of_the_table(watched):
    """The first results have no health: its columns come after theirs."""
    write_tables(watched)
    before = (watched.path / "results.csv").read_bytes()
    assert before.splitlines()[0].endswith(b"setting.beta1,health,health_step")
    rows = list(csv.DictReader(before.decode().splitlines()))
    seen = {(r["model"], r["setting"], r["health"], r["health_step"]) for r in rows}
    # ns_gan 1 has a second run, a fresh seed that nobody watched.
    assert {s for s in seen if s[2]} == {
        ("ns_gan", "1", "collapsed", "75"),
        ("vae", "1", "healthy", ""),
    }
    assert ("ns_gan", "1", "", "") in seen


def test_json(watched, tmp_path):
    listed = json.loads(export(watched, "json", tmp_path / "out.json").read_text())
    wanted = [None, None, asdict(COLLAPSED), asdict(HEALTHY), None, None]
    assert [values["health"] for values in listed] == wanted


def test_parquet(watched, tmp_path):
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = parquet.read_table(export(watched, "parquet", tmp_path / "out.parquet")).to_pylist()
    pairs = {(row["health"], row["health_step"]) for row in rows}
    assert pairs == {(None, None), ("collapsed", 75), ("healthy", None)}
