"""What is measured of a trial while it trains: plain values, in columns. No torch here."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import overload


@dataclass(frozen=True)
class Spent:
    """What a trial has spent so far. Evaluation and checkpoints are off the clock.

    Attributes:
        discriminator_steps: fresh real batches for the player that learns from them; a model
            without a discriminator counts the steps of its only player.
        generator_steps: steps of the generator.
        images: real images of these batches.
        flops: counted by dispatch on one real step of each kind, double backward included; one
            multiply-add is 2 FLOPs.
        seconds: of training on the clock.
    """

    discriminator_steps: int = 0
    generator_steps: int = 0
    images: int = 0
    flops: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Measurement:
    """One number, and how it was measured.

    Attributes:
        metric: the name of the number, "fd".
        split: of the reference images: "validation" to choose by, "test" to report.
        value: the number.
        protocol: how it was measured; numbers of different protocols never share a column.
        standard_error: over new samples of the same size; None where it is not known.
    """

    metric: str
    split: str
    value: float
    protocol: str
    standard_error: float | None = None


@dataclass(frozen=True)
class Checkpoint:
    """A point of a trial's training at which it was measured.

    Attributes:
        step: of the training.
        spent: what the trial had spent by then.
        measurements: every number on every split.
    """

    step: int
    spent: Spent
    measurements: tuple[Measurement, ...]

    def value(self, metric: str, split: str) -> float:
        """Get the value of a metric on a split.

        Raises:
            KeyError: it was not measured.
        """
        for measurement in self.measurements:
            if (measurement.metric, measurement.split) == (metric, split):
                return measurement.value
        raise KeyError(f"{metric} on {split} was not measured at step {self.step}")


@dataclass(frozen=True)
class MetricSeries:
    """One number along a training, measured by one protocol.

    Attributes:
        metric: the name of the number, "fd".
        split: of the reference images.
        protocol: how it was measured.
        values: by checkpoint; None where it was not measured so.
        standard_errors: of the values, None where one is not known; None if none of them is.
    """

    metric: str
    split: str
    protocol: str
    values: tuple[float | None, ...]
    standard_errors: tuple[float | None, ...] | None = None

    def measurement(self, place: int) -> Measurement | None:
        """The number at one checkpoint; None where it was not measured so."""
        value = self.values[place]
        if value is None:
            return None
        error = self.standard_errors[place] if self.standard_errors else None
        return Measurement(self.metric, self.split, value, self.protocol, error)


@dataclass(frozen=True)
class Checkpoints(Sequence[Checkpoint]):
    """The checkpoints of a trial, in order, kept in columns: each protocol is said once.

    Attributes:
        steps: of the training.
        discriminator_steps: spent by then, as the further columns; see `Spent`.
        generator_steps: spent by then.
        images: spent by then.
        flops: spent by then.
        seconds: spent by then.
        measured: every number that was measured at some of the checkpoints.

    Raises:
        ValueError: the columns have different lengths.
    """

    steps: tuple[int, ...] = ()
    discriminator_steps: tuple[int, ...] = ()
    generator_steps: tuple[int, ...] = ()
    images: tuple[int, ...] = ()
    flops: tuple[int, ...] = ()
    seconds: tuple[float, ...] = ()
    measured: tuple[MetricSeries, ...] = ()

    def __post_init__(self) -> None:
        columns: list[Sequence[object]] = [
            *(self.steps, self.discriminator_steps, self.generator_steps),
            *(self.images, self.flops, self.seconds),
        ]
        columns += [series.values for series in self.measured]
        columns += [s.standard_errors for s in self.measured if s.standard_errors is not None]
        if len(set(map(len, columns))) > 1:
            raise ValueError("columns of different lengths")

    @classmethod
    def of(cls, checkpoints: Iterable[Checkpoint]) -> "Checkpoints":
        """Turn checkpoints into columns.

        Raises:
            ValueError: a checkpoint has two values of one number by one protocol.
        """
        points = list(checkpoints)
        found: dict[tuple[str, str, str], dict[int, Measurement]] = {}
        for place, point in enumerate(points):
            for m in point.measurements:
                series = found.setdefault((m.metric, m.split, m.protocol), {})
                if place in series:
                    raise ValueError(f"step {point.step}: {m.metric} on {m.split} is there twice")
                series[place] = m
        spent = {
            each.name: tuple(getattr(point.spent, each.name) for point in points)
            for each in fields(Spent)
        }
        measured = tuple(_series(*key, at, len(points)) for key, at in found.items())
        return cls(tuple(point.step for point in points), **spent, measured=measured)

    def __len__(self) -> int:
        return len(self.steps)

    @overload
    def __getitem__(self, place: int) -> Checkpoint: ...
    @overload
    def __getitem__(self, place: slice) -> "Checkpoints": ...
    def __getitem__(self, place: int | slice) -> "Checkpoint | Checkpoints":
        if isinstance(place, slice):
            return Checkpoints.of(self[at] for at in range(len(self))[place])
        at = range(len(self))[place]
        found = (series.measurement(at) for series in self.measured)
        spent = Spent(
            self.discriminator_steps[at],
            self.generator_steps[at],
            self.images[at],
            self.flops[at],
            self.seconds[at],
        )
        return Checkpoint(self.steps[at], spent, tuple(m for m in found if m is not None))

    def values(self, metric: str, split: str) -> list[float]:
        """One number on one split by checkpoint; NaN where it was not measured."""
        return self._merged(metric, split, lambda series: series.values)

    def standard_errors(self, metric: str, split: str) -> list[float]:
        """The standard errors of `values`; NaN where unknown."""
        return self._merged(
            metric, split, lambda series: series.standard_errors or (None,) * len(self)
        )

    def _merged(
        self, metric: str, split: str, column: Callable[[MetricSeries], Sequence[float | None]]
    ) -> list[float]:
        merged = [math.nan] * len(self)
        for series in self.measured:
            if series.metric == metric and series.split == split:
                found = column(series)
                merged = [
                    was if value is None else value
                    for was, value in zip(merged, found, strict=True)
                ]
        return merged


def _series(
    metric: str, split: str, protocol: str, found: Mapping[int, Measurement], count: int
) -> MetricSeries:
    points = [found.get(place) for place in range(count)]
    values = tuple(None if m is None else float(m.value) for m in points)
    errors = tuple(None if m is None else m.standard_error for m in points)
    known = any(error is not None for error in errors)
    return MetricSeries(metric, split, protocol, values, errors if known else None)
