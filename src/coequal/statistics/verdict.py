"""Which models are better, which are equivalent, and which pairs are not decided.

Two models are compared as somebody with a budget of n settings would meet them: n random settings
are tried, the best by validation is taken, and it is trained once more with a fresh seed. Of each
pair two numbers are estimated, both over the draw of settings and over seeds: P, the probability
that the tuned A then scores better than the tuned B, and the ratio of their typical scores. Both
have intervals that hold jointly for all pairs of a study and all of its looks (Bonferroni).

A pair is `equivalent` if the interval of the ratio lies within the margin that the study declares,
`better` or `worse` if P differs from 1/2, and else `undecided`. The first decision stands.

From 20 settings, P is tested by its normal score on the logit scale, with the standard error of the
paired settings (`better.standard_error`). Smaller searches are compared at n = 1, by the
distribution of the studentised P over swapping the two models within settings.

A study may look several times (`looks`). A model that was beaten is not trained further; no other
model gets its budget. Sizes and coverages are simulated (docs/explanation/validation.md).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

from scipy.special import ndtr

from coequal.statistics.best_of import best_distribution
from coequal.statistics.better import LOGIT_MIN_SETTINGS, better, probability_better
from coequal.statistics.looks import LEVEL, Look
from coequal.statistics.rates import Interval
from coequal.statistics.rules import Rules, SearchRuns
from coequal.statistics.search import Search
from coequal.statistics.swaps import least_p_value, swap_p_value
from coequal.statistics.typical import typical_ratio, within_margin

BY_LOGIT = "normal score of P on the logit scale, paired by setting, Bonferroni over all pairs"
BY_SWAPS = "swaps of the two models within settings, studentised, Bonferroni over all pairs"

Outcome = Literal["better", "worse", "equivalent", "undecided"]


@dataclass(frozen=True)
class PairResult:
    """What is known of two models.

    Attributes:
        a: the first.
        b: the second.
        look: index of the look that these numbers are of: the one that decided, else the last one
            taken; None before the first, where there is no interval.
        settings: number of settings of each that were compared.
        probability: P(the tuned A scores better than the tuned B, each on a fresh seed).
        probability_interval: its interval at `level`; None before the first look, and at one for
            which no error is left.
        ratio: the typical score of A over that of B, or the mean of A minus that of B on the linear
            scale; None where a failure has no score to count as.
        ratio_interval: its interval at `level`; None where there is none.
        z: normal score of the pair, positive where A is better; None where the pair was tested by
            swaps.
        p_value: two-sided p-value of P = 1/2; None where there is no interval.
        level: error that this look spends on this pair; 0 before the first look.
        outcome: of A.
    """

    a: str
    b: str
    look: int | None
    settings: int
    probability: float
    probability_interval: Interval | None
    ratio: float | None
    ratio_interval: Interval | None
    z: float | None
    p_value: float | None
    level: float
    outcome: Outcome

    @property
    def decided(self) -> bool:
        """Whether the pair has an outcome other than `undecided`."""
        return self.outcome != "undecided"

    @property
    def loser(self) -> str | None:
        """The model that was shown to be worse; None if neither was."""
        return {"better": self.b, "worse": self.a}.get(self.outcome)

    @property
    def winner(self) -> str | None:
        """The model that was shown to be better; None if neither was."""
        return {"better": self.a, "worse": self.b}.get(self.outcome)


@dataclass(frozen=True)
class Defeat:
    """Why a model was beaten.

    Attributes:
        by: the better model of the clearest pair of the first look at which it was beaten.
        look: index of that look.
    """

    by: str
    look: int


@dataclass(frozen=True)
class Verdict:
    """Every pair of a study, and what follows for its models.

    Attributes:
        rules: under which it was reached.
        order: models, best first by the median score of the tuned model.
        pairs: every compared pair, in the order of `Rules.pairs`.
        beaten: models that were shown to be worse than another, and by whom.
        looks_done: number of looks that were taken.
        training: models that train on: those of open pairs, while looks are left.
        settings: number of settings of each model that count, at the last look that it took part
            in; before the first, the number that all models have.
        method: how pairs were tested at the last look taken, as the report prints it.
        least_p: the smallest p-value that the last planned look that may spend error could give a
            pair.
        threshold: the level of a pair there.
    """

    rules: Rules
    order: tuple[str, ...]
    pairs: tuple[PairResult, ...]
    beaten: Mapping[str, Defeat]
    looks_done: int
    training: tuple[str, ...]
    settings: Mapping[str, int]
    method: str
    least_p: float
    threshold: float

    @property
    def budget(self) -> int:
        """n at which the models are compared."""
        return self.rules.judged_budget

    @property
    def unbeaten(self) -> tuple[str, ...]:
        """Models that were not shown to be worse than another, best first."""
        return tuple(name for name in self.order if name not in self.beaten)

    @property
    def finished(self) -> bool:
        """Whether no look is left that could change anything."""
        return not self.training

    @property
    def decided(self) -> bool:
        """Whether no pair is open any more."""
        return not open_pairs(self.pairs, self.beaten, self.rules)

    @property
    def could_separate(self) -> bool:
        """Whether any scores at all could have decided a pair; if not, there are too few
        settings."""
        return self.least_p <= self.threshold

    def pair(self, a: str, b: str) -> PairResult | None:
        """The pair of two models, in whichever order it is stored; None if they are not
        compared."""
        return next((pair for pair in self.pairs if {pair.a, pair.b} == {a, b}), None)


def verdict(searches: Mapping[str, SearchRuns], rules: Rules) -> Verdict:
    """Take every look whose results are complete, and say what follows.

    Args:
        searches: by model, its settings that have ended without a gap: one for each setting up to
            the first that is still missing.
        rules: what the study declared.

    Raises:
        ValueError: there is no model.
    """
    if not searches:
        raise ValueError("a verdict needs at least one model")
    compared = tuple(combinations(searches, 2)) if rules.pairs is None else rules.pairs
    level_of_pair = 1 / max(1, rules.comparisons, len(compared))
    counts = [look.settings for look in rules.looks]

    # Before the first look: estimates of what all models have, without intervals.
    fewest = min(runs.settings for runs in searches.values())
    first = _searches(searches, rules, [fewest]) if fewest else {}
    pairs = [_estimate(a, b, first, rules) for a, b in compared]
    settings = dict.fromkeys(searches, fewest)
    beaten: dict[str, Defeat] = {}
    training = tuple(name for name in searches if any(name in pair for pair in compared))
    done, latest = 0, first

    for index, look in enumerate(rules.looks):
        if not training:
            break
        so_far = counts[: index + 1]
        if not all(searches[name].complete(so_far, rules.retrained_share) for name in training):
            break
        found = _searches({name: searches[name] for name in training}, rules, so_far)
        still_open = open_pairs(pairs, beaten, rules)
        if look.settings >= rules.first_settings:
            level = look.level * level_of_pair
            pairs = [
                _test(pair, found, rules, index, level) if pair in still_open else pair
                for pair in pairs
            ]
        beaten |= _defeats(pairs, index, beaten)
        latest = latest | found
        settings |= dict.fromkeys(training, look.settings)
        done = index + 1
        living = {n for pair in open_pairs(pairs, beaten, rules) for n in (pair.a, pair.b)}
        training = tuple(name for name in training if name in living)
    if done == len(rules.looks):
        training = ()

    spending = [look for look in rules.looks if look.level > 0]
    last = spending[-1] if spending else Look(fewest, 0.0)
    return Verdict(
        rules=rules,
        order=tuple(sorted(searches, key=lambda name: (_typical(latest.get(name)), name))),
        pairs=tuple(pairs),
        beaten=beaten,
        looks_done=done,
        training=training,
        settings=settings,
        method=BY_LOGIT if counts[max(0, done - 1)] >= LOGIT_MIN_SETTINGS else BY_SWAPS,
        least_p=least_p_value(last.settings),
        threshold=last.level * level_of_pair,
    )


def open_pairs(
    pairs: Iterable[PairResult], beaten: Iterable[str], rules: Rules
) -> list[PairResult]:
    """Return the pairs that later looks may still decide.

    These are the undecided ones, but for those with a model that was beaten: it is not trained
    further. A study that names its pairs (changes, each against one model) goes on with all of
    them.

    Args:
        pairs: of the study.
        beaten: models that were shown to be worse than another.
        rules: of the study.
    """
    gone = set() if rules.pairs is not None else set(beaten)
    return [pair for pair in pairs if not pair.decided and not gone & {pair.a, pair.b}]


def _searches(
    searches: Mapping[str, SearchRuns], rules: Rules, looks: Sequence[int]
) -> dict[str, Search]:
    budget = min(rules.judged_budget, looks[-1])
    return {
        name: runs.search(budget, looks, rules.retrained_share) for name, runs in searches.items()
    }


def _estimate(a: str, b: str, searches: Mapping[str, Search], rules: Rules) -> PairResult:
    """A pair before the first look."""
    probability, ratio, settings = 0.5, None, 0
    if searches:
        left, right = searches[a], searches[b]
        probability, settings = probability_better(left, right), left.settings
        ratio = typical_ratio(left, right, rules, LEVEL)[0]
    return PairResult(
        a, b, None, settings, probability, None, ratio, None, None, None, 0.0, "undecided"
    )


def _test(
    pair: PairResult, searches: Mapping[str, Search], rules: Rules, look: int, level: float
) -> PairResult:
    if level <= 0:  # earlier versions of the study have spent all error: estimates alone
        return replace(_estimate(pair.a, pair.b, searches, rules), look=look)
    a, b = searches[pair.a], searches[pair.b]
    chance = better(a, b, level=level)
    z: float | None = None
    if a.settings >= LOGIT_MIN_SETTINGS:
        z = chance.z
        p_value = max(2 * float(ndtr(-abs(z))), least_p_value(a.settings))
    else:
        p_value = swap_p_value(a.scores, b.scores)
    ratio, ends = typical_ratio(a, b, rules, level)
    outcome: Outcome = "undecided"
    if within_margin(ends, rules):
        outcome = "equivalent"
    elif p_value <= level:
        outcome = "better" if chance.probability > 0.5 else "worse"
    return PairResult(
        a=pair.a,
        b=pair.b,
        look=look,
        settings=a.settings,
        probability=chance.probability,
        probability_interval=Interval(chance.low, chance.high),
        ratio=ratio,
        ratio_interval=ends,
        z=z,
        p_value=p_value,
        level=level,
        outcome=outcome,
    )


def _defeats(
    pairs: Iterable[PairResult], look: int, known: Mapping[str, Defeat]
) -> dict[str, Defeat]:
    """The models that were beaten at this look for the first time, each by its clearest rival."""
    clearest: dict[str, PairResult] = {}
    for pair in pairs:
        loser = pair.loser
        if loser is None or pair.look != look or loser in known:
            continue
        best = clearest.get(loser)
        if best is None or _clearness(pair) < _clearness(best):
            clearest[loser] = pair
    return {
        name: Defeat(pair.winner, look)
        for name, pair in clearest.items()
        if pair.winner is not None
    }


def _clearness(pair: PairResult) -> tuple[float, float]:
    assert pair.p_value is not None
    return pair.p_value, -abs(pair.probability - 0.5)


def _typical(search: Search | None) -> float:
    """Median score of the tuned model."""
    if search is None:
        return math.inf
    found = best_distribution(search.scores, search.budget, choose_by=search.choose_by)
    return found.quantile(0.5)
