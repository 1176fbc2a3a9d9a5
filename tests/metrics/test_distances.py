"""Nearest neighbours and balls: against differences of all pairs in float64, whatever the tiles."""

from dataclasses import replace

import pytest
import torch

from coequal.contract import ImageSet
from coequal.metrics import _distances, _tiles
from coequal.metrics._distances import across, nearest, nearest_of, within
from coequal.metrics.neighbours import Neighbours
from coequal.rng import Rng


def distances(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    return (first.double()[:, None] - second.double()[None]).square().sum(2).sqrt()


def own_distances(points: torch.Tensor) -> torch.Tensor:
    return distances(points, points).fill_diagonal_(float("inf"))


def clusters(jitter: float) -> torch.Tensor:
    """Five far clusters of 30 points: float32 products can't order the points of a cluster."""
    return 10 * Rng(1).normal(5, 40).repeat_interleave(30, 0) + jitter * Rng(2).normal(150, 40)


@pytest.mark.parametrize("tile", [32, 64, 512])
@pytest.mark.parametrize(
    "points",
    [Rng(0).normal(131, 7), Rng(0).normal(600, 3), clusters(1.0), clusters(1e-2), clusters(1e-5)],
    ids=["normal", "many groups", "wide clusters", "clusters", "narrow clusters"],
)
def test_the_nearest_within_a_set(points, tile):
    found = within(points, 5, tile)
    wanted = own_distances(points).sort(1)
    torch.testing.assert_close(found.distances, wanted.values[:, :5], rtol=1e-12, atol=0)
    assert torch.equal(found.indices, wanted.indices[:, :5])


@pytest.mark.parametrize("tile", [32, 64, 512])
def test_the_nearest_across(tile):
    rows, columns = Rng(0).normal(77, 9), Rng(1).normal(1000, 9)
    found = across(rows, columns, row_k=3, column_k=2, tile=tile)
    between = distances(rows, columns)
    for side, matrix, k in ((found.of_rows, between, 3), (found.of_columns, between.T, 2)):
        wanted = matrix.sort(1)
        torch.testing.assert_close(side.distances, wanted.values[:, :k], rtol=1e-12, atol=0)
        assert torch.equal(side.indices, wanted.indices[:, :k])


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_balls(scale):
    # Radii that are distances between the sets: every ball has a point exactly on its edge.
    rows, columns = scale * Rng(0).normal(150, 8) + 5, scale * Rng(1).normal(90, 8) + 5
    between = distances(rows, columns)
    row_radii = torch.stack([between[:, 0], between[:, 1], 0 * between[:, 2]])
    column_radii = between[:1]
    found = across(rows, columns, row_radii=row_radii, column_radii=column_radii, tile=64)
    inside = between[None] <= row_radii[:, :, None] * (1 + 1e-12)
    assert torch.equal(found.balls_over_columns, inside.sum(1))
    inside = between.T[None] <= column_radii[:, :, None] * (1 + 1e-12)
    assert torch.equal(found.balls_over_rows, inside.sum(1))
    assert found.balls_over_columns[0].sum() >= 150  # the edge is inside
    assert found.balls_over_columns[2].sum() == 0


def test_a_ball_of_radius_zero_holds_copies_only():
    points = 10 * Rng(0).normal(50, 30)
    found = across(points, torch.cat([points, points + 1e-4]), row_radii=torch.zeros(1, 50))
    assert found.balls_over_columns.tolist() == [[1] * 50 + [0] * 50]


def test_nothing_depends_on_the_tiles():
    real, fake = clusters(1e-3), torch.cat([clusters(1e-3)[::2], Rng(5).normal(200, 40)])
    radii = within(real, 3).distances.T
    found = [
        across(real, fake, row_k=4, column_k=4, row_radii=radii, tile=tile) for tile in (32, 96)
    ]
    for first, second in zip(*found, strict=True):
        pairs = zip(first, second, strict=True) if isinstance(first, tuple) else [(first, second)]
        assert all(torch.equal(a, b) for a, b in pairs)


def test_copies_are_found_at_distance_zero():
    # The float32 product of a point with itself is off by some 1e-7 |x|^2, here 0.05 and more:
    # a distance of 0.2, where the nearest neighbour is at about 1.
    train = 1000 + 20 * Rng(0).normal(300, 2048) / 2048**0.5
    train[17] += 1000
    chosen = torch.tensor([5, 17, 250])
    found = nearest(train[chosen].clone(), train, 2)
    assert found.indices[:, 0].tolist() == chosen.tolist()
    assert found.distances[:, 0].tolist() == [0, 0, 0]
    assert (found.distances[:, 1] > 1).all()


def test_near_copies_are_told_apart():
    # Nine steps of 2^-13 along one axis, around a point of norm 10: squares below float32's error.
    train = torch.zeros(9, 4)
    train[:, 0] = 10 + torch.arange(9) / 2**13
    train = torch.cat([train, -train])
    found = nearest(train[4:5], train, 3)
    assert found.indices.tolist() == [[4, 3, 5]]  # of the two equal ones the lower index first
    assert found.distances.tolist() == [[0, 2**-13, 2**-13]]


def test_more_copies_than_candidates():
    points = Rng(0).normal(4, 30).repeat(25, 1)
    assert within(points, 5).distances.eq(0).all()


def test_equal_and_missing_points():
    points = torch.full((40, 6), 0.1)
    assert within(points, 3).distances.eq(0).all()
    crossing = across(points, points, row_radii=torch.zeros(1, 40))
    assert crossing.balls_over_columns.tolist() == [[40] * 40]
    lonely = within(points[:2], 3)
    assert lonely.indices.tolist() == [[1, -1, -1], [0, -1, -1]]
    assert lonely.distances.tolist() == [[0, float("inf"), float("inf")]] * 2


@pytest.mark.parametrize("scale", [1e-20, 1e-3, 1e18])
def test_scale_does_not_matter(scale):
    # 1e18 squared is beyond float32, 1e-20 squared below it: such tiles are float64.
    points = Rng(0).normal(60, 5)
    found = within(scale * points, 2)
    assert torch.equal(found.indices, within(points, 2).indices)
    torch.testing.assert_close(
        found.distances / scale, within(points, 2).distances, rtol=1e-5, atol=0
    )


def test_the_bound_on_rounding_holds_with_room():
    # If a matrix product were to round more coarsely (TF32, bfloat16), this would show it.
    points = Rng(0).normal(200, 300).relu() + 3
    data = _tiles.augmented(points, _tiles.centre_of(points), torch.float32)
    count = len(points)
    buffer = data.new_empty(len(data) ** 2)
    found = _tiles.squared(data, data, buffer)[:count, :count].double()
    norms = data[:count, -1].double()
    errors = (found - distances(points, points).square()).abs()
    bound = _tiles.relative_error(data.shape[1], data.dtype) * (norms[:, None] + norms[None])
    assert 0 < (errors / bound).max() < 0.3


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_is_refused(bad):
    points = Rng(0).normal(10, 3)
    points[4, 1] = bad
    with pytest.raises(ValueError, match="finite"):
        within(points, 1)
    with pytest.raises(ValueError, match="at least one image"):
        nearest(points[:3], points[:0], 1)


def results(rows: torch.Tensor, columns: torch.Tensor) -> list[torch.Tensor]:
    edges = distances(rows, columns)
    crossing = across(
        rows, columns, row_k=4, column_k=3, row_radii=edges.T[:1], column_radii=edges[:1], tile=32
    )
    return [*within(columns, 4, 32), *crossing.of_rows, *crossing.of_columns, *crossing[2:]]


@pytest.mark.parametrize("panel", [64, 128])
def test_nothing_depends_on_the_panels(monkeypatch, panel):
    rows, columns = clusters(1e-3), torch.cat([clusters(1e-3)[::2], Rng(5).normal(200, 40)])
    wanted = results(rows, columns)
    monkeypatch.setattr(_tiles, "PANEL", panel)
    found = results(rows, columns)
    assert all(torch.equal(a, b) for a, b in zip(wanted, found, strict=True))


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of pairs in each tile from now on."""
    pairs: list[int] = []

    def counting(left: torch.Tensor, right: torch.Tensor, buffer: torch.Tensor) -> torch.Tensor:
        pairs.append(len(left) * len(right))
        return _tiles.squared(left, right, buffer)

    monkeypatch.setattr(_distances, "squared", counting)
    return pairs


def test_each_pair_within_a_set_is_computed_once(monkeypatch):
    # 320 points in 10 tiles of 32 and panels of 64: 10 * 11 / 2 tiles in the upper triangle.
    monkeypatch.setattr(_tiles, "PANEL", 64)
    pairs = counted(monkeypatch)
    within(Rng(0).normal(320, 5), 3, 32)
    assert sum(pairs) == 55 * 32 * 32


def test_an_image_set_remembers_its_neighbours(monkeypatch):
    real, others = Rng(0).normal(96, 5), Rng(1).normal(64, 5)
    wanted = nearest(others, real, 4)
    pairs = counted(monkeypatch)
    images = ImageSet(others)
    first = nearest_of(images, real, 4)
    for found in (first, nearest_of(images, real, 4), nearest_of(replace(images), real, 4)):
        assert torch.equal(found.indices, wanted.indices)
        assert torch.equal(found.distances, wanted.distances)
    few = nearest_of(images, real, 2, torch.arange(10))
    assert torch.equal(few.indices, wanted.indices[:10, :2])
    assert torch.equal(few.distances, wanted.distances[:10, :2])
    some = torch.tensor([5, 0, 63])
    assert torch.equal(nearest_of(images, real, 4, some).indices, wanted.indices[some])
    assert sum(pairs) == 96 * 64
    nearest_of(images, real, 5)  # more than is known
    assert sum(pairs) == 2 * 96 * 64
    nearest_of(images, real.clone(), 5)  # another set
    nearest_of(ImageSet(others), real, 1)  # a set that knows nothing
    assert sum(pairs) == 4 * 96 * 64
    nearest_of(
        ImageSet(others), real, 1, torch.arange(10)
    )  # ten images are computed as a group of 32
    assert sum(pairs) == 4 * 96 * 64 + 32 * 96


def test_a_pass_finds_what_was_announced(monkeypatch):
    real, others = Rng(0).normal(96, 5), Rng(1).normal(64, 5)
    images = ImageSet(others)
    images.neighbours.announce(real, 4)
    pairs = counted(monkeypatch)
    assert nearest_of(images, real, 1).indices.shape == (64, 1)  # what was asked for, no more
    assert torch.equal(nearest_of(images, real, 4).indices, nearest(others, real, 4).indices)
    assert sum(pairs) == 2 * 96 * 64  # the second is that of `nearest` here
    pairs.clear()
    metric, fake = Neighbours(), ImageSet(others)
    reference = metric.reference(ImageSet(real))
    plain = metric.values(real=reference, fake=fake, rng=Rng(0))
    fake = ImageSet(others)
    fake.neighbours.announce(reference["features"], 5)
    pairs.clear()
    assert metric.values(real=reference, fake=fake, rng=Rng(0)) == plain
    assert torch.equal(
        nearest_of(fake, reference["features"], 5).indices[:, :4],
        nearest_of(images, real, 4).indices,
    )
    assert sum(pairs) == 64 * 64 + 96 * 64
