"""A study of a folder of images that memory need not hold: they are read some at a time."""

import numpy as np
import pytest
import torch
from PIL import Image

from coequal import api
from coequal.contract import ImageRows
from coequal.results.folder import RunFolder
from coequal.study.spec import Study

CLASSES, OF_EACH = 2, 1500
MAX_ROWS = 500  # what encoders are given at a time, the largest part that anything asks for


@pytest.fixture
def folder(tmp_path):
    """3,000 images of 8x8 in two classes, light and dark: 1,800 to train, 600 and 600."""
    rng = np.random.default_rng(0)
    for label in range(CLASSES):
        (tmp_path / "images" / str(label)).mkdir(parents=True)
        pixels = rng.integers(100 * label, 100 * label + 100, (OF_EACH, 8, 8), dtype=np.uint8)
        for number, image in enumerate(pixels):
            path = tmp_path / "images" / str(label) / f"{number}.png"
            Image.fromarray(image).save(path, compress_level=1)
    return tmp_path / "images"


@pytest.fixture
def rows_read(monkeypatch):
    """How many images are asked for at once, by how many there are; all of them never are."""
    asked: list[tuple[int, int]] = []
    read = ImageRows.__getitem__

    def reading(rows: ImageRows, index: object) -> torch.Tensor:
        part = read(rows, index)
        if len(rows.shape) == 4:
            assert len(part) < len(rows), "all images were read at once"
            asked.append((len(part), len(rows)))
        return part

    def whole(rows: ImageRows) -> torch.Tensor:
        assert len(rows.shape) == 2, "all images were read at once"
        return rows.mapped()

    monkeypatch.setattr(ImageRows, "__getitem__", reading)
    monkeypatch.setattr(ImageRows, "whole", property(whole))
    # As if 3,000 images were many.
    monkeypatch.setattr("coequal.contract.data.PART_BYTES", 4 * 64 * 100)
    monkeypatch.setattr("coequal.training.batches.MAX_BYTES_ON_CPU", 1000)
    monkeypatch.setattr("coequal.monitoring.reference.IMAGES_PER_SPLIT", 64)
    return asked


def test_a_study_of_a_folder_never_reads_all_images_at_once(
    folder, rows_read, tmp_path, monkeypatch
):
    monkeypatch.setenv("COEQUAL_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COEQUAL_CACHE", str(tmp_path / "cache"))
    study = {
        "study": "files",
        "data": [f"folder:{folder}"],
        "models": ["ns_gan"],
        "architecture": {"name": "infogan", "width": 1 / 32},
        "search": {"settings": 0},
        "training": {"budget": {"discriminator_steps": 40}, "batch_size": 64, "checkpoints": 2},
        "evaluation": {"encoder": "classifier", "samples": 50, "metrics": ["fd", "memorisation"]},
    }
    (result,) = api.run(Study.model_validate(study), tmp_path / "run", workers=0).trials.values()
    assert result.status == "done"
    reference = RunFolder(tmp_path / "run").references()[f"folder:{folder}"]
    assert reference["counts"] == {"train": 1800, "validation": 600, "test": 600}
    assert reference["class_counts"] == [900, 900]
    assert {size for _, size in rows_read} >= {1800, 600}
    assert max(part for part, _ in rows_read) == MAX_ROWS
    assert sum(part == 64 for part, size in rows_read if size == 1800) >= 40  # a batch each step
