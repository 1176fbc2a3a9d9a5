"""The distributions from which simulated searches draw a setting's score, and the truth about them.

Scores are log-normal mixtures with failures, times the noise of the evaluation: 2 %, log-normal,
drawn for each split separately. There are six main distributions, and five that are meant to break
methods.
"""

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

    fraction: float
    median: float
    sigma: float  # standard deviation of the log score


@dataclass(frozen=True)
class ScoreDistribution:
    """A mixture of clusters with a fraction of settings that fail, `factor` times as bad."""

    name: str
    parts: tuple[Part, ...]
    failures: float = 0.0
    factor: float = 1.0

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[Array, Array]:
        """Validation and test scores, each of `shape`; failures are infinite on both."""
        kind = rng.choice(len(self.parts), size=shape, p=[part.fraction for part in self.parts])
        medians = np.log([part.median for part in self.parts])
        sigmas = np.array([part.sigma for part in self.parts])
        content = medians[kind] + sigmas[kind] * rng.standard_normal(shape) + np.log(self.factor)
        content[rng.random(shape) < self.failures] = np.inf
        noise = NOISE * rng.standard_normal((2, *shape))
        validation, test = np.exp(content + noise)
        return validation, test

    def times(self, factor: float) -> "ScoreDistribution":
        """Return this distribution with scores worse by a factor."""
        return replace(self, name=f"{self.name} x {factor:g}", factor=self.factor * factor)


def _mixture(
    name: str, *parts: tuple[float, float, float], failures: float = 0.0
) -> ScoreDistribution:
    return ScoreDistribution(name, tuple(Part(*part) for part in parts), failures)


_GOOD = ((0.15, 25, 0.08), (0.60, 45, 0.35), (0.25, 150, 0.6))
_RARE = ((0.04, 20, 0.08), (0.66, 50, 0.30), (0.30, 150, 0.6))
MAIN = (
    _mixture("plain", (1, 60, 0.6)),
    _mixture("good", *_GOOD),
    _mixture("rare", *_RARE),
    _mixture("good30", *_GOOD, failures=0.3),
    _mixture("rare50", *_RARE, failures=0.5),
    _mixture("heavy10", (0.5, 30, 0.15), (0.5, 200, 1.0), failures=0.1),
)
BREAKERS = (
    _mixture("needle", (0.01, 15, 0.08), (0.99, 50, 0.3)),
    _mixture("tight", (1, 30, 0.05)),
    _mixture("wide", (1, 80, 1.2)),
    _mixture("fail50", (1, 60, 0.4), failures=0.5),
    _mixture("two-good", (0.5, 25, 0.03), (0.5, 26, 0.03), failures=0.2),
)
ALL = MAIN + BREAKERS
DISTRIBUTIONS = {distribution.name: distribution for distribution in ALL}


def true_best(
    distribution: ScoreDistribution, budget: float, *, by_validation: bool = False
) -> float:
    """The expected best of n, failures at the cap."""
    large = _large(distribution, 0, by_validation)
    return float(_rank_probabilities(budget) @ np.minimum(large.test, CAP))


def true_better(
    a: ScoreDistribution, b: ScoreDistribution, budget: float, *, by_validation: bool = False
) -> float:
    """P(A better than B at n); two failures are an even match."""
    if a == b:
        return 0.5
    left, right = _large(a, 0, by_validation), _large(b, 1, by_validation)
    probabilities = _rank_probabilities(budget)
    reached = np.concatenate([[0.0], np.cumsum(probabilities[right.by_test])])
    ordered = right.test[right.by_test]
    ranks = [np.searchsorted(ordered, left.test, side=side) for side in ("left", "right")]
    return float(probabilities @ (1 - (reached[ranks[0]] + reached[ranks[1]]) / 2))


class _Large(NamedTuple):
    test: Array  # in the order of what the search looks at
    by_test: NDArray[np.int_]  # which sorts it


@cache
def _large(distribution: ScoreDistribution, stream: int, by_validation: bool) -> _Large:
    selection_scores, test = distribution.draw(np.random.default_rng([7, stream]), (LARGE,))
    test = test[np.argsort(selection_scores if by_validation else test)]
    return _Large(test, np.argsort(test))


def _rank_probabilities(budget: float) -> Array:
    """Of each rank to be the best of n: with replacement, which at this size is no difference."""
    tail = np.linspace(1, 0, LARGE + 1) ** budget
    return tail[:-1] - tail[1:]
