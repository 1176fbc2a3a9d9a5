"""The log says what the trial folders hold, whatever becomes of either."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from coequal.inspection.status import statuses
from coequal.results import collect as module
from coequal.results.collect import collect, open_results, usable_results
from coequal.results.folder import RunFolder
from coequal.results.result_log import ENTRIES, LINES, log_writer, read_entries
from coequal.results.results_csv import refresh_tables, write_tables
from coequal.results.run_results import results_on_disk

from test_result_file import first, old_form


def lines(run: RunFolder) -> list[bytes]:
    return (run.path / LINES).read_bytes().splitlines(keepends=True)


@pytest.fixture
def no_file_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: RunFolder, trial_id: str) -> None:
        raise AssertionError("a trial's folder was read")

    monkeypatch.setattr(RunFolder, "read_result", refused)


def test_each_line_is_the_content_of_a_result_json(run):
    found = collect(run)
    assert (found.results, found.added, found.changed, found.lost) == (6, 6, [], [])
    ended = [trial.id for trial in run.plan() if run.result(trial.id)]
    assert lines(run) == [
        (run.trial_folder(key) / "result.json").read_bytes() for key in ended
    ]  # in the plan's order
    entries = read_entries(run)
    assert list(entries) == ended
    entry = entries[ended[3]]
    assert (entry.model, entry.status, entry.seconds) == ("vae", "failed", 0.0)


def test_results_come_from_the_log_in_the_plan_s_order(run, no_file_is_read, request):
    request.getfixturevalue("monkeypatch").undo()
    known = run.results()
    collect(run)
    request.getfixturevalue("monkeypatch").setattr(RunFolder, "read_result", None)
    found = open_results(run)
    assert list(found) == list(known)
    assert dict(found) == known
    assert list(found.of([*list(known)[2:4], "0" * 16])) == list(known)[2:4]
    with pytest.raises(KeyError):
        found["0" * 16]


def test_a_second_collect_reads_nothing(run, monkeypatch):
    collect(run)
    monkeypatch.setattr(RunFolder, "read_result", None)
    found = collect(run)
    assert (found.results, found.added, found.changed) == (6, 0, [])


def test_added_changed_and_lost_results(run, result_of, put):
    collect(run)
    results = list(run.results().values())
    put(run, result_of(run.plan()[5], 7.0))
    put(run, result_of(results[0].trial, 3.0))
    shutil.rmtree(run.trial_folder(results[1].trial.id))
    said: list[str] = []
    found = collect(run, said.append)
    assert (found.results, found.added) == (6, 1)
    assert found.changed == [results[0].trial.id]
    assert found.lost == [results[1].trial.id]
    assert said == [
        f"{first(run)} has changed since it was collected; its present content is used",
        f"1 results are no longer there ({results[1].trial.id})",
    ]
    assert dict(open_results(run)) == run.results()
    assert len(lines(run)) == 6


def test_a_result_that_was_only_touched_has_not_changed(run):
    collect(run)
    before = lines(run)
    os.utime(first(run), (1, 1))
    said: list[str] = []
    found = collect(run, said.append)
    assert (found.changed, found.added, said) == ([], 0, [])
    assert lines(run) == before


def test_results_that_the_plan_does_not_name_are_kept_and_said(run, result_of, trial_of, put):
    stray = trial_of("vae", 7)
    put(run, result_of(stray, 1.0))
    said: list[str] = []
    assert collect(run, said.append).unplanned == [stray.id]
    assert f"1 results belong to trials that are not in the plan ({stray.id})" in said[0]
    found = open_results(run)
    assert list(found)[-1] == stray.id
    assert stray.id not in found.of(run.planned())
    write_tables(run)
    assert stray.id not in (run.path / "results.csv").read_text()
    run.write_plan([*run.plan(), stray])
    assert collect(run).unplanned == []
    assert stray.id in open_results(run).of(run.planned())


def test_results_of_the_form_before_are_converted_once(run):
    results = run.results()
    for key, result in list(results.items())[:3]:
        (run.trial_folder(key) / "result.json").write_text(old_form(result))
        os.utime(run.trial_folder(key) / "result.json", (10_000, 10_000))
    said: list[str] = []
    assert collect(run, said.append).converted == 3
    assert said == ["3 results of an older version were converted"]
    assert run.results() == dict(open_results(run)) == results
    assert '"schema"' not in first(run).read_text()
    assert first(run).stat().st_mtime == 10_000  # when the trial ended
    said.clear()
    assert collect(run, said.append).converted == 0
    assert said == []


def test_a_result_that_cannot_be_used_is_named_and_the_rest_goes_on(run):
    collect(run)
    text = first(run).read_text()
    first(run).write_text(text[:100])
    said: list[str] = []
    found = collect(run, said.append)
    assert found.results == 5
    assert list(found.unusable) == [run.plan()[0].id]
    assert said == [found.unusable[run.plan()[0].id]]
    assert str(first(run)) in said[0]
    assert first(run).read_text() == text[:100]  # nothing is thrown away
    usable, wrong = usable_results(run)
    assert (len(usable), len(wrong)) == (5, 1)
    with pytest.raises(ValueError, match=r"result\.json .*delete it to run the trial again"):
        open_results(run)  # said again each time, until it is mended
    first(run).write_text(text)
    assert collect(run).results == 6


def test_files_that_lie_about_are_left_alone(run):
    (run.path / "trials" / "notes.txt").write_text("mine")
    (run.path / "trials" / "00").mkdir(exist_ok=True)
    (run.path / "trials" / "00" / "todo.txt").write_text("mine")
    stray = run.path / "trials" / "00" / "abcd"
    stray.mkdir()
    (stray / "result.json").write_text("{}")
    said: list[str] = []
    assert collect(run, said.append).results == 6
    (line,) = said
    assert line.startswith(f"{stray}/result.json does not lie where")


def gone(path):  # type: ignore[no-untyped-def]
    path.unlink()


def empty(path):  # type: ignore[no-untyped-def]
    path.write_bytes(b"")


def cut(path):  # type: ignore[no-untyped-def]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def foreign(path):  # type: ignore[no-untyped-def]
    path.write_bytes(b"cookies\n" * 1000)


@pytest.mark.parametrize("name", [LINES, ENTRIES])
@pytest.mark.parametrize("damage", [gone, empty, cut, foreign])
def test_whatever_becomes_of_the_log_the_folders_are_the_truth(run, name, damage):
    collect(run)
    damage(run.path / name)
    known = run.results()
    assert dict(results_on_disk(run)) == known
    assert dict(open_results(run)) == known
    assert dict(open_results(run)) == known
    assert [row["done"] for row in statuses(run)] == [3, 1]


def test_what_was_recorded_survives_kill_9(run, result_of, put):
    """The writer is killed between two of its writes, and then in the middle of one."""
    collect(run)
    put(run, result_of(run.plan()[5], 7.0))
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from coequal.results import result_log\n"
        "from coequal.results.folder import RunFolder\n"
        "folder = RunFolder(Path(sys.argv[1])); trial = folder.plan()[5]\n"
        "result_log.os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)\n"
        "with result_log.log_writer(folder) as log: log.add(trial.id)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(run.path)], check=False)
    assert done.returncode == -9
    assert len(lines(run)) == 7  # whose entry is missing
    with (run.path / ENTRIES).open("ab") as file:
        file.write(b'{"trial": "half an en')
    assert len(read_entries(run)) == 6
    assert collect(run).added == 1
    assert len(lines(run)) == len(read_entries(run)) == 7
    assert dict(open_results(run)) == run.results()


def test_one_writer_at_a_time_and_any_number_of_readers(run, result_of, put):
    collect(run)
    with log_writer(run) as log:
        with pytest.raises(BlockingIOError, match=f"is in use by process {os.getpid()} on "):
            collect(run)
        put(run, result_of(run.plan()[5], 7.0))
        assert len(open_results(run)) == 7  # from its folder
        log.add(run.plan()[5].id)
        assert len(open_results(run)) == 7
        assert dict(open_results(run)) == run.results()
    collect(run)  # given back


def test_a_reader_keeps_what_was_there_while_the_log_is_made_anew(run, result_of, put):
    collect(run)
    reading, known = open_results(run), run.results()
    put(run, result_of(run.plan()[0], 3.0))
    collect(run)
    for key in list(known)[1:]:
        assert reading[key] == known[key]


def test_a_folder_that_may_not_be_written(run, monkeypatch):
    """Tests may run as root, who may write anywhere: so the lock refuses in the kernel's place."""

    def refusing(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(module, "log_writer", refusing)
    first(run).write_text(old_form(run.result(run.plan()[0].id)))
    assert dict(open_results(run)) == run.results()
    assert not (run.path / LINES).exists()
    assert '"schema"' in first(run).read_text()
    first(run).write_text("")
    with pytest.raises(ValueError, match="delete it to run the trial again"):
        open_results(run)


def test_plans_of_an_older_version_have_no_ids(run):
    trials = run.plan()
    path = run.path / "plan.json"
    old = [json.loads(line) for line in path.read_text().splitlines()]
    assert [values.pop("id") for values in old] == [trial.id for trial in trials]
    path.write_text("".join(json.dumps(values) + "\n" for values in old))
    assert run.plan() == trials
    assert list(run.planned().items()) == [(trial.id, trial.model) for trial in trials]


def test_tables_are_written_again_only_if_they_say_something_else(run, result_of, trial_of, put):
    def refresh() -> None:
        refresh_tables(run, open_results(run))

    refresh()
    path = run.path / "results.csv"
    wanted, before = path.read_bytes(), path.stat().st_ino
    refresh()
    assert path.stat().st_ino == before  # not even touched
    os.utime(path, ns=(1, 1))
    refresh()
    assert path.stat().st_ino != before
    assert path.read_bytes() == wanted
    put(run, result_of(trial_of("vae", 2), 3.0))
    collect(run)  # by some other command, which writes no tables
    refresh()
    assert len(path.read_text().splitlines()) == len(wanted.decode().splitlines()) + 2
    (run.path / "timings.csv").unlink()
    refresh()
    assert (run.path / "timings.csv").exists()


@pytest.mark.parametrize("with_log", [True, False])
def test_statuses(run, with_log, result_of, put):
    results = list(run.results().values())
    for result in results:
        os.utime(run.trial_folder(result.trial.id) / "result.json", (10_000, 10_000))
    if with_log:
        collect(run)
    # Since the log was written: one ended, one was deleted with its folder.
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
    collect(run)
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
