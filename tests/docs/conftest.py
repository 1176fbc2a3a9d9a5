"""The folder in which the code blocks of a page run."""

import shutil
from pathlib import Path

import pytest
from code_blocks import code_blocks, pages
from PIL import Image

from coequal.datasets.digits import load_digits

from typed import coequal

DEMO = """\
study: demo
data: [digits]
models: [ns_gan, vae]
architecture: {width: 0.03125, norm_momentum: 0.5}
search: {settings: 1, ranges: {learning_rate: {choice: [0.02]}, beta1: {choice: [0.5]}}}
training: {budget: {discriminator_steps: 30}, batch_size: 16, checkpoints: 2}
evaluation: {encoder: pixels, samples: 60}
"""


@pytest.fixture(scope="session")
def shared_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What all pages find: the study `demo.yaml` and its run `runs/demo`, the folders `samples` and
    `other` of digits in class folders, and the package `my_lab` of the how-to pages."""
    place = tmp_path_factory.mktemp("pages")
    for page in pages():
        for block in code_blocks(page):
            if block.notes.get("file", "").startswith("my_lab/"):
                path = place / block.notes["file"]
                path.parent.mkdir(exist_ok=True)
                path.write_text(block.text)
    images = load_digits("", place).test
    for name, first in (("samples", 0), ("other", 150)):
        for row in range(first, first + 150):
            folder = place / name / str(int(images.labels[row]))
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(images.images[row, 0].numpy()).save(folder / f"{row}.png")
    (place / "demo.yaml").write_text(DEMO)
    done = coequal("run", "demo.yaml", "--workers", 0, cwd=place)
    assert done.returncode == 0, done.stderr
    return place


@pytest.fixture
def place(shared_place: Path, tmp_path: Path) -> Path:
    """A copy of it, which a page may change."""
    shutil.copytree(shared_place, tmp_path / "page")
    return tmp_path / "page"
