"""The laws from which simulated searches draw one setting's score, and the truth about them.

Scores are log-normal mixtures with failures, times the evaluation's noise: 2 %, log-normal, drawn
for each split by itself. Six main laws, and five that are there to break methods."""

from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
NOISE, CAP, FLOOR = 0.02, 500.0, 0.0
LARGE = 500_000  # settings of which the truth is taken


class Part(NamedTuple):
    """A cluster of settings."""

    share: float
    median: float
    sigma: float  # standard deviation of the log score


@dataclass(frozen=True)
class Law:
    """A mixture of clusters, and the share of settings that fail; `factor` times as bad as is."""

    name: str
    parts: tuple[Part, ...]
    failures: float = 0.0
    factor: float = 1.0

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[Array, Array]:
        """Validation and test scores, each of `shape`; failures are infinite on both."""
        kind = rng.choice(len(self.parts), size=shape, p=[part.share for part in self.parts])
        medians = np.log([part.median for part in self.parts])
        sigmas = np.array([part.sigma for part in self.parts])
        content = medians[kind] + sigmas[kind] * rng.standard_normal(shape) + np.log(self.factor)
        content[rng.random(shape) < self.failures] = np.inf
        noise = NOISE * rng.standard_normal((2, *shape))
        validation, test = np.exp(content + noise)
        return validation, test

    def times(self, factor: float) -> "Law":
        """The same, worse by a factor."""
        return replace(self, name=f"{self.name} x {factor:g}", factor=self.factor * factor)


def _law(name: str, *parts: tuple[float, float, float], failures: float = 0.0) -> Law:
    return Law(name, tuple(Part(*part) for part in parts), failures)


_GOOD = ((0.15, 25, 0.08), (0.60, 45, 0.35), (0.25, 150, 0.6))
_RARE = ((0.04, 20, 0.08), (0.66, 50, 0.30), (0.30, 150, 0.6))
MAIN = (
    _law("plain", (1, 60, 0.6)),
    _law("good", *_GOOD),
    _law("rare", *_RARE),
    _law("good30", *_GOOD, failures=0.3),
    _law("rare50", *_RARE, failures=0.5),
    _law("heavy10", (0.5, 30, 0.15), (0.5, 200, 1.0), failures=0.1),
)
BREAKERS = (
    _law("needle", (0.01, 15, 0.08), (0.99, 50, 0.3)),
    _law("tight", (1, 30, 0.05)),
    _law("wide", (1, 80, 1.2)),
    _law("fail50", (1, 60, 0.4), failures=0.5),
    _law("two-good", (0.5, 25, 0.03), (0.5, 26, 0.03), failures=0.2),
)
ALL = MAIN + BREAKERS
LAWS = {law.name: law for law in ALL}


def true_best(law: Law, budget: float, *, by_validation: bool = False) -> float:
    """The expected best of n, failures at the cap."""
    large = _large(law, 0, by_validation)
    return float(_chances(budget) @ np.minimum(large.test, CAP))


def true_median(law: Law, budget: float) -> float:
    """The median of the best of n where the search reports what it looks at."""
    return float(np.quantile(_large(law, 0, False).test, 1 - 2 ** (-1 / budget), method="lower"))


def true_better(a: Law, b: Law, budget: float, *, by_validation: bool = False) -> float:
    """P(A better than B at n); two failures are an even match."""
    if a == b:
        return 0.5
    left, right = _large(a, 0, by_validation), _large(b, 1, by_validation)
    chances = _chances(budget)
    reached = np.concatenate([[0.0], np.cumsum(chances[right.by_test])])
    ordered = right.test[right.by_test]
    ranks = [np.searchsorted(ordered, left.test, side=side) for side in ("left", "right")]
    return float(chances @ (1 - (reached[ranks[0]] + reached[ranks[1]]) / 2))


class _Large(NamedTuple):
    test: Array  # in the order of what the search looks at
    by_test: NDArray[np.int_]  # which sorts it


@cache
def _large(law: Law, stream: int, by_validation: bool) -> _Large:
    looked_at, test = law.draw(np.random.default_rng([7, stream]), (LARGE,))
    test = test[np.argsort(looked_at if by_validation else test)]
    return _Large(test, np.argsort(test))


def _chances(budget: float) -> Array:
    """Of each rank to be the best of n: with replacement, which at this size is no difference."""
    tail = np.linspace(1, 0, LARGE + 1) ** budget
    return tail[:-1] - tail[1:]
