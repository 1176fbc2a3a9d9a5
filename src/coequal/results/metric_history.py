"""What a report needs of every trial: the numbers of one metric along its training.

A study of a hundred thousand trials holds tens of millions of numbers; a page shows one metric of
all of them, and the others of a few.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

from coequal.records import Measurement, Result, Spent
from coequal.results.packed_result import Columns, Packed, columns_of

NO_NUMBER = -1  # where a checkpoint was not measured so


class MetricHistory(NamedTuple):
    """A result with the numbers of one metric at each of its checkpoints.

    Attributes:
        status: how the trial ended.
        reason: of a failure; else None.
        spent: by the whole trial.
        steps: of the checkpoints.
        numbers: (4, checkpoints): validation value, test value, standard error of the test value,
            test value of a second metric; NaN where it was not measured.
        environment: versions and hardware.
        notes: every fallback that was taken.
        health: verdict, step and evidence; None if the trial was not watched.
    """

    status: str
    reason: str | None
    spent: Spent
    steps: tuple[int, ...]
    numbers: NDArray[np.float64]
    environment: Mapping[str, str]
    notes: tuple[str, ...]
    health: Mapping[str, Any] | None


class ProtocolUse(NamedTuple):
    """A protocol by which a metric was measured on a split, and the first trial that used it.

    Attributes:
        data: the data set.
        trial: its id.
        metric: the name of the number.
        split: of the reference images.
        protocol: how it was measured.
    """

    data: str
    trial: str
    metric: str
    split: str
    protocol: str


def history_of(result: Result, metric: str, beside: str) -> MetricHistory:
    """Take the history of a metric out of a result.

    Args:
        result: with all its checkpoints.
        metric: its name; the values of both splits are taken.
        beside: a second metric, of which the test values are taken.
    """
    rows: list[list[float]] = []
    for checkpoint in result.checkpoints:
        measured = {(m.metric, m.split): m for m in reversed(checkpoint.measurements)}
        test = measured.get((metric, "test"))
        error = test.standard_error if test else None
        rows.append(
            [
                _value(measured.get((metric, "validation"))),
                _value(test),
                math.nan if error is None else error,
                _value(measured.get((beside, "test"))),
            ]
        )
    return MetricHistory(
        result.status,
        result.reason,
        result.spent,
        tuple(checkpoint.step for checkpoint in result.checkpoints),
        np.array(rows, dtype=np.float64).reshape(-1, 4).T,
        result.environment,
        result.notes,
        result.health,
    )


class MetricHistories:
    """Takes histories of a metric out of packed results; what results have in common is worked out
    once.

    Args:
        metric: its name; the values of both splits are taken.
        beside: a second metric, of which the test values are taken.
    """

    def __init__(self, metric: str, beside: str) -> None:
        self._wanted = ((metric, "validation"), (metric, "test"), (beside, "test"))
        self._positions: dict[str, NDArray[np.intp]] = {}  # by layout
        self._steps: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._environments: dict[str, dict[str, str]] = {}

    def of(self, packed: Packed) -> MetricHistory:
        """Take the history out of a packed result."""
        positions = self._positions.get(packed.layout)
        if positions is None:
            positions = self._positions[packed.layout] = self._locate(columns_of(packed.layout))
        numbers = np.append(np.frombuffer(packed.numbers, "<f8"), np.nan)
        environment = self._environments.get(packed.environment)
        if environment is None:
            environment = from_json(packed.environment)
            self._environments[packed.environment] = environment
        steps = tuple(int(step) for step, *_ in from_json(packed.clock))
        return MetricHistory(
            packed.status,
            packed.reason,
            Spent(*from_json(packed.spent)),
            self._steps.setdefault(steps, steps),
            numbers[positions],
            environment,
            tuple(from_json(packed.notes)),
            None if packed.health is None else from_json(packed.health),
        )

    def _locate(self, checkpoints: Sequence[Columns]) -> NDArray[np.intp]:
        """The positions of the wanted numbers, (4, checkpoints); `NO_NUMBER` for none."""
        positions = np.full((4, len(checkpoints)), NO_NUMBER)
        validation, test, beside = self._wanted
        for column, measured in enumerate(checkpoints):
            at = {(m, split): (value, error) for m, split, _, value, error in reversed(measured)}
            none = (NO_NUMBER, NO_NUMBER)
            positions[0, column] = at.get(validation, none)[0]
            positions[1:3, column] = at.get(test, none)
            positions[3, column] = at.get(beside, none)[0]
        return positions


def protocol_uses(result: Result) -> Iterator[ProtocolUse]:
    """Every measurement of a result as the use of a protocol."""
    for m in (m for checkpoint in result.checkpoints for m in checkpoint.measurements):
        yield ProtocolUse(result.trial.data, result.trial.id, m.metric, m.split, m.protocol)


def packed_protocol_uses(packed: Packed) -> Iterator[ProtocolUse]:
    """Every measurement of a packed result as the use of a protocol."""
    for columns in columns_of(packed.layout):
        for metric, split, protocol, *_ in columns:
            yield ProtocolUse(packed.data, packed.key, metric, split, protocol)


def first_uses(uses: Iterable[ProtocolUse]) -> list[ProtocolUse]:
    """The first use of each protocol by data set, metric and split, in order of appearance."""
    first: dict[tuple[str, ...], ProtocolUse] = {}
    for use in uses:
        first.setdefault((use.data, use.metric, use.split, use.protocol), use)
    return list(first.values())


def _value(measurement: Measurement | None) -> float:
    return math.nan if measurement is None else measurement.value
