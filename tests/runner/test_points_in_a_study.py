"""A study of points in the plane, from its file to its scatter plots."""

import io

import numpy as np
import pytest
from PIL import Image

import coequal
from coequal import api
from coequal.inspection.samples import chosen_trial, write_samples
from coequal.reporting.page import write_report
from coequal.results.folder import RunFolder
from coequal.study.check import problems
from coequal.study.spec import Study

TINY = {
    "study": "points",
    "data": ["gaussian_ring"],
    "models": ["ns_gan", "vae"],
    "architecture": {"name": "mlp", "width": 1 / 16},
    "search": {"settings": 0},
    "training": {"budget": {"discriminator_steps": 4}, "batch_size": 8, "checkpoints": 1},
    "evaluation": {"encoder": "pixels", "metrics": ["fd", "modes"], "samples": 40},
    "select": {"metric": "modes_quality"},
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> RunFolder:
    out = tmp_path_factory.mktemp("runs") / "points"
    api.run(Study.model_validate(TINY), out, workers=0)
    return RunFolder(out)


def test_everything_is_measured(finished):
    for result in finished.results().values():
        assert result.status == "done", result.reason
        names = {measured.metric for measured in result.checkpoints[0].measurements}
        assert names >= {"fd", "modes_covered", "modes_quality", "modes_kl"}
        # After 4 steps a generator is far from the ring's eight equal frequencies.
        assert result.checkpoints[0].value("modes_kl", "test") > 0.05
    bounds = finished.references()["gaussian_ring"]
    # Forty real points: of eight modes all but 8 (7/8)^40 = 0.04 are expected.
    assert bounds["floor"]["modes_covered"] >= 7
    assert bounds["floor"]["modes_quality"] > 0.9 > 0.1 > bounds["cap"]["modes_quality"]


def test_samples_are_kept_in_floats_for_scatter_plots(finished):
    result = next(iter(finished.results().values()))
    real = finished.real_samples("gaussian_ring")
    made = finished.samples(result.trial.id, 4)
    assert (real.shape, made.shape) == ((1000, 2, 1, 1),) * 2
    assert (real.dtype, made.dtype) == (np.float32,) * 2
    page = write_report(finished).read_text()
    assert "1000 points each" in page
    assert "every column is the same latent" not in page
    with Image.open(finished.path / "report/figures/gaussian_ring-samples.png") as picture:
        assert picture.width > picture.height  # three panels in a row


def test_samples_of_a_trained_generator(finished, tmp_path):
    trial = chosen_trial(finished, "vae", None)
    written = write_samples(finished, trial, 70, 0, tmp_path / "points.npy")
    points = np.load(written)
    assert (points.shape, points.dtype) == ((70, 2, 1, 1), np.float32)
    sheet = write_samples(finished, trial, 70, 0, tmp_path / "points.png")
    assert Image.open(io.BytesIO(sheet.read_bytes())).width > 300
    with pytest.raises(
        ValueError, match=r"points cannot be written as single pictures; name a \.png"
    ):
        write_samples(finished, trial, 70, 0, tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


def test_a_score_of_points_from_a_file_and_from_a_run(finished, tmp_path):
    trial = chosen_trial(finished, "vae", None)
    file = write_samples(finished, trial, 300, 0, tmp_path / "points.npy")
    both = [
        coequal.score(
            real="gaussian_ring:test", fake=fake, metrics=["modes"], encoder="pixels", samples=300
        )
        for fake in (str(file), f"{finished.path}:vae")
    ]
    values = [{name: row["value"] for name, row in each["metrics"].items()} for each in both]
    assert values[0] == values[1]
    assert both[0]["fake"]["notes"] == []
    with pytest.raises(ValueError, match="grey or coloured images; these are 2x1x1"):
        coequal.score(
            real="gaussian_ring:test", fake=str(file), metrics=["fd"], sheet=tmp_path / "x.png"
        )


def test_the_check_refuses_what_the_data_have_not():
    def slips(**changes) -> str:  # type: ignore[no-untyped-def]
        return "\n".join(slip.message for slip in problems(Study.model_validate(TINY | changes)))

    assert slips() == ""
    assert "modes can't measure spiral: modes are counted where they are known" in slips(
        data=["spiral"]
    )
    curve = {"evaluation": {"metrics": ["curve_quality"]}, "select": {"metric": "curve_quality"}}
    assert "curve can't measure gaussian_ring: it needs data about a known curve" in slips(**curve)
    assert "curve can't" not in slips(data=["spiral", "swiss_roll"], **curve)
