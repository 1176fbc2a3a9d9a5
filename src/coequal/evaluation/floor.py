"""What real images score against real ones, and what noise does: the two ends of a scale."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from coequal.contract import ImageRows, Log
from coequal.evaluation.noise import noise_like
from coequal.inputs.input import Input
from coequal.inputs.load import from_split
from coequal.rng import Rng
from coequal.seeds import seed_for

_OTHER_SPLIT = {"test": "validation", "validation": "test"}
Numbers = Mapping[str, Mapping[str, Any]]  # by name, as plain values
Measure = Callable[[Mapping[str, Input]], Numbers]


def floor_of(
    real: Input, fake: Input, seed: int, numbers_of: Measure, log: Log, *, noise: bool = False
) -> dict[str, Any]:
    """Score real images in the place of the generated ones: what a perfect generator would get.

    They are images of the dataset's other held-out split (validation for test, test for
    validation), as many as were generated. Where there are no such images, some of the real ones
    take the place, at most half of them, and stand against the rest: then there are fewer real
    images than in the score itself, which moves numbers that are biased, and so the generated
    images are scored in the same numbers, too.

    Args:
        real: the real images.
        fake: the generated ones.
        seed: of the choice of images.
        numbers_of: measures the sides "real" and "fake".
        log: is told what is measured.
        noise: whether to score as many images of uniform noise, too, against the same real images.

    Returns:
        `how`, a sentence; `real_count` and `fake_count`; `metrics`, the numbers of real images;
        `generated`, those of as many generated images against the same real ones, if these counts
        are not the score's; and `noise`, those of noise, if they are asked for and there are
        images and not only features.
    """
    rng = Rng(seed_for("floor", seed))
    against, stand_in, how = _real_against_real(real, len(fake), rng)
    log(f"measuring the floor: {how}")
    counts = len(against), len(stand_in)
    floor = {
        "how": how,
        "real_count": counts[0],
        "fake_count": counts[1],
        "metrics": numbers_of({"real": against, "fake": stand_in}),
    }
    if counts != (len(real), len(fake)):
        log("measuring as many generated images as the floor has")
        some = _selected(fake, rng.permutation(len(fake))[: len(stand_in)])
        floor["generated"] = numbers_of({"real": against, "fake": some})
    if noise and (images := noise_like(real, counts[1])) is not None:
        log(f"measuring {counts[1]:,} images of uniform noise")
        floor["noise"] = numbers_of({"real": against, "fake": images})
    return floor


def _real_against_real(real: Input, count: int, rng: Rng) -> tuple[Input, Input, str]:
    """The real images to compare with, those in the place of generated ones, and both in words."""
    if real.dataset is not None and real.split in _OTHER_SPLIT:
        name = real.what.rpartition(":")[0]
        other = from_split(name, real.dataset, _OTHER_SPLIT[real.split])
        chosen = _selected(other, rng.permutation(len(other))[:count])
        return real, chosen, f"{len(chosen):,} images of {other.what} against {real.what}"
    rows = rng.permutation(len(real))
    taken = min(count, len(real) // 2)
    sides = _selected(real, rows[taken:]), _selected(real, rows[:taken])
    return *sides, f"{taken:,} of the real images against the other {len(sides[0]):,}"


def _selected(source: Input, rows: Tensor) -> Input:
    """Some of the images, in the order of the source, as images of no split."""
    rows = rows.sort().values

    def of(values: ImageRows | None) -> ImageRows | None:
        return None if values is None else values.select(rows)

    return replace(
        source,
        digests=source.digests[rows.numpy()],
        images=of(source.images),
        features=of(source.features),
        labels=None if source.labels is None else source.labels[rows],
        statistics=(),  # of all of them
        split=None,
        generator=None,
    )
