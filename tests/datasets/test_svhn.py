import io
from dataclasses import replace

import numpy as np
import pytest
import torch
import torchvision
from scipy.io import savemat

from coequal.datasets import svhn
from coequal.datasets._loading import check_dataset, data_folder
from coequal.datasets.svhn import TEST, TRAIN, load_svhn


def pixels(numbers):
    """Of image i red is all i, green 255 - i, blue the column; (row, column, colour, image)."""
    made = np.zeros((32, 32, 3, len(numbers)), np.uint8)
    for place, number in enumerate(numbers):
        made[:, :, 0, place] = number
        made[:, :, 1, place] = 255 - number
        made[:, :, 2, place] = np.arange(32)
    return made


def mat(**variables):
    buffer = io.BytesIO()
    savemat(buffer, variables, do_compression=True)
    return buffer.getvalue()


def digits(numbers):
    """A file in which image i shows the digit i % 10, with the label 10 for 0."""
    labels = np.array([[number % 10 or 10] for number in numbers], np.uint8)
    return mat(X=pixels(numbers), y=labels)


def damaged(at):
    """A file with one byte changed."""
    raw = bytearray(digits(range(5)))
    raw[at] ^= 255
    return bytes(raw)


def files():
    return {TRAIN: digits(range(12)), TEST: digits(range(20, 25))}


@pytest.fixture
def load(publish, put, monkeypatch, tmp_path):
    """Load from these files."""

    def load(contents, place="svhn", image_size=None):
        publish(svhn, contents)
        monkeypatch.setattr(svhn, "HELD_OUT", 3)
        put(tmp_path / place, contents)
        return load_svhn("", tmp_path, image_size)

    return load


@pytest.mark.parametrize("place", [".", "svhn", "SVHN"])
def test_the_files_are_read_and_validation_held_out_of_the_training_images(load, place):
    data = load(files(), place)
    assert data.name == "svhn"
    assert data.shape == (3, 32, 32)
    assert [len(data.train), len(data.validation), len(data.test)] == [9, 3, 5]
    assert data.test.images.whole[:, 0, 0, 0].tolist() == [20, 21, 22, 23, 24]
    assert data.test.labels.tolist() == [0, 1, 2, 3, 4]
    both = [data.train, data.validation]
    assert sorted(torch.cat([part.images.whole[:, 0, 5, 5] for part in both]).tolist()) == [
        *range(12)
    ]
    for part in both:
        assert torch.equal(part.labels, part.images.whole[:, 0, 9, 9].long() % 10)
    assert data.classes == tuple("0123456789")
    assert "the 12 official training images were split into 9 to train and 3" in data.notes[0]


def test_planes_are_red_green_blue_upright_and_resized_images_say_so(load):
    image = load(files()).test.images.whole[3]
    assert image[0].unique().tolist() == [23]
    assert image[1].unique().tolist() == [232]
    assert image[2, 7].tolist() == list(range(32))
    smaller = load(files(), image_size=28)
    assert smaller.shape == (3, 28, 28)
    assert "resized to 28x28" in smaller.notes[-1]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"not a MATLAB file", "test_32x32.mat can't be read as a MATLAB file"),
        (b"", "test_32x32.mat can't be read as a MATLAB file"),
        (digits(range(5))[:-900], "test_32x32.mat can't be read as a MATLAB file"),
        (damaged(at=0x88), "test_32x32.mat can't be read as a MATLAB file: Error -3"),
        (mat(X=pixels(range(2))), "test_32x32.mat must hold the variables X and y"),
        (
            mat(X=pixels(range(2)), y=[[1], [2], [3]]),
            r"holds uint8 images of shape \(32, 32, 3, 2\) for 3 labels",
        ),
        (mat(X=pixels(range(2)) / 255, y=[[1], [2]]), "holds float64 images"),
        (mat(X=pixels(range(2)), y=[[0], [9]]), r"has labels 0 .. 9, not 1 .. 10"),
    ],
)
def test_a_file_of_another_form_is_refused(load, raw, said):
    with pytest.raises(ValueError, match=said):
        load({**files(), TEST: raw})


def test_without_the_files_the_message_says_what_to_put_where(publish, put, tmp_path):
    publish(svhn, files())
    put(tmp_path / "svhn", {TRAIN: files()[TRAIN]})
    with pytest.raises(FileNotFoundError) as caught:
        load_svhn("", tmp_path)
    assert f"{tmp_path / 'svhn'}: no test_32x32.mat or test_32x32.mat.gz" in str(caught.value)
    assert f"into {tmp_path / 'svhn'}: train_32x32.mat, test_32x32.mat" in str(caught.value)
    assert "They are the cropped digits (format 2) at http://ufldl" in str(caught.value)


def test_other_files_are_passed_over_and_named(put, tmp_path, monkeypatch):
    monkeypatch.setattr(svhn, "FILES", replace(svhn.FILES, downloads={}))
    put(tmp_path / "svhn", files())
    with pytest.raises(FileNotFoundError) as caught:
        load_svhn("", tmp_path)
    assert "not 435e94d69a87" in str(caught.value)
    assert "not cdce80dfb2a2" in str(caught.value)


def test_the_downloads_are_torchvisions():
    theirs = [torchvision.datasets.SVHN.split_list[part] for part in ("train", "test")]
    assert svhn.FILES.downloads == {url: f"md5:{md5}" for url, _, md5 in theirs}


def test_the_real_files_if_they_are_here(monkeypatch):
    check_dataset("svhn")
    monkeypatch.setattr(svhn, "FILES", replace(svhn.FILES, downloads={}))
    try:
        data = load_svhn("", data_folder())
    except FileNotFoundError:
        pytest.skip(f"SVHN is not in {data_folder()}")
    assert [len(data.train), len(data.validation), len(data.test)] == [63_257, 10_000, 26_032]
