"""The parts of a search: steps within limits, repairs, starts, and what agreement is."""

import pytest
import torch
from scipy.optimize import minimize

from coequal.manifolds.polygons.convex import ConvexPolygons, is_convex
from coequal.manifolds.polygons.descent import descend
from coequal.manifolds.polygons.family import PolygonFamily
from coequal.manifolds.polygons.limits import Limits, best_step
from coequal.manifolds.polygons.renderer import area, coverage
from coequal.manifolds.polygons.search import Best
from coequal.manifolds.polygons.starts import anywhere, bank, by_moments, split_edges
from coequal.rng import Rng

RULES = ConvexPolygons((0.0, 28.0), 10.0)
DENTED = torch.tensor([[[4.0, 4.0], [20.0, 4.0], [20.0, 20.0], [14.0, 10.0], [4.0, 20.0]]])


def test_the_best_step_is_that_of_a_general_solver():
    rng = Rng(1)
    root, gradient, x = rng.normal(20, 4, 4), 3 * rng.normal(20, 4), rng.uniform(20, 4)
    normal = root @ root.mT + torch.eye(4)
    slopes, values = rng.normal(20, 3, 4), rng.uniform(20, 3)
    low, high = torch.full((4,), -0.2), torch.full((4,), 1.1)
    found = best_step(normal, gradient, x, Limits(values, slopes, low, high)).double()

    def cost(step, i):
        n, g = normal[i].double(), gradient[i].double()
        return float(g @ step + step @ n @ step / 2)

    met = 0
    for i in range(20):
        bounds = list(zip((low - x[i]).tolist(), (high - x[i]).tolist(), strict=True))
        limits = {"type": "ineq", "fun": lambda s, i=i: values[i].numpy() + slopes[i].numpy() @ s}
        theirs = minimize(
            lambda s, i=i: cost(torch.tensor(s), i), [0.0] * 4, bounds=bounds, constraints=limits
        )
        # A fixed number of sweeps: not all the way where limits are nearly parallel.
        assert cost(found[i], i) == pytest.approx(theirs.fun, abs=2e-2)
        kept = values[i].double() + slopes[i].double() @ found[i]
        assert float(kept.min()) > -2e-2
        met += int(float(kept.min()) < 2e-2)
    assert met >= 5  # limits that mattered


def test_a_dent_is_put_on_its_neighbours_line():
    assert not is_convex(DENTED)
    found, valid = RULES.allowed(DENTED.flatten(1))
    assert valid
    expected = DENTED.clone()
    expected[0, 3] = torch.tensor([14.0, 20.0])  # from (14, 10) straight down to y = 20
    torch.testing.assert_close(found.view(1, 5, 2), expected)


def test_what_is_allowed_stays_as_it_is():
    polygons = PolygonFamily(6).draw(50, Rng(2))
    found, valid = RULES.allowed(polygons.flatten(1))
    assert valid.all()
    assert torch.equal(found, polygons.flatten(1))


def test_a_small_polygon_is_stretched_to_the_least_area_within_the_image():
    small = torch.tensor([[[26.0, 0.0], [27.0, 0.0], [27.0, 1.0]]])  # area 1/2, in a corner
    found, valid = RULES.allowed(small.flatten(1))
    assert valid
    assert float(area(found.view(1, 3, 2))) == pytest.approx(10, rel=1e-3)
    assert float(found.max()) <= 28
    assert float(found.min()) >= 0


def test_what_goes_around_twice_is_not_convex():
    triangle = torch.tensor([[[5.0, 5.0], [20.0, 5.0], [12.0, 20.0]]])
    assert not is_convex(torch.cat([triangle, triangle], 1))
    assert is_convex(split_edges(triangle)[0]).all()


def test_a_star_is_not_convex():
    turns = torch.arange(5) * 2 * 2 * torch.pi / 5  # every other corner of a pentagon
    assert not is_convex(14 + 8 * torch.stack([turns.cos(), turns.sin()], -1)[None])


@pytest.mark.parametrize("k", [4, 6])
def test_limits_are_the_tangents_of_what_is_allowed(k):
    x = PolygonFamily(k).draw(1, Rng(3)).double().flatten(1)
    limits, step = RULES.limits(x), 1e-6
    assert limits.values.shape == (1, k + 1)  # a turn at every vertex, and the area
    for i in range(2 * k):
        move = torch.zeros(1, 2 * k, dtype=torch.double)
        move[0, i] = step
        ahead, behind = RULES.limits(x + move).values, RULES.limits(x - move).values
        slope = (ahead - behind)[0] / (2 * step)
        torch.testing.assert_close(slope, limits.slopes[0, :, i], atol=1e-6, rtol=1e-6)


def test_split_edges_leave_the_polygon_as_it_is():
    polygons = PolygonFamily(4).draw(5, Rng(4))
    split = split_edges(polygons)
    assert split.shape == (5, 4, 5, 2)
    for i in range(4):
        torch.testing.assert_close(
            coverage(split[:, i], 28), coverage(polygons, 28), atol=1e-5, rtol=0
        )


def test_the_moments_of_a_triangle_are_the_triangle():
    # Exact but for ink within a pixel, which is not at the pixel's centre: some hundredths.
    vertices = PolygonFamily(3).draw(50, Rng(5))
    found = by_moments(coverage(vertices, 28), 3)
    assert float(torch.cdist(found, vertices).amin(2).max()) < 0.3


def test_a_descent_never_ends_above_its_start():
    family = PolygonFamily(5)
    start, target = family.draw(50, Rng(6)), coverage(family.draw(50, Rng(7)), 28)
    before = (coverage(start, 28) - target).square().sum((1, 2))
    found = descend(start.flatten(1), target, RULES)
    assert (found.squared < before).all()
    few = descend(start.flatten(1), target, RULES, steps=2)
    assert float(few.squared.mean()) > float(found.squared.mean())


def test_banks_are_the_same_at_every_call_and_others_by_seed():
    family = PolygonFamily(3)
    assert bank(family, 100) is bank(family, 100)
    assert not torch.equal(bank(family, 100).vertices, bank(family, 100, seed=1).vertices)
    found = bank(family, 100)
    assert found.nearest(found.ink.view(100, 28, 28), 1)[:, 0].tolist() == list(range(100))
    assert is_convex(anywhere(family, torch.device("cpu")).vertices).all()


def test_agreement_needs_two_searches():
    best, rows = Best(torch.zeros(3, 28, 28), 3), torch.arange(3)
    best.add(torch.tensor([[1.0, 2.0], [1.0, 1.0005], [3.0, 4.0]]), torch.zeros(3, 2, 3, 2), rows)
    assert best.agree.tolist() == [False, True, False]
    # The first again from other starts; the third is known to be better otherwise.
    best.add(torch.tensor([[1.0005]]), torch.ones(1, 1, 3, 2), rows[:1])
    best.at_most(torch.tensor([2.9999]), torch.ones(1, 3, 2), rows[2:])
    assert best.agree.tolist() == [True, True, False]
    assert best.least.tolist() == pytest.approx([1.0, 1.0, 2.9999])
    assert best.vertices[:, 0, 0].tolist() == [0, 0, 1]
