"""The line of somebody's code at which a global random generator moves."""

import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

from coequal.code_places import is_own, place_in
from coequal.rng import GlobalStates


def place_of_draw(call: Callable[[], object], function: str) -> str:
    """Call something, and find the first line in a function of somebody's own, or in what it calls,
    at which a global generator moves: `my_lab/losses.py:34`; empty if none does.

    Every line of that code is followed, which makes it slow; what the call raises is ignored.

    Args:
        call: is made once.
        function: the place where the function begins, as `code_places.place_of` gives it.
    """
    finder, before = _Finder(function), sys.gettrace()
    sys.settrace(finder.enter)
    try:
        with suppress(Exception):  # it has failed before, which is why somebody asks
            call()
    finally:
        sys.settrace(before)
    return finder.place


class _Finder:
    """Looks at the states of the global generators after each line."""

    def __init__(self, function: str) -> None:
        self.place = ""
        self._function = function
        self._within: FrameType | None = None
        self._states = GlobalStates()
        self._last: tuple[FrameType, int] | None = None

    def enter(self, frame: FrameType, event: str, value: Any) -> Any:
        """Follow the lines of the function and of own code that it calls, and of nothing else."""
        if self.place or not is_own(frame):
            return None
        if self._within is None:
            if place_in(frame, frame.f_code.co_firstlineno) != self._function:
                return None
            self._within, self._states = frame, GlobalStates()
        return self._line(frame, event, value)

    def _line(self, frame: FrameType, event: str, value: Any) -> Any:
        if self.place:
            return None
        if self._last is not None and self._states.moved():
            self.place = place_in(*self._last)
        self._last = (frame, frame.f_lineno)
        if event == "return" and frame is self._within:
            self._within = self._last = None
        return self._line
