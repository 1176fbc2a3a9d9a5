"""The command that trains one model: a study of one trial, with a page of its own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coequal.cli import completion
from coequal.cli.command import CommandResult
from coequal.cli.exit_codes import ExitCode
from coequal.cli.options import (
    TRAINING,
    DataDir,
    Device,
    Encoder,
    Seed,
    TensorBoardFolder,
    Track,
    assignments,
    short_path,
    tracked,
)
from coequal.cli.printing import log_line, say
from coequal.cli.run import run_missing
from coequal.cli.train_options import TrainRequest
from coequal.study.one_training import FRAMES

if TYPE_CHECKING:
    from coequal.reporting.trial_page.page import TrialReport
    from coequal.results.folder import RunFolder
    from coequal.study.spec import Study

SHEET_IMAGES = 64  # on the sheet; of a model that takes classes, as many of each as fit


def train(
    context: typer.Context,
    model: Annotated[
        str,
        typer.Argument(
            help="Model to train; see `coequal list`.",
            show_default=False,
            autocompletion=completion.part("models", ".yaml"),
        ),
    ],
    data: Annotated[
        str,
        typer.Option(help="Dataset, or folder:PATH.", autocompletion=completion.part("datasets")),
    ] = "fashion_mnist",
    steps: Annotated[int, typer.Option(min=1, help="Number of discriminator steps.")] = 1500,
    width: Annotated[
        float,
        typer.Option(
            help="Width of the networks, relative to the published ones.", rich_help_panel=TRAINING
        ),
    ] = 0.125,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            "--trick",
            help="Hyperparameter or trick as NAME=VALUE (docs/how_to/tricks.md); may be repeated.",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    generator_lr: Annotated[
        float | None,
        typer.Option(help="Learning rate of the generator alone.", rich_help_panel=TRAINING),
    ] = None,
    discriminator_lr: Annotated[
        float | None,
        typer.Option(help="Learning rate of the discriminator alone.", rich_help_panel=TRAINING),
    ] = None,
    ema: Annotated[
        float | None,
        typer.Option(
            help=(
                "Decay of a moving average of the generator, which is then measured, as in 0.999."
            ),
            rich_help_panel=TRAINING,
        ),
    ] = None,
    image_size: Annotated[
        int | None,
        typer.Option(
            help="Height and width to which images are cropped and resized: 28, 32 or 64."
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(min=1, help="Images per step. Default: 64.", rich_help_panel=TRAINING),
    ] = None,
    encoder: Encoder = None,
    samples: Annotated[
        int, typer.Option(min=2, help="Number of generated images per measurement.")
    ] = 2500,
    seed: Seed = 0,
    stop_on: Annotated[
        str | None,
        typer.Option(
            help="Health verdicts at which to stop, as in collapsed,diverged.",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    track: Track = None,
    tensorboard: TensorBoardFolder = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Only continue a stopped run; never start a new one."),
    ] = False,
    go_on: Annotated[
        bool,
        typer.Option(
            "--continue",
            help=(
                "Continue a finished run up to --steps in total. Default: twice as many as before."
            ),
        ),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run. Default: runs/MODEL.")
    ] = None,
    data_dir: DataDir = None,
    device: Device = "cpu",
) -> CommandResult:
    """Train one model and write a page about its training.

    The page shows samples over time, losses, what went wrong and what to try next.

    As in `coequal train ns_gan --data fashion_mnist --steps 2000 --trick instance_noise=0.1`.
    After Ctrl-C the same command continues. With more --steps it goes on from the run's end.
    """
    given = {**locals(), "settings": assignments(settings or [])}  # an option more is one here too
    del given["context"], given["resume"], given["go_on"]
    if go_on:
        chosen = context.get_parameter_source("steps")
        explicit = chosen is not None and chosen.name != "DEFAULT"
        given["steps"] = _steps_to_go_on(out or Path("runs") / model, steps if explicit else None)
    options = {param.name: param for param in context.command.params if param.name != "model"}
    return _train(TrainRequest(declared=options, **given), resume)


def _train(request: TrainRequest, resume: bool) -> CommandResult:
    from coequal.runner.one_training import encoder_for, refuse_to_extend
    from coequal.runner.start import RunOptions
    from coequal.study.check import checked_values
    from coequal.study.document import yaml_text
    from coequal.trackers._tracker import prepared

    callbacks = tracked(request.track, request.tensorboard)
    for callback in callbacks:
        prepared(callback, in_this_process=False)  # before the data are read, which takes a while
    if resume and not (request.folder / "study.json").exists():
        raise FileNotFoundError(
            f"{request.folder} holds no run to continue; leave out --resume to start "
            "one there, or name the run's folder with --out"
        )
    if request.rate is not None and request.rate[0] != request.rate[1]:
        authors, used = request.rate
        say(
            f"learning rate {used:g}, because the authors' {authors:g} is for networks "
            f"of full width and these are {request.width:g} times as wide; to use "
            f"theirs, add --set learning_rate={authors:g}"
        )
    values = request.study(request.encoder or encoder_for(request, request.data_dir, log_line))
    study = checked_values(values, "command line", "train")
    refuse_to_extend(request.folder, study)
    options = RunOptions(
        workers=1,
        data_dir=request.data_dir,
        device=request.device,
        frames=FRAMES,
        callbacks=callbacks,
    )
    folder, values = run_missing(study, yaml_text(study.as_dict()), request.folder, options)
    return _finish(folder, study, request, values)


def _steps_to_go_on(out: Path, steps: int | None) -> int:
    """The number of steps, in all, to which a run goes on.

    Args:
        out: the run's folder.
        steps: as asked for; None: twice as many as the run has had, or those that a run that was
            stopped had been asked for.

    Raises:
        FileNotFoundError: there is no run.
        ValueError: the run has had as many steps.
    """
    from coequal.results.folder import RunFolder

    if not (out / "study.json").exists():
        raise FileNotFoundError(
            f"{out} holds no run to continue; leave out --continue to start one there, "
            "or name the run's folder with --out"
        )
    folder = RunFolder(out)
    done = int(folder.study()["training"]["budget"]["discriminator_steps"])
    (trial,) = folder.plan()
    if folder.result(trial.id) is None:
        return done if steps is None else steps
    if steps is not None and steps <= done:
        raise ValueError(
            f"the run in {out} has had {done} steps already; give more --steps than "
            f"that, or leave --steps out for {2 * done}"
        )
    return 2 * done if steps is None else steps


def _finish(
    folder: "RunFolder", study: "Study", request: TrainRequest, values: dict[str, Any]
) -> CommandResult:
    """Write the sample sheet and the page of a run whose trial has ended.

    Args:
        folder: of the run.
        study: of the one trial.
        request: that was trained.
        values: what `--json` says of the run.

    Returns:
        The outcome; its exit code says whether the training reached its budget.
    """
    from coequal.reporting.trial_page.page import Command, read_run, write_training_page

    (trial,) = folder.plan()
    command = Command(request.command(), lambda more: request.with_settings(more).command())
    run = read_run(folder, trial, study.select.metric, command)
    result, sheet = run.result, None
    assert result is not None  # every trial of a run that came to its end has one
    if result.status not in ("diverged", "failed"):
        sheet = str(short_path(_write_sheet(folder)))
    page = str(short_path(write_training_page(folder, run, command)))
    last = run.checkpoints[-1:]
    values |= {
        "trial": trial.id,
        "status": result.status,
        "reason": result.reason,
        "step": last[0].step if last else None,
        "measurements": [vars(measured) for point in last for measured in point.measurements],
        "health": run.verdict if run.health else None,
        "samples": sheet,
        "page": page,
    }

    def show() -> None:
        if sheet is not None:
            say(f"samples: {sheet}")
        _print_outcome(run)
        say(f"page: {page}")
        if not result.finished:
            text = f"training {result.status}: {result.reason}"
            log_line(text)

    code = ExitCode.DONE if result.finished else ExitCode.NEVER_FINISHED
    return CommandResult(values, show, code)


def _write_sheet(folder: "RunFolder") -> Path:
    from coequal.inspection.samples import SampleRequest, write_samples

    sheet = folder.path / "samples.png"
    sheet.unlink(missing_ok=True)  # of an earlier call of this very command
    write_samples(folder, folder.plan()[0], SampleRequest(SHEET_IMAGES), 0, sheet)
    return sheet


def _print_outcome(run: "TrialReport") -> None:
    """Print the last score between its references, the health, and what to try next."""
    lines = []
    if run.quality:
        where = f"on {run.quality.split}, step {run.quality.steps[-1]:,}"
        lines.append(f"{where}: {run.quality.in_words}")
    if run.health:
        lines.append(f"health: {run.verdict}: {run.health.evidence}")
    for attempt in run.attempts:
        source = f" ({attempt.source})" if attempt.source else ""
        lines.append(f"try: {attempt.what}{source}")
        lines += [f"  {attempt.command}"] if attempt.command else []
    for line in lines:
        say(line)
