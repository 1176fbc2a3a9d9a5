"""Graceful stop: the first signal asks all workers for a checkpoint, the second interrupts."""

import os
import platform
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)  # a person, and a scheduler that wants its machine back


class GracefulStop:
    """Inside it, the first signal leaves a file that all workers watch for; the second interrupts.

    The file reaches workers wherever they run, as long as they see the run's folder. Outside the
    main thread signals can't be caught, and everything stays as it was.

    Attributes:
        path: of the file.
        requested: whether a signal has come.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / f".stop-{platform.node()}-{os.getpid()}"
        self.requested = False
        self._number = signal.SIGINT
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "GracefulStop":
        self.path.unlink(missing_ok=True)
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._handle) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self.path.unlink(missing_ok=True)

    def interrupt(self) -> "Interrupted":
        """What to raise once everything has stopped."""
        return Interrupted(self._number)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._number = signal.Signals(number)
        if self.requested:
            raise self.interrupt()
        self.requested = True
        self.path.touch()


class Interrupted(KeyboardInterrupt):
    """The run was stopped from outside; the same command goes on.

    Attributes:
        code: the exit status of a process that such a signal ended: 128 and the signal's number.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.code = 128 + number
