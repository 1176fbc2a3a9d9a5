"""Parts that break the contract, each in one way, and good ones from outside the package."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import softplus

from coequal.contract import (
    Adversarial,
    Batch,
    Dataset,
    Discriminate,
    Encoder,
    Generator,
    GeneratorInput,
    ImageSet,
    ImageShape,
    Log,
    Logits,
    Loss,
    Metric,
    MetricInfo,
    MetricValue,
    Players,
    Requirements,
    Samples,
)
from coequal.rng import Rng
from coequal.testing._small_parts import SmallGenerator, SmallNets, small_dataset

# ---------------------------------------------------------------------------------- objectives


@dataclass(frozen=True)
class Good(Adversarial[Generator, Logits]):
    """The non-saturating game."""

    def requirements(self) -> Requirements:
        return Requirements(output=Logits)

    def discriminator_loss(self, discriminate: Discriminate[Logits], batch: Batch) -> Loss:
        on_real = softplus(-discriminate(batch.real).logits).mean()
        return Loss(on_real + softplus(discriminate(batch.fake).logits).mean(), {}, batch.state)

    def generator_loss(
        self, generator: Generator, discriminate: Discriminate[Logits], batch: Batch
    ) -> Loss:
        return Loss(softplus(-discriminate(batch.fake).logits).mean(), {}, batch.state)


@dataclass
class Thawed:
    """A dataclass that is not frozen."""


@dataclass(frozen=True)
class Vector(Good):
    def generator_loss(self, generator, discriminate, batch):  # type: ignore[no-untyped-def]
        return Loss(softplus(-discriminate(batch.fake).logits), {}, batch.state)


@dataclass(frozen=True)
class Infinite(Good):
    def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
        return Loss(super().discriminator_loss(discriminate, batch).value / 0, {}, batch.state)


@dataclass(frozen=True)
class Dice(Good):
    def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
        value = super().discriminator_loss(discriminate, batch).value
        return Loss(value * torch.rand(()), {}, batch.state)


@dataclass(frozen=True)
class OtherState(Good):
    def generator_loss(self, generator, discriminate, batch):  # type: ignore[no-untyped-def]
        return (
            super()
            .generator_loss(generator, discriminate, batch)
            ._replace(state={"k": torch.zeros(())})
        )


@dataclass(frozen=True)
class Detached(Good):
    def generator_loss(self, generator, discriminate, batch):  # type: ignore[no-untyped-def]
        fake = batch.fake.at(batch.fake.images.detach())
        return super().generator_loss(generator, discriminate, replace(batch, fake=fake))


@dataclass(frozen=True)
class Backward(Good):
    def generator_loss(self, generator, discriminate, batch):  # type: ignore[no-untyped-def]
        loss = super().generator_loss(generator, discriminate, batch)
        loss.value.backward(retain_graph=True)
        return loss


@dataclass(frozen=True)
class Writes(Good):
    def generator_loss(self, generator, discriminate, batch):  # type: ignore[no-untyped-def]
        loss = super().generator_loss(generator, discriminate, batch)
        with torch.no_grad():
            next(generator.parameters()).mul_(0.9)
        return loss


@dataclass(frozen=True)
class Remembers(Good):
    """Counts its calls in a list, which a frozen dataclass can't forbid."""

    calls: list[int] = field(default_factory=list, compare=False)

    def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
        self.calls.append(1)
        loss = super().discriminator_loss(discriminate, batch)
        return loss._replace(value=loss.value * len(self.calls))


@dataclass(frozen=True)
class LateMemory(Good):
    """Remembers, and shows it from the seventh call in one process on: in long runs only."""

    calls: list[int] = field(default_factory=list, compare=False)

    def __reduce__(self) -> tuple[type["LateMemory"], tuple[()]]:
        return LateMemory, ()

    def generator_loss(self, generator, discriminate, batch):  # type: ignore[no-untyped-def]
        self.calls.append(1)
        loss = super().generator_loss(generator, discriminate, batch)
        return loss._replace(value=loss.value * (1 + (len(self.calls) > 7)))


@dataclass(frozen=True)
class FirstRow(Good):
    def generator_loss(self, generator, discriminate, batch):  # type: ignore[no-untyped-def]
        return Loss(softplus(-discriminate(batch.fake).logits[0]), {}, batch.state)


@dataclass(frozen=True)
class Sideless(Good):
    def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
        both = discriminate(batch.real).logits.sum() + discriminate(batch.fake).logits.sum()
        return Loss(both, {}, batch.state)


OBJECTIVES: Mapping[Good, str] = {
    Vector(): "must return a scalar as value",
    Infinite(): "loss is inf",
    Dice(): "global random generator of torch",
    OtherState(): r"returned the state \['k'\] and began with \[\]",
    Detached(): "no gradient to the generator",
    Backward(): "must not call backward",
    Writes(): "wrote to a parameter",
    Remembers(): "another value at a second call",
    LateMemory(): "remembers something outside the state",
    FirstRow(): "depends on the order",
    Sideless(): "real and generated images exchanged",
}

# ------------------------------------------------------------------------------- architectures


@dataclass(frozen=True)
class Nets(SmallNets):
    """Small nets whose generator is of another class."""

    kind: type[SmallGenerator] = SmallGenerator

    def build(self, shape: ImageShape, classes: int | None, requirements: Requirements) -> Players:
        players = super().build(shape, classes, requirements)
        return replace(players, generator=self.kind(shape, classes))


class DrawsInForward(SmallGenerator):
    def forward(self, request: GeneratorInput) -> Samples:
        samples = super().forward(request)
        return samples.at(samples.images * torch.rand(()))


class Bright(SmallGenerator):
    def forward(self, request: GeneratorInput) -> Samples:
        samples = super().forward(request)
        return samples.at(samples.images * 2)


class Deaf(SmallGenerator):
    """Says that it is conditional, and is not."""

    def forward(self, request: GeneratorInput) -> Samples:
        asked = request.conditions
        return Samples(self.decode(request.latents[0]), asked.labels, asked.sources)


class Loses(SmallGenerator):
    def forward(self, request: GeneratorInput) -> Samples:
        return Samples(super().forward(request).images)


class Coupled(SmallGenerator):
    def forward(self, request: GeneratorInput) -> Samples:
        samples = super().forward(request)
        return samples.at(samples.images * samples.images.mean())


class Constant(SmallGenerator):
    def forward(self, request: GeneratorInput) -> Samples:
        silent = tuple(0 * part for part in request.latents)
        return super().forward(GeneratorInput(silent, request.conditions))


class Outside(SmallGenerator):
    support = (-0.1, 0.1)


GENERATORS: Mapping[type[SmallGenerator], str] = {
    DrawsInForward: "global random generator of torch",
    Bright: r"outside \[0, 1\]",
    Deaf: "says conditional=True, and labels change no image",
    Loses: "must hand on the labels",
    Coupled: "depends on the others of its batch",
    Constant: "different latents give the same image",
    Outside: "outside the support",
}

# ------------------------------------------------------------------------------------- metrics


@dataclass(frozen=True)
class Distance(Metric):
    """The squared distance of the mean features."""

    outputs: ClassVar[Mapping[str, MetricInfo]] = {"distance": MetricInfo("lower", "", best=0.0)}

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        return {"mean": real.features.mean(0)}

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        return {"distance": MetricValue(self.number(real["mean"], fake.features.double(), rng))}

    def number(self, mean: Tensor, features: Tensor, rng: Rng) -> float:
        return float((features.mean(0) - mean).square().sum())


class Upside(Distance):
    outputs: ClassVar[Mapping[str, MetricInfo]] = {"distance": MetricInfo("higher", "")}


class Ordered(Distance):
    def number(self, mean: Tensor, features: Tensor, rng: Rng) -> float:
        return float((features[:200].mean(0) - mean).square().sum())


class Unseeded(Distance):
    def number(self, mean: Tensor, features: Tensor, rng: Rng) -> float:
        return super().number(mean, features, rng) * float(torch.rand(()))


class Nameless(Distance):
    outputs: ClassVar[Mapping[str, MetricInfo]] = {"length": MetricInfo("lower", "")}


class Unchecked(Distance):
    def values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        return self.compute_values(real=real, fake=fake, rng=rng)


@dataclass(frozen=True)
class FirstOnes(Distance):
    images: int = 1000

    def number(self, mean: Tensor, features: Tensor, rng: Rng) -> float:
        return float((features[: self.images].mean(0) - mean).square().sum())


class OfReals(Distance):
    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        return {"mean": real.features[:100].mean(0)}


class Silent(Distance):
    def number(self, mean: Tensor, features: Tensor, rng: Rng) -> float:
        return float(features.std(0).mean()) if len(features) > 1 else math.nan


class Beyond(Distance):
    def number(self, mean: Tensor, features: Tensor, rng: Rng) -> float:
        return super().number(mean, features, rng) - 1


class Divides(Distance):
    def number(self, mean: Tensor, features: Tensor, rng: Rng) -> float:
        return super().number(mean, features, rng) * len(features) / (len(features) - 3)


class WritesImages(Distance):
    def number(self, mean: Tensor, features: Tensor, rng: Rng) -> float:
        return super().number(mean, features, rng)

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        fake.features.add_(0.1)
        return {"distance": MetricValue(self.number(real["mean"], fake.features, rng))}


class Fraction(Distance):
    """The fraction of fake images among all: 1/2 at equal counts only."""

    outputs: ClassVar[Mapping[str, MetricInfo]] = {"distance": MetricInfo("target", "", 0.5)}

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        return {"mean": real.features.mean(0), "count": torch.tensor(len(real))}

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        gap = float((fake.features.mean(0) - real["mean"]).square().sum())
        fraction = len(fake) / (int(real["count"]) + len(fake))
        return {"distance": MetricValue(fraction + gap / 10, 0.01)}


METRICS: Mapping[Distance, str] = {
    FirstOnes(): "depends on the order of the fake images",
    OfReals(): "depends on the order of the real images",
    Silent(): r"is nan unexplained.* \(1 real and generated images\)",
    Beyond(): "beyond its best value 0",
    Divides(): "3 real and generated images end in ZeroDivisionError",
    WritesImages(): "wrote to the generated images",
    Fraction(): r"distance of 200 images drawn like 1000 real ones is 0\.1",
    Unchecked(): "replaces `values`; give `compute_values` instead",
    Upside(): "should be better higher",
    Ordered(): "depends on the order",
    Unseeded(): "second call with the same stream",
    Nameless(): r"gave \['distance'\]",
}

# ------------------------------------------------------------------------------------ encoders


class Means(Encoder):
    """The mean of every row of pixels."""

    id = "means:1"
    note = "row means"

    @classmethod
    def unsupported_reason(cls, dataset: Dataset) -> str | None:
        return None

    @classmethod
    def prepare(cls, dataset: Dataset, cache: Path, log: Log) -> "Encoder":
        return cls()

    def features(self, images: Tensor) -> Tensor:
        return (images.float() / 255).mean(3).flatten(1)


class Double(Means):
    def features(self, images: Tensor) -> Tensor:
        return super().features(images).double()


class Whitened(Means):
    def features(self, images: Tensor) -> Tensor:
        features = super().features(images)
        return features - features.mean(0)


class Random(Means):
    """Other weights at every call, under one id."""

    weights = torch.ones(8)

    @classmethod
    def prepare(cls, dataset: Dataset, cache: Path, log: Log) -> "Encoder":
        count = len(list(cache.glob("*")))
        (cache / str(count)).touch()
        encoder = cls()
        encoder.weights = torch.ones(8) + count
        return encoder

    def features(self, images: Tensor) -> Tensor:
        return super().features(images) * self.weights


class Boasts(Means):
    knows_classes = True


class Unwritten(Means):
    @classmethod
    def weights_name(cls, dataset: Dataset) -> str:
        return "means.safetensors"


class Renamed(Unwritten):
    """Writes its file, and has another id when it is restored."""

    @classmethod
    def prepare(cls, dataset: Dataset, cache: Path, log: Log) -> "Encoder":
        (cache / "encoders").mkdir(exist_ok=True)
        (cache / "encoders" / cls.weights_name(dataset)).touch()
        return cls()

    @classmethod
    def restored(cls, dataset: Dataset, path: Path) -> "Renamed":
        encoder = cls()
        encoder.id = "means:2"
        return encoder


ENCODERS: Mapping[type[Means], str] = {
    Double: "must be float32",
    Whitened: "depend on the images that are asked for with it",
    Random: "prepared a second time",
    Boasts: "knows_classes",
    Unwritten: "left no .*means.safetensors",
    Renamed: "restored from its file, it has another id",
}

# ----------------------------------------------------------------------------------- datasets


def noise(data_dir: Path) -> Dataset:
    """Noise of two classes."""
    return small_dataset()


def overlapping(data_dir: Path) -> Dataset:
    data = small_dataset()
    return replace(data, test=data.train)


def other_at_every_call(data_dir: Path) -> Dataset:
    data = small_dataset()
    count = len(list(data_dir.glob("*")))
    (data_dir / str(count)).touch()
    return replace(data, train=replace(data.train, images=data.train.images.whole + count))


def draws(data_dir: Path) -> Dataset:
    torch.rand(1)
    return small_dataset()


def without_a_class(data_dir: Path) -> Dataset:
    return replace(small_dataset(), classes=("dark", "bright", "blue"))


def signed(data_dir: Path) -> Dataset:
    data = small_dataset()
    return replace(data, train=replace(data.train, images=data.train.images.whole.to(torch.int16)))


DATASETS = {
    overlapping: "images of the test split are in the train split",
    other_at_every_call: "other images or labels at a second call",
    draws: "global random generator of torch",
    without_a_class: "no image of blue",
    signed: "must hold uint8 or float32",
}
