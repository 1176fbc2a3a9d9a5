"""How much each hyperparameter of a model's search mattered, in which direction, and whether the
best settings lie at the edge of its range.

The measure is the fraction of the variance of the settings' ranks that one hyperparameter explains
by itself: a first-order Sobol' index of the rank-transformed score (Saltelli and Sobol' 1995,
Reliab. Eng. Syst. Saf. 50, 225-239). It is estimated from the search's own draws by regression: on
a parabola in the position on the range for numbers (so that a good middle counts as much as a good
end), and on one mean per value for categorical hyperparameters, where it is Kruskal and Wallis's H
/ (settings - 1). It is adjusted for the number of regressors (Ezekiel's adjusted R^2). Failed
settings all have the worst rank.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from coequal.statistics.multiplicity import holm
from coequal.statistics.search import Array, worst_last

Direction = Literal["lower", "higher", "middle", "ends"]

MIN_SETTINGS = 10
"""Number of drawn settings below which no influence is estimated."""
MAX_SHUFFLED_RANKS = 10_000_000
MAX_RANKS_IN_MEMORY = 2_000_000
"""Number of shuffled ranks that are in memory at a time."""


@dataclass(frozen=True)
class Numeric:
    """The values that a search drew of one numeric hyperparameter, and its range.

    Attributes:
        values: (settings,) drawn values.
        low: lower end of the range.
        high: upper end of the range.
        log: whether the range is uniform in the logarithm.
    """

    values: Array
    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Categorical:
    """The values that a search drew of a hyperparameter with a list of values.

    Attributes:
        values: (settings,) drawn values.
    """

    values: tuple[str, ...]


@dataclass(frozen=True)
class Edge:
    """Where the best settings lie on a range, from 0 (low end) to 1 (high end).

    Attributes:
        positions: positions of the best settings on the range, best setting first.
        nearest: the end of the range that they are nearest to.
        distance: the largest distance of any of them from that end, as a fraction of the range.
        probability: probability that as many settings, picked at random from all, lie as near to
            one end.
        adjusted: that probability after Holm's adjustment over the numeric hyperparameters.
    """

    positions: tuple[float, ...]
    nearest: Literal["low", "high"]
    distance: float
    probability: float
    adjusted: float

    @property
    def warns(self) -> bool:
        """Whether the range may be too narrow on that side, at 95 %."""
        return self.adjusted <= 0.05


@dataclass(frozen=True)
class Influence:
    """What one hyperparameter did in one model's search.

    Attributes:
        name: the hyperparameter.
        sobol_index: estimated fraction of the variance of the ranks, with its sign; below 0 means
            none.
        p_value: p-value by permutation of the scores.
        adjusted: p-value after Holm's adjustment over the hyperparameters.
        direction: which values were better; None for a categorical hyperparameter, or where the
            index is not above 0.
        best_value: the categorical value with the lowest mean rank; None for numbers.
        edge: where the best settings lie on the range; None for a categorical hyperparameter.
    """

    name: str
    sobol_index: float
    p_value: float
    adjusted: float
    direction: Direction | None
    best_value: str | None
    edge: Edge | None


def influences(
    scores: Array,
    parameters: Mapping[str, Numeric | Categorical],
    *,
    rng: np.random.Generator,
    permutations: int = 2000,
) -> tuple[Influence, ...]:
    """Return the influence of every hyperparameter of one model, the largest first.

    Args:
        scores: (settings,) scores of the settings drawn from the ranges, that is without the
            authors' setting; NaN or infinity for a failure; lower is better.
        parameters: the values drawn of each hyperparameter, by name.
        rng: source of the permutations.
        permutations: number of permutations; p-values are at least 1 / (permutations + 1). For very
            many settings fewer are made, as many as `MAX_SHUFFLED_RANKS` allows, but at least 500.

    Raises:
        ValueError: there are fewer than `MIN_SETTINGS` settings, or the numbers of values differ.
    """
    settings = len(scores)
    if settings < MIN_SETTINGS:
        raise ValueError(f"needs at least {MIN_SETTINGS} settings, got {settings}")
    wrong = [name for name, drawn in parameters.items() if len(drawn.values) != settings]
    if wrong:
        raise ValueError(f"needs a value for each of {settings} settings: {', '.join(wrong)}")
    ranks = rankdata(worst_last(scores))
    apart = ranks - ranks.mean()
    bases = {name: _basis(drawn) for name, drawn in parameters.items()}
    permutations = min(permutations, max(500, MAX_SHUFFLED_RANKS // settings))
    p_values = _p_values(apart, list(bases.values()), rng, permutations)
    tested = zip(bases, p_values.tolist(), holm(p_values).tolist(), strict=True)
    edges = _edges(scores, parameters)
    results = [
        _influence(name, parameters[name], apart, bases[name], edges.get(name), (p, adjusted))
        for name, p, adjusted in tested
    ]
    return tuple(sorted(results, key=lambda one: (-one.sobol_index, one.name)))


def position(drawn: Numeric) -> Array:
    """Return where drawn values lie on their range, 0 at the low end and 1 at the high one.

    Args:
        drawn: the values and their range.

    Returns:
        (settings,) positions; on the log scale where the range is uniform in the logarithm.

    Raises:
        ValueError: the range is empty, or is logarithmic and does not lie above 0.
    """
    if not drawn.low < drawn.high or (drawn.log and drawn.low <= 0):
        raise ValueError(f"not a range: {drawn.low} to {drawn.high}, log: {drawn.log}")
    low, high, values = drawn.low, drawn.high, np.asarray(drawn.values, dtype=np.float64)
    if drawn.log:
        low, high, values = float(np.log(low)), float(np.log(high)), np.log(values)
    return np.asarray((values - low) / (high - low), dtype=np.float64)


def _influence(
    name: str,
    drawn: Numeric | Categorical,
    apart: Array,
    basis: Array,
    edge: Edge | None,
    p_values: tuple[float, float],
) -> Influence:
    explained = float(_explained(apart, basis))
    settings, regressors = basis.shape
    # With as many values as settings no degrees of freedom remain.
    freedom = settings - 1 - regressors
    index = 1 - (1 - explained) * (settings - 1) / freedom if freedom > 0 else 0.0
    best_value = None
    direction: Direction | None = None
    if isinstance(drawn, Categorical):
        means = {v: float(np.mean(apart[np.array(drawn.values) == v])) for v in set(drawn.values)}
        best_value = min(means, key=lambda value: (means[value], value))
    elif index > 0:
        direction = _direction(apart, position(drawn), basis)
    return Influence(name, index, *p_values, direction, best_value, edge)


def _direction(apart: Array, places: Array, basis: Array) -> Direction:
    """Which of the fitted parabola's low end, high end and turning point is best; both ends if the
    turning point lies inside the range and is worst."""
    fitted = basis @ (basis.T @ apart)
    if basis.shape[1] < 2:  # only two values were drawn: a line
        return "lower" if fitted[np.argmin(places)] < fitted[np.argmax(places)] else "higher"
    square, slope, _ = np.polyfit(places, fitted, 2)
    turn = -slope / (2 * square) if square else np.inf
    if not 0.25 <= turn <= 0.75:  # the parabola runs mostly one way
        return "lower" if slope + square > 0 else "higher"
    return "middle" if square > 0 else "ends"


def _basis(drawn: Numeric | Categorical) -> Array:
    """(settings, regressors) orthonormal columns that a constant is orthogonal to."""
    if isinstance(drawn, Categorical):
        known = sorted(set(drawn.values))
        columns = np.array([[v == value for value in known] for v in drawn.values])
    else:
        places = position(drawn)
        columns = np.stack([places, places**2], axis=1)
    columns = columns - columns.mean(axis=0)
    vectors, strength, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(vectors[:, strength > 1e-9 * max(1.0, strength.max())], dtype=np.float64)


def _explained(apart: Array, basis: Array) -> Array:
    """R^2 of (..., settings) centred ranks on the columns; 0 where all ranks are the same."""
    total = np.sum(apart**2, axis=-1)
    inside = np.sum((apart @ basis) ** 2, axis=-1)
    return np.asarray(np.divide(inside, total, out=np.zeros_like(inside), where=total > 0))


def _p_values(
    apart: Array, bases: Sequence[Array], rng: np.random.Generator, permutations: int
) -> Array:
    """For each basis the proportion of permutations, the observed order among them, that explain as
    much."""
    observed = [float(_explained(apart, basis)) for basis in bases]
    as_much = np.zeros(len(bases))
    rows = max(
        1, MAX_RANKS_IN_MEMORY // len(apart)
    )  # so many permutations at a time: memory stays small
    for start in range(0, permutations, rows):
        tiled = np.tile(apart, (min(rows, permutations - start), 1))
        shuffled = rng.permuted(tiled, axis=1)
        for place, (basis, index) in enumerate(zip(bases, observed, strict=True)):
            as_much[place] += np.sum(_explained(shuffled, basis) >= index - 1e-12)
    return np.asarray((1 + as_much) / (1 + permutations), dtype=np.float64)


def _edges(scores: Array, parameters: Mapping[str, Numeric | Categorical]) -> dict[str, Edge]:
    """Where the best tenth of the settings, at least three of them, lies on each range."""
    order = np.argsort(worst_last(scores), kind="stable")
    count = min(max(3, len(scores) // 10), int(np.sum(np.isfinite(scores))))
    if not count:
        return {}
    edges = {}
    for name, drawn in parameters.items():
        if isinstance(drawn, Numeric):
            edges[name] = _edge(position(drawn), order[:count])
    adjusted = holm(np.array([edge.probability for edge in edges.values()]))
    return {
        name: replace(edge, adjusted=float(p))
        for (name, edge), p in zip(edges.items(), adjusted, strict=True)
    }


def _edge(places: Array, best: NDArray[np.intp]) -> Edge:
    chosen = places[best]
    from_low, from_high = float(chosen.max()), float(1 - chosen.min())
    distance = min(from_low, from_high)
    low, high = places <= distance + 1e-12, places >= 1 - distance - 1e-12
    # Picked blindly from what was drawn, not from a uniform distribution: exact for any range and
    # any steps.
    near = [math.comb(int(np.sum(side)), len(best)) for side in (low, high, low & high)]
    probability = (near[0] + near[1] - near[2]) / math.comb(len(places), len(best))
    nearest: Literal["low", "high"] = "low" if from_low <= from_high else "high"
    return Edge(tuple(chosen.tolist()), nearest, distance, probability, probability)
