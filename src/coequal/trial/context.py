"""Where a worker works: its folders, its threads, its machine."""

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch


@dataclass(frozen=True)
class WorkerContext:
    """Where a worker reads and writes, and on what it computes. Plain values, so that it
    travels."""

    run: str
    data: str
    cache: str
    device: str = "cpu"
    coordinator: int = 0  # its process on this machine: workers end with it; 0: elsewhere
    stop: str = ""  # once this file is there, running trials write a checkpoint and end
    time_limit: float | None = None  # seconds on the clock for one attempt at a trial
    threads: int = 1  # one per trial is fastest overall, and its bits depend on no other worker
    frames: int = 0  # pictures of its training that each trial keeps, for an animation
    tensorboard: str = ""  # a folder for TensorBoard's event files of the run's only trial


def environment(places: WorkerContext) -> dict[str, str]:
    """What a result depends on besides its trial."""
    return {
        "coequal": version("coequal"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "system": platform.platform(),
        "processor": _processor(),
        "device": _device(places.device),
        "threads": str(places.threads),
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        return platform.processor() or platform.machine()
    return platform.processor() or platform.machine()


def _device(device: str) -> str:
    try:
        return torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    except (RuntimeError, AssertionError):  # a coordinator without a GPU speaks for a dead trial
        return device


@contextmanager
def threads(count: int) -> Iterator[None]:
    """So many threads inside, and what there were before outside."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
