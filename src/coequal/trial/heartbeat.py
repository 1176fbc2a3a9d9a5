"""The heartbeat of a trial: it tells others how far the trial is, and the trial when to stop."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from coequal.trial.context import WorkerContext

REPORT_SECONDS = 1.0  # between two reports of a trial's progress


class Stopped(Exception):
    """The run is to stop: the trial leaves a checkpoint and no result."""


class TimedOut(Exception):
    """The trial has used up its time."""


class Heartbeat:
    """Tells the coordinator how far a trial is, through a small file written at most once a second,
    and tells the trial when to stop.

    Attributes:
        path: of the file.
        context: of the worker.
        stop_requested: whether a signal has asked the trial to stop.
        off_the_clock: seconds that do not count towards the trial's time limit.
    """

    def __init__(self, path: Path, context: WorkerContext) -> None:
        self.path, self.context = path, context
        self.stop_requested = False
        self.off_the_clock = 0.0
        self._started, self._reported = time.monotonic(), 0.0

    def report(self, fraction: float, text: str = "training", verdict: str = "") -> None:
        """Report how far the trial is, and stop it here if it is to stop.

        Args:
            fraction: of the budget that is spent, from 0 to 1.
            text: what goes on, in a line.
            verdict: on the health of the training; empty before there is one.

        Raises:
            Stopped: the coordinator asked for it, or a signal.
            TimedOut: the trial's time is over.
        """
        if self.stop_requested:
            raise Stopped
        now = time.monotonic()
        limit = self.context.time_limit
        if limit is not None and now - self._started - self.off_the_clock > limit:
            raise TimedOut(f"{limit:g} seconds were over at {fraction:.0%} of the budget")
        if now - self._reported < REPORT_SECONDS:
            return
        self._reported = now
        if self.context.coordinator and not _alive(self.context.coordinator):
            os._exit(1)  # nobody waits for this trial; it goes on from its checkpoint
        if self.context.stop and os.path.exists(self.context.stop):
            raise Stopped
        draft = self.path.with_suffix(".new")
        progress = {"share": min(fraction, 1.0), "text": text, "verdict": verdict}
        draft.write_text(json.dumps(progress))
        draft.replace(self.path)

    def report_stage(self, text: str) -> None:
        """Report what goes on before the first step, in a line."""
        self.report(0, text)


@contextmanager
def stop_on_sigterm(heartbeat: Heartbeat) -> Iterator[None]:
    """Inside, SIGTERM lets the trial stop at its next report, with a checkpoint, as the coordinator
    would: a scheduler that wants its machine back may send it to every process of a job.

    In the coordinator's own process `GracefulStop` sees to that; outside the main thread signals
    can't be caught.
    """
    own = heartbeat.context.coordinator == os.getpid()
    if own or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(number: int, frame: FrameType | None) -> None:
        heartbeat.stop_requested = True

    before = signal.signal(signal.SIGTERM, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _alive(process: int) -> bool:
    if sys.platform == "win32":  # there `os.kill` sends Ctrl-C; `Local` ends its calls itself
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
