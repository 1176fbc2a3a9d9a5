import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from coequal.architectures.pixelcnn import PixelCnn
from coequal.contract import (
    Dataset,
    DensityGenerator,
    Generator,
    GeneratorInput,
    ImageSet,
    ImageShape,
    Requirements,
    Samples,
    Split,
)
from coequal.evaluation.requested import requested_metrics
from coequal.evaluation.score import score
from coequal.evaluation.score_request import ScoreRequest
from coequal.manifolds.polygons.family import PolygonFamily
from coequal.metrics._proportions import f1_value, harmonic, proportion_of
from coequal.metrics.manifold import Manifold, distance, family_of
from coequal.rng import Rng

FAMILY = PolygonFamily(size=16)


class Perfect(Generator):
    """Makes every triangle of the family, and nothing else: a turn and three offsets from z."""

    support = (-1.0, 1.0)

    def __init__(self, most: float = 1.0) -> None:
        super().__init__()
        self.most = most  # share of the turns that it makes

    def latents(self, count: int, rng: Rng) -> tuple[Tensor, ...]:
        return (rng.uniform(count, 4, low=-1.0, high=1.0),)

    def forward(self, request: GeneratorInput) -> Samples:
        unit = (request.latents[0] + 1) / 2
        low, high = FAMILY.offsets
        own = low + (high - low) * unit[:, 1:]
        angles = math.tau * self.most * unit[:, :1] + own + FAMILY.segment * torch.arange(3)
        return Samples(FAMILY.images(FAMILY.at(angles)))


def triangles(count: int, seed: int) -> Tensor:
    return FAMILY.images(FAMILY.draw(count, Rng(seed)))


def image_set(images: Tensor, generator: Generator | None = None) -> ImageSet:
    return ImageSet(images.flatten(1), images=images, manifold=FAMILY, generator=generator)


def measured(images: Tensor, generator: Generator | None = None, count: int = 60, **settings):
    metric = Manifold(images=count, **settings)
    reference = metric.reference(image_set(triangles(100, 1)))
    return metric.values(real=reference, fake=image_set(images, generator), rng=Rng(9))


def test_members_are_precise_and_noise_is_not():
    both = torch.cat([triangles(30, 2), Rng(3).uniform(10, 1, 16, 16)])
    found = measured(both)
    # 30 of 40: standard error sqrt(.75 x .25 / 40) = .0685; Wilson 1927: (.5981, .8581).
    precision = found["manifold_precision"]
    assert precision.value == 0.75
    assert precision.standard_error == pytest.approx(0.0684653)
    assert precision.interval == pytest.approx((0.59806, 0.85813), abs=1e-5)
    assert found.keys() == {"manifold_precision", "manifold_distance"}  # there is no generator
    assert measured(both[:30])["manifold_precision"].value == 1
    assert measured(both[30:])["manifold_precision"].value == 0
    assert measured(both[:30])["manifold_distance"].value < 1e-6


def test_a_perfect_generator_has_everything_and_one_that_can_t_turn_lacks_recall():
    generator, stiff = Perfect(), Perfect(0.0)
    found = measured(generator(GeneratorInput(generator.latents(60, Rng(4)))).images, generator)
    assert found["manifold_precision"].value == 1
    assert found["manifold_recall"].value == 1
    assert found["manifold_f1"].value == 1
    assert found["manifold_undecided"].value == 0
    less = measured(stiff(GeneratorInput(stiff.latents(60, Rng(4)))).images, stiff)
    assert less["manifold_precision"].value == 1
    # No turn, and 100 degrees of freedom in each offset, make some of the triangles.
    assert 0.2 < less["manifold_recall"].value < 0.9
    recall = less["manifold_recall"].value
    assert less["manifold_f1"].value == pytest.approx(2 * recall / (1 + recall))


def test_every_setting_changes_something():
    blurred = 0.9 * triangles(60, 2) + 0.1 * triangles(60, 5)
    base = measured(blurred)
    assert measured(blurred, delta=0.05) != base
    assert measured(blurred, count=20) != base
    family = measured(blurred, manifold="family")["manifold_distance"].value
    assert family > base["manifold_distance"].value


def test_settings_out_of_range_are_refused():
    for delta in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="delta must be a number above 0"):
            Manifold(delta=delta)
    with pytest.raises(ValueError, match="images must be a whole number of at least 1"):
        Manifold(images=0)


def test_f1_and_its_error_by_hand():
    precise = torch.arange(100) < 50
    recalled = torch.ones(50, dtype=torch.bool)
    found = f1_value(precise, recalled)
    # p = .5, r = 1: F = 2 x .5 / 1.5 = 2/3. dF/dp = 2 r^2 / (p + r)^2 = 2 / 2.25, s.e. of p .05,
    # of r 0.
    assert found.value == pytest.approx(2 / 3)
    assert found.standard_error == pytest.approx(0.05 * 2 / 2.25)
    # Wilson: p in (.40383, .59617), r in (.92865, 1). F at p's ends with r = 1: .57533, .74700; at
    # r's lower end with p = .5: .65002. Ends: 2/3 - hypot(.09134, .01665), 2/3 + .08033.
    assert found.interval == pytest.approx((0.57382, 0.74700), abs=2e-5)


def test_f1_where_a_share_is_nothing():
    none, all_ = torch.zeros(10, dtype=torch.bool), torch.ones(10, dtype=torch.bool)
    both = f1_value(none, none)
    assert (both.value, both.standard_error) == (0, None)
    assert both.interval[0] == 0
    assert both.interval[1] == pytest.approx(proportion_of(none).interval[1])  # harmonic(a, a) = a
    one = f1_value(none, all_)
    assert (one.value, one.interval[0]) == (0, 0)
    assert one.interval[1] == pytest.approx(harmonic(proportion_of(none).interval[1], 1))
    assert f1_value(all_, all_).interval[1] == 1


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (
            torch.zeros(2, 3, 16, 16),
            r"square grey images \(n, 1, size, size\); got \(2, 3, 16, 16\)",
        ),
        (torch.zeros(2, 1, 16, 12), r"got \(2, 1, 16, 12\)"),
        (torch.zeros(2, 1, 28, 28), "images are 28x28, the manifold's 16x16"),
        (torch.full((2, 1, 16, 16), 1.5), r"must lie in \[0, 1\], found 1.5 to 1.5"),
    ],
)
def test_other_images_are_refused(images, said):
    with pytest.raises(ValueError, match=said):
        distance(images, FAMILY)


def test_images_of_8_bits_and_of_any_size_have_a_distance():
    images = triangles(5, 2)
    eight = images.mul(255).round().to(torch.uint8)
    found = distance(eight)
    # Rounding moves each of the some 40 grey pixels by at most 1/510: 40 / 510^2 = 1.5e-4.
    assert found.squared.max() < 1.6e-4
    assert found.certain.all()


def test_a_reference_remembers_the_family():
    for family in (FAMILY, PolygonFamily(5, 32, "paper")):
        reference = Manifold(images=2).reference(
            replace(image_set(triangles(4, 0)), manifold=family)
        )
        assert family_of(reference["family"]) == family
        assert len(reference["images"]) == 2


def test_what_has_no_such_manifold_is_refused():
    assert Manifold.unsupported_reason(FAMILY) is None
    assert "triangles" in Manifold.unsupported_reason(None)


def test_single_numbers_ask_for_no_more_than_they_need():
    asked = requested_metrics(["manifold_precision"])
    assert asked.required("manifold") == {"images"}
    assert requested_metrics(["manifold_f1"]).required("manifold") == {"images", "generator"}
    assert requested_metrics(["manifold"]).outputs["manifold"] == tuple(Manifold.outputs)


def test_scores_say_what_can_t_be_had(tmp_path):
    data = Dataset("own", *(Split(triangles(40, seed)) for seed in range(3)), manifold=FAMILY)
    from coequal.inputs.load import from_split

    real, fake = (from_split("own", data, part) for part in ("test", "train"))

    def asked(metrics):
        return ScoreRequest(tmp_path, tmp_path, print, metrics=metrics, encoder="pixels")

    found = score(asked("all"), real=real, fake=fake).record
    assert found["metrics"]["manifold_precision"]["value"] == 1
    assert found["metrics"]["manifold_precision"]["interval"][1] == 1
    assert "needs the generator itself" in found["not_measured"]["manifold_recall"]
    with pytest.raises(ValueError, match="manifold_recall: needs the generator itself"):
        score(asked(["manifold_recall"]), real=real, fake=fake)
    other = replace(real, dataset=replace(data, manifold=None))
    with pytest.raises(ValueError, match="manifold: needs polygons"):
        score(asked(["manifold_precision"]), real=other, fake=fake)


def test_a_generator_with_a_density_has_no_recall():
    nets = PixelCnn(width=1 / 80, blocks=1, mixtures=1)
    generator = nets.build(
        ImageShape(1, 16, 16), None, Requirements(generator=DensityGenerator)
    ).generator
    found = measured(triangles(20, 2), generator, 20)
    assert found.keys() == {"manifold_precision", "manifold_distance"}
