"""How good a run's images are: its score between what real data and noise score."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from coequal.analysis.improvement import Improvement, improvement
from coequal.analysis.metric import NamedMetric
from coequal.analysis.score_scale import Scale, scale_of
from coequal.checkpoints import Checkpoint, Checkpoints
from coequal.formatting import number, percent
from coequal.records import MetricInfo

BEYOND = 0.08
"""How far beyond its ends, as a fraction of the line, a score may stand on the page."""
FEWER_FIGURES = 0.1
"""A standard error that is this part of its score leaves fewer than three figures."""


@dataclass(frozen=True)
class Dot:
    """A checkpoint on the line.

    Attributes:
        left: its place: 0 at real data, 1 at the other end.
        text: its step and score.
    """

    left: float
    text: str


@dataclass(frozen=True)
class Quality:
    """The score of a run at its checkpoints.

    Attributes:
        metric: that the run is measured by.
        split: of the reference images whose scores are shown.
        steps: of the checkpoints that have a score.
        values: the score at each.
        errors: standard errors of the scores; NaN where unknown.
        real: what held-out real images score; None if that is not known.
        noise: what noise scores, or the worst possible score; None if that is not known.
        noise_is: which of both, in words.
        scale: from real data to noise; None where there is none.
        improving: how the validation score improved at the end; None if it did not.
    """

    metric: NamedMetric
    split: str
    steps: Sequence[int]
    values: Sequence[float]
    errors: Sequence[float]
    real: float | None
    noise: float | None
    noise_is: str
    scale: Scale | None
    improving: Improvement | None

    @property
    def score(self) -> str:
        """The last score: "FD 175"."""
        return f"{self.metric.label} {score_text(self.values[-1], self.errors[-1])}"

    @property
    def references(self) -> str:
        """What real data and noise score: "real data 1.21, noise 440"; empty if unknown."""
        known = (("real data", self.real), (self.noise_is, self.noise))
        return ", ".join(f"{name} {number(value)}" for name, value in known if value is not None)

    @property
    def as_noise(self) -> bool:
        """Whether the last score is no better than that of noise."""
        return self.scale is not None and self.scale.place(self.values[-1]) >= 1

    @property
    def in_words(self) -> str:
        """The last score beside its references: "FD 175 (real data 1.21, noise 440)"."""
        references = self.references
        if self.as_noise:
            return f"{self.score}, no better than {self.noise_is} ({references})"
        return f"{self.score} ({references})" if references else self.score

    @property
    def dots(self) -> list[Dot]:
        """The checkpoints on the line between real data and noise, in order; none without one."""
        if self.scale is None:
            return []
        return [
            Dot(
                min(1 + BEYOND, max(-BEYOND, self.scale.place(value))),
                f"step {step:,}: {self.metric.label} {score_text(value, error)}",
            )
            for step, value, error in zip(self.steps, self.values, self.errors, strict=True)
        ]

    @property
    def improvement(self) -> str:
        """How the score improved at the end: "FD on validation fell by 51 % since step 300"; empty
        where it did not."""
        found = self.improving
        if found is None:
            return ""
        if self.metric.higher or found.before <= 0:
            moved = f"went from {number(found.before)} to {number(found.now)}"
        else:
            moved = f"fell by {percent(1 - found.now / found.before)}"
        return f"{self.metric.label} on validation {moved} since step {found.since:,}"


def score_text(value: float, error: float) -> str:
    """The score of a single run: three figures, or fewer where its error is large."""
    return number(value, error if error >= FEWER_FIGURES * abs(value) else None)


def quality_of(
    checkpoints: Sequence[Checkpoint], name: str, info: MetricInfo, reference: Mapping[str, Any]
) -> Quality | None:
    """The scores of a run; None before the first.

    Args:
        checkpoints: at which it was measured.
        name: of the metric.
        info: of the metric.
        reference: what references.json says of the dataset.
    """
    points = Checkpoints.of(checkpoints)
    by_split = {split: points.values(name, split) for split in ("test", "validation")}
    split = next((s for s, found in by_split.items() if any(map(math.isfinite, found))), None)
    if split is None:
        return None
    errors = points.standard_errors(name, split)
    there = [k for k, value in enumerate(by_split[split]) if math.isfinite(value)]
    real, noise = ((reference.get(key) or {}).get(name) for key in ("floor", "cap"))
    worst = noise is None or noise == info.worst
    chosen = points.values(name, "validation"), points.standard_errors(name, "validation")
    return Quality(
        metric=NamedMetric(name, info),
        split=split,
        steps=[points.steps[k] for k in there],
        values=[by_split[split][k] for k in there],
        errors=[errors[k] for k in there],
        real=real,
        noise=info.worst if noise is None else noise,
        noise_is="the worst possible" if worst else "noise",
        scale=_scale(name, info, real, noise),
        improving=improvement(points.steps, *chosen, info),
    )


def _scale(name: str, info: MetricInfo, real: float | None, noise: float | None) -> Scale | None:
    row = {key: value for key, value in asdict(info).items() if value is not None}
    floor = {"metrics": {name: {"value": real}}, "noise": {name: {"value": noise}}}
    found = scale_of(name, row, floor)
    return found if isinstance(found, Scale) else None
