"""Gaussians fitted to features, and the Fréchet distance between two: float64, no digit given away.

The hard term is tr (C_r C_f)^(1/2), the sum of the singular values of R'F where RR' = C_r and
FF' = C_f. Three rules keep it exact. (1) A root R is never taken of a covariance that is singular
or nearly so: then it comes from the features themselves (all of them, or a QR decomposition), for
in a covariance the small half of the digits is lost. (2) Singular values are roots of the
eigenvalues of R'C_f R, which is fast, only if rounding can't be seen in them; else a singular
value decomposition is made. (3) Nothing is added to a diagonal, and nothing is dropped.
"""

import math
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import scipy.linalg
import torch
from numpy.typing import NDArray
from scipy.linalg.blas import dsyrk, dtrmm
from scipy.linalg.lapack import dpotrf, dsygst
from torch import Tensor

from coequal.metrics import _arrays
from coequal.metrics._arrays import SumOfProducts
from coequal.metrics._eigen import Eigen

Array = NDArray[np.float64]
Parts = Callable[[int], Iterator[Tensor]]  # takes a number of rows: the features, so many at a time

ROWS = 2000  # so many images are in float64 at once
SAFE_PIVOT = 1e-8  # of the largest variance; below, a Cholesky root has lost digits that count
TOLERANCE = 1e-11  # of both traces, for an estimate of rounding errors that is far above them
MUCH_BIAS = 0.2  # of a distance, which is told from there on
EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Mean and covariance (n - 1) of features, in the forms that the distance can use.

    Attributes:
        mean: (d,).
        trace: of the covariance.
        count: of images; None if it is not known.
        root: (d, r), root root' = covariance; lower triangular if it is square.
        covariance: (d, d), lower triangle; None for no more images than features.
        parts: the features (n, d), some rows at a time.
    """

    mean: Array
    trace: float
    count: int | None
    root: Array | None = None
    covariance: Array | None = None
    parts: Parts | None = None
    reductions: MutableMapping["Gaussian", Eigen] = field(
        init=False, default_factory=WeakKeyDictionary
    )
    """Of R'CR, C being this covariance and R the root of another Gaussian."""

    def rooted(self) -> Array:
        """The root, made if it isn't there."""
        return self._made_root if self.root is None else self.root

    @cached_property
    def _made_root(self) -> Array:
        if self.covariance is None:
            return _thin_root(self)
        root, failed = dpotrf(self.covariance, lower=1, clean=1)
        least = SAFE_PIVOT * np.diagonal(self.covariance).max()
        if not failed and np.square(np.diagonal(root)).min() >= least:
            return np.asarray(root)
        return _stated_root(self.covariance) if self.parts is None else _qr_root(self)

    def tensors(self) -> dict[str, Tensor]:
        """What a reference keeps: mean (d,), root (d, r), trace () and count (), if it is known."""
        count = {} if self.count is None else {"count": torch.tensor(self.count)}
        return {
            "mean": torch.from_numpy(self.mean),
            "root": torch.from_numpy(np.ascontiguousarray(self.rooted())),
            "trace": torch.tensor(self.trace, dtype=torch.float64),
            **count,
        }


def from_tensors(kept: Mapping[str, Tensor]) -> Gaussian:
    """The Gaussian of which these are the `tensors`."""
    mean, root = (_arrays.on_cpu(kept[name]) for name in ("mean", "root"))
    count = int(kept["count"]) if "count" in kept else None
    return Gaussian(mean, float(kept["trace"]), count, np.asfortranarray(root))


def fit(features: Tensor) -> Gaussian:
    """The Gaussian of at least two rows of features."""
    return fit_parts(features.split)


def fit_parts(parts: Parts) -> Gaussian:
    """The Gaussian of at least two rows of features, in memory of order d^2 whatever their number.

    Sums are float64 and made twice: of the features, then of what they differ from the mean by.
    """
    count, mean = _mean(parts)
    size = len(mean)
    if count <= size:
        squares = [float((part * part).sum()) for part in _centred(parts, mean)]
        trace = sum(squares) / (count - 1)
        return Gaussian(mean, trace, count, parts=parts)
    products = SumOfProducts(size)
    for part in _centred(parts, mean):
        products.add(part, 1 / (count - 1))
    covariance = products.lower()
    return Gaussian(mean, float(covariance.trace()), count, covariance=covariance, parts=parts)


def stated(mean: Array, covariance: Array, count: int | None) -> Gaussian:
    """The Gaussian of statistics from elsewhere, of which no features are known, and perhaps not
    the number of images."""
    whole = np.asfortranarray(covariance, dtype=np.float64)
    return Gaussian(np.asarray(mean, np.float64), float(whole.trace()), count, covariance=whole)


def full_covariance(gaussian: Gaussian) -> Array:
    """(d, d), both triangles."""
    if gaussian.covariance is None:
        root = gaussian.rooted()
        return np.asarray(root @ root.T)
    lower = np.tril(gaussian.covariance)
    return np.asarray(lower + np.tril(lower, -1).T)


def distance(*, real: Gaussian, fake: Gaussian, spectrum: Array) -> float:
    """|m_r - m_f|^2 + tr C_r + tr C_f - 2 tr (C_r C_f)^(1/2); `spectrum` is that of both."""
    shift = float(np.square(real.mean - fake.mean).sum())
    return shift + real.trace + fake.trace - 2 * float(spectrum.sum())


def common_spectrum(*, real: Gaussian, fake: Gaussian) -> Array:
    """The eigenvalues of (C_r C_f)^(1/2): the singular values of R'F. Zeros may be left out."""
    root, cross = real.rooted(), None
    if fake.covariance is not None and root.shape[0] == root.shape[1]:
        squares = _between(real, fake).values
    else:
        cross = _cross(root, fake.rooted())
        sandwich = dsyrk(1.0, cross, lower=1, trans=int(cross.shape[0] > cross.shape[1]))
        squares = Eigen(sandwich).values
    # Rounding moves every eigenvalue by some `noise`, its root by noise / (2 root).
    noise = EPSILON * max(squares[-1], 0.0)
    error = noise * math.sqrt((0.25 / np.maximum(squares, noise)).sum()) if noise else 0.0
    if error <= TOLERANCE * (real.trace + fake.trace):
        return np.asarray(np.sqrt(np.maximum(squares, 0.0)))
    cross = _cross(root, fake.rooted()) if cross is None else cross
    return np.asarray(scipy.linalg.svdvals(cross, check_finite=False))


def _between(real: Gaussian, fake: Gaussian) -> Eigen:
    """R'C_f R, which the distance and its derivatives share; the root R is square."""
    if real not in fake.reductions:
        sandwich, _ = dsygst(fake.covariance, real.rooted(), itype=2, lower=1)
        fake.reductions[real] = Eigen(sandwich)
    return fake.reductions[real]


def first_order_bias(
    *, real: Gaussian, fake: Gaussian, spectrum: Array, response: "Response | None" = None
) -> float:
    """How much too large the distance is on average, to first order in 1/counts.

    With n and m the counts of fake and real images it is

        tr C_f / n + tr C_r / m + (1/n + 1/m) / 2 * P,

    whose first two terms are exact for any distribution. P is the second derivative of the trace of
    the root times n times the variance of the fake covariance (see `Response`); without a
    `response` that of Gaussian features, sum_ij s_i s_j (1 + [i = j]) / (s_i + s_j), s the common
    spectrum. The variance of the real covariance is taken to be as large as that of the fake one,
    which holds where both distributions are the same: there the bias is what matters. Both counts
    have to be known.
    """
    assert real.count is not None
    assert fake.count is not None
    s = spectrum[spectrum > 0]
    means = fake.trace / fake.count + real.trace / real.count
    if response is None:
        pairs = float((np.outer(s, s) / np.add.outer(s, s)).sum() + s.sum() / 2)
    else:
        pairs = response.pairs
    return means + (1 / fake.count + 1 / real.count) * pairs / 2


def bias_warning(distance: float, bias: float) -> tuple[str, ...]:
    """What to say beside a distance of which much is bias; nothing if little is."""
    if bias <= MUCH_BIAS * distance:
        return ()
    part = "all" if bias >= distance else f"about {bias / distance:.0%}"
    return (f"{part} of it is the bias of few images: compare at equal counts only",)


@dataclass(frozen=True, eq=False)
class Response:
    """How the distance answers to single fake images.

    Attributes:
        influences: (n,) how much each fake image moves the distance, times n; their mean is 0.
        pairs: sum_ij (E h_i^2 h_j^2 - (E h_i h_j)^2) / (s_i + s_j) of the projections h of the fake
            images whose variances are the common spectrum s: the second-order term of the bias,
            with the fourth moments that the features have.
    """

    influences: Array
    pairs: float

    def error(self, labels: Tensor | None = None) -> float:
        """The standard error of the distance, over new fake images.

        Args:
            labels: (n,) classes of which the new images have the same numbers; None: they are
                independent draws.
        """
        centred, degrees = self.influences, len(self.influences) - 1
        if labels is not None:
            _, place = np.unique(labels.cpu().numpy(), return_inverse=True)
            means = np.bincount(place, self.influences) / np.bincount(place)
            centred, degrees = self.influences - means[place], len(place) - len(means)
        return math.sqrt(float(np.square(centred).sum()) / degrees / len(centred))


def response(*, real: Gaussian, fake: Gaussian) -> Response | None:
    """The first and second derivatives of the distance by the fake images' weights.

    The influence is 2 (m_f - m_r)'c + c'(I - T)c, less its mean, for c = x - m_f and T the
    transport map from the fake to the real Gaussian. None for no more images than features: then a
    further image adds a direction, and the distance has no derivative. None for statistics, too.
    """
    if fake.covariance is None or fake.parts is None or fake.count is None:
        return None
    root = real.rooted()
    if root.shape[0] == root.shape[1]:
        squares, vectors = _between(real, fake).vectors
    else:
        squares, vectors = Eigen(np.asfortranarray(root.T @ full_covariance(fake) @ root)).vectors
    seen = squares > len(squares) * EPSILON * squares[-1]
    half = root @ (vectors[:, seen] * squares[seen] ** -0.25)  # half half' = T
    effects, fourth = _effects(fake, half, 2 * (fake.mean - real.mean))
    spectrum = np.sqrt(squares[seen])
    fourth /= np.add.outer(spectrum, spectrum)  # of which the upper triangle is left empty
    pairs = 2 * float(fourth.sum()) - float(fourth.trace()) - float(spectrum.sum()) / 2
    return Response(np.asarray(effects - effects.mean()), pairs)


def _effects(fake: Gaussian, half: Array, shift: Array) -> tuple[Array, Array]:
    """Of each fake image c, less the mean, the number shift'c + |c|^2 - |half'c|^2; and of the
    squares of half'c the mean products of pairs, in the lower triangle (r, r)."""
    assert fake.parts is not None
    assert fake.count is not None
    effects, products = [], SumOfProducts(half.shape[1])
    for part in _centred(fake.parts, fake.mean):
        along = _squares(part @ _arrays.like(half, part))
        own = part @ _arrays.like(shift, part)
        effects.append(_arrays.on_cpu(own + _squares(part).sum(1) - along.sum(1)))
        if half.shape[1]:  # nothing where all images are alike
            products.add(along, 1 / fake.count)
    return np.concatenate(effects), products.lower()


def _squares(values: _arrays.Array) -> _arrays.Array:
    return values * values


def _cross(root: Array, other: Array) -> Array:
    """root' other; a square root is triangular."""
    if root.shape[0] == root.shape[1]:
        return np.asarray(dtrmm(1.0, root, other, lower=1, trans_a=1))
    return np.asfortranarray(root.T @ other)


def _mean(parts: Parts) -> tuple[int, Array]:
    """How many rows there are, and their mean."""
    count, total = 0, 0.0
    for rows in map(_arrays.array_of, parts(ROWS)):
        total = total + rows.sum(0, dtype=_arrays.namespace(rows).float64)
        count += len(rows)
    return count, _arrays.on_cpu(total) / count


def _centred(parts: Parts, mean: Array, at_once: int | None = None) -> Iterator[_arrays.Array]:
    """The features less their mean, some rows at a time, where they lie."""
    for rows in parts(at_once or ROWS):
        yield _arrays.centred(rows, mean)


def _thin_root(gaussian: Gaussian) -> Array:
    """(d, n - 1), for no more images than features.

    A reflection takes (1, .., 1) to the first axis. It turns centred rows, which add up to zero,
    into a first row of zeros, left out here, and c_i + c_1 / (sqrt(n) - 1).
    """
    assert gaussian.parts is not None
    assert gaussian.count is not None
    (centred,) = map(_arrays.on_cpu, _centred(gaussian.parts, gaussian.mean, gaussian.count))
    turned = centred[1:] + centred[0] / (math.sqrt(gaussian.count) - 1)
    return np.asarray(turned.T / math.sqrt(gaussian.count - 1))


def _qr_root(gaussian: Gaussian) -> Array:
    """(d, d) lower triangular, from the features part by part."""
    assert gaussian.parts is not None
    assert gaussian.count is not None
    triangle = None
    for part in _centred(gaussian.parts, gaussian.mean, max(ROWS, 4 * len(gaussian.mean))):
        rows = part if triangle is None else _arrays.concatenated(triangle, part)
        triangle = _arrays.triangle(rows)
    return np.asarray(_arrays.on_cpu(triangle).T / math.sqrt(gaussian.count - 1))


def _stated_root(covariance: Array) -> Array:
    """(d, d) lower triangular, of a singular covariance: what rounding made of 0 counts as 0."""
    values, vectors = scipy.linalg.eigh(covariance, lower=True)
    kept = np.where(values > len(values) * EPSILON * values[-1], values, 0.0)
    triangle = np.asarray(np.linalg.qr((vectors * np.sqrt(kept)).T, mode="r"))
    return np.asfortranarray(triangle.T)
