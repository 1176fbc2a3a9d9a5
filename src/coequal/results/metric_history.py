"""What the report needs of every trial, and no more: one metric along its training.

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


class Track(NamedTuple):
    """A result with the numbers of one metric at each of its checkpoints."""

    status: str
    reason: str | None
    spent: Spent
    steps: tuple[int, ...]  # of the checkpoints
    numbers: NDArray[np.float64]
    """(4, checkpoints): validation, test, the test value's standard error, the test value of the
    metric beside; NaN where it was not measured."""
    environment: Mapping[str, str]
    notes: tuple[str, ...]
    health: Mapping[str, Any] | None  # verdict, step and evidence; None: was not watched


class Measured(NamedTuple):
    """One way in which a metric was measured, and the first trial that was measured so."""

    data: str
    trial: str
    metric: str
    split: str
    protocol: str


def track(result: Result, metric: str, beside: str) -> Track:
    """The track of a result that is held whole."""
    rows: list[list[float]] = []
    for checkpoint in result.checkpoints:
        found = {(m.metric, m.split): m for m in reversed(checkpoint.measurements)}
        test = found.get((metric, "test"))
        error = test.standard_error if test else None
        rows.append(
            [
                _value(found.get((metric, "validation"))),
                _value(test),
                math.nan if error is None else error,
                _value(found.get((beside, "test"))),
            ]
        )
    return Track(
        result.status,
        result.reason,
        result.spent,
        tuple(checkpoint.step for checkpoint in result.checkpoints),
        np.array(rows, dtype=np.float64).reshape(-1, 4).T,
        result.environment,
        result.notes,
        result.health,
    )


def ways_of(result: Result) -> Iterator[Measured]:
    """Every way in which something of a result was measured."""
    for found in (m for c in result.checkpoints for m in c.measurements):
        way = (found.metric, found.split, found.protocol)
        yield Measured(result.trial.data, result.trial.id, *way)


def distinct(ways: Iterable[Measured]) -> list[Measured]:
    """The first trial for each way, in the order in which they come."""
    found: dict[tuple[str, ...], Measured] = {}
    for way in ways:
        found.setdefault((way.data, way.metric, way.split, way.protocol), way)
    return list(found.values())


class Tracks:
    """Takes tracks out of packed results; what results have in common is worked out once."""

    def __init__(self, metric: str, beside: str) -> None:
        self._wanted = ((metric, "validation"), (metric, "test"), (beside, "test"))
        self._places: dict[str, NDArray[np.intp]] = {}  # by layout
        self._steps: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._said: dict[str, dict[str, str]] = {}

    def of(self, packed: Packed) -> Track:
        """The track of a packed result."""
        places = self._places.get(packed.layout)
        if places is None:
            places = self._places[packed.layout] = self._find(columns_of(packed.layout))
        numbers = np.append(np.frombuffer(packed.numbers, "<f8"), np.nan)
        environment = self._said.get(packed.environment)
        if environment is None:
            environment = self._said[packed.environment] = from_json(packed.environment)
        steps = tuple(int(step) for step, *_ in from_json(packed.clock))
        return Track(
            packed.status,
            packed.reason,
            Spent(*from_json(packed.spent)),
            self._steps.setdefault(steps, steps),
            numbers[places],
            environment,
            tuple(from_json(packed.notes)),
            None if packed.health is None else from_json(packed.health),
        )

    def _find(self, checkpoints: Sequence[Columns]) -> NDArray[np.intp]:
        """Where the wanted numbers lie: (4, checkpoints) places, `NO_NUMBER` for none."""
        places = np.full((4, len(checkpoints)), NO_NUMBER)
        validation, test, beside = self._wanted
        for column, found in enumerate(checkpoints):
            at = {(m, split): (value, error) for m, split, _, value, error in reversed(found)}
            none = (NO_NUMBER, NO_NUMBER)
            places[0, column] = at.get(validation, none)[0]
            places[1:3, column] = at.get(test, none)
            places[3, column] = at.get(beside, none)[0]
        return places


def ways_of_packed(packed: Packed) -> Iterator[Measured]:
    """The same of a packed result."""
    for found in columns_of(packed.layout):
        for metric, split, protocol, *_ in found:
            yield Measured(packed.data, packed.key, metric, split, protocol)


def _value(found: Measurement | None) -> float:
    return math.nan if found is None else found.value
