"""What the commands share: their common options, where they print, how they read settings."""

import atexit
import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coequal.cli import completion
from coequal.cli.printing import console, log_line, say
from coequal.devices import Precision
from coequal.value_range import UNIT, ValueRange

if TYPE_CHECKING:
    from coequal.results.folder import RunFolder
    from coequal.results.run_results import RunResults

MACHINE, GENERATOR, OUTPUT, TRAINING = "Machine", "Generator", "Output", "Training"
"""Headings of options in the help of commands that have many."""

StudyFile = Annotated[
    Path,
    typer.Argument(
        help="Study file, or the name of a built-in study, as in demo.",
        show_default=False,
        autocompletion=completion.study_files,
    ),
]
RunPath = Annotated[
    Path,
    typer.Argument(
        help="Folder of a run, or its pack.",
        show_default=False,
        autocompletion=completion.runs,
    ),
]
Json = Annotated[
    bool,
    typer.Option("--json", help="Print the result as JSON, and everything else to standard error."),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        help="Data directory. Default: $COEQUAL_DATA, then the user's cache.",
        rich_help_panel=MACHINE,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Processes, one core each. Default: one per core; 0: in this process.",
        rich_help_panel=MACHINE,
    ),
]
TryParts = Annotated[
    bool,
    typer.Option(
        "--try/--no-try",
        help="Take one step of each model on a few images before training starts.",
    ),
]
Device = Annotated[str, typer.Option(help="Device: cpu, cuda, cuda:1 ...", rich_help_panel=MACHINE)]
AnyDevice = Annotated[
    str,
    typer.Option(
        "--device",
        help=("Device: cpu, cuda, cuda:1, mps; auto: an NVIDIA GPU if there is one, else the CPU."),
        rich_help_panel=MACHINE,
    ),
]
DecodingThreads = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        help="Threads that decode images. Default: one per core.",
        rich_help_panel=MACHINE,
    ),
]
TF32 = Annotated[
    Precision,
    typer.Option(
        "--precision",
        help=(
            "Precision of matrix products on an NVIDIA GPU; tf32 is faster, with a relative "
            "error of 1e-3."
        ),
        rich_help_panel=MACHINE,
    ),
]
ForceBfloat16 = Annotated[
    bool,
    typer.Option(
        "--force-bfloat16",
        help="Allow `precision: bfloat16` on a processor that emulates it, many times slower.",
        rich_help_panel=MACHINE,
    ),
]
RunOut = Annotated[
    Path | None, typer.Option(help="Folder of the run. Default: runs/NAME, with the study's name.")
]
RunCode = Annotated[
    bool,
    typer.Option(
        "--run-code",
        help="Run the source of outside parts that the run carries, and list its files.",
    ),
]
ModelOfRun = Annotated[
    str | None,
    typer.Option(
        help="Model of the run; its best setting on validation is used.",
        autocompletion=completion.models_of_run,
    ),
]
TrialOfRun = Annotated[
    str | None,
    typer.Option(
        help="Trial id, or its first characters, instead of --model.",
        autocompletion=completion.trials_of_run,
    ),
]
Track = Annotated[
    list[str] | None,
    typer.Option(
        help="Log every trial to a tracker: tensorboard:FOLDER, mlflow:URI, wandb:PROJECT, or your "
        "own callback, my_lab.log:Mine (docs/how_to/trackers.md). Repeat it for several."
    ),
]
TensorBoardFolder = Annotated[
    Path | None,
    typer.Option(help="Write event files here for TensorBoard: --track tensorboard:FOLDER."),
]
Seed = Annotated[int, typer.Option(min=0, help="Random seed.")]
Encoder = Annotated[
    str | None,
    typer.Option(
        help=(
            "Encoder (feature extractor); see `coequal list encoders`. Default: depends on "
            "the data."
        ),
        autocompletion=completion.part("encoders"),
    ),
]
ImageSize = Annotated[
    int | None,
    typer.Option(
        help=(
            "Height and width to which images are cropped and resized; 28, 32 or 64 for named "
            "datasets."
        )
    ),
]
Latent = Annotated[
    str | None,
    typer.Option(
        help=(
            "Latent distribution of a generator file or function: normal:128, uniform:64, "
            "normal:4x8x8."
        ),
        rich_help_panel=GENERATOR,
    ),
]
Values = Annotated[
    str | None,
    typer.Option(
        "--value-range",
        help=(
            "Values of black and white in float images: --value-range=-1,1. Default: 0,1; "
            "for generators -1,1."
        ),
        rich_help_panel=GENERATOR,
    ),
]
Classes = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Number of classes of a conditional generator; it gets each label in turn.",
        rich_help_panel=GENERATOR,
    ),
]
Batch = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Images that a generator makes at a time. Default: 64.",
        rich_help_panel=GENERATOR,
    ),
]
MaxImages = Annotated[
    int | None,
    typer.Option(min=2, help="Number of images to read at most from .tar files and LMDBs."),
]
IMAGES = (
    "a folder, .zip, .npy, .npz, .tar, an LMDB, or a dataset with its split (fashion_mnist:test)"
)


def fake_and_values(
    fake: str | dict[str, str],
    latent: str | None,
    value_range: str | None,
    classes: int | None,
    batch: int | None,
) -> tuple[Any, Any]:
    """What `--fake` names, one or several, and black and white of images that are floats.

    What is said of a generator is said of all generators among them; so is a range of values, if
    there is a generator.

    Raises:
        ValueError, LookupError: none is a generator that such options are of.
    """
    if not any((latent, value_range, classes, batch)):
        return fake, UNIT  # without an import of what generators need
    from coequal.generators.load import GeneratorOptions, is_outside, with_options

    options = GeneratorOptions(latent, value_range, classes, batch)
    names = [fake] if isinstance(fake, str) else list(fake.values())
    generators = any(map(is_outside, names))
    try:
        if not generators:
            if any((latent, classes, batch)):
                with_options(names[0], options)  # says why not
            return fake, ValueRange.of(value_range or UNIT)
        if isinstance(fake, str):
            return with_options(fake, options), UNIT
        return {
            name: with_options(one, options) if is_outside(one) else one
            for name, one in fake.items()
        }, UNIT
    except (ValueError, LookupError, FileNotFoundError) as error:
        raise type(error)(f"fake: {error}") from error


def tracked(track: Sequence[str] | None, tensorboard: Path | None) -> tuple[str, ...]:
    """The callbacks that `--track` and `--tensorboard` name.

    Args:
        track: trackers and callbacks by name.
        tensorboard: a folder for TensorBoard.
    """
    return (*(track or ()), *(() if tensorboard is None else (f"tensorboard:{tensorboard}",)))


_unpacked = ExitStack()
atexit.register(_unpacked.close)


def run_folder(path: Path) -> "RunFolder":
    """Open the folder of a run, or unpack its pack until the process ends.

    Raises:
        FileNotFoundError, ValueError: it holds no study, or none that can be read.
    """
    from coequal.results.pack import opened

    return _unpacked.enter_context(opened(path.resolve()))


def own_folder(path: Path) -> "RunFolder":
    """Open the folder of a run in which a command is going to change something.

    Raises:
        FileNotFoundError, ValueError: it holds no study, or is a pack.
    """
    folder = run_folder(path)
    if folder.pack is not None:
        raise ValueError(
            f"{short_path(folder.pack)} is a pack and read-only; name the folder of a run"
        )
    return folder


def allow_code(folder: "RunFolder", run_code: bool) -> None:
    """Let a command import the outside parts of a run that came with their source.

    Args:
        folder: of the run.
        run_code: whether the user has asked for it: the files are said, and put on the import path.

    Raises:
        ValueError: it needs code that nobody allowed, or that is not what the run kept.
    """
    from coequal.results.own_code import importable, refuse_code

    if not run_code:
        refuse_code(folder)
        return
    files = _unpacked.enter_context(importable(folder))
    names = (path.relative_to(folder.path).as_posix() for path in files)
    log_line(f"running code of {short_path(folder.place)}: {', '.join(names) or 'there is none'}")


def short_path(path: Path) -> Path:
    """A path relative to the current folder if it is inside it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path


def write_report(
    folder: "RunFolder",
    verdict: bool = True,
    results: "RunResults | None" = None,
    into: Path | None = None,
) -> dict[str, Any]:
    """Write the report and the tables of a run, and print where they are.

    Args:
        folder: of the run.
        verdict: whether to print the verdict as well.
        results: of the run; None: they are opened here.
        into: a folder for the report; None: in that of the run, or beside its pack.

    Returns:
        For `--json`: the paths of the `run`'s folder, its `report` and its table of `results`;
        `models` and `total`, as of `coequal status`; and the `verdict`, which is what
        report/verdict.json holds.
    """
    from coequal.analysis.summary import summarise
    from coequal.reporting.page import report_place, write_summaries
    from coequal.reporting.terminal import verdict_lines
    from coequal.results.collect import open_results
    from coequal.results.results_csv import refresh_tables

    place = report_place(folder, into)
    results = open_results(folder, log_line) if results is None else results
    refresh_tables(folder, results.of(folder.planned()))
    summaries = summarise(folder, log_line, results)
    page = write_summaries(folder, summaries, place)
    for line in verdict_lines(summaries, console.width) if verdict else ():
        say(line)
    table = None if folder.pack is not None else str(short_path(folder.path / "results.csv"))
    say(f"\nreport: {short_path(page)}")
    if table is not None:
        say(f"results: {table}")
    rows, total = model_rows(folder)
    return {
        "run": str(short_path(folder.pack or folder.path)),
        "report": str(short_path(page)),
        "results": table,
        "models": rows,
        "total": total,
        "verdict": json.loads((page.parent / "verdict.json").read_text(encoding="utf-8")),
    }


def model_rows(folder: "RunFolder") -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Per model of a run, how many trials have ended and how; and the sums over all models."""
    from coequal.inspection.status import statuses

    rows = statuses(folder, log_line)
    return rows, {key: sum(row[key] for row in rows) for key in rows[0] if key != "model"}


def assignments(settings: Sequence[str], form: str = "NAME=VALUE") -> dict[str, Any]:
    """Settings by name, each value read as in YAML.

    Args:
        settings: what `--set` was given, each of them NAME=VALUE.
        form: how the message writes what is expected.

    Raises:
        ValueError: one has no `=`, or its value is not YAML.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    values = {}
    for setting in settings:
        name, sign, value = setting.partition("=")
        if not sign:
            raise ValueError(f"--set takes {form}, got '{setting}'")
        try:
            values[name.strip()] = YAML(typ="safe", pure=True).load(value)
        except YAMLError as error:
            raise ValueError(f"--set {setting}: '{value}' is not a YAML value") from error
    return values
