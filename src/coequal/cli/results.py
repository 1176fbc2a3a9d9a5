"""The commands on the folder of a run: its status, report, images and tables."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from coequal import formatting
from coequal.cli.exit_codes import ExitCode
from coequal.cli.options import (
    Json,
    ModelOfRun,
    RunPath,
    Seed,
    TrialOfRun,
    console,
    log_line,
    own_folder,
    print_json,
    run_folder,
    short_path,
    write_report,
)

if TYPE_CHECKING:
    from coequal.results.folder import RunFolder

REFRESH_SECONDS = 2.0
MAX_RUNNING_LINES = 16  # lines about single running trials


def status(
    folder: RunPath,
    as_json: Json = False,
    watch: Annotated[
        bool, typer.Option(help="Refresh every two seconds, until the run ends.")
    ] = False,
) -> None:
    """Show the progress of a run, from any terminal, while it goes on or later."""
    from coequal.inspection.status import running

    run = run_folder(folder)
    if as_json:
        rows, total = _statuses(run)
        study, now = run.study()["study"], running(run)
        print_json({"study": study, "models": rows, "total": total, "running": now})
        return
    if not watch:
        console.print(_state(run))
        return
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
        typer.Option(help="A folder for the report. Default: in the run's, beside a pack."),
    ] = None,
) -> None:
    """Write the report of a run again, finished or not."""
    write_report(run_folder(folder), into=out)


def pack(
    folder: RunPath,
    out: Annotated[Path, typer.Option(help="The file to write, study.zip.")],
    weights: Annotated[
        bool, typer.Option(help="With the generators of the chosen trials, for `sample`.")
    ] = True,
    keep_names: Annotated[
        bool,
        typer.Option(help="Pack although a text that can't be changed names a folder or a user."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Put all that a reviewer needs of a run into one file, the same bytes for the same run."""
    from coequal import api

    packed = api.pack(folder, out, weights=weights, keep_names=keep_names, log=log_line)
    if as_json:
        print_json({**asdict(packed), "path": str(packed.path)})
        return
    for note in packed.notes:
        log_line(note)
    size = formatting.size(packed.size)
    console.print(f"{short_path(packed.path)}: {packed.entries} files, {size}")
    console.print(f"content: sha256 {packed.digest}")


def collect(folder: RunPath) -> None:
    """Join what shards have done in a folder: log, plan, tables, report; print what is to do."""
    from coequal import api

    run = own_folder(folder)
    collected = api.collect(run.path, log_line)
    again = sum(trial.repeat > 0 for trial in collected.pending)
    done = len(collected.trials) - len(collected.pending)
    console.print(f"{done} of {len(collected.trials)} trials have a result")
    if collected.pending:
        console.print(
            f"to do: {len(collected.pending)}, of which {again} are re-runs or transfers; run the "
            "shards again"
        )
    if collected.unusable:
        count = len(collected.unusable)
        console.print(
            f"no report is written while {count} result{'s' if count > 1 else ''} can't be used"
        )
        raise typer.Exit(ExitCode.FAILED)
    write_report(run, results=collected.results)


def export(
    folder: RunPath,
    out: Annotated[Path, typer.Option(help="The file to write.")],
    form: Annotated[
        str | None,
        typer.Option("--format", help="csv, parquet or json. Default: by the file's name."),
    ] = None,
) -> None:
    """All results of a run in one file for other programs."""
    from coequal.results.export import export as write

    written = write(run_folder(folder), form or out.suffix.removeprefix("."), out, log_line)
    console.print(f"results: {short_path(written)}")


def clean(
    folder: RunPath,
    yes: Annotated[bool, typer.Option("--yes", help="Delete; without it, only list.")] = False,
) -> None:
    """Delete what a run's report does not need: checkpoints, drafts, weights that nobody chose."""
    from coequal.results.clean import clean as find

    removable = find(own_folder(folder), really=yes, log=log_line)
    reasons: dict[str, tuple[int, int]] = {}
    for entry in removable:
        count, size = reasons.get(entry.why, (0, 0))
        reasons[entry.why] = count + 1, size + entry.size
    for why, (count, size) in reasons.items():
        console.print(f"{count} files or folders, {formatting.size(size)}: {why}")
    total = formatting.size(sum(entry.size for entry in removable))
    does = "deleted" if yes else "could go; delete with --yes"
    console.print(f"{total} {does}" if removable else "nothing to delete")


def sample(
    folder: RunPath,
    out: Annotated[
        Path, typer.Option(help="A folder (one PNG each), a .png (one sheet) or a .npy.")
    ],
    model: ModelOfRun = None,
    trial: TrialOfRun = None,
    count: Annotated[int, typer.Option(min=1, help="Number of images.")] = 64,
    one_class: Annotated[
        str | None, typer.Option("--class", help="Images of one class only, by name or number.")
    ] = None,
    per_class: Annotated[
        int | None, typer.Option(min=1, help="Images of each class, instead of --count.")
    ] = None,
    like_data: Annotated[
        bool, typer.Option(help="Classes as often as in the data; by default all in turn.")
    ] = False,
    seed: Seed = 0,
) -> None:
    """Write images of a trained generator, at the end of its training; one seed gives one result.

    Of a model that takes classes a folder gets a sub-folder for each, as in
    `coequal sample runs/cgan --out fakes --per-class 1000`.
    """
    from coequal.inspection.samples import SampleRequest, chosen_trial, write_samples

    run = run_folder(folder)
    chosen = chosen_trial(run, model, trial)
    request = SampleRequest(count, per_class, one_class, like_data)
    written = write_samples(run, chosen, request, seed, out)
    amount = f"{count} images" if per_class is None else f"{per_class} images a class"
    console.print(f"{amount} of {chosen.model} (trial {chosen.id}): {short_path(written)}")


def merge(
    folders: Annotated[list[Path], typer.Argument(help="Runs of one protocol.")],
    out: Annotated[Path, typer.Option(help="A new folder.")],
) -> None:
    """Join runs that differ in their models alone, and write their common report."""
    from coequal.results.folder import RunFolder
    from coequal.results.merge import merge as merge_runs

    into = RunFolder(out.resolve())
    merge_runs([run_folder(folder) for folder in folders], into)
    write_report(into)


def _statuses(folder: "RunFolder") -> tuple[list[dict[str, Any]], dict[str, Any]]:
    from coequal.inspection.status import statuses

    rows = statuses(folder, log_line)
    return rows, {key: sum(row[key] for row in rows) for key in rows[0] if key != "model"}


def _state(folder: "RunFolder") -> Group:
    """The table, and a line for each running trial: its progress, losses and health."""
    from coequal.inspection.status import running

    lines = []
    for row in running(folder)[:MAX_RUNNING_LINES]:
        again = f" seed {row['repeat']}" if row["repeat"] else ""
        lines.append(f"{row['model']} {row['setting']}{again} {row['share']:.0%}, {row['text']}")
    return Group(_table(folder), *map(Text, lines))


def _table(folder: "RunFolder") -> Table:
    rows, total = _statuses(folder)
    table = Table(*rows[0])
    for row in [*rows, {"model": "all", **total}]:
        table.add_row(*(f"{v:.0f}" if isinstance(v, float) else str(v) for v in row.values()))
    return table
