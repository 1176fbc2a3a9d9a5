"""The command that runs a study, with progress on the screen."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coequal.cli.command import CommandResult
from coequal.cli.exit_codes import ExitCode
from coequal.cli.options import (
    MACHINE,
    DataDir,
    Device,
    ForceBfloat16,
    RunOut,
    StudyFile,
    TensorBoardFolder,
    Track,
    TryParts,
    Workers,
    model_rows,
    short_path,
    tracked,
    write_report,
)
from coequal.cli.printing import console, log_line, say

if TYPE_CHECKING:
    from coequal.results.folder import RunFolder
    from coequal.runner.start import RunOptions
    from coequal.study.shard import Shard
    from coequal.study.spec import Study


def run(
    file: StudyFile,
    out: RunOut = None,
    workers: Workers = None,
    data_dir: DataDir = None,
    device: Device = "cpu",
    gpus: Annotated[
        str | None,
        typer.Option(
            help=("GPUs to use, by number, as in 0,1; one for each worker. Implies --device cuda."),
            rich_help_panel=MACHINE,
        ),
    ] = None,
    force_bfloat16: ForceBfloat16 = False,
    per_gpu: Annotated[
        int,
        typer.Option(
            min=1, help="Number of trials to run at a time on each GPU.", rich_help_panel=MACHINE
        ),
    ] = 1,
    time_limit: Annotated[
        float | None,
        typer.Option(
            help="Seconds after which a trial is stopped and recorded as `timeout`.",
            rich_help_panel=MACHINE,
        ),
    ] = None,
    memory: Annotated[
        float | None,
        typer.Option(help="Main memory that one trial may use, in GB.", rich_help_panel=MACHINE),
    ] = None,
    retries: Annotated[
        int,
        typer.Option(
            min=0,
            help="Number of times to retry a trial whose process died.",
            rich_help_panel=MACHINE,
        ),
    ] = 1,
    reuse: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder or pack of another run whose results to take over where they fit; "
            "may be repeated."
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            help="Address of a Dask scheduler to run on, as in tcp://host:8786.",
            rich_help_panel=MACHINE,
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            help="Shard of the trials to run, as in 3/16; afterwards run `coequal collect`.",
            rich_help_panel=MACHINE,
        ),
    ] = None,
    try_parts: TryParts = True,
    keep_going: Annotated[
        bool,
        typer.Option(
            "--keep-going",
            help=(
                "Keep training a model whose first trials all fail at once, and record "
                "the failures."
            ),
        ),
    ] = False,
    until_decided: Annotated[
        bool,
        typer.Option(
            "--until-decided",
            help=(
                "Add settings, look by look, until every pair is decided or the last look "
                "is reached."
            ),
        ),
    ] = False,
    track: Track = None,
    tensorboard: TensorBoardFolder = None,
) -> CommandResult:
    """Run a study, or what is missing of it, and write its report.

    Ctrl-C lets running trials write a checkpoint; a second one does not wait for them. The
    same command continues a stopped run.
    """
    from coequal.runner.start import RunOptions
    from coequal.study.check import checked
    from coequal.study.looks import to_the_last_look

    study, source = checked(file)
    if until_decided:
        study = to_the_last_look(study)
    options = RunOptions(
        workers=workers,
        data_dir=data_dir,
        device="cuda" if gpus and device == "cpu" else device,
        gpus=tuple(gpu.strip() for gpu in gpus.split(",")) if gpus else (),
        per_gpu=per_gpu,
        force_bfloat16=force_bfloat16,
        time_limit=time_limit,
        memory=None if memory is None else round(memory * 1e9),
        retries=retries,
        reuse=tuple(reuse or ()),
        cluster=cluster,
        shard=_shard(shard) if shard else None,
        try_parts=try_parts,
        keep_going=keep_going,
        callbacks=tracked(track, tensorboard),
    )
    _, values = run_missing(study, source, out or Path("runs") / study.study, options)
    never = not shard and any(not row["done"] for row in values["models"])
    return CommandResult(values, code=ExitCode.NEVER_FINISHED if never else ExitCode.DONE)


def _shard(text: str) -> "Shard":
    from coequal.study.shard import Shard

    try:
        return Shard.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def run_missing(
    study: "Study", source: str, out: Path, options: "RunOptions"
) -> "tuple[RunFolder, dict[str, Any]]":
    """Run what is missing of a study, with progress on the screen, and write its report.

    Args:
        study: one that has been checked.
        source: the text of its file.
        out: the run's folder.
        options: where and how it runs.

    Returns:
        The run's folder, and what `--json` says of it: see `options.write_report`. After a shard
        there is no report: only the `run` and how far its `models` are.

    Raises:
        typer.Exit: stopped by Ctrl-C or SIGTERM; a message is on the screen.
    """
    from coequal.cli.progress import observer
    from coequal.formatting import duration
    from coequal.results.folder import RunFolder
    from coequal.results.result_log import read_entries
    from coequal.runner.interrupt import Interrupted
    from coequal.runner.looks import saved_and_open, shard_end
    from coequal.runner.start import start

    folder = RunFolder(out.resolve())
    try:
        with observer(console) as watching:
            outcome = start(study, source, folder, options, watching)
    except KeyboardInterrupt as stopped:
        log_line("Stopped. No finished trial is lost; run the same command to continue.")
        code = stopped.code if isinstance(stopped, Interrupted) else ExitCode.INTERRUPTED
        raise typer.Exit(code) from None
    if options.shard:
        for line in shard_end(outcome.planned, str(short_path(out))):
            say(line)
        rows, total = model_rows(folder)
        return folder, {"run": str(short_path(folder.path)), "models": rows, "total": total}
    if outcome.stopped:
        for entry in outcome.stopped:
            log = short_path(folder.path / entry.log)
            text = f"{entry.model} was stopped on {entry.data}: {entry.reason} (log: {log})"
            say(text)
        say("every trial of the other models has a result")
    elif outcome.ended:
        seconds = sum(entry.seconds for entry in read_entries(folder).values())
        say(f"all trials have a result; {duration(seconds)} of training in all")
    else:
        done = f"every trial of '{study.study}' has a result in {short_path(out)}"
        say(f"nothing to do: {done}")
    for line in saved_and_open(study, outcome.planned):
        say(line)
    return folder, write_report(folder, verdict=len(study.models) > 1, results=outcome.results)
