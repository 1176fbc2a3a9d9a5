"""Pictures are decoded in any number of threads: the same bits, notes and messages."""

import numpy as np
import pytest
import torch
from PIL import Image

import coequal
from coequal.datasets.folder import read_folder
from coequal.parallel import reading_threads


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(3)
    for row in range(40):
        grey = row % 3 == 0
        pixels = rng.integers(0, 256, (12, 10) if grey else (12, 10, 3), dtype=np.uint8)
        suffix = "jpg" if row % 4 == 1 else "png"
        Image.fromarray(pixels).save(tmp_path / f"{row:02d}.{suffix}")
    return tmp_path


def test_the_same_pictures_and_notes_from_any_number_of_threads(folder):
    def read(threads):
        with reading_threads(threads):
            found = read_folder(folder, 8)
            return found, found.images[:]

    (one, images), *others = (read(threads) for threads in (1, 2, 7))
    assert any("grey" in note for note in one.notes)
    for found, again in others:
        assert torch.equal(again, images)
        assert np.array_equal(found.survey.digests, one.survey.digests)
        assert found.notes == one.notes
        assert found.survey.brightest == one.survey.brightest
        assert found.survey.lossy == one.survey.lossy == 10


def test_broken_files_are_named_in_order(folder):
    for row in (31, 7, 22):
        (folder / f"{row:02d}.png").write_bytes(b"no picture")
        (folder / f"{row:02d}.jpg").unlink(missing_ok=True)
    messages = set()
    for threads in (1, 4):
        with reading_threads(threads), pytest.raises(ValueError, match="3 of 40 image") as error:
            read_folder(folder, 8)
        messages.add(str(error.value))
    (message,) = messages
    assert message.index("07.png") < message.index("22.png") < message.index("31.png")


def test_workers_change_no_number(folder, tmp_path_factory, monkeypatch):
    scores = []
    for workers in (1, 3):
        monkeypatch.setenv("COEQUAL_CACHE", str(tmp_path_factory.mktemp("cache")))
        given = {"real": folder, "fake": folder, "image_size": 8, "encoder": "pixels"}
        scores.append(coequal.score(**given, metrics=["fd", "kid"], workers=workers))
    assert scores[0]["metrics"] == scores[1]["metrics"]
    with pytest.raises(ValueError, match="workers must be at least 1"):
        coequal.score(**given, workers=0)
