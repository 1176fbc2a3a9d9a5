"""Coverages in closed form; each expected number is worked out beside it."""

import pytest
import torch

from coequal.manifolds.polygons.family import PolygonFamily
from coequal.manifolds.polygons.renderer import area, coverage, fit
from coequal.rng import Rng


def rectangle(left, top, width, height):
    corners = [[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]]
    return torch.tensor([corners]) + torch.tensor([left, top])


def test_a_rectangle_on_grid_lines_fills_its_pixels_and_no_others():
    image = coverage(rectangle(5.0, 7.0, 8.0, 6.0), 28)[0]
    inside = torch.zeros(28, 28)
    inside[7:13, 5:13] = 1  # rows 7 to 12, columns 5 to 12: 6 x 8 = 48 pixels
    torch.testing.assert_close(image, inside, atol=2e-6, rtol=0)
    assert float(image.sum()) == pytest.approx(48, abs=1e-4)


def test_the_sign_is_that_of_the_area():
    polygon = rectangle(5.0, 7.0, 8.0, 6.0)  # right, then down: x, y grow as cos, sin do
    assert area(polygon).tolist() == [48.0]
    assert area(polygon.flip(1)).tolist() == [-48.0]
    # Green's theorem: the same edges backwards cover -1 times as much.
    torch.testing.assert_close(coverage(polygon.flip(1), 28), -coverage(polygon, 28))


@pytest.mark.parametrize("shift", [0.1, 0.25, 0.7])
def test_a_shift_moves_a_share_of_the_edge_s_pixels(shift):
    # To the right by s: 6 pixels at the left edge lose s and 6 at the right gain s: 2 L s^2, L = 6.
    still, moved = rectangle(5.0, 7.0, 8.0, 6.0), rectangle(5.0 + shift, 7.0, 8.0, 6.0)
    squared = (coverage(moved, 28) - coverage(still, 28)).square().sum()
    assert float(squared) == pytest.approx(2 * 6 * shift**2, rel=1e-4)


def test_what_is_left_of_the_image_counts_for_what_is_right_of_it():
    # x from -4 to 3, y from 2 to 6: of the image's pixels 3 x 4 = 12 are covered, wholly.
    image = coverage(rectangle(-4.0, 2.0, 7.0, 4.0), 28)[0]
    assert float(image.sum()) == pytest.approx(12, abs=1e-3)
    torch.testing.assert_close(image[2:6, :3], torch.ones(4, 3), atol=1e-3, rtol=0)


@pytest.mark.parametrize(("left", "top"), [(-9.0, 3.0), (30.0, 3.0), (3.0, -9.0), (3.0, 30.0)])
def test_a_polygon_outside_covers_nothing(left, top):
    # Up to rounding at the gutter's far end, 1e4 pixels to the left.
    image = coverage(rectangle(left, top, 5.0, 5.0), 28)
    torch.testing.assert_close(image, torch.zeros(1, 28, 28), atol=1e-3, rtol=0)


@pytest.mark.parametrize("k", [3, 5, 8])
def test_the_whole_is_the_shoelace_area(k):
    polygons = PolygonFamily(k).draw(200, Rng(1))
    # 784 float32 terms of at most 1: some 1e-4 of rounding.
    torch.testing.assert_close(
        coverage(polygons, 28).sum((1, 2)), area(polygons), atol=2e-4, rtol=0
    )


def test_it_is_the_limit_of_supersampling():
    polygons = PolygonFamily(3).draw(6, Rng(2))
    fine = (torch.arange(28 * 40) + 0.5) / 40  # centres of 40 x 40 parts of each pixel
    y, x = torch.meshgrid(fine, fine, indexing="ij")
    inside = torch.ones(6, *x.shape, dtype=torch.bool)
    for i in range(3):
        a, b = polygons[:, i], polygons[:, (i + 1) % 3]
        (ax, ay), (bx, by) = a[..., None, None].unbind(1), b[..., None, None].unbind(1)
        inside &= (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0
    sampled = inside.float().view(6, 28, 40, 28, 40).mean((2, 4))
    squared = (sampled - coverage(polygons, 28)).square().sum((1, 2))
    # Each of an edge's 40 sub-rows a pixel is off by the rounding of one sub-pixel, of variance
    # 1/12: perimeter / (12 40^3) = 51 / 768,000 = 7e-5, and a few times that at worst.
    assert float(squared.mean()) < 1.5e-4


def test_float32_is_enough():
    polygons = PolygonFamily(5).draw(200, Rng(3))
    exact = coverage(polygons.double(), 28)
    torch.testing.assert_close(coverage(polygons, 28).double(), exact, atol=1e-5, rtol=0)


def test_gradient_and_normal_matrix_are_those_of_central_differences():
    polygon = PolygonFamily(4).draw(1, Rng(4)).double()
    target = coverage(PolygonFamily(4).draw(1, Rng(5)).double(), 28)
    found = fit(polygon, target)
    step = 1e-5
    columns = []
    for i in range(8):
        move = torch.zeros(8, dtype=torch.double)
        move[i] = step
        ahead, behind = (coverage(polygon + s * move.view(1, 4, 2), 28) for s in (1, -1))
        columns.append(((ahead - behind) / (2 * step)).flatten())
    jacobian = torch.stack(columns, 1)
    residual = (coverage(polygon, 28) - target).flatten()
    close = {"atol": 1e-6, "rtol": 1e-6}
    torch.testing.assert_close(found.squared[0], residual @ residual, **close)
    torch.testing.assert_close(found.gradient[0], jacobian.T @ residual, **close)
    torch.testing.assert_close(found.normal[0], jacobian.T @ jacobian, **close)


def test_none_is_an_empty_tensor():
    assert coverage(torch.zeros(0, 3, 2), 28).shape == (0, 28, 28)
