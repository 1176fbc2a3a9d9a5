"""What a run tells an observer while it goes on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        total: trials that there will be at most.
        statuses: how many trials ended with each status.
        running: by trial (model and setting), the fraction of its budget that is spent.
        text: what goes on before the first trial, or while the run stops; else empty.
        seconds_left: an estimate, at the rate of this phase; None until there is one.
        models: by model: trials known by now, how many have ended, how many of these failed.
        per_hour: trials that end in an hour, at the rate of this phase; None at its start.
        news: what happened since the last update, a line each.
        doing: by running trial, its own line on its training.
        verdicts: by running trial, the verdict on its health, where there is one.
    """

    total: int
    statuses: Mapping[str, int]
    running: Mapping[str, float]
    text: str
    seconds_left: float | None
    models: Mapping[str, tuple[int, int, int]]
    per_hour: float | None
    news: tuple[str, ...] = ()
    doing: Mapping[str, str] = field(default_factory=dict)
    verdicts: Mapping[str, str] = field(default_factory=dict)

    @property
    def finished(self) -> int:
        """Trials that have a result."""
        return sum(self.statuses.values())

    @property
    def failed(self) -> int:
        """Trials that ended without reaching their budget."""
        return self.finished - self.statuses.get("done", 0)


class Observer(Protocol):
    """Something that is told how far a run is while it goes on."""

    def update(self, progress: Progress) -> None:
        """Receive how far the run is; called about twice a second, and at each change."""


class Silent:
    """Observer that ignores every update; the default of `run`."""

    def update(self, progress: Progress) -> None:
        """Ignore the update."""
