import os
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from coequal.datasets.folder import load_folder


def colour(number, size=(8, 8)):
    return Image.new("RGB", size, (number, 2 * number, 255 - number))


def grey(number, size=(8, 8)):
    return Image.new("L", size, number)


def fill(folder, make=colour, count=10, first=0, **how):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        make(number, **how).save(folder / f"{number:03}.png")
    return folder


@pytest.fixture
def load(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")  # where decoded pictures lie

    def load(folder, image_size=None, log=None):
        return load_folder(str(folder), data, image_size, log)

    return load


def splits(data):
    return data.train, data.validation, data.test


def everything(data):
    """All images, as a list of (c, h, w) tensors."""
    return list(torch.cat([split.images.whole for split in splits(data)]))


def test_images_in_the_folder_have_no_labels(load, tmp_path):
    data = load(fill(tmp_path, count=12))
    assert data.shape == (3, 8, 8)
    assert [len(split) for split in splits(data)] == [8, 2, 2]  # 12 // 5 = 2
    assert data.classes is None
    assert data.train.labels is None
    assert data.notes == ("split 60/20/20",)
    reds = sorted(int(image[0, 0, 0]) for image in everything(data))
    assert reds == list(range(12))


def test_channels_are_red_green_blue(load, tmp_path):
    for image in everything(load(fill(tmp_path))):
        red = int(image[0, 0, 0])
        assert image[:, 5, 3].tolist() == [red, 2 * red, 255 - red]


def test_sub_folders_are_classes_sorted_by_name(load, tmp_path):
    fill(tmp_path / "dog", first=100)
    fill(tmp_path / "cat", first=0)
    data = load(tmp_path)
    assert data.classes == ("cat", "dog")
    for split in splits(data):
        assert split.labels.tolist() == [int(red >= 100) for red in split.images.whole[:, 0, 0, 0]]
        assert set(split.labels.tolist()) == {0, 1}
    assert data.test.labels.dtype == torch.int64


def test_the_split_does_not_depend_on_where_the_folder_lies(load, tmp_path):
    first, second = load(fill(tmp_path / "a")), load(fill(tmp_path / "b" / "c"))
    assert torch.equal(first.test.images.whole, second.test.images.whole)
    assert torch.equal(first.train.images.whole, second.train.images.whole)


def test_all_grey_images_have_one_channel_and_equal_channels_stay_rgb(load, tmp_path):
    assert load(fill(tmp_path / "a", grey)).shape == (1, 8, 8)
    fill(tmp_path / "b", lambda number: grey(number).convert("RGB"))
    assert load(tmp_path / "b").shape == (3, 8, 8)


def test_grey_among_colour_becomes_rgb(load, tmp_path):
    fill(tmp_path, grey, count=2, first=50)
    data = load(fill(tmp_path))
    assert "2 grey images were converted to RGB (others have colour) (050.png, 051.png)" in (
        data.notes
    )
    assert [50, 50, 50] in [image[:, 0, 0].tolist() for image in everything(data)]


def test_every_suffix_is_read_in_either_case(load, tmp_path):
    for number, suffix in enumerate(["PNG", "jpg", "JPEG", "bmp", "webp", "tif", "tiff", "gif"]):
        colour(10 * number).save(tmp_path / f"{suffix}.{suffix}")
    fill(tmp_path, count=2, first=100)
    assert len(everything(load(tmp_path))) == 10


# ------------------------------------------------------------------------------------- odd pictures


def one_odd(load, folder, image, name="odd.png", make=colour, **how):
    """The notes of a folder with one odd picture, and that picture as it was read."""
    fill(folder, make, first=1)
    if isinstance(image, bytes):
        (folder / name).write_bytes(image)
    else:
        image.save(folder / name, **how)
    data = load(folder)
    plain = range(1, 11)  # the first channel of what `fill` made, in colour or grey
    (odd,) = [image for image in everything(data) if int(image[0, 0, 0]) not in plain]
    return data.notes, odd


def png(header, rows):
    """A PNG of 8x8 with the given bit depth and colour type."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", 8, 8, *header, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_cmyk(load, tmp_path):
    # No ink but half of yellow: red and green full, blue half.
    image = Image.new("CMYK", (8, 8), (0, 0, 128, 0))
    notes, odd = one_odd(load, tmp_path, image, "odd.tif")
    assert "1 CMYK image was converted to RGB (odd.tif)" in notes
    assert odd[:, 0, 0].tolist() == [255, 255, 127]


def test_alpha_is_laid_on_white(load, tmp_path):
    image = Image.new("RGBA", (8, 8), (100, 0, 0, 0))
    image.putpixel((3, 0), (200, 0, 255, 51))  # a fifth: 200/5 + 255*4/5 = 244, 204, 255
    notes, odd = one_odd(load, tmp_path, image)
    assert "1 transparent image was composited on white (odd.png)" in notes
    assert odd[:, 0, 0].tolist() == [255, 255, 255]
    assert odd[:, 0, 3].tolist() == [244, 204, 255]


def test_grey_with_alpha_stays_grey(load, tmp_path):
    image = Image.new("LA", (8, 8), (0, 51))
    notes, odd = one_odd(load, tmp_path, image, make=grey)
    assert "1 transparent image was composited on white (odd.png)" in notes
    assert odd.shape == (1, 8, 8)
    assert odd.unique().tolist() == [204]


def test_a_colour_that_means_transparent_is_laid_on_white(load, tmp_path):
    image = Image.new("RGB", (8, 8), (60, 70, 80))
    notes, odd = one_odd(load, tmp_path, image, transparency=(60, 70, 80))
    assert "1 transparent image was composited on white (odd.png)" in notes
    assert odd.unique().tolist() == [255]


def palette(*colours):
    image = Image.new("P", (8, 8), 1)
    image.putpalette([value for one in colours for value in one])
    return image


def test_palette_of_colours(load, tmp_path):
    notes, odd = one_odd(load, tmp_path, palette((0, 0, 0), (90, 80, 70)))
    assert "1 palette image was converted to RGB (odd.png)" in notes
    assert odd[:, 0, 0].tolist() == [90, 80, 70]


def test_palette_of_greys_is_grey(load, tmp_path):
    notes, odd = one_odd(load, tmp_path, palette((0, 0, 0), (90, 90, 90)), make=grey)
    assert "1 palette image was converted to grey (all their colours are grey) (odd.png)" in notes
    assert odd.shape == (1, 8, 8)
    assert odd.unique().tolist() == [90]


def test_transparent_palette_has_both_notes(load, tmp_path):
    image = palette((9, 9, 9), (90, 80, 70))
    notes, odd = one_odd(load, tmp_path, image, transparency=1)
    assert "1 palette image was converted to grey (all their colours are grey) (odd.png)" in notes
    assert "1 transparent image was composited on white (odd.png)" in notes
    assert odd.unique().tolist() == [255]


def test_one_bit(load, tmp_path):
    image = Image.new("1", (8, 8), 1)
    notes, odd = one_odd(load, tmp_path, image, make=grey)
    assert "1 1-bit image was converted to 8-bit grey (odd.png)" in notes
    assert odd.unique().tolist() == [255]


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_of_grey(load, tmp_path, suffix):
    values = np.full((8, 8), 0x8000, dtype=np.uint16)
    values[0, 1:3] = 0xFFFF, 0x01FF
    notes, odd = one_odd(load, tmp_path, Image.fromarray(values), f"odd.{suffix}", make=grey)
    assert f"1 16-bit image was scaled to 8 bits (high bytes) (odd.{suffix})" in notes
    assert odd[0, 0, :3].tolist() == [0x80, 0xFF, 0x01]


def test_sixteen_bits_of_colour(load, tmp_path):
    row = struct.pack(">3H", 0x80FF, 0x0101, 0xFFFF) * 8
    notes, odd = one_odd(load, tmp_path, png((16, 2), [row] * 8))
    assert "1 16-bit image was scaled to 8 bits (high bytes) (odd.png)" in notes
    assert odd[:, 0, 0].tolist() == [0x80, 0x01, 0xFF]


def test_the_first_of_many_frames(load, tmp_path):
    frames = [Image.new("RGB", (8, 8), shade) for shade in ((200, 0, 0), (0, 200, 0))]
    notes, odd = one_odd(
        load,
        tmp_path,
        frames[0],
        "odd.webp",
        save_all=True,
        append_images=frames[1:],
        lossless=True,
    )
    assert "1 many-framed image was reduced to the first frame (odd.webp)" in notes
    assert odd[:, 0, 0].tolist() == [200, 0, 0]


def test_a_phone_s_jpg_with_a_second_picture_in_it(load, tmp_path):
    frames = [Image.new("RGB", (8, 8), (200, 200, 200)), Image.new("RGB", (8, 8), (0, 0, 0))]
    notes, odd = one_odd(
        load,
        tmp_path,
        frames[0],
        "odd.jpg",
        format="MPO",
        save_all=True,
        append_images=frames[1:],
    )
    assert "1 many-framed image was reduced to the first frame (odd.jpg)" in notes
    assert odd[:, 0, 0].tolist() == [200, 200, 200]


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_exif_rotation_is_undone(load, tmp_path, suffix):
    image = Image.new("RGB", (8, 8), (200, 200, 200))
    image.putpixel((0, 0), (50, 50, 50))  # top left; turned clockwise (6) it is top right
    exif = Image.Exif()
    exif[0x0112] = 6
    notes, odd = one_odd(load, tmp_path, image, f"odd.{suffix}", exif=exif)
    assert f"1 EXIF-rotated image was turned upright (odd.{suffix})" in notes
    assert odd[0, 0, 7] == 50


def test_a_plain_folder_has_no_note_of_odd_pictures(load, tmp_path):
    assert load(fill(tmp_path)).notes == ("split 60/20/20",)


def seen_through(number):
    image = colour(number).convert("RGBA")
    image.putalpha(128)
    return image


def test_an_alpha_channel_of_an_opaque_picture_is_no_transparency(load, tmp_path):
    fill(tmp_path / "opaque", lambda number: colour(number).convert("RGBA"))
    found = load(tmp_path / "opaque")
    assert found.notes == ("split 60/20/20",)
    assert [image.tolist() for image in everything(found)] == [
        image.tolist() for image in everything(load(fill(tmp_path / "plain")))
    ]


def test_many_names_are_cut_to_three(load, tmp_path):
    fill(tmp_path, seen_through, count=12)
    (note, _) = load(tmp_path).notes
    assert note == (
        "12 transparent images were composited on white (000.png, 001.png, 002.png, and 9 more)"
    )


# -------------------------------------------------------------------------------------------- sizes


def test_different_sizes_are_refused_with_their_counts(load, tmp_path):
    fill(tmp_path, count=8)
    fill(tmp_path, count=3, first=50, size=(30, 20))
    with pytest.raises(ValueError, match=r"2 sizes \(8x8: 8, 30x20: 3\); give an image size"):
        load(tmp_path)


def test_different_sizes_are_cropped_and_resized_if_a_size_is_given(load, tmp_path):
    fill(tmp_path, count=10)
    wide = Image.new("RGB", (60, 28), (0, 0, 0))
    wide.paste((77, 77, 77), (16, 0, 44, 28))  # the centre square
    wide.save(tmp_path / "wide.png")
    data = load(tmp_path, 28)
    assert data.shape == (3, 28, 28)
    assert [77] in [image.unique().tolist() for image in everything(data)]
    assert (
        "images of 8x8: 10, 60x28: 1 were cropped to their centre square and resized to 28x28 "
        "(Pillow, antialiased bilinear)"
    ) in data.notes


def test_images_of_the_wanted_size_get_no_note(load, tmp_path):
    assert load(fill(tmp_path, size=(28, 28)), 28).notes == ("split 60/20/20",)


# ------------------------------------------------------------------------ repeats and leftovers


def test_repeats_are_left_out_and_named(load, tmp_path):
    fill(tmp_path)
    (tmp_path / "zz.png").write_bytes((tmp_path / "004.png").read_bytes())
    colour(5).save(tmp_path / "zzz.bmp")  # other bytes, the same pixels
    data = load(tmp_path)
    assert len(everything(data)) == 10
    assert (
        "2 images repeat the pixels of another; left out (zz.png = 004.png, zzz.bmp = 005.png)"
        in data.notes
    )


def test_other_files_are_skipped_and_named(load, tmp_path):
    fill(tmp_path)
    (tmp_path / "readme.txt").write_text("hello")
    (tmp_path / ".hidden.png").write_text("no image")
    (tmp_path / ".git").mkdir()
    notes = load(tmp_path).notes
    assert "1 file without an image's suffix skipped (readme.txt)" in notes
    assert "2 files with a hidden name skipped (.git, .hidden.png)" in notes


def test_classes_with_few_images_are_named(load, tmp_path):
    fill(tmp_path / "many", count=10)
    fill(tmp_path / "few", count=2, first=50)
    data = load(tmp_path)
    assert "classes with fewer than 3 images are in train only (few)" in data.notes
    assert data.train.labels.bincount().tolist() == [2, 6]


# -------------------------------------------------------------------------------------- refusals


def test_broken_files_are_counted_and_the_first_five_named(load, tmp_path):
    fill(tmp_path, count=12)
    whole = (tmp_path / "000.png").read_bytes()
    for number in range(5):
        (tmp_path / f"{number:03}.png").write_bytes(whole[:-30])
    (tmp_path / "005.png").write_bytes(b"")
    (tmp_path / "006.jpg").write_text("no image at all")
    with pytest.raises(ValueError) as caught:
        load(tmp_path)
    message = str(caught.value)
    assert "7 of 13 image files can't be read: 000.png (" in message
    assert "004.png (" in message
    assert "005.png" not in message
    assert message.endswith("and 2 more; fix or remove them")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.write_bytes(b""), "x.png (empty file)"),
        (lambda path: path.write_text("hello"), "x.png (not an image of a known format)"),
        (lambda path: path.symlink_to("nowhere"), "x.png (not a regular file, or a broken link)"),
        (lambda path: os.mkfifo(path), "x.png (not a regular file, or a broken link)"),
        (lambda path: Image.new("F", (8, 8)).save(path, "TIFF"), "x.png (32-bit or floating"),
    ],
)
def test_the_reason_is_given(load, tmp_path, spoil, said):
    spoil(fill(tmp_path) / "x.png")
    with pytest.raises(ValueError) as caught:
        load(tmp_path)
    assert said in str(caught.value)


def test_a_missing_folder(load, tmp_path):
    with pytest.raises(FileNotFoundError, match=f"there is no folder {tmp_path}/absent"):
        load(tmp_path / "absent")


def test_a_file_instead_of_a_folder(load, tmp_path):
    (tmp_path / "images.zip").touch()
    with pytest.raises(ValueError, match=r"images.zip is a file"):
        load(tmp_path / "images.zip")


def test_a_mixture_of_images_and_class_folders(load, tmp_path):
    fill(fill(tmp_path) / "cat")
    with pytest.raises(ValueError, match=r"holds images \(000.png, .*\) beside folders \(cat\)"):
        load(tmp_path)


def test_a_class_folder_without_images(load, tmp_path):
    fill(tmp_path / "cat")
    (tmp_path / "dog").mkdir()
    with pytest.raises(ValueError, match="no image in the class folder dog; fill or remove"):
        load(tmp_path)


def test_a_folder_within_a_class_folder(load, tmp_path):
    fill(tmp_path / "train" / "cat")
    with pytest.raises(ValueError, match=r"folders within class folders \(train/cat\)"):
        load(tmp_path)


def test_too_few_images(load, tmp_path):
    with pytest.raises(ValueError, match="has 9 images; 10 are the fewest"):
        load(fill(tmp_path, count=9))
    colour(3).save(tmp_path / "again.png")
    with pytest.raises(ValueError, match="has 9 images that differ; 10 are the fewest"):
        load(tmp_path)


def test_classes_too_small_to_split(load, tmp_path):
    for number in range(10):
        fill(tmp_path / str(number), count=1, first=number)
    with pytest.raises(ValueError, match="no class has 3 images"):
        load(tmp_path)
