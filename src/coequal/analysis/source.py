"""Where the report reads: the plan of a study, and its results one after another.

Of all trials it takes one metric along the training; other metrics of few, where they are shown.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from coequal.checkpoints import Measurement
from coequal.records import Result, Trial
from coequal.results.merged_file import Merged
from coequal.results.stopped import StoppedModel
from coequal.results.versions import Version

SECOND_METRIC = "f1"  # of which the page draws a curve beside that of the study's own metric


@dataclass(frozen=True)
class ResultSource:
    """Everything that the report needs to know of trials.

    Attributes:
        plan: every trial of the study, in order; it is gone through once.
        results: by trial id, of those that have one; each is read when it is asked for.
        details_of: what was kept beside the numbers of a trial's last checkpoint, by split.
    """

    plan: Iterable[Trial]
    results: Mapping[str, Result]
    details_of: Callable[[str], Mapping[str, Any]] = lambda trial_id: {}

    def trials(self) -> Iterator[tuple[Trial, Result | None]]:
        """Every trial of the plan, in order; None for one that has no result yet."""
        return ((trial, self.results.get(trial.id)) for trial in self.plan)

    def details(self, trial_id: str) -> Mapping[str, Any]:
        """What test values of a trial's last checkpoint summarise, by metric; empty where nothing
        was kept."""
        return self.details_of(trial_id).get("test") or {}

    def tested(self, trial_id: str, step: int) -> dict[str, float]:
        """The test values of every metric of one trial, at one checkpoint."""
        return {m.metric: m.value for m in self._measured(trial_id, step)}

    def errors(self, trial_id: str, step: int) -> dict[str, float]:
        """The standard errors of these values, where they are known."""
        measured = self._measured(trial_id, step)
        return {m.metric: e for m in measured if (e := m.standard_error) is not None}

    def _measured(self, trial_id: str, step: int) -> list[Measurement]:
        result = self.results.get(trial_id)
        points = result.checkpoints if result else ()
        measurements = [m for c in points if c.step == step for m in c.measurements]
        return [m for m in measurements if m.split == "test"]


class ProtocolUse(NamedTuple):
    """A protocol by which a metric was measured on a split.

    Attributes:
        data: the dataset.
        metric: the name of the number.
        split: of the reference images.
        protocol: how it was measured.
    """

    data: str
    metric: str
    split: str
    protocol: str


def protocols_of(uses: Mapping[ProtocolUse, str], metric: str) -> dict[str, dict[str, str]]:
    """Of one dataset, by metric and split, how it was measured; the study's own metric first.

    Args:
        uses: every protocol that was used on the dataset, with the first trial that used it.
        metric: the study's own.

    Raises:
        ValueError: in two ways.
    """
    protocols: dict[str, dict[str, str]] = {metric: {}}
    for use, trial_id in uses.items():
        known = protocols.setdefault(use.metric, {}).setdefault(use.split, use.protocol)
        if known != use.protocol:
            raise ValueError(
                f"{use.data}: {use.metric} on {use.split} was measured in two "
                f"ways, '{known}' and '{use.protocol}' (trial {trial_id}); "
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
        notes: by dataset, how often each note was made.
        protocols: every protocol that was used, with the first trial that used it.
        versions: of the study's file, oldest first; none of a study that has not grown.
        stopped: models that were stopped, because their code fails at once.
        merged: which runs were joined into this one; None if it is one run.
    """

    results: int = 0
    seconds: float = 0.0
    flops: int = 0
    repeats: int = 0
    environment: dict[str, set[str]] = field(default_factory=dict)
    notes: dict[str, Counter[str]] = field(default_factory=dict)
    protocols: dict[ProtocolUse, str] = field(default_factory=dict)
    versions: Sequence[Version] = ()
    stopped: Sequence[StoppedModel] = ()
    merged: Merged | None = None
    _seen: set[Hashable] = field(default_factory=set)

    def add(self, result: Result) -> None:
        """Count one result in."""
        trial = result.trial
        self.results += 1
        self.seconds += result.spent.seconds
        self.flops += result.spent.flops
        self.repeats = max(self.repeats, trial.repeat)
        if (place := (*result.environment.items(),)) not in self._seen:  # few differ
            self._seen.add(place)
            for name, value in place:
                self.environment.setdefault(name, set()).add(str(value))
        if result.notes:
            self.notes.setdefault(trial.data, Counter()).update(result.notes)
        measured = result.checkpoints.measured
        form = (trial.data, *((m.metric, m.split, m.protocol) for m in measured))
        if form not in self._seen:
            self._seen.add(form)
            for m in measured:
                use = ProtocolUse(trial.data, m.metric, m.split, m.protocol)
                self.protocols.setdefault(use, trial.id)
