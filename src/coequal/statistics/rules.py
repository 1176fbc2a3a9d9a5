"""What a study declares of its comparison, and the runs of the models that it compares."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from coequal.statistics.looks import Look, retrained_settings
from coequal.statistics.search import Array, Search, worst_last

SETTINGS_PER_BUDGET = 10
"""Number of settings that a statement about a budget of one setting needs."""


@dataclass(frozen=True, eq=False)
class SearchRuns:
    """What a model's random settings scored, in the order drawn, lower is better.

    Failures are NaN or infinity. The authors' setting is no random draw and not among them.

    Attributes:
        validation: (settings,) validation scores of the search's runs, by which it chooses.
        test: (settings,) test scores of the same runs.
        fresh: (settings,) test scores of the runs with a fresh seed; of any value where there is
            none.
        retrained: (settings,) whether there is a run with a fresh seed.
    """

    validation: Array
    test: Array
    fresh: Array
    retrained: np.typing.NDArray[np.bool_]

    @property
    def settings(self) -> int:
        """Number of settings."""
        return len(self.validation)

    def search(
        self, budget: float, looks: Sequence[int], share: float, settings: int | None = None
    ) -> Search:
        """Return the measured search as a look sees it.

        A setting that was to be trained again by then, and was, counts with the score of its fresh
        seed.

        Args:
            budget: n, the number of settings tried.
            looks: numbers of settings of the looks so far.
            share: of the settings that is trained again.
            settings: how many settings count; None: those of the last look.
        """
        count = looks[-1] if settings is None else settings
        again = np.zeros(count, dtype=bool)
        again[retrained_settings(self.validation, looks, share)] = True
        again &= self.retrained[:count]
        scores = np.where(again, worst_last(self.fresh[:count]), self.test[:count])
        own = np.where(again, worst_last(self.test[:count]), np.nan)
        return Search(scores, budget, self.validation[:count], own)

    def complete(self, looks: Sequence[int], share: float) -> bool:
        """Return whether everything that a look needs has a result.

        Args:
            looks: numbers of settings of the looks so far.
            share: of the settings that is trained again.
        """
        if self.settings < looks[-1]:
            return False
        return bool(np.all(self.retrained[retrained_settings(self.validation, looks, share)]))


@dataclass(frozen=True)
class Rules:
    """What a study declares before it starts.

    Attributes:
        budget: n, the number of random settings that a tuner may try.
        looks: planned looks, in order.
        share: of the settings, best by validation, that is trained again with a fresh seed; 0: no
            setting is. It has no effect where one setting is tried (`retrained_share`).
        margin: what difference matters: a factor above 1 on the log scale, a distance above 0 on
            the linear one; None: none was declared, and nothing is equivalent.
        scale: of the scores; "log" where all are above 0 and a ratio is meant.
        cap: the score that a failure counts as in the ratio, at least; None: none is known.
        pairs: that are compared; None: every two models.
        comparisons: the number of pairs that the error is divided by, if it is larger than that
            of `pairs`; a study that drops models does not become less strict.
    """

    budget: int
    looks: tuple[Look, ...]
    share: float = 0.0
    margin: float | None = None
    scale: Literal["log", "linear"] = "log"
    cap: float | None = None
    pairs: tuple[tuple[str, str], ...] | None = None
    comparisons: int = 0

    @property
    def judged_budget(self) -> int:
        """The largest budget up to `budget` that the last look has settings enough to judge."""
        return min(self.budget, max(1, self.looks[-1].settings // SETTINGS_PER_BUDGET))

    @property
    def retrained_share(self) -> float:
        """The share of the settings whose fresh seeds count: none where one setting is tried, as
        nothing is chosen by its score, so that the score is not too good."""
        return self.share if self.judged_budget > 1 else 0.0

    @property
    def first_settings(self) -> int:
        """Number of settings that the first look needs at least."""
        return SETTINGS_PER_BUDGET * self.judged_budget if self.judged_budget > 1 else 2
