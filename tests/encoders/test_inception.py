"""The FID Inception: its net, its weights, and other people's code."""

import hashlib
import importlib
import pickle
import warnings
from pathlib import Path
from types import ModuleType

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional

from coequal import downloads
from coequal.contract import Dataset, Split
from coequal.encoders import _batches, _inception_net, _inception_weights, inception
from coequal.encoders.inception import (
    ARGUMENTS,
    Inception,
    InceptionClean,
    InceptionSpatial,
    InceptionTorch,
)
from coequal.files import atomic_write
from coequal.rng import Rng
from other_device import require_same_elsewhere

import peers
from peers import SIZES


def say_nothing(line: str) -> None:
    pass


def pictures(count: int, size: int, channels: int = 3, seed: int = 0) -> Tensor:
    """Noise on gradients, uint8."""
    noise = Rng(seed).uniform(count, channels, size, size)
    slope = torch.linspace(0, 1, size).view(1, 1, 1, size) * Rng(seed + 1).uniform(count, 1, 1, 1)
    return ((0.4 * noise + 0.6 * slope) * 255).round().to(torch.uint8)


def data(images: Tensor) -> Dataset:
    return Dataset("pictures", Split(images), Split(images), Split(images))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(peers.inception_net().state_dict(), path)
    return path


@pytest.fixture(autouse=True)
def _nothing_of_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(_inception_weights.VARIABLE, raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("COEQUAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(inception, "BATCH", 2)


@pytest.fixture
def own(weights: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Random weights, given by the environment."""
    monkeypatch.setenv(_inception_weights.VARIABLE, str(weights))
    return weights


# ---------------------------------------------------------------------------------------------- net


def test_parameters_have_torchvisions_names_and_shapes():
    with torch.device("meta"):
        ours = _inception_net.Inception()
        theirs = torchvision.models.inception_v3(
            num_classes=1008, aux_logits=False, init_weights=False
        )
    assert shapes(ours.state_dict()) == shapes(theirs.state_dict())


def shapes(values: dict[str, Tensor]) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in values.items()}


def test_it_is_torchvisions_net_but_for_the_pools(weights, monkeypatch):
    theirs = torchvision.models.Inception3(
        num_classes=1008, aux_logits=False, transform_input=False, init_weights=False
    )
    theirs.load_state_dict(torch.load(weights))
    theirs.fc = nn.Identity()
    average, pools = functional.avg_pool2d, []

    def pool(x: Tensor, kernel_size: int, stride: int, padding: int) -> Tensor:
        assert (kernel_size, stride, padding) == (3, 1, 1)
        pools.append(x.shape[1])
        if len(pools) == 9:
            return functional.max_pool2d(x, 3, 1, 1)
        # Each average is of the 9, 6 or 4 values that are there.
        there = functional.conv2d(torch.ones_like(x[:1, :1]), torch.ones(1, 1, 3, 3), padding=1)
        return average(x, 3, 1, 1) * 9 / there

    plain = _inception_net.Inception()
    plain.load_state_dict(torch.load(weights))
    images = inception.PREPROCESSING["tf1"].apply(pictures(2, 32))
    with torch.inference_mode():
        features = plain.eval()(images)
        monkeypatch.setattr(torchvision.models.inception.F, "avg_pool2d", pool)
        wanted = theirs.eval()(images)
    assert pools == [192, 256, 288, 768, 768, 768, 768, 1280, 2048]
    torch.testing.assert_close(features, wanted, atol=1e-4, rtol=0)


def test_the_fast_net_is_the_plain_one(weights):
    plain = _inception_net.Inception()
    plain.load_state_dict(torch.load(weights))
    fast = _inception_net.built(torch.load(weights))
    images = inception.PREPROCESSING["tf1"].apply(pictures(2, 32))
    with torch.inference_mode():
        torch.testing.assert_close(fast(images), plain.eval()(images), atol=1e-4, rtol=0)


def test_spatial_features_are_seven_channels_of_mixed_6_place_by_place(weights, own, tmp_path):
    plain = _inception_net.Inception().eval()
    plain.load_state_dict(torch.load(weights))
    maps: list[Tensor] = []
    plain.Mixed_6d.branch1x1.bn.register_forward_hook(lambda *given: maps.append(given[2].relu()))
    images = pictures(2, 32)
    with torch.inference_mode():
        plain(inception.PREPROCESSING["tf1"].apply(images))
    assert maps[0].shape == (2, 192, 17, 17)
    encoder = InceptionSpatial.prepare(data(images), tmp_path, say_nothing)
    found = encoder.features(images)
    assert found.shape == (2, 2023)
    # TensorFlow's arrays are (n, rows, columns, channels), flattened image by image.
    wanted = torch.stack([x[:7, i, j] for x in maps[0] for i in range(17) for j in range(17)])
    torch.testing.assert_close(found, wanted.view(2, 2023), atol=1e-4, rtol=0)
    assert found.std() > 1e-2
    assert encoder.probabilities(found) is None
    assert "mixed_6/conv" in encoder.note


def test_weights_of_an_old_torch_without_batch_counts_do(weights, tmp_path):
    values = {name: value for name, value in torch.load(weights).items() if "num_b" not in name}
    path = tmp_path / "old.pth"
    torch.save(values, path, _use_new_zipfile_serialization=False)
    found = _inception_net.built(_inception_weights._parsed(path.read_bytes(), path))
    wanted = _inception_net.built(torch.load(weights))
    assert all(map(torch.equal, found.parameters(), wanted.parameters()))


# ------------------------------------------------------------------------------------- the encoder


def test_features_and_probabilities(own, tmp_path):
    images = pictures(3, 28, channels=1)
    encoder = Inception.prepare(data(images), tmp_path, say_nothing)
    features = encoder.features(images)
    assert features.shape == (3, 2048)
    assert features.dtype == torch.float32
    assert features.std(0).mean() > 1e-3  # the images differ
    probabilities = encoder.probabilities(features)
    logits = features @ torch.load(own)["fc.weight"].T  # no bias
    torch.testing.assert_close(probabilities, logits.softmax(1))
    # Grey is the same as three equal channels, and nobody changes a bit by asking for fewer.
    assert torch.equal(encoder.features(images[:1].expand(-1, 3, -1, -1)), features[:1])


@pytest.mark.parametrize("kind", ARGUMENTS.values())
def test_features_are_the_same_on_another_device(kind, own, tmp_path, monkeypatch):
    monkeypatch.setattr(_batches, "LARGER_ON_A_GPU", 1)
    images = pictures(3, 64)
    encoder = kind.prepare(data(images), tmp_path, say_nothing)
    require_same_elsewhere(encoder, images, atol=1e-4 if kind is InceptionClean else 0)


def test_nothing_is_called_fid_but_official_weights_with_tf1(weights):
    net = _inception_net.built(torch.load(weights))
    ids = set()
    for kind in ARGUMENTS.values():
        for official in (True, False):
            encoder = kind(net, "0" * 64 if official else "1" * 64, official)
            labels = {Inception: {"fd": "FID", "mifd": "MiFID"}, InceptionSpatial: {"fd": "sFID"}}
            assert encoder.published_names == (labels.get(kind, {}) if official else {})
            assert encoder.id.startswith(f"inception:{kind.variant}:")
            assert ("official" in encoder.note) == official
            ids.add(encoder.id)
    assert len(ids) == 8


def test_only_grey_and_coloured_images():
    assert Inception.unsupported_reason(data(pictures(1, 8, channels=1))) is None
    assert Inception.unsupported_reason(data(pictures(1, 8, channels=3))) is None
    assert "has 2" in (Inception.unsupported_reason(data(pictures(1, 8, channels=2))) or "")


# ----------------------------------------------------------------------------------------- weights


def test_without_weights_one_message_says_what_to_do(tmp_path):
    message = Inception.available() or ""
    with pytest.raises(FileNotFoundError) as error:
        Inception.prepare(data(pictures(1, 8)), tmp_path / "cache", say_nothing)
    for text in (message, str(error.value)):
        assert "\n" not in text
        assert str(tmp_path / "cache" / "encoders") in text
        for word in ("6726825d.pth", "COEQUAL_INCEPTION_WEIGHTS", "classifier", "pixels"):
            assert word in text


def official_is(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_inception_weights, "SHA256", hashlib.sha256(raw).hexdigest())
    monkeypatch.setattr(_inception_weights, "_BYTES", len(raw))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A small file of weights, a megabyte and a half."""
    path = tmp_path / "small.pth"
    torch.save({"a": torch.arange(400_000.0)}, path)
    return path


def offered(small: Path, served: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, address = served
    small.rename(folder / "small.pth")
    monkeypatch.setattr(_inception_weights, "URL", f"{address}/small.pth")


def test_a_download_is_checked_told_and_kept(small, served, tmp_path, monkeypatch):
    official_is(small.read_bytes(), monkeypatch)
    offered(small, served, monkeypatch)
    assert Inception.available() is None
    lines: list[str] = []
    found = _inception_weights.find_weights(tmp_path / "cache", lines.append)
    assert torch.equal(found.values["a"], torch.arange(400_000.0))
    assert found.official
    assert any(line.endswith("1.6 of 1.6 MB") for line in lines)
    monkeypatch.setenv("COEQUAL_OFFLINE", "1")
    assert Inception.available() is None
    again = _inception_weights.find_weights(tmp_path / "cache", lines.append)
    assert again.sha256 == found.sha256


def test_a_wrong_download_is_refused_and_not_kept(small, served, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "RETRIES", 0)
    offered(small, served, monkeypatch)
    with pytest.raises(FileNotFoundError, match="the download failed: SHA256 hash of") as error:
        _inception_weights.find_weights(tmp_path / "cache", say_nothing)
    assert "COEQUAL_INCEPTION_WEIGHTS" in str(error.value)
    assert not list((tmp_path / "cache").rglob("*.pth"))


@pytest.mark.parametrize("folder", ["cache/encoders", "torch/hub/checkpoints"])
def test_a_file_found_is_checked(folder, small, tmp_path, monkeypatch):
    path = tmp_path / folder / _inception_weights.NAME
    atomic_write(path, small.read_bytes())
    with pytest.raises(ValueError, match="SHA-256") as error:
        _inception_weights.find_weights(tmp_path / "cache", say_nothing)
    assert str(path) in str(error.value)
    official_is(small.read_bytes(), monkeypatch)
    assert _inception_weights.find_weights(tmp_path / "cache", say_nothing).official


def test_a_file_of_ones_own_must_exist_and_hold_the_nets_weights(small, tmp_path, monkeypatch):
    monkeypatch.setenv(_inception_weights.VARIABLE, str(tmp_path / "nowhere.pth"))
    assert "nowhere.pth" in (Inception.available() or "")
    with pytest.raises(FileNotFoundError, match=r"nowhere\.pth"):
        Inception.prepare(data(pictures(1, 8)), tmp_path, say_nothing)
    monkeypatch.setenv(_inception_weights.VARIABLE, str(small))
    with pytest.raises(ValueError, match="no weights of the FID Inception"):
        Inception.prepare(data(pictures(1, 8)), tmp_path, say_nothing)
    small.write_bytes(pickle.dumps(Path))  # code, not weights
    with pytest.raises(ValueError, match="not a file of weights"):
        Inception.prepare(data(pictures(1, 8)), tmp_path, say_nothing)


# ----------------------------------------------------------------------------- other people's code


def peer(name: str) -> ModuleType:
    """A module of somebody else's, or a skip."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip(name.split(".")[0], reason=f"{name} is not installed")
        return importlib.import_module(name)


@pytest.mark.slow
def test_as_torch_fidelity(own, tmp_path):
    kind = peer("torch_fidelity.feature_extractor_inceptionv3").FeatureExtractorInceptionV3
    names = ["2048", "logits_unbiased"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = kind("peer", names, feature_extractor_weights_path=str(own))
    ours = Inception.prepare(data(pictures(1, 8)), tmp_path, say_nothing)
    for size in SIZES:
        images = peers.picture(size)
        with torch.inference_mode():
            features, logits = theirs(images)
        found = ours.features(images)
        torch.testing.assert_close(found, features, atol=1e-4, rtol=0)
        torch.testing.assert_close(ours.probabilities(found), logits.softmax(1))


@pytest.mark.parametrize("kind", [InceptionTorch, InceptionClean])
def test_as_pytorch_fid_and_clean_fid(kind, own, tmp_path):
    encoder = kind.prepare(data(pictures(1, 8)), tmp_path, say_nothing)
    for size in SIZES:
        found = encoder.features(peers.picture(size))[0, :: peers.EVERY]
        wanted = peers.stored_features(kind.resize, size)
        torch.testing.assert_close(found, wanted, atol=1e-4, rtol=0)
