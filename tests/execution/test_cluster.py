"""Calls on a real Dask scheduler with workers on loopback, which die, leave and join."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path

import pytest
from pebble import ProcessExpired

from coequal.execution.cluster import Cluster, Lost
from coequal.execution.local import Local
from waiting import HOUR, until

from dask_site import Site
from worker_tasks import die, double, hold, refuse, rest, wait_for_go

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")

PRELOAD = ("worker_tasks",)
HERE = Path(__file__).parent  # where workers find `worker_tasks`


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"), HERE)
    yield site
    site.close()


@pytest.fixture
def site(shared: Site) -> Iterator[Site]:
    """A scheduler with one worker, `a`, of two threads."""
    if "a" not in shared.processes:
        shared.worker("a")
    yield shared
    for name in set(shared.processes) - {"scheduler", "a"}:
        shared.kill(name)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


def begun(folder: Path) -> set[str]:
    return {path.name.split(".")[0] for path in folder.glob("*.begun.*")}


def running(folder: Path) -> list[int]:
    """Processes of calls that began and did not end, and are still there."""
    found = {path.suffix for path in folder.glob("*.begun.*")}
    found -= {path.suffix for path in folder.glob("*.ended.*")}
    return [int(suffix[1:]) for suffix in found if alive(int(suffix[1:]))]


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_worker_dies_another_joins_and_every_call_ends_once(site, notes):
    """20 calls on 2 workers of 2 threads; one worker is killed when 6 have ended, and one added."""
    site.worker("b")
    with Cluster(site.address, preload=PRELOAD) as executor:
        until(lambda: executor.slots() == 4, "two workers")
        queue = [str(number) for number in range(20)]
        futures: dict[Future[str], str] = {}
        ended: list[str] = []
        changed = False
        while queue or futures:
            while queue and len(futures) < 2 * max(1, executor.slots()):
                name = queue.pop(0)
                futures[executor.submit(rest, notes, name, 0.4)] = name
            for future in wait(futures, return_when=FIRST_COMPLETED).done:
                assert future.result() == futures.pop(future)
                ended.append(future.result())
            if len(ended) >= 6 and not changed:
                changed = True
                site.kill("a")
                site.worker("c")
        assert sorted(ended, key=int) == [str(number) for number in range(20)]
        until(lambda: executor.slots() == 4, "the worker that joined")
    # What the dead worker's two threads ran, and two results at most that were on their way, began
    # again elsewhere; nothing whose result had arrived did.
    starts = Counter(path.name.split(".")[0] for path in notes.glob("*.begun.*"))
    assert set(starts) == set(ended)
    assert starts.total() <= 20 + 4
    assert [starts[name] for name in ended[:2]] == [1, 1]
    assert running(notes) == []


def test_what_happens_to_a_call_arrives_as_from_local(site, notes):
    with (
        Cluster(site.address, preload=PRELOAD, memory=200 * 2**20) as cluster,
        Local(2, PRELOAD, memory=200 * 2**20) as local,
    ):
        until(lambda: cluster.slots() == 2, "a worker")
        assert cluster.submit(double, 21).result() == 42
        innocent = cluster.submit(wait_for_go, notes, "innocent")
        for call, arguments, kind in (
            (refuse, (), LookupError),
            (die, (), ProcessExpired),
            (hold, (400,), MemoryError),
        ):
            ours, theirs = cluster.submit(call, *arguments), local.submit(call, *arguments)
            assert type(ours.exception()) is type(theirs.exception()) is kind
            if kind is not MemoryError:  # which says how much it was
                assert str(ours.exception()) == str(theirs.exception())
        (notes / "go").touch()
        assert innocent.result() == "innocent"
    with Cluster(site.address, preload=PRELOAD, seconds=2) as cluster:
        late = cluster.submit(rest, notes, "long", HOUR)
        with pytest.raises(TimeoutError, match=r"^it took longer than 2 s$"):
            late.result()
    assert running(notes) == []


def test_resources_say_how_many_run_and_a_leaving_worker_hands_its_calls_on(site, notes):
    """0.3 of a GPU each: 3 at a time on a worker with 4 threads and one GPU, none without."""
    site.worker("gpu", "--nthreads", "4", "--resources", "GPU=1")
    with Cluster(site.address, {"GPU": 0.3}, PRELOAD) as executor:
        until(lambda: len(executor._ask_for_workers()) == 2, "two workers")
        assert executor.slots() == 3
        futures = [executor.submit(wait_for_go, notes, str(number)) for number in range(4)]
        until(lambda: len(begun(notes)) == 3, "three calls")
        first = running(notes)
        assert len(first) == 3
        site.kill("gpu", signal.SIGTERM)  # as Slurm does at the end of a job's time
        assert not any(alive(process) for process in first)
        site.worker("other", "--nthreads", "4", "--resources", "GPU=1")
        (notes / "go").touch()
        assert [future.result() for future in futures] == ["0", "1", "2", "3"]


def test_a_call_taken_back_ends_on_its_worker(site, notes):
    with Cluster(site.address, preload=PRELOAD) as executor:
        future = executor.submit(rest, notes, "long", HOUR)
        until(lambda: len(running(notes)) == 1, "a call")
        assert future.cancel()
        until(lambda: not running(notes), "its end")
        assert wait([future]).done == {future}
        assert executor.submit(double, 1).result() == 2
        executor.submit(rest, notes, "last", HOUR)
        until(lambda: len(running(notes)) == 1, "a call")
        executor.shutdown(cancel_futures=True)
        until(lambda: not running(notes), "its end")


def test_calls_end_with_a_coordinator_that_was_killed(site, notes, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys; from pathlib import Path; from worker_tasks import rest\n"
        "from coequal.execution.cluster import Cluster\n"
        "Cluster(sys.argv[1]).submit(rest, Path(sys.argv[2]), 'only', 3600).result()\n"
    )
    coordinator = subprocess.Popen(
        [sys.executable, str(script), site.address, str(notes)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )
    until(lambda: len(running(notes)) == 1, "a call")
    coordinator.kill()
    coordinator.wait()
    until(lambda: not running(notes), "its end")


def test_a_scheduler_that_dies_is_said_in_one_sentence(notes, tmp_path, capfd):
    site = Site(tmp_path, HERE)
    site.worker("a")
    executor = Cluster(site.address, preload=PRELOAD)
    until(lambda: executor.slots() == 2, "a worker")
    futures = [executor.submit(rest, notes, str(number), HOUR) for number in range(3)]
    until(lambda: len(running(notes)) == 2, "two calls")
    site.kill("scheduler")
    for future in futures:
        with pytest.raises(Lost, match=f"scheduler at {site.address} is gone.*same command"):
            future.result()
    with pytest.raises(Lost, match="is gone"):
        executor.submit(double, 1)
    with pytest.raises(Lost, match="is gone"):
        executor._ask_for_workers()
    executor.shutdown(cancel_futures=True)
    until(lambda: not running(notes), "the end of the worker's calls")
    site.close()
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


def test_a_worker_with_a_nanny_is_told_what_to_do(site):
    site.worker("b", "--resources", "NANNY=1", nanny="--nanny")
    with (
        Cluster(site.address, {"NANNY": 1}) as executor,
        pytest.raises(Lost, match="start it with --no-nanny"),
    ):
        executor.submit(double, 1).result()


def test_no_scheduler_no_dask_and_no_sense_are_said(monkeypatch):
    with pytest.raises(Lost, match=r"no Dask scheduler answers at tcp://127.0.0.1:9 \(waited 1 s"):
        Cluster("tcp://127.0.0.1:9", patience=1)
    with pytest.raises(ValueError, match="above 0"):
        Cluster("tcp://127.0.0.1:9", {"GPU": 0.0})
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(LookupError, match=r"pip install 'coequal\[cluster\]'"):
        Cluster("tcp://127.0.0.1:9")
