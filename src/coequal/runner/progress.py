"""What a run tells whoever watches it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Progress:
    """Where a run is."""

    total: int
    statuses: Mapping[str, int]  # of trials that have a result
    running: Mapping[str, float]  # by model and setting, how far from 0 to 1
    text: str  # what goes on before the first trial, or empty
    seconds_left: float | None  # None until it can be estimated
    models: Mapping[str, tuple[int, int, int]]  # trials known by now, ended, failed of these
    per_hour: float | None  # trials that end in an hour, at the rate of this session
    news: tuple[str, ...] = ()  # what happened since the last time, one line each
    doing: Mapping[str, str] = field(default_factory=dict)  # of those that run, what each says
    verdicts: Mapping[str, str] = field(default_factory=dict)  # and its health, where it is known

    @property
    def finished(self) -> int:
        """Trials that have a result."""
        return sum(self.statuses.values())

    @property
    def failed(self) -> int:
        """Trials that ended without reaching their budget."""
        return self.finished - self.statuses.get("done", 0)


class Observer(Protocol):
    """Whoever wants to see a run while it goes on."""

    def update(self, progress: Progress) -> None:
        """Take note; called about twice a second, and at each change."""


class Silent:
    """Looks away."""

    def update(self, progress: Progress) -> None:
        """Nothing."""
