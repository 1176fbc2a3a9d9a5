"""The closest polygon where the answer is known, and what must hold where it isn't."""

import pytest
import torch
from scipy.spatial import ConvexHull

from coequal.manifolds.polygons import projection, search
from coequal.manifolds.polygons.convex import ConvexPolygons
from coequal.manifolds.polygons.family import PolygonFamily
from coequal.manifolds.polygons.projection import DELTA, closest_convex, project
from coequal.manifolds.polygons.renderer import area
from coequal.manifolds.polygons.starts import bank
from coequal.rng import Rng

TRIANGLES = PolygonFamily(3)


def members(count, seed, family=TRIANGLES):
    return family.images(family.draw(count, Rng(seed)))


def squared(images, vertices, family=TRIANGLES):
    return (family.images(vertices) - images).square().sum((1, 2, 3))


@pytest.mark.parametrize("manifold", ["convex", "family"])
@pytest.mark.parametrize(("k", "mode"), [(3, "clean"), (3, "paper"), (4, "clean"), (6, "paper")])
def test_members_are_found(k, mode, manifold):
    family = PolygonFamily(k, mode=mode)
    vertices = family.draw(200, Rng(1))
    found = project(family.images(vertices), family, manifold)
    assert float((found.squared < 1e-6).double().mean()) >= 0.999  # all of 200
    assert found.certain.all()
    # The polygon is that one: a vertex off by t moves two edges of 5 pixels and more by up to t,
    # which is a squared distance of 5 t^2 / 3 and more: below 1e-6, t is some 1e-3.
    apart = torch.cdist(found.vertices, vertices).amin(2)
    assert float(apart.max()) < 0.01


def test_noise_where_no_edge_is_is_the_whole_distance():
    # Where the coverage is 0 or 1 a small move of an edge changes nothing: such noise is orthogonal
    # to the manifold, and its square, 0.3, is the distance.
    images = members(40, 2)
    noise = Rng(3).uniform(*images.shape)
    noise[(images > 0) & (images < 1)] = 0
    noise *= (0.3 / noise.square().sum((1, 2, 3), keepdim=True)).sqrt()
    moved = torch.where(images == 0, images + noise, images - noise)
    found = project(moved, TRIANGLES)
    torch.testing.assert_close(found.squared, torch.full((40,), 0.3), atol=2e-3, rtol=0)
    assert found.certain.all()


@pytest.mark.parametrize("ink", [0.99, 0.95, 0.9])
def test_paler_ink_is_at_most_its_own_polygon_away(ink):
    # From a c to c: (1 - a)^2 |c|^2, of mean 0.01, 0.25 and 1.01. A smaller polygon is nearer: one
    # whose edges are in by t loses 1 - a on t of each pixel and so gains, of perimeter over area,
    # some tenth or two.
    images = members(40, 4)
    own = (1 - ink) ** 2 * (1 - images).square().sum((1, 2, 3))
    found = project(1 - ink * (1 - images), TRIANGLES).squared
    assert (found <= own * (1 + 1e-4)).all()
    assert (found > 0.6 * own).all()


def test_uniform_noise_is_far():
    # E |x|^2 = 784 / 3 = 261 against no polygon; one of area A gains A (2 mean - 1), which is above
    # 0 only where pixels happen to be dark.
    found = project(Rng(5).uniform(64, 1, 28, 28), TRIANGLES)
    assert 220 < float(found.squared.mean()) < 245
    assert float(found.squared.min()) > DELTA


@pytest.mark.parametrize("manifold", ["convex", "family"])
def test_blank_and_black_do_not_count(manifold):
    images = torch.stack([torch.ones(1, 28, 28), torch.zeros(1, 28, 28)])
    blank, black = project(images, TRIANGLES, manifold).squared.tolist()
    # The thinnest sliver of the least area, 31 square pixels, is 40 long and 1.6 wide at one end:
    # its ink is spread thin, but its mean, weighed by ink, stays above a half.
    assert blank > 15
    # No triangle within the square covers more than its half: 784 / 2 are left, less a quarter for
    # each of the pixels that the other two edges cut in half, some 60.
    assert black > 370


def test_an_image_that_is_not_finite_has_no_distance_and_harms_no_other(mush):
    images = torch.cat([members(2, 6), mush(2)])
    broken = images.clone()
    broken[1, 0, 3, 3] = torch.nan
    before, after = project(images, TRIANGLES), project(broken, TRIANGLES)
    assert after.squared.isnan().tolist() == [False, True, False, False]
    assert after.vertices[1].isnan().all()
    assert not after.certain[1]
    others = [0, 2, 3]
    close = {"atol": 1e-5, "rtol": 1e-4}
    torch.testing.assert_close(after.squared[others], before.squared[others], **close)


@pytest.mark.parametrize("manifold", ["convex", "family"])
def test_the_answer_does_not_depend_on_what_else_is_asked(mush, manifold):
    images = torch.cat([mush(4), Rng(7).uniform(2, 1, 28, 28)])
    together = project(images, TRIANGLES, manifold)
    alone = [project(image[None], TRIANGLES, manifold) for image in images]
    # Matrix products round otherwise in another batch, and a search ends at a gain of 3e-5.
    expected = torch.cat([part.squared for part in alone])
    torch.testing.assert_close(together.squared, expected, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("manifold", ["convex", "family"])
@pytest.mark.parametrize("k", [3, 4])
def test_it_is_never_worse_than_its_bank(mush, k, manifold):
    family = PolygonFamily(k)
    images = torch.cat([mush(12, k=k), Rng(8).uniform(4, 1, 28, 28)])
    near = bank(family).nearest(1 - images[:, 0], 1)[:, 0]
    banked = squared(images, bank(family).vertices[near], family)
    found = project(images, family, manifold)
    assert (found.squared <= banked + 1e-3).all()
    torch.testing.assert_close(
        found.squared, squared(images, found.vertices, family), atol=1e-3, rtol=1e-5
    )


def test_another_bank_has_nothing_better():
    # An image and itself a pixel to the right, half and half: near the manifold, but not on it.
    images = members(32, 12)
    images = (images + images.roll(1, 3)) / 2
    others = bank(TRIANGLES, 20_000, seed=1)
    banked = squared(images, others.vertices[others.nearest(1 - images[:, 0], 1)[:, 0]])
    for manifold in ("convex", "family"):
        found = project(images, TRIANGLES, manifold).squared
        assert (found <= banked + 1e-3).all()


@pytest.mark.parametrize("mode", ["clean", "paper"])
def test_the_family_is_a_part_of_the_convex_polygons(mush, mode):
    family = PolygonFamily(3, mode=mode)
    images = torch.cat([mush(32), members(16, 9)])
    convex, inscribed = (project(images, family, name).squared for name in ("convex", "family"))
    assert (convex <= inscribed * (1 + 1e-3) + 1e-6).all()
    assert float((inscribed - convex).max()) > 0.1


def test_one_vertex_more_never_increases_the_distance(mush):
    # By the same rules: the least area of triangles for all. What a family's own least area forbids
    # a polygon of fewer vertices is another question.
    ink = 1 - mush(16)[:, 0]
    rules = ConvexPolygons(TRIANGLES.bounds, TRIANGLES.least_area)
    found = torch.stack(
        [closest_convex(ink, PolygonFamily(k), rules, DELTA).least for k in (3, 4, 5)]
    )
    assert (found[1:] <= found[:-1] + 1e-6).all()
    assert float((found[0] - found[1]).mean()) > 0.1  # and it helps


@pytest.mark.parametrize("k", range(3, 9))
def test_every_polygon_is_convex_large_enough_and_within_the_image(mush, k):
    family = PolygonFamily(k)
    blank = torch.ones(1, 1, 28, 28)
    images = torch.cat([mush(3, k=k), mush(1), Rng(10).uniform(2, 1, 28, 28), blank, 0 * blank])
    found = project(images, family).vertices
    low, high = family.bounds
    assert found.shape == (8, k, 2)
    assert float(found.min()) >= low
    assert float(found.max()) <= high
    own = area(found.double())
    assert (own >= family.least_area * (1 - 2e-5)).all()
    # A vertex inside its neighbours' line by at most 1e-4, along at most 40 pixels, cuts at most
    # 0.002 from the hull; two rounds would be twice the hull's area.
    hulls = torch.tensor([ConvexHull(polygon.double().numpy()).volume for polygon in found])
    torch.testing.assert_close(own, hulls.double(), atol=k * 2e-3, rtol=0)


@pytest.mark.parametrize(("mode", "gap", "centre"), [("clean", 20, 14.0), ("paper", 10, 14.5)])
def test_the_family_s_answers_are_members(mush, mode, gap, centre):
    family = PolygonFamily(3, mode=mode)
    # A gap of 5 degrees, which no member has: the closest one keeps just the least gap.
    narrow = family.images(family.at(torch.deg2rad(torch.tensor([[70.0, 75.0, 250.0]]))))
    found = project(torch.cat([mush(31), narrow]), family, "family").vertices.double()
    torch.testing.assert_close(
        found.mean(1), torch.full((32, 2), centre).double(), atol=1e-3, rtol=0
    )
    sides = (found.roll(-1, 1) - found).norm(dim=2)
    # abc / (4 area) is the circumradius; sin(gap / 2) = side / (2 R).
    radius = sides.prod(1) / (4 * area(found))
    torch.testing.assert_close(radius, torch.full((32,), 10.5).double(), atol=1e-2, rtol=0)
    least = torch.rad2deg(2 * torch.asin((sides / 21).clamp(max=1))).amin()
    assert float(least) == pytest.approx(gap, abs=0.1)


def test_images_near_delta_whose_searches_disagree_get_more_starts_and_stay_uncertain(monkeypatch):
    # An image and itself a pixel to the right, as above; no two searches ever agree now.
    images = members(32, 12)
    images = (images + images.roll(1, 3)) / 2
    before = project(images, TRIANGLES)
    monkeypatch.setattr(search, "AGREEMENT_TOLERANCE", -1.0)
    found = project(images, TRIANGLES)
    between = (found.squared > DELTA) & (found.squared <= 5 * DELTA)
    assert between.any()
    assert found.certain.tolist() == (~between).tolist()
    assert before.certain[between].any()
    assert (found.squared <= before.squared * (1 + 1e-5)).all()
    # A larger delta: a polygon within it was found for more images, and that is a proof.
    assert int(project(images, TRIANGLES, delta=3.0).certain.sum()) > int(found.certain.sum())
    # The further starts were asked for.
    monkeypatch.setattr(projection, "anywhere", None)
    with pytest.raises(TypeError):
        project(images, TRIANGLES)


def test_other_sizes_and_none_at_all():
    family = PolygonFamily(3, size=40)
    assert float(project(members(20, 11, family), family).squared.max()) < 1e-6
    empty = project(torch.zeros(0, 1, 28, 28), TRIANGLES)
    assert empty.vertices.shape == (0, 3, 2)
    assert empty.squared.shape == empty.certain.shape == (0,)


@pytest.mark.parametrize(
    ("images", "options", "said"),
    [
        (torch.zeros(2, 1, 32, 32), {}, r"grey images \(n, 1, 28, 28\) of the family, got"),
        (torch.zeros(2, 3, 28, 28), {}, r"got \(2, 3, 28, 28\)"),
        (torch.zeros(2, 1, 28, 28).byte(), {}, r"floats in \[0, 1\]"),
        (torch.full((2, 1, 28, 28), 1.1), {}, r"floats in \[0, 1\]"),
        (torch.zeros(2, 1, 28, 28), {"delta": 0}, "delta must be above 0, got 0"),
        (torch.zeros(2, 1, 28, 28), {"manifold": "concave"}, "convex or family, not 'concave'"),
    ],
)
def test_wrong_input_is_refused(images, options, said):
    with pytest.raises(ValueError, match=said):
        project(images, TRIANGLES, **options)
