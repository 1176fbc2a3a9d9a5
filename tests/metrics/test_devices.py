"""Metrics compute where their features lie: with torch on a device, with the CPU's numbers."""

import math

import pytest
import torch

from coequal import lookup
from coequal.contract import ImageSet, Metric, MetricValue
from coequal.contract import metrics as contract_metrics
from coequal.metrics import _arrays
from coequal.rng import Rng
from foreign import ForeignDevice

FEATURES = pytest.mark.parametrize(
    "name", ["fd", "fd_per_class", "kid", "mmd_rbf", "mmd_cosine", "neighbours"]
)
COUNTS = pytest.mark.parametrize(
    ("reals", "fakes", "size"),
    [
        (220, 180, 12),
        (60, 50, 90),
        (90, 120, 300),
    ],  # few features; more than images; float32 in kid
)


def images(count: int, size: int, seed: int) -> ImageSet:
    """Features with a spectrum, labels, class probabilities and images that go with them."""
    rng = Rng(seed)
    mixing = Rng(0).normal(size, size) * torch.arange(1, size + 1)[:, None] ** -0.5
    labels = torch.arange(count) % 2
    return ImageSet((rng.normal(count, size) @ mixing + 0.1 * seed).relu(), labels=labels)


def numbers(name: str, reals: int, fakes: int, size: int) -> dict[str, MetricValue]:
    metric: Metric = lookup.load("metrics", name)()
    reference = metric.reference(images(reals, size, 1))
    return dict(metric.values(real=reference, fake=images(fakes, size, 2), rng=Rng(0)))


def close(found: float | None, wanted: float | None, rel: float) -> bool:
    if found is None or wanted is None:
        return found is wanted
    return math.isclose(found, wanted, rel_tol=rel) or (math.isnan(found) and math.isnan(wanted))


@FEATURES
@COUNTS
def test_torch_gives_what_numpy_gives(name, reals, fakes, size, monkeypatch):
    wanted = numbers(name, reals, fakes, size)
    monkeypatch.setattr(_arrays, "uses_numpy", lambda tensor: False)
    found = numbers(name, reals, fakes, size)
    # Kernels of more than 256 features are products in float32: 1e-7 of each value, and kid is a
    # difference of three means.
    rel = 1e-4 if name in ("kid", "mmd_rbf", "mmd_cosine") and size > 256 else 1e-10
    for key, number in found.items():
        assert close(number.value, wanted[key].value, rel), (key, number, wanted[key])
        assert close(number.standard_error, wanted[key].standard_error, rel), key


@FEATURES
def test_a_device_gives_what_the_cpu_gives(name, monkeypatch):
    metric: Metric = lookup.load("metrics", name)()
    real, fake = images(220, 12, 1), images(180, 12, 2)
    wanted = metric.values(real=metric.reference(real), fake=fake, rng=Rng(0))
    with ForeignDevice() as foreign:
        reference = metric.reference(on(foreign, real))
        moved = {key: tensor.to(foreign.device) for key, tensor in reference.items()}
        found = metric.values(real=moved, fake=on(foreign, fake), rng=Rng(0))
    for key, number in found.items():
        assert close(number.value, wanted[key].value, 1e-10), (key, number, wanted[key])
        assert close(number.standard_error, wanted[key].standard_error, 1e-10), key


def on(foreign: ForeignDevice, images: ImageSet) -> ImageSet:
    """The images on the device."""
    assert images.labels is not None
    return ImageSet(images.features.to(foreign.device), labels=images.labels.to(foreign.device))


def test_what_is_asked_of_all_images_is_answered_on_their_device():
    # Of 4,500 images three pairs are equal: (4494 + 3 * 4) / 4500. One holds infinity.
    features = torch.arange(4500.0)[:, None] + torch.tensor([0.0, 0.25])
    features[[7, 2100, 4499]] = features[[3, 50, 4000]]
    infinite = features.clone()
    infinite[2300, 1] = math.inf
    with ForeignDevice() as foreign:
        images, broken = (ImageSet(x.to(foreign.device)) for x in (features, infinite))
        assert images.repetition == pytest.approx(4506 / 4500)
        assert images.not_finite == {}
        assert broken.not_finite == {"features": 1}
        assert foreign.waits < 20


def test_a_metric_of_the_cpu_and_a_device_without_float64(monkeypatch):
    images = ImageSet(torch.arange(12.0).view(6, 2))
    with ForeignDevice() as foreign:
        moved = images.to(foreign.device)
        kind = lookup.load("metrics", "feature_matching")
        seen = []
        monkeypatch.setattr(
            kind, "compute_values", lambda self, *, real, fake, rng: seen.append((real, fake))
        )
        places = (False, ()), (True, ()), (False, (foreign.device.type,))
        for on_cpu, without_float64 in places:
            monkeypatch.setattr(kind, "on_cpu", on_cpu)
            monkeypatch.setattr(contract_metrics, "WITHOUT_FLOAT64", without_float64)
            kind().values(real={"mean": torch.zeros(2)}, fake=moved, rng=Rng(0))
        assert [real["mean"].device.type for real, _ in seen] == ["meta", "cpu", "cpu"]
        assert [fake.features.device.type for _, fake in seen] == ["meta", "cpu", "cpu"]
        assert torch.equal(seen[1][1].features, images.features)
        assert moved.to(foreign.device) is moved
