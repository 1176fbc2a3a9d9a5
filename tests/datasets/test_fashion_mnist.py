from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torchvision

from coequal.datasets import fashion_mnist
from coequal.datasets._loading import data_folder
from coequal.datasets.fashion_mnist import load_fashion_mnist


@pytest.mark.parametrize("place", [".", "fashion_mnist", "fashion-mnist", "FashionMNIST/raw"])
def test_files_are_found_in_the_data_folder(publish, idx_files, put, tmp_path, place):
    publish(fashion_mnist, idx_files)
    put(tmp_path / place, idx_files)
    data = load_fashion_mnist("", tmp_path)
    assert data.name == "fashion_mnist"
    assert data.shape == (1, 28, 28)
    assert [len(data.train), len(data.validation), len(data.test)] == [10, 2, 5]
    assert data.classes[9] == "Ankle boot"


def test_without_files_the_message_names_the_package_s_folder_and_the_target(
    publish, idx_files, tmp_path
):
    publish(fashion_mnist, {name: raw + b"other" for name, raw in idx_files.items()})
    with pytest.raises(FileNotFoundError) as caught:
        load_fashion_mnist("", tmp_path)
    for part in (
        f"  - {Path('/usr/share/datasets/fashion-mnist')}: ",
        "`apt install dataset-fashion-mnist`",
        "`make data`",
    ):
        assert part in str(caught.value)


def test_resized_images_say_so(publish, idx_files, put, tmp_path):
    publish(fashion_mnist, idx_files)
    data = load_fashion_mnist("", put(tmp_path, idx_files), 32)
    assert data.shape == (1, 32, 32)
    assert "resized to 32x32" in data.notes[-1]


def test_the_downloads_are_torchvisions():
    theirs = torchvision.datasets.FashionMNIST
    wanted = {f"{theirs.mirrors[0]}{name}": f"md5:{md5}" for name, md5 in theirs.resources}
    assert fashion_mnist.FILES.downloads == wanted


def test_the_real_files_if_they_are_here(monkeypatch):
    there = replace(fashion_mnist.FILES, downloads={})
    monkeypatch.setattr(fashion_mnist, "FILES", there)
    try:
        data = load_fashion_mnist("", data_folder())
    except FileNotFoundError:
        pytest.skip(f"Fashion-MNIST is neither in {data_folder()} nor installed")
    assert [len(data.train), len(data.validation), len(data.test)] == [50_000, 10_000, 10_000]
    # Every class has 7,000 images, 1,000 of them in the official test.
    labels = torch.cat([data.train.labels, data.validation.labels])
    assert labels.bincount().tolist() == [6_000] * 10
    assert data.test.labels.bincount().tolist() == [1_000] * 10
    assert data.test.labels[:5].tolist() == [9, 2, 1, 1, 6]
