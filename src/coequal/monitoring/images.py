"""What can be measured of generated images beside real ones, without the model that made them."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from coequal.contract import Encoder
from coequal.images import as_float
from coequal.monitoring.reference import spread_and_nearest
from coequal.rng import Rng
from coequal.seeds import seed_for

MAX_IMAGES = 512  # images of each side between which distances are measured

Images = UInt8[Tensor, "n c h w"] | Float[Tensor, "n c h w"]


def image_signals(fake: Images, real: Images | None) -> dict[str, float]:
    """Signals of images (`health.signals.MEANING`), relative to real ones as in a training.

    The distance to the nearest image depends on how many images there are, so both sides are cut to
    the same number.

    Args:
        fake: at least two generated images, uint8, or float32 in [0, 1].
        real: at least two real images of the same shape, or None.

    Returns:
        `saturated`, `nearest`, `spread`, `gap`, and `saturated_real`, the saturated pixels of the
        real images. Without real images only the first two, and `nearest` is relative to the mean
        distance between the images themselves.
    """
    count = min(MAX_IMAGES, len(fake), len(fake) if real is None else len(real))
    ours = _pixels(fake, count)
    spread, distances = spread_and_nearest(ours)
    nearest = distances.median()
    signals = {"saturated": _saturated(ours)}
    if real is None:
        return signals | {"nearest": _over(nearest, spread) if nearest > 0 else 0.0}
    theirs = _pixels(real, count)
    real_spread, real_apart = spread_and_nearest(theirs)
    real_nearest = real_apart.median()
    return signals | {
        "saturated_real": _saturated(theirs),
        "nearest": _over(nearest, real_nearest),
        "spread": _over(spread, real_spread),
        "gap": _over((ours.mean(0) - theirs.mean(0)).norm(), real_spread),
    }


def class_signals(
    fake: Images, real: Images, encoder: Encoder
) -> tuple[dict[str, float], list[int], list[int]]:
    """Signals of the images' features, and how many images of each side are classified as what.

    Args:
        fake: at least two generated images, uint8, or float32 in [0, 1].
        real: at least two real images, likewise.
        encoder: one that knows classes.

    Returns:
        `feature_spread` and `feature_gap`; images per class of `fake`; images per class of `real`.
    """
    ours, theirs = encoder.features(fake), encoder.features(real)
    count = min(MAX_IMAGES, len(ours), len(theirs))
    spread, _ = spread_and_nearest(ours[:count])
    real_spread, _ = spread_and_nearest(theirs[:count])
    signals = {
        "feature_spread": _over(spread, real_spread),
        "feature_gap": _over((ours.mean(0) - theirs.mean(0)).norm(), real_spread),
    }
    return signals, _counts(ours, encoder), _counts(theirs, encoder)


def chosen_rows(total: int, limit: int) -> Tensor:
    """Rows in a fixed random order, because a folder may be sorted by class.

    Args:
        total: rows that there are.
        limit: rows to choose at most.
    """
    return Rng(seed_for("pictures")).permutation(total)[:limit]


def _pixels(images: Images, count: int) -> Float[Tensor, "n d"]:
    return as_float(images[chosen_rows(len(images), count).to(images.device)]).flatten(1)


def _saturated(pixels: Tensor) -> float:
    return float(((pixels < 0.01) | (pixels > 0.99)).float().mean())


def _over(value: Tensor, by: Tensor) -> float:
    """A ratio; NaN if the real images themselves are all alike."""
    return float(value / by) if by > 0 else float("nan")


def _counts(features: Tensor, encoder: Encoder) -> list[int]:
    probabilities = encoder.probabilities(features)
    assert probabilities is not None
    return torch.bincount(probabilities.argmax(1), minlength=probabilities.shape[1]).tolist()
