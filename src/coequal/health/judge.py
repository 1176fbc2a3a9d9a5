"""From signals to a verdict: the same while a run trains and long after it has ended."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from coequal.health.measures import Holds
from coequal.health.objective_facts import ASSUMED, ObjectiveFacts
from coequal.health.remedies import remedies_for
from coequal.health.rules import FIRST, PERSIST, RULES, HealthRule, unfinished, unseen
from coequal.health.signals import Signals
from coequal.health.verdict import EARLY, HEALTHY, Alarm, Finding, Health, Remedy


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
        signals: what was seen.
        diverged: what the training said when it could not go on, and
        at: after how many steps; None: that of the last probe.
        settings: the run's hyper-parameters and tricks: what is on already is not proposed.
        objective: what its objective is, which decides on the remedies that fit.
    """

    def remedies(verdict: str) -> tuple[Remedy, ...]:
        return remedies_for(verdict, settings or {}, objective)

    fired = [(rule, rule.holds(signals)) for rule in RULES]
    alarms = _alarms(signals, fired)
    last = int(signals["step"][-1]) if len(signals) else 0
    if diverged is not None:
        last = last if at is None else at
        found = Alarm("diverged", last, last)
        return Health("diverged", last, diverged, remedies("diverged"), (), (*alarms, found))
    findings = tuple(
        _finding(rule, holds, signals) for rule, holds in fired if len(holds) and holds[-1]
    )
    missing = unseen(signals)
    if findings:
        first = findings[0]
        verdict, since, evidence = first.verdict, first.since, first.description
        return Health(verdict, since, evidence, remedies(verdict), findings, alarms, missing)
    if len(signals) < FIRST + PERSIST or bool(unfinished(signals)[-1]):
        text = f"no rule fires after {last} steps, and the images are not there yet"
        return Health(EARLY, None, text, remedies(EARLY), (), alarms, missing)
    return Health(HEALTHY, None, f"no rule fires after {last} steps", (), (), alarms, missing)


def _finding(rule: HealthRule, holds: Holds, signals: Signals) -> Finding:
    """What a rule says at the last probe."""
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
    """At every probe the verdict that the rules give; None where none fires."""
    return _spoken([(rule, rule.holds(signals)) for rule in RULES], len(signals))


def _spoken(fired: Sequence[tuple[HealthRule, Holds]], probes: int) -> list[str | None]:
    found: list[str | None] = [None] * probes
    for rule, holds in reversed(fired):
        for place in np.flatnonzero(holds).tolist():
            found[place] = rule.verdict
    return found


def _alarms(signals: Signals, fired: Sequence[tuple[HealthRule, Holds]]) -> tuple[Alarm, ...]:
    """Every stretch in which a verdict held."""
    steps = signals["step"]
    found: list[Alarm] = []
    spoken = _spoken(fired, len(signals))
    for index, verdict in enumerate(spoken):
        if verdict is None:
            continue
        step = int(steps[index])
        if index and spoken[index - 1] == verdict:
            found[-1] = Alarm(verdict, found[-1].since, step)
        else:
            found.append(Alarm(verdict, step, step))
    return tuple(found)
