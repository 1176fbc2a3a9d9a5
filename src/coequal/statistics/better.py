"""P(A better than B at n): the probability that the best of n settings of A beats that of B.

The probability has a closed form over both measured searches: P = w_A' M w_B, where M is the table
of which setting beats which (failures are worst; ties, and two failures, count one half) and w is
the probability of each setting to be the one chosen (`search.Search`). At n = 1 it is the statistic
of Mann and Whitney 1947, and its standard error is that of DeLong et al. 1988, extended here to any
n through the influence of each setting.

Models of a study share the draws of their common hyperparameters: the i-th setting of A and the
i-th of B are one draw. Their influences are therefore added before they are squared, as in a paired
test, which is right whether good settings of A are good for B or bad for it.

The coverage of the intervals was simulated (docs/explanation/validation.md); `better` picks the
interval that is known to cover, and names it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtri

from coequal.statistics.best_of import influences
from coequal.statistics.rates import Interval, newcombe
from coequal.statistics.search import Array, Search, worst_last
from coequal.statistics.spacings import MAX_BUDGET_RATIO, TooFewSettings, refuse_beyond
from coequal.statistics.wins import mass_below

LOGIT_MAX_RATIO, LOGIT_MIN_SETTINGS = 0.2, 20
"""Largest n/B, and least B, for which the logit interval covers."""
BY_LOGIT = "normal interval on the logit scale, from each setting's influence"
BY_SCORE = "score interval (Newcombe), as of B/n independent searches"
MIN_STANDARD_ERROR = 1e-9
"""Standard errors below this are rounding errors and count as 0."""


@dataclass(frozen=True)
class Better:
    """P(A better than B at n) with its interval.

    Attributes:
        probability: point estimate, unbiased (without replacement).
        low: lower end of the interval over the draw of settings.
        high: upper end of that interval.
        se: first-order standard error of the probability; NaN with a single setting.
        z: normal score of "A is better than B"; see `pair_z`. NaN with a single setting.
        method: how the interval was made, as the report prints it.
    """

    probability: float
    low: float
    high: float
    se: float
    z: float
    method: str


def probability_better(a: Search, b: Search) -> float:
    """Return the probability that A's search reports a lower score than B's, both drawn
    independently.

    The estimate is unbiased: searches draw without replacement.

    Args:
        a: A's search.
        b: B's search; its number of settings and its budget may differ from A's.
    """
    a, b = a.in_order(), b.in_order()
    left, right = worst_last(a.scores), worst_last(b.scores)
    probabilities_a, probabilities_b = a.choice_probabilities(), b.choice_probabilities()
    won = float(mass_below(left, probabilities_a, right, a.by_score) @ probabilities_b)
    lost = float(mass_below(right, probabilities_b, left, b.by_score) @ probabilities_a)
    return won / (won + lost)  # both add up to 1 but for the last digit: 0 and 1 are exact


def standard_error(a: Search, b: Search) -> float:
    """Return the standard error of `probability_better` over the draw of the settings of both.

    Args:
        a: A's search in the order drawn; its budget may be real.
        b: B's search. With as many settings as A's, the i-th of both are taken as one draw;
            otherwise the two searches are taken as independent.

    Raises:
        TooFewSettings: a side has fewer than two settings.
    """
    if min(a.settings, b.settings) < 2:
        raise TooFewSettings("a standard error needs at least two settings of each model")
    error = paired_error(*pair_influences(a, b))
    return error if error > MIN_STANDARD_ERROR else 0.0


def pair_influences(a: Search, b: Search) -> tuple[Array, Array]:
    """Return the influences of A's and of B's settings on P(A better than B), in their order.

    Args:
        a: A's search.
        b: B's search.
    """
    left, right = worst_last(a.scores), worst_last(b.scores)
    chosen_a, chosen_b = (side.choice_probabilities(replacement=True) for side in (a, b))
    return (
        search_influences(a, lambda x: 1 - mass_below(right, chosen_b, worst_last(x), b.by_score)),
        search_influences(b, lambda x: mass_below(left, chosen_a, worst_last(x), a.by_score)),
    )


def search_influences(search: Search, value: Callable[[Array], Array]) -> Array:
    """Return the influence of each setting of a search on the expectation of a value.

    Where the best settings by validation report a fresh seed, one more good setting pushes another
    one out of them: it then reports its own run again. With k of B settings retrained, the
    influence of setting j has in addition (1{j retrained} - k/B) n (1 - k/B)^(n-1) times the mean
    of g(own) - g(fresh) over the worst half of the retrained settings, which estimates the step at
    their border.

    Args:
        search: gives the budget, and the scores that it selects by.
        value: g, the finite values that scores count as.
    """
    found = influences(value(search.scores), search.budget, choose_by=search.selection_scores)
    if search.own is None or search.choose_by is None:
        return found
    retrained = ~np.isnan(search.own)
    fraction = float(np.mean(retrained))
    if not 0 < fraction < 1:
        return found
    places = np.flatnonzero(retrained)
    by = worst_last(search.choose_by)[places]
    worst = places[np.argsort(-by, kind="stable")[: math.ceil(len(places) / 2)]]
    step = float(np.mean(value(search.own[worst]) - value(search.scores[worst])))
    density = search.budget * (1 - fraction) ** (search.budget - 1)
    return np.asarray(found + (retrained - fraction) * density * step, dtype=np.float64)


def paired_error(a: Array, b: Array) -> float:
    """Return the standard error of a sum over two searches.

    Args:
        a: (settings of A,) influences of A's settings on the sum, in the order drawn.
        b: (settings of B,) those of B's. With as many settings as A's, the i-th of both are one
            draw; otherwise the searches are independent.
    """
    if len(a) == len(b):
        return influence_error(a + b)
    return math.hypot(influence_error(a), influence_error(b))


def influence_error(influence: Array) -> float:
    """Return the standard error of a number over the draw of settings.

    Args:
        influence: (settings,) of each setting on the number, two settings at least.
    """
    settings = len(influence)
    return math.sqrt(float(influence @ influence) / (settings * (settings - 1)))


def pair_z(a: Search, b: Search) -> float:
    """Return the normal score of "A is better than B at n" on the logit scale.

    Swapping A and B changes its sign. It is 0 where nothing differs, and infinite where all
    settings of one side beat all of the other.

    Args:
        a: A's search in the order drawn.
        b: B's search in the order drawn; see `standard_error`.

    Raises:
        TooFewSettings: a side has fewer than two settings.
    """
    return _normal_score(probability_better(a, b), standard_error(a, b), _edge(a, b))


def _normal_score(probability: float, se: float, edge: float) -> float:
    middle, spread = _on_logit_scale(probability, se, edge)
    if abs(middle) < 1e-12:
        return 0.0
    return math.copysign(math.inf, middle) if spread == 0 else middle / spread


def _edge(a: Search, b: Search) -> float:
    """How near to 0 and 1 these numbers of settings can see: half a setting."""
    return 1 / (2 * min(a.settings, b.settings))


def _on_logit_scale(probability: float, se: float, edge: float) -> tuple[float, float]:
    """P, kept off 0 and 1, and its standard error, as logits."""
    inside = min(max(probability, edge), 1 - edge)
    return float(logit(inside)), se / (inside * (1 - inside))


def better(a: Search, b: Search, *, level: float = 0.05) -> Better:
    """Return P(A better than B at n) with an interval that is known to cover.

    The interval is on the logit scale for n/B up to 0.2 with 20 settings or more. Elsewhere, and
    wherever one model won all but half a setting's worth (what was never seen, such as a rare
    cluster of good settings, has no standard error), it is Newcombe's score interval, as if each
    search had been done B/n times independently. Only the order of the scores counts, so there is
    neither a cap nor a floor.

    Args:
        a: A's search in the order drawn.
        b: B's search in the order drawn; its number of settings and its budget may differ from
            A's.
        level: probability that the interval misses the truth, in (0, 1).

    Raises:
        TooFewSettings: n/B is above one half for A or B.
    """
    ratio, least = max(a.ratio, b.ratio), min(a.settings, b.settings)
    for side in (a, b):
        refuse_beyond(MAX_BUDGET_RATIO, side.budget, side.settings)
    probability = probability_better(a, b)
    se = standard_error(a, b) if least > 1 else math.nan
    edge = _edge(a, b)
    z = _normal_score(probability, se, edge)
    seen_both_ways = se > 0 and edge < probability < 1 - edge
    if ratio <= LOGIT_MAX_RATIO and least >= LOGIT_MIN_SETTINGS and seen_both_ways:
        middle, spread = _on_logit_scale(probability, se, edge)
        reach = float(-ndtri(level / 2)) * spread
        ends = Interval(float(expit(middle - reach)), float(expit(middle + reach)))
        return Better(probability, *ends, se, z, BY_LOGIT)
    ends = newcombe(probability, 1 / a.ratio, 1 / b.ratio, level)
    return Better(probability, *ends, se, z, BY_SCORE)
