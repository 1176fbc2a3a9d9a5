"""Points in the plane: what is drawn, and where a point lies against centres and curves."""

import math
from dataclasses import fields, replace

import pytest
import torch
from sklearn.datasets import make_swiss_roll

from coequal.manifolds.curves import Spiral, SwissRoll, angle_at, arc_length, on_curve, on_spiral
from coequal.manifolds.points import GaussianGrid, GaussianRing, assign
from coequal.rng import Rng

FAMILIES = [GaussianRing(), GaussianGrid(), Spiral(), SwissRoll()]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: type(family).__name__)
def test_draws_depend_on_the_stream_alone_and_fit_into_the_images(family):
    one, same, other = (family.draw(3000, Rng(seed)).points for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    images = family.images(one)
    assert images.shape == (3000, 2, 1, 1)
    assert images.dtype == torch.float32
    # x first; (v + e) / 2e.
    torch.testing.assert_close(images[7, 0, 0, 0] * 2 * family.extent - family.extent, one[7, 0])
    assert 0 < images.min() < images.max() < 1


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: type(family).__name__)
def test_every_parameter_is_in_the_recipe_and_moves_the_images(family):
    for field in fields(family):
        value = getattr(family, field.name)
        other = replace(family, **{field.name: value + 1 if isinstance(value, int) else value / 2})
        assert other.recipe != family.recipe
        images = [each.images(each.draw(50, Rng(1)).points) for each in (family, other)]
        assert not torch.equal(*images), field.name


def test_centres_of_the_ring_and_of_the_grid():
    # The second of 8 on a circle of radius 2 is at 45 degrees: (sqrt 2, sqrt 2). In image values
    # (1.41421 + 2.5) / 5 = 0.782843; noise 0.02 / 5.
    ring = GaussianRing()
    torch.testing.assert_close(ring.centres[1], torch.tensor([2**0.5, 2**0.5]))
    found = ring.parameters
    assert found["centres"][1].tolist() == pytest.approx([0.782843] * 2, abs=1e-6)
    assert found["deviation"].item() == pytest.approx(0.004)
    assert GaussianGrid().centres[:6].tolist() == [
        *([-4, -4], [-4, -2], [-4, 0], [-4, 2], [-4, 4], [-2, -4])
    ]
    assert (ring.names[1], GaussianGrid().names[7]) == ("(1.41, 1.41)", "(-2, 0)")


@pytest.mark.parametrize("family", FAMILIES[:2], ids=lambda family: type(family).__name__)
def test_points_lie_about_the_centre_of_their_mode(family):
    points, modes = family.draw(20_000, Rng(3))
    gaps = points - family.centres[modes]
    # The standard deviation of 40,000 normal numbers is known to 1/sqrt(80,000) = 0.35 %.
    assert gaps.std().item() == pytest.approx(family.deviation, rel=0.015)
    counts = modes.bincount()
    assert len(counts) == len(family.centres)
    expected = 20_000 / len(counts)
    assert (counts - expected).abs().max() < 5 * math.sqrt(expected)
    found = assign(family.images(points), family.parameters)
    assert torch.equal(found.mode, modes)
    # A squared distance in standard deviations of two coordinates is chi^2 of 2: its mean is 2.
    assert found.squared.mean().item() == pytest.approx(2, rel=0.03)


def test_a_point_at_a_known_distance_from_a_centre():
    ring = GaussianRing()
    # 3 standard deviations of 0.02 to the right of (0, 2), mode 2: squared 9.
    found = assign(ring.images(torch.tensor([[0.06, 2.0]])), ring.parameters)
    assert found.mode.tolist() == [2]
    assert found.squared.item() == pytest.approx(9, rel=1e-4)


def test_the_arc_length_and_its_inverse():
    # By a polyline of 20,000 pieces; and arc_length(1) = (sqrt 2 + asinh 1) / 2 = 1.147794.
    steps = torch.linspace(0, 9, 20_001, dtype=torch.float64)
    walked = on_spiral(steps).diff(dim=0).norm(dim=1).sum()
    assert arc_length(steps[-1]).item() == pytest.approx(walked.item(), rel=1e-7)
    assert arc_length(torch.tensor(1.0)).item() == pytest.approx(1.147794, abs=1e-6)
    torch.testing.assert_close(angle_at(arc_length(steps)), steps, rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", FAMILIES[2:], ids=lambda family: type(family).__name__)
def test_points_moved_off_the_curve_by_known_amounts(family):
    """On the curve 0, along its normal as far as they were moved; and at their place."""
    first, last = family.angles
    angles = torch.linspace(first + 0.5, last - 0.5, 300, dtype=torch.float64)
    # The tangent of t (cos, sin) is (cos - t sin, sin + t cos).
    tangent = torch.stack(
        [angles.cos() - angles * angles.sin(), angles.sin() + angles * angles.cos()], 1
    )
    normal = torch.stack([-tangent[:, 1], tangent[:, 0]], 1) / tangent.norm(dim=1, keepdim=True)
    lengths = arc_length(torch.tensor([first, last], dtype=torch.float64))
    share = (arc_length(angles) - lengths[0]) / (lengths[1] - lengths[0])
    for sds in (0.0, 2.0):
        moved = on_spiral(angles) + sds * family.deviation * normal
        found = on_curve(family.images(moved), family.parameters)
        # Straight pieces of 0.09 cut the corner by up to 0.09^2 x 2 / 8 = 0.002 where the
        # curvature is greatest, 2 at the spiral's centre: 0.008 deviations of 0.25.
        torch.testing.assert_close(found.distance, torch.full_like(angles, sds), rtol=0, atol=8e-3)
        torch.testing.assert_close(found.place, share, rtol=0, atol=2e-4)


def test_the_ends_of_the_curve_are_its_places_0_and_1():
    roll = SwissRoll()
    beyond = on_spiral(torch.tensor(roll.angles, dtype=torch.float64))
    found = on_curve(roll.images(beyond), roll.parameters)
    assert found.place.tolist() == pytest.approx([0, 1])


def test_the_spiral_is_uniform_by_arc_length_and_the_roll_by_angle():
    # In 10 equal pieces of 50,000 points: 5,000 each, standard deviation 67.
    spiral, roll = Spiral(), SwissRoll()
    places = [
        on_curve(each.images(each.draw(20_000, Rng(4)).points), each.parameters).place
        for each in (spiral, roll)
    ]
    counts = (places[0] * 10).long().clamp(max=9).bincount(minlength=10)
    assert (counts - 2000).abs().max() < 200
    # The roll is denser inside by sqrt(1 + t^2): half of its points lie at angles up to 3 pi, that
    # is on the first 0.38 of its length.
    lengths = arc_length(torch.tensor([1.5, 3, 4.5], dtype=torch.float64) * math.pi)
    inner = (lengths[1] - lengths[0]) / (lengths[2] - lengths[0])
    assert (places[1] <= inner).double().mean().item() == pytest.approx(0.5, abs=0.014)
    assert inner.item() == pytest.approx(0.38, abs=0.01)


def test_the_roll_is_that_of_scikit_learn():
    theirs = make_swiss_roll(500, noise=0.0, random_state=0)[0][:, [0, 2]]
    roll = SwissRoll()
    found = on_curve(roll.images(torch.from_numpy(theirs)), roll.parameters)
    assert found.distance.max() < 1e-3
