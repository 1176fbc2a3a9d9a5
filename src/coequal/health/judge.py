"""From signals to a verdict, while a run trains and long after it has ended."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from coequal.health.measures import Holds
from coequal.health.objective_facts import ASSUMED, ObjectiveFacts
from coequal.health.remedies import remedies_for
from coequal.health.rules import (
    CONSECUTIVE_PROBES,
    MIN_PROBES,
    RULES,
    HealthRule,
    unchecked,
    unfinished,
)
from coequal.health.signals import Signals
from coequal.health.verdict import EARLY, HEALTHY, Alarm, Finding, Health, Remedy, alarms_of


def judge(
    signals: Signals,
    *,
    diverged: str | None = None,
    at: int | None = None,
    settings: Mapping[str, Any] | None = None,
    objective: ObjectiveFacts = ASSUMED,
) -> Health:
    """The health of a run so far.

    Args:
        signals: of every probe.
        diverged: why the training could not go on; None if it could.
        at: the step at which it diverged; by default that of the last probe.
        settings: the run's hyperparameters and tricks; what is on already is not proposed.
        objective: what its objective is, which decides on the remedies that fit.
    """

    def remedies(verdict: str) -> tuple[Remedy, ...]:
        return remedies_for(verdict, settings or {}, objective)

    fired = [(rule, rule.holds(signals)) for rule in RULES]
    alarms = alarms_of(_verdicts(fired, len(signals)), signals["step"].astype(int).tolist())
    last = int(signals["step"][-1]) if len(signals) else 0
    if diverged is not None:
        last = last if at is None else at
        alarms = (*alarms, Alarm("diverged", last, last))
        return Health("diverged", last, diverged, remedies("diverged"), (), alarms)
    findings = tuple(
        _finding(rule, holds, signals) for rule, holds in fired if len(holds) and holds[-1]
    )
    unseen = unchecked(signals)
    if findings:
        first = findings[0]
        verdict, since, evidence = first.verdict, first.since, first.description
        return Health(verdict, since, evidence, remedies(verdict), findings, alarms, unseen)
    if len(signals) < MIN_PROBES + CONSECUTIVE_PROBES or bool(unfinished(signals)[-1]):
        text = f"no rule fires after {last} steps, but the images are still far from real ones"
        return Health(EARLY, None, text, remedies(EARLY), (), alarms, unseen)
    return Health(HEALTHY, None, f"no rule fires after {last} steps", (), (), alarms, unseen)


def _finding(rule: HealthRule, holds: Holds, signals: Signals) -> Finding:
    """A rule that holds at the last probe."""
    begun = len(holds) - 1
    while begun > 0 and holds[begun - 1]:
        begun -= 1
    return Finding(
        rule.verdict,
        rule.name,
        int(signals["step"][max(0, begun - rule.persist + 1)]),
        rule.sentence,
        float(rule.value(signals)[-1]),
        rule.threshold.at,
        rule.threshold.healthy,
    )


def verdicts(signals: Signals) -> list[str | None]:
    """The verdict of the rules at every probe; None where no rule fires."""
    return _verdicts([(rule, rule.holds(signals)) for rule in RULES], len(signals))


def _verdicts(fired: Sequence[tuple[HealthRule, Holds]], probes: int) -> list[str | None]:
    """Of all rules that hold at a probe the first gives the verdict."""
    verdicts: list[str | None] = [None] * probes
    for rule, holds in reversed(fired):
        for probe in np.flatnonzero(holds).tolist():
            verdicts[probe] = rule.verdict
    return verdicts
