"""What a person sees of a score: numbers with errors, notes, warnings, progress, the sheet."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import coequal
from coequal.contract.data import in_memory
from coequal.evaluation.feature_cache import encoded
from coequal.evaluation.neighbour_sheet import MAX_ROWS, shown_rows
from coequal.evaluation.requested import requested_metrics
from coequal.formatting import interval_with_error, with_error
from coequal.pace import Pace

from typed import coequal as typed

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.88123, 0.00712, "0.8812 ± 0.0071"),
        (0.88123, 0.0712, "0.881 ± 0.071"),
        (12345.6, 123.4, "12,350 ± 120"),
        (3.2, 0.0996, "3.20 ± 0.10"),  # 0.0996 in two figures is 0.10
        (-0.001, 0.25, "0.00 ± 0.25"),  # and not -0.00
        (-2.1e-6, 3.4e-7, "(−2.10 ± 0.34)e-06"),
        (0.98913, 1.4e-14, "0.989"),  # an error of rounding is none
        (0.98913, 0.0, "0.989"),
        (-2.8422e-14, None, "0"),
        (0.0067454, None, "0.00675"),
        (None, None, ""),
        (float("nan"), 1.0, ""),
    ],
)
def test_a_value_has_as_many_figures_as_its_error(value, error, text):
    assert with_error(value, error) == text


def test_an_interval_has_as_many_figures_as_the_number_in_it():
    assert interval_with_error((0.86123, 0.90001), 0.0123) == "0.861 to 0.900"
    # Without an error by half of the width, 0.005356.
    assert interval_with_error((0.0, 0.010712), 0.0) == "0.0000 to 0.0107"


@pytest.fixture
def folders(tmp_path) -> Path:
    """Folders of grey images by class, of which the fakes have an alpha channel."""
    for name, mode in (("real", "L"), ("train", "L"), ("fake", "LA")):
        for label in ("cat", "dog"):
            place = tmp_path / name / label
            place.mkdir(parents=True)
            for row in range(20):
                pixels = RNG.integers(0, 256, (8, 8, len(mode)), dtype=np.uint8)
                Image.fromarray(pixels[:, :, 0] if mode == "L" else pixels, mode).save(
                    place / f"{row}.png"
                )
    (tmp_path / "fake" / "cat" / "notes.txt").write_text("mine")
    return tmp_path


def score(cwd: Path, *more: object, columns: int = 100) -> list[str]:
    given = ("--real", "real", "--fake", "fake", "--encoder", "pixels", *more)
    done = typed("score", *given, cwd=cwd, columns=columns)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_notes_and_warnings_are_below_the_table_and_apart(folders):
    lines = score(folders, "--metrics", "fd")
    notes = [line for line in lines if line.startswith("note: ")]
    assert any(note.startswith("note: fake: 40 transparent images were") for note in notes)
    assert any("note: fake: 1 file without an image's suffix skipped" in note for note in notes)
    warnings = [line for line in lines if line.startswith("warning: ")]
    assert warnings
    assert lines[-len(warnings) :] == warnings  # last, where they are seen


@pytest.mark.parametrize("columns", [80, 120])
def test_a_table_of_all_has_a_line_for_each_number_and_whole_names(folders, columns):
    lines = score(folders, "--metrics", "all", "--train", "train", columns=columns)
    table = lines[: next(i for i, line in enumerate(lines) if line.startswith("encoder "))]
    assert max(map(len, table)) <= columns
    for name in ("authenticity_calibrated", "one_nn_worst", "fd_per_class"):
        assert sum(line.startswith(f"{name} ") for line in table) == 1
    assert ("unit" in table[0]) == (columns == 120)
    if columns == 80:
        assert all(line[:2].strip() or line[1:2].strip() for line in table if line.strip())


def test_what_is_not_measured_for_one_reason_is_one_line(folders):
    lines = score(folders, "--metrics", "all")
    (trained,) = [line for line in lines if "trains classifiers" in line]
    assert trained.startswith("not measured: augmentation, gan_test, gan_train, gan_train_curve: ")


# ----------------------------------------------------------------------------- names of metrics


@pytest.mark.parametrize(
    ("given", "numbers"),
    [
        (["fd", " kid", ""], {"fd", "fd_unbiased", "kid", "kid_subsets"}),
        (["FD"], {"fd", "fd_unbiased"}),
        (["FID"], {"fid"}),
        (["KID"], {"kid", "kid_subsets"}),
        (["prdc"], {"precision", "recall", "density", "coverage"}),
        (["MMD"], {"mmd_rbf"}),
        (["1-NN"], {"one_nn"}),
        (["PRD F1/8"], {"prd_f1_8"}),
        (["inception-score"], {"is", "is_whole"}),
    ],
)
def test_metrics_are_found_under_the_names_of_tables_and_papers(given, numbers):
    found = requested_metrics(given)
    assert {key for keys in found.outputs.values() for key in keys} == numbers


def test_a_name_that_no_metric_has_is_answered_before_any_image_is_read(tmp_path):
    for metrics, said in (("fdd", "did you mean 'fd'?"), (" , ", "name a metric")):
        done = typed(
            "score", "--real", "gone", "--fake", "gone", "--metrics", metrics, cwd=tmp_path
        )
        assert done.returncode == 2
        assert said in done.stderr
        assert len(done.stderr.splitlines()) == 1
    done = typed("score", "--real", "gone", "--fake", "gone", "--encoder", "pixel", cwd=tmp_path)
    assert (done.returncode, "did you mean 'pixels'?" in done.stderr) == (2, True)


def test_a_setting_of_a_metric_that_has_none_is_refused_in_words(folders):
    given = ("--metrics", "mmd_rbf", "--set", "mmd_rbf.sigma=10")
    done = typed("score", "--real", "real", "--fake", "fake", *given, cwd=folders)
    assert "'sigma' is not one of them: there are none" in done.stderr


# ------------------------------------------------------------------------------------ long work


class Clock:
    """Seconds that pass only when images are encoded."""

    def __init__(self, per_image: float) -> None:
        self.now, self.per_image = 0.0, per_image
        self.pieces: list[int] = []

    def __call__(self) -> float:
        return self.now

    batch: int | None = 16

    def features(self, images: torch.Tensor) -> torch.Tensor:
        self.now += len(images) * self.per_image
        self.pieces.append(len(images))
        return images.flatten(1).float()


def test_a_slow_encoder_is_heard_of_every_thirty_seconds_with_its_rate():
    lines: list[str] = []
    clock = Clock(per_image=0.2)
    pace = Pace("features", 200, lines.append, clock)
    made = encoded(in_memory(torch.arange(200).view(200, 1, 1, 1)), clock, pace)  # type: ignore[arg-type]
    assert made.flatten().tolist() == list(range(200))
    # First 96 of 100 images, as whole batches of 16; then pieces of 2 s, which are 10 images, or
    # one batch of 16. The first line after 30 s, or 150 images, is at 96 + 4 * 16 = 160.
    assert clock.pieces == [96, *[16] * 6, 8]
    assert lines == [
        "features: 200 images",
        "features: 160 of 200, 5 a second, about 8 s left",
    ]


def test_an_encoder_of_unknown_batches_gets_all_images_at_once():
    clock = Clock(per_image=0.2)
    clock.batch = None
    encoded(torch.zeros(150, 1, 1, 1), clock, Pace("x", 150, lambda line: None, clock))  # type: ignore[arg-type]
    assert clock.pieces == [150]


# ------------------------------------------------------------------------------------ the sheet


def test_a_sheet_shows_every_class_and_is_drawn_by_seed():
    labels = torch.arange(10).repeat_interleave(100)  # class folders, one after the other
    rows = shown_rows(1000, labels, seed=0)
    assert len(rows) == MAX_ROWS
    counts = torch.bincount(labels[rows], minlength=10)
    assert counts.min() == MAX_ROWS // 10  # 24 of 10 classes: 2 or 3 of each
    assert counts.max() == MAX_ROWS // 10 + 1
    assert labels[rows].tolist() == sorted(labels[rows].tolist())
    assert torch.equal(rows, shown_rows(1000, labels, seed=0))
    assert not torch.equal(rows, shown_rows(1000, labels, seed=1))
    assert shown_rows(1000, None, seed=0).max() > MAX_ROWS  # not the first files
    assert shown_rows(5, None, seed=0).tolist() == [0, 1, 2, 3, 4]


def test_a_sheet_says_what_it_shows(folders):
    score(folders, "--metrics", "fd", "--page", "score.html", "--seed", 3)
    page = (folders / "score.html").read_text()
    assert len(re.findall('alt="generated: ', page)) == MAX_ROWS
    assert "class cat" in page
    assert "class dog" in page
    assert "color-scheme" in page
    score(folders, "--metrics", "fd", "--sheet", "near.png")
    with Image.open(folders / "near.png") as sheet:
        above = np.asarray(sheet.convert("L"))[:20]
    assert above[0].min() == 255  # a white margin
    assert above.min() < 100  # and letters on it


# ------------------------------------------------------------------------------------- the record


def test_the_record_says_by_what_and_with_which_settings_it_was_made():
    images = RNG.integers(0, 256, (40, 1, 8, 8), dtype=np.uint8)
    found = coequal.score(
        real=images,
        fake=images[::-1].copy(),
        metrics=["kid"],
        settings={"kid": {"subsets": 7}},
        encoder="pixels",
    )
    assert found["settings"] == {"kid": {"subsets": 7, "subset_size": 1000}}
    assert found["metrics"]["kid_subsets"]["metric"] == "kid"
    assert found["coequal"] == coequal.__version__
