"""Equivalence: two models whose scores differ by less than the declared margin.

At the margin: the ratio of typical scores is exactly the margin, and a study that says "equivalent"
is wrong. The factor that puts the models there is found by many searches. Inside: the models are
identical, and the fraction is the power to say so. It depends on the spread over settings and
seeds, and on the correlation between the models.
"""

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from independent_verdict import Model, truth

from validation.common import Row
from validation.pairs import describe
from validation.simulated import error_row, rules, verdicts

AT = "Models that differ by the margin are called equivalent in at most 5 % of studies"
RARE = "... in more where one of them collapses so rarely that no run has shown it"
INSIDE = "Identical models are called equivalent (power)"
PLACE = 3
CLAIMS = {
    AT: "2 and 4 models, margin 1.1 and 1.3; one look and five; unequal seed noise",
    RARE: "2 % of the trainings of one model collapse",
    INSIDE: "2 and 8 identical models, margin 1.1 and 1.3; one look and five",
}
FIVE = (20, 40, 60, 80, 100)
CASES = (
    (Model("narrow"), Model("narrow"), 1.1, (40,), 2, 0.0),
    (Model("narrow", seed=0.1), Model("narrow", seed=0.3), 1.1, (100,), 2, 0.0),
    (Model("narrow"), Model("narrow"), 1.1, FIVE, 2, 0.6),
    (Model("narrow"), Model("narrow", collapsed=0.02), 1.1, (100,), 2, 0.0),
    (Model(), Model(), 1.3, (100,), 2, 0.8),
    (Model(), Model(), 1.3, FIVE, 2, 0.8),
    (Model("bimodal"), Model("bimodal"), 1.3, (100,), 5, 0.6),
    (Model(tied=0.5), Model(tied=0.5), 1.3, (100,), 2, 0.6),
)


def rows(quick: bool) -> Iterable[Row]:
    """All rows."""
    studies = 100 if quick else 400
    for a, b, margin, looks, budget, correlation in CASES:
        yield _at_margin([a, b], margin, looks, budget, correlation, studies)
    four = [Model("narrow"), Model("narrow"), Model("narrow"), Model("narrow")]
    yield _at_margin(four, 1.1, (100,), 2, 0.0, studies // 4)
    for model, margin, looks, budget, correlation in (
        (Model("narrow"), 1.1, (20,), 2, 0.0),
        (Model("narrow"), 1.1, (40,), 2, 0.0),
        (Model("narrow"), 1.1, (100,), 2, 0.0),
        (Model("narrow"), 1.1, FIVE, 2, 0.0),
        (Model(), 1.1, (100,), 2, 0.6),
        (Model(), 1.3, (100,), 2, 0.6),
    ):
        yield _inside([model] * 2, margin, looks, budget, correlation, studies // 3)
    yield _inside([Model("narrow")] * 8, 1.1, (100,), 2, 0.0, studies // 12)


def _at_margin(
    models: list[Model],
    margin: float,
    looks: tuple[int, ...],
    budget: int,
    correlation: float,
    studies: int,
) -> Row:
    """The first model is as far from all others as the margin; pairs with it are counted."""
    best = models[0]
    moved = [other.times(margin * math.exp(truth(best, other, budget)[1])) for other in models[1:]]
    rng = np.random.default_rng([51, len(looks), len(models)])
    errors = [
        any(pair.outcome == "equivalent" for pair in found.pairs if "0" in (pair.a, pair.b))
        for found in verdicts(
            [best, *moved], rules(budget, looks, margin=margin), studies, rng, correlation
        )
    ]
    about = f"{describe(best)} against {describe(models[1])}, {_design(margin, looks, budget)}"
    about += f", correlation {correlation:g}" if correlation else ""
    row = error_row(f"{len(models)} models, at the margin: equivalent", about, errors, claim=AT)
    if models[1].collapsed:  # what was measured
        return replace(row, claim=RARE, high=0.2, declared="approximate")
    return row


def _inside(
    models: list[Model],
    margin: float,
    looks: tuple[int, ...],
    budget: int,
    correlation: float,
    studies: int,
) -> Row:
    rng = np.random.default_rng([52, len(looks), len(models)])
    share = [
        float(np.mean([pair.outcome == "equivalent" for pair in found.pairs]))
        for found in verdicts(
            models, rules(budget, looks, margin=margin), studies, rng, correlation
        )
    ]
    about = f"{describe(models[0])}, {_design(margin, looks, budget)}"
    about += f", correlation {correlation:g}" if correlation else ""
    name = f"{len(models)} identical models: pairs called equivalent"
    return Row(name, about, float(np.mean(share)), 0.0, 1.0, studies, "power", claim=INSIDE)


def _design(margin: float, looks: tuple[int, ...], budget: int) -> str:
    settings = f"B {looks[0]}" if len(looks) == 1 else f"{len(looks)} looks to B {looks[-1]}"
    return f"margin {margin:g}, {settings}, n {budget}"
