"""What looking saves

Eight models, correlation of settings 0.6, seeds 0.15, n 2. Trials include the best quarter, which
is retrained. "Kept": the fraction of the worse models that end unbeaten. One clearly best: the
others are 1.5 to 4 times as bad. Nearly tied: two best, six 1.1 to 3 times as bad.

The baseline is the verdict from before studies declared a budget and looks: one look, n a tenth of
the settings, the search's own seeds, and models treated as independent. The number of models that
it kept was measured once, with its own code, on studies drawn in the same way. If it still kept
more at 1,280 trials than a present study does, the fraction given is that of 1,280 trials, and the
true one is less.
"""

import math
from collections.abc import Iterable, Iterator

import numpy as np
from independent_verdict import SHARE, Model

from coequal.statistics.looks import Spending
from validation.common import Row
from validation.simulated import error_row, rules, verdicts

SAVED = "One model clearly best: at most 40 % of the trials of the verdict without looks"
NEAR = "Models nearly tied: what the trials are, for the power of the verdict without looks"
BEST = "... and no best model is called worse"
PLACE = 5
CLAIMS = {
    SAVED: "8 models, seven of them 1.5 to 4 times as bad; trials as a fraction, for equal power",
    NEAR: "8 models, six of them 1.1 to 3 times as bad as the two best; the same fraction",
    BEST: "both",
}
ONE_BEST = (1.0, 1.5, 1.8, 2.1, 2.5, 2.9, 3.4, 4.0)
TWO_BEST = (1.0, 1.0, 1.1, 1.3, 1.5, 1.8, 2.3, 3.0)
FIVE = (20, 40, 60, 80, 100)
DESIGNS: tuple[tuple[tuple[int, ...], Spending], ...] = (
    ((20, 40, 60), "pocock"),
    (FIVE, "pocock"),
    (FIVE, "obrien_fleming"),
)
# Trials of all eight models, and the fraction kept by the verdict without looks: measured with
# `verdict(tests, choose_by=validations)` of commit 9b4cb28, B 20 to 160, 100 studies (of
# one best, 250 from B 100 on).
ONE_BEST_BEFORE = {160: 0.31, 320: 0.129, 480: 0.096, 800: 0.071, 1280: 0.038}
TWO_BEST_BEFORE = {160: 0.7, 320: 0.57, 480: 0.497, 800: 0.47, 1200: 0.415}


def rows(quick: bool) -> Iterable[Row]:
    """All rows."""
    studies = 20 if quick else 60
    for looks, spending in DESIGNS:
        yield from _raced(ONE_BEST, ONE_BEST_BEFORE, SAVED, 0.4, looks, spending, studies)
    for looks, spending in DESIGNS[1:]:
        yield from _raced(TWO_BEST, TWO_BEST_BEFORE, NEAR, 1.0, looks, spending, studies)


def _raced(
    factors: tuple[float, ...],
    before: dict[int, float],
    claim: str,
    most: float,
    looks: tuple[int, ...],
    spending: Spending,
    studies: int,
) -> Iterator[Row]:
    models = [Model(factor=factor, seed=0.15) for factor in factors]
    best = {str(i) for i, factor in enumerate(factors) if factor == 1}
    rng = np.random.default_rng([81, len(best), len(looks)])
    trials, kept, lost = [], [], []
    for found in verdicts(models, rules(2, looks, spending=spending), studies, rng, 0.6):
        trials.append(sum(n + math.ceil(SHARE * n) for n in found.settings.values()))
        kept.append(len(set(found.unbeaten) - best) / (len(models) - len(best)))
        lost.append(not best <= set(found.unbeaten))
    needed, known = trials_before(float(np.mean(kept)), before)
    about = f"{len(looks)} looks from {looks[0]} to {looks[-1]}, {spending}"
    remark = (
        f"{np.mean(trials):.0f} trials, {np.mean(kept):.3f} kept; without looks "
        f"{'' if known else 'more than '}{needed:.0f}"
    )
    yield Row(
        "trials, of those without looks",
        about, float(np.mean(trials)) / needed, 0.0, most, studies, "power", remark, claim=claim,
    )  # fmt: skip
    yield error_row(f"{len(best)} best: one is beaten", about, lost, claim=BEST)


def trials_before(kept: float, before: dict[int, float]) -> tuple[float, bool]:
    """How many trials the verdict without looks needs to keep as few models.

    Args:
        kept: fraction of the worse models.
        before: what it kept, by number of trials.

    Returns:
        The number, interpolated, and whether it is known; else it is more than the largest.
    """
    numbers, fractions = list(before), list(before.values())
    if kept < min(fractions):
        return numbers[-1], False
    return float(np.interp(-kept, [-f for f in fractions], numbers)), True
