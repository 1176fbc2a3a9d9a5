"""A page of a run that is rendered again when the run has changed."""

import math
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from coequal.serve.state import RunState

PAUSE_SECONDS = 3.0  # after a rendering, before the next one of the same page
SHARE = 4  # a page is rendered for at most one part of so many of the time, and one more

drawing = threading.Lock()
"""Held by whoever draws: figures share matplotlib's settings, so that one is drawn at a time."""

Render = Callable[[Path], str]
"""Renders a page into an empty folder, with the files that it links to; returns its HTML."""


@dataclass(frozen=True)
class Rendered:
    """A page as it was rendered.

    Attributes:
        html: the page.
        place: the folder of the files that it links to.
        number: of the rendering, from 1.
        version: of the run's state that it shows.
        at: when, in seconds since 1970.
        seconds: how long it took.
    """

    html: str
    place: Path
    number: int
    version: str
    at: float
    seconds: float


class LivePage:
    """A page that follows its run: rendered in a thread, at most every few seconds.

    Args:
        render: renders it.
        scratch: a folder for its files, in which each rendering gets one of its own.

    Attributes:
        rendered: the last rendering; None before the first.
        problem: why the last attempt failed; empty if it did not.
    """

    def __init__(self, render: Render, scratch: Path) -> None:
        self._render, self._scratch = render, scratch
        self._lock, self._idle = threading.Lock(), threading.Event()
        self._idle.set()
        self._tried, self._number = "", 0
        self._seconds, self._ended = 0.0, -math.inf  # of the last rendering
        self.rendered: Rendered | None = None
        self.problem = ""

    @property
    def rendering(self) -> bool:
        """Whether it is being rendered at this moment."""
        return not self._idle.is_set()

    def current(self, state: RunState) -> bool:
        """Whether the page shows this state."""
        return self.rendered is not None and self.rendered.version == state.version

    def follow(self, state: RunState) -> None:
        """Begin to render the page if it shows another state than this, unless that was done a
        moment ago; the last state of a run does not wait for long."""
        with self._lock:
            if self.rendering or state.version == self._tried:
                return
            pause = PAUSE_SECONDS if state.over else max(PAUSE_SECONDS, SHARE * self._seconds)
            if time.monotonic() < self._ended + pause:
                return
            self._tried = state.version
            self._number += 1
            self._idle.clear()
        threading.Thread(target=self._run, args=(state.version,), daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Wait until nothing is being rendered, but not for longer than so many seconds."""
        self._idle.wait(seconds)

    def _run(self, version: str) -> None:
        """Render the page and replace the last rendering."""
        place = self._scratch / str(self._number)
        try:
            with drawing:
                begun = time.monotonic()
                place.mkdir(parents=True)
                html = self._render(place)
                seconds = time.monotonic() - begun
            before = self.rendered
            self.rendered = Rendered(html, place, self._number, version, time.time(), seconds)
            self.problem = ""
            self._seconds = seconds
            if before is not None:
                shutil.rmtree(before.place, ignore_errors=True)
        except (LookupError, ValueError, OSError, ArithmeticError, MemoryError) as error:
            self._failed(str(error.args[0] if isinstance(error, KeyError) else error), place)
        except Exception as error:  # nothing else sees an exception of this thread
            traceback.print_exc(file=sys.stderr)
            self._failed(f"{type(error).__name__}: {error}", place)
        finally:
            self._ended = time.monotonic()
            self._idle.set()

    def _failed(self, reason: str, place: Path) -> None:
        self.problem = reason
        shutil.rmtree(place, ignore_errors=True)
