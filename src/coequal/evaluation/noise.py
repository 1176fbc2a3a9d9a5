"""Images of uniform noise: the worst that a score is compared with, of a study and of a score."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from coequal.images import match_dtype
from coequal.inputs.growing_rows import GrowingRows
from coequal.inputs.input import Input
from coequal.rng import Rng
from coequal.seeds import seed_for

_DRAWN_AT_ONCE = 1 << 24  # values


def noise_stream(name: str) -> Rng:
    """The random stream of the noise that images of a dataset are compared with.

    Args:
        name: of the dataset, or of the images if they are of none that is known.
    """
    return Rng(seed_for("cap", name))


def uniform_noise(count: int, shape: Sequence[int], dtype: torch.dtype, rng: Rng) -> Tensor:
    """Images (count, c, h, w) whose values are independent and uniform on [0, 1), uint8 or float32
    as `dtype` says. In several calls the same images come as in one."""
    return match_dtype(rng.uniform(count, *shape), dtype)


def noise_like(real: Input, count: int) -> Input | None:
    """Noise in the form of real images, with random labels if these have labels: for a split of a
    dataset, the images of a study's cap.

    Args:
        real: the real images.
        count: how many images of noise.

    Returns:
        The noise; None where there are no images but features.
    """
    if real.images is None or real.shape is None:
        return None
    rng = noise_stream("a score" if real.dataset is None else real.dataset.name)
    rows = GrowingRows()
    size = max(1, _DRAWN_AT_ONCE // math.prod(real.shape))
    for start in range(0, count, size):
        some = min(size, count - start)
        rows.add(uniform_noise(some, real.shape, real.images.dtype, rng))
    labels = None
    if real.labels is not None:
        labels = rng.integers(len(real.classes or real.labels.unique()), count)
    digests = rows.digests
    return Input(
        "uniform noise", "images", digests, images=rows.done(), labels=labels, classes=real.classes
    )
