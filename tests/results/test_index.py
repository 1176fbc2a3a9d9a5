"""The index says what the trial folders hold, whatever becomes of either."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from coequal.inspection.status import statuses
from coequal.records import Result
from coequal.results import _reader, collect, database
from coequal.results.collect import view
from coequal.results.folder import RunFolder
from coequal.results.index import Index
from coequal.results.results_csv import write_tables


def texts(folder: RunFolder) -> tuple[bytes, bytes]:
    return (folder.path / "results.csv").read_bytes(), (folder.path / "timings.csv").read_bytes()


def first(folder: RunFolder):  # type: ignore[no-untyped-def]
    """The file of the first trial's result."""
    return folder.trial_folder(folder.plan()[0].id) / "result.json"


def test_results_come_back_whole_and_in_the_plan_s_order(run):
    found = collect.collect(run)
    assert (found.results, found.added, found.anew) == (6, 6, True)
    assert (found.changed, found.dropped, found.unplanned, found.unusable) == ((), (), (), ())
    with Index(run) as index:
        # As JSON, so that the order of the hyper-parameters, which names columns, counts as well.
        known = [json.dumps(result.as_dict()) for result in run.results().values()]
        assert [json.dumps(result.as_dict()) for result in index.results()] == known
        assert [result.trial.id for result in index.results()] == list(run.results())
        one = index.result(run.plan()[0].id)
        assert one is not None
        assert one == run.result(one.trial.id)
        assert index.result("0" * 16) is None


def test_part_of_the_results(run):
    collect.collect(run)
    with Index(run) as index:
        (one, *_) = index.results(metrics=["fd"], splits=["test"], last_only=True)
        (point,) = one.checkpoints
        # The last of two checkpoints: 8 / 2 + 1.
        assert [(m.metric, m.split, m.value) for m in point.measurements] == [("fd", "test", 5.0)]
        assert point.measurements[0].standard_error == 0.1 + 0.2
        assert point.step == 20
        (one, *_) = index.results(metrics=[])
        assert [(c.step, c.measurements) for c in one.checkpoints] == [(10, ()), (20, ())]
        (one, *_) = index.results(metrics=["is"])
        assert [[m.value for m in c.measurements] for c in one.checkpoints] == [[2.0], [2.0]]


def test_tables_from_the_index_are_those_from_the_folders(run):
    write_tables(run)
    before = texts(run)
    with view(run) as index:
        write_tables(run, index)
    assert texts(run) == before
    lines = before[0].decode().splitlines()
    # 2 checkpoints of 4 trials, 1 of the diverged, a row without values of the failed.
    assert len(lines) == 1 + 2 * 4 + 1 + 1
    assert lines[0].endswith(
        "fd_test,fd_test_standard_error,fd_test_protocol,reason,"
        "setting.learning_rate,setting.batch_norm,setting.beta1"
    )


def test_columns_that_appear_late(run, result_of, put):
    """The first trial measured nothing: the columns of values come after those of its settings."""
    put(run, result_of(run.plan()[0], 1.0, checkpoints=0, status="failed", reason="early"))
    write_tables(run)
    before = texts(run)
    with view(run) as index:
        write_tables(run, index)
    assert texts(run) == before
    assert before[0].splitlines()[0].endswith(b"fd_test_standard_error,fd_test_protocol")


def test_a_whole_number_in_a_result_is_the_same_number(run):
    """8 and 8.0 are equal; the tables must be as well, whichever way they are made."""
    values = json.loads(first(run).read_text())
    values["checkpoints"][0]["measurements"][0]["value"] = 8
    first(run).write_text(json.dumps(values))
    write_tables(run)
    before = texts(run)
    with view(run) as index:
        write_tables(run, index)
    assert texts(run) == before
    assert b",8.0," in before[0]


def test_a_second_collect_reads_nothing(run, monkeypatch):
    collect.collect(run)

    def refused(*_: object) -> None:
        raise AssertionError("a result was read again")

    monkeypatch.setattr(_reader, "read_packed", refused)
    found = collect.collect(run)
    assert (found.added, found.changed, found.anew) == (0, (), False)


def test_many_results_are_read_by_two_processes(run, monkeypatch):
    first(run).write_text("")
    one = collect.collect(run)
    with Index(run) as index:
        alone = list(index.results())
    (run.path / "index.sqlite").unlink()
    monkeypatch.setattr(_reader, "FEW", 0)
    monkeypatch.setattr(_reader, "PORTION", 2)
    two = collect.collect(run)
    assert (two.added, two.unusable) == (one.added, one.unusable) == (5, one.unusable)
    with Index(run) as index:
        assert list(index.results()) == alone


def test_added_changed_and_lost_results(run, result_of, put):
    collect.collect(run)
    results = list(run.results().values())
    put(run, result_of(run.plan()[5], 7.0))
    put(run, result_of(results[0].trial, 3.0))
    lost = run.trial_folder(results[1].trial.id)
    shutil.rmtree(lost)
    said: list[str] = []
    found = collect.collect(run, said.append)
    assert (found.results, found.added, found.anew) == (6, 1, False)
    assert found.changed == (results[0].trial.id,)
    assert found.dropped == (results[1].trial.id,)
    assert said == [
        f"{first(run)} has changed since it was collected; its present content is taken",
        f"1 results are no longer there ({results[1].trial.id}); they are forgotten",
    ]
    with Index(run) as index:
        assert list(index.results()) == list(run.results().values())


def test_an_index_that_lacks_most_is_made_anew_and_changes_are_said(
    run, result_of, put, monkeypatch
):
    monkeypatch.setattr(collect, "RESULTS_PER_TRANSACTION", 1)
    results = list(run.results().values())
    for result in results[2:]:
        shutil.rmtree(run.trial_folder(result.trial.id))
    collect.collect(run)
    for result in [result_of(results[0].trial, 3.0), *results[2:]]:
        put(run, result)
    found = collect.collect(run)
    assert (found.anew, found.results, found.added) == (True, 6, 4)
    assert found.changed == (results[0].trial.id,)
    assert not list(run.path.glob(".index*"))


def test_a_result_that_was_only_touched_has_not_changed(run):
    collect.collect(run)
    os.utime(first(run), (1, 1))
    said: list[str] = []
    assert collect.collect(run, said.append).changed == ()
    assert said == []


def test_results_that_the_plan_does_not_name_are_kept_and_said(run, result_of, trial_of, put):
    stray = trial_of("vae", 7)
    put(run, result_of(stray, 1.0))
    said: list[str] = []
    found = collect.collect(run, said.append)
    assert found.unplanned == (stray.id,)
    assert f"1 results are of trials that the plan does not name ({stray.id})" in said[0]
    with Index(run) as index:
        assert stray.id not in {result.trial.id for result in index.results()}
        assert stray.id in index.trial_ids()
        *_, last = index.results(unplanned=True)
        assert last == run.result(stray.id)
    run.write_plan([*run.plan(), stray])
    assert collect.collect(run).unplanned == ()
    with Index(run) as index:
        assert [result.trial.id for result in index.results()][-1] == stray.id


def edited(values: dict) -> None:  # type: ignore[type-arg]
    values["trial"]["settings"]["learning_rate"] = 0.5


def renamed(values: dict) -> None:  # type: ignore[type-arg]
    values["id"] = "0" * 16


def number_less(values: dict) -> None:  # type: ignore[type-arg]
    values["checkpoints"][0]["measurements"][0]["value"] = "very good"


def newer(values: dict) -> None:  # type: ignore[type-arg]
    values["schema"] = 99


def half(values: dict) -> None:  # type: ignore[type-arg]
    del values["checkpoints"][0]["measurements"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[: len(text) // 2], "delete it to run the trial again"),
        (lambda text: "", "Expecting value"),
        (lambda text: "[1, 2]", "is not a result"),
        (lambda text: '{"title": "a thesis"}', "is not a result"),
        (lambda text: "\x00\x01", "delete it to run the trial again"),
        (newer, "has schema 99; this version reads 2"),
        (edited, "has an id that does not belong to its trial: was it edited?"),
        (renamed, "has an id that does not belong to its trial: was it edited?"),
        (number_less, "is not a result"),
        (half, "is not a result"),
    ],
    ids=[
        "truncated",
        "empty",
        "list",
        "foreign",
        "bytes",
        "newer",
        "edited",
        "renamed",
        "word",
        "half",
    ],
)
def test_a_result_that_cannot_be_used_is_named_and_the_rest_goes_on(run, change, message):
    collect.collect(run)
    text = first(run).read_text()
    if change.__name__ == "<lambda>":
        first(run).write_text(change(text))
    else:
        values = json.loads(text)
        change(values)
        first(run).write_text(json.dumps(values))
    before = first(run).read_bytes()
    said: list[str] = []
    found = collect.collect(run, said.append)
    assert found.results == 5
    assert len(found.unusable) == 1
    assert str(first(run)) in said[0]
    assert message in said[0]
    assert first(run).read_bytes() == before  # nothing is thrown away
    key = run.plan()[0].id
    assert found.dropped == (key,)
    with Index(run) as index:
        assert key not in index.trial_ids()
    # Said again at every collect, until it is mended.
    assert len(collect.collect(run).unusable) == 1
    first(run).write_text(text)
    assert collect.collect(run).results == 6


def test_a_result_in_another_trial_s_folder_is_named(run):
    second = run.trial_folder(run.plan()[1].id) / "result.json"
    shutil.copy(first(run), second)
    (message,) = collect.collect(run).unusable
    assert message.startswith(f"{second} belongs to trial {run.plan()[0].id}")


def test_files_that_lie_about_are_left_alone(run):
    (run.path / "trials" / "notes.txt").write_text("mine")
    (run.path / "trials" / "00").mkdir(exist_ok=True)
    (run.path / "trials" / "00" / "todo.txt").write_text("mine")
    stray = run.path / "trials" / "00" / "abcd"
    stray.mkdir()
    (stray / "result.json").write_text("{}")
    said: list[str] = []
    assert collect.collect(run, said.append).results == 6
    (line,) = said
    assert line.startswith(f"{stray}/result.json does not lie where")


@pytest.mark.parametrize("damage", ["gone", "corrupt", "cut", "empty", "foreign"])
def test_an_index_that_is_lost_is_made_again(run, damage):
    with view(run) as index:
        write_tables(run, index)
        path = index.path
    before = texts(run)
    if damage == "gone":
        path.unlink()
    elif damage == "corrupt":
        content = bytearray(path.read_bytes())
        middle = len(content) // 2
        content[middle:] = bytes(255 for _ in content[middle:])
        path.write_bytes(content)
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[: database.PAGE + 100])
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()
        sqlite3.connect(path).execute("CREATE TABLE cookies (name)").connection.close()
    if damage in ("empty", "foreign"):
        with pytest.raises(ValueError, match="is not an index of this version"):
            Index(run)
    said: list[str] = []
    found = collect.collect(run, said.append)
    assert (found.results, found.anew) == (6, True)
    assert damage == "gone" or "anew" in said[0]
    with Index(run) as index:
        write_tables(run, index)
    assert texts(run) == before


def test_a_newer_index_is_refused_and_left_as_it_is(run):
    collect.collect(run)
    path = run.path / "index.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {database.VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    for attempt in (
        lambda: Index(run),
        lambda: Index(run, write=True),
        lambda: collect.collect(run),
    ):
        with pytest.raises(ValueError, match="was written by a newer version of coequal") as caught:
            attempt()
        assert str(path) in str(caught.value)
    assert path.read_bytes() == before
    said: list[str] = []
    assert statuses(run, said.append)[0]["done"] == 3  # the folders say it
    assert "newer version" in said[0]


def test_recording_is_idempotent_and_refuses_another_result(run, result_of):
    collect.collect(run)
    trial = run.plan()[5]
    result = result_of(trial, 7.0)
    with Index(run, write=True) as index:
        index.record(result)
        index.record(result)
        index.record(Result.from_dict(json.loads(json.dumps(result.as_dict()))))
        assert index.result(trial.id) == result
        with pytest.raises(ValueError, match=f"trial {trial.id} .* has another result already"):
            index.record(result_of(trial, 6.0))
        assert index.result(trial.id) == result
        count = index.rows.connection.execute(
            "SELECT count(*) FROM trial WHERE key = ?", (trial.id,)
        )
        assert count.fetchone() == (1,)


def test_what_is_recorded_is_not_read_again(run, result_of, put, monkeypatch):
    collect.collect(run)
    result = result_of(run.plan()[5], 7.0)
    put(run, result)
    with Index(run, write=True) as index:
        index.record(result)
    monkeypatch.setattr(_reader, "read_packed", lambda *_: pytest.fail("read again"))
    assert collect.collect(run).results == 7


def test_one_writer_at_a_time_and_any_number_of_readers(run, result_of):
    collect.collect(run)
    with Index(run, write=True) as index, Index(run) as reader:
        with pytest.raises(BlockingIOError, match=f"is being written by process {os.getpid()} on "):
            Index(run, write=True)
        with pytest.raises(BlockingIOError, match="is being written"):
            collect.collect(run)
        index.record(result_of(run.plan()[5], 7.0))
        assert len(list(reader.results())) == 7
        said: list[str] = []
        with view(run, said.append) as other:
            assert len(list(other.results())) == 7
        assert "a coordinator works in" in said[0]
    collect.collect(run)  # given back


def test_a_reader_changes_nothing(run):
    collect.collect(run)
    with Index(run) as index, pytest.raises(sqlite3.OperationalError, match="readonly"):
        index.rows.connection.execute("DELETE FROM trial")


def test_what_was_recorded_survives_kill_9(run):
    """The writer is killed within a transaction: what it had finished is there, the rest is not."""
    collect.collect(run)
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from coequal.results.folder import RunFolder\nfrom coequal.results.index import Index\n"
        "from conftest import made_result\n"
        "folder = RunFolder(Path(sys.argv[1])); trial = folder.plan()[5]\n"
        "index = Index(folder, write=True); index.record(made_result(trial, 7.0))\n"
        "index.rows.connection.execute('BEGIN IMMEDIATE'); index.rows.drop([trial.id])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(run.path)],
        env={**os.environ, "PYTHONPATH": os.path.dirname(__file__)},
        check=False,
    )
    assert done.returncode == -9
    with Index(run, write=True) as index:
        assert len(list(index.results())) == 7
        assert index.rows.damage() == ""


def test_the_plan_may_grow_while_the_index_is_open(run, trial_of, result_of):
    more = [*run.plan(), trial_of("vae", 0, repeat=1)]
    collect.collect(run)
    with Index(run, write=True) as index:
        assert index.knows_plan()
        run.write_plan(more)
        assert not index.knows_plan()
        index.plan(more)
        assert index.knows_plan()
        index.record(result_of(more[-1], 2.0))
        assert [state.key for state in index.states()] == [trial.id for trial in more]
        # The failed trial no longer stands in the plan; its result is kept.
        index.plan([trial for trial in more if trial.setting != 1])
        assert [result.trial.setting for result in index.results()] == [0, 0, 2, 0]
        assert len(index.trial_ids()) == 7


def test_elsewhere_than_in_the_run_s_folder(run, tmp_path, monkeypatch):
    monkeypatch.setenv("COEQUAL_INDEX", str(tmp_path / "local"))
    collect.collect(run)
    assert not (run.path / "index.sqlite").exists()
    (found,) = (tmp_path / "local").glob("run-*.sqlite")
    with Index(run) as index:
        assert index.path == found


def test_a_network_disk_gets_no_shared_memory(run, monkeypatch):
    monkeypatch.setattr(database, "network", lambda path: "nfs4")
    monkeypatch.setattr(collect, "network", lambda path: "nfs4")
    said: list[str] = []
    collect.collect(run, said.append)
    assert "lies on a network disk (nfs4)" in said[0]
    with Index(run, write=True) as index:
        (mode,) = index.rows.connection.execute("PRAGMA journal_mode").fetchone()
    assert mode == "truncate"
    monkeypatch.undo()
    with Index(run, write=True) as index:
        (mode,) = index.rows.connection.execute("PRAGMA journal_mode").fetchone()
        assert mode == "wal"
        # 2 is FULL (sqlite.org/pragma.html).
        assert index.rows.connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_which_disks_are_network_disks(tmp_path, monkeypatch):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 8:1 / / rw - ext4 /dev/sda rw\n"
        "23 22 0:30 / /net rw shared:1 - nfs4 server:/x rw\n"
        "24 23 8:2 / /net/local\\040disk rw - ext4 /dev/sdb rw\n"
    )
    monkeypatch.setattr(database, "MOUNTS", mounts)
    assert database.network(Path("/home/me/index.sqlite")) is None
    assert database.network(Path("/net/me/index.sqlite")) == "nfs4"
    assert database.network(Path("/net/local disk/index.sqlite")) is None
    assert database.network(Path("/network/index.sqlite")) is None


@pytest.mark.parametrize("with_index", [True, False])
def test_statuses(run, with_index, result_of, put):
    if with_index:
        collect.collect(run)
    results = list(run.results().values())
    for result in results:
        os.utime(run.trial_folder(result.trial.id) / "result.json", (10_000, 10_000))
    if with_index:
        collect.collect(run)
    # Since the index was written: one ended, one was deleted with its folder, one was spoilt.
    ended = put(run, result_of(run.plan()[5], 7.0))
    os.utime(ended, (20_000, 20_000))
    shutil.rmtree(run.trial_folder(results[0].trial.id))
    said: list[str] = []
    rows = statuses(run, said.append, now=20_100)
    assert rows == [
        # Settings 1 and its re-run are done, 2 diverged after half a second; 1.0 s each else.
        {"model": "ns_gan", "trials": 4, "done": 2, "failed": 1, "running": 0, "waiting": 1}
        | {"unreadable": 0, "last_hour": 0, "seconds": 2.5},
        {"model": "vae", "trials": 3, "done": 2, "failed": 1, "running": 0, "waiting": 0}
        | {"unreadable": 0, "last_hour": 1, "seconds": 2.0},
    ]
    assert said == []
    assert json.loads(json.dumps(rows)) == rows


def test_statuses_of_running_and_unreadable_trials(run):
    collect.collect(run)
    place = run.trial_folder(run.plan()[5].id)
    place.mkdir(parents=True)
    (place / "progress.json").write_text("{}")
    assert statuses(run)[1]["waiting"] == 1  # a pulse without a coordinator
    with run.lock():
        assert statuses(run)[1]["running"] == 1
    (place / "result.json").write_text("")
    said: list[str] = []
    assert statuses(run, said.append)[1]["unreadable"] == 1
    assert str(place) in said[0]
