from dataclasses import replace

import pytest
import torch
import torchvision

from coequal.datasets import mnist
from coequal.datasets._loading import data_folder
from coequal.datasets.mnist import load_mnist


@pytest.mark.parametrize("place", ["mnist", "MNIST/raw"])
def test_files_are_found_in_the_data_folder(publish, idx_files, put, tmp_path, place):
    publish(mnist, idx_files)
    put(tmp_path / place, idx_files, packed=True)
    data = load_mnist("", tmp_path)
    assert data.name == "mnist"
    assert data.shape == (1, 28, 28)
    assert [len(data.train), len(data.validation), len(data.test)] == [10, 2, 5]
    assert data.classes == tuple("0123456789")
    assert load_mnist("", tmp_path, 32).shape == (1, 32, 32)


def test_fashion_mnist_s_files_beside_it_are_not_taken_for_wrong_ones(
    publish, idx_files, put, tmp_path
):
    publish(mnist, idx_files)
    put(put(tmp_path, dict.fromkeys(idx_files, b"clothes")) / "mnist", idx_files)
    assert len(load_mnist("", tmp_path).notes) == 1


def test_without_files_the_message_says_what_to_put_where(publish, idx_files, tmp_path):
    publish(mnist, idx_files)
    with pytest.raises(FileNotFoundError) as caught:
        load_mnist("", tmp_path)
    assert f"into {tmp_path / 'mnist'}: train-images-idx3-ubyte, train-labels" in str(caught.value)


def test_the_downloads_are_torchvisions():
    theirs = torchvision.datasets.MNIST
    wanted = {f"{theirs.mirrors[0]}{name}": f"md5:{md5}" for name, md5 in theirs.resources}
    assert mnist.FILES.downloads == wanted


def test_the_real_files_if_they_are_here(monkeypatch):
    monkeypatch.setattr(mnist, "FILES", replace(mnist.FILES, downloads={}))
    try:
        data = load_mnist("", data_folder())
    except FileNotFoundError:
        pytest.skip(f"MNIST is not in {data_folder()}")
    assert [len(data.train), len(data.validation), len(data.test)] == [50_000, 10_000, 10_000]
    # Zeros and ones, as its authors count them.
    labels = torch.cat([data.train.labels, data.validation.labels])
    assert labels.bincount().tolist()[:2] == [5_923, 6_742]
    assert data.test.labels.bincount().tolist()[:2] == [980, 1_135]
