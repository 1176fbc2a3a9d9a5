"""Lists, sheets and tables of single generated images."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import coequal

RNG = np.random.default_rng(0)
REAL = RNG.standard_normal((200, 8)).astype(np.float32)
FAKE = RNG.standard_normal((150, 8)).astype(np.float32)
FAKE[17] = 9  # far from everything


def pictures(folder: Path, count: int, seed: int) -> Path:
    """Grey pictures of noise; the fourth is white."""
    folder.mkdir()
    pixels = np.random.default_rng(seed).integers(0, 200, (count, 4, 4), dtype=np.uint8)
    pixels[3] = 255 if seed else pixels[3]
    for index, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"<{index}>.png")
    return folder


def test_the_worst_image_is_the_one_that_is_far_from_all():
    found = coequal.score(real=REAL, fake=FAKE, worst=3)["images"]
    assert list(found) == ["fd_influence", "realism"]
    for name, better in (("fd_influence", "lower"), ("realism", "higher")):
        one = found[name]
        assert one["better"] == better
        assert one["worst"][0]["row"] == 17
        assert [len(one[end]) for end in ("worst", "best")] == [3, 3]
        first, last = one["worst"][0]["value"], one["best"][0]["value"]
        assert (first > last) == (better == "lower")
        assert not {row["row"] for row in one["worst"]} & {row["row"] for row in one["best"]}


def test_nothing_of_single_images_is_in_the_record_unless_asked():
    assert "images" not in coequal.score(real=REAL, fake=FAKE)


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_table_has_every_image(tmp_path, kind):
    path = tmp_path / f"table.{kind}"
    fake = FAKE.copy()
    fake[5] = REAL[np.argsort(np.linalg.norm(REAL, axis=1))[0]]  # a copy of a central real image
    coequal.score(real=REAL, fake=fake, per_image=path)
    if kind == "csv":
        rows = list(csv.DictReader(path.read_text().splitlines()))
        columns = {key: [row[key] for row in rows] for key in rows[0]}
    else:
        columns = json.loads(path.read_text())
    assert list(columns) == ["row", "fd_influence", "realism", "rarity"]
    assert [int(row) for row in columns["row"]] == list(range(150))
    assert columns["realism"][5] == "inf"
    assert columns["rarity"][17] in ("", None)  # in no real ball
    assert max(range(150), key=lambda row: float(columns["fd_influence"][row])) == 17


def test_a_sheet_names_files_and_values(tmp_path):
    real, fake = pictures(tmp_path / "real", 60, 0), pictures(tmp_path / "fake", 40, 1)
    page, picture = tmp_path / "score.html", tmp_path / "worst.png"
    found = coequal.score(real=real, fake=fake, encoder="pixels", worst=2, page=page)
    assert found["images"]["realism"]["worst"][0]["name"] == "<3>.png"
    text = page.read_text().partition('id="worst"')[2]
    # Two numbers, each with two worst and two best images.
    assert len(re.findall("<img ", text)) == 8
    value = found["images"]["realism"]["worst"][0]["value"]
    assert f"{value:.3g}<br>&lt;3&gt;.png" in text
    assert "By influence on FD" in text
    coequal.score(real=real, fake=fake, encoder="pixels", worst=2, worst_sheet=str(picture))
    with Image.open(picture) as sheet:
        # Pictures of 64 pixels, two beside two, with gaps.
        assert sheet.width > 4 * 64


def test_where_a_number_can_be_had_of_no_image_the_record_says_why(tmp_path):
    page = tmp_path / "score.html"
    images = RNG.integers(0, 255, (20, 1, 8, 8), dtype=np.uint8)
    found = coequal.score(real=images, fake=images, worst=2, page=page, encoder="pixels")
    reason = "needs more images than features, got 20 images of 64 features"
    assert found["not_measured"]["fd_influence"] == reason
    assert list(found["images"]) == ["realism"]
    assert f"<dt>fd_influence</dt><dd>not measured: {reason}</dd>" in page.read_text()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"worst": 0}, "the number of worst images must be 1 or more, got 0"),
        ({"worst_sheet": Path("w.png")}, "a sheet of the worst images needs a number"),
        ({"worst": 2, "worst_sheet": Path("w.png")}, "a sheet needs images; features were given"),
        ({"per_image": Path("w.txt")}, "a table is a .csv or .json, not w.txt"),
        (
            {"worst": 2, "metrics": ["kid"]},
            "kid: no requested metric gives a number for each image",
        ),
    ],
)
def test_what_can_not_be_had_is_refused_before_anything_is_measured(given, message, monkeypatch):
    monkeypatch.setattr("coequal.evaluation.scorer.measure", None)
    with pytest.raises(ValueError, match=re.escape(message)):
        coequal.score(real=REAL, fake=FAKE, **given)
