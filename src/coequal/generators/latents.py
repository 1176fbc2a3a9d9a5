"""Priors of latents: what a generator from outside is given for each image."""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from coequal.rng import Rng

BLOCK = 64
"""Latents are drawn so many at a time: the first n are the same, whatever is drawn in all."""

LatentFunction = Callable[[int, torch.Generator], Any]
"""A number n and a stream in, a tensor of n rows or a tuple of such tensors out."""

Given = int | str | Sequence[int] | LatentFunction
"""How a prior is written: see `latent_prior`."""

FORMS = (
    '128, "normal:128", "uniform:64", "normal:4x8x8", (4, 8, 8), or a function of (n, generator)'
)
_TEXT = re.compile(r"(?:(normal|uniform):)?(\d+(?:x\d+)*)")


class Prior(ABC):
    """The distribution of a generator's latents.

    Attributes:
        support: the interval that every number is drawn from; None for a normal distribution, and
            where it isn't known.
    """

    support: tuple[float, float] | None = None

    @abstractmethod
    def draw(self, count: int, rng: Rng) -> tuple[Tensor, ...]:
        """Fresh latents: tensors of `count` rows each, float32 on the stream's device."""


@dataclass(frozen=True)
class Independent(Prior):
    """Independent numbers: standard normal, or uniform on [-1, 1).

    Attributes:
        shape: of the latents of one image.
        uniform: whether they are uniform and not normal.
    """

    shape: tuple[int, ...]
    uniform: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "support", (-1.0, 1.0) if self.uniform else None)

    def __str__(self) -> str:
        return f"{'uniform' if self.uniform else 'normal'}:{'x'.join(map(str, self.shape))}"

    def draw(self, count: int, rng: Rng) -> tuple[Tensor, ...]:
        """See `Prior.draw`."""
        if self.uniform:
            return (rng.uniform(count, *self.shape, low=-1.0, high=1.0),)
        return (rng.normal(count, *self.shape),)


@dataclass(frozen=True)
class DrawnByFunction(Prior):
    """What a function of the user's draws.

    Attributes:
        function: takes a number n and a `torch.Generator`, and returns a tensor of n rows, or a
            tuple of such tensors.
    """

    function: LatentFunction

    def __str__(self) -> str:
        return f"function:{getattr(self.function, '__name__', type(self.function).__name__)}"

    def draw(self, count: int, rng: Rng) -> tuple[Tensor, ...]:
        """See `Prior.draw`.

        Raises:
            ValueError: the function returned something else than tensors of `count` rows.
        """
        drawn = self.function(count, rng.generator)
        parts = drawn if isinstance(drawn, tuple | list) else (drawn,)
        for part in parts:
            if not isinstance(part, Tensor) or part.ndim < 1 or len(part) != count:
                got = tuple(part.shape) if isinstance(part, Tensor) else type(part).__name__
                raise ValueError(
                    f"the function of latents was asked for {count} rows and returned {got}; it "
                    "must return a tensor of so many rows, or a tuple of such tensors"
                )
        return tuple(parts)


def latent_prior(given: Given) -> Prior:
    """Read the prior of latents.

    Args:
        given: a length, for normal latents; a shape, (4, 8, 8); a text, "normal:128",
            "uniform:64", "normal:4x8x8", where uniform is on [-1, 1); or a function that takes a
            number n and a `torch.Generator` and returns tensors of n rows.

    Raises:
        ValueError: it is something else; the message has the forms.
    """
    if callable(given):
        return DrawnByFunction(given)
    if isinstance(given, str) and (match := _TEXT.fullmatch(given.strip())):
        shape: Sequence[Any] = [int(part) for part in match[2].split("x")]
        uniform = match[1] == "uniform"
    else:
        shape, uniform = [given] if isinstance(given, int) else list(_sequence(given)), False
    whole = all(isinstance(size, int) and not isinstance(size, bool) for size in shape)
    if not (shape and whole and min(shape) >= 1 and math.prod(shape) <= 2**31):
        raise ValueError(f"latents must be {FORMS}; got {given!r}")
    return Independent(tuple(shape), uniform)


def _sequence(given: Any) -> Sequence[Any]:
    return given if isinstance(given, Sequence) and not isinstance(given, str) else ()


class LatentStream:
    """Latents one after another, in any portions: the same rows however they are portioned.

    Args:
        prior: that they are drawn from.
        rng: a stream for them alone.
    """

    def __init__(self, prior: Prior, rng: Rng) -> None:
        self._prior, self._rng = prior, rng
        self._ready: tuple[Tensor, ...] = ()

    def take(self, count: int) -> tuple[Tensor, ...]:
        """The next latents: tensors of `count` rows."""
        blocks = [self._ready] if self._ready else []
        have = len(self._ready[0]) if self._ready else 0
        for _ in range(math.ceil((count - have) / BLOCK)):
            blocks.append(self._prior.draw(BLOCK, self._rng))
        rows = tuple(torch.cat(parts) for parts in zip(*blocks, strict=True))
        self._ready = tuple(part[count:] for part in rows)
        return tuple(part[:count] for part in rows)
