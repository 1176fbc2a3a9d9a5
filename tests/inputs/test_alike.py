"""Grey against RGB: three equal channels are a grey image, and a grey image is an RGB one."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import coequal
from coequal.inputs.load import load_input
from coequal.inspection.image_diagnosis import of_images

CPU = torch.device("cpu")


def digits() -> np.ndarray:
    found = load_input("digits:test", role="real", data_dir=Path("nowhere"))
    return found.images.whole[:, 0].numpy()


def saved_as_rgb(folder: Path, pixels: np.ndarray) -> str:
    """As torchvision's save_image writes grey images."""
    folder.mkdir()
    for row, image in enumerate(pixels):
        Image.fromarray(np.stack([image] * 3, -1)).save(folder / f"{row:04}.png")
    return str(folder)


def test_grey_images_that_were_saved_as_rgb_are_grey(tmp_path):
    pixels = digits()[:60]
    options = {"metrics": ["fd"], "encoder": "pixels"}
    wanted = coequal.score(real="digits:test", fake=pixels[:, None], **options)
    fake = saved_as_rgb(tmp_path / "fake", pixels)
    arrays = np.stack([pixels] * 3, 1)
    for given in (fake, arrays, [Image.open(path) for path in sorted(Path(fake).iterdir())]):
        found = coequal.score(real="digits:test", fake=given, **options)
        assert found["metrics"] == wanted["metrics"]
        assert found["fake"]["sha256"] == wanted["fake"]["sha256"]
        assert found["fake"]["shape"] == [1, 8, 8]
        note = "RGB images with equal channels became grey, as the others are"
        assert found["fake"]["notes"][-1] == note
        assert found["warnings"] == wanted["warnings"]


def test_either_side_may_be_the_grey_one(tmp_path):
    pixels = digits()[:40]
    real = np.stack([pixels] * 3, 1)
    found = coequal.score(real=real, fake=pixels[:, None], metrics=["fd"], encoder="pixels")
    assert found["metrics"]["fd"]["value"] == pytest.approx(0, abs=1e-9)
    assert found["real"]["shape"] == [1, 8, 8]


def test_grey_images_among_colours_become_rgb():
    rng = np.random.default_rng(0)
    real = rng.integers(0, 256, (30, 3, 8, 8), dtype=np.uint8)
    grey = rng.integers(0, 256, (30, 1, 8, 8), dtype=np.uint8)
    options = {"metrics": ["fd"], "encoder": "pixels"}
    found = coequal.score(real=real, fake=grey, **options)
    wanted = coequal.score(real=real, fake=grey.repeat(3, 1), **options)
    assert found["metrics"] == wanted["metrics"]
    assert found["fake"]["notes"] == ["grey became RGB, as the others are"]


def test_colours_against_a_grey_data_set_are_refused_with_what_would_do():
    coloured = np.stack([digits()[:20]] * 3, 1)
    coloured[3, 0] = 255 - coloured[3, 0]
    with pytest.raises(ValueError, match="fake: 1 of 20 images are in colour") as caught:
        coequal.score(real="digits:test", fake=coloured, metrics=["fd"], encoder="pixels")
    assert "convert('L')" in str(caught.value)
    assert "image-size" not in str(caught.value)


def test_a_diagnosis_reads_them_too(tmp_path):
    pixels = digits()
    grey = pixels[:60, None]
    rgb = saved_as_rgb(tmp_path / "fake", pixels[:60])
    found, wanted = (
        of_images(fake, pixels[60:, None], tmp_path, lambda line: None, CPU) for fake in (rgb, grey)
    )
    assert found["numbers"] == wanted["numbers"]
    assert found["verdict"] == wanted["verdict"]
    assert found["notes"] == ["fake: RGB images with equal channels became grey, as the others are"]
    assert found["warnings"] == []
    dark = of_images(
        grey // 17, None, tmp_path, lambda line: None, CPU
    )  # 0 to 15; digits have 16 steps
    assert dark["warnings"] == []
    (black,) = of_images(grey // 128, grey, tmp_path, lambda line: None, CPU)["warnings"]
    assert black.startswith("fake: no pixel value is above 1 of 255")


def test_a_manifold_reads_them_too(tmp_path):
    real = load_input("triangles:test", role="real", data_dir=tmp_path)
    pixels = (real.images[:8] * 255).round().byte().numpy()
    options = {"real": "triangles:test", "count": 8, "train": False}
    found, wanted = (
        coequal.manifold(fake=fake, out=tmp_path / name, **options)
        for name, fake in (("rgb", pixels.repeat(3, 1)), ("grey", pixels))
    )
    assert found["at_delta"] == wanted["at_delta"]
