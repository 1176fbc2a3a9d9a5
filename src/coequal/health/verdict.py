"""What became of a run: a verdict, since when, why, and what would do."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

HEALTHY = "healthy"
EARLY = "too early to tell"

MEANING: Mapping[str, str] = {
    HEALTHY: "nothing speaks against it",
    EARLY: "no rule fires, and the images are not there yet",
    "diverged": "losses, gradients or images are not finite, or have exploded",
    "collapsed": "the generator makes one image, or a few",
    "mode_dropping": "some classes of the data are missing among good images",
    "discriminator_won": "the discriminator tells all images apart and the generator learns nothing"
    " from it (convergence failure)",
    "generator_won": "the discriminator tells nothing apart, and the images are poor",
    "oscillating": "the images go round in circles and do not get better",
    "stalled": "the images no longer move, and are poor",
    "overfitting": "the discriminator knows its training images by heart",
}
"""Every verdict, in words."""

VERDICTS = tuple(MEANING)
FAILURES = tuple(name for name in VERDICTS if name not in (HEALTHY, EARLY))


@dataclass(frozen=True)
class Finding:
    """A rule that fires.

    Attributes:
        verdict: what it speaks for.
        rule: its name.
        since: step at which it began to hold.
        sentence: what was seen.
        value, threshold: what was measured at the end, and what it is held against.
        healthy: the range of that value in the healthy runs that the threshold was set on.
    """

    verdict: str
    rule: str
    since: int
    sentence: str
    value: float
    threshold: float
    healthy: tuple[float, float]

    @property
    def description(self) -> str:
        """The sentence with its numbers."""
        low, high = self.healthy
        return (
            f"{self.sentence} ({self.value:.3g}; threshold {self.threshold:.3g}, healthy runs "
            f"{low:.3g} to {high:.3g})"
        )


@dataclass(frozen=True)
class Remedy:
    """Something to try.

    Attributes:
        what: in words, with its reason.
        settings: hyper-parameters and tricks that it means, for `--set` and a study.
        source: who found it.
    """

    what: str
    settings: Mapping[str, Any]
    source: str


@dataclass(frozen=True)
class Alarm:
    """A verdict that held for a while."""

    verdict: str
    since: int
    until: int  # step of the last probe at which it held


@dataclass(frozen=True)
class Health:
    """What became of one run.

    Attributes:
        verdict: one of `VERDICTS`, at the end.
        step: since when it holds; None of one that says nothing is wrong.
        evidence: in one sentence.
        remedies: that apply to this run, the first to try first.
        findings: every rule that fires at the end, the verdict's first.
        alarms: every failure that held at some time, in order; those that passed among them.
        unseen: what could not be looked for, and why.
    """

    verdict: str
    step: int | None
    evidence: str
    remedies: tuple[Remedy, ...] = ()
    findings: tuple[Finding, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether something is wrong."""
        return self.verdict in FAILURES

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Health":
        """What `as_dict` described."""
        return cls(
            verdict=values["verdict"],
            step=values["step"],
            evidence=values["evidence"],
            remedies=tuple(Remedy(**entry) for entry in values["remedies"]),
            findings=tuple(
                Finding(**{**entry, "healthy": tuple(entry["healthy"])})
                for entry in values["findings"]
            ),
            alarms=tuple(Alarm(**entry) for entry in values["alarms"]),
            unseen=tuple(values["unseen"]),
        )
