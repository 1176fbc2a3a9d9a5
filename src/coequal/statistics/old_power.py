"""Power: about how many more settings it takes to separate A from B at 95 %.

At a fixed budget n, let D be the difference of the logarithms of the expected best of n, and v_A
and v_B the variances per setting of these logarithms. Then N = (1.960 + 0.842)^2 (v_A + v_B) / D^2
settings per model detect the difference with a probability of 80 %. Estimated from the search that
is to be extended, N is right in the median and wrong by factors of 3 to 25 (docs/validation.md). It
is therefore given as a range, from D +- 1.28 se(D), which is open upward where that reaches 0.
"""

import math
from dataclasses import dataclass

from scipy.stats import norm

from coequal.statistics.best_of import expected_best, standard_error
from coequal.statistics.search import Search
from coequal.statistics.spacings import refuse_beyond

RANGE_STANDARD_ERRORS = 1.28
"""The range is D +- this many standard errors: an interval of 80 %."""
MAX_BUDGET_RATIO = 0.2
"""Largest n/B for which a number of settings is given."""


@dataclass(frozen=True)
class Needed:
    """Total number of settings per model that would separate two models at 95 %, with 80 % power.

    The budget n stays the same, while the measured searches grow: these are more settings to see
    the same difference.

    Attributes:
        budget: n, common to both searches.
        difference: D, the logarithm of A's expected best less that of B's; negative if A is better.
        se: standard error of D over the draw of settings.
        variances: v_A and v_B, per setting.
        measured: numbers of settings that A and B have now.
        low: lower end of the range of N, in settings per model.
        likely: point estimate of N; None where the difference is 0.
        high: upper end of the range, rounded up to one digit; None where the range is open.
    """

    budget: float
    difference: float
    se: float
    variances: tuple[float, float]
    measured: tuple[int, int]
    low: int
    likely: int | None
    high: int | None

    def more(self, in_all: int | None) -> tuple[int, int] | None:
        """Return how many settings A and B still lack for a total of `in_all`.

        Args:
            in_all: `low`, `likely` or `high`.

        Returns:
            The missing settings of A and of B, 0 where there are enough; None if `in_all` is None.
        """
        if in_all is None:
            return None
        return max(0, in_all - self.measured[0]), max(0, in_all - self.measured[1])


def settings_needed(a: Search, b: Search, *, cap: float) -> Needed:
    """Estimate how many settings per model would separate A from B at their common budget.

    Args:
        a: A's search.
        b: B's search, with A's budget.
        cap: the score that a failure counts as; see `best_of.best_distribution`.

    Raises:
        TooFewSettings: n/B is above 0.2 on a side, where nothing is known.
        ValueError: the budgets differ, an expected best is 0 or below (it has no logarithm), there
            is a failure without a finite cap, or nothing differs and nothing varies.
    """
    if a.budget != b.budget:
        raise ValueError(f"needs one budget for both, got {a.budget} and {b.budget}")
    for side in (a, b):
        refuse_beyond(MAX_BUDGET_RATIO, side.budget, side.settings)
    (log_a, v_a), (log_b, v_b) = _log_and_variance(a, cap), _log_and_variance(b, cap)
    difference, variances = log_a - log_b, (v_a, v_b)
    se = math.sqrt(v_a / a.settings + v_b / b.settings)
    reach = RANGE_STANDARD_ERRORS * se
    if abs(difference) + reach == 0:
        raise ValueError("both have the same expected best, and nothing varies: no number would do")
    likely = settings_for(difference, variances)
    high = settings_for(max(0.0, abs(difference) - reach), variances)
    return Needed(
        budget=a.budget,
        difference=difference,
        se=se,
        variances=variances,
        measured=(a.settings, b.settings),
        low=math.ceil(settings_for(abs(difference) + reach, variances)),
        likely=math.ceil(likely) if math.isfinite(likely) else None,
        high=_to_one_digit(high) if math.isfinite(high) else None,
    )


def settings_for(difference: float, variances: tuple[float, float]) -> float:
    """Return N of the formula, the total number of settings per model; infinite for no difference.

    Args:
        difference: D, on the log scale.
        variances: v_A and v_B, per setting.
    """
    if difference == 0:
        return math.inf
    return float((norm.isf(0.025) + norm.ppf(0.8)) ** 2 * sum(variances) / difference**2)


def _log_and_variance(search: Search, cap: float) -> tuple[float, float]:
    about = (search.scores, search.budget)
    expected = expected_best(*about, cap=cap, choose_by=search.choose_by)
    if not 0 < expected < math.inf:
        raise ValueError(
            f"an expected best of {expected:g} has no logarithm: the number of settings needed is "
            "known for scores above 0, with a finite cap for failures"
        )
    error = standard_error(*about, cap=cap, choose_by=search.choose_by)
    return math.log(expected), search.settings * (error / expected) ** 2


def _to_one_digit(value: float) -> int:
    digits = math.floor(math.log10(max(value, 1.0)))
    return math.ceil(value / 10.0**digits - 1e-9) * int(10.0**digits)
