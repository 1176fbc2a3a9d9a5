"""What can be measured of generated images beside real ones, without the model that made them."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from coequal.contract import Encoder
from coequal.images import as_float
from coequal.monitoring.reference import spread_and_nearest
from coequal.rng import Rng
from coequal.seeds import seed_for

MOST = 512  # images of each side whose distances are looked at

Images = UInt8[Tensor, "n c h w"] | Float[Tensor, "n c h w"]


def compared(fake: Images, real: Images | None) -> dict[str, float]:
    """Signals of images (`health.signals.MEANING`), relative to real ones as in a training.

    Distances to the nearest depend on how many images there are: both sides are cut to the same
    number. `saturated_real` is the same of the real ones. Without real images the nearest is
    relative to the images' own mean distance, and spread and gap are not there.

    Args:
        fake, real: uint8, or float32 in [0, 1]; at least two of each.
    """
    count = min(MOST, len(fake), len(fake) if real is None else len(real))
    ours = _some(fake, count)
    spread, apart = spread_and_nearest(ours)
    nearest = apart.median()
    found = {"saturated": _saturated(ours)}
    if real is None:
        return found | {"nearest": _over(nearest, spread) if nearest > 0 else 0.0}
    theirs = _some(real, count)
    real_spread, real_apart = spread_and_nearest(theirs)
    real_nearest = real_apart.median()
    return found | {
        "saturated_real": _saturated(theirs),
        "nearest": _over(nearest, real_nearest),
        "spread": _over(spread, real_spread),
        "gap": _over((ours.mean(0) - theirs.mean(0)).norm(), real_spread),
    }


def classified(
    fake: Images, real: Images, encoder: Encoder
) -> tuple[dict[str, float], list[int], list[int]]:
    """Signals of the images' features, and how many of each side an encoder takes for each class.

    Args:
        fake, real: at least two of each.
        encoder: one that knows classes.
    """
    ours, theirs = encoder.features(fake), encoder.features(real)
    count = min(MOST, len(ours), len(theirs))
    spread, _ = spread_and_nearest(ours[:count])
    real_spread, _ = spread_and_nearest(theirs[:count])
    signals = {
        "feature_spread": _over(spread, real_spread),
        "feature_gap": _over((ours.mean(0) - theirs.mean(0)).norm(), real_spread),
    }
    return signals, _counts(ours, encoder), _counts(theirs, encoder)


def chosen_rows(total: int, most: int) -> Tensor:
    """Rows in a fixed random order, so many at most: a folder may be sorted by class."""
    return Rng(seed_for("pictures")).permutation(total)[:most]


def _some(images: Images, count: int) -> Float[Tensor, "n d"]:
    return as_float(images[chosen_rows(len(images), count)]).flatten(1)


def _saturated(pixels: Tensor) -> float:
    return float(((pixels < 0.01) | (pixels > 0.99)).float().mean())


def _over(value: Tensor, by: Tensor) -> float:
    """A ratio; not a number where the real images themselves are all alike."""
    return float(value / by) if by > 0 else float("nan")


def _counts(features: Tensor, encoder: Encoder) -> list[int]:
    probabilities = encoder.probabilities(features)
    assert probabilities is not None
    return torch.bincount(probabilities.argmax(1), minlength=probabilities.shape[1]).tolist()
