"""Random changes of images that keep gradients: what the discriminator sees of every image.

The three of DiffAugment, Zhao et al. 2020, arXiv:2006.10738, section 3.2, in its order: colour,
translation, cutout. Every image has changes of its own, drawn anew each time.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from coequal.rng import Rng

SHIFT = 1 / 8  # of height and width, at most
HOLE = 1 / 2  # of height and width


def augmented(
    images: Float[Tensor, "n c h w"], rng: Rng, probability: float | Tensor = 1.0
) -> Float[Tensor, "n c h w"]:
    """Images with new colours, shifted, and with a hole.

    Args:
        images: in [0, 1].
        rng: of the images' device. It draws as much whatever `probability` is.
        probability: that of each of the three changes, for each image on its own; a number, or a
            tensor without dimensions on the images' device.
    """
    for change in (_coloured, _shifted, _holed):
        chosen = rng.uniform(len(images)) < probability
        images = change(images, chosen, rng)
    return images


def _coloured(images: Tensor, chosen: Bool[Tensor, " n"], rng: Rng) -> Tensor:
    """Brightness + U(-1/2, 1/2), saturation x U(0, 2), contrast x U(1/2, 3/2)."""
    count = len(images)
    bright, saturate, contrast = (rng.uniform(count, 1, 1, 1) for _ in range(3))
    found = images + (bright - 0.5)
    grey = found.mean(1, keepdim=True)
    found = (found - grey) * (saturate * 2) + grey
    middle = found.mean((1, 2, 3), keepdim=True)
    found = (found - middle) * (contrast + 0.5) + middle
    return torch.where(chosen[:, None, None, None], found, images)


def _shifted(images: Tensor, chosen: Bool[Tensor, " n"], rng: Rng) -> Tensor:
    """By whole pixels, up to an eighth of the size; what comes in is 0."""
    count, _, height, width = images.shape
    most = (max(1, round(height * SHIFT)), max(1, round(width * SHIFT)))
    down = rng.integers(2 * most[0] + 1, count) - most[0]
    right = rng.integers(2 * most[1] + 1, count) - most[1]
    down, right = (torch.where(chosen, moved, 0) for moved in (down, right))
    padded = functional.pad(images, (most[1], most[1], most[0], most[0]))
    rows = torch.arange(height, device=images.device)[None] - down[:, None] + most[0]
    columns = torch.arange(width, device=images.device)[None] - right[:, None] + most[1]
    index = torch.arange(count, device=images.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[index, rows[:, :, None], columns[:, None]].permute(0, 3, 1, 2)


def _holed(images: Tensor, chosen: Bool[Tensor, " n"], rng: Rng) -> Tensor:
    """A rectangle of half the height and width is 0; it may reach over the edge."""
    count, _, height, width = images.shape
    side = (max(1, round(height * HOLE)), max(1, round(width * HOLE)))
    rows = _within(rng.integers(height + 1 - side[0] % 2, count), side[0], height)
    columns = _within(rng.integers(width + 1 - side[1] % 2, count), side[1], width)
    hole = rows[:, None, :, None] & columns[:, None, None, :] & chosen[:, None, None, None]
    return images * ~hole


def _within(middle: Tensor, side: int, size: int) -> Bool[Tensor, "n size"]:
    """Which places lie in a stretch around each middle."""
    places = torch.arange(size, device=middle.device)[None]
    first = middle[:, None] - side // 2
    return (places >= first) & (places < first + side)
