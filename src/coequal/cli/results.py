"""The commands on the folder of a run: its status, report, images and tables."""

import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from coequal import formatting
from coequal.cli import completion
from coequal.cli.command import CommandResult
from coequal.cli.exit_codes import ExitCode
from coequal.cli.options import (
    AnyDevice,
    Batch,
    Classes,
    Latent,
    ModelOfRun,
    RunCode,
    RunPath,
    Seed,
    TrialOfRun,
    Values,
    allow_code,
    fake_and_values,
    model_rows,
    own_folder,
    run_folder,
    short_path,
    write_report,
)
from coequal.cli.printing import Field, console, log_line, say, tables
from coequal.devices import AUTO, computing_on

if TYPE_CHECKING:
    from coequal.results.clean import Removable
    from coequal.results.folder import RunFolder

REFRESH_SECONDS = 2.0
MAX_RUNNING_LINES = 16  # lines about single running trials
HEADINGS = {"last_hour": "in the last hour"}
"""Headings of counts that are not called by their key."""


def status(
    folder: RunPath,
    watch: Annotated[
        bool, typer.Option(help="Refresh every two seconds, until the run ends.")
    ] = False,
) -> CommandResult:
    """Show how far a run is, from any terminal."""
    from coequal.inspection.status import running, unfinished

    run = run_folder(folder)
    rows, total = model_rows(run)
    values = {
        "study": run.study()["study"],
        "models": rows,
        "total": total,
        "unfinished": unfinished(run, rows),
        "running": running(run),
    }
    return CommandResult(values, lambda: _watch(run) if watch else console.print(_state(run)))


def _watch(run: "RunFolder") -> None:
    """Show the state of a run until no coordinator works in its folder."""
    with Live(console=console, auto_refresh=False) as live:
        busy = True
        while busy:
            busy = run.busy()  # first: what ends meanwhile is in the last table
            live.update(_state(run), refresh=True)
            if busy:
                time.sleep(REFRESH_SECONDS)


def report(
    folder: RunPath,
    out: Annotated[
        Path | None,
        typer.Option(help="Output folder. Default: report in the run's folder, or beside a pack."),
    ] = None,
) -> CommandResult:
    """Write the report of a run again, finished or not."""
    return CommandResult(write_report(run_folder(folder), into=out))


def pack(
    folder: RunPath,
    out: Annotated[Path, typer.Option(help="File to write, as in study.zip.")],
    weights: Annotated[
        bool,
        typer.Option(help="Include the generators of the chosen trials, for `coequal sample`."),
    ] = True,
    keep_names: Annotated[
        bool,
        typer.Option(help="Pack even if a text that can't be changed names a folder or a user."),
    ] = False,
) -> CommandResult:
    """Put all that a reviewer needs of a run into one file.

    The same run gives the same bytes.
    """
    from coequal import api

    packed = api.pack(folder, out, weights=weights, keep_names=keep_names, log=log_line)
    for note in packed.notes:
        log_line(note)

    def show() -> None:
        size = formatting.size(packed.size)
        say(f"{short_path(packed.path)}: {packed.entries} files, {size}")
        say(f"content: sha256 {packed.digest}")

    return CommandResult({**asdict(packed), "path": str(packed.path)}, show)


def collect(folder: RunPath) -> CommandResult:
    """Join the results of shards, and show what is left to do.

    The run's log, plan, tables and report are written anew.
    """
    from coequal import api

    run = own_folder(folder)
    collected = api.collect(run.path, log_line)
    again = sum(trial.repeat > 0 for trial in collected.pending)
    done = len(collected.trials) - len(collected.pending)
    say(f"{done} of {len(collected.trials)} trials have a result")
    values = {
        "trials": [trial.id for trial in collected.trials],
        "pending": [trial.id for trial in collected.pending],
        "unusable": list(collected.unusable),
    }
    if collected.pending:
        remain = (
            "1 trial remains"
            if len(collected.pending) == 1
            else f"{len(collected.pending)} trials remain"
        )
        reruns = f" ({again} of them re-runs or transfers)" if again else ""
        say(f"{remain}{reruns}; run the shards again")
    if collected.unusable:
        count = len(collected.unusable)
        say(f"no report: {formatting.count(count, 'result')} can't be used (see above)")
        return CommandResult(values, code=ExitCode.FAILED)
    return CommandResult(values | write_report(run, results=collected.results))


def export(
    folder: RunPath,
    out: Annotated[Path, typer.Option(help="File to write.")],
    form: Annotated[
        str | None,
        typer.Option("--format", help="Format: csv, parquet or json. Default: from the file name."),
    ] = None,
) -> CommandResult:
    """Write all results of a run to one file for other programs."""
    from coequal.results.export import export as write

    written = write(run_folder(folder), form or out.suffix.removeprefix("."), out, log_line)
    where = str(short_path(written))
    return CommandResult({"results": where}, lambda: say(f"results: {where}"))


def clean(
    folder: RunPath,
    yes: Annotated[
        bool, typer.Option("--yes", help="Delete the files; without it, they are only listed.")
    ] = False,
) -> CommandResult:
    """Delete what the report of a run does not need.

    That is checkpoints, drafts, and weights that nobody chose.
    """
    from coequal.results.clean import clean as find

    removable = find(own_folder(folder), really=yes, log=log_line)
    values = {
        "deleted": yes,
        "bytes": sum(entry.size for entry in removable),
        "entries": [
            {"path": str(short_path(entry.path)), "bytes": entry.size, "why": entry.why}
            for entry in removable
        ],
    }
    return CommandResult(values, lambda: _print_removable(removable, yes))


def _print_removable(removable: "list[Removable]", yes: bool) -> None:
    """How much there is for each reason.

    Args:
        removable: what may go, or has gone.
        yes: whether it has.
    """
    reasons: dict[str, tuple[int, int]] = {}
    for entry in removable:
        count, size = reasons.get(entry.why, (0, 0))
        reasons[entry.why] = count + 1, size + entry.size
    for why, (count, size) in reasons.items():
        say(f"{why}: {formatting.count(count, 'file')} or folders, {formatting.size(size)}")
    total = formatting.size(sum(entry.size for entry in removable))
    does = "deleted" if yes else "in all; to delete them, add --yes"
    say(f"{total} {does}" if removable else "nothing to delete")


def sample(
    source: Annotated[
        Path,
        typer.Argument(
            help="Folder of a run, its pack, or a generator (g.pt2, my_lab.gen:net).",
            show_default=False,
            autocompletion=completion.runs,
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="Output: a folder (one PNG each), a .png (one sheet) or a .npy.")
    ],
    model: ModelOfRun = None,
    trial: TrialOfRun = None,
    count: Annotated[int, typer.Option(min=1, help="Number of images.")] = 64,
    one_class: Annotated[
        str | None, typer.Option("--class", help="Class to generate, by name or number.")
    ] = None,
    per_class: Annotated[
        int | None, typer.Option(min=1, help="Number of images of each class, instead of --count.")
    ] = None,
    like_data: Annotated[
        bool,
        typer.Option(
            help=("Draw classes as often as they occur in the data. By default each class in turn.")
        ),
    ] = False,
    seed: Seed = 0,
    latent: Latent = None,
    value_range: Values = None,
    classes: Classes = None,
    batch: Batch = None,
    device: AnyDevice = AUTO,
    run_code: RunCode = False,
) -> CommandResult:
    """Write images of a trained generator.

    They are of the end of its training; the same seed gives the same images.

    Of a model that takes classes a folder gets a sub-folder for each, as in
    `coequal sample runs/cgan --out fakes --per-class 1000`.
    """
    from coequal.generators.load import is_outside
    from coequal.inspection.samples import SampleRequest, chosen_trial, write_samples

    if is_outside(str(source)) and not source.is_dir():
        if any((model, trial, one_class, per_class, like_data, run_code)):
            raise typer.BadParameter(
                "--model, --trial, --class, --per-class, --like-data and --run-code "
                "apply to runs; for a generator file or function use --latent, "
                "--value-range, --classes and --batch"
            )
        fake = fake_and_values(str(source), latent, value_range, classes, batch)[0]
        return _sample_from_outside(fake, str(source), out, count, seed, device)
    if any((latent, value_range, classes, batch)):
        raise typer.BadParameter(
            f"{source} is a run; --latent, --value-range, --classes and --batch apply "
            "to generator files and functions (g.pt2, my_lab.gen:net)"
        )
    run = run_folder(source)
    allow_code(run, run_code)
    chosen = chosen_trial(run, model, trial)
    request = SampleRequest(count, per_class, one_class, like_data)
    with computing_on(device) as where:
        written = write_samples(run, chosen, request, seed, out, where)
    amount = f"{count} images" if per_class is None else f"{per_class} images a class"
    text = f"{amount} of {chosen.model} (trial {chosen.id}): {short_path(written)}"
    values = {
        "samples": str(short_path(written)),
        "model": chosen.model,
        "trial": chosen.id,
        "count": None if per_class is not None else count,
        "per_class": per_class,
        "seed": seed,
        "device": str(where),
    }
    return CommandResult(values, lambda: say(text))


def _sample_from_outside(
    fake: Any, name: str, out: Path, count: int, seed: int, device: str
) -> CommandResult:
    """Write images of a generator from outside."""
    from coequal.inspection.outside_samples import write_generated

    with computing_on(device) as where:
        written, record = write_generated(fake, count, seed, out, where, log_line)
    values = {"samples": str(short_path(written)), **record}
    text = f"{count} images of {name}: {short_path(written)}"
    return CommandResult(values, lambda: say(text))


def merge(
    folders: Annotated[
        list[Path], typer.Argument(help="Folders or packs of runs with the same protocol.")
    ],
    out: Annotated[Path, typer.Option(help="New folder for the joined run.")],
) -> CommandResult:
    """Join runs that differ in their models alone; write their report.

    Of a trial that several runs have, the result of the run named first is kept, and it is said how
    well the others agree with it.
    """
    from coequal.results.folder import RunFolder
    from coequal.results.merge import merge as merge_runs
    from coequal.results.merged_file import agreement_lines

    if len(folders) < 2:
        raise typer.BadParameter("name at least two runs", param_hint="FOLDERS")
    into = RunFolder(out.resolve())
    merged = merge_runs([run_folder(folder) for folder in folders], into)
    written = write_report(into)
    for line in agreement_lines(merged):
        say(line)
    return CommandResult(written | {"merged": asdict(merged)})


def _state(folder: "RunFolder") -> Group:
    """The table, and a line for each running trial: its progress, losses and health."""
    from coequal.inspection.status import running, unfinished

    first = unfinished(folder, model_rows(folder)[0])
    lines = []
    for row in running(folder)[:MAX_RUNNING_LINES]:
        again = f" seed {row['repeat']}" if row["repeat"] else ""
        lines.append(f"{row['model']} {row['setting']}{again} {row['share']:.0%}, {row['text']}")
    return Group(*map(Text, first), *_tables(folder), *map(Text, lines))


def _tables(folder: "RunFolder") -> Iterator[Table]:
    rows, total = model_rows(folder)
    counts = [name for name in total if name != "seconds"]
    shown = [name for name in counts if total[name] or name not in ("unreadable", "last_hour")]
    cells = [
        [
            row["model"],
            *(f"{row[name]:,.0f}" for name in shown),
            formatting.duration(row["seconds"]),
        ]
        for row in [*rows, {"model": "all", **total}]
    ]
    headings = [*(HEADINGS.get(name, name) for name in shown), "training time"]
    return tables([Field("model"), *(Field(name, right=True) for name in headings)], cells)
