"""What became of a run: a verdict, since when, why, and what to try."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from coequal.formatting import number

HEALTHY = "healthy"
EARLY = "too early to tell"

MEANING: Mapping[str, str] = {
    HEALTHY: "no problem detected",
    EARLY: "no rule fires, but the images are still far from real ones",
    "diverged": "losses, gradients or images are not finite, or have exploded",
    "collapsed": "the generator makes only one image, or a few",
    "mode_dropping": "some classes of the data are missing, although the images are good",
    "discriminator_won": (
        "the discriminator recognises all generated images, and the generator learns nothing from "
        "it (convergence failure)"
    ),
    "generator_won": (
        "the discriminator cannot tell real from generated images, and the images are poor"
    ),
    "oscillating": "the images go round in circles and do not improve",
    "stalled": "the images no longer change, and are poor",
    "overfitting": "the discriminator has memorised its training images",
}
"""Every verdict, in words."""

VERDICTS = tuple(MEANING)
FAILURES = tuple(name for name in VERDICTS if name not in (HEALTHY, EARLY))


@dataclass(frozen=True)
class Finding:
    """A rule that fires.

    Attributes:
        verdict: the failure that the rule is a sign of, one of `FAILURES`.
        rule: the name of the rule.
        since: the step from which it has held.
        sentence: what was observed, and the name of what was measured, which `value` follows.
        value: what was measured at the end.
        threshold: the value from which on the rule holds.
        healthy: lowest and highest value in the healthy runs that the threshold was set on.
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
        healthy = f"{low:g} to {high:g}" if low < high else f"{low:g}"
        return (
            f"{self.sentence} {number(self.value)} (threshold {self.threshold:g}, healthy runs "
            f"{healthy})"
        )


@dataclass(frozen=True)
class Remedy:
    """Something to try.

    Attributes:
        what: the change, with its reason.
        settings: the hyperparameters and tricks to set, by name, for `--set` and a study; empty
            for advice that no setting stands for.
        source: the publication or the runs that show it.
    """

    what: str
    settings: Mapping[str, Any]
    source: str


@dataclass(frozen=True)
class Alarm:
    """A verdict that held for a while.

    Attributes:
        verdict: one of `FAILURES`.
        since: the step of the first probe at which it held.
        until: the step of the last probe at which it held.
    """

    verdict: str
    since: int
    until: int


def alarms_of(verdicts: Sequence[str | None], steps: Sequence[int]) -> tuple[Alarm, ...]:
    """Every stretch of probes in a row with the same verdict.

    Args:
        verdicts: of each probe, None where no rule fires.
        steps: of each probe.
    """
    alarms: list[Alarm] = []
    before = None
    for verdict, step in zip(verdicts, steps, strict=True):
        if verdict is not None:
            since = step
            if verdict == before:
                since = alarms.pop().since
            alarms.append(Alarm(verdict, since, step))
        before = verdict
    return tuple(alarms)


@dataclass(frozen=True)
class Health:
    """What became of one run.

    Attributes:
        verdict: one of `VERDICTS`, at the end.
        step: the step from which it has held; None if nothing is wrong.
        evidence: what the verdict rests on, in one sentence.
        remedies: what to try in this run, the first to try first.
        findings: every rule that fires at the end, the verdict's first.
        alarms: every failure that held at some time, in order, also those that passed.
        unseen: which failures could not be checked, and why.
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
        """The health that `as_dict` gave; further keys are ignored.

        Raises:
            KeyError: an entry is missing.
        """
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
