"""Where the report reads: the index of a run, one trial after another, or results held in memory.

Of all trials it takes one metric along the training; other metrics of few, where they are shown.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from coequal.records import Result, Trial
from coequal.results.collect import current_index
from coequal.results.folder import RunFolder
from coequal.results.index import Index
from coequal.results.metric_history import (
    MetricHistory,
    ProtocolUse,
    first_uses,
    history_of,
    protocol_uses,
)

SECOND_METRIC = "f1"  # of which the page draws a curve beside that of the study's own metric


class ResultSource(ABC):
    """Everything that the report needs to know of trials."""

    @abstractmethod
    def histories(self, metric: str) -> Iterator[tuple[Trial, MetricHistory | None]]:
        """Every trial of the plan, in order; None for one that has no result yet."""

    @abstractmethod
    def protocol_uses(self) -> Sequence[ProtocolUse]:
        """Every way in which something was measured, in order of appearance."""

    @abstractmethod
    def result(self, trial_id: str) -> Result | None:
        """Everything of one trial."""

    def details(self, trial_id: str) -> Mapping[str, Any]:
        """What test values of a trial's last checkpoint summarise, by metric; empty where nothing
        was kept."""
        return {}

    def tested(self, trial_id: str, step: int) -> dict[str, float]:
        """The test values of every metric of one trial, at one checkpoint."""
        result = self.result(trial_id)
        points = result.checkpoints if result else ()
        measurements = [m for c in points if c.step == step for m in c.measurements]
        return {m.metric: m.value for m in measurements if m.split == "test"}


class IndexedResults(ResultSource):
    """An index that is open."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def histories(self, metric: str) -> Iterator[tuple[Trial, MetricHistory | None]]:
        """See `ResultSource`."""
        return self._index.histories(metric, SECOND_METRIC)

    def protocol_uses(self) -> Sequence[ProtocolUse]:
        """See `ResultSource`."""
        return self._index.protocol_uses()

    def result(self, trial_id: str) -> Result | None:
        """See `ResultSource`."""
        return self._index.result(trial_id)

    def details(self, trial_id: str) -> Mapping[str, Any]:
        """See `ResultSource`."""
        noted: Mapping[str, Any] = self._index.folder.details(trial_id).get("test") or {}
        return noted


class InMemoryResults(ResultSource):
    """A plan, and results by trial id."""

    def __init__(self, plan: Sequence[Trial], results: Mapping[str, Result]) -> None:
        self._plan, self._results = plan, results

    def histories(self, metric: str) -> Iterator[tuple[Trial, MetricHistory | None]]:
        """See `ResultSource`."""
        for trial in self._plan:
            result = self._results.get(trial.id)
            yield trial, None if result is None else history_of(result, metric, SECOND_METRIC)

    def protocol_uses(self) -> Sequence[ProtocolUse]:
        """See `ResultSource`."""
        known = (self._results[t.id] for t in self._plan if t.id in self._results)
        return first_uses(use for result in known for use in protocol_uses(result))

    def result(self, trial_id: str) -> Result | None:
        """See `ResultSource`."""
        return self._results.get(trial_id)


@contextmanager
def result_source(
    folder: RunFolder, log: Callable[[str], None], index: Index | None = None
) -> Iterator[ResultSource]:
    """Open the index of a run, brought up to date with its trial folders first.

    Args:
        folder: of the run.
        log: is told what had to be done for it.
        index: an open and up-to-date one, which is used as it is.

    Raises:
        FileNotFoundError: the folder holds no study.
        ValueError: the index or a result can't be used; no trial is ever left out in silence.
    """
    if index is not None:
        yield IndexedResults(index)
        return
    with current_index(folder, log) as collected:
        yield IndexedResults(collected)


def protocols_of(uses: Iterable[ProtocolUse], metric: str) -> dict[str, dict[str, str]]:
    """Of one data set, by metric and split, how it was measured; the study's own metric first.

    Raises:
        ValueError: in two ways.
    """
    protocols: dict[str, dict[str, str]] = {metric: {}}
    for use in uses:
        known = protocols.setdefault(use.metric, {}).setdefault(use.split, use.protocol)
        if known != use.protocol:
            raise ValueError(
                f"{use.data}: {use.metric} on {use.split} was measured in two "
                f"ways, '{known}' and '{use.protocol}' (trial {use.trial}); "
                "numbers of different protocols never share a column"
            )
    return protocols


@dataclass
class Facts:
    """Counts over all results of a study.

    Attributes:
        results: the number of results.
        seconds: duration of all trainings.
        flops: floating-point operations of all trainings.
        repeats: the highest number of a fresh seed.
        environment: by name, every value that was recorded: versions, machines, devices.
        notes: by data set, how often each note was made.
    """

    results: int = 0
    seconds: float = 0.0
    flops: int = 0
    repeats: int = 0
    environment: dict[str, set[str]] = field(default_factory=dict)
    notes: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, trial: Trial, history: MetricHistory) -> None:
        """Count one result in."""
        self.results += 1
        self.seconds += history.spent.seconds
        self.flops += history.spent.flops
        self.repeats = max(self.repeats, trial.repeat)
        for name, value in history.environment.items():
            self.environment.setdefault(name, set()).add(str(value))
        if history.notes:
            self.notes.setdefault(trial.data, Counter()).update(history.notes)
