"""MS-SSIM of pairs: closed forms, a slow direct implementation, and how pairs are drawn."""

import numpy as np
import pytest
import torch

from coequal.contract import ImageSet, MetricValue
from coequal.metrics import ms_ssim
from coequal.metrics._pairs import draw_pairs
from coequal.metrics.ms_ssim import PairSimilarity, scales, similarity
from coequal.rng import Rng


def score(images: torch.Tensor, pairs: int = 1000, seed: int = 0) -> MetricValue:
    metric = PairSimilarity(pairs=pairs)
    found = ImageSet(torch.zeros(len(images), 2), images=images)
    return metric.values(real=metric.reference(found), fake=found, rng=Rng(seed))["ms_ssim"]


def noise(count: int, channels: int, height: int, width: int, seed: int = 0) -> torch.Tensor:
    return (255 * Rng(seed).uniform(count, channels, height, width)).to(torch.uint8)


def flat(value: int, side: int) -> torch.Tensor:
    return torch.full((1, 1, side, side), value, dtype=torch.uint8)


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 33, 50), (1, 1, 1), (3, 176, 176)])
def test_equal_images_have_similarity_one(shape):
    images = noise(2, *shape)
    assert similarity(images, images).tolist() == pytest.approx([1, 1], abs=1e-14)


def test_flat_images_by_hand():
    # No variance: contrast and structure are C2 / C2 = 1 at every scale, and the last one has the
    # luminance (2 * 100 * 200 + 6.5025) / (100^2 + 200^2 + 6.5025), to the power of its weight.
    luminance = 40006.5025 / 50006.5025
    powers = {8: 1.0, 21: 1.0, 28: 0.2856 / 0.3304, 44: 0.3001 / 0.6305, 176: 0.1333}
    for side, power in powers.items():
        found = similarity(flat(100, side), flat(200, side))
        assert float(found) == pytest.approx(luminance**power, rel=1e-12)


def test_a_negative_has_no_similarity():
    # Covariance = -variance, contrast (C2 - 2 v) / (C2 + 2 v) below 0 counts as 0.
    images = noise(3, 1, 28, 28)
    assert similarity(images, 255 - images).tolist() == [0, 0, 0]


def test_number_of_scales():
    sides = [1, 8, 11, 21, 22, 28, 32, 43, 44, 64, 128, 175, 176, 1024]
    assert [scales(side) for side in sides] == [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 4, 5, 5]


@pytest.mark.parametrize(
    ("shape", "count"), [((3, 28, 28), 2), ((1, 8, 8), 1), ((1, 7, 30), 1), ((1, 45, 47), 3)]
)
def test_against_a_direct_implementation(shape, count):
    # Blurred, so that no scale has a negative mean contrast; one image is the other and noise.
    rough = torch.nn.functional.avg_pool2d(noise(1, *shape).float(), 3, 1, 1)
    first = (rough * 0.7 + 40).to(torch.uint8)
    second = (rough * 0.6 + 0.3 * noise(1, *shape, seed=1)).to(torch.uint8)
    expected = np.mean([direct(a, b, count) for a, b in zip(first[0], second[0], strict=True)])
    assert 0.05 < expected < 0.95
    assert float(similarity(first, second)) == pytest.approx(expected, rel=1e-10)


def direct(x: torch.Tensor, y: torch.Tensor, count: int) -> float:
    """MS-SSIM of one channel, window by window."""
    weights = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])[:count]
    a, b = x.double().numpy(), y.double().numpy()
    result = 1.0
    for scale, weight in enumerate(weights / weights.sum()):
        if scale:
            a, b = halved(a), halved(b)
        full, structure = window_means(a, b)
        result *= (full if scale == count - 1 else structure) ** weight
    return result


def halved(a: np.ndarray) -> np.ndarray:
    h, w = a.shape[0] // 2, a.shape[1] // 2
    return np.array(
        [[a[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].mean() for j in range(w)] for i in range(h)]
    )


def window_means(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    size = min(11, *a.shape)
    middle, sigma = (size - 1) / 2, 1.5 * size / 11
    i, j = np.mgrid[:size, :size]
    weight = np.exp(-((i - middle) ** 2 + (j - middle) ** 2) / (2 * sigma**2))
    weight /= weight.sum()
    full, structure = [], []
    for top in range(a.shape[0] - size + 1):
        for left in range(a.shape[1] - size + 1):
            p, q = (m[top : top + size, left : left + size] for m in (a, b))
            mp, mq = (weight * p).sum(), (weight * q).sum()
            vp, vq = (weight * (p - mp) ** 2).sum(), (weight * (q - mq) ** 2).sum()
            both = (weight * (p - mp) * (q - mq)).sum()
            cs = (2 * both + 7.65**2) / (vp + vq + 7.65**2)
            structure.append(cs)
            full.append(cs * (2 * mp * mq + 2.55**2) / (mp**2 + mq**2 + 2.55**2))
    return float(np.mean(full)), float(np.mean(structure))


def test_channels_are_averaged():
    first, second = noise(2, 3, 20, 20), noise(2, 3, 20, 20, seed=1) // 2
    single = [similarity(first[:, [c]], second[:, [c]]) for c in range(3)]
    torch.testing.assert_close(similarity(first, second), torch.stack(single).mean(0))


def test_pairs_are_disjoint_while_images_suffice():
    first, second = draw_pairs(11, 5, Rng(0))
    assert len({*first.tolist(), *second.tolist()}) == 10
    first, second = draw_pairs(5, 7, Rng(0))  # 2 pairs a round
    assert len(first) == len(second) == 7
    assert (first != second).all()


def test_standard_error_only_of_disjoint_pairs():
    images = noise(40, 1, 12, 12)
    found = score(images, pairs=20)
    assert found.standard_error is not None
    assert score(images, pairs=21).standard_error is None
    # New images of the same kind: the mean of 20 independent pairs moves by its standard error.
    values = [score(noise(40, 1, 12, 12, seed), pairs=20).value for seed in range(60)]
    assert found.standard_error == pytest.approx(float(np.std(values, ddof=1)), rel=0.5)


def test_one_image_for_all_scores_one_and_variety_less():
    images = noise(30, 3, 24, 24)
    assert score(images[:1].repeat(30, 1, 1, 1)).value == pytest.approx(1, abs=1e-12)
    assert score(torch.cat([images[:5]] * 6)).value > score(images).value


def test_order_and_chunks_change_nothing_and_pairs_and_the_stream_do(monkeypatch):
    images = noise(60, 1, 16, 16)
    found = score(images, pairs=100)
    assert score(images, pairs=100) == found
    assert score(images[Rng(1).permutation(60)], pairs=100) == found
    assert score(images, pairs=100, seed=1) != found
    assert score(images, pairs=99) != found
    monkeypatch.setattr(ms_ssim, "PAIRS_PER_BATCH", 7)
    assert score(images, pairs=100).value == pytest.approx(found.value, rel=1e-12)


def test_what_is_refused():
    with pytest.raises(ValueError, match="got 1"):
        score(noise(1, 1, 8, 8))
    with pytest.raises(ValueError, match="pairs must be a whole number of at least 1, got 0"):
        PairSimilarity(pairs=0)
