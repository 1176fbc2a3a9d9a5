"""What a number of settings can show

Planned: the smallest ratio of typical scores that `coequal check` promises to show with a
probability of 80 %, given the spreads that it assumes, in studies with these spreads. From results:
two models, of which the first is better, are measured on many settings. The number of settings that
their normal score asks for is trained anew, and the pair is decided in about four of five studies.
A single study of 40 settings gives the number only to an order of magnitude; the table shows how
often it is within a factor of four.
"""

import math
from collections.abc import Iterable, Iterator

import numpy as np
from independent_verdict import Model

from coequal.statistics.power import (
    CORRELATION,
    SEED_SPREAD,
    assumed_searches,
    settings_needed,
    smallest_difference,
)
from validation.common import Row
from validation.pairs import describe
from validation.simulated import LEVEL, rules, verdicts

PLANNED = "A difference that a plan says would be shown is shown in four of five studies"
FROM_RESULTS = "The number of settings that a pair needs decides it in four of five studies"
PLACE = 6
CLAIMS = {
    PLANNED: "log-normal, spreads as assumed; 1 and 28 pairs, B 40 and 100, n 1, 2 and 5",
    FROM_RESULTS: "3 pairs; from 4,000 settings, and to within a factor of 4 from 40",
}


def rows(quick: bool) -> Iterable[Row]:
    """All rows."""
    studies = 100 if quick else 300
    for settings, budget, pairs in ((40, 2, 1), (100, 2, 1), (100, 5, 1), (40, 1, 1), (100, 2, 28)):
        yield from _planned(settings, budget, pairs, studies)
    for a, b in (
        (Model(), Model(factor=1.3)),
        (Model(), Model(factor=1.6)),
        (Model("bimodal"), Model("bimodal", factor=1.3)),
    ):
        yield from _from_results(a, b, studies)


def _planned(settings: int, budget: int, pairs: int, studies: int) -> Iterator[Row]:
    level = LEVEL / pairs
    ratio = smallest_difference(*assumed_searches(budget), settings=settings, level=level)
    assert ratio is not None
    models = [Model(seed=SEED_SPREAD), Model(seed=SEED_SPREAD, factor=ratio)]
    rng = np.random.default_rng([71, settings, budget, pairs])
    declared = rules(budget, [settings], comparisons=pairs)
    shown = [
        found.pairs[0].outcome == "better"
        for found in verdicts(models, declared, studies, rng, CORRELATION)
    ]
    about = f"ratio {ratio:.2f}, B {settings}, n {budget}, {pairs} pair{'s' * (pairs > 1)}"
    yield Row(
        "planned difference is shown",
        about, float(np.mean(shown)), 0.72, 0.88, studies, "power", claim=PLANNED,
    )  # fmt: skip


def _from_results(a: Model, b: Model, studies: int) -> Iterator[Row]:
    budget, many, few = 2, 4000, 40
    rng = np.random.default_rng(72)
    (large,) = verdicts([a, b], rules(budget, [many]), 1, rng, 0.5)
    z = large.pairs[0].z
    assert z is not None
    needed = settings_needed(z, many, LEVEL)
    assert needed is not None
    found = verdicts([a, b], rules(budget, [needed]), studies, rng, 0.5)
    shown = float(np.mean([v.pairs[0].outcome == "better" for v in found]))
    about = f"{describe(a)} against {describe(b)}, n {budget}"
    yield Row(
        "power at the number of settings asked for",
        f"{about}, B {needed}", shown, 0.72, 0.88, studies, "power", claim=FROM_RESULTS,
    )  # fmt: skip
    near = []
    for v in verdicts([a, b], rules(budget, [few]), studies, rng, 0.5):
        asked = settings_needed(v.pairs[0].z or 0.0, few, LEVEL) or math.inf
        near.append(needed / 4 <= asked <= 4 * needed)
    yield Row(
        "asked for from 40 settings, within a factor of 4",
        about, float(np.mean(near)), 0.4, 1.0, studies, "approximate", claim=FROM_RESULTS,
    )  # fmt: skip
