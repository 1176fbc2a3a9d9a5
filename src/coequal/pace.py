"""How far long work is: lines for a log, no more often than somebody wants to read them."""

import time
from collections.abc import Callable

from coequal.formatting import duration

EVERY_SECONDS = 30.0  # between two lines about the same work
FIRST_PIECE = 100  # of the work
PIECE_SECONDS = 2.0  # about as long as a piece of the work should take
Clock = Callable[[], float]
"""Seconds since any moment."""


class Lines:
    """Lines about the progress of one piece of work: the first, then at most one in
    `EVERY_SECONDS` and only if something has changed, and the last."""

    def __init__(
        self, log: Callable[[str], None], clock: Clock = time.monotonic, first: bool = True
    ) -> None:
        """Nothing is told yet.

        Args:
            log: is given each line.
            clock: seconds since any moment.
            first: whether the first line is told at once; otherwise it waits like the others, so
                that short work is not told of.
        """
        self._log, self._clock = log, clock
        self._told = None if first else clock()
        self._state: object = None

    def tell(self, line: str, state: object = None, *, last: bool = False) -> None:
        """Tell a line, if it is time and something has changed since the line before.

        Args:
            line: says how far the work is.
            state: what the line tells, without estimates; equal states mean that nothing has
                changed. None: the line itself.
            last: whether the work ends with it: then only an unchanged state keeps it back.
        """
        state = line if state is None else state
        if state == self._state or not (last or self.due):
            return
        self._told, self._state = self._clock(), state
        self._log(line)

    @property
    def due(self) -> bool:
        """Whether the last line is long enough ago."""
        return self._told is None or self._clock() - self._told >= EVERY_SECONDS


class Pace:
    """Tells how far work on many items is, and how long the rest will take.

    Work that takes less than `EVERY_SECONDS` is told of in one line, at its start.
    """

    def __init__(
        self,
        what: str,
        total: int,
        log: Callable[[str], None],
        clock: Clock = time.monotonic,
        announced: bool = True,
        unit: str = "images",
    ) -> None:
        """Tell that the work begins.

        Args:
            what: is done, as in "inception features of samples/".
            total: how many items there are to do.
            log: is given each line.
            clock: seconds since any moment.
            announced: whether the beginning is told, too.
            unit: what the items are.
        """
        self._what, self._total, self._clock = what, total, clock
        self._done = 0
        self._begun = clock()
        self._lines = Lines(log, clock, announced)
        self._lines.tell(f"{what}: {total:,} {unit}")

    def add(self, count: int) -> None:
        """Tell, if it is time, that so many items more are done."""
        self._done += count
        if self._done >= self._total or not self._lines.due:
            return
        rate = self._done / (self._clock() - self._begun)
        left = duration((self._total - self._done) / rate)
        shown = f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"
        done = f"{self._done:,} of {self._total:,}"
        self._lines.tell(f"{self._what}: {done}, {shown} a second, about {left} left", done)

    @property
    def piece(self) -> int:
        """How many items take about `PIECE_SECONDS`, as far as that is known by now."""
        seconds = self._clock() - self._begun
        if not (self._done and seconds > 0):
            return FIRST_PIECE
        return max(1, round(PIECE_SECONDS * self._done / seconds))
