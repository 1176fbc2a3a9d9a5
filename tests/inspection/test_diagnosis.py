"""`coequal diagnose`, as a stranger uses it: a run, a trial, images alone."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from coequal import api
from coequal.contract import Split
from coequal.datasets._loading import load_dataset
from coequal.evaluation.encoder_choice import EncoderChoice
from coequal.files import write_json
from coequal.health.signals import NAMES, Signals, load
from coequal.images import as_float
from coequal.inspection import diagnosis, image_diagnosis
from coequal.results.folder import HEALTH, SIGNALS, RunFolder

from typed import coequal

STUDY = """\
study: watched
data: [digits]
models:
  - {base: ns_gan, settings: {learning_rate: 0.02, generator_learning_rate: 1.0e-7}}
  - vae
architecture: {name: infogan, width: 0.03125}
search: {settings: 0}
training: {budget: {discriminator_steps: 60}, batch_size: 16, checkpoints: 2}
evaluation: {encoder: pixels, samples: 40}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("diagnose")
    (home / "watched.yaml").write_text(STUDY)
    results = api.run(home / "watched.yaml", home / "run", workers=0).trials
    assert {result.status for result in results.values()} == {"done"}
    return home


@pytest.fixture
def run(made, tmp_path) -> RunFolder:
    """A copy to spoil."""
    return RunFolder(shutil.copytree(made / "run", tmp_path / "run"))


def diagnosed(folder: RunFolder, *options: object) -> dict:  # type: ignore[type-arg]
    done = coequal("diagnose", folder.path, "--json", *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def place(folder: RunFolder, model: str = "ns_gan") -> Path:
    return next(folder.trial_folder(t.id) for t in folder.plan() if t.model == model)


def spoil(folder: RunFolder, probes: int = 20, **values: float) -> None:
    """Signals of a good training, but for these in the last ten probes."""
    rows = np.ones((probes, len(NAMES)))
    rows[:, 0] = 25 * np.arange(1, probes + 1)
    fine = {"auc": 0.8, "held_out_auc": 0.5, "gap": 0.1, "feature_gap": 0.1}
    fine |= {"shift": 0.1, "drift": 0.5}
    for name, value in fine.items():
        rows[:, NAMES.index(name)] = value
    for name, value in values.items():
        rows[-10:, NAMES.index(name)] = value
    Signals(rows, np.zeros((probes, 0)), np.zeros(0), {}).save(place(folder) / SIGNALS)


def test_a_run_is_a_table_of_its_trials(made):
    found = diagnosed(RunFolder(made / "run"))["trials"]
    assert [(row["model"], row["from"]) for row in found] == [
        ("ns_gan", "signals"),
        ("vae", "signals"),
    ]
    done = coequal("diagnose", made / "run")
    assert done.returncode == 0
    for row in found:
        assert row["trial"][:8] in done.stdout
    assert "of 2 judged trials failed" in done.stdout


def test_one_trial_by_model_by_id_and_by_its_folder(made):
    folder = RunFolder(made / "run")
    whole = diagnosed(folder)["trials"][1]
    assert diagnosed(folder, "--model", "vae") == whole
    assert diagnosed(folder, "--trial", whole["trial"][:6]) == whole
    assert diagnosed(RunFolder(place(folder, "vae"))) == whole
    assert {
        *("verdict", "step", "evidence", "remedies", "findings", "alarms", "unseen", "from"),
        *("trial", "model", "status", "recorded"),
    } <= whole.keys()
    assert whole["status"] == "done"


def test_a_finished_run_is_judged_by_the_rules_of_today(run):
    spoil(run, nearest=0.0)
    found = diagnosed(run, "--model", "ns_gan")
    # 20 probes of 25 steps; equal from the eleventh on, at step 275, and the mean of two probes
    # from 300 on.
    assert (found["verdict"], found["step"]) == ("collapsed", 300)
    (finding,) = (f for f in found["findings"] if f["rule"] == "duplicates")
    assert (finding["value"], finding["since"]) == (0, 300)
    # Of two rates, 0.02 is the one that is out of place, and 1e-7 what the other has.
    first = found["remedies"][0]
    assert first["settings"] == {"discriminator_learning_rate": 1e-7}
    said = coequal("diagnose", run.path, "--model", "ns_gan").stdout
    assert "collapsed since step 300: the generator makes only one image" in said
    assert (
        f"verdict recorded when it ended, by the rules of that version: {found['recorded']}" in said
    )
    assert "collapsed (duplicates) since step 300" in said
    assert "0, threshold" in said
    assert "--set discriminator_learning_rate=1e-07" in said
    assert "Heusel et al. 2017" in said
    assert "not checked\n- mode_dropping" in said


def remedy_settings(folder: RunFolder) -> set[str]:
    remedies = diagnosed(folder, "--model", "ns_gan")["remedies"]
    return {name for remedy in remedies for name in remedy["settings"]}


def test_what_the_objective_is_lies_beside_the_verdict(run):
    spoil(run, nearest=0.0)  # copies: the remedies for collapse come
    record = place(run) / HEALTH
    values = json.loads(record.read_text())
    assert values["objective"]["real_targets"]
    assert values["objective"]["logit"]
    with_logit = remedy_settings(run)
    assert {"minibatch", "gradient_penalty"} <= with_logit
    # The record decides: this one says that the discriminator has no logit.
    write_json(record, {**values, "objective": {**values["objective"], "logit": False}})
    assert with_logit - remedy_settings(run) == {"minibatch", "gradient_penalty"}
    # A record of an older version says nothing of the objective, which is asked then.
    write_json(record, {name: value for name, value in values.items() if name != "objective"})
    assert remedy_settings(run) == with_logit


def test_an_objective_that_cannot_be_asked_is_reported(run):
    spoil(run, nearest=0.0)
    (place(run) / HEALTH).unlink()
    trial = next(one for one in run.plan() if one.model == "ns_gan")
    gone = replace(trial, objective="my_lab.losses:Gone")
    shutil.copytree(place(run), run.trial_folder(gone.id))
    (run.trial_folder(gone.id) / "result.json").unlink()  # which is another trial's
    health = diagnosis.of_trial(run, gone)
    assert health["verdict"] == "collapsed"
    assert any("remedies" in text and "my_lab" in text for text in health["unseen"])


def test_what_held_and_passed_is_said(run):
    spoil(run, nearest=0.0)
    signals = load(place(run) / SIGNALS)
    signals.values[-6:, NAMES.index("nearest")] = 1.0
    signals.save(place(run) / SIGNALS)
    found = diagnosed(run, "--model", "ns_gan")
    assert found["verdict"] != "collapsed"
    assert [alarm["verdict"] for alarm in found["alarms"]] == ["collapsed"]
    said = coequal("diagnose", run.path, "--model", "ns_gan").stdout
    assert "failures that passed\n- collapsed from step 3" in said


def test_json_has_no_infinity(run):
    spoil(run, loss_generator=float("inf"))
    found = diagnosed(run, "--model", "ns_gan")
    assert found["verdict"] == "diverged"
    assert found["findings"][0]["value"] == 1e12  # which stands for it
    assert "1e+12" in coequal("diagnose", run.path, "--model", "ns_gan").stdout


def test_without_signals_the_stored_samples_are_judged(run):
    own = place(run)
    for name in (SIGNALS, HEALTH):
        (own / name).unlink()
    found = diagnosed(run, "--model", "ns_gan")
    assert found["from"] == "samples"
    assert found["evidence"].startswith("from samples alone, ")
    sheets = sorted((own / "samples").glob("step-*.npy"))
    assert len(sheets) == 2
    for path, step in zip(sheets, (400, 800), strict=True):
        images = np.load(path)
        np.save(path.with_name(f"step-{step:07d}.npy"), np.repeat(images[:1], len(images), 0))
        path.unlink()
    found = diagnosed(run, "--model", "ns_gan")
    assert (found["verdict"], found["step"]) == ("collapsed", 400)
    assert "from samples alone, images" in coequal("diagnose", run.path, "--model", "ns_gan").stdout


def test_a_trial_under_way_is_judged_by_its_checkpoint(run):
    spoil(run, nearest=0.0)
    own = place(run)
    rows = torch.from_numpy(load(own / SIGNALS).values)
    for name in (SIGNALS, HEALTH, "result.json"):
        (own / name).unlink()
    (own / "checkpoint").mkdir()
    save_file({"health/rows": rows}, own / "checkpoint" / "state.safetensors")
    found = diagnosed(run, "--model", "ns_gan")
    assert (found["verdict"], found["from"], found["status"]) == ("collapsed", "signals", None)
    trial = next(one for one in run.plan() if one.model == "ns_gan")
    health, signals = diagnosis.watched_so_far(run, trial)
    assert health is not None
    assert health.verdict == "collapsed"
    assert signals is not None
    assert len(signals) == len(rows)


def test_of_a_trial_that_has_not_begun_nothing_was_watched(run):
    trial = next(one for one in run.plan() if one.model == "ns_gan")
    shutil.rmtree(run.trial_folder(trial.id))
    assert diagnosis.watched_so_far(run, trial) == (None, None)


def test_a_trial_that_has_not_begun_is_a_row_without_a_verdict(run):
    shutil.rmtree(place(run))
    found = diagnosed(run)["trials"]
    assert [row["verdict"] is None for row in found] == [True, False]
    said = coequal("diagnose", run.path).stdout
    assert "neither signals nor samples to judge it by" in said
    assert "of 1 judged trials failed" in said
    done = coequal("diagnose", run.path, "--model", "ns_gan")
    assert done.returncode == 1
    assert "neither signals nor samples" in done.stderr


def test_of_several_settings_the_best_or_the_first_that_has_begun(run):
    trials = run.plan()
    first = next(trial for trial in trials if trial.model == "ns_gan")
    run.write_plan([replace(first, setting=1, seed=99), *trials])  # planned, and not begun
    assert diagnosed(run, "--model", "ns_gan")["trial"] == first.id
    (run.trial_folder(first.id) / "result.json").unlink()
    assert diagnosed(run, "--model", "ns_gan")["trial"] == first.id
    run.write_plan([replace(first, data="mnist"), *trials])
    done = coequal("diagnose", run.path, "--model", "ns_gan")
    assert done.returncode == 2
    assert "several datasets (digits, mnist); name a --trial" in done.stderr


def test_a_trial_that_diverged_says_so_without_anything_else(run):
    own = place(run)
    result = json.loads((own / "result.json").read_text())
    result |= {"status": "diverged", "reason": "the loss was nan at step 7"}
    (own / "result.json").write_text(json.dumps(result))
    found = diagnosed(run, "--model", "ns_gan")
    assert (found["verdict"], found["from"]) == ("diverged", "signals")
    (own / SIGNALS).unlink()
    found = diagnosed(run, "--model", "ns_gan")
    assert (found["verdict"], found["from"]) == ("diverged", "result")
    assert found["evidence"] == "the loss was nan at step 7"


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("images")
    train = load_dataset("digits", home).train
    assert train.labels is not None
    np.save(home / "good.npy", train.images[:600].numpy())
    np.save(home / "four.npy", train.images[:4].repeat(50, 1, 1, 1).numpy())
    np.save(
        home / "without.npy", train.images.whole[(train.labels != 0) & (train.labels != 4)].numpy()
    )
    np.save(home / "features.npy", np.zeros((9, 5), dtype=np.float32))
    np.save(home / "large.npy", np.zeros((9, 1, 32, 32), dtype=np.uint8))
    return home


class NearestMean:
    """Takes an image for the class whose mean image is nearest; no training."""

    def __init__(self, split: Split) -> None:
        assert split.labels is not None
        pixels = as_float(split.images.whole).flatten(1)
        self.means = torch.stack([pixels[split.labels == label].mean(0) for label in range(10)])

    def to(self, device: torch.device) -> "NearestMean":
        return self

    def features(self, images: torch.Tensor) -> torch.Tensor:
        return as_float(images).flatten(1)

    def probabilities(self, features: torch.Tensor) -> torch.Tensor:
        return (-torch.cdist(features, self.means)).softmax(1)


def test_images_alone(digits, monkeypatch):
    def classifier(name, sources, cache, log):  # type: ignore[no-untyped-def]
        assert name == "classifier"
        return EncoderChoice(NearestMean(sources["real"].dataset.train), "asked for")

    monkeypatch.setattr(image_diagnosis, "chosen_encoder", classifier)

    def of(name: str, *options: object) -> dict:  # type: ignore[type-arg]
        done = coequal("diagnose", "--fake", f"{name}.npy", "--json", *options, cwd=digits)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    real = ("--real", "digits:test")
    good = of("good", *real)
    assert (good["verdict"], good["from"], good["step"]) == ("healthy", "samples", None)
    assert (good["trial"], good["model"], good["real"]) == (None, None, "digits:test")
    assert sum(row["fake"] for row in good["classes"].values()) == 600
    four = of("four")
    assert (four["verdict"], four["numbers"]["distinct"]) == ("collapsed", 4)
    assert any("(--real)" in text for text in four["unseen"])
    said = coequal("diagnose", "--fake", "four.npy", cwd=digits).stdout
    assert said.startswith("four.npy: 200 images, 4 of them distinct; no real images\ncollapsed")
    without = of("without", *real)
    assert without["verdict"] == "mode_dropping"
    assert "hardly any image is classified as 0, 4" in without["evidence"]
    beside = of("without", "--real", "good.npy")
    assert beside["verdict"] == "healthy"
    assert any(
        "mode_dropping: a classifier exists only for a dataset" in text for text in beside["unseen"]
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "name the folder of a run or trial, or images with --fake"),
        (["run", "--fake", "x.npy"], 2, "or images with --fake"),
        (["nowhere"], 2, "there is no folder"),
        (["."], 1, "neither the folder of a run"),
        (["run", "--model", "ns_gam"], 2, "did you mean 'ns_gan'?"),
        (["run", "--trial", "zzz"], 2, "0 trials of"),
        (["run", "--real", "digits:test"], 2, "--real goes with --fake"),
        (["--fake", "x.npy", "--model", "vae"], 2, "--model and --trial select within a run"),
        (["--fake", "x.npy"], 2, "fake: there is no file x.npy"),
        (["--fake", "{digits}/features.npy"], 1, "holds features"),
        (["--fake", "{digits}/large.npy", "--real", "{digits}/good.npy"], 1, "real images are 8x8"),
    ],
)
def test_a_mistake_is_one_message(made, digits, arguments, code, message):
    given = (text.format(digits=digits) for text in arguments)
    done = coequal("diagnose", *given, cwd=made, columns=200)
    assert done.returncode == code
    assert message in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


def test_from_python(made):
    import coequal as package

    found = package.diagnose(made / "run", model="vae")
    assert found == diagnosis.diagnose(made / "run", model="vae")
    assert found["model"] == "vae"
