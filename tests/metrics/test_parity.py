"""Side by side with the metric libraries, on the same features.

`make parity` installs those that are maintained; of the others values are stored (see `peers`).
"""

import numpy as np
import pytest
import torch

from coequal import lookup
from coequal.contract import ImageSet, Metric, MetricValue
from coequal.rng import Rng

import peers

REAL, FAKE = peers.features()


def ours(
    name: str, real: np.ndarray = REAL, fake: np.ndarray = FAKE, **settings
) -> dict[str, MetricValue]:  # type: ignore[no-untyped-def]
    metric: Metric = lookup.load("metrics", name)(**settings)
    reference = metric.reference(ImageSet(torch.from_numpy(real)))
    return dict(metric.values(real=reference, fake=ImageSet(torch.from_numpy(fake)), rng=Rng(0)))


def test_fd_is_torch_fidelitys():
    peer = pytest.importorskip("torch_fidelity.metric_fid")
    both = [peer.fid_features_to_statistics(torch.from_numpy(x)) for x in (REAL, FAKE)]
    expected = next(iter(peer.fid_statistics_to_metric(*both, False).values()))
    assert ours("fd")["fd"].value == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", ["pytorch-fid", "clean-fid"])
def test_fd_is_pytorch_fids_and_clean_fids(name):
    assert ours("fd")["fd"].value == pytest.approx(peers.stored()["fd"][name], rel=1e-6)


def test_kid_is_torch_fidelitys_over_all_images():
    # One subset of everything is the whole U-statistic, in any order of the images.
    peer = pytest.importorskip("torch_fidelity.metric_kid")
    expected = peer.kid_features_to_metric(
        torch.from_numpy(REAL[:1000]).double(),
        torch.from_numpy(FAKE).double(),
        kid_subsets=1,
        kid_subset_size=1000,
        verbose=False,
    )["kernel_inception_distance_mean"]
    assert ours("kid", REAL[:1000])["kid"].value == pytest.approx(expected, rel=1e-6)


def test_inception_score_is_torch_fidelitys():
    # Whole: one split, so that the order does not matter.
    peer = pytest.importorskip("torch_fidelity.metric_isc")
    logits = torch.from_numpy(FAKE[:, :10] * 4)
    expected = peer.isc_features_to_metric(logits, splits=1)["inception_score_mean"]
    metric = lookup.load("metrics", "inception_score")()
    images = ImageSet(torch.from_numpy(FAKE), logits.softmax(1))
    found = metric.values(real=metric.reference(images), fake=images, rng=Rng(0))["is_whole"]
    assert found.value == pytest.approx(expected, rel=1e-5)


def test_precision_and_recall_are_torch_fidelitys():
    # Its first argument is the generated set, against its own names and against every other metric.
    peer = pytest.importorskip("torch_fidelity.metric_prc")
    expected = peer.prc_features_to_metric(
        torch.from_numpy(FAKE), torch.from_numpy(REAL), prc_neighborhood=3, prc_batch_size=500
    )
    found = ours("neighbours")
    assert found["precision"].value == pytest.approx(expected["precision"], abs=1e-6)
    assert found["recall"].value == pytest.approx(expected["recall"], abs=1e-6)


def test_density_and_coverage_are_prdcs():
    expected, found = peers.stored()["prdc"], ours("neighbours", density_k=peers.K)
    assert found["density"].value == pytest.approx(expected["density"], rel=1e-9)
    assert found["coverage"].value == pytest.approx(expected["coverage"], rel=1e-9)


def test_emd_is_pots():
    peer = pytest.importorskip("ot")
    cost = peer.dist(REAL[:300].astype(np.float64), FAKE[:300].astype(np.float64), "euclidean")
    expected = peer.emd2([], [], cost)
    assert ours("emd", REAL[:300], FAKE[:300])["emd"].value == pytest.approx(expected, rel=1e-6)
