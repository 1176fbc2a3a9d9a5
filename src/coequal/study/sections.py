"""The sections of a study file: `search`, `training`, `evaluation` and the others."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveFloat,
    ValidationInfo,
    field_validator,
    model_validator,
)

from coequal import lookup
from coequal.health import FAILURES
from coequal.settings import Count
from coequal.study.model import Entry, RangeSpec, Setting, Several, known_part
from coequal.training.settings import BatchSize, Decay, Precision, Training


def _metric(name: Any) -> Any:
    """A metric, or one of the numbers that metrics give, under its own name: one study has one id,
    however its file writes them."""
    if not isinstance(name, str) or ":" in name or name in lookup.names("metrics"):
        return name
    from coequal.evaluation.requested import (
        requested_metrics,  # imports torch: only where a name is checked
    )

    try:
        asked = requested_metrics([name])
    except LookupError as error:
        raise ValueError(error.args[0]) from error
    ((metric, numbers),) = asked.outputs.items()
    if numbers == requested_metrics([metric]).outputs[metric]:
        return metric if name not in numbers else name
    if len(numbers) > 1:
        raise ValueError(f"'{name}' stands for {', '.join(numbers)}; list these")
    return numbers[0]


def _verdict(name: Any) -> Any:
    if name not in FAILURES:
        raise ValueError(lookup.unknown(str(name), FAILURES))
    return name


DEFAULT_SETTINGS = 20


class SearchSpec(Entry):
    """How settings are drawn, and when the study looks at the results.

    Setting 0, the authors' own, is trained besides, and is no draw.
    """

    space: Literal["wide", "narrow"] = Field(
        "wide", description="Which of a model's two search spaces the settings are drawn from."
    )
    settings: NonNegativeInt = Field(
        DEFAULT_SETTINGS,
        description="Random settings drawn for each model. Without it, the last number of `looks`.",
    )
    budget: Count = Field(
        2,
        description="How many settings somebody who tunes a model may try: the verdict compares "
        "the best of so many.",
    )
    retrain: float = Field(
        0.25,
        ge=0,
        le=1,
        description="Share of each model's settings, the best by validation, that are trained once "
        "more with a fresh seed and count with its score.",
    )
    looks: Several[Count] = Field(
        (),
        validate_default=True,
        description="Numbers of settings at which a verdict is reached, ascending; one number "
        "stands for so many equal parts. By default one look, at all settings.",
    )
    spending: Literal["obrien_fleming", "pocock"] = Field(
        "obrien_fleming", description="How the error of the verdict is spent over the looks."
    )
    ranges: dict[str, RangeSpec] = Field(
        default_factory=dict,
        description="Search ranges by hyperparameter, instead of the models' own, for every model "
        "that has the hyperparameter.",
    )
    reason: str = Field("", description="Why these ranges differ, for the report.")

    @model_validator(mode="before")
    @classmethod
    def _last_look(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and "settings" not in values:
            looks = values.get("looks")
            if isinstance(looks, list | tuple) and looks:
                return {**values, "settings": looks[-1]}
        return values

    @field_validator("looks", mode="before")
    @classmethod
    def _in_numbers(cls, looks: Any, info: ValidationInfo) -> Any:
        settings = info.data.get("settings")
        if settings is None:  # wrong, and reported there
            return ()
        if isinstance(looks, list | tuple):
            return looks or ((settings,) if settings else ())
        if not isinstance(looks, int) or isinstance(looks, bool) or not 1 <= looks <= settings:
            raise ValueError(
                f"must be a list of numbers of settings, as in [20, 40], or into how many equal "
                f"parts the {settings} settings fall, from 1 to {settings}; got {looks!r}"
            )
        return tuple(math.ceil(settings * part / looks) for part in range(1, looks + 1))

    @field_validator("looks", mode="after")
    @classmethod
    def _ascending(cls, looks: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        settings = info.data.get("settings")
        if list(looks) != sorted(set(looks)):
            raise ValueError(f"must ascend, got {list(looks)}")
        if settings is not None and looks and settings not in looks:
            text = f"settings: {settings} is not among them; a run ends at a look: name it in"
            raise ValueError(f"{text} looks, or set settings to one of {list(looks)}")
        return looks


class EquivalenceSpec(Entry):
    """The largest difference that does not matter: a ratio of scores, or a difference."""

    ratio: float | None = Field(
        None, gt=1, description="A ratio of scores above 0, of which less is better: 1.1."
    )
    difference: PositiveFloat | None = Field(
        None, description="A difference of scores, in the unit of the metric: 0.02."
    )

    @model_validator(mode="after")
    def _one(self) -> "EquivalenceSpec":
        if (self.ratio is None) == (self.difference is None):
            raise ValueError(
                "give a ratio (as in {ratio: 1.1}, for scores above 0 where lower is "
                "better) or a difference (as in {difference: 0.02}), one of them"
            )
        return self


class BudgetSpec(Entry):
    """What one trial may spend, in one of four units."""

    discriminator_steps: Count | None = Field(
        None,
        description="Steps of the discriminator's optimiser; of the only network for a model "
        "without a discriminator.",
    )
    images: Count | None = Field(None, description="Real images seen in training.")
    flops: PositiveFloat | None = Field(None, description="Floating-point operations in training.")
    seconds: PositiveFloat | None = Field(
        None, description="Seconds of training; unlike the others not repeatable to the bit."
    )

    @model_validator(mode="after")
    def _one(self) -> "BudgetSpec":
        if len(self.as_dict()) != 1:
            raise ValueError(
                f"give one of {', '.join(type(self).model_fields)}; "
                f"got {', '.join(self.as_dict()) or 'none'}"
            )
        return self

    def as_dict(self) -> dict[str, float]:
        """Unit and amount."""
        return {name: value for name, value in self if value is not None}


class TrainingSpec(Entry):
    """How every model is trained."""

    budget: BudgetSpec = Field(
        BudgetSpec(discriminator_steps=1500), description="What one trial may spend."
    )
    budgets: dict[str, BudgetSpec] = Field(
        default_factory=dict, description="Budgets of single datasets, by name, where they differ."
    )
    batch_size: BatchSize = Field(Training.batch_size, description="Images per step and network.")
    checkpoints: Count = Field(
        Training.checkpoints,
        description="Moments of measurement, evenly spaced in the budget, the last at its end.",
    )
    precision: Precision = Field(
        Training.precision,
        description="Numbers of training: `bfloat16` runs the networks under autocast; `tf32` "
        "(NVIDIA GPUs) rounds the factors of matrix products. Losses and evaluation stay float32.",
    )
    ema: Decay | None = Field(
        Training.ema,
        description="Decay of the moving average of the generator's weights that is evaluated "
        "instead of them.",
    )
    keep: Literal["last", "best", "schedule"] | None = Field(
        None,
        description="Which checkpoints keep their weights: the last (the default), the best by "
        "validation too, or all.",
    )
    extendable: bool | None = Field(
        None,
        description="Keep what a longer budget needs to go on from a trial's end, as "
        "`coequal train` does.",
    )
    compile: bool | None = Field(None, description="Compile the networks with torch.")
    cuda_graphs: bool | None = Field(
        None, description="Record training steps and launch them as CUDA graphs (NVIDIA GPUs)."
    )
    stop_on: Several[Annotated[str, BeforeValidator(_verdict)]] | None = Field(
        None,
        description="Health verdicts at which a trial ends as `stopped early`: "
        f"{', '.join(FAILURES)}.",
    )

    @field_validator("stop_on", mode="after")
    @classmethod
    def _in_one_order(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        # The same trials, however a file lists them; to stop on nothing is not to ask for it.
        return tuple(name for name in FAILURES if name in (names or ())) or None


class EvaluationSpec(Entry):
    """How generated images are measured."""

    encoder: Annotated[str, known_part("encoders")] = Field(
        "classifier",
        description="The encoder (feature extractor): one of the package, or `module:Class`.",
    )
    metrics: Several[Annotated[str, BeforeValidator(_metric)]] = Field(
        ("fd",),
        min_length=1,
        description="Metrics, or single numbers of them; of the package, or `module:Class`.",
    )
    samples: int = Field(5000, ge=2, description="Generated images per measurement.")
    neighbours: bool | None = Field(
        None,
        description="Show generated images of each trial beside their nearest training images, in "
        "the encoder's features.",
    )
    settings: dict[str, dict[str, Setting]] | None = Field(
        None, description="Settings of metrics, by the metric's name."
    )


class SelectSpec(Entry):
    """How a setting is chosen: on validation, never on test."""

    metric: str = Field("fd", description="The number by which settings are chosen and judged.")
    split: Literal["validation"] = Field(
        "validation", description="The images by which settings are chosen."
    )
    checkpoint: Literal["last", "best"] = Field(
        "last", description="The checkpoint that counts: the last, or the best by validation."
    )


class RerunsSpec(Entry):
    """Fresh seeds of each model's best settings, after the search."""

    best: Count = Field(1, description="How many settings of each model and dataset are re-run.")
    seeds: NonNegativeInt = Field(0, description="Fresh seeds of each setting; 0: no re-runs.")
    base_seeds: NonNegativeInt | None = Field(
        None,
        description="Fresh seeds of a model that k others are compared with (`against`). By "
        "default about sqrt(k) times `seeds`.",
    )


class TransferSpec(Entry):
    """Each dataset's best setting on the other datasets."""

    seeds: NonNegativeInt = Field(0, description="Fresh seeds of each; 0: no transfer.")
