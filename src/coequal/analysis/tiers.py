"""Where each model stands on the metric's axis, and by whom it was shown to be beaten."""

import math
from dataclasses import dataclass
from typing import Literal

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.analysis.scores import in_units
from coequal.statistics.rates import Interval

Basis = Literal["tuned", "reruns", "runs"]


@dataclass(frozen=True)
class Standing:
    """One model.

    Attributes:
        model: its name.
        score: that the model is placed by, in the metric's units; None where it has none.
        interval: 95 % interval of that score; None where there is none. An end may be infinite.
        runs: test values of its single runs, where these are all that is known; else none.
        failed: number of these runs that failed.
        beaten_by: models that were shown to be better, best score first.
        equivalent: models to which it was shown to be equivalent.
    """

    model: str
    score: float | None
    interval: Interval | None
    runs: tuple[float, ...]
    failed: int
    beaten_by: tuple[str, ...]
    equivalent: tuple[str, ...]


@dataclass(frozen=True)
class Tiers:
    """All models of a dataset.

    Attributes:
        basis: what the scores are of. "tuned": the typical score of the tuned model, which the
            verdict compares, with an interval over the draw of settings. "reruns": the centre of
            the chosen setting's re-runs, with an interval over seeds. "runs": the run of the
            setting chosen on validation, without one.
        standings: models that were not shown to be beaten, best score first, then the beaten ones;
            within both, those without a score last.
    """

    basis: Basis
    standings: tuple[Standing, ...]

    @property
    def unbeaten(self) -> tuple[Standing, ...]:
        """Models that were not shown to be beaten, and have a score."""
        return tuple(s for s in self.standings if not s.beaten_by and s.score is not None)

    @property
    def beaten(self) -> tuple[Standing, ...]:
        """Models that were shown to be beaten."""
        return tuple(s for s in self.standings if s.beaten_by)


def tiers(summary: DataSummary) -> Tiers:
    """Place the models by the best that is known of them, the same for all.

    Args:
        summary: of the dataset.
    """
    basis = _basis(summary)
    scores = {model.name: _score(model, summary, basis) for model in summary.models}

    def cost(name: str) -> tuple[float, int]:
        score = scores[name][0]
        return (
            math.inf if score is None else summary.metric.cost(score),
            summary.model(name).index,
        )

    losses, equal = _decided(summary, basis)
    found = []
    for model in summary.models:
        score, interval = scores[model.name]
        alone = basis == "runs"
        found.append(
            Standing(
                model=model.name,
                score=score,
                interval=interval,
                runs=tuple(t.test for t in model.tried if not t.failed) if alone else (),
                failed=sum(t.failed for t in model.tried) if alone else 0,
                beaten_by=tuple(sorted((a for a, b in losses if b == model.name), key=cost)),
                equivalent=tuple(
                    sorted(
                        {n for p in equal if model.name in p for n in p} - {model.name}, key=cost
                    )
                ),
            )
        )
    found.sort(key=lambda s: (bool(s.beaten_by), *cost(s.model)))
    return Tiers(basis, tuple(found))


def _basis(summary: DataSummary) -> Basis:
    contest = summary.contest
    if contest and any(score.interval for score in contest.typical.values()):
        return "tuned"
    if any(m.rerun and m.rerun.numbers and m.rerun.numbers.centre_interval for m in summary.models):
        return "reruns"
    return "runs"


def _score(
    model: ModelSummary, summary: DataSummary, basis: Basis
) -> tuple[float | None, Interval | None]:
    metric = summary.metric
    if basis == "tuned":
        assert summary.contest is not None
        typical = summary.contest.typical.get(model.name)
        if typical is None:
            return None, None
        return metric.cost(typical.score), in_units(typical.interval, metric)
    if basis == "reruns":
        numbers = model.rerun.numbers if model.rerun else None
        if numbers is None or not math.isfinite(numbers.centre):
            return None, None
        return numbers.centre, numbers.centre_interval
    return (None if model.chosen is None else model.chosen.test), None


Pairs = list[tuple[str, str]]


def _decided(summary: DataSummary, basis: Basis) -> tuple[Pairs, Pairs]:
    """(better, worse) of pairs that were decided, and the pairs that are equivalent."""
    if basis == "tuned" and summary.verdict is not None:
        pairs = summary.verdict.pairs
        losses = [(p.winner, p.loser) for p in pairs if p.winner and p.loser]
        return losses, [(p.a, p.b) for p in pairs if p.outcome == "equivalent"]
    if basis == "reruns":
        comparison = summary.rerun_comparison
        changes = [(e.name, e.against, e.wins > 0.5) for e in comparison.effects if e.shown]
        losses = [(a, b) if better else (b, a) for a, b, better in changes]
        if comparison.verdict is not None:
            losses += [(d.better, d.worse) for d in comparison.verdict.differences if d.shown]
        return losses, []
    return [], []
