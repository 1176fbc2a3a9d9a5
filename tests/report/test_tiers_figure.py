"""The first picture: a row for each model, in a wide figure and in a narrow one."""

import csv
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from coequal.analysis.summary import summaries
from coequal.analysis.tiers import tiers
from coequal.reporting.forest import NARROW_INCHES
from coequal.reporting.image_grids import Row
from coequal.reporting.lead import lead_figure
from coequal.reporting.style import PAGE_INCHES, as_svg, house_style
from coequal.reporting.tiers import MANY_MODELS, ROWS_WITH_SAMPLES, tiers_figure
from coequal.reporting.tiers_text import caption, description, meaning, value_text

from fabricated_run import METRICS, TITLES, Run, made, same

WIDTHS = (PAGE_INCHES, NARROW_INCHES)
FAILED = Run(status="diverged", reason="step 1: nan")


def summary_of(runs, cap: float = 800.0, **more):
    run = made(runs, **more)
    run.references["fashion_mnist"]["cap"]["fd"] = cap
    (summary,) = summaries(run.study, run.plan, run.results, run.references, METRICS)
    return summary


def apart(names=("vae", "ns_gan"), settings: int = 10) -> dict[str, list[Run]]:
    """Models at 10, 30, 90 and so on, the last the best."""
    return {
        name: [Run([(base + k, base + k)]) for k in range(settings + 1)]
        for name, base in zip(
            names, (10 * 3**k for k in range(len(names) - 1, -1, -1)), strict=True
        )
    }


def rows(summary, side: int = 28, real: bool = True) -> list[Row]:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (16, 1, side, side), np.uint8)
    found = [Row("Real images", "held out", images)] if real else []
    return found + [Row(m.label, "", images, None, m.name) for m in summary.models]


def drawn(summary, samples, inches: float = PAGE_INCHES):
    with house_style(inches):
        return tiers_figure(tiers(summary), summary, samples)


def words(figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts if text.get_text()]


def dots(figure) -> list[float]:
    """Where the filled dots are, from the top row down."""
    lines = [line for line in figure.axes[1].lines if line.get_marker() == "o"]
    filled = [line for line in lines if line.get_markersize() > 6]
    return [float(line.get_xdata()[0]) for line in sorted(filled, key=lambda x: x.get_ydata()[0])]


@pytest.mark.parametrize("inches", WIDTHS)
def test_every_model_has_a_dot_at_its_score_and_the_beaten_stand_below(inches):
    summary = summary_of(apart())
    figure = drawn(summary, rows(summary), inches)
    first, second = (standing.score for standing in tiers(summary).standings)
    assert dots(figure) == [first, second]
    assert 11 < first < 20 < 31 < second < 40  # settings 1 to 10 of NS GAN and of VAE
    texts = words(figure)
    places = [texts.index(t) for t in ("not shown to be beaten", "NS GAN", "beaten", "VAE")]
    assert places == sorted(places)
    assert "beaten by NS GAN" in texts
    # Real images and both models have a strip.
    assert len(figure.axes[0].images) == 3


@pytest.mark.parametrize("inches", WIDTHS)
def test_no_text_leaves_the_figure(inches):
    summary = summary_of(apart(names=list(TITLES)[:4]))
    figure = drawn(summary, rows(summary), inches)
    assert figure.get_figwidth() == pytest.approx(inches)
    renderer = FigureCanvasAgg(figure).get_renderer()
    edge = figure.bbox
    for axes in figure.axes:
        for text in axes.texts:
            if text.get_text():
                box = text.get_window_extent(renderer)
                assert box.x0 >= edge.x0 - 1, text.get_text()
                assert box.x1 <= edge.x1 + 1, text.get_text()


def test_references_in_sight_are_lines_and_others_are_arrows():
    summary = summary_of(apart())
    texts = words(drawn(summary, rows(summary)))
    # From 11 to 40, noise at 800 and real images at 0.4 are far away.
    assert "noise 800 ▸" in texts
    assert "◂ real images 0.400" in texts
    near = summary_of(apart(), cap=50.0)
    figure = drawn(near, rows(near))
    assert "noise 50" in words(figure)
    assert [50.0, 50.0] in [list(line.get_xdata()) for line in figure.axes[1].lines]
    assert figure.axes[1].get_xlim()[1] > 50


def test_of_many_models_only_the_first_show_samples():
    names = [f"model_{k}" for k in range(MANY_MODELS + 1)]
    runs = {name: same(10 + 3 * k, 3) for k, name in enumerate(names)}
    many = summary_of(runs)
    figure = drawn(many, rows(many))
    assert len(figure.axes[0].images) == ROWS_WITH_SAMPLES + 1
    assert len(dots(figure)) == MANY_MODELS + 1
    few = summary_of({name: runs[name] for name in names[:-1]})
    assert len(drawn(few, rows(few)).axes[0].images) == MANY_MODELS + 1
    assert drawn(few, rows(few)).get_figheight() > figure.get_figheight() - 1


def test_points_in_the_plane_are_scatter_plots():
    summary = summary_of(apart())
    rng = np.random.default_rng(0)
    points = rng.random((50, 2, 1, 1), np.float32)
    samples = [Row("Real points", "", points)]
    samples += [Row(m.label, "", points, points, m.name) for m in summary.models]
    page = drawn(summary, samples).axes[0]
    assert not page.images
    clouds = [line for line in page.lines if len(line.get_xdata()) == 50]
    assert len(clouds) == 1 + 2 * 2  # real ones alone, and below those of each model


def test_without_samples_there_is_a_picture_and_without_scores_none(tmp_path: Path):
    runs = {"ns_gan": [FAILED] * 4, "vae": same(9, 4)}
    summary = summary_of(runs)
    figure = drawn(summary, [])
    assert dots(figure) == [9.0]
    assert "all 4 runs failed" in words(figure)
    nothing = summary_of({"ns_gan": [FAILED] * 4, "vae": [FAILED] * 4})
    assert dots(drawn(nothing, [])) == []
    assert lead_figure(nothing, [], tmp_path, "data") is None
    assert lead_figure(summary, [], tmp_path, "data").evidence == "tiers"


def test_names_and_dots_say_which_model_or_trial_they_show():
    summary = summary_of({"ns_gan": same(10, 3), "vae": same(12, 3)})
    page, axes = drawn(summary, []).axes
    names = [text.get_gid() for text in page.texts if text.get_text() == "NS GAN"]
    best = summary.model("ns_gan")
    assert names == [f"model:{best.index}:{best.chosen.trial}"]
    gids = [line.get_gid() or "" for line in axes.lines]
    shown = [gid.removeprefix("trials:") for gid in gids if gid.startswith("trials:")]
    # Of either model the chosen run, and the other two.
    trials = {trial.trial for model in summary.models for trial in model.tried}
    assert sorted(",".join(gid.removeprefix("trials:") for gid in shown).split(",")) == sorted(
        trials
    )
    assert len(shown) == 4


def test_the_same_models_give_the_same_bytes():
    summary = summary_of(apart())

    def svg() -> bytes:
        with house_style():
            return as_svg(tiers_figure(tiers(summary), summary, rows(summary)))

    assert svg() == svg()


def test_caption_and_description_say_what_dot_and_line_are():
    summary = summary_of(apart())
    assert caption(tiers(summary), summary) == (
        "Dots: typical test FD of one random setting. Lines: 95 % intervals of each model by "
        "itself; whether they overlap decides nothing."
    )
    assert meaning(tiers(summary), summary).startswith(
        "In the figure, dots are typical scores (geometric mean; a failure counts as noise or as "
        "the worst run) and lines are Student's t intervals over the draw of settings."
    )
    first, second = tiers(summary).standings
    (score, ends), (other, other_ends) = value_text(first), value_text(second)
    assert description(tiers(summary), summary) == (
        f"Test FD of the models: NS GAN {score} (95 %: {ends}), VAE {other} (95 %: {other_ends}; "
        "beaten by NS GAN); noise 800; real images 0.400."
    )
    few = summary_of({"ns_gan": same(10, 2), "vae": same(12, 2)})
    assert caption(tiers(few), few) == (
        "Each dot is one run of one setting (large: the one chosen on validation); so few runs "
        "give no interval."
    )


def test_the_page_has_the_picture_in_both_widths(everything):
    report: Path = everything.path / "report"
    page = (report / "index.html").read_text()
    assert page.count('<figure class="lead">') == 2  # of two datasets
    assert page.count('<div class="wide"><svg ') == page.count('<div class="narrow"><svg ') == 2
    rows = list(csv.DictReader((report / "tables" / "tiers.csv").read_text().splitlines()))
    assert len(rows) == 2 * 3
    assert {row["basis"] for row in rows} == {"tuned"}
    assert all(float(row["score_low"]) < float(row["score"]) for row in rows)
    assert 'href="tables/tiers.csv"' in page
    for name in ("fashion_mnist-tiers", "fashion_mnist-tiers_narrow"):
        assert (report / "figures" / f"{name}.svg").exists()
        assert (report / "figures" / f"{name}.pdf").exists()
