from dataclasses import replace

import pytest
import torch

from coequal.datasets import cifar10
from coequal.datasets._loading import data_folder
from coequal.datasets.cifar10 import ARCHIVE, load_cifar10

PER_FILE = 4
NAMES = [*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"]


def record(number, label):
    """Red is all `number`, green 255 - number, blue the column; as published, plane by plane."""
    red, green = bytes([number]) * 1024, bytes([255 - number]) * 1024
    return bytes([label]) + red + green + bytes(range(32)) * 32


def batches():
    """Image i, counted through all six files, has label i % 10."""
    return {
        f"cifar-10-batches-bin/{name}": b"".join(
            record(number, number % 10) for number in range(first, first + PER_FILE)
        )
        for first, name in zip(range(0, 24, PER_FILE), NAMES, strict=True)
    }


@pytest.fixture
def load(publish, put, tar_gz, monkeypatch, tmp_path):
    """Load from an archive of these members, lying in this place."""

    def load(members, place="cifar10", image_size=None):
        archive = {ARCHIVE: tar_gz(members)}
        publish(cifar10, archive)
        monkeypatch.setattr(cifar10, "FORM", replace(cifar10.FORM, test_images=PER_FILE))
        put(tmp_path / place, archive)
        return load_cifar10("", tmp_path, image_size)

    return load


@pytest.mark.parametrize("place", [".", "cifar10"])
def test_the_archive_is_read_and_a_fifth_of_the_training_images_held_out(load, place):
    data = load(batches(), place)
    assert data.name == "cifar10"
    assert data.shape == (3, 32, 32)
    assert [len(data.train), len(data.validation), len(data.test)] == [16, 4, 4]  # of 5 x 4, and 4
    assert data.test.images.whole[:, 0, 0, 0].tolist() == [20, 21, 22, 23]
    assert data.test.labels.tolist() == [0, 1, 2, 3]
    both = [data.train, data.validation]
    assert sorted(torch.cat([part.images.whole[:, 0, 5, 5] for part in both]).tolist()) == [
        *range(20)
    ]
    assert "the 20 official training images were split into 16 to train and 4" in data.notes[0]


def test_planes_are_red_green_blue_and_labels_go_along(load):
    data = load(batches())
    for image, label in zip(data.validation.images.whole, data.validation.labels, strict=True):
        number = int(image[0, 0, 0])
        assert image[0].unique().tolist() == [number]
        assert image[1].unique().tolist() == [255 - number]
        assert image[2, 7].tolist() == list(range(32))
        assert label == number % 10
    assert data.classes[3] == "cat"


def test_resized_images_say_so(load):
    data = load(batches(), image_size=64)
    assert data.shape == (3, 64, 64)
    assert "resized to 64x64" in data.notes[-1]


def short(members):
    return {**members, "cifar-10-batches-bin/data_batch_2.bin": b"\0" * 3073}


def missing(members):
    return {name: raw for name, raw in members.items() if "test" not in name}


def mislabelled(members):
    name = "cifar-10-batches-bin/data_batch_5.bin"
    return {**members, name: bytes([10]) + members[name][1:]}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        # 4 x 3,073 = 12,292
        (short, r"data_batch_2.bin has 3,073 bytes; 4 images need 12,292"),
        (missing, r"cifar-10-binary.tar.gz holds no file cifar-10-batches-bin/test_batch.bin"),
        (mislabelled, r"data_batch_5.bin has the label 10; the highest is 9"),
    ],
)
def test_an_archive_of_another_form_is_refused(load, spoil, said):
    with pytest.raises(ValueError, match=said):
        load(spoil(batches()))


def test_without_the_archive_the_message_says_what_to_put_where(publish, tmp_path):
    publish(cifar10, {ARCHIVE: b""})
    (tmp_path / "cifar-10-batches-py").mkdir()
    with pytest.raises(FileNotFoundError) as caught:
        load_cifar10("", tmp_path)
    assert f"Put {ARCHIVE} into {tmp_path / 'cifar10'}. It is the binary" in str(caught.value)
    assert "(cifar-10-batches-py) is pickled and is not read" in str(caught.value)


def test_the_download_is_the_binary_version_by_its_published_md5():
    address = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
    assert cifar10.FILES.downloads == {address: "md5:c32a1d4ab5d03f1284b67883e8d87530"}


def test_the_real_archive_if_it_is_here(monkeypatch):
    monkeypatch.setattr(cifar10, "FILES", replace(cifar10.FILES, downloads={}))
    try:
        data = load_cifar10("", data_folder())
    except FileNotFoundError:
        pytest.skip(f"CIFAR-10 is not in {data_folder()}")
    assert [len(data.train), len(data.validation), len(data.test)] == [40_000, 10_000, 10_000]
    labels = torch.cat([data.train.labels, data.validation.labels])
    assert labels.bincount().tolist() == [5_000] * 10  # as its author says
    assert data.test.labels.bincount().tolist() == [1_000] * 10
