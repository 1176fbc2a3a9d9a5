from dataclasses import replace

import pytest
import torch

from coequal.datasets import cifar100
from coequal.datasets._loading import check_dataset, data_folder
from coequal.datasets.cifar100 import ARCHIVE, CLASSES, load_cifar100

TESTED = 4
FILES = {"cifar-100-binary/train.bin": range(20), "cifar-100-binary/test.bin": range(20, 24)}


def record(number):
    """Coarse label 77 (there are 20), fine label 4 * number; red is all `number`, green 255 -
    number, blue the column."""
    planes = bytes([number]) * 1024 + bytes([255 - number]) * 1024 + bytes(range(32)) * 32
    return bytes([77, 4 * number]) + planes


def members():
    return {name: b"".join(record(n) for n in numbers) for name, numbers in FILES.items()}


@pytest.fixture
def load(publish, put, tar_gz, monkeypatch, tmp_path):
    """Load from an archive of these members."""

    def load(contents, place="cifar100", image_size=None):
        archive = {ARCHIVE: tar_gz(contents)}
        publish(cifar100, archive)
        monkeypatch.setattr(cifar100, "FORM", replace(cifar100.FORM, test_images=TESTED))
        put(tmp_path / place, archive)
        return load_cifar100("", tmp_path, image_size)

    return load


@pytest.mark.parametrize("place", [".", "cifar100"])
def test_the_archive_is_read_with_fine_labels_and_a_fifth_held_out(load, place):
    data = load(members(), place)
    assert data.name == "cifar100"
    assert data.shape == (3, 32, 32)
    assert [len(data.train), len(data.validation), len(data.test)] == [16, 4, 4]
    assert data.test.images.whole[:, 0, 0, 0].tolist() == [20, 21, 22, 23]
    assert data.test.labels.tolist() == [80, 84, 88, 92]
    both = [data.train, data.validation]
    assert sorted(torch.cat([part.images.whole[:, 0, 5, 5] for part in both]).tolist()) == [
        *range(20)
    ]
    for part in both:
        assert torch.equal(part.labels, 4 * part.images.whole[:, 0, 9, 9].long())
    assert "the 20 official training images were split into 16 to train and 4" in data.notes[0]


def test_planes_are_red_green_blue_and_resized_images_say_so(load):
    image = load(members()).test.images.whole[3]
    assert image[0].unique().tolist() == [23]
    assert image[1].unique().tolist() == [232]
    assert image[2, 7].tolist() == list(range(32))
    larger = load(members(), image_size=64)
    assert larger.shape == (3, 64, 64)
    assert "resized to 64x64" in larger.notes[-1]


def test_there_are_a_hundred_classes_in_the_order_of_the_alphabet():
    assert len(set(CLASSES)) == 100
    assert list(CLASSES) == sorted(CLASSES)
    assert [CLASSES[0], CLASSES[55], CLASSES[99]] == ["apple", "otter", "worm"]
    check_dataset("cifar100")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        # 20 x 3,074 = 61,480
        (
            {"cifar-100-binary/train.bin": b"\0" * 3073},
            "train.bin has 3,073 bytes; 20 images need 61,480",
        ),
        (
            {"cifar-100-binary/test.bin": None},
            f"{ARCHIVE} holds no file cifar-100-binary/test.bin",
        ),
        (
            {"cifar-100-binary/test.bin": b"\0\x64" * 1537 * 4},
            "test.bin has the label 100; the highest is 99",
        ),
    ],
)
def test_an_archive_of_another_form_is_refused(load, changed, said):
    contents = {name: raw for name, raw in {**members(), **changed}.items() if raw is not None}
    with pytest.raises(ValueError, match=said):
        load(contents)


def test_without_the_archive_the_message_says_what_to_put_where(publish, tmp_path):
    publish(cifar100, {ARCHIVE: b""})
    with pytest.raises(FileNotFoundError) as caught:
        load_cifar100("", tmp_path)
    assert f"Put {ARCHIVE} into {tmp_path / 'cifar100'}. It is the binary" in str(caught.value)
    assert "(cifar-100-python) is pickled and is not read" in str(caught.value)


def test_another_archive_is_passed_over_and_named(put, tmp_path, monkeypatch):
    monkeypatch.setattr(cifar100, "FILES", replace(cifar100.FILES, downloads={}))
    put(tmp_path / "cifar100", {ARCHIVE: b"something else"})
    with pytest.raises(FileNotFoundError, match=r"has SHA-256 .* \(14 bytes\), not 58a81ae192c2"):
        load_cifar100("", tmp_path)


def test_the_download_is_the_binary_version_by_its_published_md5():
    address = "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"
    assert cifar100.FILES.downloads == {address: "md5:03b5dce01913d631647c71ecec9e9cb8"}


def test_the_real_archive_if_it_is_here(monkeypatch):
    monkeypatch.setattr(cifar100, "FILES", replace(cifar100.FILES, downloads={}))
    try:
        data = load_cifar100("", data_folder())
    except FileNotFoundError:
        pytest.skip(f"CIFAR-100 is not in {data_folder()}")
    labels = torch.cat([data.train.labels, data.validation.labels])
    assert labels.bincount().tolist() == [500] * 100  # as its author says
    assert data.test.labels.bincount().tolist() == [100] * 100
