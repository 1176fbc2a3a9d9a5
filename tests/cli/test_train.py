"""`coequal train`: one line to a trained model, its page, and what to try next."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import typer
from PIL import Image

from coequal.cli.app import app
from coequal.cli.train_options import TrainRequest
from coequal.execution.serial import Serial
from coequal.files import write_json
from coequal.health import EARLY, Health
from coequal.health.remedies import remedies_for
from coequal.health.verdict import Alarm, Finding, Remedy
from coequal.reporting.trial_page.page import Command, read_run
from coequal.results.folder import HEALTH, RunFolder

import typed
from typed import Done

SICK = Health(
    "collapsed",
    25,
    "images of different latents are the same",
    (Remedy("a bound on the slope", {"spectral_norm": True}, "Miyato et al. 2018"),),
    (Finding("collapsed", "duplicates", 25, "images are the same", 0.0123, 0.02, (0.3, 1.5)),),
    (Alarm("oscillating", 3, 20), Alarm("collapsed", 25, 50)),
    ("mode_dropping: no classifier",),
)
COMMAND = (
    *("train", "ns_gan", "--data", "digits", "--steps", "52", "--width", "0.04"),
    *("--set", "beta1=0.3", "--encoder", "pixels", "--samples", "20", "--out", "out"),
)
OPTIONS = {
    param.name: param
    for param in typer.main.get_command(app).commands["train"].params
    if param.name != "model"
}


def coequal(*arguments: object, cwd: Path) -> Done:
    """The command in this process, its trials too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("coequal.runner.start.executor_for", lambda where: Serial())
        return typed.coequal(*arguments, cwd=cwd)


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("train")


@pytest.fixture(scope="module")
def sick(home) -> Done:
    """A run that is stopped as soon as it is looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("coequal.trial.health_callback.judge", lambda *given, **more: SICK)
        return coequal(*COMMAND, "--stop-on", "collapsed, diverged", cwd=home)


def test_stopped_early_it_says_why_and_what_to_try_as_a_command(sick, home):
    assert sick.returncode == 3
    assert "Traceback" not in sick.stderr
    why = "collapsed since step 25: images of different latents are the same"
    assert sick.stderr == f"training stopped early: {why}\n"
    assert f"health: {why}\n" in sick.stdout
    assert "try: a bound on the slope (Miyato et al. 2018)\n" in sick.stdout
    assert "page: out/index.html" in sick.stdout
    study = RunFolder(home / "out").study()
    assert study["training"]["stop_on"] == ["diverged", "collapsed"]
    assert (home / "out" / "samples.png").exists()


def test_the_command_to_try_is_the_one_that_was_given_with_one_setting_more(sick, home):
    (command,) = re.findall(r"^  (coequal train .*)$", sick.stdout, re.MULTILINE)
    given = shlex.split(command)
    after = COMMAND.index("beta1=0.3") + 1
    changed = [*COMMAND[:after], "--set", "spectral_norm=true", *COMMAND[after:-2]]
    stopped = ["--stop-on", "collapsed, diverged", "--out", "out-spectral_norm"]
    assert given[1:] == [*changed, *stopped]
    refused = coequal(*given[1:], "--resume", cwd=home)  # it is read to its end, and refused last
    assert "out-spectral_norm holds no run to continue" in refused.stderr


def test_the_page_tells_the_whole_story_and_needs_no_network(sick, home):
    page = (home / "out" / "index.html").read_text()
    assert "Collapsed since step 25" in page
    assert "stopped early" in page
    row = re.search(r"<tr><th scope=\"row\">duplicates.*</tr>", page)
    assert row is not None
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", row[0])
    assert cells == ["collapsed", "25", "0.0123", "0.02", "0.3 to 1.5", "images are the same"]
    assert "Earlier alarms that passed: oscillating from step 3 to 20." in page
    assert "mode_dropping: no classifier" in page
    assert "spectral_norm=true" in page
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", page)
    for link in ("report/index.html", "progress.gif", "samples.png", "results.csv"):
        assert f'href="{link}"' in page
        assert (home / "out" / link).exists()
    assert page.count("<svg") == 4  # scores, losses, rules, every signal
    assert page.count("real images of digits") == 1
    assert page.count("<figcaption>step ") == len(frames(home)[0])


def test_the_animation_has_a_picture_for_each_frame(sick, home):
    steps, _ = frames(home)
    assert steps[0] == 0
    assert steps[-1] >= 25
    with Image.open(home / "out" / "progress.gif") as animation:
        assert animation.n_frames == len(steps)  # type: ignore[attr-defined]
        assert animation.size[0] < animation.size[1]  # the step stands beneath the square


def frames(home: Path):  # type: ignore[no-untyped-def]
    folder = RunFolder(home / "out")
    found = folder.frames(folder.plan()[0].id)
    assert found is not None
    return found


def test_the_same_command_again_writes_the_same_page(sick, home):
    before = (home / "out" / "index.html").read_bytes()
    (home / "out" / "index.html").unlink()
    again = coequal(*COMMAND, "--stop-on", "diverged,collapsed", "--resume", cwd=home)
    assert "nothing to do" in again.stdout
    assert again.returncode == 3
    after = (home / "out" / "index.html").read_bytes()
    assert after.replace(b"diverged,collapsed", b"&#39;collapsed, diverged&#39;") == before


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--resume", "--out", "nothing"), "nothing holds no run to continue"),
        (("--resume", "--steps", 51), "training.budget.discriminator_steps: 51 (before: 52)"),
        (("--stop-on", "colapsed"), "'colapsed' is not one of diverged, collapsed, "),
        (("--tensorboard", "board", "--out", "nothing"), "pip install 'coequal[tensorboard]'"),
    ],
    ids=str,
)
def test_a_mistake_is_one_message_before_any_work(sick, home, monkeypatch, more, message):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    done = coequal(*COMMAND, *more, cwd=home)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (home / "nothing").exists()


def test_a_folder_that_may_be_no_classes_is_warned_of_before_training(tmp_path):
    for row in range(60):
        path = tmp_path / "data" / f"{row // 30:05}" / f"{row:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (28, 28), row).save(path)
    # Fewer images to train than a batch: it ends after that.
    done = typed.coequal("train", "vae", "--data", "folder:data", "--steps", "1", cwd=tmp_path)
    assert "the sub-folders 00000, 00001 were taken for classes" in done.stderr
    assert "fewer than batch_size 64" in done.stderr


def test_a_training_that_diverges_has_a_page_too(tmp_path):
    command = (*COMMAND, "--set", "learning_rate=1e30")
    done = coequal(*command, cwd=tmp_path)
    assert done.returncode == 3
    assert done.stderr.startswith("training diverged: ")
    assert "page: out/index.html" in done.stdout
    page = (tmp_path / "out" / "index.html").read_text()
    assert "Diverged since step" in page
    assert "The run was too short to be judged." in page
    assert not (tmp_path / "out" / "samples.png").exists()


# Options that say how a run goes on or what is printed of it, and not what it is.
HOW = ("resume", "go_on", "as_json")


def requested(model, **given):  # type: ignore[no-untyped-def]
    """What `coequal train MODEL` asks for with these options."""
    defaults = {name: option.default for name, option in OPTIONS.items() if name not in HOW}
    return TrainRequest(declared=OPTIONS, model=model, **{**defaults, "settings": {}, **given})


def test_every_option_is_in_the_printed_command():
    # Each with another value than its default; how a command goes on belongs to no run.
    names = OPTIONS.keys() - {*HOW, "settings"}
    assert names >= {"data", "steps", "out", "device"}
    asked = requested("wgan", settings={"n_dis": 2}, **{name: f"a {name}" for name in names})
    words = shlex.split(asked.command())
    for name in names:
        assert words[words.index(f"a {name}") - 1] == "--" + name.replace("_", "-")
    assert words[words.index("n_dis=2") - 1] == "--set"


def test_a_command_says_what_is_no_default_and_takes_settings_where_they_belong():
    asked = requested("wgan", data="my data", settings={"n_dis": 2, "loss": "x"}, generator_lr=0.01)
    text = "coequal train wgan --data 'my data' --set n_dis=2 --set loss=x --generator-lr 0.01"
    assert asked.command() == text
    more = {"generator_learning_rate": 1e-4, "ema": 0.99, "steps": 3000, "n_dis": 5}
    assert asked.with_settings(more).command() == (
        "coequal train wgan --data 'my data' --steps 3000 --set n_dis=5 --set loss=x "
        "--set generator_learning_rate=0.0001 --ema 0.99 "
        "--out runs/wgan-generator_learning_rate_0.0001-ema_0.99-steps_3000-n_dis_5"
    )
    assert requested("wgan").command() == "coequal train wgan"
    assert requested("wgan").folder == Path("runs/wgan")


def test_narrow_nets_have_a_larger_rate():
    # Up to a quarter of the width 1e-3, or the authors' where that is larger; above it theirs.
    assert requested("ns_gan").rate == (5e-5, 1e-3)
    assert requested("pixelcnn_pp").rate == (1e-3, 1e-3)
    assert requested("ns_gan", width=0.5).rate == (5e-5, 5e-5)
    assert requested("ns_gan", settings={"learning_rate": 1e-3}).rate is None
    (model,) = requested("ns_gan").study("classifier")["models"]
    assert model["settings"] == {"learning_rate": 1e-3}
    (model,) = requested("ns_gan", settings={"learning_rate": 3e-5}).study("classifier")["models"]
    assert model["settings"] == {"learning_rate": 3e-5}


def test_to_train_longer_is_a_command_and_mere_advice_is_none(sick, home, tmp_path):
    assert sick.returncode == 3
    shutil.copytree(home / "out", tmp_path / "out")
    folder = RunFolder(tmp_path / "out")
    (trial,) = folder.plan()
    young = Health(
        EARLY,
        None,
        "no rule fires",
        (*remedies_for(EARLY, {})[:1], Remedy("more training images", {}, "somebody")),
    )
    write_json(folder.trial_folder(trial.id) / HEALTH, young.as_dict())
    asked = requested("ns_gan", steps=52)
    command = Command(asked.command(), lambda more: asked.with_settings(more).command())
    longer, words = read_run(folder, trial, "fd", command).attempts
    assert longer.command == "coequal train ns_gan --steps 104"  # twice 52, in the same folder
    falling = requested("ns_gan", settings={"learning_rate_decay": "linear"}, steps=52)
    assert "--out runs/ns_gan-steps_104" in falling.with_settings({"steps": 104}).command()
    assert words.command == ""


SHORT = ("train", "ns_gan", "--data", "digits", "--width", "0.04", "--encoder", "pixels")
SHORT += ("--samples", "20", "--out", "longer")


def _steps(home: Path) -> tuple[int, ...]:
    folder = RunFolder(home / "longer")
    (trial,) = folder.plan()
    result = folder.result(trial.id)
    assert result is not None
    return tuple(result.checkpoints.steps)


@pytest.fixture(scope="module")
def trained(home) -> Path:
    done = coequal(*SHORT, "--steps", "10", cwd=home)
    assert done.returncode == 0, done.stderr
    return home


def test_a_run_is_continued_and_its_page_says_the_longer_command(trained):
    assert _steps(trained) == tuple(range(1, 11))
    twice = coequal(*SHORT, "--continue", cwd=trained)
    assert twice.returncode == 0, twice.stderr
    assert "training.budget.discriminator_steps: 20 (before: 10)" in twice.stdout
    assert _steps(trained) == (*range(1, 11), 12, 14, 16, 18, 20)
    assert "--steps 20" in (trained / "longer" / "index.html").read_text()
    more = coequal(*SHORT, "--steps", "25", cwd=trained)  # the option alone does it, too
    assert more.returncode == 0, more.stderr
    assert _steps(trained)[-1] == 25
    assert len(list((trained / "longer" / "trials").glob("*/*/result.json"))) == 3
    (log,) = (
        path.read_text()
        for path in (trained / "longer" / "trials").glob("*/*/log.txt")
        if "ends" in path.read_text() and "step 25" in path.read_text()
    )
    assert "goes on from the checkpoint of step 20" in log


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            ("--continue", "--out", "nothing"),
            "nothing holds no run to continue; leave out",
        ),
        (("--continue", "--steps", 3), "give more --steps than that, or leave --steps out for"),
        (
            ("--continue", "--set", "beta1=0.3"),
            "model ns_gan: settings.beta1: 0.3 (before: 0.0); training.budget",
        ),
    ],
    ids=str,
)
def test_what_can_not_be_continued_is_one_message(trained, more, message):
    done = coequal(*SHORT, *more, cwd=trained)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (trained / "nothing").exists()


def test_why_a_run_can_not_be_continued(trained, tmp_path):
    place = shutil.copytree(trained / "longer", tmp_path / "longer")
    shutil.rmtree(place / "states")
    done = coequal(*SHORT, "--continue", cwd=tmp_path)
    assert done.returncode == 1
    assert "the state of its optimisers has been deleted (as `coequal clean` d" in done.stderr
    assert "train from scratch in another folder with --out" in done.stderr
    falls = ("--steps", 4, "--set", "learning_rate_decay=linear", "--out", "falls")
    assert coequal(*SHORT, *falls, cwd=tmp_path).returncode == 0
    done = coequal(*SHORT, *falls, "--continue", "--steps", 8, cwd=tmp_path)
    assert (
        "can't continue from 4 to 8 steps: its learning rate decays over the whole" in done.stderr
    )


def test_a_training_that_ended_early_can_not_be_continued(sick, home):
    early = ("--stop-on", "diverged,collapsed", "--continue", "--steps", "99")
    done = coequal(*COMMAND, *early, cwd=home)
    assert done.returncode == 1
    assert (
        "can't continue from 52 to 99 steps: it ended before that (stopped early: " in done.stderr
    )
