"""Small nets and data that stand in for real ones while another part is checked."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from coequal.contract import (
    Architecture,
    Capabilities,
    ClassLogits,
    Dataset,
    DensityGenerator,
    DiscriminatorOutput,
    GeneratorInput,
    ImageShape,
    LatentVariableGenerator,
    Logits,
    Players,
    Reconstruction,
    Requirements,
    Samples,
    Split,
)
from coequal.rng import Rng

LATENTS = 4
HIDDEN = 8
LEVELS = 256


class SmallGenerator(LatentVariableGenerator, DensityGenerator):
    """Linear maps that are a generator of every kind at once: decoder, encoder and density."""

    def __init__(self, shape: ImageShape, classes: int | None) -> None:
        super().__init__()
        size = shape.channels * shape.height * shape.width
        self.shape = shape
        self.conditional = classes is not None
        self.decoder = nn.Linear(LATENTS, size)
        self.of_class = nn.Embedding(classes or 1, size)
        self.posterior = nn.Linear(size, 2 * LATENTS)
        self.levels = nn.Parameter(torch.randn(size, LEVELS))

    def latents(self, count: int, rng: Rng) -> tuple[Tensor, ...]:
        """(count, 4) standard normal numbers."""
        return (rng.normal(count, LATENTS),)

    def forward(self, request: GeneratorInput) -> Samples:
        """The decoded latents."""
        asked = request.conditions
        return Samples(self.decode(request.latents[0], asked.labels), asked.labels, asked.sources)

    def encode(self, real: Samples) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation, linear in the image."""
        mean, raw = self.posterior(real.images.flatten(1)).chunk(2, dim=1)
        return mean, 1e-6 + functional.softplus(raw)

    def decode(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """A sigmoid of a linear map, and of a row for the class."""
        hidden: Tensor = self.decoder(latents)
        if self.conditional and labels is not None:
            hidden = hidden + self.of_class(labels)
        return torch.sigmoid(hidden).view(-1, *self.shape)

    def log_likelihood(self, real: Samples) -> Tensor:
        """Every value on its own, with a probability for each of its levels."""
        levels = (real.images.flatten(1) * (LEVELS - 1)).round().long()
        table = self.levels.log_softmax(1).expand(len(levels), -1, -1)
        likelihood: Tensor = table.gather(2, levels[:, :, None])[:, :, 0].sum(1)
        return likelihood


class SmallDiscriminator(nn.Module):
    """One hidden layer, and the head that is asked for."""

    def __init__(
        self, shape: ImageShape, classes: int | None, output: type[DiscriminatorOutput]
    ) -> None:
        super().__init__()
        size = shape.channels * shape.height * shape.width
        self.output = output
        self.trunk = nn.Sequential(nn.Linear(size, HIDDEN), nn.Tanh())
        self.logit = nn.Linear(HIDDEN, 1)
        self.classes = nn.Linear(HIDDEN, classes or 1)
        self.decoder = nn.Linear(HIDDEN, size)

    def forward(self, samples: Samples) -> DiscriminatorOutput:
        """Logits, with classes beside them, or a reconstruction."""
        features = self.trunk(samples.images.flatten(1))
        if self.output is Reconstruction:
            images = torch.sigmoid(self.decoder(features)).view_as(samples.images)
            return Reconstruction(samples.images, images, features)
        logits = self.logit(features)[:, 0]
        if self.output is ClassLogits:
            return ClassLogits(logits, features, self.classes(features))
        return Logits(logits, features)


@dataclass(frozen=True)
class SmallNets(Architecture):
    """Nets for every kind of generator and of output that the package knows."""

    capabilities: ClassVar[Capabilities] = Capabilities(
        generators=(SmallGenerator,), outputs=(ClassLogits, Reconstruction), shapes="any"
    )

    def unsupported_reason(self, shape: ImageShape) -> str | None:
        """None: every shape will do."""
        return None

    def build(self, shape: ImageShape, classes: int | None, requirements: Requirements) -> Players:
        """A generator of all kinds, and a discriminator of the kind that is asked for."""
        output = requirements.output
        discriminator = None if output is None else SmallDiscriminator(shape, classes, output)
        return Players(SmallGenerator(shape, classes), discriminator)


def small_split(shape: ImageShape, classes: int, count: int = 96, seed: int = 11) -> Split:
    """Images of noise, uint8, with labels in turn."""
    values = Rng(seed).integers(LEVELS, count * shape.channels * shape.height * shape.width)
    images = values.view(count, *shape).to(torch.uint8)
    return Split(images, torch.arange(count) % classes)


def small_dataset() -> Dataset:
    """Grey images of 8x8 of two classes that differ in brightness."""
    shape = ImageShape(1, 8, 8)
    splits = []
    for seed in range(3):
        split = small_split(shape, 2, 64, seed)
        assert split.labels is not None
        brighter = split.images.whole // 2 + 127 * split.labels.view(-1, 1, 1, 1).to(torch.uint8)
        splits.append(Split(brighter, split.labels))
    train, validation, test = splits
    return Dataset("small", train, validation, test, ("dark", "bright"))
