"""The command line."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from coequal import cli_score

if TYPE_CHECKING:
    from coequal.records import Trial
    from coequal.results.folder import RunFolder
    from coequal.study.spec import Study

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="A neutral bench for GANs: the same rules, budget and instrument for every contender.",
    epilog="Example: coequal run studies/demo.yaml --out runs/demo",
)
console = Console(highlight=False, emoji=False)
errors = Console(stderr=True, highlight=False, emoji=False)

ROOMS = ("models", "objectives", "architectures", "datasets", "encoders", "metrics")

StudyFile = Annotated[Path, typer.Argument(help="A study file.", show_default=False)]
RunPath = Annotated[Path, typer.Argument(help="The folder of a run.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
DataDir = Annotated[
    Path | None,
    typer.Option(
        help="Where data sets lie or are put. Default: $COEQUAL_DATA, then the user's cache."
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=0, help="Processes, one core each. Default: one per core; 0: in this process."
    ),
]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1 ...")]


@app.command("list", epilog="Example: coequal list models --json")
def list_parts(
    room: Annotated[str, typer.Argument(help=f"One of {', '.join(ROOMS)}.")] = "models",
    as_json: Json = False,
) -> None:
    """What there is: models, objectives, architectures, data sets, encoders, metrics."""
    from coequal import lookup
    from coequal.overview import models, parts

    if room not in ROOMS:
        raise LookupError(lookup.unknown(room, ROOMS))
    rows = models() if room == "models" else parts(room)
    if as_json:
        _print_json(rows)
        return
    table = Table(
        *(["name", "objective", "source"] if room == "models" else ["name", "what it is"])
    )
    for row in rows:
        cells = [row["objective"], row["source"]] if room == "models" else [row["summary"]]
        table.add_row(row["name"], *cells)
    console.print(table)


@app.command(epilog="Example: coequal check studies/demo.yaml")
def check(file: StudyFile, as_json: Json = False) -> None:
    """Find everything that is wrong with a study file, and show what was filled in."""
    from coequal.study.check import checked
    from coequal.study.plan import plan as plan_of

    study, _ = checked(file)
    if as_json:
        _print_json(study.as_dict())
        return
    from coequal.api import study_text

    trials = plan_of(study)
    console.print(f"{file} is good: {len(trials)} trials ({_product(study)}). With its defaults:\n")
    console.print(study_text(study), end="", markup=False)


@app.command(epilog="Example: coequal plan studies/demo.yaml --json")
def plan(file: StudyFile, as_json: Json = False) -> None:
    """The trials of a study, in the order in which they will run."""
    from coequal.study.check import checked
    from coequal.study.plan import plan as plan_of

    study, _ = checked(file)
    trials = plan_of(study)
    if as_json:
        _print_json([{"id": trial.id, **trial.as_dict()} for trial in trials])
        return
    table = Table("trial", "model", "data", "setting", "hyper-parameters")
    for trial in trials:
        setting = "0 (authors')" if trial.setting == 0 else str(trial.setting)
        table.add_row(trial.id, trial.model, trial.data, setting, _settings(trial))
    console.print(table)
    ((unit, amount),) = study.training.budget.as_dict().items()
    console.print(f"{len(trials)} trials ({_product(study)}), {amount:,} {unit} each")


@app.command(epilog="Example: coequal run studies/demo.yaml --out runs/demo --workers 2")
def run(
    file: StudyFile,
    out: Annotated[Path | None, typer.Option(help="The run's folder. Default: runs/NAME.")] = None,
    workers: Workers = None,
    data_dir: DataDir = None,
    device: Device = "cpu",
) -> None:
    """Run what is missing of a study, then write its report. Stopped, the same command goes on."""
    from coequal.study.check import checked

    study, source = checked(file)
    _run(study, source, out or Path("runs") / study.study, workers, data_dir, device)


@app.command(
    epilog="Example: coequal train ns_gan --data digits --steps 500 --set learning_rate=1e-3"
)
def train(
    model: Annotated[str, typer.Argument(help="A model; see `coequal list`.", show_default=False)],
    data: Annotated[str, typer.Option(help="A data set, or folder:PATH.")] = "fashion_mnist",
    steps: Annotated[int, typer.Option(min=1, help="Discriminator steps.")] = 1500,
    width: Annotated[float, typer.Option(help="Of the nets; 1 is the study's.")] = 0.125,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=VALUE of a hyper-parameter; may be given several times."),
    ] = None,
    encoder: Annotated[
        str | None, typer.Option(help="Default: classifier, or pixels without labels.")
    ] = None,
    samples: Annotated[int, typer.Option(min=2, help="Generated images per measurement.")] = 2500,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    out: Annotated[Path | None, typer.Option(help="The run's folder. Default: runs/MODEL.")] = None,
    data_dir: DataDir = None,
    device: Device = "cpu",
) -> None:
    """Train one model with its authors' settings, or yours, and write a report and a sheet of
    samples."""
    from coequal.samples import write_samples
    from coequal.study.check import problems
    from coequal.study.document import Document, StudyError
    from coequal.study.spec import from_document

    values = {
        "study": f"train {model}",
        "data": [data],
        "models": [{"base": model, "settings": _assignments(settings or [])}],
        "architecture": {"name": "infogan", "width": width},
        "search": {"settings": 1},
        "training": {"budget": {"discriminator_steps": steps}, "checkpoints": 10},
        "evaluation": {"encoder": encoder or _encoder_for(data, data_dir), "samples": samples},
        "seed": seed,
    }
    study = from_document(Document(values, {}, ()), "command line", "train")
    if slips := problems(study):
        raise StudyError("command line", slips)
    from coequal.api import study_text

    folder = _run(study, study_text(study), out or Path("runs") / model, 1, data_dir, device)
    (result,) = folder.results().values()
    if not result.finished:
        raise ValueError(f"training {result.status}: {result.reason}")
    last = result.checkpoints[-1]
    for found in last.measurements:
        if found.metric == study.select.metric:
            console.print(f"{found.metric} on {found.split}, step {last.step}: {found.value:.4g}")
    sheet = folder.path / "samples.png"
    sheet.unlink(missing_ok=True)  # of an earlier call of this very command
    write_samples(folder, folder.plan()[0], 64, 0, sheet)
    console.print(f"samples: {_shown(sheet)}")


@app.command(epilog="Example: coequal sample runs/demo --model ns_gan --count 1000 --out samples/")
def sample(
    folder: RunPath,
    out: Annotated[
        Path, typer.Option(help="A folder (one PNG each), a .png (one sheet) or a .npy.")
    ],
    model: Annotated[str | None, typer.Option(help="Its best setting by validation.")] = None,
    trial: Annotated[str | None, typer.Option(help="Or the id of a trial.")] = None,
    count: Annotated[int, typer.Option(min=1)] = 64,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Images of a trained generator. The same seed gives the same images."""
    from coequal.samples import chosen_trial, write_samples

    run_folder = _folder(folder)
    chosen = chosen_trial(run_folder, model, trial)
    written = write_samples(run_folder, chosen, count, seed, out)
    console.print(f"{count} images of {chosen.model} (trial {chosen.id}): {_shown(written)}")


@app.command(epilog="Example: coequal status runs/demo --json")
def status(folder: RunPath, as_json: Json = False) -> None:
    """How far a run is; from any terminal, while it goes on or later."""
    from coequal.overview import statuses

    run_folder = _folder(folder)
    rows = statuses(run_folder)
    total = {key: sum(row[key] for row in rows) for key in rows[0] if key != "model"}
    if as_json:
        _print_json({"study": run_folder.study()["study"], "models": rows, "total": total})
        return
    table = Table(*rows[0])
    for row in [*rows, {"model": "all", **total}]:
        table.add_row(*map(str, row.values()))
    console.print(table)


@app.command(epilog="Example: coequal report runs/demo")
def report(folder: RunPath) -> None:
    """Write the report of a run again, finished or not."""
    _report(_folder(folder))


app.command(
    epilog="Example: coequal score --real fashion_mnist:test --fake samples/ --metrics all --json -"
)(cli_score.score)
app.command(epilog="Example: coequal compare a.json b.json")(cli_score.compare)


def main() -> None:
    """The command `coequal`: the user's mistakes end in one message each, never in a traceback."""
    try:
        app(standalone_mode=True)
    except BrokenPipeError:
        sys.exit(141)
    except (LookupError, ValueError, OSError) as error:
        if os.environ.get("COEQUAL_DEBUG"):
            raise
        from coequal.study.document import StudyError

        message = error.args[0] if isinstance(error, KeyError) and error.args else str(error)
        errors.print(message, markup=False, soft_wrap=True)
        sys.exit(2 if isinstance(error, StudyError) else 1)


def _run(
    study: "Study",
    source: str,
    out: Path,
    workers: int | None,
    data_dir: Path | None,
    device: str,
) -> "RunFolder":
    from coequal import api
    from coequal.progress import duration, observer
    from coequal.results.folder import RunFolder
    from coequal.study.run import unfinished

    folder = RunFolder(out.resolve())
    left = unfinished(study, folder) if (out / "study.json").exists() else None
    if left == []:
        folder.begin_again(study.as_dict())
        console.print(
            f"nothing to do: every trial of '{study.study}' has a result in {_shown(out)}"
        )
    else:
        try:
            with observer(console) as watching:
                api.run(
                    study,
                    folder.path,
                    workers=workers,
                    data_dir=data_dir,
                    device=device,
                    observer=watching,
                    source=source,
                )
        except KeyboardInterrupt:
            errors.print("stopped; no trial that has ended is lost, and the same command goes on")
            raise typer.Exit(130) from None
        seconds = sum(result.spent.seconds for result in folder.results().values())
        console.print(f"all trials have a result; {duration(seconds)} of training in all")
    _report(folder, verdict=len(study.models) > 1)
    return folder


def _report(folder: "RunFolder", verdict: bool = True) -> None:
    from coequal.report.page import write_report
    from coequal.report.summary import summarise
    from coequal.report.text import verdict_lines
    from coequal.results.table import write_tables

    write_tables(folder)
    page = write_report(folder)
    for line in verdict_lines(summarise(folder)) if verdict else ():
        console.print(line, markup=False, soft_wrap=True)
    console.print(f"\nreport: {_shown(page)}\nresults: {_shown(folder.path / 'results.csv')}")


def _encoder_for(data: str, data_dir: Path | None) -> str:
    from coequal import lookup
    from coequal.data import data_folder, load_dataset

    kind = lookup.load("encoders", "classifier")
    return "pixels" if kind.refuses(load_dataset(data, data_folder(data_dir))) else "classifier"


def _assignments(settings: Sequence[str]) -> dict[str, Any]:
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


def _folder(path: Path) -> "RunFolder":
    from coequal.results.folder import RunFolder

    folder = RunFolder(path.resolve())
    folder.study()
    return folder


def _settings(trial: "Trial") -> str:
    return ", ".join(
        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in trial.settings.items()
    )


def _product(study: "Study") -> str:
    counts = {
        "model": len(study.models),
        "setting": study.search.settings,
        "data set": len(study.data),
    }
    return " x ".join(f"{n} {name}{'' if n == 1 else 's'}" for name, n in counts.items())


def _shown(path: Path) -> Path:
    """A path as short as it can be said from here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path


def _print_json(values: Any) -> None:
    sys.stdout.write(json.dumps(values, indent=1) + "\n")
