"""Coloured shapes: their factors, and how far an image is from its mode."""

import pytest
import torch

from coequal.manifolds import colours
from coequal.manifolds.colours import AREA, JITTER, MODES, ColourShapes, Drawn, absorbed, assign
from coequal.rng import Rng

FAMILY = ColourShapes()


def one(mode: int, x: float = 0.0, y: float = 0.0) -> torch.Tensor:
    return FAMILY.images(Drawn(torch.tensor([mode]), torch.tensor([[x, y]])))


def test_a_mode_is_a_shape_a_hue_and_a_place():
    # (shape 1, the disc; hue 2 of 8, 90 degrees; place 5, the middle row's right): (1 * 8 + 2) * 9
    # + 5 = 95. Hue 90 is (0.5, 1, 0): it takes (0.5, 0, 1) from white.
    image = one(95)[0]
    assert FAMILY.names[95] == "disc 90 middle right"
    assert len(set(FAMILY.names)) == MODES == 288
    assert absorbed()[2].tolist() == [0.5, 0, 1]
    dark = (1 - image).sum((1, 2))
    # The disc covers 16 pi = 50.265 pixels.
    assert dark.tolist() == pytest.approx([AREA / 2, 0, AREA], abs=1e-3)
    # Its centre is at x = 21, y = 14.
    mass = 1 - image[2]
    middle = torch.arange(28) + 0.5
    assert (mass.sum(0) @ middle / AREA).item() == pytest.approx(21, abs=1e-3)
    assert (mass.sum(1) @ middle / AREA).item() == pytest.approx(14, abs=1e-3)


@pytest.mark.parametrize("shape", range(4))
def test_every_shape_has_the_same_area_and_fits_wherever_it_is_moved(shape):
    for place, sign in ((0, -1), (8, 1)):
        image = one(shape * 72 + place, sign * JITTER, sign * JITTER)  # hue 0, red: green is dark
        assert (1 - image[0, 1]).sum().item() == pytest.approx(AREA, abs=1e-3)


def test_draws_are_uniform_over_modes_and_offsets():
    drawn = FAMILY.draw(28_800, Rng(1))
    counts = drawn.modes.bincount(minlength=MODES)
    assert (counts - 100).abs().max() < 50  # 5 standard deviations
    assert -JITTER <= drawn.offsets.min() < -0.74
    assert 0.74 < drawn.offsets.max() < JITTER


def test_members_are_found_and_at_no_distance_in_8_bits_too():
    drawn = FAMILY.draw(200, Rng(2))
    images = FAMILY.images(drawn)
    for form in (images, images.mul(255).round() / 255):
        found = assign(form)
        assert torch.equal(found.mode, drawn.modes)
        assert found.squared.max() < 1e-3


def test_known_distances():
    # One white pixel, where no shape of this mode can be, 0.5 darker in red: 0.25. All pixels 0.01
    # darker in red, of a blue shape (red is 0 in it): 0.01^2 in each of the 784 pixels at the same
    # mask; no other mask does better by more than a little.
    pixel = one(0)
    pixel[0, 0, 27, 27] -= 0.5
    assert assign(pixel).squared.item() == pytest.approx(0.25, abs=1e-5)
    hazy = one(95) - torch.tensor([0.01, 0.0, 0.0])[:, None, None]
    assert assign(hazy).squared.item() == pytest.approx(784 * 1e-4, rel=0.02)


def test_the_distance_is_no_worse_than_a_dense_grid_of_members():
    """Shapes moved beyond their bounds, and blurred ones: the nearest member of 31 x 31."""
    moved = torch.cat([one(95, 1.2, 0.4), one(10, -0.3, -1.1), one(200, 0.1, 0.2)])
    blurred = torch.nn.functional.avg_pool2d(one(150, 0.31, -0.4), 3, 1, 1)
    images = torch.cat([moved, blurred])
    found = assign(images)
    assert found.mode.tolist() == [95, 10, 200, 150]
    lines = torch.linspace(-JITTER, JITTER, 31)
    offsets = torch.cartesian_prod(lines, lines)
    for row, image in enumerate(images):
        bank = FAMILY.images(Drawn(found.mode[row].expand(len(offsets)), offsets))
        best = (bank - image).square().sum((1, 2, 3)).min().item()
        assert best - 0.02 <= found.squared[row].item() <= best + 1e-4, row


def test_no_image_is_near_two_modes():
    # Any two members of different modes are at least 8.1 apart (in squares), more than four times
    # the 2 within which an image counts as a member's: by the triangle inequality none is near two.
    lines = torch.linspace(-JITTER, JITTER, 7)
    offsets = torch.cartesian_prod(lines, lines)
    place = torch.full((len(offsets),), 4)
    masks = [
        colours.coverage(colours._vertices(shape, place, offsets), 28).flatten(1)
        for shape in range(4)
    ]
    k = absorbed()
    least = min(
        float(
            (
                (k[h] @ k[h]) * masks[a].square().sum(1)[:, None]
                + (k[g] @ k[g]) * masks[b].square().sum(1)
                - 2 * (k[h] @ k[g]) * (masks[a] @ masks[b].T)
            ).min()
        )
        for a in range(4)
        for b in range(4)
        for h in range(8)
        for g in range(8)
        if (a, h) < (b, g)
    )
    assert 8.1 < least < 8.3
    # At neighbouring places, 7 pixels apart, shapes of 50 square pixels share less than half.
    beside = (one(0) - one(1)).square().sum()
    assert beside > 4 * 2
