"""A generator that translates images is trained by the loop: each image keeps its source."""

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn

from coequal.contract import (
    UNCONDITIONAL,
    Adversarial,
    Architecture,
    Batch,
    Capabilities,
    Conditions,
    Discriminate,
    Generator,
    GeneratorInput,
    ImageShape,
    Logits,
    Loss,
    Players,
    Requirements,
    Samples,
)
from coequal.rng import Rng
from coequal.training.batches import Batches
from coequal.training.loop import Trainer, build_players
from coequal.training.settings import Optimisation, Training
from coequal.training.tricks import Tricks

from toys import SHAPE, split


class _Translator(Generator):
    """sigmoid(a s + b) of the source s; its latents change nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.zeros(())), nn.Parameter(torch.zeros(()))

    def latents(self, count: int, rng: Rng) -> tuple[Tensor, ...]:
        return (rng.normal(count, 1),)

    def forward(self, request: GeneratorInput) -> Samples:
        asked = request.conditions
        assert asked.sources is not None
        images = (self.scale * asked.sources + self.shift).sigmoid()
        return Samples(images, asked.labels, asked.sources)


class _PairDiscriminator(nn.Module):
    """Sees an image beside its source, as that of Pix2Pix does."""

    def __init__(self, shape: ImageShape) -> None:
        super().__init__()
        self.net = nn.Linear(2 * shape.channels * shape.height * shape.width, 1)

    def forward(self, samples: Samples) -> Logits:
        features = torch.cat([samples.images, samples.sources], 1).flatten(1)
        return Logits(self.net(features)[:, 0], features)


@dataclass(frozen=True)
class _PairNets(Architecture):
    capabilities: ClassVar[Capabilities] = Capabilities((_Translator,), (Logits,), "any")

    def unsupported_reason(self, shape: ImageShape) -> str | None:
        return None

    def build(self, shape: ImageShape, classes: int | None, requirements: Requirements) -> Players:
        return Players(_Translator(), _PairDiscriminator(shape))


@dataclass(frozen=True)
class _Translation(Adversarial[Generator, Logits]):
    """Least squares, and the L1 distance to the real counterpart; it records what it is given."""

    batches: list[Batch] = field(default_factory=list)

    def requirements(self) -> Requirements:
        return Requirements(output=Logits)

    def discriminator_loss(self, discriminate: Discriminate[Logits], batch: Batch) -> Loss:
        self.batches.append(batch)
        on_real = (discriminate(batch.real).logits - 1).square().mean()
        return Loss(on_real + discriminate(batch.fake).logits.square().mean(), {}, batch.state)

    def generator_loss(
        self, generator: Generator, discriminate: Discriminate[Logits], batch: Batch
    ) -> Loss:
        self.batches.append(batch)
        distance = (batch.fake.images - batch.real.images).abs().mean()
        return Loss(distance, {"distance": distance}, batch.state)


class _Pairs(Batches):
    """Real images, each with its negative as the source."""

    def draw(self) -> Samples:
        real = super().draw()
        return Samples(real.images, real.labels, 1 - real.images)


def _trainer(objective: _Translation, tricks: Tricks | None = None) -> Trainer:
    players = build_players(_PairNets(), SHAPE, 2, objective.requirements(), 7)
    pairs = _Pairs(split(), 8, 7, torch.device("cpu"))
    training = Training(200, 8)
    return Trainer(objective, players, pairs, Optimisation(0.1), training, 7, tricks=tricks)


def test_the_loop_hands_every_image_its_source_and_label():
    objective = _Translation()
    _trainer(objective).train_until(3)
    assert len(objective.batches) == 6  # moves: three of each player
    for batch in objective.batches:
        assert torch.equal(batch.real.sources, 1 - batch.real.images)
        assert batch.fake.sources is batch.real.sources
        assert batch.fake.labels is batch.real.labels


def test_a_translator_learns_its_pairs():
    # Images are noise: without the right source the distance stays near 1/4, that of noise to 1/2.
    one = _trainer(_Translation())
    one.train_until(200)
    distances = one.curves.arrays()["generator.distance"]
    assert distances[0] > 0.2
    assert distances[-1] < 0.1


def test_a_row_that_changes_sides_takes_its_source_along():
    objective = _Translation()
    _trainer(objective, Tricks(label_smoothing=0.4)).train_until(20)
    exchanged = 0
    for batch in objective.batches[::2]:  # the discriminator's
        own = (batch.real.sources == 1 - batch.real.images).flatten(1).all(1)
        exchanged += int((~own).sum())
        assert torch.equal(batch.real.sources, batch.fake.sources)  # a pair has one source
    assert exchanged > 0


def test_conditions_of_some_rows():
    asked = Conditions(torch.arange(4), torch.arange(4.0).view(4, 1, 1, 1))
    part = asked[1:3].to("cpu")
    assert part.labels.tolist() == [1, 2]
    assert part.sources.flatten().tolist() == [1, 2]
    assert asked[torch.tensor([3, 0])].labels.tolist() == [3, 0]
    assert UNCONDITIONAL[1:3].labels is None
    assert Conditions.in_turn(5, 3).labels.tolist() == [0, 1, 2, 0, 1]
    assert Conditions.in_turn(5, 0).labels is None
