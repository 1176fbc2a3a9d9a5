"""Intervals of P and of the ratio, against fresh seeds.

The truth is the score of a fresh seed of the best of n settings, from many searches of the same
distributions. It should lie within the verdict's intervals, in studies that retrain the best
quarter by validation. "Wrong way": the model that is better on fresh seeds is called worse.
"Joint": the intervals of all pairs of a study contain their truths.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from independent_verdict import SHARE, Model, draw, truth

from coequal.statistics.joint import joint_pair
from validation.common import BAND, Row
from validation.pairs import describe
from validation.simulated import LEVEL, coverage_row, error_row, rules, search_runs, verdicts

CHANCE = "The interval of P holds the chance that the tuned A beats the tuned B on a fresh seed"
RATIO = "The interval of the ratio holds the ratio of their typical scores on fresh seeds"
JOINT = "All intervals of a study hold at once"
WRONG = "The model that is better on fresh seeds is not called worse, whatever its seed noise"
PLACE = 2
HARD = "Both are approximate where one model nearly always wins, or one setting in 30 is lucky"
OVER = "The mean of P over datasets has an interval that holds it"
CLAIMS = {
    CHANCE: "8 pairs of models, among them unequal seed noise, failures, collapsing seeds",
    RATIO: "the same",
    HARD: "a model three times as bad (P .93 to .96); a rare cluster, three times as good",
    JOINT: "8 models, the worst 1.1 to 4 times as bad as the best; correlation 0 and 0.6",
    WRONG: "2 models, seeds 0.1 against 0.3, 0.05 against 0.4, 0.1 against 0.5",
    OVER: "3 datasets with the same draws of settings; B 20 and 50",
}
UNEQUAL_SEEDS = (
    (Model(seed=0.1), Model(seed=0.3)),
    (Model(seed=0.05), Model(seed=0.4)),
    (Model(seed=0.1), Model(seed=0.5)),
    (Model("bimodal", seed=0.1), Model("bimodal", seed=0.3)),
    (Model("bimodal", seed=0.05), Model("bimodal", seed=0.4)),
)
PAIRS = (
    (Model(), Model(factor=1.3)),
    (Model("heavy"), Model("bimodal")),
    (Model(failed=0.1), Model(failed=0.4)),
    (Model(seed=0.05), Model(seed=0.4)),
    (Model("bimodal", seed=0.05), Model("bimodal", seed=0.4)),
    (Model(collapsed=0.2), Model(collapsed=0.2, factor=1.3)),
    (Model(collapsed=0.2), Model(collapsed=0.4)),
    (Model("narrow", collapsed=0.4), Model("narrow", collapsed=0.4)),
)
HARD_PAIRS = ((Model(), Model(factor=3)), (Model("narrow"), Model("lucky", factor=1.05)))
EIGHT = [Model(factor=factor) for factor in (1, 1.1, 1.2, 1.4, 1.7, 2, 3, 4)]


def rows(quick: bool) -> Iterable[Row]:
    """All rows."""
    studies = 50 if quick else 250
    for a, b in (*PAIRS, *HARD_PAIRS):
        for settings, budget, correlation in ((20, 2, 0.0), (50, 5, 0.6), (100, 2, 0.6)):
            yield from _covered(a, b, settings, budget, correlation, studies)
    for settings in (6, 10, 15):
        yield from _covered(*PAIRS[0], settings, 1, 0.6, studies)
    for settings, budget, correlation in ((20, 2, 0.0), (50, 5, 0.6)):
        yield from _jointly(settings, budget, correlation, studies * 3 // 5)
    for settings, budget in ((20, 2), (50, 5)):
        yield _over_data_sets(settings, budget, studies)
    for a, b in UNEQUAL_SEEDS:
        for settings, budget in ((50, 5), (100, 10)):
            yield _wrong_way(a, b, settings, budget, studies)


def _over_data_sets(settings: int, budget: int, studies: int) -> Row:
    """Two models on three datasets, on which A is better, as good, and worse."""
    rng = np.random.default_rng([34, settings])
    pairs = [(Model(), Model(factor=factor)) for factor in (1.5, 1.0, 0.9)]
    chance = float(np.mean([truth(a, b, budget)[0] for a, b in pairs]))
    inside = []
    for _ in range(studies):
        models = [model for pair in pairs for model in pair]
        drawn = draw(models, (settings,), rng, correlation=0.6)
        searches = [search_runs(runs).search(budget, [settings], SHARE) for runs in drawn]
        sets = list(zip(searches[::2], searches[1::2], strict=True))
        found = joint_pair("a", "b", sets, LEVEL)
        assert found is not None
        inside.append(found.interval.low <= chance <= found.interval.high)
    about = f"x 1.5, x 1, x 0.9, B {settings}, n {budget}, correlation 0.6"
    return coverage_row("interval of the mean P", about, inside, claim=OVER)


def _covered(
    a: Model, b: Model, settings: int, budget: int, correlation: float, studies: int
) -> Iterator[Row]:
    chance, ratio = truth(a, b, budget)
    rng = np.random.default_rng([31, settings, budget])
    inside: list[list[bool]] = [[], []]
    values: list[list[float]] = [[], []]
    for found in verdicts([a, b], rules(budget, [settings]), studies, rng, correlation):
        (pair,) = found.pairs
        assert pair.probability_interval is not None
        assert pair.ratio_interval is not None
        assert pair.ratio is not None
        (low, high), ends = pair.probability_interval, pair.ratio_interval
        inside[0].append(low <= chance <= high)
        inside[1].append(ends.low <= np.exp(ratio) <= ends.high)
        values[0].append(pair.probability)
        values[1].append(np.log(pair.ratio))
    about = f"{describe(a)} against {describe(b)}, B {settings}, n {budget}"
    about += f", correlation {correlation:g}" if correlation else ""
    remark = f"truth {chance:.3f}, mean estimate {np.mean(values[0]):.3f}"
    hard = (a, b) in HARD_PAIRS
    claim, least = (HARD, 0.85) if hard else (CHANCE, BAND[0])
    yield coverage_row("interval of P", about, inside[0], claim=claim, remark=remark, least=least)
    remark = f"truth {np.exp(ratio):.3f}, mean estimate {np.exp(np.mean(values[1])):.3f}"
    claim = HARD if hard else RATIO
    yield coverage_row(
        "interval of the ratio", about, inside[1], claim=claim, remark=remark, least=least
    )


def _jointly(settings: int, budget: int, correlation: float, studies: int) -> Iterator[Row]:
    rng = np.random.default_rng([32, settings])
    truths = {
        (str(i), str(j)): truth(a, b, budget)
        for i, a in enumerate(EIGHT)
        for j, b in enumerate(EIGHT)
        if i < j
    }
    inside: list[list[bool]] = [[], []]
    for found in verdicts(EIGHT, rules(budget, [settings]), studies, rng, correlation):
        held = [True, True]
        for pair in found.pairs:
            chance, ratio = truths[pair.a, pair.b]
            ends = pair.probability_interval, pair.ratio_interval
            for i, (interval, value) in enumerate(zip(ends, (chance, np.exp(ratio)), strict=True)):
                assert interval is not None
                held[i] &= bool(interval.low <= value <= interval.high)
        for covered, all_held in zip(inside, held, strict=True):
            covered.append(all_held)
    about = f"8 models, B {settings}, n {budget}, correlation {correlation:g}"
    yield coverage_row("28 intervals of P", about, inside[0], claim=JOINT)
    yield coverage_row("28 intervals of the ratio", about, inside[1], claim=JOINT)


def _wrong_way(a: Model, b: Model, settings: int, budget: int, studies: int) -> Row:
    chance, _ = truth(a, b, budget)
    rng = np.random.default_rng([33, settings])
    found = [v.pairs[0].loser for v in verdicts([a, b], rules(budget, [settings]), studies, rng)]
    worse = "1" if chance > 0.5 else "0"
    wrong = [loser is not None and loser != worse for loser in found]
    right = float(np.mean([loser == worse for loser in found]))
    about = f"{describe(a)} against {describe(b)}, B {settings}, n {budget}"
    remark = f"P on fresh seeds {chance:.3f}; right way in {right:.3f}"
    return error_row("wrong way", about, wrong, claim=WRONG, remark=remark)
