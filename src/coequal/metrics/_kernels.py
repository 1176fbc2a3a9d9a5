"""The Gaussian kernel, and how wide it has to be to count modes."""

import math

from jaxtyping import Float
from torch import Tensor

from coequal.metrics import _arrays, _two_samples
from coequal.metrics._canonical_order import fixed_order
from coequal.metrics._exact_squares import exact_squares
from coequal.metrics._threads import one_thread
from coequal.metrics._tiles import centre_of
from coequal.metrics._two_samples import Rows

MOST_IMAGES = 1000  # that the width is found by
STEP = 2**0.25  # between two widths that are tried
MOST_ERROR = 0.1  # standard error of the entropy of order 2 of these images
MOST_BIAS = 0.02  # of it: an image is always like itself


def gaussian(first: Rows, second: Rows, width: float) -> Rows:
    """exp(-|x - y|^2 / (2 width)) of all pairs."""
    exponents = first @ second.T
    exponents -= (first * first).sum(1)[:, None] / 2
    exponents -= (second * second).sum(1) / 2
    exponents /= width
    library = _arrays.namespace(first)
    return library.exp(library.clip(exponents, None, 0, out=exponents), out=exponents)


def gaussian_matrix(
    first: Float[Tensor, "n d"], second: Float[Tensor, "m d"], sigma: float
) -> Float[Tensor, "n m"]:
    """exp(-|x - y|^2 / (2 sigma^2)) of all pairs at once, to the last digits of float64; exactly 1
    for equal features."""
    squares = exact_squares(first, second, centre_of(first))
    return squares.div_(-2 * sigma**2).exp_()


def bandwidth(real: Float[Tensor, "m d"]) -> float:
    """The sigma at which a Gaussian kernel tells as many modes apart as the real images allow.

    The smallest of a row of widths for which the entropy of order 2 (see `rke`) of at most
    `MOST_IMAGES` of these images has a standard error of at most `MOST_ERROR` and, since an image
    is always like itself, a bias of at most `MOST_BIAS`. The rule is a choice of this project: the
    programs of Jalali et al. 2023 and Zhang et al. 2024 take the width as an argument.

    Returns:
        sigma; 0 if all features are the same.
    """
    order = fixed_order(real)
    some = order[:: max(1, math.ceil(len(real) / MOST_IMAGES))].to(real.device)
    rows, count = _arrays.array_of(real[some].double() - centre_of(real).double()), len(some)
    sigma = math.sqrt(2 * float((rows * rows).sum()) / max(count - 1, 1))
    found = sigma
    while sigma > 0:
        mean, variance = mean_similarity(rows, sigma)
        itself = 1 / (1 + (count - 1) * mean)  # part of the mean over all pairs
        if variance is None or itself > MOST_BIAS or variance > (MOST_ERROR * mean) ** 2:
            break
        found, sigma = sigma, sigma / STEP
    return found


def mean_similarity(rows: Rows, sigma: float) -> _two_samples.MeanOfPairs:
    """The mean of the squared kernel over pairs of different images; features (n, d) less any
    point among them, which saves digits."""

    def squared(first: Rows, second: Rows) -> Rows:
        return gaussian(first, second, sigma**2 / 2)

    with one_thread():
        return _two_samples.mean_of_pairs(rows, squared)
