"""Two results of one trial compared: what another machine, or another day, makes of it.

Ignored are the clock (seconds of training) and the words of notes; the environment is compared
beside the numbers. What decides is described at `compare`.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from statistics import NormalDist
from typing import Any, Literal

from coequal.checkpoints import Checkpoints, MetricSeries, Spent
from coequal.records import Result

Verdict = Literal["equal", "within the evaluation's error", "different"]

ERROR_RATE = 0.05
"""Of trials whose generators are equal and whose images were drawn anew, at most this share is
called different."""

NOT_RECORDED = "not recorded"
"""Stands for a field of the environment that an older version of coequal did not write."""

_CLOCK = "seconds"


@dataclass(frozen=True)
class Deviation:
    """One number of a trial that came out differently.

    Attributes:
        metric: the name of the number.
        split: of the reference images.
        step: of the training.
        one: its value in the first result.
        other: its value in the second.
        standard_error: of the difference of two independent evaluations, by the standard errors
            that both results record; None if one of them records none.
    """

    metric: str
    split: str
    step: int
    one: float
    other: float
    standard_error: float | None

    @property
    def relative(self) -> float:
        """The difference as a share of the larger of the two values."""
        return abs(self.one - self.other) / max(abs(self.one), abs(self.other))

    @property
    def errors(self) -> float | None:
        """The difference in standard errors; None if there are none to count in."""
        if self.standard_error is None:
            return None
        difference = abs(self.one - self.other)
        return difference / self.standard_error if self.standard_error else math.inf


@dataclass(frozen=True)
class Agreement:
    """How far two results of one trial agree.

    Attributes:
        verdict: "equal" to the bit, "within the evaluation's error", or "different".
        numbers: how many numbers both results have.
        judged: how many of them have a standard error in both results.
        allowed: the difference, in standard errors, up to which numbers count as within the error.
        largest: of each number that came out differently, by its name and split ("fd test"), the
            largest deviation over the checkpoints.
        reasons: why the verdict is "different", a sentence each.
        remarks: what else differs, without deciding anything: numbers that only one result has,
            differences without a recorded error, the verdict on the training's health, the words
            of a reason.
        environment: by field, both values, where they differ; one of them may be `NOT_RECORDED`.
    """

    verdict: Verdict
    numbers: int
    judged: int
    allowed: float
    largest: Mapping[str, Deviation]
    reasons: tuple[str, ...]
    remarks: tuple[str, ...]
    environment: Mapping[str, tuple[str, str]]

    @property
    def worst(self) -> Deviation | None:
        """The largest deviation of all: by standard errors where they are known, else relative."""
        return max(self.largest.values(), key=_size, default=None)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "verdict": self.verdict,
            "numbers": self.numbers,
            "judged": self.judged,
            "allowed_standard_errors": self.allowed,
            "largest": {
                name: {**vars(found), "relative": found.relative, "errors": _finite(found.errors)}
                for name, found in self.largest.items()
            },
            "reasons": list(self.reasons),
            "remarks": list(self.remarks),
            "environment": {name: list(values) for name, values in self.environment.items()},
        }


def compare(one: Result, other: Result) -> Agreement:
    """Compare two results of one trial.

    They are "equal" if they ended alike, after the same steps, and every number that both have was
    measured by the same protocol and is the same to the bit. They agree "within the evaluation's
    error" if instead each number differs by no more than `allowed` standard errors of the
    difference. That standard error is sqrt(a^2 + b^2) of those that the two results record (over
    new samples of the same size); `allowed` is the two-sided normal quantile at `ERROR_RATE` over
    the count of judged numbers (Bonferroni): 3.4 for 80 numbers. Else they are "different". A
    number without a recorded error can't be judged; where such numbers are all that differ, the
    results are "different".

    Args:
        one: the first result.
        other: the second result, of the same trial.

    Raises:
        ValueError: they are results of different trials.
    """
    if one.trial.id != other.trial.id:
        raise ValueError(f"results of two trials, {one.trial.id} and {other.trial.id}")
    reasons, remarks = list(_other_course(one, other)), list(_remarks(one, other))
    numbers, judged, deviations = 0, 0, list[Deviation]()
    for name, a, b in _common(one.checkpoints, other.checkpoints):
        if a.protocol != b.protocol:
            reasons.append(f"{name} was measured differently: {_other_words(a, b)}")
        elif one.checkpoints.steps == other.checkpoints.steps:
            found = list(_pairs(one.checkpoints.steps, a, b))
            numbers += len(found)
            judged += sum(pair.standard_error is not None for pair in found)
            deviations += [pair for pair in found if pair.one != pair.other]
            if a.values == b.values and a.standard_errors != b.standard_errors:
                remarks.append(f"the standard errors of {name} differ")
    allowed = NormalDist().inv_cdf(1 - ERROR_RATE / (2 * max(judged, 1)))
    largest = _largest(deviations)
    reasons += _beyond(largest, allowed)
    if unjudged := [name for name, found in largest.items() if found.errors is None]:
        text = f"no standard error is recorded of {', '.join(unjudged)}, which differ"
        (remarks if len(unjudged) < len(largest) else reasons).append(text)
    verdict: Verdict = "within the evaluation's error" if deviations else "equal"
    return Agreement(
        "different" if reasons else verdict,
        numbers,
        judged,
        allowed,
        largest,
        tuple(reasons),
        tuple(remarks),
        differing_environment(one.environment, other.environment),
    )


def differing_environment(
    one: Mapping[str, str], other: Mapping[str, str]
) -> dict[str, tuple[str, str]]:
    """The fields in which two environments differ, with both values, `NOT_RECORDED` for a field
    that one of them lacks."""
    pairs = {
        name: (str(one.get(name, NOT_RECORDED)), str(other.get(name, NOT_RECORDED)))
        for name in dict.fromkeys((*one, *other))
    }
    return {name: (a, b) for name, (a, b) in pairs.items() if a != b}


def _other_course(one: Result, other: Result) -> Iterator[str]:
    """In what the two trainings took another course, whatever was measured of them."""
    if one.status != other.status:
        yield f"one is {_ended(one)}, the other {_ended(other)}"
    for name in (field.name for field in fields(Spent) if field.name != _CLOCK):
        a, b = getattr(one.spent, name), getattr(other.spent, name)
        if a != b:
            yield f"{name} spent: {a} and {b}"
    if one.checkpoints.steps != other.checkpoints.steps:
        shown = (str(list(result.checkpoints.steps)) for result in (one, other))
        yield f"measured at steps {' and '.join(shown)}"
    elif one.checkpoints.measured and not any(_common(one.checkpoints, other.checkpoints)):
        yield "they have no number in common"


def _ended(result: Result) -> str:
    return f"{result.status} ({result.reason})" if result.reason else result.status


def _remarks(one: Result, other: Result) -> Iterator[str]:
    """What differs and decides nothing."""
    if one.status == other.status and one.reason != other.reason:
        yield f"the reason in words: {one.reason} and {other.reason}"
    first, second = _health(one), _health(other)
    if first != second:
        yield f"the verdict on health: {first} and {second}"
    names = [_by_number(result.checkpoints).keys() for result in (one, other)]
    for name in sorted(names[0] ^ names[1]):
        yield f"{name} was measured in the {'first' if name in names[0] else 'second'} alone"


def _health(result: Result) -> str:
    health = result.health
    if health is None:
        return "not watched"
    return health.verdict if health.step is None else f"{health.verdict} since step {health.step}"


def _by_number(points: Checkpoints) -> dict[str, MetricSeries]:
    return {f"{series.metric} {series.split}": series for series in points.measured}


def _common(
    one: Checkpoints, other: Checkpoints
) -> Iterator[tuple[str, MetricSeries, MetricSeries]]:
    first, second = _by_number(one), _by_number(other)
    for name in first:
        if name in second:
            yield name, first[name], second[name]


def _other_words(one: MetricSeries, other: MetricSeries) -> str:
    """The words in which two protocols differ."""
    first, second = one.protocol.split(), other.protocol.split()
    a = " ".join(word for word in first if word not in second)
    b = " ".join(word for word in second if word not in first)
    return f"{a or 'nothing'} and {b or 'nothing'}"


def _pairs(steps: tuple[int, ...], one: MetricSeries, other: MetricSeries) -> Iterator[Deviation]:
    for place, step in enumerate(steps):
        a, b = one.measurement(place), other.measurement(place)
        if a is None or b is None:
            continue
        known = a.standard_error is not None and b.standard_error is not None
        error = math.hypot(a.standard_error or 0, b.standard_error or 0) if known else None
        yield Deviation(a.metric, a.split, step, a.value, b.value, error)


def _largest(deviations: list[Deviation]) -> dict[str, Deviation]:
    found: dict[str, Deviation] = {}
    for deviation in deviations:
        name = f"{deviation.metric} {deviation.split}"
        if name not in found or _size(deviation) > _size(found[name]):
            found[name] = deviation
    return dict(sorted(found.items(), key=lambda item: _size(item[1]), reverse=True))


def _size(deviation: Deviation) -> tuple[float, float]:
    """Larger for a larger deviation; what can be judged comes before what can't."""
    return -1.0 if deviation.errors is None else deviation.errors, deviation.relative


def _beyond(largest: Mapping[str, Deviation], allowed: float) -> Iterator[str]:
    for name, found in largest.items():
        if found.errors is not None and found.errors > allowed:
            yield (
                f"{name} at step {found.step}: {found.one:.6g} and {found.other:.6g}, "
                f"{found.errors:.3g} standard errors apart (within the error: {allowed:.2g})"
            )


def _finite(value: float | None) -> float | None:
    return value if value is None or math.isfinite(value) else None
