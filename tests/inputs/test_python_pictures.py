"""What Python has (pictures of Pillow, tensors, datasets) is read by the same rules as files."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import coequal
from coequal.cli.app import app
from coequal.inputs.load import load_input
from coequal.value_range import SYMMETRIC, ValueRange


def loaded(given: object, **options: object) -> object:
    return load_input(given, role="fake", data_dir=Path("nowhere"), **options)


def colours(count: int, seed: int, size: tuple[int, int] = (12, 12)) -> list[Image.Image]:
    rng = np.random.default_rng(seed)
    return [Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)) for _ in range(count)]


def alpha(image: Image.Image) -> Image.Image:
    seen_through = image.convert("RGBA")
    seen_through.putalpha(100)
    return seen_through


def sixteen(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 256)


def turned(image: Image.Image) -> Image.Image:
    buffer, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    image.save(buffer, "PNG", exif=exif)
    return Image.open(io.BytesIO(buffer.getvalue()))


MODES = {
    "palette": (lambda image: image.quantize(16), "palette images were converted to RGB", "png"),
    "CMYK": (lambda image: image.convert("CMYK"), "CMYK images were converted to RGB", "tif"),
    "YCbCr": (lambda image: image.convert("YCbCr"), "YCbCr images were converted to RGB", "tif"),
    "1 bit": (lambda image: image.convert("1"), "1-bit images were converted to 8-bit", "png"),
    "alpha": (alpha, "transparent images were composited on white", "png"),
    "16 bits": (sixteen, "16-bit images were scaled to 8 bits", "png"),
    "EXIF": (turned, "EXIF-rotated images were turned upright", "png"),
}


@pytest.mark.parametrize("mode", MODES)
def test_pictures_in_memory_are_those_of_their_files(tmp_path, mode):
    convert, note, suffix = MODES[mode]
    pictures = [convert(image) for image in colours(6, 1, (12, 8))]
    for row, image in enumerate(pictures):
        kept = {"exif": image.getexif()} if mode == "EXIF" else {}
        image.save(tmp_path / f"{row}.{suffix}", **kept)
    files, memory = loaded(str(tmp_path)), loaded(pictures)
    assert memory.digest() == files.digest()
    assert memory.shape == files.shape
    assert note in files.notes[0]
    assert memory.notes[0] == files.notes[0].replace(f"0.{suffix}", "item 0").replace(
        f"1.{suffix}", "item 1"
    ).replace(f"2.{suffix}", "item 2")


def test_the_distance_of_palettes_is_that_of_their_colours(tmp_path):
    real = colours(60, 1)
    palettes = [image.quantize(16) for image in colours(60, 2)]
    for row, image in enumerate(palettes):
        image.save(tmp_path / f"{row:02}.png")
    scores = [
        coequal.score(real=real, fake=fake, metrics=["fd"], encoder="pixels")["metrics"]["fd"]
        for fake in (palettes, str(tmp_path), [image.convert("RGB") for image in palettes])
    ]
    assert scores[0] == scores[1] == scores[2]


@pytest.mark.parametrize("mode", ["YCbCr", "HSV"])
def test_other_colour_spaces_are_not_taken_for_rgb(mode):
    pictures = [image.convert(mode) for image in colours(4, 1)]
    wanted = np.stack([np.asarray(image.convert("RGB")) for image in pictures])
    assert np.array_equal(loaded(pictures).images.whole.permute(0, 2, 3, 1).numpy(), wanted)


def test_lab_which_pillow_can_not_convert_is_refused():
    pictures = [Image.new("LAB", (4, 4)), Image.new("RGB", (4, 4))]
    with pytest.raises(ValueError, match=r"1 of 2 .* read: item 0 \(Lab colour"):
        loaded(pictures)


def test_modes_and_sizes_may_be_mixed():
    pictures = [
        image.resize((size, 9)) for image, size in zip(colours(3, 1), (9, 10, 11), strict=True)
    ]
    pictures[1] = pictures[1].convert("L")
    with pytest.raises(ValueError, match=r"fake: list: the images have 3 sizes .* image size"):
        loaded(pictures)
    found = loaded(pictures, image_size=8)
    assert found.shape == (3, 8, 8)
    assert found.notes[0] == "1 grey image was converted to RGB (others have colour) (item 1)"


def test_items_that_are_not_decoded_are_decoded(tmp_path):
    pictures = colours(3, 1)
    raw = []
    for row, image in enumerate(pictures):
        image.save(tmp_path / f"{row}.png")
        raw.append((tmp_path / f"{row}.png").read_bytes())
    paths = [str(tmp_path / f"{row}.png") for row in range(3)]
    wanted = loaded(pictures).digest()
    assert loaded(
        [{"image": {"bytes": one, "path": None}, "label": 0} for one in raw]
    ).digest() == (wanted)
    assert loaded([{"image": {"bytes": None, "path": one}} for one in paths]).digest() == wanted
    assert loaded([Path(one) for one in paths]).digest() == wanted
    assert loaded([(one, 1) for one in paths]).labels.tolist() == [1, 1, 1]


def test_what_was_stored_with_losses_is_known_by_the_content(tmp_path):
    forms = {"a.webp": {"lossless": True}, "b.webp": {}, "c.jpg": {}, "d.png": {}}
    for (name, how), image in zip(forms.items(), colours(4, 1), strict=True):
        image.save(tmp_path / name, **how)
    (tmp_path / "d.png").rename(tmp_path / "d.jpg")  # a PNG all the same
    assert loaded(str(tmp_path)).lossy == 2
    assert (
        loaded([Image.open(tmp_path / name) for name in ("a.webp", "b.webp", "c.jpg")]).lossy == 2
    )


def test_tensors_of_any_kind_are_read():
    rows = torch.rand(6, 5, requires_grad=True)
    assert torch.equal(loaded(rows).features.whole, rows.detach())
    assert torch.equal(loaded(list(rows)).features.whole, rows.detach())
    long = rows.detach().numpy().astype(np.longdouble)
    assert torch.equal(loaded(long).features.whole, rows.detach())
    assert torch.equal(loaded(list(long)).features.whole, rows.detach())
    half = torch.rand(6, 1, 4, 4).half()
    assert loaded(half).shape == (1, 4, 4)


@pytest.mark.parametrize("shape", [(6, 5, 1, 1), (6, 1, 1, 5)])
@pytest.mark.parametrize("shift", [0.0, -3.0])
def test_what_a_pooling_layer_gives_is_features(shape, shift, tmp_path):
    rows = torch.rand(6, 5) + shift
    found = loaded(rows.view(shape))
    assert torch.equal(found.features.whole, rows)
    assert found.notes == (f"floats of shape {shape} were taken for features",)
    np.save(tmp_path / "a.npy", rows.view(shape).numpy())
    assert torch.equal(loaded(tmp_path / "a.npy").features.whole, rows)


class Rows:
    """A dataset without a length, as a DataLoader has none of items."""

    dataset = None

    def __len__(self) -> int:
        return 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            [torch.zeros(1, 4, 4), torch.zeros(1, 5, 5)],
            "have 2 shapes ((1, 4, 4), and (1, 5, 5)",
        ),
        ([torch.zeros(1, 4, 4), torch.zeros(1, 4, 4, dtype=torch.uint8)], "have 2 types"),
        ([torch.zeros(1, 4, 4), Image.new("L", (4, 4))], "item 1 is a picture and item 0 an array"),
        ([None, None], "item 0 has no image (None)"),
        ([{"image": None}, {"image": None}], "item 0 has no image (None)"),
        ([object(), object()], "item 0 is a object, which holds no image"),
        (["nowhere.png", "nowhere.png"], "item 0 (not a regular file, or a broken link)"),
        ([{"bytes": None, "path": None}] * 2, "item 0 (neither bytes nor a path)"),
        (
            [{"bytes": b"no picture", "path": "a.png"}] * 2,
            "item 0 (not an image of a known format)",
        ),
        (Rows(), "can't score a Rows: it has no length or no items; give its .dataset"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_image_is_one_message(given, message):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        loaded(given)
    assert str(caught.value).startswith("fake: ")


def test_what_a_call_returns_is_read_like_anything_else():
    real = [Image.new("L", (4, 4), k) for k in range(5)]
    options = {"metrics": ["fd"], "encoder": "pixels", "samples": 4}
    found = coequal.score(real=real, fake=lambda count: real[:count], **options)
    assert found["fake"]["count"] == 4
    with pytest.raises(ValueError, match="the call returned a NoneType; it must return 4 images"):
        coequal.score(real=real, fake=lambda count: None, **options)


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        (0.0, 1.001, "found 0 to 1.001 (1 of 3 images do not)"),
        (-1.0, 1.0, "found -1 to 1 (2 of 3 images do not)"),
        (0.0, 255.0, "found 0 to 255 (1 of 3 images do not)"),
    ],
)
def test_floats_beyond_the_unit_interval_say_what_would_do(low, high, message):
    pixels = torch.full((3, 1, 4, 4), low)
    pixels[1] = high
    hint = f"--value-range={low:g},{high:g}, in Python value_range=({low:g}, {high:g})"
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]") as caught:
        loaded(pixels)
    text = str(caught.value)
    assert message in text
    assert text.endswith(hint) == (high != 1.001)
    if high != 1.001:  # and then they are read
        found = loaded(pixels, value_range=ValueRange(low, high))
        assert found.images.whole.amin() == 0
        assert found.images.whole.amax() == 255


def test_images_between_minus_one_and_one(tmp_path):
    # -1, -0.5, 0, 0.5 and 1 are 0, 0.25, 0.5, 0.75 and 1 of white: 0, 63.75, 127.5, 191.25, 255.
    pixels = torch.tensor([-1, -0.5, 0, 0.5, 1]).repeat(4).view(4, 1, 1, 5)
    pixels = torch.cat([pixels, pixels.flip(-1)], 2)
    np.save(tmp_path / "a.npy", pixels.numpy())
    for given in (pixels, tmp_path / "a.npy", list(pixels), (pixels, np.arange(4))):
        found = loaded(given, value_range=SYMMETRIC)
        assert found.images.whole[0, 0, 0].tolist() == [0, 64, 128, 191, 255]
        assert "float images were taken from [-1, 1] and rounded to 8 bits" in found.notes
        assert found.warnings == ()
    with pytest.raises(
        ValueError, match=r"lie in \[-1, 1\], found -2 to 2 \(4 of 4 images do not\)$"
    ):
        loaded(pixels * 2, value_range=SYMMETRIC)
    with pytest.raises(ValueError, match="no value of the float images is below 0, though black"):
        loaded(pixels.abs(), value_range=SYMMETRIC)
    # What is no float has its own black and white.
    whole = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).repeat(2, 1, 1, 1)
    assert torch.equal(loaded(whole, value_range=SYMMETRIC).images.whole, whole)


def test_rounding_errors_are_no_mistake():
    pixels = torch.ones(3, 1, 4, 4)
    pixels[0] = 1.000001
    assert int(loaded(pixels).images.whole.max()) == 255


def test_values_on_the_command_line(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("real", "fake"):
        np.save(tmp_path / f"{name}.npy", rng.uniform(-1, 1, (40, 3, 4, 4)).astype(np.float32))
    files = [f"--{name}={tmp_path / name}.npy" for name in ("real", "fake")]
    given = ["score", *files, "--encoder", "pixels", "--metrics", "fd", "--json"]
    refused = CliRunner().invoke(app, given)
    assert "say so: --value-range=-1,1" in str(refused.exception)
    found = CliRunner().invoke(app, [*given, "--value-range=-1,1"])
    assert found.exit_code == 0
    assert "taken from [-1, 1]" in found.stdout
    wrong = CliRunner().invoke(app, [*given, "--value-range=1"])
    assert "a value range is two numbers, black before white" in str(wrong.exception)


def test_a_function_of_a_number_may_give_any_range():
    real = torch.rand(40, 3, 4, 4)
    options = {"metrics": ["fd"], "encoder": "pixels", "samples": 40}
    wanted = coequal.score(real=real, fake=real, **options)
    found = coequal.score(
        real=real * 2 - 1, fake=lambda count: real * 2 - 1, value_range=(-1, 1), **options
    )
    assert found["fake"]["sha256"] == wanted["fake"]["sha256"]
    assert found["metrics"] == wanted["metrics"]
