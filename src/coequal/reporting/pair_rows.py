"""Pairs as they are shown: in an order of their own, in the metric's units, with all about them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from coequal.analysis.data_summary import DataSummary
from coequal.statistics.anytime import SignEvidence
from coequal.statistics.rates import Interval
from coequal.statistics.verdict import Outcome, PairResult

TURNED: dict[Outcome, Outcome] = {"better": "worse", "worse": "better"}


@dataclass(frozen=True)
class PairRow:
    """A pair as a reader sees it.

    Attributes:
        pair: its result; on the linear scale `ratio` is the difference A - B in the metric's units.
        needed: settings of each model that would decide it with a power of 80 %; None where nobody
            can say, or it is decided.
        evidence: what is valid at any time; None without a setting that both have.
    """

    pair: PairResult
    needed: int | None
    evidence: SignEvidence | None

    @property
    def a(self) -> str:
        """The model of the row."""
        return self.pair.a

    @property
    def b(self) -> str:
        """The model that it is compared with."""
        return self.pair.b


def pair_rows(summary: DataSummary) -> list[PairRow]:
    """Every pair, the better model first by the order of the verdict; in a study of changes, the
    changed model first. Empty where nothing is compared."""
    contest = summary.contest
    if contest is None:
        return []
    verdict = contest.verdict
    place = {name: k for k, name in enumerate(verdict.order)}
    rows = []
    for pair in verdict.pairs:
        key = pair.a, pair.b
        row = PairRow(_in_units(pair, summary), contest.needed.get(key), contest.anytime.get(key))
        keep = verdict.rules.pairs is not None or place[pair.a] < place[pair.b]
        rows.append(row if keep else turned(row, linear=verdict.rules.scale == "linear"))
    return rows


def turned(row: PairRow, *, linear: bool) -> PairRow:
    """Turn a pair round, so that it is told of the other model.

    Args:
        row: the pair.
        linear: whether its ratio is a difference.
    """
    pair, evidence = row.pair, row.evidence

    def other(ratio: float) -> float:
        return -ratio if linear else 1 / ratio

    return replace(
        row,
        pair=replace(
            pair,
            a=pair.b,
            b=pair.a,
            probability=1 - pair.probability,
            probability_interval=_ends(pair.probability_interval, lambda p: 1 - p),
            ratio=None if pair.ratio is None else other(pair.ratio),
            ratio_interval=_ends(pair.ratio_interval, other),
            z=None if pair.z is None else -pair.z,
            outcome=TURNED.get(pair.outcome, pair.outcome),
        ),
        evidence=evidence and replace(evidence, wins=evidence.losses, losses=evidence.wins),
    )


def _in_units(pair: PairResult, summary: DataSummary) -> PairResult:
    if not summary.metric.higher:
        return pair
    cost = summary.metric.cost  # a metric of which more is better has differences, no ratios
    return replace(
        pair,
        ratio=None if pair.ratio is None else cost(pair.ratio),
        ratio_interval=_ends(pair.ratio_interval, cost),
    )


def _ends(ends: Interval | None, turn: Callable[[float], float]) -> Interval | None:
    return None if ends is None else Interval(*sorted(map(turn, ends)))
