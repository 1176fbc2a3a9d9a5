"""A trial's pulse: it tells how far the trial is, and tells the trial when to stop."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from coequal.trial.context import WorkerContext

BEATS = 1.0  # seconds between two notes of a trial's progress


class Stopped(Exception):
    """The run is to stop: the trial leaves a checkpoint and no result."""


class TimedOut(Exception):
    """The trial has used up its time."""


class Heartbeat:
    """Tells the coordinator how far a trial is, through a small file, at most once a second; and
    tells the trial when to stop."""

    def __init__(self, path: Path, places: WorkerContext) -> None:
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
def stop_on_sigterm(heart: Heartbeat) -> Iterator[None]:
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
