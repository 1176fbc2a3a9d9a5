"""Plain calls for the executors under test; they import nothing heavy."""

import os
import signal
import sys
import time
from pathlib import Path


def double(number: int) -> int:
    return 2 * number


def process() -> int:
    return os.getpid()


def die(number: int = signal.SIGKILL) -> None:
    os.kill(os.getpid(), number)
    time.sleep(60)


def leave(code: int) -> None:
    os._exit(code)


def refuse() -> None:
    raise LookupError("no such thing")


def network_timed_out() -> None:
    raise TimeoutError("the server did not answer")


def hold(mebibytes: int) -> int:
    """Fill so much memory, bit by bit, and keep it for a moment."""
    blocks = []
    for _ in range(mebibytes // 10):
        blocks.append(bytes([1]) * 10 * 2**20)
        time.sleep(0.01)
    time.sleep(0.6)  # two looks of the limit
    return len(blocks)


def rest(folder: Path, name: str, seconds: float) -> str:
    """Leave a note at the start and one at the end, each under the name of this process."""
    (folder / f"{name}.begun.{os.getpid()}").touch()
    time.sleep(seconds)
    (folder / f"{name}.ended.{os.getpid()}").touch()
    return name


def wait_for_go(folder: Path, name: str) -> str:
    """The same, until there is a file `go`."""
    (folder / f"{name}.begun.{os.getpid()}").touch()
    while not (folder / "go").exists():
        time.sleep(0.05)
    (folder / f"{name}.ended.{os.getpid()}").touch()
    return name


def share(folder: Path) -> tuple[str, str, int]:
    """The GPU that this process may see, and how many calls are on it while this one is."""
    gpu, order = os.environ["CUDA_VISIBLE_DEVICES"], os.environ["CUDA_DEVICE_ORDER"]
    mine = folder / gpu / str(os.getpid())
    mine.parent.mkdir(exist_ok=True)
    mine.touch()
    time.sleep(0.3)
    together = len(list(mine.parent.iterdir()))
    mine.unlink()
    return gpu, order, together


def imported(module: str) -> bool:
    return module in sys.modules
