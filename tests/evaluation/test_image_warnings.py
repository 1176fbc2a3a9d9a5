"""What is said of images that are not what they seem: real ones that were trained on, dark ones."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import coequal
from coequal.inputs.load import load_input

TRAIN = np.random.default_rng(1).integers(0, 256, (80, 1, 8, 8), dtype=np.uint8)
TEST = np.random.default_rng(2).integers(0, 256, (40, 1, 8, 8), dtype=np.uint8)
FAKE = np.random.default_rng(3).integers(0, 256, (60, 1, 8, 8), dtype=np.uint8)
NEEDS_HELD_OUT = ("memorisation", "gan_train", "gan_train_curve", "augmentation")


def score(real: object, fake: object = FAKE, **options: object) -> dict:
    given = {"metrics": ["fd"], "encoder": "pixels", **options}
    return coequal.score(real=real, fake=fake, **given)


@pytest.mark.parametrize("metric", NEEDS_HELD_OUT)
def test_real_images_that_were_trained_on_are_no_held_out_ones(metric, tmp_path):
    digits = load_input("digits:train", role="real", data_dir=tmp_path)
    train = list(zip(digits.images[:200], digits.labels[:200].tolist(), strict=True))
    with pytest.raises(ValueError, match="needs real images that are held out, and 200 of 200 are"):
        score(train, train, train=train, metrics=[metric])


def test_all_metrics_list_those_of_memorisation_as_not_measured():
    found = score(TRAIN, train=TRAIN, metrics="all")
    assert "80 of 80 are among the training images" in found["not_measured"]["memorisation"]
    assert any("80 of 80 real images are among" in warning for warning in found["warnings"])
    named = score(
        "digits:train",
        load_input("digits:test", role="x", data_dir=Path()),
        train="digits:train",
        metrics="all",
    )
    assert "1087 of 1087 are among" in named["not_measured"]["memorisation"]


def test_some_training_images_among_the_real_ones_are_counted():
    real = np.concatenate([TEST, TRAIN[:10]])
    found = score(real, train=TRAIN, metrics=["memorisation"])
    assert any(
        warning == "10 of 50 real images are among the training images: comparisons "
        "with held-out images mean nothing then"
        for warning in found["warnings"]
    )
    assert not any("among" in w for w in score(TEST, train=TRAIN, metrics="all")["warnings"])


def test_one_in_a_hundred_and_more_is_no_chance():
    many = np.random.default_rng(4).integers(0, 256, (101, 1, 8, 8), dtype=np.uint8)
    found = score(many, train=np.concatenate([TRAIN, many[:1]]), metrics=["memorisation"])
    assert "1 of 101 real images are among the training images" in found["warnings"]


@pytest.mark.parametrize("form", ["array", "folder"])
def test_forgotten_scaling_is_warned_of(tmp_path, form):
    dark = FAKE // 128  # 0 and 1
    fake: object = dark
    if form == "folder":
        for row, image in enumerate(dark):
            Image.fromarray(image[0]).save(tmp_path / f"{row:02}.png")
        fake = str(tmp_path)
    said = [one for one in score(TEST, fake)["warnings"] if "pixel value" in one]
    assert said == [
        "fake: no pixel value is above 1 of 255; images in [0, 1] must be multiplied by 255 before "
        "they become 8 bits"
    ]


def test_sides_of_very_different_brightness_are_warned_of():
    said = [one for one in score(TEST // 16, FAKE)["warnings"] if "pixel value" in one]
    assert said == [
        "real: no pixel value is above 15 of 255, and fake images have 255; were both scaled alike?"
    ]
    assert not any("pixel value" in one for one in score(TEST // 16, FAKE // 16)["warnings"])
    assert not any("pixel value" in one for one in score(TEST // 8, FAKE)["warnings"])


def test_a_weak_encoder_is_warned_of(monkeypatch):
    from coequal.encoders.pixels import Pixels

    monkeypatch.setattr(Pixels, "weak", "it knows nothing")
    assert "it knows nothing" in score(TEST)["warnings"]
