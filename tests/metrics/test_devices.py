"""Metrics compute where their features lie: with torch on a device, with the CPU's numbers."""

import math
from collections.abc import Mapping
from functools import partial

import pytest
import torch
from jaxtyping import Float, UInt8
from test_bits_per_dimension import Known
from torch import Tensor

from coequal import lookup
from coequal.contract import ImageSet, KnownManifold, Metric, MetricValue
from coequal.contract import metrics as contract_metrics
from coequal.images import to_uint8
from coequal.manifolds.colours import ColourShapes
from coequal.manifolds.curves import Spiral
from coequal.manifolds.polygons.family import PolygonFamily
from coequal.metrics import _arrays
from coequal.rng import Rng
from foreign import ForeignDevice, values_of

FEW_AND_MANY_FEATURES = pytest.mark.parametrize(
    ("reals", "fakes", "size"), [(180, 140, 12), (60, 50, 90), (70, 90, 300)]
)
KERNELS = ("kid", "mmd_rbf", "mmd_cosine", "rke")
MANIFOLDS: tuple[KnownManifold, ...] = (ColourShapes(), Spiral(), PolygonFamily())


def has_all_of_its_own(name: str) -> bool:
    """Whether there are images that a metric can be had of; not where weights of its own are
    missing."""
    kind = lookup.load("metrics", name)
    return any(kind.unsupported_reason(one) is None for one in (None, *MANIFOLDS))


EACH_METRIC = pytest.mark.parametrize(
    "name", [*filter(has_all_of_its_own, lookup.names("metrics"))]
)


def metric_of(name: str) -> Metric:
    """The metric; one that trains classifiers trains them for a moment."""
    kind = lookup.load("metrics", name)
    return kind(epochs=0.02, seeds=1) if kind.costly else kind()


def images_for(metric: Metric, count: int, size: int, seed: int) -> ImageSet:
    """Features with a spectrum, and whatever else the metric may want of an image."""
    rng = Rng(seed)
    mixing = Rng(0).normal(size, size) * torch.arange(1, size + 1)[:, None] ** -0.5
    supported = [None, *MANIFOLDS]
    manifold = next(one for one in supported if metric.unsupported_reason(one) is None)
    return ImageSet(
        (rng.normal(count, size) @ mixing + 0.1 * seed).relu(),
        probabilities=(2 * rng.normal(count, 4)).softmax(1),
        labels=torch.arange(count) % 2,
        images=pictures(manifold, count, rng),
        manifold=manifold,
        generator=Known() if "density" in metric.required else None,
    )


def pictures(
    manifold: KnownManifold | None, count: int, rng: Rng
) -> Float[Tensor, "n c h w"] | UInt8[Tensor, "n c h w"]:
    if isinstance(manifold, PolygonFamily):
        return manifold.images(manifold.draw(count, rng))
    if isinstance(manifold, ColourShapes):
        return manifold.images(manifold.draw(count, rng))
    if isinstance(manifold, Spiral):
        return manifold.images(manifold.draw(count, rng).points)
    return to_uint8(rng.normal(count, 1, 32, 32).cumsum(2).cumsum(3).div(60).add(0.5).clamp(0, 1))


def measured(
    metric: Metric, real: ImageSet, train: ImageSet, fake: ImageSet
) -> Mapping[str, MetricValue]:
    reference = metric.reference(real, train if "train" in metric.required else None)
    return metric.values(real=reference, fake=fake, rng=Rng(0))


def require_same(
    found: Mapping[str, MetricValue], wanted: Mapping[str, MetricValue], rel: float
) -> None:
    assert list(found) == list(wanted)
    for name, number in found.items():
        other = wanted[name]
        for one, two in zip(plain(number), plain(other), strict=True):
            assert math.isclose(one, two, rel_tol=rel, abs_tol=rel), (name, number, other)


def plain(number: MetricValue) -> list[float]:
    """Value, standard error and interval; -1 for what is not there."""
    known = (number.value, number.standard_error, *(number.interval or ()))
    return [-1.0 if x is None or math.isnan(x) else x for x in known]


@EACH_METRIC
@FEW_AND_MANY_FEATURES
def test_torch_gives_what_numpy_gives(name, reals, fakes, size, monkeypatch):
    metric = metric_of(name)
    if metric.on_cpu or metric.costly:
        return  # it is computed in one way only
    made = partial(images_for, metric)
    counts = ((reals, 1), (reals + 20, 2), (fakes, 3))
    wanted = measured(metric, *(made(count, size, seed) for count, seed in counts))
    monkeypatch.setattr(_arrays, "uses_numpy", lambda tensor: False)
    found = measured(metric, *(made(count, size, seed) for count, seed in counts))
    # Kernels of more than 256 features are products in float32, which err by 1e-7 of each value,
    # and their distance is a small difference of means; so are projections of patches.
    in_float32 = (name in KERNELS and size > 256) or name == "swd_patches"
    require_same(found, wanted, 1e-5 if in_float32 else 1e-10)


@EACH_METRIC
def test_a_device_gives_what_the_cpu_gives(name):
    metric = metric_of(name)
    real, train, fake = (images_for(metric, 24 + 6 * seed, 8, seed) for seed in (1, 2, 3))
    wanted = measured(metric, real, train, fake)
    on_cpu = metric.reference(real, train if "train" in metric.required else None)
    images = metric.per_image(real=on_cpu, fake=fake)
    with ForeignDevice() as foreign:
        moved = [one.to(foreign.device) for one in (real, train, fake)]
        require_same(measured(metric, *moved), wanted, 1e-5 if name == "swd_patches" else 1e-10)
        # A reference from the cache lies on the CPU.
        found = metric.values(real=on_cpu, fake=moved[2], rng=Rng(0))
        require_same(found, wanted, 1e-5 if name == "swd_patches" else 1e-10)
        elsewhere = metric.per_image(real=on_cpu, fake=moved[2])
    assert list(elsewhere) == list(images)
    for key, one in elsewhere.items():
        values = values_of(one.values)
        torch.testing.assert_close(values, images[key].values, rtol=1e-10, atol=0, equal_nan=True)


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


def test_metrics_multiply_in_full_where_tf32_is_on(monkeypatch):
    products = torch.backends.cuda.matmul
    kind = lookup.load("metrics", "feature_matching")
    seen = []
    for name in ("compute_reference", "compute_values"):
        monkeypatch.setattr(kind, name, lambda self, *_, **__: seen.append(products.allow_tf32))
    images = ImageSet(torch.arange(12.0).view(6, 2))
    before = products.allow_tf32
    try:
        products.allow_tf32 = True
        kind().reference(images)
        kind().values(real={}, fake=images, rng=Rng(0))
        assert (seen, products.allow_tf32) == ([False, False], True)
    finally:
        products.allow_tf32 = before


def test_a_metric_of_the_cpu_and_a_device_without_float64(monkeypatch):
    images = ImageSet(torch.arange(12.0).view(6, 2))
    kind = lookup.load("metrics", "feature_matching")
    seen = []
    monkeypatch.setattr(
        kind, "compute_values", lambda self, *, real, fake, rng: seen.append((real, fake))
    )
    with ForeignDevice() as foreign:
        moved = images.to(foreign.device)
        places = (False, ()), (True, ()), (False, (foreign.device.type,))
        for on_cpu, without_float64 in places:
            monkeypatch.setattr(kind, "on_cpu", on_cpu)
            monkeypatch.setattr(contract_metrics, "WITHOUT_FLOAT64", without_float64)
            kind().values(real={"mean": torch.zeros(2)}, fake=moved, rng=Rng(0))
        assert [real["mean"].device.type for real, _ in seen] == ["meta", "cpu", "cpu"]
        assert [fake.features.device.type for _, fake in seen] == ["meta", "cpu", "cpu"]
        assert torch.equal(seen[1][1].features, images.features)
        assert moved.to(foreign.device) is moved
