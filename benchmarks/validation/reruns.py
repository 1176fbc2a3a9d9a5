"""Re-runs: centres, outliers, and settings that differ

Good runs are log-normal about one score. Bad runs are worse by a factor log-normal(4, 0.5), and
three in ten of them do not finish. The cap is 50 times the good score. Intervals are of the
interquartile mean (on the log score, failures at the cap) and of the median (failures worst); the
mean has none. "The one that leads" is the interval that the report prints in bold, of its own
centre. Identical settings, and changes without an effect, share one distribution.

Two identical models draw log-normal settings (log sd 0.5 or 0.6) whose scores correlate by 0.6 or 0
between the models, with a log sd of 0.18 between seeds. The best setting of each by one run is
re-run: the two settings then differ, although the models don't.
"""

import math
from collections.abc import Iterable

import numpy as np

from coequal.statistics.comparison import POWER, TWINS_TOLD_APART, compare, effects
from coequal.statistics.reruns import MIN_RUNS_FOR_CLAIM, describe, find_outliers
from validation.common import Row, over_distributions

MEAN = "The interquartile mean of re-runs lies within Yuen's interval where few runs are bad"
LEADS = "The centre of re-runs that leads lies within its interval, however many runs are bad"
FLAGS = "Outliers are found, and good runs are not taken for outliers"
SAME_SETTINGS = "No setting is shown to be worse than one with the same distribution"
NO_EFFECT = "No change without an effect is shown, over all changes against one base"
JOINT = "The intervals of all changes hold at once"
GAIN = "The smallest gain that is printed is shown with a probability of about 80 %"
TWINS = "Re-runs tell apart the chosen settings of identical models in about two of three studies"
CLAIMS = {
    MEAN: "5 to 50 runs, 0 to 40 % of them bad",
    LEADS: "10 to 50 runs, 0 to 40 % of them bad",
    FLAGS: "5 and 50 runs, 0 and 20 % of them bad",
    SAME_SETTINGS: "2 and 8 settings, 5 to 50 runs, 0 to 40 % of them bad",
    NO_EFFECT: "19 and 38 changes, 5 and 10 runs, a base of 5 to 62, 0 to 40 % of them bad",
    JOINT: "the same",
    GAIN: "the same, with the median gain that the report prints",
    TWINS: "20 settings, 10 seeds; correlated between the models by 0.6 and 0",
}
CENTRE, CAP = 10.0, 500.0
DESIGNS = tuple((spread, bad) for spread in (0.05, 0.25) for bad in (0.0, 0.1, 0.2, 0.3, 0.4))
FEW_BAD = 0.2
SAME = (
    *((2, runs, 0.0) for runs in (5, 10, 50)),
    *((8, 10, bad) for bad in (0.0, 0.1, 0.3, 0.4)),
)
CHANGES = (
    *((38, 5, 5, bad) for bad in (0.0, 0.3)),
    *((38, 10, 10, bad) for bad in (0.0, 0.2, 0.3, 0.4)),
    *((38, 10, 62, bad) for bad in (0.0, 0.2, 0.3, 0.4)),
    *((19, 10, 44, bad) for bad in (0.0, 0.3)),
)
"""Changes, their runs, those of the base, and the fraction of bad runs."""


def rows(quick: bool) -> Iterable[Row]:
    """All rows."""
    rng = np.random.default_rng(41)
    studies = 400 if quick else 1000
    for runs in (5, 10, 20, 50):
        yield from _intervals(rng, runs, studies)
    for runs, spread, bad in ((5, 0.05, 0.0), (50, 0.05, 0.0), (50, 0.25, 0.0), (50, 0.05, 0.2)):
        yield from _flags(rng, runs, spread, bad, studies)
    for models, runs, bad in SAME:
        yield _together(rng, runs, models, bad, studies if models == 2 else studies // 2)
    for changes, runs, base, bad in CHANGES:
        yield from _changes(rng, changes, runs, base, bad, studies // 8)
    for correlation, share in zip((0.6, 0.0), TWINS_TOLD_APART, strict=True):
        yield _told_apart(rng, correlation, share, studies)


def draw(
    rng: np.random.Generator, shape: tuple[int, ...], spread: float, bad: float
) -> tuple[np.ndarray, np.ndarray]:
    """Scores, failures infinite, and which runs are bad."""
    worse = rng.random(shape) < bad
    scores = CENTRE * np.exp(spread * rng.standard_normal(shape))
    scores *= np.where(worse, np.exp(np.log(4) + 0.5 * rng.standard_normal(shape)), 1)
    scores[worse & (rng.random(shape) < 0.3)] = np.inf
    return scores, worse


def _intervals(rng: np.random.Generator, runs: int, studies: int) -> Iterable[Row]:
    kinds = ("iqm", "iqm, many bad", "median", "leads")
    covered: dict[str, dict[str, float]] = {kind: {} for kind in kinds}
    for spread, bad in DESIGNS:
        large = np.sort(np.log(np.minimum(draw(rng, (400_000,), spread, bad)[0], CAP)))
        quarter = len(large) // 4
        truths = {"iqm": math.exp(large[quarter:-quarter].mean()), "median": CENTRE}
        truths["median"] = math.exp(float(np.median(large)))
        hits = dict.fromkeys(("iqm", "median", "leads"), 0)
        leads = 0
        for scores in draw(rng, (studies, runs), spread, bad)[0]:
            found = describe(scores, cap=CAP)
            within = {
                kind: ends is not None and ends.low <= truths[kind] <= ends.high
                for kind, ends in (("iqm", found.iqm_interval), ("median", found.median_interval))
            }
            for kind, hit in within.items():
                hits[kind] += hit
            if found.headline != "points":
                leads += 1
                hits["leads"] += within[found.headline]
        design = f"sd {spread:g}, {bad:.0%} bad"
        covered["iqm" if bad <= FEW_BAD else "iqm, many bad"][design] = hits["iqm"] / studies
        covered["median"][design] = hits["median"] / studies
        if leads > studies / 4:
            covered["leads"][design] = hits["leads"] / leads
    setting = f"{runs} runs"
    few = runs < MIN_RUNS_FOR_CLAIM
    yield over_distributions(
        "interquartile mean, Yuen's t, up to 20 % bad",
        setting,
        covered["iqm"],
        studies,
        worst=0.90 if few else 0.92,
        declared="approximate: a screening" if few else "",
        claim=MEAN,
    )
    yield over_distributions(
        "interquartile mean, Yuen's t, 30 and 40 % bad",
        setting,
        covered["iqm, many bad"],
        studies,
        low=0.75,
        worst=0.55,
        declared="approximate: does not lead where a run is flagged",
        claim=MEAN,
    )
    if runs >= 6:
        name = "median, order statistics, up to 40 % bad"
        said = "conservative"
        yield over_distributions(
            name, setting, covered["median"], studies, declared=said, claim=LEADS
        )
        name = "the one that leads, up to 40 % bad"
        yield over_distributions(
            name, setting, covered["leads"], studies, worst=0.92, declared=said, claim=LEADS
        )


def _flags(
    rng: np.random.Generator, runs: int, spread: float, bad: float, studies: int
) -> Iterable[Row]:
    wrong = found = there = 0
    for scores, worse in zip(*draw(rng, (studies, runs), spread, bad), strict=True):
        flagged = np.array(find_outliers(scores).flagged)
        wrong += bool(np.any(flagged & ~worse))
        found, there = found + int(np.sum(flagged & worse)), there + int(np.sum(worse))
    setting = f"{runs} runs, sd {spread:g}, {bad:.0%} bad"
    yield Row(
        "outliers: a good run flagged",
        setting,
        wrong / studies,
        0,
        0.01,
        studies,
        "promise",
        claim=FLAGS,
    )
    if there:
        name = "outliers: bad runs found"
        yield Row(name, setting, found / there, 0.95, 1, studies, "promise", claim=FLAGS)


def _together(rng: np.random.Generator, runs: int, models: int, bad: float, studies: int) -> Row:
    """Settings with one distribution: none is to be shown to be worse."""
    together = 0
    for _ in range(studies):
        scores, _ = draw(rng, (models, runs), 0.05, bad)
        together += not compare({str(k): row for k, row in enumerate(scores)}).beaten
    setting = f"{models} settings, {runs} runs, {bad:.0%} bad"
    name, fraction = "no identical setting is shown to be worse", together / studies
    # 95 % and more is exact; the simulation itself errs by 0.7 points.
    return Row(name, setting, fraction, 0.935, 1, studies, "promise", claim=SAME_SETTINGS)


def _changes(
    rng: np.random.Generator, changes: int, runs: int, base: int, bad: float, studies: int
) -> Iterable[Row]:
    """Changes against one base: without an effect, and with the smallest that is shown. Intervals
    move with the effect, so that those of no effect stand for any."""

    def study(change: float) -> list:
        scores = {"base": draw(rng, (base,), 0.18, bad)[0]}
        arms = change * draw(rng, (changes, runs), 0.18, bad)[0]
        scores |= {str(k): arm for k, arm in enumerate(arms)}
        return list(effects(scores, {str(k): "base" for k in range(changes)}))

    wrong = covered = 0
    smallest = []
    for _ in range(studies):
        found = study(1)
        wrong += any(effect.shown for effect in found)
        smallest.append(float(np.median([effect.smallest_gain or 0 for effect in found])))
        ends = [effect.interval for effect in found if effect.interval]
        covered += all(low <= 1 <= high for low, high in ends)
    setting = f"{changes} changes, {runs} runs, base {base}, {bad:.0%} bad"
    error = 2 * math.sqrt(0.05 * 0.95 / studies)  # of the simulation
    name = "a change without an effect is shown"
    yield Row(name, setting, wrong / studies, 0, 0.05 + error, studies, "promise", claim=NO_EFFECT)
    name = "all intervals hold the effect"
    yield Row(
        name, setting, covered / studies, 0.95 - error, 1, studies, "conservative", claim=JOINT
    )
    gain, name = float(np.median(smallest)), "power at the smallest gain"
    if gain > 0:
        few, level = max(10, studies // 10), 0.05 / changes
        shown = [e.p_value <= level and e.wins > 0.5 for _ in range(few) for e in study(gain)]
        remark = f"a gain of {1 - gain:.0%}"
        power = float(np.mean(shown))
        said = f"approximate: {POWER:g} aimed at"
        yield Row(name, setting, power, 0.6, 0.9, few * changes, said, remark, claim=GAIN)


def _told_apart(rng: np.random.Generator, correlation: float, share: float, studies: int) -> Row:
    """Two identical models: how often re-runs of their chosen settings show a difference."""
    shown, shares = 0, (math.sqrt(correlation), math.sqrt(1 - correlation))
    for number in range(studies):
        common, own = rng.standard_normal(20), rng.standard_normal((2, 20))
        settings = (0.5, 0.6)[number % 2] * (shares[0] * common + shares[1] * own)
        seeds = 0.18 * rng.standard_normal((2, 30))
        best = np.argmin(settings + seeds[:, :20], axis=1)
        again = np.exp(settings[[0, 1], best][:, None] + seeds[:, 20:])
        shown += bool(compare({"a": again[0], "b": again[1]}).beaten)
    name = "chosen settings of two identical models differ"
    setting = f"20 settings, 10 runs, correlation {correlation:g}"
    said = "said beside each such comparison"
    return Row(
        name, setting, shown / studies, share - 0.04, share + 0.04, studies, said, claim=TWINS
    )
