"""k-means: by hand, against scikit-learn, and what it promises."""

import pytest
import sklearn.cluster
import torch

from coequal.metrics import _kmeans
from coequal.metrics._kmeans import kmeans, tightest
from coequal.rng import Rng


def test_clusters_by_hand_and_against_scikit_learn():
    labels = kmeans(torch.tensor([[0.0], [10.0], [1.0], [11.0]]), 2, Rng(0), 1)[0].labels
    assert labels[0] == labels[2] != labels[1] == labels[3]
    # 40 points near each of the corners 100 e_i of a simplex, and clusters that overlap.
    points = 100 * torch.eye(5).repeat_interleave(40, 0) + 20 * Rng(5).normal(200, 5)
    found = min(inertia(points, run.labels) for run in kmeans(points, 5, Rng(0), 10))
    best = sklearn.cluster.KMeans(5, n_init=10, random_state=0).fit(points.numpy()).inertia_
    assert found == pytest.approx(float(best), rel=0.02)


def test_every_point_ends_nearest_to_the_mean_of_its_own_cluster():
    points = Rng(6).normal(300, 3).double()
    ((labels, centres),) = kmeans(points, 6, Rng(7), 1)
    means = torch.stack([points[labels == label].mean(0) for label in range(6)])
    assert torch.allclose(centres, means, rtol=0, atol=1e-12)
    assert torch.equal(torch.cdist(points, means).argmin(1), labels)


def inertia(points: torch.Tensor, labels: torch.Tensor) -> float:
    groups = [points[labels == label] for label in labels.unique()]
    return sum(float((group - group.mean(0)).square().sum()) for group in groups)


def test_the_tightest_of_ten_is_found_on_some_of_the_points_too():
    points = 3 * torch.eye(8).repeat_interleave(60, 0) + 0.5 * Rng(1).normal(480, 8)
    single = [inertia(points, run.labels) for run in kmeans(points, 8, Rng(0), 10)]
    for searched in (None, 200):
        found = tightest(points, 8, Rng(2), searched=searched)
        assert inertia(points, found.labels) == pytest.approx(min(single), rel=1e-6)
    assert max(single) > 1.2 * min(single)  # a single start may end in a poor one


@pytest.mark.parametrize(("count", "size"), [(60, 3), (400, 40), (900, 300)])
def test_runs_together_are_runs_alone(count, size, monkeypatch):
    points = Rng(count).normal(count, size).relu()
    together = kmeans(points, 7, Rng(1), 4)
    one_stream = Rng(1)
    for run in together:
        (alone,) = kmeans(points, 7, one_stream, 1)
        assert torch.equal(run.labels, alone.labels)
        torch.testing.assert_close(run.centres, alone.centres)
    monkeypatch.setattr(_kmeans, "MEMBERS", 1)  # run by run, and differences row by row
    monkeypatch.setattr(_kmeans, "FLOATS", 1)
    for run, other in zip(together, kmeans(points, 7, Rng(1), 4), strict=True):
        assert torch.equal(run.labels, other.labels)
