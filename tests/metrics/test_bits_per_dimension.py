"""Bits per dimension of generators whose distribution is known."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from coequal.contract import DensityGenerator, Generator, GeneratorInput, ImageSet, Samples
from coequal.evaluation.score import score
from coequal.evaluation.score_request import ScoreRequest
from coequal.inputs.load import from_array, from_generator
from coequal.metrics.bits_per_dimension import BitsPerDimension
from coequal.rng import Rng


class Known(DensityGenerator):
    """Log2 p(x) = -(mean level of the image) x 4 dimensions, and the label more of a conditional
    one."""

    def __init__(self, conditional: bool = False) -> None:
        super().__init__()
        self.conditional = conditional
        self.asked: list[int] = []

    def latents(self, count: int, rng: Rng) -> tuple[Tensor, ...]:
        return (rng.normal(count, 1),)

    def forward(self, request: GeneratorInput) -> Samples:
        return Samples(torch.zeros(len(request.latents[0]), 1, 2, 2))

    def log_likelihood(self, real: Samples) -> Tensor:
        assert not self.training
        self.asked.append(len(real.images))
        bits = (real.images * 255).flatten(1).sum(1)
        more = real.labels * 4 if real.labels is not None else 0
        return -math.log(2) * (bits + more)


class Gan(Generator):
    def latents(self, count: int, rng: Rng) -> tuple[Tensor, ...]:
        return (rng.normal(count, 1),)

    def forward(self, request: GeneratorInput) -> Samples:
        return Samples(torch.zeros(len(request.latents[0]), 1, 2, 2))


def real_set(labels: bool = True) -> ImageSet:
    """Images of levels 1 .. 4, labels 0, 1, 0, 1."""
    levels = torch.arange(1, 5).view(4, 1, 1, 1).expand(4, 1, 2, 2).to(torch.uint8)
    return ImageSet(
        levels.flatten(1).float(), images=levels, labels=torch.arange(4) % 2 if labels else None
    )


def values(generator: Generator | None, labels: bool = True, **settings):  # type: ignore[no-untyped-def]
    metric = BitsPerDimension(**settings)
    fake = ImageSet(torch.zeros(3, 4), images=torch.zeros(3, 1, 2, 2), generator=generator)
    return metric.values(real=metric.reference(real_set(labels)), fake=fake, rng=Rng(0))


def test_by_hand():
    # 1, 2, 3, 4 bits: mean 2.5, deviation sqrt(5/3), of four images.
    found = values(Known())["bits_per_dimension"]
    assert found.value == pytest.approx(2.5, rel=1e-6)
    assert found.standard_error == pytest.approx(math.sqrt(5 / 3) / 2, rel=1e-6)
    assert BitsPerDimension.outputs["bits_per_dimension"].better == "lower"


def test_a_conditional_generator_is_asked_with_the_labels():
    # 1, 3, 3, 5.
    assert values(Known(conditional=True))["bits_per_dimension"].value == pytest.approx(3, rel=1e-6)
    assert values(Known(conditional=True), labels=False) == {}


def test_nothing_without_a_density():
    assert values(None) == {}
    assert values(Gan()) == {}


@pytest.mark.parametrize(
    ("generator", "labels", "said"),
    [
        (Known(), False, None),
        (Known(conditional=True), True, None),
        (Known(conditional=True), False, "the real images have no labels"),
        (Gan(), True, "gives the probability of an image"),
        (None, True, "needs the generator itself"),
    ],
)
def test_a_score_has_it_or_says_why_not(generator, labels, said, tmp_path):
    given = real_set(labels)
    real = replace(from_array(given.images, "real"), labels=given.labels)
    fakes = torch.zeros(3, 1, 2, 2, dtype=torch.uint8)
    fake = from_array(fakes, "f") if generator is None else from_generator(fakes, generator, "f")
    asked = ScoreRequest(
        tmp_path, tmp_path, print, metrics=["bits_per_dimension"], encoder="pixels"
    )
    if said is None:
        found = score(asked, real=real, fake=fake).record
        assert found["metrics"]["bits_per_dimension"]["value"] == pytest.approx(
            3 if generator.conditional else 2.5, rel=1e-6
        )
    else:
        with pytest.raises(ValueError, match=said):
            score(asked, real=real, fake=fake)


def test_the_first_images_and_the_mode_is_left():
    generator = Known().train()
    assert values(generator, images=2)["bits_per_dimension"].value == pytest.approx(1.5, rel=1e-6)
    assert generator.asked == [2]
    assert generator.training


def test_impossible_settings_are_refused():
    with pytest.raises(ValueError, match="images must be a whole number of at least 2, got 1"):
        BitsPerDimension(images=1)
