"""From images alone to a verdict, where nothing is known of the training that made them.

Few failures show in images: copies, hardly any difference, a class that is missing. Thresholds are
those of the rules for a training (`rules.THRESHOLDS`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import bdtr

from coequal.health.objective_facts import ASSUMED, ObjectiveFacts
from coequal.health.remedies import remedies_for
from coequal.health.rules import THRESHOLDS, unfinished
from coequal.health.signals import NAMES, Signals
from coequal.health.verdict import EARLY, HEALTHY, Finding, Health, alarms_of

MAX_P_VALUE = 0.01  # of a missing class, over all classes
YOUNG_STEPS = 300  # before which images that are alike mean nothing: all nets begin so
GROWING_RATIO = 1.2  # of the spread to the one before, from which on images are coming apart
SEEN_IN_TRAINING = (
    "diverged, discriminator_won, generator_won, oscillating, stalled, overfitting: these are "
    "visible during training, not in images alone"
)
NOT_MEMORY = "memorised images: find them with `coequal score --metrics memorisation`"


@dataclass(frozen=True)
class ImageObservation:
    """What was measured of generated images at one step.

    Attributes:
        step: of the training; 0 if it is not known.
        values: some of the signals (`signals.MEANING`) by name. Rules read spread, nearest, gap,
            feature_spread and feature_gap; others are reported only.
        counts: generated images that a classifier assigned to each class; empty without one.
        real_counts: real images that it assigned to each class.
        classes: names of the classes.
        unseen: which failures could not be checked, and why.
    """

    step: int
    values: Mapping[str, float]
    counts: Sequence[int] = ()
    real_counts: Sequence[int] = ()
    classes: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


def judge_samples(
    observations: Sequence[ImageObservation],
    settings: Mapping[str, Any] | None = None,
    objective: ObjectiveFacts = ASSUMED,
) -> Health:
    """The health of a model as far as its images show it.

    Args:
        observations: at least one, in the order of their steps; the last is judged.
        settings: of the run, if they are known; what is on already is not proposed.
        objective: what the run's objective is, if it is known.

    Raises:
        ValueError: there is no observation.
    """
    if not observations:
        raise ValueError("no images to judge")
    pairs = zip(observations, (None, *observations), strict=False)
    each = [_findings(observation, before) for observation, before in pairs]
    last = observations[-1]
    findings = tuple(
        replace(finding, since=_since(finding.rule, each, observations)) for finding in each[-1]
    )
    unseen = (*last.unseen, SEEN_IN_TRAINING, NOT_MEMORY)
    given = settings or {}
    verdicts = [
        findings_then[0].verdict if findings_then and observation.step else None
        for findings_then, observation in zip(each, observations, strict=True)
    ]
    alarms = alarms_of(verdicts, [observation.step for observation in observations])
    if findings:
        verdict, since = findings[0].verdict, findings[0].since or None
        remedies = remedies_for(verdict, given, objective)
        return Health(verdict, since, findings[0].description, remedies, findings, alarms, unseen)
    if bool(unfinished(_as_signals(last))[-1]):
        text = (
            "no rule fires, but the images are still far from real ones "
            f"({describe_values(last.values)})"
        )
        return Health(EARLY, None, text, remedies_for(EARLY, given, objective), (), alarms, unseen)
    text = f"no rule fires ({describe_values(last.values)})"
    return Health(HEALTHY, None, text, (), (), alarms, unseen)


def describe_values(values: Mapping[str, float]) -> str:
    """The values that are not NaN, in one line: `spread 0.8, feature gap 0.1`."""
    return ", ".join(
        f"{name.replace('_', ' ')} {value:.3g}" for name, value in values.items() if value == value
    )


def _findings(
    observation: ImageObservation, before: ImageObservation | None
) -> tuple[Finding, ...]:
    """The rules that fire for one observation, given the one before it."""
    findings = []
    nearest, spread = (observation.values.get(name, np.nan) for name in ("nearest", "spread"))
    had = np.nan if before is None else before.values.get("spread", np.nan)
    narrow = spread < THRESHOLDS["one_image"].at
    growing = narrow and spread > GROWING_RATIO * had  # not where there is no image from before
    if 0 < observation.step < YOUNG_STEPS or growing:
        return _missing(observation)
    if nearest < THRESHOLDS["duplicates"].at:
        text = (
            "images of different latents are copies: nearest-neighbour distance relative to real "
            "images"
        )
        findings.append(_finding("duplicates", "collapsed", text, nearest))
    if narrow:
        text = "the images hardly differ from each other: spread relative to real images"
        findings.append(_finding("one_image", "collapsed", text, spread))
    return (*findings, *_missing(observation))


def _finding(rule: str, verdict: str, sentence: str, value: float) -> Finding:
    threshold = THRESHOLDS[rule]
    return Finding(verdict, rule, 0, sentence, float(value), threshold.at, threshold.healthy)


def _missing(observation: ImageObservation) -> tuple[Finding, ...]:
    """The rarest class, if it is far rarer than among real images and not by bad luck.

    A one-sided binomial test with Bonferroni's correction: the probability of so few images of a
    class if its fraction were that of the real images, times the number of classes. Images that are
    not good enough to be classified give no finding.
    """
    if not len(observation.counts) or bool(unfinished(_as_signals(observation))[-1]):
        return ()
    counts, real = np.asarray(observation.counts), np.asarray(observation.real_counts, dtype=float)
    fractions, total = real / real.sum(), int(counts.sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.where(fractions > 0, counts / total / fractions, np.inf)
    rarest = int(relative.argmin())
    p_value = float(bdtr(int(counts[rarest]), total, fractions[rarest])) * len(counts)
    few_at = THRESHOLDS["missing"].at
    if relative[rarest] >= few_at or p_value >= MAX_P_VALUE:
        return ()
    few = [name for name, at in zip(observation.classes, relative, strict=True) if at < few_at]
    text = (
        f"hardly any image is classified as {', '.join(few)}: {counts[rarest]:,} of {total:,} in "
        f"the rarest class, where real images have {fractions[rarest] * total:,.3g}; fraction "
        "relative to real images"
    )
    return (_finding("missing", "mode_dropping", text, relative[rarest]),)


def _as_signals(observation: ImageObservation) -> Signals:
    """An observation as a run of one probe, for rules that a training shares."""
    row = [observation.values.get(name, np.nan) for name in NAMES]
    none = np.zeros((1, 0))
    return Signals(np.array([row], dtype=float), none, np.zeros(0), {})


def _since(
    rule: str, each: Sequence[Sequence[Finding]], observations: Sequence[ImageObservation]
) -> int:
    """The step from which a rule has held up to the last observation."""
    step = observations[-1].step
    for findings, observation in zip(reversed(each), reversed(observations), strict=True):
        if rule not in {finding.rule for finding in findings}:
            break
        step = observation.step
    return step
