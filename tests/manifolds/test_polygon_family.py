"""The inscribed family: what the published notebook draws, and what this one does."""

import math
from itertools import product

import pytest
import torch

from coequal.manifolds.polygons.family import PolygonFamily
from coequal.manifolds.polygons.renderer import area
from coequal.rng import Rng


def gaps(angles):
    """Degrees from each vertex to the next."""
    after = angles.roll(-1, 1)
    after[:, -1] += math.tau
    return torch.rad2deg(after - angles)


@pytest.mark.parametrize(("mode", "least"), [("clean", 20), ("paper", 10)])
def test_neighbours_keep_the_gap_that_the_mode_says(mode, least):
    # Offsets in [10, seg - 10] degrees give gaps from 20; in [10, seg] (paper) from 10. Of 20,000
    # draws of 4 gaps, those within a tenth of the range above the least are many.
    found = gaps(PolygonFamily(4, mode=mode).draw_angles(20_000, Rng(1)))
    assert least - 1e-3 <= float(found.min()) < least + 2


def test_paper_turns_by_six_degrees_and_clean_by_any():
    # The first vertex: turn + offset. Offsets reach from 10 to 110 (120) degrees; turns to 6.28.
    first = {
        mode: torch.rad2deg(PolygonFamily(3, mode=mode).draw_angles(5_000, Rng(2))[:, 0])
        for mode in ("clean", "paper")
    }
    assert float(first["paper"].max()) < 120 + 6.29
    assert float(first["clean"].max()) > 300


@pytest.mark.parametrize(("mode", "middle"), [("clean", 14.0), ("paper", 14.5)])
def test_the_mean_of_the_vertices_is_at_the_centre(mode, middle):
    polygons = PolygonFamily(5, mode=mode).draw(50, Rng(3))
    torch.testing.assert_close(polygons.mean(1), torch.full((50, 2), middle), atol=1e-4, rtol=0)


def test_members_are_on_a_circle_and_go_around_it_as_x_and_y_do():
    family = PolygonFamily(4, size=40)
    polygons = family.draw(50, Rng(4))
    angles = family.draw_angles(50, Rng(4))
    circle = 15 * torch.stack([angles.cos(), angles.sin()], -1)  # 0.375 of 40
    moved = polygons - circle  # by one vector each
    torch.testing.assert_close(moved, moved[:, :1].expand(-1, 4, -1), atol=1e-4, rtol=0)
    assert (area(polygons) > 0).all()


@pytest.mark.parametrize("k", [3, 4, 6])
@pytest.mark.parametrize("mode", ["clean", "paper"])
def test_no_member_is_smaller_than_the_least_area_and_a_corner_attains_it(k, mode):
    family = PolygonFamily(k, mode=mode)
    assert float(area(family.draw(5_000, Rng(5))).min()) > family.least_area - 1e-3
    corners = torch.tensor(list(product(family.offsets, repeat=k)))
    smallest = area(family.at(corners + family.segment * torch.arange(k))).min()
    assert float(smallest) == pytest.approx(family.least_area, rel=1e-5)


def test_the_least_area_of_triangles_is_that_of_gaps_20_120_and_220():
    degrees = (math.sin(math.radians(gap)) for gap in (20, 120, 220))
    assert PolygonFamily(3).least_area == pytest.approx(10.5**2 / 2 * sum(degrees), rel=1e-5)


def test_draws_depend_on_the_rng_alone():
    family = PolygonFamily(3)
    torch.manual_seed(0)
    first = family.draw(10, Rng(6))
    torch.manual_seed(1)
    assert torch.equal(first, family.draw(10, Rng(6)))
    assert not torch.equal(first, family.draw(10, Rng(7)))


def test_images_are_black_on_white_of_the_polygon_s_area():
    family = PolygonFamily(3)
    polygons = family.draw(20, Rng(8))
    images = family.images(polygons)
    assert images.shape == (20, 1, 28, 28)
    torch.testing.assert_close((1 - images).sum((1, 2, 3)), area(polygons), atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"vertices": 2}, "3 to 8 vertices here, got 2"),
        ({"vertices": 9}, "3 to 8 vertices here, got 9"),
        ({"size": 7}, "at least 8x8 pixels, got 7"),
    ],
)
def test_what_can_not_be_made_is_refused(values, said):
    with pytest.raises(ValueError, match=said):
        PolygonFamily(**values)


def test_recipes_tell_families_apart():
    families = [
        PolygonFamily(k, s, m) for k in (3, 4) for s in (28, 32) for m in ("clean", "paper")
    ]
    assert len({family.recipe for family in families}) == 8
    assert len({family.description for family in families}) == 8
