"""Parts that go wrong, each in one of the ways of a first attempt; what is tried before a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn
from torch.nn.functional import relu

from coequal.contract import (
    Adversarial,
    Dataset,
    Encoder,
    Generator,
    GeneratorInput,
    Logits,
    Loss,
    Metric,
    MetricInfo,
    MetricValue,
    Players,
    Requirements,
    Samples,
    Split,
)
from coequal.testing._small_parts import SmallDiscriminator, SmallGenerator, SmallNets

# mypy: disable-error-code="no-untyped-def, type-arg, override"


@dataclass(frozen=True)
class Good(Adversarial):
    def requirements(self) -> Requirements:
        return Requirements(output=Logits)

    def discriminator_loss(self, discriminate, batch) -> Any:
        on_real = relu(1 - discriminate(batch.real).logits).mean()
        on_fake = relu(1 + discriminate(batch.fake).logits).mean()
        return Loss(on_real + on_fake, {}, batch.state)

    def generator_loss(self, generator, discriminate, batch):
        return Loss(-discriminate(batch.fake).logits.mean(), {}, batch.state)


@dataclass(frozen=True)
class Typo(Good):
    def discriminator_loss(self, discriminate, batch):
        return Loss(discriminate(batch.real).logit.mean(), {}, batch.state)  # line Typo


@dataclass(frozen=True)
class NotScalar(Good):
    def discriminator_loss(self, discriminate, batch):  # line NotScalar
        return Loss(relu(1 - discriminate(batch.real).logits), {}, batch.state)


@dataclass(frozen=True)
class Bare(Good):
    def discriminator_loss(self, discriminate, batch):  # line Bare
        return super().discriminator_loss(discriminate, batch).value


@dataclass(frozen=True)
class OldArguments(Good):
    def discriminator_loss(self, real_logits, fake_logits, state):  # line OldArguments
        return Loss(real_logits.mean(), {}, state)


@dataclass(frozen=True)
class GlobalDraws(Good):
    def discriminator_loss(self, discriminate, batch):
        loss = super().discriminator_loss(discriminate, batch)
        weight = torch.rand(())  # line GlobalDraws
        return loss._replace(value=loss.value * weight)


@dataclass(frozen=True)
class Infinite(Good):
    def discriminator_loss(self, discriminate, batch):
        loss = super().discriminator_loss(discriminate, batch)
        return loss._replace(value=loss.value / 0)


@dataclass(frozen=True)
class OfItsBatch(Good):
    """Works with batches of the study's size alone."""

    def discriminator_loss(self, discriminate, batch):
        loss = super().discriminator_loss(discriminate, batch)
        return loss._replace(value=(discriminate(batch.real).logits * torch.ones(16)).mean())


# -------------------------------------------------------------------------------------------- nets


class FlatLogits(SmallDiscriminator):
    def forward(self, samples: Samples) -> Logits:  # line FlatLogits
        output = super().forward(samples)
        return Logits(output.logits[:, None], output.features)


class Dropout(SmallDiscriminator):
    def forward(self, samples: Samples) -> Any:
        images = nn.functional.dropout(samples.images, 0.5, self.training)  # line Dropout
        return super().forward(samples.at(images))


class Bytes(SmallGenerator):
    def forward(self, request: GeneratorInput) -> Samples:  # line Bytes
        samples = super().forward(request)
        return samples.at((samples.images * 255).to(torch.uint8))


class NotFinite(SmallGenerator):
    def forward(self, request: GeneratorInput) -> Samples:  # line NotFinite
        samples = super().forward(request)
        return samples.at(samples.images * float("nan"))


class NoLatents(Generator):
    def forward(self, request: GeneratorInput) -> Samples:
        raise NotImplementedError


@dataclass(frozen=True)
class FlatNets(SmallNets):
    def build(self, shape, classes, requirements):
        kind = requirements.output
        return Players(SmallGenerator(shape, classes), FlatLogits(shape, classes, kind))


@dataclass(frozen=True)
class DropoutNets(SmallNets):
    def build(self, shape, classes, requirements):
        kind = requirements.output
        return Players(SmallGenerator(shape, classes), Dropout(shape, classes, kind))


@dataclass(frozen=True)
class ByteNets(SmallNets):
    def build(self, shape, classes, requirements):
        players = super().build(shape, classes, requirements)
        return Players(Bytes(shape, classes), players.discriminator)


@dataclass(frozen=True)
class NotFiniteNets(SmallNets):
    def build(self, shape, classes, requirements):
        players = super().build(shape, classes, requirements)
        return Players(NotFinite(shape, classes), players.discriminator)


@dataclass(frozen=True)
class IncompleteNets(SmallNets):
    def build(self, shape, classes, requirements):
        players = super().build(shape, classes, requirements)
        return Players(NoLatents(), players.discriminator)  # line IncompleteNets


# ----------------------------------------------------------------------------------------- metrics


@dataclass(frozen=True)
class Closeness(Metric):
    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "closeness": MetricInfo("higher", "0 to 1", worst=0.0, best=1.0)
    }

    def compute_reference(self, real, train):
        return {"mean": real.features.mean(0)}

    def compute_values(self, *, real, fake, rng) -> Any:
        distance = float((fake.features.mean(0) - real["mean"]).norm())
        return {"closeness": MetricValue(1 / (1 + distance))}


@dataclass(frozen=True)
class PlainNumber(Closeness):
    def compute_values(self, *, real, fake, rng):
        return {"closeness": 0.5}


@dataclass(frozen=True)
class NotANumber(Closeness):
    def compute_values(self, *, real, fake, rng):  # line NotANumber
        return {"closeness": MetricValue(float("nan"))}


@dataclass(frozen=True)
class WrongShape(Closeness):
    def compute_values(self, *, real, fake, rng):
        distance = fake.features - real["mean"][:3]  # line WrongShape
        return {"closeness": MetricValue(float(distance.norm()))}


@dataclass(frozen=True)
class DrawingMetric(Closeness):
    def compute_values(self, *, real, fake, rng):
        order = np.random.permutation(10)  # noqa: NPY002  # line DrawingMetric
        return {"closeness": MetricValue(0.1 * float(order[0]))}


@dataclass(frozen=True)
class NeedsMany(Closeness):
    """Refuses fewer than 200 images, which is none of its mistakes."""

    def compute_values(self, *, real, fake, rng):
        if len(fake) < 200:
            raise ValueError("200 images are needed")
        return super().compute_values(real=real, fake=fake, rng=rng)


# ---------------------------------------------------------------------------------------- encoders


class Means(Encoder):
    id = "means:1"
    note = "mean of every channel"

    @classmethod
    def unsupported_reason(cls, dataset):
        return None

    @classmethod
    def prepare(cls, dataset, cache, log):
        return cls()

    def features(self, images):
        return images.float().mean((2, 3))


class DoubleMeans(Means):
    def features(self, images):
        return images.double().mean((2, 3))


class OneMean(Means):
    def features(self, images):
        return images.float().mean()


class NotFiniteMeans(Means):
    def features(self, images):
        return images.float().mean((2, 3)) * float("nan")


class NoFeatures(Encoder):  # line NoFeatures
    @classmethod
    def unsupported_reason(cls, dataset):
        return None

    @classmethod
    def prepare(cls, dataset, cache, log):
        raise NotImplementedError


# --------------------------------------------------------------------------------------- datasets


def made(images: torch.Tensor) -> Dataset:
    split = Split(images)
    return Dataset("made", split, split, split)


def good_data(data_dir: Path) -> Dataset:
    values = torch.arange(100 * 64) % 256
    return made(values.view(100, 1, 8, 8).to(torch.uint8))


def three_axes(data_dir: Path) -> Dataset:  # line three_axes
    return made(torch.zeros(100, 8, 8, dtype=torch.uint8))


def doubles(data_dir: Path) -> Dataset:
    return made(torch.zeros(100, 1, 8, 8, dtype=torch.float64))


def not_finite(data_dir: Path) -> Dataset:
    return made(torch.full((100, 1, 8, 8), float("nan")))


def nothing(data_dir: Path) -> None:
    return None


def raising(data_dir: Path) -> Any:
    return torch.zeros(3).no_such()  # type: ignore[attr-defined]  # line raising


def drawing(data_dir: Path) -> Dataset:
    return made((torch.rand(100, 1, 8, 8) * 255).to(torch.uint8))
