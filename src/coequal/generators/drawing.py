"""Images of a generator from outside: drawn in batches, checked, in the form of the real ones."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from coequal.contract import Conditions, GeneratorInput, Log
from coequal.generators.latents import LatentStream
from coequal.generators.outside import OutsideGenerator, in_evaluation_mode, seeded
from coequal.images import match_dtype
from coequal.inputs.growing_rows import GrowingRows
from coequal.inputs.input import Input
from coequal.pace import Pace
from coequal.records import POINT
from coequal.rng import Rng
from coequal.seeds import seed_for
from coequal.value_range import ValueRange, range_that_holds

FAR = 0.25
"""Share of the range's width beyond which a value is far outside of it."""
MAX_FAR = 0.01
"""Share of values far outside above which the range must be another; a net without a bounding last
layer leaves its range by less, and is clipped as its authors do."""
ROUNDING = 1e-3
"""Share of the range's width by which rounding, also of half precision, may leave it."""


def drawn_images(
    generator: OutsideGenerator, count: int, seed: int, form: torch.dtype, log: Log
) -> Input:
    """Draw images of a generator from outside.

    All batches have the generator's size; of the last one what is too much is dropped. Latents and
    labels of an image depend on the seed and its number alone. The modules are in evaluation mode
    meanwhile, there is no gradient, and global generators of random numbers, from which they may
    draw, are seeded and put back.

    Args:
        generator: any; it is not changed.
        count: number of images, 1 at least.
        seed: of the latents, and of what the generator draws itself.
        form: uint8, or float32: the form of the real images. Points are float32 always.
        log: is told how far it is.

    Returns:
        The images with their labels, what they were drawn of and how, and notes.

    Raises:
        ValueError: the generator fails, or returns something else than as many images of one shape
            with finite values in its range; the message says what would do.
    """
    values = _Values(generator.name, generator.value_range)
    pace = Pace(f"images of {generator.name}", count, log)
    images = _Rows(form)
    with in_evaluation_mode(generator), torch.inference_mode():
        for raw in _batches(generator, count, seed):
            unit = generator.in_unit_range(raw)
            values.add(raw.float() if raw.is_floating_point() else unit, raw.is_floating_point())
            images.add(unit.clamp(0, 1).cpu(), generator.name)
            pace.add(len(raw))
    digests = images.rows.digests
    rows = images.rows.done()
    notes = (_in_words(generator, count, seed), *values.notes())
    if not generator.differentiable:
        notes += ("what it computes has no gradient, which metrics that invert a generator need",)
    return Input(
        generator.name,
        "generator",
        digests,
        images=rows,
        labels=torch.arange(count) % generator.classes if generator.classes else None,
        generator=generator if generator.differentiable else None,
        made=_how(generator, seed),
        notes=notes,
        warnings=values.warnings(),
    )


def _batches(generator: OutsideGenerator, count: int, seed: int) -> Iterator[Tensor]:
    """The images as the generator gives them, batch by batch, `count` in all."""
    stream = LatentStream(generator.prior, Rng(seed_for("generator", "latents", seed)))
    with seeded(seed_for("generator", "own draws", seed), generator.device):
        for start in range(0, count, generator.batch):
            labels = None
            if generator.classes:
                labels = torch.arange(start, start + generator.batch) % generator.classes
            request = GeneratorInput(stream.take(generator.batch), Conditions(labels))
            yield generator.raw(request)[: count - start]


@dataclass
class _Values:
    """What values a generator gives, in all batches so far."""

    name: str
    declared: ValueRange
    seen: int = 0
    images: int = 0
    outside: int = 0
    far: int = 0
    low: float = math.inf
    high: float = -math.inf

    def add(self, values: Tensor, floats: bool) -> None:
        """Count a batch.

        Raises:
            ValueError: it holds NaN or infinity, or too many values are far outside the range.
        """
        if not floats:  # uint8 has a range of its own
            return
        self.images += len(values)
        bad = int((~torch.isfinite(values)).flatten(1).any(1).sum())
        if bad:
            raise ValueError(
                f"{self.name}: {bad} of {len(values)} images hold NaN or infinity (in the batch "
                f"that ends with image {self.images:,})"
            )
        low, high = values.aminmax()
        self.low, self.high = min(self.low, float(low)), max(self.high, float(high))
        self.seen += values.numel()
        if self.declared.holds(float(low), float(high), ROUNDING):
            return
        width, declared = self.declared.width, self.declared
        distance = torch.maximum(declared.low - values, values - declared.high)
        self.outside += int((distance > ROUNDING * width).sum())
        self.far += int((distance > FAR * width).sum())
        if self.far > MAX_FAR * self.seen:
            raise ValueError(self._refusal())

    def _refusal(self) -> str:
        share, far = self.outside / self.seen, self.far / self.seen
        likely = range_that_holds(self.low, self.high, ROUNDING)
        would = "" if likely is None else f"; they look like {likely}"
        return (
            f"{self.name}: {share:.0%} of values lie outside {self.declared}, "
            f"{far:.0%} far outside (found {self.low:.4g} to {self.high:.4g}){would}; "
            f"give the values of black and white: {_said(likely or ValueRange(-1, 1))}"
        )

    def notes(self) -> tuple[str, ...]:
        """What was clipped."""
        if not self.outside:
            return ()
        return (
            f"{self.outside / self.seen:.2%} of values lay outside {self.declared} (found "
            f"{self.low:.4g} to {self.high:.4g}) and were clipped",
        )

    def warnings(self) -> tuple[str, ...]:
        """A narrower range that all values lie in, which may have been meant."""
        if not self.seen:
            return ()
        likely = range_that_holds(self.low, self.high, ROUNDING)
        if likely is None or likely.width >= self.declared.width:
            return ()
        return (
            f"{self.name}: all values lie in {likely} (found {self.low:.4g} to {self.high:.4g}), "
            f"and {self.declared} was taken for black and white; if it gives {likely}, say "
            f"{_said(likely)}",
        )


def _said(wanted: ValueRange) -> str:
    low, high = wanted
    return f"--value-range={low:g},{high:g}, in Python value_range=({low:g}, {high:g})"


class _Rows:
    """Images one batch after another, all of one shape.

    Args:
        form: uint8 or float32; points become float32.
    """

    def __init__(self, form: torch.dtype) -> None:
        self._form, self._shape = form, tuple[int, ...]()
        self.rows = GrowingRows()

    def add(self, unit: Tensor, name: str) -> None:
        """Append images.

        Args:
            unit: (n, c, h, w) floats in [0, 1], on the CPU.
            name: of what made them, for the message.

        Raises:
            ValueError: their shape is not that of the images before.
        """
        shape = tuple(unit.shape[1:])
        self._shape = self._shape or shape
        if shape != self._shape:
            raise ValueError(
                f"{name} returned images of shape {self._shape} and then of {shape}; all must be "
                "alike"
            )
        self.rows.add(match_dtype(unit, torch.float32 if shape == POINT else self._form))


def _how(generator: OutsideGenerator, seed: int) -> dict[str, Any]:
    """How the images were drawn, for the record."""
    return {
        "latents": str(generator.prior),
        "value_range": list(generator.value_range),
        "batch": generator.batch,
        "classes": generator.classes,
        "seed": seed,
        "file_sha256": generator.sha256,
    }


def _in_words(generator: OutsideGenerator, count: int, seed: int) -> str:
    classes = f", labels 0 to {generator.classes - 1} in turn" if generator.classes else ""
    return (
        f"{count:,} images drawn: latents {generator.prior}{classes}, values in "
        f"{generator.value_range}, batches of {generator.batch}, seed {seed}"
    )
