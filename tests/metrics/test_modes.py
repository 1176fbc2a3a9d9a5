"""Modes that are covered, quality and evenness, against numbers worked out by hand; and curves."""

import math
import pickle

import pytest
import torch

from coequal.contract import ImageSet, KnownManifold
from coequal.manifolds.colours import ColourShapes, Drawn
from coequal.manifolds.curves import Spiral, SwissRoll, on_spiral
from coequal.manifolds.points import GaussianGrid, GaussianRing
from coequal.manifolds.polygons.family import PolygonFamily
from coequal.metrics._proportions import distinct, proportion_of
from coequal.metrics.curve import CurveCoverage
from coequal.metrics.modes import Modes, divergence
from coequal.rng import Rng


def scores(metric, family: KnownManifold, images: torch.Tensor):  # type: ignore[no-untyped-def]
    reference = metric.reference(ImageSet(torch.zeros(1, 1), images=images[:1], manifold=family))
    fake = ImageSet(images.flatten(1), images=images)
    return metric.values(real=reference, fake=fake, rng=Rng(0))


def ring(points) -> torch.Tensor:  # type: ignore[no-untyped-def]
    return GaussianRing().images(torch.as_tensor(points))


@pytest.mark.parametrize("family", [GaussianRing(), GaussianGrid()], ids=lambda f: f.recipe)
def test_the_data_themselves(family):
    # Within 3 standard deviations in the plane: 1 - exp(-9/2) = 0.98889; of 10,000 points with
    # standard error 0.00105. All modes; KL about (modes - 1) / 20,000.
    found = scores(Modes(), family, family.images(family.draw(10_000, Rng(5)).points))
    assert found["modes_covered"].value == len(family.centres)
    quality = found["modes_quality"]
    assert quality.value == pytest.approx(0.98889, abs=3 * 0.00105)
    assert quality.standard_error == pytest.approx(0.00105, rel=0.1)
    low, high = quality.interval
    assert low < 0.98889 < high
    assert found["modes_kl"].value == pytest.approx((len(family.centres) - 1) / 20_000, rel=0.9)


def test_by_hand():
    # Four points: two at mode 0 (one exactly, one 4 deviations of 0.02 off), one at mode 2, one in
    # the middle between modes 0 and 1, nearer to 0: good are 2 of 4, at modes 0 and 2. Nearest
    # modes 0, 0, 2, 0: KL from 1/8 each is 0.75 ln 6 + 0.25 ln 2 = 1.517106.
    found = scores(Modes(), GaussianRing(), ring([[2, 0], [2.08, 0], [0, 2], [1.8, 0.5]]))
    assert found["modes_covered"].value == 2
    # One good point alone in each of two modes: variance (4 - 1) 1/2 1/2 = 0.75.
    assert found["modes_covered"].standard_error == pytest.approx(0.75**0.5)
    assert found["modes_quality"].value == 0.5
    assert found["modes_kl"].value == pytest.approx(0.75 * math.log(6) + 0.25 * math.log(2))


def test_a_collapsed_generator_has_quality_and_one_mode():
    found = scores(Modes(), GaussianRing(), ring([[2.0, 0.0]] * 50))
    assert found["modes_covered"][:2] == (1.0, None)  # no error: all images are one
    assert found["modes_quality"].value == 1
    assert found["modes_quality"].interval is None
    assert found["modes_kl"].value == pytest.approx(math.log(8))


def test_noise_has_little_quality():
    # Eight discs of radius 3 x 0.004 in the unit square: 8 pi 0.012^2 = 0.003619; of 20,000 points
    # 72, standard deviation 8.5.
    found = scores(Modes(), GaussianRing(), Rng(1).uniform(20_000, 2, 1, 1))
    assert found["modes_quality"].value == pytest.approx(0.003619, abs=4 * 8.5 / 20_000)


def test_colour_shapes():
    family = ColourShapes()
    modes = torch.tensor([0, 0, 40, 95, 287])
    images = family.images(Drawn(modes, torch.zeros(5, 2)))
    images[2] *= 0.9  # 0.01 a white channel and more: 784 x 3 x 0.01 = 23.5, less the shape's share
    found = scores(Modes(), family, images.mul(255).round().to(torch.uint8))
    assert found["modes_covered"].value == 3
    assert found["modes_quality"].value == 0.8
    # Frequencies 2/5 and three times 1/5 of 288 modes: ln 288 + 0.4 ln 0.4 + 0.6 ln 0.2.
    entropy = 0.4 * math.log(0.4) + 0.6 * math.log(0.2)
    assert found["modes_kl"].value == pytest.approx(math.log(288) + entropy)


def test_every_option_changes_something():
    points = ring([[2, 0], [2.05, 0], [0, 2]])  # 2.5 deviations off
    found = [scores(Modes(deviations=d), GaussianRing(), points) for d in (2.0, 3.0)]
    assert [each["modes_quality"].value for each in found] == [pytest.approx(2 / 3), 1]
    family = ColourShapes()
    image = family.images(Drawn(torch.tensor([3]), torch.zeros(1, 2)))
    image[0, 0, 27, 0] -= 1.0  # squared distance 1
    found = [scores(Modes(squared_distance=d), family, image) for d in (0.9, 1.1)]
    assert [each["modes_quality"].value for each in found] == [0, 1]
    roll = SwissRoll()
    off = roll.images(on_spiral(torch.tensor([8.0])) * (1 + 2.5 * 0.25 / 8))  # 2.5 along the radius
    near, far = (scores(CurveCoverage(deviations=d), roll, off) for d in (2.0, 3.0))
    assert (near["curve_quality"].value, far["curve_quality"].value) == (0, 1)
    few, many = (scores(CurveCoverage(bins=b), roll, off) for b in (4, 10))
    assert (few["curve_coverage"].value, many["curve_coverage"].value) == (0.25, 0.1)


@pytest.mark.parametrize("family", [Spiral(), SwissRoll()], ids=lambda f: f.recipe)
def test_the_data_themselves_about_a_curve(family):
    # About a straight line 0.9973 of a normal law lies within 3 deviations; a curve bends towards
    # the points inside, so slightly more. Standard error of 10,000 points 0.0005.
    found = scores(CurveCoverage(), family, family.images(family.draw(10_000, Rng(6)).points))
    assert found["curve_quality"].value == pytest.approx(0.9974, abs=0.002)
    assert found["curve_coverage"].value == 1


def test_half_of_a_curve():
    # Points on the inner part of the roll up to the angle at which half of its length is reached.
    roll = SwissRoll()
    curve = roll.parameters["curve"][:1000, :, None, None]  # the vertex at one half is left out
    for bins in (100, 10):
        found = scores(CurveCoverage(bins=bins), roll, curve.float())
        assert found["curve_quality"].value == 1
        assert found["curve_coverage"].value == 0.5


def test_shares_and_counts_by_hand():
    # Wilson's interval of 0 in 10 ends at z^2 / (10 + z^2) = 3.84146 / 13.84146 = 0.277533.
    none = proportion_of(torch.zeros(10, dtype=torch.bool))
    assert none[:3] == (0, 0, (0, pytest.approx(0.277533, abs=1e-6)))
    every = proportion_of(torch.ones(10, dtype=torch.bool))
    assert every.interval == (pytest.approx(0.722467, abs=1e-6), 1)
    # 3 in 12: centre (1/4 + 1.92073/12) / (1 + 3.84146/12) = 0.310617, half 0.221553 (see
    # statistics.rates, which the report uses).
    half = proportion_of(torch.arange(12) < 3)
    assert half.value == 0.25
    assert half.standard_error == pytest.approx(0.125)
    assert half.interval == (pytest.approx(0.0889, abs=1e-4), pytest.approx(0.5323, abs=1e-4))
    # Places 0 0 1 - 2: three, two of them by one image of five: 4 x 0.4 x 0.6 = 0.96.
    found = distinct(torch.tensor([0, 0, 1, -1, 2]))
    assert (found.value, found.standard_error) == (3, pytest.approx(0.96**0.5))
    assert distinct(torch.tensor([-1, -1])).value == 0


def test_divergence_by_hand():
    # p = 3/4, 1/4 of two modes: 0.75 ln 1.5 + 0.25 ln 0.5 = 0.130812. Variance of the logarithm
    # 0.75 (ln 1.5)^2 + 0.25 (ln 0.5)^2 - 0.130812^2 = 0.226298; over 4: 0.056575.
    found = divergence(torch.tensor([3, 1]))
    assert found.value == pytest.approx(0.130812, abs=1e-6)
    assert found.standard_error == pytest.approx(0.056575**0.5, abs=1e-5)
    assert divergence(torch.tensor([5, 5])).value == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("law", ["equal", "uneven"])
def test_standard_errors_against_new_samples(law):
    """600 samples of 60 over 25 places: the spread of the counts and of the divergence."""
    p = torch.full((25,), 1 / 25) if law == "equal" else torch.arange(1, 26) / 325
    edges = p.cumsum(0)
    draws = torch.bucketize(Rng(7).uniform(600, 60), edges).clamp(max=24)
    covered = [distinct(row) for row in draws]
    kl = [divergence(row.bincount(minlength=25)) for row in draws]
    for found, low, high in ((covered, 1.0, 2.0), (kl, 0.85, 1.5)):
        spread = torch.tensor([each.value for each in found]).std().item()
        claimed = torch.tensor([each.standard_error for each in found]).square().mean().sqrt()
        # The jackknife is too large on average (Efron and Stein); 600 values know a spread to 3 %.
        assert low < claimed.item() / spread < high


def test_the_order_of_images_does_not_matter_and_no_chance_is_drawn():
    points = GaussianGrid().images(GaussianGrid().draw(200, Rng(8)).points)
    one, turned = (scores(Modes(), GaussianGrid(), x) for x in (points, points.flip(0)))
    assert one == turned


def test_other_data_are_refused_in_words():
    for manifold in (None, PolygonFamily()):
        assert "gaussian_ring, gaussian_grid, colour_shapes" in Modes.unsupported_reason(manifold)
        assert "spiral, swiss_roll" in CurveCoverage.unsupported_reason(manifold)
        with pytest.raises(ValueError, match="modes_covered: modes are counted"):
            Modes().reference(ImageSet(torch.zeros(1, 1), manifold=manifold))
    assert Modes.unsupported_reason(Spiral()) is not None
    assert Modes.unsupported_reason(GaussianRing()) is None
    assert CurveCoverage.unsupported_reason(GaussianRing()) is not None
    assert CurveCoverage.unsupported_reason(SwissRoll()) is None


def test_settings_are_plain_and_checked():
    for metric in (Modes(), CurveCoverage()):
        assert pickle.loads(pickle.dumps(metric)) == metric
    for kind, setting, value in (
        (Modes, "deviations", 0.0),
        (Modes, "squared_distance", math.inf),
        (CurveCoverage, "deviations", -1.0),
        (CurveCoverage, "bins", 0),
    ):
        with pytest.raises(ValueError, match=setting):
            kind(**{setting: value})
