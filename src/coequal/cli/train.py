"""The command that trains one model: a study of one trial, with a page of its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coequal.cli.options import DataDir, Device, console, shown
from coequal.cli.run import run_missing
from coequal.cli.train_options import TrainRequest

if TYPE_CHECKING:
    from coequal.report.trial_page.page import TrialReport
    from coequal.results.folder import RunFolder
    from coequal.study.spec import Study

SHEET = 64  # images of a trained model; of one that takes classes, as many of each as fit
FRAMES = 24  # moments of the animation


def train(
    model: Annotated[str, typer.Argument(help="A model; see `coequal list`.", show_default=False)],
    data: Annotated[str, typer.Option(help="A data set, or folder:PATH.")] = "fashion_mnist",
    steps: Annotated[int, typer.Option(min=1, help="Discriminator steps.")] = 1500,
    width: Annotated[float, typer.Option(help="Of the nets; 1 is the study's.")] = 0.125,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            "--trick",
            help="NAME=VALUE of a hyper-parameter or a trick (docs/tricks.md); may be repeated.",
        ),
    ] = None,
    generator_lr: Annotated[
        float | None, typer.Option(help="Learning rate of the generator alone.")
    ] = None,
    discriminator_lr: Annotated[
        float | None, typer.Option(help="Learning rate of the discriminator alone.")
    ] = None,
    ema: Annotated[
        float | None, typer.Option(help="Measure a moving average of the generator, as in 0.999.")
    ] = None,
    encoder: Annotated[
        str | None, typer.Option(help="Default: classifier, or pixels without labels.")
    ] = None,
    samples: Annotated[int, typer.Option(min=2, help="Generated images per measurement.")] = 2500,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    stop_on: Annotated[
        str | None,
        typer.Option(help="Verdicts of health at which to stop, as in collapsed,diverged."),
    ] = None,
    tensorboard: Annotated[
        Path | None,
        typer.Option(help="Write losses, health and pictures here for TensorBoard, live."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Only go on with a run that was stopped; never begin a new one."
        ),
    ] = False,
    out: Annotated[Path | None, typer.Option(help="The run's folder. Default: runs/MODEL.")] = None,
    data_dir: DataDir = None,
    device: Device = "cpu",
) -> None:
    """Train one model with its authors' settings, or yours; watch its health; leave a page with
    samples over time, losses, what went wrong and what to try next.

    As in `coequal train ns_gan --data fashion_mnist --steps 2000 --trick instance_noise=0.1`.
    Stopped (Ctrl-C), the same command goes on.
    """
    asked = TrainRequest(
        model=model,
        data=data,
        steps=steps,
        width=width,
        settings=assignments(settings or []),
        generator_lr=generator_lr,
        discriminator_lr=discriminator_lr,
        ema=ema,
        encoder=encoder,
        samples=samples,
        seed=seed,
        stop_on=stop_on,
        tensorboard=tensorboard,
        out=out,
        data_dir=data_dir,
        device=device,
    )
    _train(asked, resume)


def _train(asked: TrainRequest, resume: bool) -> None:
    from coequal.api import study_text
    from coequal.trial.tensorboard import refuse_without_tensorboard

    if asked.tensorboard is not None:
        refuse_without_tensorboard()
    if resume and not (asked.folder / "study.json").exists():
        raise FileNotFoundError(
            f"{asked.folder} holds no run to go on with; leave out --resume to begin one there, or "
            "name the run's folder with --out"
        )
    if asked.rate is not None and asked.rate[0] != asked.rate[1]:
        authors, used = asked.rate
        console.print(
            f"learning rate {used:g}: the authors' {authors:g} is for nets of full width, and "
            f"these are {asked.width:g} as wide; theirs with --set learning_rate={authors:g}",
            markup=False,
            soft_wrap=True,
        )
    study = _checked(asked.study(asked.encoder or _encoder_for(asked.data, asked.data_dir)))
    options = {
        "workers": 1,
        "data_dir": asked.data_dir,
        "device": asked.device,
        "frames": FRAMES,
        "tensorboard": asked.tensorboard,
    }
    _finish(run_missing(study, study_text(study), asked.folder, options), study, asked)


def _finish(folder: "RunFolder", study: "Study", asked: TrainRequest) -> None:
    """The sheet, the page and the last words on a run whose trial has ended.

    Raises:
        ValueError: it did not reach its budget; all is written nevertheless.
    """
    from coequal.report.trial_page.page import Command, read_run, write_training_page

    (trial,) = folder.plan()
    command = Command(asked.command(), lambda more: asked.having(more).command())
    run = read_run(folder, trial, study.select.metric, command)
    if run.result.status not in ("diverged", "failed"):
        _write_sheet(folder)
    page = write_training_page(folder, run, command)
    _say(run)
    console.print(f"page: {shown(page)}", markup=False, soft_wrap=True)
    if not run.result.finished:
        raise ValueError(f"training {run.result.status}: {run.result.reason}")


def _write_sheet(folder: "RunFolder") -> None:
    from coequal.inspection.samples import Wanted, write_samples

    sheet = folder.path / "samples.png"
    sheet.unlink(missing_ok=True)  # of an earlier call of this very command
    write_samples(folder, folder.plan()[0], Wanted(SHEET), 0, sheet)
    console.print(f"samples: {shown(sheet)}", markup=False, soft_wrap=True)


def _say(run: "TrialReport") -> None:
    """Print the last values, the health, and what to try next."""
    for last in run.result.checkpoints[-1:]:
        for found in last.measurements:
            if found.metric == run.metric:
                console.print(
                    f"{found.metric} on {found.split}, step {last.step}: {found.value:.4g}"
                )
    if run.health is None:
        return
    lines = [f"health: {run.verdict}: {run.health.evidence}"]
    for attempt in run.attempts:
        source = f" ({attempt.source})" if attempt.source else ""
        lines.append(f"try: {attempt.what}{source}")
        lines += [f"  {attempt.command}"] if attempt.command else []
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def _checked(values: dict[str, Any]) -> "Study":
    """The study that the options of a command mean."""
    from coequal.study.check import problems
    from coequal.study.document import Document, StudyError
    from coequal.study.spec import from_document

    study = from_document(Document(values, {}, ()), "command line", "train")
    if slips := problems(study):
        raise StudyError("command line", slips)
    return study


def _encoder_for(data: str, data_dir: Path | None) -> str:
    from coequal import lookup
    from coequal.datasets._loading import data_folder, load_dataset

    kind = lookup.load("encoders", "classifier")
    return (
        "pixels"
        if kind.unsupported_reason(load_dataset(data, data_folder(data_dir)))
        else "classifier"
    )


def assignments(settings: Sequence[str]) -> dict[str, Any]:
    """Settings by name out of NAME=VALUE, each value as YAML has it.

    Raises:
        ValueError: one has no `=`, or no value.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    found = {}
    for setting in settings:
        name, sign, value = setting.partition("=")
        if not sign:
            raise ValueError(f"--set takes NAME=VALUE, got '{setting}'")
        try:
            found[name.strip()] = YAML(typ="safe", pure=True).load(value)
        except YAMLError as error:
            raise ValueError(f"--set {setting}: '{value}' is no value") from error
    return found
