"""The command line, as a stranger uses it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from coequal.results.folder import RunFolder
from coequal.results.result_log import ENTRIES

from typed import coequal

SMALL = """\
study: small
data: [digits]
models: [ns_gan, vae]
architecture: {width: 0.03125, norm_momentum: 0.5}
search: {settings: 1, ranges: {learning_rate: {choice: [0.02]}, beta1: {choice: [0.5]}}}
training: {budget: {discriminator_steps: 40}, batch_size: 16, checkpoints: 2}
evaluation: {encoder: pixels, samples: 30}
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("cli")
    (home / "small.yaml").write_text(SMALL)
    (home / "small.png").write_bytes(b"somebody's picture")
    done = coequal("run", "small.yaml", "--out", "run", "--workers", 0, cwd=home)
    assert done.returncode == 0, done.stderr
    assert "4 of 4 trials done" in done.stdout
    assert "report: run/report/index.html" in done.stdout
    return home


def test_list_names_the_eight(finished):
    found = json.loads(coequal("list", "models", "--json").stdout)
    eight = {"mm_gan", "ns_gan", "lsgan", "wgan", "wgan_gp", "dragan", "began", "vae"}
    assert eight <= {entry["name"] for entry in found}
    assert all(entry["settings"]["learning_rate"] > 0 for entry in found)


@pytest.mark.parametrize(
    "kind", ["models", "objectives", "architectures", "datasets", "encoders", "metrics"]
)
def test_list_every_kind_of_part(kind):
    done = coequal("list", kind)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) > 4


def test_check_counts_and_fills_in(finished):
    done = coequal("check", "small.yaml", cwd=finished)
    assert done.returncode == 0
    assert "4 trials (2 models x (the authors' setting + 1 drawn) x 1 dataset)" in done.stdout
    assert "space: wide" in done.stdout
    assert json.loads(coequal("check", "small.yaml", "--json", cwd=finished).stdout)["seed"] == 0


def test_check_says_what_can_be_decided_and_what_would_do(finished):
    (finished / "three.yaml").write_text("search: {settings: 3}\n")
    text = coequal("check", "three.yaml", cwd=finished).stdout
    assert (
        "With 3 settings, no model of 8 can be shown to be better; that takes at least 11" in text
    )
    assert "(2^(1 - B) <= 0.05/28)" in text
    assert "`against: mm_gan` for the other models and `settings: 9` (up to 48 more trials)" in text
    assert "A budget of 2 can't be judged, because that takes 20 settings" in text
    found = json.loads(coequal("check", "three.yaml", "--json", cwd=finished).stdout)["decides"]
    assert (found["reach"]["fewest"], found["pairs"]) == (11, 28)
    (finished / "many.yaml").write_text("search: {settings: 40}\n")
    text = coequal("check", "many.yaml", cwd=finished).stdout
    assert "It can show, at 40 settings and a budget of 2 (28 pairs, each at a level of" in text
    assert "a factor of 1.7 is shown with a probability of 80 %; assumed: standard" in text
    assert "found equivalent within 10 %" in text
    planned = json.loads(
        coequal("plan", "many.yaml", "--no-calibrate", "--json", cwd=finished).stdout
    )
    assert planned["decides"]["reach"]["smallest"] == pytest.approx(1.67, abs=0.01)
    few = coequal("check", "many.yaml", "--from", "run", cwd=finished)
    assert few.returncode == 1
    assert "no two models in it have 10 random settings with a score" in few.stderr


def test_check_prints_every_slip_and_exits_2(tmp_path):
    (tmp_path / "bad.yaml").write_text(
        "data: [digit]\nmodels: [gan]\nseeed: 1\nsearch: {settings: -1}\ntraining: 5\n"
    )
    done = coequal("check", "bad.yaml", cwd=tmp_path)
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert [line.split(":")[1] for line in lines] == ["1", "2", "3", "4", "5"]
    assert "Traceback" not in done.stderr


@pytest.fixture
def _timed_briefly(monkeypatch):
    monkeypatch.setattr("coequal.runner.estimate.TIMED_SECONDS", 0.05)


@pytest.mark.usefixtures("_timed_briefly")
def test_plan(finished):
    done = coequal("plan", "small.yaml", "--json", cwd=finished)
    found = json.loads(done.stdout)
    assert [trial["model"] for trial in found["trials"]] == ["ns_gan", "vae"] * 2
    estimate = found["estimate"]
    assert estimate["trials"] == 4  # runs/small is not there: nothing is done yet
    assert estimate["core_seconds"] > 0
    text = coequal("plan", "small.yaml", "--out", "run", cwd=finished).stdout
    assert "40 discriminator steps each" in " ".join(text.split())
    assert "4 of the trials above have a result in run\nnothing left to do" in text
    plain = coequal("plan", "small.yaml", "--no-calibrate", "--json", cwd=finished)
    assert json.loads(plain.stdout)["estimate"] is None


@pytest.mark.usefixtures("_timed_briefly")
def test_plan_counts_what_can_not_be_named_yet(tmp_path):
    (tmp_path / "more.yaml").write_text(SMALL + "reruns: {best: 2, seeds: 3}\n")
    done = coequal("plan", "more.yaml", "--workers", 2, cwd=tmp_path)
    assert "4 trials (2 models x (the authors' setting + 1 drawn) x 1 dataset)" in done.stdout
    assert "dataset), then at most 12 re-runs" in " ".join(done.stdout.split())
    assert "to do: 16 trials" in done.stdout
    assert "with 2 workers" in done.stdout
    assert "are free" in done.stdout


def test_run_again_has_nothing_to_do_and_says_so(finished):
    table = finished / "run" / "results.csv"
    before = table.read_bytes()
    table.unlink()  # as after a kill between the last trial and the table
    done = coequal("run", "small.yaml", "--out", "run", cwd=finished)
    assert done.returncode == 0
    assert "nothing to do" in done.stdout
    assert table.read_bytes() == before


def test_status(finished):
    found = json.loads(coequal("status", "run", "--json", cwd=finished).stdout)
    total = found["total"]
    assert total.pop("seconds") > 0
    assert total.pop("last_hour") <= 4
    assert total == {
        **{"trials": 4, "done": 4, "failed": 0, "running": 0, "waiting": 0, "unreadable": 0}
    }
    for options in ((), ("--watch",)):  # watching ends with the run
        assert "ns_gan" in coequal("status", "run", *options, cwd=finished).stdout


def test_tables_have_whole_words_and_ids_at_80_columns(finished):
    head = coequal("status", "run", cwd=finished, columns=80).stdout.splitlines()
    assert head[0].split()[:6] == ["model", "trials", "done", "failed", "running", "waiting"]
    assert max(map(len, head)) <= 80
    plan = ("plan", "small.yaml", "--no-calibrate")
    listed = coequal(*plan, "--all", cwd=finished, columns=80).stdout
    ids = [entry["id"] for entry in plan_of(finished)]
    assert len(ids) == 4
    assert all(f"\n{key} " in listed for key in ids)
    models = coequal(*plan, cwd=finished, columns=80).stdout.splitlines()[2:4]
    assert [line.split() for line in models] == [["ns_gan", "2"], ["vae", "2"]]


def plan_of(home: Path) -> list[dict]:
    done = coequal("plan", "small.yaml", "--no-calibrate", "--json", cwd=home)
    trials: list[dict] = json.loads(done.stdout)["trials"]
    return trials


def test_export_is_results_csv_or_json(finished):
    assert coequal("export", "run", "--out", "all.csv", cwd=finished).returncode == 0
    assert (finished / "all.csv").read_bytes() == (finished / "run/results.csv").read_bytes()
    assert coequal("export", "run", "--out", "all.json", cwd=finished).returncode == 0
    assert len(json.loads((finished / "all.json").read_text())) == 4
    again = coequal("export", "run", "--out", "all.csv", cwd=finished)
    assert again.returncode == 1
    assert "is there already" in again.stderr
    assert (
        "there is no format 'xls'"
        in coequal("export", "run", "--out", "a.xls", cwd=finished).stderr
    )


def test_clean_says_what_could_go_and_deletes_it_when_told(finished, tmp_path):
    shutil.copytree(finished / "run", tmp_path / "run")
    weights = len(list((tmp_path / "run").glob("trials/*/*/generator.safetensors")))
    done = coequal("clean", "run", cwd=tmp_path)
    assert "to delete them, add --yes" in done.stdout or "nothing to delete" in done.stdout
    assert len(list((tmp_path / "run").glob("trials/*/*/generator.safetensors"))) == weights
    (victim, *_) = (tmp_path / "run").glob("trials/*/*")
    (victim / "checkpoint").mkdir()
    (victim / "checkpoint" / "state.json").write_text("{}")
    assert " kB deleted" in coequal("clean", "run", "--yes", cwd=tmp_path).stdout
    assert not (victim / "checkpoint").exists()
    page = (finished / "run/report/index.html").read_bytes()
    assert coequal("report", "run", cwd=tmp_path).returncode == 0
    assert (tmp_path / "run/report/index.html").read_bytes() == page


def test_collect_names_what_was_changed_by_hand(finished, tmp_path):
    (tmp_path / "small.yaml").write_text(SMALL)
    shutil.copytree(finished / "run", tmp_path / "run")
    (first, *_) = (tmp_path / "run").glob("trials/*/*/result.json")
    first.write_text("{")
    done = coequal("collect", "run", cwd=tmp_path)
    assert done.returncode == 1
    assert str(first.parent.name) in done.stderr
    assert "3 of 4 trials have a result" in done.stdout
    assert "1 trial remains; run the shards again" in done.stdout
    assert "no report: 1 result can't be used" in done.stdout
    first.unlink()
    done = coequal("run", "small.yaml", "--out", "run", "--workers", 0, cwd=tmp_path)
    table = (finished / "run/results.csv").read_bytes()
    assert (tmp_path / "run/results.csv").read_bytes() == table


def test_report_again(finished):
    page = finished / "run" / "report" / "index.html"
    before = page.read_bytes()
    assert coequal("report", "run", cwd=finished).returncode == 0
    assert page.read_bytes() == before
    assert b"<svg" in before
    assert b"data:image/png;base64" in before


def test_sample_in_its_three_forms(finished):
    common = ("sample", "run", "--model", "vae", "--count", 5, "--seed", 3)
    assert coequal(*common, "--out", "a.npy", cwd=finished).returncode == 0
    assert coequal(*common, "--out", "images", cwd=finished).returncode == 0
    assert coequal(*common, "--out", "sheet.png", cwd=finished).returncode == 0
    array = np.load(finished / "a.npy")
    assert array.shape == (5, 1, 8, 8)
    files = sorted((finished / "images").iterdir())
    assert len(files) == 5
    assert np.array_equal(np.asarray(Image.open(files[4])), array[4, 0])
    with Image.open(finished / "sheet.png") as sheet:
        assert sheet.width > 8
    other = coequal(*common[:-1], 4, "--out", "b.npy", cwd=finished)
    assert other.returncode == 0
    assert not np.array_equal(np.load(finished / "b.npy"), array)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sample", "run", "--out", "x.npy"), "choose one with --model: ns_gan, vae"),
        (("sample", "run", "--model", "ns", "--out", "x.npy"), "did you mean 'ns_gan'?"),
        (("sample", "run", "--trial", "zz", "--out", "x.npy"), "0 finished trials"),
        (("sample", "run", "--model", "vae", "--out", "run"), "already exists"),
        (("status", "nowhere"), "there is no folder"),
        (("report", "."), "holds no study"),
        (("paper", "nowhere"), "there is no folder"),
        (("paper", "run", "--out", "."), "was not written by `coequal paper`"),
        (("list", "model"), "did you mean 'models'?"),
        (("run", "small.yaml", "--out", "."), "is not empty and holds no study"),
        (("train", "ns_gan", "--data", "digit"), "did you mean 'digits'?"),
        (("train", "nsgan", "--data", "digits"), "did you mean 'ns_gan'?"),
        (("train", "ns_gan", "--data", "digits", "--set", "beta1"), "--set takes NAME=VALUE"),
        (
            ("train", "ns_gan", "--data", "digits", "--set", "beta1=2"),
            "beta1 must be a number of at least 0 and below 1, got 2",
        ),
        (("train", "ns_gan", "--data", "folder:nowhere"), "nowhere"),
        (("train", "ns_gan", "--data", "digits", "--set", "beta1=["), "'[' is not a YAML value"),
        (("sample", "run", "--model", "vae", "--out", "small.png"), "already exists"),
        (("run", "small.yaml", "--out", "new", "--device", "gpu"), "device 'gpu' is not one of"),
        (
            ("score", "--real", "digits:test", "--fake", "digits:train", "--device", "cuda:7"),
            "device 'cuda:7': ",
        ),
        (
            ("sample", "run", "--model", "vae", "--out", "x.npy", "--device", "gpu"),
            "device 'gpu' is not one of",
        ),
    ],
    ids=str,
)
def test_a_users_mistake_is_one_message(finished, arguments, message):
    done = coequal(*arguments, cwd=finished)
    assert done.returncode in (1, 2)
    assert message in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


def test_train_from_a_folder_of_images(tmp_path, monkeypatch):
    monkeypatch.setenv("COEQUAL_DATA", str(tmp_path / "data"))
    rng = np.random.default_rng(0)
    for index in range(60):
        folder = tmp_path / "images" / f"class{index % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    done = coequal(
        *("train", "wgan_gp", "--data", "folder:images", "--steps", 4, "--width", 0.05),
        *("--samples", 10, "--encoder", "pixels", "--set", "penalty_weight=1", "--out", "out"),
        cwd=tmp_path,
    )
    # 36 of 60 images are left to train on: said before any training.
    assert done.returncode == 1
    assert "has 36 images, fewer than batch_size 64" in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        *("list", "check", "plan", "run", "train", "sample", "status", "report", "merge"),
        *("paper", "collect", "export", "clean"),
        *("score", "compare", "diagnose"),
    ],
)
def test_help_has_an_example(command):
    done = coequal(command, "--help")
    assert done.returncode == 0
    assert f"Example: coequal {command}" in done.stdout


def test_a_trial_that_was_killed_is_waiting_not_running(finished, tmp_path):
    shutil.copytree(finished / "run", tmp_path / "run")
    (tmp_path / "run" / ENTRIES).unlink()  # it knows the result that is taken away here
    (result,) = list((tmp_path / "run").glob("trials/*/*/result.json"))[:1]
    result.unlink()
    result.with_name("progress.json").write_text('{"share": 0.5, "text": ""}')
    found = json.loads(coequal("status", "run", "--json", cwd=tmp_path).stdout)
    assert (found["total"]["done"], found["total"]["waiting"]) == (3, 1)
    with RunFolder(tmp_path / "run").lock():
        found = json.loads(coequal("status", "run", "--json", cwd=tmp_path).stdout)
    assert found["total"]["running"] == 1


def test_score_a_model_of_a_run_and_compare(finished):
    common = ("score", "--real", "digits:test", "--encoder", "pixels", "--samples", 100)
    for name in ("ns_gan", "vae"):
        arguments = (*common, "--fake", f"run:{name}", "--metrics", "fd", "--out", f"{name}.json")
        assert coequal(*arguments, cwd=finished).returncode == 0
    first = json.loads((finished / "ns_gan.json").read_text())
    assert first["fake"]["count"] == 100
    assert "run:ns_gan (trial " in first["fake"]["source"]
    done = coequal("compare", "ns_gan.json", "vae.json", "--json", cwd=finished)
    assert json.loads(done.stdout)["metrics"]["fd"]["difference"] != 0
    refused = coequal("compare", "ns_gan.json", "small.yaml", cwd=finished)
    assert refused.returncode == 1
    assert "is no JSON" in refused.stderr


def test_a_run_without_a_model_is_no_set_of_images(finished):
    done = coequal("score", "--real", "digits:test", "--fake", "run", cwd=finished)
    assert done.returncode == 1
    said = "fake: run is the folder of a run; name one of its models: run:ns_gan, run:vae\n"
    assert done.stderr == said


@pytest.mark.parametrize("name", ["smp.jpg", "smp.npz", "sheet.gif", "smp.ZIP"])
def test_samples_are_no_folder_that_is_called_like_a_file(finished, tmp_path, name):
    done = coequal("sample", "run", "--model", "vae", "--out", tmp_path / name, cwd=finished)
    assert done.returncode == 1
    assert (
        "files are not supported; name a .png (one sheet), a .npy (an array), or a folder"
        in done.stderr
    )
    assert not (tmp_path / name).exists()


def test_samples_go_into_a_folder_with_a_dot_in_its_name(finished, tmp_path):
    out = tmp_path / "samples.v0.5"
    done = coequal("sample", "run", "--model", "vae", "--count", 2, "--out", out, cwd=finished)
    assert done.returncode == 0, done.stderr
    assert len(list(out.glob("*.png"))) == 2


def test_train_leaves_a_sheet_a_report_and_two_numbers(tmp_path):
    done = coequal(
        *("train", "vae", "--data", "digits", "--steps", 6, "--width", 0.04, "--samples", 20),
        *("--encoder", "pixels", "--set", "learning_rate=1e-3", "--out", "out"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "on test, step 6: FD " in done.stdout
    assert (tmp_path / "out" / "samples.png").exists()
    assert (tmp_path / "out" / "report" / "index.html").exists()
    plan = json.loads((tmp_path / "out" / "plan.json").read_text())
    assert plan["settings"]["learning_rate"] == 1e-3


@pytest.mark.parametrize(
    ("number", "name", "message"),
    [
        (28, "/r/x", "/r/x: the disk is full; finished trials are safe; once this is repaired"),
        (28, None, "the disk is full; finished trials are safe"),
        (30, "/r/x", "/r/x: the disk is read-only; finished trials are safe"),
        (116, "/r/x", "/r/x: the network disk is gone; finished trials are safe"),
        (13, "/r/x", "/r/x: permission denied\n"),
        (2, "/r/x", "/r/x: not found\n"),
    ],
)
def test_what_is_wrong_with_a_disk_is_said_in_words(monkeypatch, tmp_path, number, name, message):
    def fails(*_: object) -> None:
        raise OSError(number, "in the words of the system", name)

    monkeypatch.setattr("coequal.results.folder.RunFolder.study", fails)
    done = coequal("report", tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(message)
    assert "Errno" not in done.stderr
