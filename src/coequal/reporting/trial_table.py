"""The page's table of trials: what `look_closer.js` knows of each dot, as one JSON element."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.analysis.trials import TrialSummary
from coequal.ranges import Value

MAX_CHOICES = 6  # different values of a number up to which a reader picks one instead of a range


@dataclass(frozen=True)
class Hyperparameter:
    """One that differs between trials, for a reader to filter by.

    Attributes:
        name: in the settings.
        label: as a reader sees it.
        choices: its values, if there are few or they are no numbers; empty: a range is filtered.
        low: the least value of a range.
        high: the greatest.
    """

    name: str
    label: str
    choices: tuple[Value, ...]
    low: float
    high: float


@dataclass(frozen=True)
class Listed:
    """One trial that has a result, and whose it is.

    Attributes:
        place: of its dataset in the study.
        model: that it is a run of.
        trial: what became of it.
    """

    place: int
    model: ModelSummary
    trial: TrialSummary


@dataclass(frozen=True)
class TrialTable:
    """Every trial of a study that has a result: the search's, then fresh seeds, model after model.

    Attributes:
        datasets: the numbers.
    """

    datasets: Sequence[DataSummary]

    @cached_property
    def listed(self) -> list[Listed]:
        """The trials in the order of the table's rows."""
        return [
            Listed(place, model, trial)
            for place, summary in enumerate(self.datasets)
            for model in summary.models
            for trial in _trials(model)
        ]

    @cached_property
    def rows(self) -> dict[str, int]:
        """The row of each trial, by its id."""
        return {one.trial.trial: row for row, one in enumerate(self.listed)}

    @property
    def models(self) -> Sequence[ModelSummary]:
        """The models of the study, in its order."""
        return self.datasets[0].models if self.datasets else ()

    @property
    def statuses(self) -> list[str]:
        """What became of trials, in the order of the table."""
        return list(dict.fromkeys(one.trial.status for one in self.listed))

    @cached_property
    def hyperparameters(self) -> list[Hyperparameter]:
        """Those that differ between trials, or that some trials lack."""
        found: dict[str, list[Value]] = {}
        for one in self.listed:
            for value in one.trial.values:
                found.setdefault(value.name, []).append(_short(value.value))
        differ = {
            name: list(dict.fromkeys(values))
            for name, values in found.items()
            if len(values) < len(self.listed) or len(set(values)) > 1
        }
        return [_hyperparameter(name, values) for name, values in differ.items()]

    def json(self) -> str:
        """The table in columns, to stand in a `script` element."""
        trials = [one.trial for one in self.listed]
        statuses = {status: place for place, status in enumerate(self.statuses)}

        def column(get: Callable[[TrialSummary], Any]) -> list[Any]:
            return [get(trial) for trial in trials]

        values: dict[str, list[Any]] = {p.name: [None] * len(trials) for p in self.hyperparameters}
        for row, trial in enumerate(trials):
            for place in trial.values:
                if place.name in values:
                    values[place.name][row] = _short(place.value)
        table = {
            "metrics": [s.metric.label for s in self.datasets],
            "datasets": [s.data for s in self.datasets],
            "models": [model.title for model in self.models],
            "statuses": list(statuses),
            "labels": {p.name: p.label for p in self.hyperparameters},
            "data": [one.place for one in self.listed],
            "model": [one.model.index for one in self.listed],
            "setting": column(lambda t: t.number),
            "repeat": column(lambda t: t.repeat),
            "status": column(lambda t: statuses[t.status]),
            "reason": {row: t.reason for row, t in enumerate(trials) if t.reason},
            "validation": column(lambda t: _short(t.validation)),
            "test": column(lambda t: _short(t.test)),
            "id": "".join(trial.trial for trial in trials),
            "values": values,
        }
        return for_script(table)


def for_script(value: Any) -> str:
    """A value as compact JSON that no browser takes for the end of its `script` element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _trials(model: ModelSummary) -> Iterator[TrialSummary]:
    yield from model.tried
    for setting in sorted(model.fresh_seeds):
        yield from (trial for trial in model.fresh_seeds[setting] if trial.has_result)


def _hyperparameter(name: str, values: Iterable[Value]) -> Hyperparameter:
    listed = list(values)
    numbers = [float(v) for v in listed if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < len(listed) or len(numbers) <= MAX_CHOICES:
        choices = tuple(sorted(listed, key=lambda v: (isinstance(v, str), v)))
        return Hyperparameter(name, name.replace("_", " "), choices, math.nan, math.nan)
    return Hyperparameter(name, name.replace("_", " "), (), min(numbers), max(numbers))


def _short(value: Any) -> Any:
    """Four figures of a number, and nothing of one that is not finite."""
    if not isinstance(value, float):
        return value
    return float(f"{value:.4g}") if math.isfinite(value) else None
