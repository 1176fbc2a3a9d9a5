"""Folders and zips as other programs make them: Macs, StyleGAN, other formats."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from coequal.datasets.folder import load_folder
from coequal.inputs.load import load_input


def picture(path: Path, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8)).save(path)
    return path


def pictures(folder: Path, *names: str) -> Path:
    for seed, name in enumerate(names):
        picture(folder / name, seed)
    return folder


def packed(folder: Path, path: Path) -> str:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
    return str(path)


def loaded(given: object, **options: object) -> object:
    return load_input(str(given), role="fake", data_dir=Path("nowhere"), **options)


FLAT = ("a.png", "b.png", "c.png")
CLASSES = ("cat/a.png", "cat/b.png", "dog/c.png")


@pytest.mark.parametrize("inside", ["", "samples/"])
@pytest.mark.parametrize("names", [FLAT, CLASSES])
def test_what_a_mac_puts_into_zips_is_hidden(tmp_path, inside, names):
    plain = pictures(tmp_path / "plain", *names)
    made = pictures(tmp_path / "made", *(inside + name for name in names))
    for name in names:
        where = made / "__MACOSX" / inside / name
        where.parent.mkdir(parents=True, exist_ok=True)
        where.with_name(f"._{where.name}").write_bytes(b"resource fork")
    (made / inside / ".DS_Store").write_bytes(b"\0")
    wanted = loaded(plain)
    found = loaded(packed(made, tmp_path / "made.zip"))
    assert found.digest() == wanted.digest()
    assert found.classes == wanted.classes
    if not inside:  # unpacked by hand
        assert loaded(made).digest() == wanted.digest()


@pytest.mark.parametrize("name", ["@eaDir", "lost+found", "__MACOSX"])
def test_folders_of_systems_are_no_classes(tmp_path, name):
    folder = pictures(tmp_path, *CLASSES)
    (folder / name).mkdir()
    assert loaded(folder).classes == ("cat", "dog")


def test_folders_without_images_do_not_make_classes(tmp_path):
    folder = pictures(tmp_path, *FLAT)
    (folder / "grids").mkdir()
    (folder / "grids" / "log.txt").write_text("1")
    found = loaded(folder)
    assert len(found) == 3
    assert "1 folder without images skipped (grids)" in found.notes
    picture(folder / "grids" / "grid.png", 1)
    with pytest.raises(ValueError, match=r"beside folders \(grids\)"):
        loaded(folder)


def test_a_message_about_a_zip_names_the_zip(tmp_path):
    path = packed(pictures(tmp_path / "made", "a.png", "cat/b.png"), tmp_path / "made.zip")
    with pytest.raises(ValueError, match="beside folders") as caught:
        loaded(path)
    assert str(caught.value).startswith(f"fake: {path} holds images")


# ----------------------------------------------------------------------------- StyleGAN's datasets

SHARDS = ("00000/a.png", "00000/b.png", "00001/c.png")


def described(folder: Path, labels: object) -> Path:
    (folder / "dataset.json").write_text(json.dumps({"labels": labels}))
    return folder


@pytest.mark.parametrize("zipped", [False, True])
def test_labels_are_those_of_dataset_json(tmp_path, zipped):
    folder = pictures(tmp_path / "a", *SHARDS)
    described(folder, [["00001/c.png", 0], ["00000/a.png", 2], ["00000/b.png", 0]])
    found = loaded(packed(folder, tmp_path / "a.zip") if zipped else folder)
    assert found.labels.tolist() == [2, 0, 0]
    assert found.classes == ("0", "1", "2")
    assert found.notes == ("the classes are the labels in dataset.json",)
    assert found.warnings == ()


def test_shards_without_labels_are_no_classes(tmp_path):
    found = loaded(described(pictures(tmp_path, *SHARDS), None))
    assert found.labels is None
    assert found.classes is None
    assert found.notes == ("dataset.json has no labels, so the sub-folders are not classes",)


def test_shards_that_nothing_tells_of_are_warned_of(tmp_path):
    found = loaded(pictures(tmp_path, *SHARDS))
    assert found.classes == ("00000", "00001")
    assert "sub-folders 00000, 00001 were taken for classes" in found.warnings[0]
    # Digits, synsets and years are classes.
    for names in (("0/a.png", "1/b.png"), ("n01/a.png", "n02/b.png"), ("1999/a.png", "2001/b.png")):
        assert loaded(pictures(tmp_path / names[0].replace("/", "_"), *names)).warnings == ()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([["00000/a.png", 2]], r"dataset.json has no label of 2 \(00000/b.png, 00001/c.png\)"),
        ({"00000/a.png": 2}, r"labels must be \[file, number\] pairs"),
    ],
)
def test_a_wrong_dataset_json_is_refused(tmp_path, labels, message):
    with pytest.raises(ValueError, match=message):
        loaded(described(pictures(tmp_path, *SHARDS), labels))


def test_vectors_as_labels_are_told(tmp_path):
    labels = [[name, [0.5, 0.1]] for name in SHARDS]
    found = loaded(described(pictures(tmp_path, *SHARDS), labels))
    assert found.labels is None
    assert found.warnings == (
        "the labels in dataset.json are not class numbers, and were not used",
    )


def test_a_data_set_for_training_reads_dataset_json_too(tmp_path):
    names = [f"{row // 8:05}/{row:03}.png" for row in range(20)]
    folder = pictures(tmp_path / "a", *names)
    lines: list[str] = []
    assert any(
        "taken for classes" in note
        for note in load_folder(str(folder), tmp_path, log=lines.append).notes
    )
    assert any(line.startswith(f"warning: {folder}: the sub-folders 00000,") for line in lines)
    described(folder, [[name, row % 2] for row, name in enumerate(names)])
    data = load_folder(str(folder), tmp_path)
    assert data.classes == ("0", "1")
    found = [
        (image.numpy().tobytes(), int(label))
        for part in (data.train, data.validation, data.test)
        for image, label in zip(part.images.whole, part.labels, strict=True)
    ]
    wanted = [
        (np.asarray(Image.open(folder / name)).tobytes(), row % 2) for row, name in enumerate(names)
    ]
    assert sorted(found) == sorted(wanted)
    described(folder, None)
    assert load_folder(str(folder), tmp_path).classes is None


# ------------------------------------------------------------------------------------ other formats


def test_pictures_that_are_not_read_are_warned_of(tmp_path):
    folder = pictures(tmp_path, *FLAT)
    for name in ("d.avif", "e.HEIC"):
        (folder / name).write_bytes(b"picture")
    (folder / "log.txt").write_text("1")
    found = loaded(folder)
    assert found.warnings == (
        "2 pictures were left out, as such files are not read (d.avif, e.HEIC); convert them to "
        "PNG",
    )
    assert found.notes == ("1 file without an image's suffix skipped (log.txt)",)
    for name in FLAT:
        (folder / name).unlink()
    with pytest.raises(ValueError, match=r"has no images .* 2 pictures were left out"):
        loaded(folder)


def test_other_suffixes_of_known_formats_are_read(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 8, 8), dtype=np.uint8)
    for image, name in zip(pixels, ("a.pgm", "b.pgm", "c.png"), strict=True):
        Image.fromarray(image).save(tmp_path / name)
    assert np.array_equal(loaded(tmp_path).images.whole[:, 0].numpy(), pixels)
    for name in ("d.jfif", "e.jpe"):
        Image.fromarray(pixels[0]).save(tmp_path / name, "JPEG")
    assert len(loaded(tmp_path)) == 5


@pytest.mark.parametrize("suffix", ["png", "pgm"])
def test_twelve_bits_in_sixteen_are_warned_of(tmp_path, suffix):
    for row in range(3):
        values = np.full((8, 8), 4095 - row, np.uint16)
        Image.fromarray(values).save(tmp_path / f"{row}.{suffix}")
    found = loaded(tmp_path)
    assert int(found.images.whole.max()) == 15  # 4095 // 256
    assert "no value of the 3 16-bit images is above 4095" in found.warnings[0]
    dark = [Image.fromarray(np.full((8, 8), k, dtype)) for k in (9, 200) for dtype in ("i4", "u2")]
    found = load_input(dark, role="fake", data_dir=tmp_path)
    assert int(found.images.whole.max()) == 0
    assert found.notes[0].startswith("4 16-bit images were scaled to 8 bits (high bytes)")
    assert "no value of the 4 16-bit images is above 4095" in found.warnings[0]
    Image.fromarray(np.full((8, 8), 4096, np.uint16)).save(tmp_path / f"3.{suffix}")
    assert loaded(tmp_path).warnings == ()
