"""Calls in processes of their own: what happens to one costs no other."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import CancelledError
from multiprocessing import forkserver
from pathlib import Path

import pytest
from pebble import ProcessExpired

from coequal.execution.local import Local
from waiting import HOUR, until

from worker_tasks import (
    die,
    double,
    hold,
    imported,
    leave,
    network_timed_out,
    process,
    refuse,
    rest,
    share,
)

PRELOAD = ("worker_tasks",)


@pytest.fixture(autouse=True, scope="module")
def _own_fork_server() -> Iterator[None]:
    """Of a process's calls the first says what its fork server imports: here that is one of ours,
    beside the one of other tests in this process."""
    server = forkserver._forkserver
    before = vars(server).copy()
    server.__init__()  # type: ignore[misc]
    yield
    server._stop()
    vars(server).update(before)


@pytest.fixture
def two() -> Iterator[Local]:
    with Local(2, PRELOAD) as executor:
        yield executor


def gone(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return True
    return state == "Z"


def begun(folder: Path) -> list[Path]:
    """The notes of the calls that have begun; waits for the first."""
    until(lambda: any(folder.glob("*.begun.*")), "a call")
    return list(folder.glob("*.begun.*"))


def test_each_call_has_a_fresh_process_with_the_modules_in_it(two):
    processes = {two.submit(process).result() for _ in range(3)}
    assert len(processes | {os.getpid()}) == 4
    assert two.submit(imported, "worker_tasks").result()
    assert two.submit(double, 21).result() == 42
    assert two.slots() == 2


def test_what_a_call_raises_arrives(two):
    with pytest.raises(LookupError, match="no such thing"):
        two.submit(refuse).result()
    with pytest.raises((AttributeError, TypeError), match=r"pickle"):
        two.submit(lambda: 1)


@pytest.mark.parametrize(
    ("call", "argument", "why"),
    [
        (die, signal.SIGKILL, "killed by SIGKILL, as the system does when memory runs out"),
        (die, signal.SIGSEGV, "killed by SIGSEGV"),
        (leave, 3, "ended with code 3"),
        (leave, 0, "ended with code 0"),
    ],
    ids=["killed", "segmentation fault", "code 3", "code 0"],
)
def test_a_process_that_dies_costs_its_own_call_only(two, tmp_path, call, argument, why):
    others = [two.submit(rest, tmp_path, str(number), 0.3) for number in range(3)]
    begun(tmp_path)
    victim = two.submit(call, argument)
    with pytest.raises(ProcessExpired, match=f"^{why}$"):
        victim.result()
    assert [other.result() for other in others] == ["0", "1", "2"]


def test_a_time_limit_ends_its_own_call_only():
    with Local(2, PRELOAD, seconds=2.0) as executor:
        slow, quick = executor.submit(time.sleep, HOUR), executor.submit(double, 2)
        with pytest.raises(TimeoutError, match=r"^it took longer than 2 s$"):
            slow.result()
        assert quick.result() == 4
        # Somebody else's time-out, of a network folder perhaps, is not the limit.
        with pytest.raises(OSError, match="TimeoutError: the server did not answer") as caught:
            executor.submit(network_timed_out).result()
        assert not isinstance(caught.value, TimeoutError)


def test_a_memory_limit_ends_its_own_call_only():
    # A bare Python with this module holds less than 100 MiB; 400 more are above the limit of 200.
    with Local(2, PRELOAD, memory=200 * 2**20) as executor:
        large, small = executor.submit(hold, 400), executor.submit(hold, 50)
        with pytest.raises(MemoryError, match=r"^it used 0\.\d\d GiB, more than the limit of 0.20"):
            large.result()
        assert small.result() == 5
    with Local(1, PRELOAD) as executor:
        assert executor.submit(hold, 400).result() == 40


def test_a_gpu_never_has_more_calls_than_asked_for(tmp_path, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)
    with Local(preload=PRELOAD, gpus=(0, "GPU-9"), per_gpu=2) as executor:
        assert executor.slots() == 4
        found = [f.result() for f in [executor.submit(share, tmp_path) for _ in range(12)]]
    counts = Counter(gpu for gpu, _, _ in found)
    assert set(counts) == {"0", "GPU-9"}
    assert min(counts.values()) >= 4  # of 12: the least busy one is taken
    assert max(together for _, _, together in found) == 2
    assert {order for _, order, _ in found} == {"PCI_BUS_ID"}  # as nvidia-smi counts
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


def test_gpus_are_counted_within_those_that_may_be_seen(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "6,7")
    with Local(preload=PRELOAD, gpus=(1,)) as executor:
        assert executor.submit(share, tmp_path).result()[0] == "7"
    with pytest.raises(ValueError, match="GPU 2: CUDA_VISIBLE_DEVICES=6,7 leaves 2"):
        Local(gpus=(2,))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 2, "gpus": (0,)}, "workers, or gpus"),
        ({"gpus": (0, 0)}, "gpus 0, 0: one is named twice"),
        ({"gpus": (0,), "per_gpu": 0}, "per_gpu is 0"),
        ({"workers": 0}, "max_workers must be greater than 0"),
        ({"workers": 1, "seconds": 0.0}, "seconds is 0"),
        ({"workers": 1, "memory": -1}, "memory is -1"),
    ],
)
def test_numbers_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Local(**options)


def test_a_stop_ends_what_runs_and_starts_no_more(tmp_path):
    executor = Local(1, PRELOAD)
    futures = [executor.submit(rest, tmp_path, str(number), HOUR) for number in range(3)]
    (note,) = begun(tmp_path)
    executor.shutdown(wait=True, cancel_futures=True)
    until(lambda: gone(int(note.suffix[1:])), "the end of the call")
    assert isinstance(futures[0].exception(), CancelledError)
    assert all(future.cancelled() for future in futures[1:])
    assert len(list(tmp_path.iterdir())) == 1


def test_calls_end_with_a_parent_that_was_killed(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys; from pathlib import Path; from worker_tasks import rest\n"
        "from coequal.execution.local import Local\n"
        "if __name__ == '__main__':\n"
        "    Local(1, ['worker_tasks']).submit(rest, Path(sys.argv[1]), 'only', 3600).result()\n"
    )
    (tmp_path / "notes").mkdir()
    parent = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "notes")],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )
    (note,) = begun(tmp_path / "notes")
    parent.kill()
    parent.wait()
    until(lambda: gone(int(note.suffix[1:])), "the end of the call")
