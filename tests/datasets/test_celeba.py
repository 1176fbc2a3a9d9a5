import hashlib
import io
import json
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from coequal.datasets import celeba
from coequal.datasets.celeba import ARCHIVE, PARTITION, PICTURES, Release, load_celeba

# Not in the order of the splits, as nobody promises that they are.
SPLIT_OF = {"000001.jpg": 0, "000002.jpg": 1, "000003.jpg": 0, "000004.jpg": 2}


def jpeg(number, size=(178, 218)):
    """Grey 60 * number outside the centre 160x160, red 50 * number within it."""
    image = Image.new("RGB", size, (60 * number,) * 3)
    image.paste((50 * number, 0, 0), (9, 29, 169, 189))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=100, subsampling=0)
    return buffer.getvalue()


def contents():
    return {name: jpeg(number) for number, name in enumerate(SPLIT_OF, start=1)}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "celeba").mkdir()
    return tmp_path / "celeba"


@pytest.fixture
def fill(folder, monkeypatch):
    """Put pictures and a partition where they belong, their checksums in force."""

    def fill(pictures, zipped=True):
        partition = "".join(f"{name} {split}\n" for name, split in SPLIT_OF.items()).encode()
        (folder / PARTITION).write_bytes(partition)
        archive = folder / ARCHIVE
        if zipped:
            with zipfile.ZipFile(archive, "w") as packed:
                for name, raw in pictures.items():
                    packed.writestr(f"{PICTURES}/{name}", raw)
        else:
            (folder / PICTURES).mkdir()
            for name, raw in pictures.items():
                (folder / PICTURES / name).write_bytes(raw)
        sums = [
            hashlib.sha256(path.read_bytes() if path.exists() else b"").hexdigest()
            for path in (archive, folder / PARTITION)
        ]
        monkeypatch.setattr(celeba, "RELEASE", Release(*sums))

    return fill


@pytest.mark.parametrize("zipped", [True, False])
def test_the_splits_are_the_published_ones_and_the_pictures_their_centres(fill, tmp_path, zipped):
    fill(contents(), zipped)
    data = load_celeba("", tmp_path)
    assert data.shape == (3, 64, 64)
    reds = [[50, 150], [100], [200]]  # of the pictures 1 and 3, 2, 4
    for split, wanted in zip((data.train, data.validation, data.test), reds, strict=True):
        assert split.images.dtype == torch.uint8
        assert split.labels is None
        for image, red in zip(split.images.whole.int(), wanted, strict=True):
            assert (image[0] - red).abs().max() <= 2  # JPEG rounds
            assert image[1:].max() <= 2  # nothing of the grey frame is left
    assert data.classes is None


def test_the_notes_say_what_was_done_and_whether_the_pictures_were_checked(fill, tmp_path):
    fill(contents())
    notes = load_celeba("", tmp_path).notes
    assert notes[0] == "the splits are the official ones"
    assert (
        "cropped to their centre 160x160, as in Lucic et al. 2018, and resized to 64x64"
        in (notes[1])
    )
    assert notes[2] == "the pictures are those of the published img_align_celeba.zip (SHA-256)"


def test_an_unpacked_folder_says_that_nothing_vouches_for_it(fill, tmp_path):
    fill(contents(), zipped=False)
    assert "for which no checksums are published" in load_celeba("", tmp_path).notes[2]


def test_pictures_are_decoded_once_into_a_file_that_is_enough(fill, folder, tmp_path):
    fill(contents())
    lines = []
    first = load_celeba("", tmp_path, log=lines.append)
    assert lines == [f"checking {folder / ARCHIVE}"]
    (folder / ARCHIVE).unlink()
    (folder / PARTITION).unlink()
    again = load_celeba("", tmp_path, log=lines.append)
    assert len(lines) == 1
    assert torch.equal(first.train.images.whole, again.train.images.whole)
    assert first.notes == again.notes
    names = ["aligned_64x64.json", "aligned_64x64.npy"]
    assert sorted(path.name for path in folder.iterdir()) == names


def test_the_file_is_mapped_and_what_is_written_to_the_images_stays_in_memory(
    fill, folder, tmp_path
):
    fill(contents())
    images = load_celeba("", tmp_path).train.images.whole
    before = (folder / "aligned_64x64.npy").read_bytes()
    assert isinstance(np.load(folder / "aligned_64x64.npy", mmap_mode="c"), np.memmap)
    images.fill_(7)
    assert (folder / "aligned_64x64.npy").read_bytes() == before


def test_another_size_is_decoded_from_the_pictures(fill, folder, tmp_path):
    fill(contents())
    data = load_celeba("", tmp_path, 32)
    assert data.shape == (3, 32, 32)
    assert "resized to 32x32" in data.notes[1]
    assert (folder / "aligned_32x32.npy").exists()


@pytest.mark.parametrize(
    ("present", "said"),
    [
        ((), "has no img_align_celeba.zip or img_align_celeba/ and no list_eval_partition.txt."),
        ((ARCHIVE,), "has no list_eval_partition.txt."),
        ((PARTITION,), "has no img_align_celeba.zip or img_align_celeba/."),
    ],
)
def test_without_its_files_the_message_says_what_to_put_where(folder, tmp_path, present, said):
    for name in present:
        (folder / name).touch()
    with pytest.raises(FileNotFoundError) as caught:
        load_celeba("", tmp_path)
    assert said in str(caught.value)
    assert f"Eval/list_eval_partition.txt into {folder} by hand" in str(caught.value)


@pytest.mark.parametrize("name", [ARCHIVE, PARTITION])
def test_other_files_than_the_published_are_refused(fill, folder, tmp_path, name):
    fill(contents())
    with (folder / name).open("ab") as file:
        file.write(b"more")
    with pytest.raises(ValueError, match=f"{name} has SHA-256 .* download it again"):
        load_celeba("", tmp_path)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (jpeg(2, size=(178, 200)), "000002.jpg of CelebA can't be used: 178x200, not 178x218"),
        (jpeg(2)[:900], "000002.jpg of CelebA can't be used: image file is truncated"),
        (b"text", "000002.jpg of CelebA can't be used: cannot identify"),
    ],
)
def test_a_picture_of_another_form_is_refused_and_nothing_is_left(
    fill, folder, tmp_path, raw, said
):
    fill({**contents(), "000002.jpg": raw})
    with pytest.raises(ValueError, match=said):
        load_celeba("", tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == [ARCHIVE, PARTITION]


def test_a_missing_picture_is_named(fill, folder, tmp_path):
    fill(contents(), zipped=False)
    (folder / PICTURES / "000003.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"000003.jpg is missing; unpack the archive again"):
        load_celeba("", tmp_path)


def test_damaged_decoded_pictures_are_decoded_anew_and_others_refused(fill, folder, tmp_path):
    fill(contents())
    load_celeba("", tmp_path)
    array = folder / "aligned_64x64.npy"
    whole = array.read_bytes()
    array.write_bytes(whole[:-1])
    lines = []
    load_celeba("", tmp_path, log=lines.append)
    assert array.read_bytes() == whole
    assert any("aligned_64x64.npy or aligned_64x64.json is damaged" in line for line in lines)
    text = folder / "aligned_64x64.json"
    text.write_text(json.dumps({**json.loads(text.read_text()), "counts": [2, 1, 2]}))
    with pytest.raises(ValueError, match=r"is damaged \(holds uint8 of shape \(4, 3, 64, 64\)"):
        load_celeba("", tmp_path)
