"""From images alone to a verdict, where nothing is known of the training that made them.

Few failures show in images: equal ones, hardly any difference, a class that is missing. Thresholds
are those of the rules for a training (`rules.THRESHOLDS`).
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
from coequal.health.verdict import EARLY, HEALTHY, Alarm, Finding, Health

CHANCE = 0.01  # that a class is called missing by bad luck, over all classes
YOUNG = 300  # steps before which images that are alike mean nothing: so do all nets begin
GROWN = 1.2  # times the spread before: images that are still coming apart
SEEN_IN_TRAINING = (
    "diverged, discriminator_won, generator_won, oscillating, stalled, overfitting: they show while"
    " a model trains, and these are images alone"
)
NOT_MEMORY = "memorised images: `coequal score --metrics memorisation` looks for them"


@dataclass(frozen=True)
class ImageObservation:
    """What was measured of generated images at one moment.

    Attributes:
        step: of the training; 0 where it is not known.
        values: some of the signals (`signals.MEANING`) by name: spread, nearest, gap, saturated,
            feature_spread, feature_gap; others are shown and not looked at.
        counts: images that a classifier took for each class; empty without one.
        real_counts: the same of real images.
        classes: their names.
        unseen: what could not be looked for, and why.
    """

    step: int
    values: Mapping[str, float]
    counts: Sequence[int] = ()
    real_counts: Sequence[int] = ()
    classes: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


def judge_samples(
    sights: Sequence[ImageObservation],
    settings: Mapping[str, Any] | None = None,
    objective: ObjectiveFacts = ASSUMED,
) -> Health:
    """The health of a model as far as its images show it.

    Args:
        sights: at least one, in the order of their steps; the last is judged.
        settings: of the run, where they are known: what is on already is not proposed.
        objective: of the run, where it is known.

    Raises:
        ValueError: nothing was seen.
    """
    if not sights:
        raise ValueError("no images to judge")
    each = [_findings(now, before) for now, before in zip(sights, (None, *sights), strict=False)]
    last = sights[-1]
    findings = tuple(
        replace(finding, since=_since(finding.rule, each, sights)) for finding in each[-1]
    )
    missing = (*last.unseen, SEEN_IN_TRAINING, NOT_MEMORY)
    given = settings or {}
    passed = _alarms(each, sights)
    if findings:
        first = findings[0]
        return Health(
            first.verdict,
            first.since or None,
            first.description,
            remedies_for(first.verdict, given, objective),
            findings,
            passed,
            missing,
        )
    if bool(unfinished(_as_signals(last))[-1]):
        text = f"no rule fires, and the images are not there yet ({describe_values(last.values)})"
        return Health(EARLY, None, text, remedies_for(EARLY, given, objective), (), passed, missing)
    text = f"no rule fires ({describe_values(last.values)})"
    return Health(HEALTHY, None, text, (), (), passed, missing)


def describe_values(values: Mapping[str, float]) -> str:
    """Numbers in one line: those that can be had."""
    return ", ".join(
        f"{name.replace('_', ' ')} {value:.3g}" for name, value in values.items() if value == value
    )


def _findings(sight: ImageObservation, before: ImageObservation | None) -> tuple[Finding, ...]:
    """Rules that fire at one moment."""
    found = []
    nearest, spread = (sight.values.get(name, np.nan) for name in ("nearest", "spread"))
    had = np.nan if before is None else before.values.get("spread", np.nan)
    narrow = spread < THRESHOLDS["one_image"].at
    growing = narrow and spread > GROWN * had  # not where there is no image from before
    if 0 < sight.step < YOUNG or growing:
        return _missing(sight)
    if nearest < THRESHOLDS["duplicates"].at:
        text = "images of different latents are the same"
        found.append(_finding("duplicates", "collapsed", text, nearest))
    if narrow:
        text = "the images hardly differ from each other"
        found.append(_finding("one_image", "collapsed", text, spread))
    return (*found, *_missing(sight))


def _finding(rule: str, verdict: str, sentence: str, value: float) -> Finding:
    threshold = THRESHOLDS[rule]
    return Finding(verdict, rule, 0, sentence, float(value), threshold.at, threshold.healthy)


def _missing(sight: ImageObservation) -> tuple[Finding, ...]:
    """The rarest class, where it is far rarer than among real images and not by bad luck.

    A binomial test: the chance of so few images of a class if it had its share of real ones, times
    the number of classes. Only of images that are good enough to be taken for something.
    """
    if not len(sight.counts) or bool(unfinished(_as_signals(sight))[-1]):
        return ()
    counts, real = np.asarray(sight.counts), np.asarray(sight.real_counts, dtype=float)
    shares, total = real / real.sum(), int(counts.sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.where(shares > 0, counts / total / shares, np.inf)
    rarest = int(relative.argmin())
    chance = float(bdtr(int(counts[rarest]), total, shares[rarest])) * len(counts)
    few_at = THRESHOLDS["missing"].at
    if relative[rarest] >= few_at or chance >= CHANCE:
        return ()
    few = [name for name, at in zip(sight.classes, relative, strict=True) if at < few_at]
    text = (
        f"hardly any image is taken for {', '.join(few)}: of the rarest {counts[rarest]} of {total}"
        f" where real images have {shares[rarest] * total:.3g}"
    )
    return (_finding("missing", "mode_dropping", text, relative[rarest]),)


def _as_signals(sight: ImageObservation) -> Signals:
    """One probe, for rules that are shared with a training."""
    row = [sight.values.get(name, np.nan) for name in NAMES]
    none = np.zeros((1, 0))
    return Signals(np.array([row], dtype=float), none, np.zeros(0), {})


def _since(rule: str, each: Sequence[Sequence[Finding]], sights: Sequence[ImageObservation]) -> int:
    """The step from which a rule has held at every moment up to the last."""
    step = sights[-1].step
    for findings, sight in zip(reversed(each), reversed(sights), strict=True):
        if rule not in {finding.rule for finding in findings}:
            break
        step = sight.step
    return step


def _alarms(
    each: Sequence[Sequence[Finding]], sights: Sequence[ImageObservation]
) -> tuple[Alarm, ...]:
    """Every stretch in which a verdict held; none of images whose step is not known."""
    found: list[Alarm] = []
    before = None
    for findings, sight in zip(each, sights, strict=True):
        verdict = findings[0].verdict if findings else None
        if verdict is not None and sight.step:
            if verdict == before:
                found[-1] = Alarm(verdict, found[-1].since, sight.step)
            else:
                found.append(Alarm(verdict, sight.step, sight.step))
        before = verdict
    return tuple(found)
