"""How far long work is, told by time: at most every few seconds, with its rate."""

import time
from collections.abc import Callable

import torch
from torch import Tensor

from coequal.contract import Encoder, ImageRows, Log
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
        log: Log,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Tell that the work begins.

        Args:
            what: is done, as in "inception features of samples/".
            total: how many images there are to do.
            log: is given each line.
            clock: seconds since any moment.
        """
        self._what, self._total, self._log, self._clock = what, total, log, clock
        self._done = 0
        self._begun = self._told = clock()
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
        self._log(
            f"{self._what}: {self._done:,} of {self._total:,}, {rate:,.3g} a second, "
            f"about {left} left"
        )

    @property
    def piece(self) -> int:
        """How many images take about `PIECE_SECONDS`, as far as that is known by now."""
        seconds = self._clock() - self._begun
        if not (self._done and seconds > 0):
            return FIRST_PIECE
        return max(1, round(PIECE_SECONDS * self._done / seconds))


def encoded(images: ImageRows | Tensor, encoder: Encoder, pace: Pace) -> Tensor:
    """Features of images, encoded piece by piece, and how far that is.

    The pieces are whole batches of the encoder, so that not one bit depends on them.

    Args:
        images: (n, c, h, w).
        encoder: any; one that names no `batch` gets all images at once.
        pace: is told of every piece.

    Returns:
        (n, d) float32, on the CPU.
    """
    rows, start = [], 0
    while start < len(images):
        batch = encoder.batch or len(images)
        stop = min(start + batch * max(1, pace.piece // batch), len(images))
        rows.append(encoder.features(images[start:stop]).cpu())
        pace.add(stop - start)
        start = stop
    return torch.cat(rows)
