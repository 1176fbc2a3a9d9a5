"""The head of the page of a training: its health, and how good its images are."""

import math
from dataclasses import replace

import numpy as np
import pytest

from coequal.checkpoints import Checkpoint, Measurement, Spent
from coequal.health import EARLY, Health
from coequal.health.verdict import HEALTHY
from coequal.records import MetricInfo, Result, Trial
from coequal.reporting.style import house_style
from coequal.reporting.trial_page.animation import Frame, real_sheet
from coequal.reporting.trial_page.figures import scores
from coequal.reporting.trial_page.page import TrialReport
from coequal.reporting.trial_page.quality import BEYOND, quality_of, score_text

FD = MetricInfo("lower", "squared distance", best=0.0, label="FD")
REFERENCE = {"floor": {"fd": 1.0}, "cap": {"fd": 400.0}}


def points(*values: float) -> list[Checkpoint]:
    """Checkpoints every 100 steps with the same score on both splits."""
    return [
        Checkpoint(
            step,
            Spent(discriminator_steps=step),
            tuple(Measurement("fd", s, value, "p", 0.5) for s in ("validation", "test")),
        )
        for step, value in zip(range(100, 100 * len(values) + 1, 100), values, strict=True)
    ]


def report(*values: float, verdict: str = HEALTHY, status: str = "done") -> TrialReport:
    trial = Trial("ns_gan", "ns_gan", "digits", 0, {}, {}, {}, {})
    result = Result(trial, status, Spent())  # type: ignore[arg-type]
    step = None if verdict in (HEALTHY, EARLY) else 75
    health = Health(verdict, step, "images are copies")
    measured = points(*values)
    quality = quality_of(measured, "fd", FD, REFERENCE)
    return TrialReport(trial, result, Spent(), measured, health, None, (), (), quality)


def test_a_healthy_training_is_not_called_good():
    page = report(20.0, 20.0, 20.0)
    assert page.headline == "Training is healthy; FD 20 (real data 1, noise 400)"
    assert page.summary == "No problems detected."
    assert page.sound


def test_it_says_that_it_still_improves():
    # 40,000 / step: halved from step 200 to 400.
    page = report(*(40_000 / step for step in (100, 200, 300, 400)))
    assert page.longer
    assert page.summary == (
        "Still improving, train longer: FD on validation fell by 50 % since step 200."
    )
    assert "no better" not in page.headline
    young = report(*(40_000 / step for step in (100, 200, 300, 400)), verdict=EARLY)
    assert young.longer
    assert young.headline.startswith("Too early to tell; FD 100")


def test_a_failed_training_is_not_told_to_go_on():
    page = report(*(40_000 / step for step in (100, 200, 300, 400)), verdict="collapsed")
    assert not page.longer
    assert page.headline == "Collapsed since step 75; FD 100 (real data 1, noise 400)"
    assert page.summary == "Images are copies."
    stopped = report(*(40_000 / step for step in (100, 200, 300, 400)), status="timeout")
    assert not stopped.longer
    assert not stopped.sound


def test_images_that_are_no_better_than_noise_are_no_sound_result():
    page = report(500.0, 500.0, 500.0)
    assert page.headline == (
        "Training is healthy; FD 500, no better than noise (real data 1, noise 400)"
    )
    assert page.summary == ""
    assert not page.sound


def test_checkpoints_lie_on_a_logarithmic_line_from_real_data_to_noise():
    quality = quality_of(points(1000.0, 20.0, 1.0), "fd", FD, REFERENCE)
    assert quality is not None
    assert quality.scale is not None
    assert quality.scale.log
    # Beyond noise; log 20 / log 400 = 1 / 2; at real data.
    assert [dot.left for dot in quality.dots] == pytest.approx([1 + BEYOND, 0.5, 0.0])
    assert quality.dots[1].text == "step 200: FD 20"


def test_without_references_there_is_a_score_and_no_line():
    quality = quality_of(points(20.0), "fd", FD, {})
    assert quality is not None
    assert (quality.in_words, quality.dots) == ("FD 20", [])
    assert quality_of([], "fd", FD, REFERENCE) is None


def test_the_score_of_one_run_has_three_figures_or_fewer():
    assert score_text(472.92, 0.8) == "473"
    assert score_text(0.4132, 0.051) == "0.413"
    assert score_text(0.0213, 0.0123) == "0.021"
    assert score_text(34.12, math.nan) == "34.1"


def test_scores_over_training_have_marks_of_real_data_and_noise():
    quality = quality_of(points(300.0, 20.0), "fd", FD, REFERENCE)
    assert quality is not None
    with house_style():
        figure = scores(quality)
    assert figure is not None
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == [" real data\n 1", " noise\n 400"]
    assert scores(replace(quality, steps=[100], values=[20.0], errors=[0.5])) is None


def test_as_many_real_images_as_a_frame_has():
    frames = [Frame(0, np.zeros((9, 1, 8, 8), np.uint8), None)]
    real = np.zeros((64, 1, 8, 8), np.uint8)
    assert real_sheet(real, frames) == frames[0].uri  # black ones of the same size
    assert real_sheet(real[:, :, :4], frames) == ""
    assert real_sheet(None, frames) == ""
    assert real_sheet(real, []) == ""
