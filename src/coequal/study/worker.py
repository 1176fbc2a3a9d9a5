"""Where a worker works: its folders, its threads, its pulse, its machine."""

import json
import os
import platform
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import FrameType

import numpy as np
import torch

BEATS = 1.0  # seconds between two notes of a trial's progress


@dataclass(frozen=True)
class Places:
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


class Stopped(Exception):
    """The run is to stop: the trial leaves a checkpoint and no result."""


class TimedOut(Exception):
    """The trial has used up its time."""


class Heart:
    """Tells the coordinator how far a trial is, through a small file, at most once a second; and
    tells the trial when to stop."""

    def __init__(self, path: Path, places: Places) -> None:
        self.path, self.places = path, places
        self.started, self.last = time.monotonic(), 0.0
        self.asked = False  # to stop, by a signal

    def beat(self, share: float, text: str = "training", verdict: str = "") -> None:
        """Note how far a trial is.

        Args:
            share: of the budget that is spent, from 0 to 1.
            text: what goes on, for whoever watches.
            verdict: on its health by now; empty before there is one.

        Raises:
            Stopped: the coordinator asked for it, or a signal.
            TimedOut: the trial's time is over.
        """
        if self.asked:
            raise Stopped
        now = time.monotonic()
        limit = self.places.time_limit
        if limit is not None and now - self.started > limit:
            raise TimedOut(f"{limit:g} seconds were over at {share:.0%} of the budget")
        if now - self.last < BEATS:
            return
        self.last = now
        if self.places.coordinator and not _alive(self.places.coordinator):
            os._exit(1)  # nobody waits for this trial; it goes on from its checkpoint
        if self.places.stop and os.path.exists(self.places.stop):
            raise Stopped
        write = self.path.with_suffix(".new")
        write.write_text(json.dumps({"share": min(share, 1.0), "text": text, "verdict": verdict}))
        write.replace(self.path)

    def note(self, text: str) -> None:
        """Note what goes on before the first step."""
        self.beat(0, text)


@contextmanager
def heeding(heart: Heart) -> Iterator[None]:
    """Inside, SIGTERM lets the trial stop at its next pulse, with a checkpoint, as the coordinator
    would: a scheduler that wants its machine back may send it to every process of a job.

    In the coordinator's own process `Stop` sees to that, and outside the main thread nobody can.
    """
    own = heart.places.coordinator == os.getpid()
    if own or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(number: int, frame: FrameType | None) -> None:
        heart.asked = True

    before = signal.signal(signal.SIGTERM, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def environment(places: Places) -> dict[str, str]:
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
