"""Arrays `mu` and `sigma`: mean and covariance of features, as pytorch-fid, clean-fid, EDM and
guided-diffusion keep them, and as `coequal stats` writes them."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from coequal.contract import Statistics

PAIRS = (("mu", "sigma"), ("mu_s", "sigma_s"))
"""Names of a mean and its covariance. guided-diffusion keeps two of Inception: of the last average
pool, and (`_s`) of seven maps of its sixth mixed layer, which are spatial."""
FACTS = "coequal"  # of ours: JSON with `count`, `encoder`, `encoder_name`, and all else of them

_ASYMMETRY = 1e-5  # of the largest variance: float32 leaves some 1e-7
_NEGATIVE = 1e-5  # of the largest variance: the smallest eigenvalue that rounding explains

Array = NDArray[Any]


def statistics_among(arrays: Mapping[str, Array], what: str) -> tuple[Statistics, ...]:
    """The statistics among the arrays of a file.

    Args:
        arrays: by name; other names are passed over.
        what: the file, for messages.

    Raises:
        ValueError: one of a pair is missing, or they are no mean and covariance of features.
    """
    known = _facts(arrays, what)
    found = []
    for mean, covariance in PAIRS:
        if (mean in arrays) != (covariance in arrays):
            there, missing = (mean, covariance) if mean in arrays else (covariance, mean)
            raise ValueError(f"{what} holds {there} without {missing}")
        if mean in arrays:
            pair = _checked(arrays[mean], arrays[covariance], (mean, covariance), what)
            found.append(replace(pair, **known))
    return tuple(found)


def with_count(statistics: tuple[Statistics, ...], count: int, what: str) -> tuple[Statistics, ...]:
    """Statistics of which the user says of how many images they are.

    Args:
        statistics: at least one.
        count: of images.
        what: the file, for messages.

    Raises:
        ValueError: the file says another number, or no covariance is of fewer than two images.
    """
    if count < 2:
        raise ValueError(f"statistics need at least 2 images, got a count of {count}")
    for one in statistics:
        if one.count not in (None, count):
            raise ValueError(f"{what} says that it describes {one.count:,} images, not {count:,}")
    return tuple(replace(one, count=count) for one in statistics)


def _facts(arrays: Mapping[str, Array], what: str) -> dict[str, Any]:
    """What `coequal stats` wrote beside the arrays; empty for files of other programs."""
    if FACTS not in arrays:
        return {}
    try:
        facts = json.loads(str(arrays[FACTS]))
        return {name: facts[name] for name in ("count", "encoder", "encoder_name")}
    except (ValueError, TypeError, KeyError) as error:  # no JSON, or of another form
        raise ValueError(f"{what}: its array `{FACTS}` is damaged ({error})") from error


def _checked(mean: Array, covariance: Array, names: tuple[str, str], what: str) -> Statistics:
    """A mean and a covariance, or why they are none."""
    mu, sigma = names
    for name, array in zip(names, (mean, covariance), strict=True):
        if array.dtype.kind not in "fiu":
            raise ValueError(f"{what}: {name} holds {array.dtype}, no numbers")
    middle = np.squeeze(mean).reshape(-1).astype(np.float64)
    spread = np.atleast_2d(covariance).astype(np.float64)
    size = len(middle)
    if not size or mean.size != max(mean.shape, default=1):
        raise ValueError(f"{what}: {mu} has the shape {mean.shape}; a mean has one, (features,)")
    if spread.shape != (size, size):
        raise ValueError(
            f"{what}: {mu} is of {size} features, and {sigma} has the shape {covariance.shape}; "
            f"their covariance has {(size, size)}"
        )
    if not (np.isfinite(middle).all() and np.isfinite(spread).all()):
        raise ValueError(f"{what}: {mu} or {sigma} hold NaN or infinity")
    _refuse_no_covariance(spread, sigma, what)
    return Statistics(torch.from_numpy(middle), torch.from_numpy((spread + spread.T) / 2))


def _refuse_no_covariance(spread: Array, name: str, what: str) -> None:
    """Refuse a matrix that is not symmetric, or under which some feature would vary by less than
    nothing."""
    largest = float(np.abs(np.diagonal(spread)).max())
    if float(np.abs(spread - spread.T).max()) > _ASYMMETRY * largest:
        raise ValueError(f"{what}: {name} is not symmetric, so it is not a covariance")
    try:
        np.linalg.cholesky(spread)  # far quicker than eigenvalues, and mostly enough
    except np.linalg.LinAlgError:
        smallest = float(np.linalg.eigvalsh(spread)[0])
        if smallest < -_NEGATIVE * largest:
            raise ValueError(
                f"{what}: {name} has the eigenvalue {smallest:.3g}, so it is not a covariance"
            ) from None
