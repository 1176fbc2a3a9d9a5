"""Models that take classes, from the study file to their images."""

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from coequal import api
from coequal.cli.app import app
from coequal.inspection.samples import SampleRequest, chosen_trial, sample, write_samples
from coequal.reporting.page import write_report
from coequal.results.folder import RunFolder
from coequal.study.check import problems
from coequal.study.plan import plan
from coequal.study.spec import Study

TINY = {
    "study": "classes",
    "data": ["digits"],
    "models": ["cgan", "ns_gan"],
    "architecture": {"name": "infogan", "width": 1 / 32},
    "search": {"settings": 0},
    "training": {"budget": {"discriminator_steps": 6}, "batch_size": 16, "checkpoints": 1},
    "evaluation": {
        "encoder": "pixels",
        "metrics": ["fd", "fd_per_class", "gan_train", "gan_test"],
        "samples": 400,
        "neighbours": True,
        "settings": {name: {"seeds": 1, "epochs": 1} for name in ("gan_train", "gan_test")},
    },
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> RunFolder:
    out = tmp_path_factory.mktemp("runs") / "classes"
    api.run(Study.model_validate(TINY), out, workers=0)
    return RunFolder(out)


def of(folder: RunFolder, model: str):  # type: ignore[no-untyped-def]
    return next(r for r in folder.results().values() if r.trial.model == model)


def test_metrics_of_classes_are_measured_where_images_have_them(finished):
    names = {
        model: {m.metric for m in of(finished, model).checkpoints[0].measurements}
        for model in ("cgan", "ns_gan")
    }
    assert names == {
        "cgan": {"fd", "fd_unbiased", "fd_per_class"}
        | {"gan_train", "gan_train_gap", "gan_test", "gan_test_gap"},
        "ns_gan": {"fd", "fd_unbiased"},
    }
    bounds = finished.references()["digits"]
    # Real images of the right classes are nearer, class by class, than noise of any class.
    assert bounds["floor"]["fd_per_class"] < bounds["cap"]["fd_per_class"]
    assert sum(bounds["class_counts"]) == bounds["counts"]["train"]
    # Classifiers that learn from real images know real ones, and nothing of noise.
    assert bounds["floor"]["gan_train"] > 0.5 > bounds["cap"]["gan_train"]
    details = finished.details(of(finished, "cgan").trial.id)
    assert details["conditional"] is True
    for split in ("validation", "test"):
        confusion = torch.tensor(details[split]["gan_test"]["confusion"])
        assert confusion.sum() == 400  # all generated images, by the one classifier
    assert finished.details(of(finished, "ns_gan").trial.id) == {}


def test_the_nearest_training_images_stand_beside_generated_ones(finished):
    from coequal.datasets._loading import data_folder, load_dataset

    trial = of(finished, "cgan").trial
    kept = finished.neighbours(trial.id)
    assert kept.shape == (10, 6, 1, 8, 8)
    assert (kept[:, 0] == finished.samples(trial.id, 6)[:10]).all()
    train = load_dataset("digits", data_folder()).train.images.whole
    flat = train.flatten(1).float()
    for row in torch.from_numpy(kept):
        distances = (flat - row[0].flatten().float()).norm(dim=1)
        nearest = distances.sort().values[:5]
        found = (row[1:].flatten(1).float() - row[0].flatten().float()).norm(dim=1)
        torch.testing.assert_close(found, nearest)


def test_the_report_shows_an_incomplete_metric(finished):
    page = write_report(finished).read_text()
    assert "Samples by class" in page
    assert "Nearest training images" in page
    assert "GAN-train and GAN-test by class" in page
    assert "Predicted classes of generated images" in page
    figures = finished.path / "report" / "figures"
    with Image.open(figures / "digits-classes.png") as picture:  # of the one model with classes
        assert picture.height > 10 * 56
    rows = (finished.path / "report" / "tables" / "other_metrics.csv").read_text().splitlines()
    names = rows[0].split(",")
    found = {row.split(",")[names.index("model")]: row.split(",") for row in rows[1:]}
    column = names.index("fd_per_class")
    floor = finished.references()["digits"]["floor"]["fd_per_class"]
    assert float(found["real images"][column]) == pytest.approx(floor)
    assert float(found["cgan"][column]) > floor
    assert found["ns_gan"][column] == ""


def test_images_of_a_class_so_many_of_each_or_like_the_data(finished):
    trial = of(finished, "cgan").trial
    assert sample(finished, trial, SampleRequest(5, of="3")).labels.tolist() == [3] * 5
    assert sample(finished, trial, SampleRequest(per_class=2)).labels.tolist() == [
        label for label in range(10) for _ in range(2)
    ]
    assert sample(finished, trial, 12).labels.tolist() == [*range(10), 0, 1]
    drawn = sample(finished, trial, SampleRequest(4000, like_data=True)).labels
    counts = finished.references()["digits"]["class_counts"]
    shares = torch.tensor(counts) / sum(counts)
    # Each share of 4,000 draws has a standard deviation of at most 0.5 / sqrt 4,000 = 0.008.
    torch.testing.assert_close(drawn.bincount() / 4000, shares, atol=0.04, rtol=0)
    again = sample(finished, trial, SampleRequest(4000, like_data=True)).images
    assert torch.equal(sample(finished, trial, SampleRequest(4000, like_data=True)).images, again)
    with pytest.raises(LookupError, match="a number from 0 to 9"):
        sample(finished, trial, SampleRequest(1, of="boots"))
    with pytest.raises(ValueError, match="cannot generate images of a requested class"):
        sample(finished, of(finished, "ns_gan").trial, SampleRequest(1, of="3"))


def test_a_folder_has_a_sub_folder_for_each_class_and_a_sheet_a_row(finished, tmp_path):
    trial = chosen_trial(finished, "cgan", None)
    folder = write_samples(finished, trial, SampleRequest(per_class=3), 0, tmp_path / "fakes")
    assert sorted(path.name for path in folder.iterdir()) == [str(n) for n in range(10)]
    assert all(len(list(path.iterdir())) == 3 for path in folder.iterdir())
    known = sample(finished, trial, SampleRequest(per_class=3)).images
    with Image.open(folder / "4" / "000001.png") as image:
        assert (np.asarray(image) == known[4 * 3 + 1, 0].numpy()).all()
    sheet = write_samples(finished, trial, 64, 0, tmp_path / "sheet.png")
    with Image.open(sheet) as picture:  # ten rows of six
        side = picture.height // 10
        assert (picture.width + 4) // side == 6
    array = write_samples(finished, trial, SampleRequest(per_class=1), 0, tmp_path / "x.npy")
    assert np.load(array).shape == (10, 1, 8, 8)
    assert np.load(tmp_path / "x-labels.npy").tolist() == list(range(10))
    with pytest.raises(FileExistsError):
        write_samples(finished, trial, SampleRequest(per_class=1), 0, tmp_path / "x.npy")


def test_sample_on_the_command_line(finished, tmp_path):
    out = str(tmp_path / "fakes")
    given = ["sample", str(finished.path), "--model", "cgan", "--out", out]
    done = CliRunner().invoke(app, [*given, "--class", "7", "--count", "2"])
    assert done.exit_code == 0, done.output
    assert [path.name for path in (tmp_path / "fakes").iterdir()] == ["7"]


def test_a_model_may_have_nets_of_its_own():
    models = [
        "sngan",
        "cgan",
        {"base": "wgan_gp_acgan", "architecture": {"width": 0.5}},
        {"base": "projection_gan", "architecture": {"name": "dcgan"}, "settings": {}},
    ]
    nets = {"name": "infogan", "width": 1 / 8, "latents": 12}
    study = Study.model_validate({**TINY, "models": models, "architecture": nets})
    found = {trial.model: dict(trial.architecture) for trial in plan(study)}
    assert found == {
        "sngan": {"name": "sndcgan", "width": 1 / 8},  # of the study's, the width alone
        "cgan": nets,
        "wgan_gp_acgan": {"name": "resnet", "pooling": "mean", "width": 0.5},
        "projection_gan": {"name": "dcgan", "width": 1 / 8},
    }
    assert problems(Study.model_validate({**TINY, "models": ["sngan", "projection_gan"]})) == []


@pytest.mark.parametrize("model", ["cgan", "acgan"])
def test_classes_are_refused_where_the_images_have_none(model, tmp_path, monkeypatch):
    from coequal.rng import Rng

    monkeypatch.setenv("COEQUAL_DATA", str(tmp_path / "data"))
    for index, image in enumerate(Rng(1).integers(256, 60 * 256).view(60, 16, 16).numpy()):
        (tmp_path / "images").mkdir(exist_ok=True)
        Image.fromarray(image.astype(np.uint8)).save(tmp_path / "images" / f"{index}.png")
    own = {
        "data": [f"folder:{tmp_path / 'images'}"],
        "models": [model],
        "evaluation": {"encoder": "pixels", "samples": 10},
    }
    with pytest.raises(ValueError, match=f"{model} learns classes, and the images of .* no labels"):
        api.run(Study.model_validate({**TINY, **own}), tmp_path / "run", workers=0)
    assert not list((tmp_path / "run").glob("trials/*/*/result.json"))


def test_labels_in_proportion_by_hand():
    from coequal.evaluation.conditions import in_proportion

    # One each of the three classes that there are, and of 7 more 5, 1.4 and 0.6: 5, 1, 0 and one
    # for the largest remainder, 0.6.
    counts = torch.tensor([50, 0, 14, 6])
    assert in_proportion(counts, 10).tolist() == [0] * 6 + [2] * 2 + [3] * 2
    assert in_proportion(counts, 2).tolist() == [0, 0]  # 1.4, 0.4, 0.2: no room for all
