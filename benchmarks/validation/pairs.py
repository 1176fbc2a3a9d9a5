"""Models that are equally good: how often is one called better?

All models have the same distribution of scores, or P is one half although their distributions
differ. An error is any pair of a study that ends as better or worse. There is one look, at all
settings. "Correlation" is that of a setting's score between two models; if it is negative, what is
good for one model is bad for the other. With fewer than 20 settings, n is 1 and the test swaps the
two models. Unless stated otherwise, seeds have a standard deviation of 0.18 of the log score.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from independent_verdict import Model, matching_factor

from validation.common import Row
from validation.simulated import error_row, rules, verdicts

SAME = "Models with the same distribution are all undecided or equivalent in 95 % of studies"
SHARED = "... whether what is good for one model is good or bad for another"
MANY = "... with many models, over all of their pairs"
TIED = "... where validation can't tell the best settings apart"
FEW = "... with fewer than 20 settings, where the test is by swaps"
UNLIKE = "Unlike models with P = 1/2 are not called better or worse in 95 % of studies"
PLACE = 1
CLAIMS = {
    SAME: "2 models; log-normal, bimodal, heavy, narrow, a lucky thirtieth, 30 % failures",
    SHARED: "2 models; correlation of settings -0.8 to 0.9",
    MANY: "8 models (28 pairs) and 12 models (66 pairs); correlation -0.6, 0, 0.6",
    TIED: "2 models; 10 to 50 % of the settings tied at the best",
    FEW: "2 models; 6, 10 and 15 settings; correlation -0.6, 0, 0.8",
    UNLIKE: "2 models of different spread, scaled so that P = 1/2; different seed noise",
}
PLAIN = Model()
SHAPES = (
    Model("bimodal"),
    Model("heavy"),
    Model("heavy", seed=0.4),
    Model("narrow"),
    Model("lucky"),
    Model(failed=0.3),
)
UNLIKE_PAIRS = (
    (Model("narrow"), Model("wide")),
    (Model("narrow"), Model("bimodal")),
    (Model("log-normal"), Model("lucky")),
    (Model("log-normal", seed=0.05), Model("log-normal", seed=0.4)),
)


def rows(quick: bool) -> Iterable[Row]:
    """All rows."""
    studies = 100 if quick else 1000
    for settings, budget in ((20, 1), (20, 2), (50, 2), (50, 5), (100, 2), (100, 10)):
        yield _same(PLAIN, 2, settings, budget, studies, SAME)
    for model in SHAPES:
        for settings, budget in ((20, 2), (50, 5)):
            yield _same(model, 2, settings, budget, studies, SAME)
    for correlation in (-0.8, -0.6, -0.3, 0.3, 0.6, 0.9):
        for settings, budget in ((20, 2), (50, 5)):
            yield _same(PLAIN, 2, settings, budget, studies, SHARED, correlation)
    for correlation in (-0.6, 0.0, 0.6):
        for settings, budget in ((20, 2), (50, 5)):
            yield _same(PLAIN, 8, settings, budget, studies // 4, MANY, correlation)
    yield _same(PLAIN, 12, 40, 2, studies // 5, MANY)
    for settings, budget in ((20, 2), (50, 5), (100, 10)):
        for tied in (0.1, 0.2, 0.3, 0.5):
            yield _same(Model(tied=tied), 2, settings, budget, studies * 3 // 5, TIED)
    for settings in (6, 10, 15):
        for correlation in (-0.6, 0.0, 0.8):
            yield _same(
                PLAIN, 2, settings, 2, studies // (2 if settings > 10 else 1), FEW, correlation
            )
    yield from _unlike(studies)


def _same(
    model: Model,
    count: int,
    settings: int,
    budget: int,
    studies: int,
    claim: str,
    correlation: float = 0.0,
) -> Row:
    declared = rules(budget, [settings])
    rng = np.random.default_rng([21, count, settings, budget, round(100 * (correlation + 1))])
    errors = [
        any(pair.loser for pair in found.pairs)
        for found in verdicts([model] * count, declared, studies, rng, correlation)
    ]
    about = f"{describe(model)}, B {settings}, n {declared.judged_budget}"
    about += f", correlation {correlation:g}" if correlation else ""
    return error_row(
        f"{count} models of one distribution: any separated", about, errors, claim=claim
    )


def _unlike(studies: int) -> Iterator[Row]:
    for a, other in UNLIKE_PAIRS:
        for settings, budget in ((10, 1), (20, 2), (50, 5)):
            declared = rules(budget, [settings])
            b = other.times(matching_factor(a, other, budget))
            rng = np.random.default_rng([22, settings])
            errors = [
                found.pairs[0].loser is not None
                for found in verdicts([a, b], declared, studies, rng)
            ]
            about = f"{describe(a)} against {describe(other)}, B {settings}, n {budget}"
            yield error_row("2 unlike models with P = 1/2: separated", about, errors, claim=UNLIKE)


def describe(model: Model) -> str:
    """A model in a few words."""
    parts = [model.distribution]
    parts += [f"seeds {model.seed:g}"] if model.seed != PLAIN.seed else []
    parts += [f"{model.failed:.0%} fail"] if model.failed else []
    parts += [f"{model.collapsed:.0%} collapse"] if model.collapsed else []
    parts += [f"{model.tied:.0%} tied"] if model.tied else []
    parts += [f"x {model.factor:g}"] if model.factor != 1 else []
    return " ".join(parts)
