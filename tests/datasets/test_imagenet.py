import re
import shutil
from collections import namedtuple

import pytest
import torch
from PIL import Image

from coequal import pace
from coequal.datasets import _decoded, _decoding
from coequal.datasets._loading import check_dataset, fingerprint, load_dataset
from coequal.datasets.imagenet import load_imagenet
from coequal.parallel import reading_threads

CLASSES = ("n01440764", "n01443537", "n02102040")


def photograph(path, number, size=(100, 80)):
    """Red all `number`, green 255 - number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", size, (number, 255 - number, 60))
    image.save(path, "JPEG", quality=100, subsampling=0)


@pytest.fixture
def root(tmp_path):
    """Ten pictures to train and two in val of each class; the class is the tens of red / 2."""
    root = tmp_path / "pictures"
    for row, name in enumerate(CLASSES):
        for number in range(10):
            photograph(root / "train" / name / f"{name}_{number}.JPEG", 40 * row + 2 * number)
        for number in range(2):
            place = root / "val" / name / f"ILSVRC2012_val_{2 * row + number:08}.JPEG"
            photograph(place, 150 + 20 * row + 5 * number)
    return root


@pytest.fixture
def load(root, tmp_path):
    def load(image_size=None, log=None):
        return load_imagenet(str(root), tmp_path / "data", image_size, log)

    return load


def reds(split):
    return split.images.whole[:, 0].float().mean((1, 2)).round().int().tolist()


def test_val_is_the_test_split_and_validation_is_held_out_of_train(load, root):
    data = load()
    assert data.name == f"imagenet:{root}"
    assert data.shape == (3, 64, 64)
    assert data.train.images.dtype == torch.uint8
    # As many as there are to test, six, are a fifth of 30.
    assert [len(data.train), len(data.validation), len(data.test)] == [24, 6, 6]
    assert data.classes == CLASSES
    both = sorted(reds(data.train) + reds(data.validation))
    wanted = [40 * row + 2 * number for row in range(3) for number in range(10)]
    assert both == pytest.approx(wanted, abs=1)
    assert sorted(reds(data.test)) == pytest.approx([150, 155, 170, 175, 190, 195], abs=1)


def test_labels_go_along_and_every_class_is_held_out_alike(load):
    data = load()
    for split in (data.train, data.validation):
        assert split.labels.tolist() == [red // 40 for red in reds(split)]
    assert data.test.labels.tolist() == [(red - 140) // 20 for red in reds(data.test)]
    counts = [split.labels.bincount().tolist() for split in (data.train, data.validation)]
    assert counts == [[8] * 3, [2] * 3]
    for split in (data.train, data.validation, data.test):
        assert set(split.labels[:3].tolist()) == {0, 1, 2}  # the first are a fair draw


def test_no_more_than_a_fifth_of_train_is_held_out(load, root):
    for row, name in enumerate(CLASSES):
        for number in range(10):
            photograph(root / "val" / name / f"more{number}.JPEG", 160 + 20 * row)
    data = load()
    assert [len(data.train), len(data.validation), len(data.test)] == [24, 6, 36]


def test_the_notes_say_how_it_was_split_and_what_was_done_to_the_pictures(load, root):
    Image.new("L", (64, 64), 9).save(root / "train" / CLASSES[0] / "grey.JPEG", "JPEG")
    (root / "train" / CLASSES[1] / "readme.txt").write_text("no picture")
    notes = load().notes
    assert notes[0] == ("train: 1 file without an image's suffix skipped (n01443537/readme.txt)")
    assert notes[1].startswith(
        "the 31 images in train/ were split into 25 to train and 6 to validate, class by class; "
        "the test images are those in val/"
    )
    assert "1 grey image was converted to RGB (others have colour)" in notes[2]
    assert "images of 100x80: 36, 64x64: 1 were cropped to their centre square" in notes[3]


@pytest.mark.parametrize("size", [28, 32])
def test_another_size_is_decoded_from_the_pictures(load, size):
    data = load(size)
    assert data.shape == (3, size, size)
    assert f"resized to {size}x{size}" in data.notes[-1]
    with pytest.raises(ValueError, match="image size 100 is not one of"):
        load(100)


def test_pictures_are_decoded_once_and_the_log_says_what_space_they_take(load, tmp_path):
    lines = []
    first = load(log=lines.append)
    assert len(lines) == 1
    # 36 x 3 x 64 x 64 bytes
    assert lines[0].startswith(f"decoding 36 pictures of {tmp_path / 'pictures'}, once, into ")
    assert lines[0].endswith("_64x64.npy (0.0 GB, on disk and read as needed)")
    again = load(log=lines.append)
    assert len(lines) == 1
    assert fingerprint(first) == fingerprint(again)
    assert first.notes == again.notes
    kept = sorted(path.suffix for path in (tmp_path / "data" / "imagenet").iterdir())
    assert kept == [".json", ".npy"]


def test_each_picture_is_written_before_the_next_is_decoded(load, monkeypatch):
    events = []
    write = _decoded.Decoded.write

    def square(image, size):
        events.append("decoded")
        return Image.new("RGB", (size, size), "white")

    def writing(decoded, shape, pictures):
        def seen():
            for picture in pictures:
                yield picture
                events.append("written")

        write(decoded, shape, seen())

    monkeypatch.setattr(_decoded.Decoded, "write", writing)
    monkeypatch.setattr(_decoding, "square", square)
    with reading_threads(1):
        load()
    assert events == ["decoded", "written"] * 36


def test_decoding_tells_how_far_it_is(load, monkeypatch):
    monkeypatch.setattr(pace, "EVERY_SECONDS", 0.0)
    lines = []
    load(log=lines.append)
    (line,) = (line for line in lines if ": 20 of 36, " in line)
    assert re.match(r"decoding .*: 20 of 36, [\d,.]+ a second, about .* left$", line)


def test_other_pictures_are_decoded_anew(load, root):
    before = fingerprint(load())
    photograph(root / "train" / CLASSES[0] / f"{CLASSES[0]}_3.JPEG", 33, size=(90, 80))
    assert fingerprint(load()) != before


def test_where_the_folder_lies_is_no_part_of_the_split(load, root, tmp_path):
    before = load()
    shutil.move(root, tmp_path / "moved")
    after = load_imagenet(str(tmp_path / "moved"), tmp_path / "data")
    assert fingerprint(before) == fingerprint(after)


def test_a_full_disk_is_refused_before_anything_is_written(load, monkeypatch, tmp_path):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(_decoded.shutil, "disk_usage", lambda path: usage(9, 9, 1000))
    with pytest.raises(OSError, match=r"takes 0.0 GB, and its disk has 0.0 GB left"):
        load()
    assert list((tmp_path / "data" / "imagenet").iterdir()) == []


# ------------------------------------------------------------------------------------ other layouts


@pytest.mark.parametrize(
    ("absent", "said"),
    [
        (["val"], "has no folder val; imagenet:PATH needs PATH/train/<synset>/"),
        (["train"], "has no folder train; imagenet:PATH needs"),
        (["train", "val"], "has no folder train and no folder val; imagenet:PATH needs"),
    ],
)
def test_without_a_folder_the_message_says_what_it_must_be(load, root, absent, said):
    for part in absent:
        shutil.rmtree(root / part)
    with pytest.raises(FileNotFoundError) as caught:
        load()
    assert said in str(caught.value)
    assert "torchvision.datasets.ImageNet arranges the archives of" in str(caught.value)


def test_a_flat_val_is_refused_with_what_sorts_it(load, root):
    for name in CLASSES:
        for path in (root / "val" / name).iterdir():
            path.rename(root / "val" / path.name)
        (root / "val" / name).rmdir()
    with pytest.raises(
        ValueError, match=r"holds 6 images in no class folders; sort them"
    ) as caught:
        load()
    assert f"into {root / 'val'}/<synset>/, as in train" in str(caught.value)
    assert "ILSVRC2012_devkit_t12.tar.gz" in str(caught.value)


def test_a_flat_train_and_an_empty_one_are_refused(load, root):
    shutil.rmtree(root / "train")
    photograph(root / "train" / "1.JPEG", 3)
    with pytest.raises(ValueError, match="train holds 1 images in no class folders"):
        load()
    (root / "train" / "1.JPEG").unlink()
    with pytest.raises(ValueError, match="train is empty; it must hold a folder for each class"):
        load()


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (
            "val",
            r"val lacks 1 class that train has \(n01443537\); add it to val, or remove it",
        ),
        ("train", r"train lacks 1 class that val has \(n01443537\); add it to train, or remove it"),
    ],
)
def test_a_class_that_only_one_has_is_refused(load, root, part, said):
    shutil.rmtree(root / part / CLASSES[1])
    with pytest.raises(ValueError, match=said):
        load()


def test_a_class_with_one_image_or_none_is_refused(load, root):
    folder = root / "train" / CLASSES[2]
    for path in sorted(folder.iterdir())[1:]:
        path.unlink()
    with pytest.raises(ValueError, match="train has one image only of n02102040; each class needs"):
        load()
    next(folder.iterdir()).unlink()
    with pytest.raises(ValueError, match="no image in the class folder n02102040; fill or remove"):
        load()


def test_pictures_that_can_not_be_read_are_all_named_and_nothing_is_left(load, root, tmp_path):
    (root / "train" / CLASSES[0] / "broken.JPEG").write_bytes(b"text")
    (root / "val" / CLASSES[1] / "empty.JPEG").touch()
    with pytest.raises(ValueError, match="2 of 38 image files can't be read") as caught:
        load()
    assert f"train/{CLASSES[0]}/broken.JPEG (not an image" in str(caught.value)
    assert f"val/{CLASSES[1]}/empty.JPEG (empty file)" in str(caught.value)
    assert list((tmp_path / "data" / "imagenet").iterdir()) == []


def test_the_front_door_knows_it_and_its_shares(root, tmp_path):
    check_dataset("imagenet:/anywhere")
    with pytest.raises(LookupError, match="imagenet needs the path of the folder that holds train"):
        check_dataset("imagenet")
    data = load_dataset(f"imagenet:{root}@25%", tmp_path / "data", 32)
    assert data.train.labels.bincount().tolist() == [2, 2, 2]
    assert [len(data.validation), len(data.test)] == [6, 6]
