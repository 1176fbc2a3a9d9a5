"""How often settings drawn at random fail, over all models of a dataset."""

from collections.abc import Sequence
from dataclasses import dataclass

from coequal.analysis.model import ModelSummary
from coequal.statistics.rates import Interval, clustered_rate


@dataclass(frozen=True)
class FailureRate:
    """How often trials of settings drawn at random fail, over all models.

    Attributes:
        failed: trials without a score.
        trials: all of those that have a result.
        settings: how many settings they are of; models share them.
        by_model: failed trials by the model's title, of models that have any.
        authors: titles of the models whose authors' setting failed; it is no draw, and in no other
            number here.
        interval: 95 % interval of the rate over the draw of settings (`clustered_rate`); None
            without trials.
    """

    failed: int
    trials: int
    settings: int
    by_model: dict[str, int]
    authors: tuple[str, ...]
    interval: Interval | None


def failure_rate(models: Sequence[ModelSummary]) -> FailureRate:
    """How often trials of settings drawn at random fail.

    Args:
        models: of a dataset.
    """
    fates: dict[int, list[bool]] = {}
    by_model: dict[str, int] = {}
    for model in models:
        for trial in model.ended:
            fates.setdefault(trial.number, []).append(trial.failed)
            by_model[model.title] = by_model.get(model.title, 0) + trial.failed
    failed, trials = ([count(fate) for fate in fates.values()] for count in (sum, len))
    return FailureRate(
        failed=sum(failed),
        trials=sum(trials),
        settings=len(fates),
        by_model={title: count for title, count in by_model.items() if count},
        authors=tuple(m.title for m in models if m.authors and m.authors.failed),
        interval=clustered_rate(failed, trials) if fates else None,
    )
