"""How far long work is, told by time: at most every few seconds, with its rate."""

import time
from collections.abc import Callable

from coequal.formatting import duration

EVERY_SECONDS = 10.0  # between two lines
FIRST_PIECE = 100  # images
PIECE_SECONDS = 2.0  # about as long as a piece of the work should take


class Pace:
    """Tells how far long work is.

    Work that takes less than `EVERY_SECONDS` is told of in one line, at its start.
    """

    def __init__(
        self,
        what: str,
        total: int,
        log: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        announced: bool = True,
    ) -> None:
        """Tell that the work begins.

        Args:
            what: is done, as in "inception features of samples/".
            total: how many images there are to do.
            log: is given each line.
            clock: seconds since any moment.
            announced: whether the beginning is told, too.
        """
        self._what, self._total, self._log, self._clock = what, total, log, clock
        self._done = 0
        self._begun = self._told = clock()
        if announced:
            log(f"{what}: {total:,} images")

    def add(self, count: int) -> None:
        """Tell, if it is time, that so many images more are done."""
        self._done += count
        now = self._clock()
        if now - self._told < EVERY_SECONDS or self._done >= self._total:
            return
        self._told = now
        rate = self._done / (now - self._begun)
        left = duration((self._total - self._done) / rate)
        shown = f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"
        self._log(
            f"{self._what}: {self._done:,} of {self._total:,}, {shown} a second, about {left} left"
        )

    @property
    def piece(self) -> int:
        """How many images take about `PIECE_SECONDS`, as far as that is known by now."""
        seconds = self._clock() - self._begun
        if not (self._done and seconds > 0):
            return FIRST_PIECE
        return max(1, round(PIECE_SECONDS * self._done / seconds))
