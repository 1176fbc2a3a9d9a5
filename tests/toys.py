"""Small parts that stand in for the real ones, and hard cases that the contract must carry."""

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing import parent_process
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, softplus

from coequal import lookup
from coequal.contract import (
    Adversarial,
    Architecture,
    Capabilities,
    DiscriminatorOutput,
    Generator,
    GeneratorInput,
    ImageSet,
    ImageShape,
    LazyRegulariser,
    Logits,
    Loss,
    Metric,
    MetricInfo,
    MetricValue,
    Objective,
    Players,
    RequiredInput,
    Requirements,
    Samples,
    Split,
    discriminate_with_gradient,
)
from coequal.encoders.pixels import Pixels
from coequal.objectives.non_saturating import NonSaturating
from coequal.rng import Rng
from coequal.training.batches import Batches
from coequal.training.loop import Trainer, build_players
from coequal.training.settings import Optimisation, Training
from coequal.training.tricks import Tricks

SHAPE = ImageShape(1, 8, 8)


def split(count: int = 96, shape: ImageShape = SHAPE, classes: int = 2) -> Split:
    rng = Rng(11)
    images = rng.integers(256, count * shape.channels * shape.height * shape.width)
    return Split(images.view(count, *shape).to(torch.uint8), labels=torch.arange(count) % classes)


def nets_for(objective: Objective, batch_norm: bool = True) -> Architecture:
    """Small nets that give what an objective needs: those of InfoGAN wherever they do."""
    common = lookup.load("architectures", "infogan")
    pixels = lookup.load("architectures", "pixelcnn")
    candidates: list[Architecture] = [
        common(width=1 / 32, latents=4, batch_norm=batch_norm),
        pixels(width=1 / 40, blocks=1, mixtures=2, generator_labels="embedding"),
        ConditionalNets(willing=True),
    ]
    return next(nets for nets in candidates if not nets.unmet(objective.requirements()))


def narrow(kind: type[Architecture]) -> Architecture:
    """Narrow nets, and of few layers where that is a setting: some make images slowly."""
    small = {"width": 1 / 32, "blocks": 1}
    return kind(**{name: small[name] for name in small if name in kind.__match_args__})


def trainer(
    objective: Objective,
    *,
    seed: int = 7,
    steps: int = 20,
    ratio: int = 1,
    ema: float | None = 0.9,
    batch_norm: bool = True,
    architecture: Architecture | None = None,
    learning_rate: float = 1e-3,
    precision: str = "float32",
    device: str | torch.device = "cpu",
    shape: ImageShape = SHAPE,
    tricks: Tricks | None = None,
    optimisation: Optimisation | None = None,
) -> Trainer:
    nets = architecture or nets_for(objective, batch_norm)
    players = build_players(nets, shape, 2, objective.requirements(), seed)
    return Trainer(
        objective,
        players,
        Batches(split(shape=shape), 8, seed, torch.device(device)),
        optimisation or Optimisation(learning_rate, 0.5, ratio),
        Training(steps, 8, ema=ema, precision=precision),  # type: ignore[arg-type]
        seed,
        device,
        tricks=tricks,
    )


# ----------------------------------------------- a linear discriminator: every gradient is known


class Linear(nn.Module):
    """l(v) = <w, v>, whose gradient by each image is w, everywhere."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weights = nn.Parameter(weights)

    def forward(self, samples: Samples) -> Logits:
        flat = samples.images.flatten(1)
        return Logits(flat @ self.weights, flat)


# ------------------------------------------- StyleGAN2's lazy R1, as an objective of somebody's own


@dataclass(frozen=True)
class LazyR1(Adversarial[Generator, Logits]):
    """The logistic game with R1 on real images, every n-th step of D (Karras et al. 2020)."""

    weight: float = 1.0
    every: int = 4

    def requirements(self) -> Requirements:
        return Requirements(
            output=Logits, discriminator_lazy=(LazyRegulariser(self.every, self.r1),)
        )

    def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
        on_real = softplus(-discriminate(batch.real).logits).mean()
        return Loss(on_real + softplus(discriminate(batch.fake).logits).mean(), {}, batch.state)

    def generator_loss(self, generator, discriminate, batch):  # type: ignore[no-untyped-def]
        return Loss(softplus(-discriminate(batch.fake).logits).mean(), {}, batch.state)

    def r1(self, discriminate, batch):  # type: ignore[no-untyped-def]
        _, gradient = discriminate_with_gradient(discriminate, batch.real, lambda o: o.logits)
        penalty = self.weight / 2 * gradient.square().sum(1).mean()
        return Loss(penalty, {"r1": penalty}, batch.state)


# -------------------------------------------------- AC-GAN with a head, nets and kind of its own


@dataclass(frozen=True, eq=False)
class ClassLogits(DiscriminatorOutput):
    logits: Tensor
    classes: Tensor


class _ConditionalGenerator(Generator):
    def __init__(self, shape: ImageShape, classes: int) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(classes, 4)
        self.net = nn.Linear(4, shape.channels * shape.height * shape.width)

    def latents(self, count: int, rng: Rng) -> tuple[Tensor, ...]:
        return (rng.normal(count, 4),)

    def forward(self, request: GeneratorInput) -> Samples:
        labels = request.conditions.labels
        hidden = request.latents[0] * self.embedding(labels)
        return Samples(self.net(hidden).sigmoid().unflatten(1, self.shape), labels)


class _ClassHead(nn.Module):
    def __init__(self, shape: ImageShape, classes: int) -> None:
        super().__init__()
        self.net = nn.Linear(shape.channels * shape.height * shape.width, 1 + classes)

    def forward(self, samples: Samples) -> ClassLogits:
        out = self.net(samples.images.flatten(1))
        return ClassLogits(out[:, 0], out[:, 1:])


@dataclass(frozen=True)
class ConditionalNets(Architecture):
    willing: bool = False
    capabilities: ClassVar[Capabilities] = Capabilities(
        (_ConditionalGenerator,), (ClassLogits,), "any"
    )

    def unsupported_reason(self, shape: ImageShape) -> str | None:
        return None if self.willing else "refused by a toy"

    def build(self, shape: ImageShape, classes: int | None, requirements: Requirements) -> Players:
        return Players(_ConditionalGenerator(shape, classes or 1), _ClassHead(shape, classes or 1))


@dataclass(frozen=True)
class AcGan(Adversarial[Generator, ClassLogits]):
    def requirements(self) -> Requirements:
        return Requirements(output=ClassLogits)

    def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
        on_real, on_fake = discriminate(batch.real), discriminate(batch.fake)
        game = softplus(-on_real.logits).mean() + softplus(on_fake.logits).mean()
        return Loss(game + cross_entropy(on_real.classes, batch.real.labels), {}, batch.state)

    def generator_loss(self, generator, discriminate, batch):  # type: ignore[no-untyped-def]
        out = discriminate(batch.fake)
        game = softplus(-out.logits).mean()
        return Loss(game + 0.1 * cross_entropy(out.classes, batch.fake.labels), {}, batch.state)


# ------------------------------------------------------------ objectives that break the contract


@dataclass(frozen=True)
class Forgetful(AcGan):
    """Returns other state than it began with."""

    def requirements(self) -> Requirements:
        return Requirements(output=Logits)

    def initial_state(self):  # type: ignore[no-untyped-def]
        return {"k": torch.zeros(())}

    def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
        return Loss(discriminate(batch.real).logits.mean(), {}, {})


@dataclass(frozen=True)
class Exploding(AcGan):
    """Its loss is infinite from the third step on."""

    def requirements(self) -> Requirements:
        return Requirements(output=Logits)

    def initial_state(self):  # type: ignore[no-untyped-def]
        return {"steps": torch.zeros(())}

    def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
        steps = batch.state["steps"] + 1
        value = discriminate(batch.real).logits.mean() / (steps < 3).float()
        return Loss(value, {}, {"steps": steps})

    def generator_loss(self, generator, discriminate, batch):  # type: ignore[no-untyped-def]
        return Loss(discriminate(batch.fake).logits.mean(), {}, batch.state)


@dataclass(frozen=True)
class Broken(AcGan):
    """Raises."""

    def requirements(self) -> Requirements:
        return Requirements(output=Logits)

    def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
        raise RuntimeError("a bug in somebody's loss")


@dataclass(frozen=True)
class Reads(Broken):
    """Wants a file of its own that is not there."""

    def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
        Path("my_table.csv").read_text()


@dataclass(frozen=True)
class Killer(Broken):
    """Kills the worker that it runs in."""

    def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
        assert parent_process() is not None, "this is no worker"
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Held(NonSaturating):
    """Takes a tenth of a second for each step while the file that HELD names is there."""

    def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
        if Path(os.environ.get("HELD", "nowhere")).exists():
            time.sleep(0.1)
        return super().discriminator_loss(discriminate, batch)


ALL: dict[str, type[Objective]] = {
    name: lookup.load("objectives", name) for name in lookup.names("objectives")
}


# Every trick, switched on by the settings of each.
TRICKS: dict[str, dict[str, Any]] = {
    "label_smoothing": {"label_smoothing": 0.3},
    "label_flips": {"label_flips": 0.5},
    "instance_noise": {"instance_noise": 0.1},
    "noise that falls": {"instance_noise": 0.1, "instance_noise_steps": 4},
    **{
        kind: {"gradient_penalty": kind}
        for kind in ("wgan_gp", "dragan", "r1", "r2", "zero_centred")
    },
    "lazy": {"gradient_penalty": "r1", "gradient_penalty_every": 3},
    "feature_matching": {"feature_matching": 1.0},
    "historical_averaging": {"historical_averaging": 5.0},
    "diffaugment": {"augment": "diffaugment"},
    "gradient_clip": {"gradient_clip": 0.01},
    "ada": {"augment": "ada", "ada_target": 0.0},
}


# --------------------------------------------- a metric of somebody's own, of which more is better


@dataclass(frozen=True)
class Closeness(Metric):
    """1 / (1 + the distance of the mean features)."""

    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "closeness": MetricInfo("higher", "0 to 1", worst=0.0, best=1.0, label="Closeness")
    }

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        return {"mean": real.features.mean(0)}

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        distance = float((fake.features.mean(0) - real["mean"]).norm())
        return {"closeness": MetricValue(1 / (1 + distance))}


@dataclass(frozen=True)
class Undefined(Metric):
    """No number, with a reason."""

    outputs: ClassVar[Mapping[str, MetricInfo]] = {"undefined": MetricInfo("lower", "", worst=1.0)}
    required: ClassVar[tuple[RequiredInput, ...]] = ("generator",)

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        return {}

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        return {"undefined": MetricValue(float("nan"), details={"undefined": "it is a toy"})}


class Dazzled(Pixels):
    """Has no features for images that are white in their first corner."""

    def features(self, images: Tensor) -> Tensor:
        values = super().features(images)
        values[values[:, 0] == 1] = float("nan")
        return values


class FidPixels(Pixels):
    """Stands in for the Inception net of FID, whose weights are a download."""

    published_names = MappingProxyType({"fd": "FID"})


class HalfPixels(Pixels):
    """Has half as many features."""

    def features(self, images: Tensor) -> Tensor:
        values = super().features(images)
        return values[:, : values.shape[1] // 2]


class OtherPixels(Pixels):
    """Has as many features as `pixels`, and other ones."""

    id = "other:1"

    def __init__(self) -> None:
        super().__init__()
        self.id = "other:1"
