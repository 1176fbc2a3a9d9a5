"""Pictures of one training: losses, what the rules look at, samples over time."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from coequal.health import Health
from coequal.health.rules import RULES
from coequal.health.signals import NAMES, Signals
from coequal.reporting.trial_page.animation import (
    CAPTION_PIXELS,
    FRAME_MILLISECONDS,
    LAST_FRAME_MILLISECONDS,
    Frame,
    write_animation,
)
from coequal.reporting.trial_page.figures import everything, losses, rules, smoothed


def signals(probes: int, **columns: float) -> Signals:
    """What is not given can't be had."""
    values = np.full((probes, len(NAMES)), np.nan)
    values[:, 0] = 25 * np.arange(1, probes + 1)
    for name, value in columns.items():
        values[:, NAMES.index(name)] = value
    return Signals(values, np.zeros((probes, 0)), np.zeros(0), {})


def test_smoothed_is_the_mean_over_neighbours_fewer_at_the_ends():
    # Eighty values: two neighbours on either side. At the start (0 + 1 + 2) / 3 = 1, then 6 / 4.
    found = smoothed(np.arange(80.0))
    assert found[:3].tolist() == [1.0, 1.5, 2.0]
    assert found[-1] == pytest.approx(78.0)
    assert smoothed(np.array([5.0])).tolist() == [5.0]


def test_losses_of_one_player_are_drawn_and_none_are_no_figure():
    steps = np.arange(1.0, 6.0)
    nothing = np.full(5, np.nan)
    figure = losses({"step": steps, "generator": steps, "discriminator": nothing}, None)
    assert figure is not None
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["generator"]
    assert losses({}, None) is None
    assert losses({"step": steps, "generator": nothing}, None) is None


def test_a_panel_for_each_rule_with_its_threshold_and_the_step_of_the_verdict():
    sick = Health("collapsed", 75, "all the same")
    figure = rules(signals(8, nearest=0.001), sick)
    assert figure is not None
    assert [axes.get_title("left").split()[0] for axes in figure.axes[: len(RULES)]] == [
        rule.verdict.split("_")[0] for rule in RULES
    ]
    place = [rule.name for rule in RULES].index("duplicates")
    drawn = figure.axes[place].get_lines()
    at = RULES[place].threshold.at
    assert any(set(np.ravel(line.get_ydata())) == {at} for line in drawn)
    assert any(set(np.ravel(line.get_xdata())) == {75} for line in drawn)
    unseen = [rule.name for rule in RULES].index("memory")
    assert "not measured" in [text.get_text() for text in figure.axes[unseen].texts]
    assert rules(signals(0), None) is None


def test_every_signal_that_was_seen_has_a_panel():
    figure = everything(signals(3, auc=0.5, loss_generator=1.0))
    assert figure is not None
    titles = [axes.get_title("left") for axes in figure.axes]
    assert [title for title in titles if title] == ["loss generator", "auc"]
    assert everything(signals(3)) is None


def test_an_animation_rests_at_its_end_and_has_the_colours_of_its_images(tmp_path):
    colours = [np.full((4, 3, 8, 8), 0, np.uint8), np.full((4, 3, 8, 8), 0, np.uint8)]
    colours[1][:, 0] = 255  # red
    frames = [Frame(step, images, None) for step, images in zip((0, 9), colours, strict=True)]
    write_animation(frames, tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as animation:
        assert animation.n_frames == 2  # type: ignore[attr-defined]
        # Two rows of 8 pixels with one between, enlarged 84 // 9 = 9 times: 17 x 9.
        assert animation.size == (153, 153 + CAPTION_PIXELS)
        assert animation.info["loop"] == 0
        seen = []
        for place in range(2):
            animation.seek(place)
            seen.append((animation.convert("RGB").getpixel((5, 5)), animation.info["duration"]))
    assert seen == [((0, 0, 0), FRAME_MILLISECONDS), ((255, 0, 0), LAST_FRAME_MILLISECONDS)]


def test_a_picture_of_the_page_has_one_pixel_for_one():
    frame = Frame(0, np.zeros((9, 1, 8, 8), np.uint8), None)
    png = base64.b64decode(frame.uri.removeprefix("data:image/png;base64,"))
    assert Image.open(io.BytesIO(png)).size == (26, 26)  # 3 x 8 and two between


def test_points_are_animated_as_scatter_plots(tmp_path):
    rng = np.random.default_rng(0)
    real, first, last = rng.random((3, 50, 2, 1, 1), dtype=np.float32)
    write_animation([Frame(0, first, real), Frame(7, last, real)], tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as animation:
        assert animation.n_frames == 2  # type: ignore[attr-defined]
        assert min(animation.size) > 200
