"""The same numbers from another program

`benchmarks/independent_verdict.py` imports nothing of coequal. It draws the studies, enumerates all
subsets of n settings for P and the ratio, leaves out one setting after another for their standard
errors, and runs many searches for the truth. Estimates must agree in every study up to rounding.
Standard errors come from different formulas, of which the jackknife is larger by up to a tenth at
n/B = 0.1; the table gives the median of coequal's divided by the other's. "Bias" is the mean of all
studies minus the truth of many searches. It has two known parts: settings outside the best quarter
report their own run, whose luck placed them there, and both models are measured on the same draws.
`search.retrain: 1` removes the first part.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from independent_verdict import (
    Estimate,
    Model,
    chance_interval,
    draw,
    estimate,
    ratio_interval,
    truth,
)

from coequal.statistics.verdict import PairResult, verdict
from validation.common import Row
from validation.pairs import describe
from validation.simulated import rules, search_runs, verdicts

EXACT = "An independent program finds the same P and the same ratio in every study"
ERRORS = "... and standard errors that agree, although by another method"
ENDS = "... and intervals that hold the truth as often"
BIAS = "P is unbiased to 0.02"
LUCK = "... to 0.07 where luck with seeds differs much between two models, unless all is retrained"
PLACE = 7
CLAIMS = {
    EXACT: "8 pairs of models, B 20 and 40, n 2 and 4, correlation -0.6 to 0.6",
    ERRORS: "the same",
    ENDS: "the same; the difference of the two coverages",
    BIAS: "the same; size of the mean error of P",
    LUCK: "20 % against 40 % collapsing; seeds .05 against .4 where settings differ by .05",
}
CASES = (
    (Model(), Model()),
    (Model("narrow"), Model("narrow")),
    (Model("heavy", seed=0.4), Model("heavy", seed=0.4)),
    (Model(), Model(factor=2.0)),
    (Model("bimodal", seed=0.1), Model("bimodal", seed=0.3)),
    (Model(seed=0.05), Model(seed=0.4)),
    (Model(failed=0.1), Model(failed=0.3)),
    (Model(tied=0.3), Model(tied=0.3, factor=1.3)),
)
LUCKY = (
    (Model(collapsed=0.2), Model(collapsed=0.4), 20, 2),
    (Model(collapsed=0.2), Model(collapsed=0.4), 40, 4),
    (Model("narrow", seed=0.05), Model("narrow", seed=0.4), 20, 2),
    (Model("narrow", seed=0.05), Model("narrow", seed=0.4), 40, 4),
)
DESIGNS = ((20, 2, 0.0), (20, 2, 0.6), (40, 4, -0.6))


def rows(quick: bool) -> Iterable[Row]:
    """All rows."""
    studies = 20 if quick else 200
    for a, b in CASES:
        for settings, budget, correlation in DESIGNS:
            yield from _compared(a, b, settings, budget, correlation, studies)
    for a, b, settings, budget in LUCKY:
        rng = np.random.default_rng([62, settings])
        found = verdicts([a, b], rules(budget, [settings]), 3 * studies, rng)
        chances = [v.pairs[0].probability for v in found]
        yield _bias(a, b, settings, budget, 0.0, chances, 0.07, LUCK)


def _compared(
    a: Model, b: Model, settings: int, budget: int, correlation: float, studies: int
) -> Iterator[Row]:
    rng = np.random.default_rng([61, settings])
    chance, ratio = truth(a, b, budget)
    apart, quotients, inside, chances = [], [], [], []
    for _ in range(studies):
        found, p, r = _both(a, b, settings, budget, correlation, rng)
        assert found.ratio is not None
        assert found.probability_interval is not None
        assert found.ratio_interval is not None
        apart += [abs(found.probability - p.value), abs(np.log(found.ratio) - r.value)]
        # Both make their intervals in the same way, so that the widths are as the errors.
        other_p, other_r = chance_interval(p, settings), ratio_interval(r, settings, budget)
        quotients.append(
            np.log(found.ratio_interval.high / found.ratio_interval.low) / (other_r[1] - other_r[0])
        )
        low, high = found.probability_interval
        inside.append(
            [
                low <= chance <= high,
                other_p[0] <= chance <= other_p[1],
                found.ratio_interval.low <= np.exp(ratio) <= found.ratio_interval.high,
                other_r[0] <= ratio <= other_r[1],
            ]
        )
        chances.append(found.probability)
    about = _about(a, b, settings, budget, correlation)
    yield Row(
        "largest difference of P and of the log ratio",
        about, max(apart), 0.0, 1e-9, studies, "agree", claim=EXACT,
    )  # fmt: skip
    yield Row(
        "standard error of the log ratio, coequal / jackknife",
        about, float(np.median(quotients)), 0.88, 1.05, studies, "agree", claim=ERRORS,
    )  # fmt: skip
    mine, theirs, my_ratio, their_ratio = np.mean(inside, axis=0)
    worst = max(abs(mine - theirs), abs(my_ratio - their_ratio))
    remark = f"P {mine:.3f} and {theirs:.3f}, ratio {my_ratio:.3f} and {their_ratio:.3f}"
    yield Row(
        "difference of the coverages",
        about, float(worst), 0.0, 0.03, studies, "agree", remark, claim=ENDS,
    )  # fmt: skip
    yield _bias(a, b, settings, budget, correlation, chances, 0.02, BIAS)


def _bias(
    a: Model,
    b: Model,
    settings: int,
    budget: int,
    correlation: float,
    chances: list[float],
    allowed: float,
    claim: str,
) -> Row:
    chance, _ = truth(a, b, budget)
    error = float(np.std(chances)) / len(chances) ** 0.5
    remark = f"truth {chance:.3f}, mean {np.mean(chances):.3f} ± {error:.3f}"
    return Row(
        "bias of P",
        _about(a, b, settings, budget, correlation),
        abs(float(np.mean(chances)) - chance),
        0.0,
        allowed + 2 * error,
        len(chances),
        "kept" if claim == BIAS else "approximate",
        remark,
        claim=claim,
    )


def _both(
    a: Model, b: Model, settings: int, budget: int, correlation: float, rng: np.random.Generator
) -> tuple[PairResult, Estimate, Estimate]:
    drawn = draw([a, b], (settings,), rng, correlation=correlation)
    searches = {name: search_runs(runs) for name, runs in zip("ab", drawn, strict=True)}
    (found,) = verdict(searches, rules(budget, [settings])).pairs
    return found, *estimate(*drawn, budget)


def _about(a: Model, b: Model, settings: int, budget: int, correlation: float) -> str:
    about = f"{describe(a)} against {describe(b)}, B {settings}, n {budget}"
    return about + (f", correlation {correlation:g}" if correlation else "")
