"""LPIPS diversity, with random weights of AlexNet: the published ones can't be had everywhere."""

import importlib.util
import math
import warnings
from pathlib import Path

import pytest
import torch
from torch import Tensor

import coequal
from coequal import lookup
from coequal.contract import ImageSet, MetricValue
from coequal.metrics import _lpips_net
from coequal.metrics._lpips_net import Lpips
from coequal.metrics._pairs import draw_pairs_within
from coequal.metrics.lpips import LpipsDiversity
from coequal.rng import Rng
from coequal.testing import check_metric
from foreign import ForeignDevice

SHAPES = {0: (64, 3, 11), 3: (192, 64, 5), 6: (384, 192, 3), 8: (256, 384, 3), 10: (256, 256, 3)}


@pytest.fixture
def weights(tmp_path, monkeypatch) -> tuple[Path, Path]:
    """Files of random weights, which are those that the metric finds."""
    rng, trunk, heads = Rng(0), {}, {}
    for place, (number, (out, into, side)) in enumerate(SHAPES.items()):
        deviation = (2 / (into * side**2)) ** 0.5
        trunk[f"features.{number}.weight"] = deviation * rng.normal(out, into, side, side)
        trunk[f"features.{number}.bias"] = 0.1 * rng.normal(out)
        heads[f"lin{place}.model.1.weight"] = rng.uniform(1, out, 1, 1)
    files = tmp_path / "alexnet.pth", tmp_path / "heads.pth"
    for file, values in zip(files, (trunk, heads), strict=True):
        torch.save(values, file)
    monkeypatch.setenv(_lpips_net.VARIABLE, str(files[0]))
    monkeypatch.setattr(_lpips_net, "_heads", lambda: files[1])
    return files


def pictures(seed: int, count: int, channels: int = 3, side: int = 40) -> Tensor:
    return (255 * Rng(seed).uniform(count, channels, side, side)).to(torch.uint8)


def scores(fake: ImageSet, **settings: int) -> dict[str, MetricValue]:
    return dict(LpipsDiversity(**settings).values(real={}, fake=fake, rng=Rng(0)))


def of_images(images: Tensor, labels: Tensor | None = None) -> ImageSet:
    return ImageSet(torch.zeros(len(images), 1), images=images, labels=labels)


def test_the_arithmetic_is_that_of_the_package(weights):
    # Ours reads random weights from the files; theirs are given the same ones by name.
    package = pytest.importorskip("lpips")
    with warnings.catch_warnings(), torch.random.fork_rng():
        warnings.simplefilter("ignore")  # of torchvision, at names that the package uses
        theirs = package.LPIPS(net="alex", pnet_rand=True, pretrained=False, verbose=False)
    trunk, heads = (torch.load(file, weights_only=True) for file in weights)
    state = theirs.state_dict()
    for name in state:
        where = name.split(".")[1:]
        if name.startswith("net."):
            state[name] = trunk[f"features.{where[1]}.{where[2]}"]
        elif name in heads:
            state[name] = heads[name]
        elif name.startswith("lins."):
            state[name] = heads[f"lin{where[0]}.model.1.weight"]
    theirs.load_state_dict(state)
    first, second = (pictures(seed, 4).float() / 255 for seed in (1, 2))
    expected = theirs(first, second, normalize=True).flatten()
    torch.testing.assert_close(Lpips(*weights).distances(first, second), expected)


def test_equal_images_have_no_distance_and_grey_is_three_equal_colours(weights):
    net = Lpips(*weights)
    grey = pictures(1, 2, channels=1).float() / 255
    other = pictures(2, 2, channels=1).float() / 255
    assert net.distances(grey, grey).tolist() == [0, 0]
    colours = net.distances(grey.expand(-1, 3, -1, -1), other.expand(-1, 3, -1, -1))
    torch.testing.assert_close(net.distances(grey, other), colours)


def test_the_published_heads_are_found_without_importing_the_package():
    if importlib.util.find_spec("lpips") is None:
        pytest.skip("the extra `lpips` is not installed")
    heads = _lpips_net._heads()
    assert heads is not None
    values = torch.load(heads, map_location="cpu", weights_only=True)
    shapes = [tuple(values[f"lin{place}.model.1.weight"].shape) for place in range(5)]
    assert shapes == [(1, out, 1, 1) for out, _, _ in SHAPES.values()]


def test_the_mean_of_disjoint_pairs_and_its_error(weights):
    images = pictures(3, 20)
    found = scores(of_images(images), pairs=10)["lpips"]
    assert found.standard_error is not None
    net = Lpips(*weights)
    every = torch.stack(
        [net.distances(images / 255, images.roll(k, 0) / 255) for k in range(1, 11)]
    )
    assert found.value == pytest.approx(float(every.mean()), abs=5 * found.standard_error)
    assert (found.details or {})["weights"] == net.sha256[:12]
    assert scores(of_images(images), pairs=11)["lpips"].standard_error is None


def test_collapse_within_classes_is_seen_there(weights):
    labels = torch.arange(24) % 3
    alike = pictures(4, 3)[labels].clone()
    alike[:, 0, 0, 0] += torch.arange(24).to(torch.uint8)  # no two are the same
    varied, collapsed = of_images(pictures(5, 24), labels), of_images(alike, labels)
    one, other = scores(varied), scores(collapsed)
    assert other["lpips"].value > 0.5 * one["lpips"].value
    assert other["lpips_in_class"].value < 0.05 * one["lpips_in_class"].value


def test_pairs_of_a_class_are_disjoint_and_of_one_class():
    labels = torch.tensor([0, 1, 0, 2, 1, 0, 0, 1])  # four, three and one of a class
    pairs = draw_pairs_within(labels, 10, Rng(0))
    assert pairs.shape == (2, 3)
    assert len(set(pairs.flatten().tolist())) == 6
    assert torch.equal(labels[pairs[0]], labels[pairs[1]])
    assert draw_pairs_within(labels, 2, Rng(0)).shape == (2, 2)


def test_the_metric_keeps_the_contract(weights):
    check_metric(LpipsDiversity(pairs=20))


def test_a_device_gives_what_the_cpu_gives(weights):
    images = of_images(pictures(6, 12), torch.arange(12) % 2)
    wanted = scores(images, pairs=6)
    with ForeignDevice() as foreign:
        found = scores(images.to(foreign.device), pairs=6)
    for name, value in wanted.items():
        assert found[name].value == pytest.approx(value.value, rel=1e-6)


def test_small_images_have_none(weights):
    found = scores(of_images(pictures(1, 10, side=30)))["lpips"]
    reason = "needs images of at least 31x31 pixels, got 30x30"
    assert found.details == {"undefined": reason}
    assert math.isfinite(scores(of_images(pictures(1, 10, side=31)))["lpips"].value)


def test_without_weights_it_is_refused_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("COEQUAL_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(_lpips_net, "_heads", lambda: tmp_path)
    images = pictures(1, 10).numpy()
    with pytest.raises(ValueError, match=r"^lpips: needs AlexNet's weights: put alexnet-owt") as no:
        coequal.score(real=images, fake=images, metrics="lpips")
    assert "\n" not in str(no.value)
    monkeypatch.setattr(_lpips_net, "_heads", lambda: None)
    assert 'pip install "coequal[lpips]"' in (
        lookup.load("metrics", "lpips").unsupported_reason(None)
    )
    monkeypatch.setattr(_lpips_net, "_heads", lambda: tmp_path)
    monkeypatch.setenv(_lpips_net.VARIABLE, "nowhere.pth")
    assert "there is no such file" in (_lpips_net.missing() or "")


def test_another_file_is_refused(weights, tmp_path):
    wrong = tmp_path / "other.pth"
    torch.save({"layer.weight": torch.zeros(1)}, wrong)
    with pytest.raises(ValueError, match="it is not AlexNet's weights"):
        Lpips(wrong, weights[1])
    damaged = tmp_path / _lpips_net.NAME
    damaged.write_bytes(weights[0].read_bytes())
    with pytest.raises(ValueError, match="is damaged: its SHA-256 begins with"):
        Lpips(damaged, weights[1])
