"""`.npy` and `.npz` files: labels, what is not used, what can't be read; and sizes of images."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from coequal.inputs.load import from_generator, load_input

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)


def loaded(given: object, **options: object) -> object:
    return load_input(given, role="fake", data_dir=Path("nowhere"), **options)


def saved(path: Path, **arrays: object) -> Path:
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("names", [("arr_0", "arr_1"), ("images", "labels"), ("x", "y")])
def test_labels_in_an_npz_are_read(tmp_path, names):
    labels = np.arange(6) % 3
    found = loaded(saved(tmp_path / "a.npz", **dict(zip(names, (PIXELS, labels), strict=True))))
    assert found.labels.tolist() == labels.tolist()
    assert found.notes == ()


def test_labels_in_an_npz_may_be_names(tmp_path):
    labels = np.array(["dog", "cat"] * 3)
    found = loaded(saved(tmp_path / "a.npz", images=PIXELS, labels=labels))
    assert found.classes == ("cat", "dog")
    assert found.labels.tolist() == [1, 0] * 3


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (np.arange(5), "5 labels for 6 images"),
        (np.eye(6), "labels must be whole numbers from 0, or names"),
        (np.array(3), "the labels can't be read"),
        (np.array([None] * 6, dtype=object), "the labels can't be read"),
    ],
)
def test_labels_of_an_npz_that_can_not_be_used_are_told(tmp_path, labels, reason):
    found = loaded(saved(tmp_path / "a.npz", arr_0=PIXELS, arr_1=labels))
    assert found.labels is None
    assert found.notes[0].startswith(f"labels are not used: {reason}")


def test_arrays_in_folders_of_an_npz_are_found(tmp_path):
    found = loaded(saved(tmp_path / "a.npz", **{"a/images": PIXELS, "a/labels": np.arange(6)}))
    assert found.labels.tolist() == list(range(6))
    with pytest.raises(ValueError, match="holds a/images, b/images; name one `images`, and only"):
        loaded(saved(tmp_path / "b.npz", **{"a/images": PIXELS, "b/images": PIXELS}))
    with pytest.raises(ValueError, match="holds no arrays; name one"):
        loaded(saved(tmp_path / "c.npz"))


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("spoil", ["cut", "empty", "garbage", "objects"])
def test_a_file_that_can_not_be_read_is_named(tmp_path, suffix, spoil):
    path = tmp_path / f"a{suffix}"
    save = np.save if suffix == ".npy" else np.savez
    save(path, PIXELS if spoil != "objects" else np.array([{}, []], dtype=object))
    whole = path.read_bytes()
    path.write_bytes({"cut": whole[:-400], "empty": b"", "garbage": b"x" * 999}.get(spoil, whole))
    with pytest.raises(ValueError, match="can't be read") as caught:
        loaded(path)
    said = str(caught.value)
    assert said.startswith(f"fake: {path} can't be read")
    assert "pickle" not in said
    assert ("Python objects" in said) == (spoil == "objects")


# ---------------------------------------------------------------------------------- sizes of images


@pytest.mark.parametrize("form", ["array", "floats", "npy", "npz", "pictures"])
def test_every_kind_of_images_is_resized_alike(tmp_path, form):
    folder = tmp_path / "folder"
    folder.mkdir()
    for row, image in enumerate(PIXELS):
        Image.fromarray(image).save(folder / f"{row}.png")
    np.save(tmp_path / "a.npy", PIXELS)
    np.savez(tmp_path / "a.npz", PIXELS)
    given = {
        "array": PIXELS,
        "floats": PIXELS / 255,
        "npy": tmp_path / "a.npy",
        "npz": tmp_path / "a.npz",
        "pictures": [Image.fromarray(image) for image in PIXELS],
    }[form]
    found = loaded(given, image_size=5)
    assert found.shape == (3, 5, 5)
    assert found.digest() == loaded(str(folder), image_size=5).digest()
    assert any("resized to 5x5" in note for note in found.notes)
    same = loaded(given, image_size=8)
    assert not any("resized" in note for note in same.notes)
    assert same.digest() == loaded(given).digest()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (torch.rand(6, 5), "holds features, which can't be resized; leave out image_size"),
        (torch.rand(6, 2, 1, 1), "holds points, which can't be resized"),
    ],
)
def test_what_has_no_size_is_not_resized(given, message):
    with pytest.raises(ValueError, match=message):
        loaded(given, image_size=5)


def test_images_of_a_model_are_not_resized():
    made = from_generator(torch.zeros(3, 1, 8, 8, dtype=torch.uint8), None, "runs/a:ns_gan")
    assert loaded(made, image_size=8) is made
    with pytest.raises(ValueError, match="images of runs/a:ns_gan can't be resized"):
        loaded(made, image_size=5)


@pytest.mark.parametrize("size", [0, -5, 100_000])
def test_a_size_that_no_image_has_is_refused(size):
    with pytest.raises(ValueError, match=f"image size must be from 1 to 4096 pixels, got {size}"):
        loaded(PIXELS, image_size=size)
