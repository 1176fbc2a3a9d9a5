"""What a study can decide, before it is spent."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from coequal.design import rules_of
from coequal.records import MetricInfo
from coequal.study.looks import study_schedule
from coequal.study.plan import most_trials
from coequal.study.spec import Study

if TYPE_CHECKING:
    from coequal.statistics.rules import Rules, SearchRuns
    from coequal.statistics.search import Search

FEWEST_EARLIER_SETTINGS = 10
"""Settings of two models from which their spread is taken; fewer say too little of it."""

WITHIN = 1.2816
"""Standard errors within which an estimate lies, on both sides, with a probability of 80 %."""


@dataclass(frozen=True)
class Reach:
    """What a number of settings can decide.

    Attributes:
        settings: random settings of each model.
        level: error that a pair may spend there.
        fewest: settings from which any scores at all can decide a pair at this level.
        smallest: ratio of typical scores (or their difference, on the linear scale) that is shown
            with a probability of 80 %; None where there is none, or it is not known.
    """

    settings: int
    level: float
    fewest: int
    smallest: float | None

    @property
    def possible(self) -> bool:
        """Whether any pair can be decided."""
        return self.settings >= self.fewest


@dataclass(frozen=True)
class Change:
    """A change of the study, and what it would then decide.

    Attributes:
        settings: random settings of each model.
        against: the model that all others are compared with; None: the pairs stay as they are.
        spending: how the error is divided among the looks, if that changes; else None.
        trials: that it takes more, at most.
        reach: what it then decides.
    """

    settings: int
    against: str | None
    spending: str | None
    trials: int
    reach: Reach


@dataclass(frozen=True)
class Decidable:
    """What a study can decide.

    Attributes:
        pairs: of models that are compared.
        models: number of models.
        declared_budget: settings that a tuner may try, as declared.
        budget: settings that the last look can judge.
        scale: "log" for ratios of scores, "linear" for differences.
        margin: what difference matters; None: none is declared.
        reach: at the settings of the study.
        last: at its last look, where that comes later; else None.
        equivalent_from: settings from which two equal models are found to be equivalent with a
            probability of 80 %; None where that is not known.
        seeds: ratio of scores that fresh seeds show with a probability of 80 %, of a study that
            compares changes with a base; None of another one.
        source: where the spread of scores comes from.
        changes: what would let it decide more, the cheapest first.
    """

    pairs: int
    models: int
    declared_budget: int
    budget: int
    scale: str
    margin: float | None
    reach: Reach
    last: Reach | None
    equivalent_from: int | None
    seeds: float | None
    source: str
    changes: tuple[Change, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        from dataclasses import asdict

        return asdict(self)


@dataclass(frozen=True)
class Earlier:
    """Searches that were measured before, from which a plan takes the spread of scores.

    Attributes:
        searches: by model.
        source: what they are, for a reader.
    """

    searches: "Mapping[str, SearchRuns]"
    source: str


def decidable(study: Study, metric: MetricInfo, earlier: Earlier | None = None) -> Decidable | None:
    """Say what a study can decide, and what would let it decide more.

    Args:
        study: one that has been checked.
        metric: what the metric by which it chooses says of its number.
        earlier: searches of two or more models; None: the spread is assumed.

    Returns:
        None of a study that compares no models.
    """
    if len(study.models) < 2:
        return None
    looks, pairs = study_schedule(study)
    spread, rules = _Spread(study, metric, earlier), _rules(study, metric)
    reach, most = spread.reach(study.search.settings), max(study.search.looks, default=0)
    return Decidable(
        pairs=pairs,
        models=len(study.models),
        declared_budget=study.search.budget,
        budget=rules.judged_budget if looks else 1,
        scale=rules.scale,
        margin=rules.margin,
        reach=reach,
        last=spread.reach(most) if most > study.search.settings else None,
        equivalent_from=spread.equivalent_from(reach.level),
        seeds=_seeds(study),
        source=spread.source,
        changes=tuple(sorted(_changes(study, metric, earlier, reach), key=lambda c: c.trials)),
    )


def _rules(study: Study, metric: MetricInfo) -> "Rules":
    looks, pairs = study_schedule(study)
    return rules_of(study.as_dict(), metric, cap=None, looks=looks, comparisons=pairs)


class _Spread:
    """The spread of the scores of a study's models, by earlier runs or as it is assumed."""

    def __init__(self, study: Study, metric: MetricInfo, earlier: Earlier | None) -> None:
        from coequal.statistics.power import (
            CORRELATION,
            SEED_SPREAD,
            SPREAD,
            assumed_searches,
        )

        self._looks, self._pairs = study_schedule(study)
        self._rules = rules = _rules(study, metric)
        budget = rules.judged_budget if rules.looks else 1
        self._searches = [] if earlier is None else list(_earlier_pairs(earlier, rules, budget))
        if self._searches and earlier is not None:
            self.source = earlier.source
        elif rules.scale == "log":
            self._searches = [assumed_searches(budget)]
            self.source = (
                f"assumed: standard deviation of log scores {SPREAD} over settings and "
                f"{SEED_SPREAD} over seeds, correlation {CORRELATION} between models"
            )
        else:
            self.source = "unknown without earlier runs"

    def reach(self, settings: int) -> Reach:
        """What a look at so many settings can decide."""
        from coequal.statistics.looks import LEVEL
        from coequal.statistics.power import fewest_settings, smallest_difference

        error = next((level for at, level in self._looks if at == settings), LEVEL)
        level = error / max(1, self._pairs)
        found = [
            smallest_difference(a, b, settings=settings, level=level, scale=self._rules.scale)
            for a, b in self._searches
        ]
        shown = [math.inf if value is None else value for value in found]
        middle = median(shown) if shown else math.inf
        smallest = middle if math.isfinite(middle) else None
        return Reach(settings, level, fewest_settings(level), smallest)

    def equivalent_from(self, level: float) -> int | None:
        """Settings from which two equal models are found to be equivalent with a probability of
        80 %: their interval then lies within the margin."""
        from scipy.special import ndtri

        from coequal.statistics.better import paired_error
        from coequal.statistics.typical import failure_score, typical_influences

        if self._rules.margin is None:
            return None
        width = math.log(self._rules.margin) if self._rules.scale == "log" else self._rules.margin
        wanted = float(-ndtri(level / 2)) + WITHIN
        needed = []
        for a, b in self._searches:
            failed = failure_score(self._rules, a, b)
            left, right = (typical_influences(s, self._rules, failed) for s in (a, b))
            if left is not None and right is not None:
                error = paired_error(left[1], -right[1])
                needed.append(math.ceil(a.settings * (wanted * error / width) ** 2))
        return max(2, round(median(needed))) if needed else None


def scored(runs: "SearchRuns") -> int:
    """Settings of an earlier search that have a score."""
    return int(np.isfinite(runs.test).sum())


def _earlier_pairs(
    earlier: Earlier, rules: "Rules", budget: int
) -> "Iterator[tuple[Search, Search]]":
    """Searches of every two models that have settings enough, of those of them that succeeded."""
    from coequal.statistics.search import Search

    fewest = max(FEWEST_EARLIER_SETTINGS, 2 * budget)
    for one, other in combinations(earlier.searches.values(), 2):
        count = min(one.settings, other.settings)
        if count < fewest:
            continue
        pair = [runs.search(budget, [count], rules.retrained_share, count) for runs in (one, other)]
        good = np.isfinite(pair[0].scores) & np.isfinite(pair[1].scores)
        if good.sum() >= fewest:
            a, b = (Search(s.scores[good], budget, s.selection_scores[good]) for s in pair)
            yield a, b


def _changes(
    study: Study, metric: MetricInfo, earlier: Earlier | None, reach: Reach
) -> Iterator[Change]:
    """What can be changed: fewer pairs, more settings, error spent earlier."""
    pairs_named = any(model.against for model in study.models)
    base = None if pairs_named or len(study.models) < 3 else study.models[0].name
    options: list[tuple[str | None, str | None]] = [(None, None)]
    if base is not None:
        options.append((base, None))
    if study.search.spending != "pocock" and study.search.settings < max(
        study.search.looks, default=0
    ):
        options.append((None, "pocock"))
    for against, spending in options:
        changed = _changed(study, against, spending, None)
        now = _Spread(changed, metric, earlier).reach(changed.search.settings)
        if (against or spending) and now.possible:
            yield Change(changed.search.settings, against, spending, 0, now)
        if spending is None and not (against and now.possible):
            settings = now.fewest if not now.possible else 2 * study.search.settings
            grown = _changed(study, against, None, settings)
            then = _Spread(grown, metric, earlier).reach(settings)
            trials = _trained(grown) - _trained(study)
            yield Change(settings, against, None, trials, then)


def _changed(
    study: Study, against: str | None, spending: str | None, settings: int | None
) -> Study:
    """The study with another base, spending or number of settings."""
    search: dict[str, Any] = {}
    if spending is not None:
        search["spending"] = spending
    if settings is not None:
        later = [look for look in study.search.looks if look > settings]
        earlier = [look for look in study.search.looks if look < study.search.settings]
        search |= {"settings": settings, "looks": tuple(sorted({*earlier, settings, *later}))}
    models = [
        model.model_copy(update={"against": against})
        if against is not None and model.name != against
        else model
        for model in study.models
    ]
    changed = study.search.model_copy(update=search)
    return study.model_copy(update={"search": changed, "models": tuple(models)})


def _trained(study: Study) -> int:
    most = most_trials(study)
    return most["search"] + most["retrained"]


def _seeds(study: Study) -> float | None:
    """The ratio that fresh seeds show with a probability of 80 %, each change against its base, at
    the strictest level of Holm's correction, by Student's t on logarithms."""
    from scipy.special import stdtrit

    from coequal.statistics.looks import LEVEL
    from coequal.statistics.power import POWER, SEED_SPREAD

    changes = [model for model in study.models if model.against is not None]
    seeds = study.reruns.seeds
    if not changes or seeds < 2:
        return None
    ratios = []
    for model in changes:
        base = study.rerun_seeds(str(model.against))
        if base < 2:
            return None
        freedom = seeds + base - 2
        reach = float(stdtrit(freedom, 1 - LEVEL / len(changes) / 2) + stdtrit(freedom, POWER))
        ratios.append(math.exp(reach * SEED_SPREAD * math.sqrt(1 / seeds + 1 / base)))
    return max(ratios)
