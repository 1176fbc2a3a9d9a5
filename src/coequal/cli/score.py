"""`coequal score`, `coequal manifold` and `coequal compare`: scores of existing images."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from coequal.cli.command import CommandResult
from coequal.cli.options import (
    IMAGES,
    TF32,
    AnyDevice,
    Batch,
    Classes,
    DataDir,
    DecodingThreads,
    Encoder,
    ImageSize,
    Latent,
    MaxImages,
    Seed,
    Values,
    assignments,
    console,
    fake_and_values,
    log_line,
    print_json,
)
from coequal.cli.score_text import print_comparison, print_scores
from coequal.cli.several_text import print_several
from coequal.devices import AUTO, Precision
from coequal.files import atomic_write, refuse_unwritable
from coequal.formatting import half_width, interval, number

WORST_SHEET = Path("worst.png")


def score(
    real: Annotated[str, typer.Option(help=f"Real images: {IMAGES}.")],
    fake: Annotated[
        list[str],
        typer.Option(
            help=f"Generated images: {IMAGES}; or a model of a run (runs/demo:ns_gan), or a "
            "generator (my_lab.gen:make). Several times: all are compared, NAME=IMAGES gives them "
            "names."
        ),
    ],
    train: Annotated[
        str | None,
        typer.Option(
            "--train",
            "--real-train",
            help="What the generator was trained on; a data set's own train split.",
        ),
    ] = None,
    metrics: Annotated[
        str,
        typer.Option(
            help="Names with commas, recommended (a few), or all (that apply and train nothing)."
        ),
    ] = "fd,precision,recall",
    given: Annotated[
        list[str] | None,
        typer.Option("--set", help="A metric's setting: gan_train.classifier=resnet32."),
    ] = None,
    encoder: Encoder = None,
    image_size: ImageSize = None,
    real_count: Annotated[
        int | None,
        typer.Option(min=2, help="Of how many images the statistics (mu, sigma) of REAL are."),
    ] = None,
    max_images: MaxImages = None,
    as_json: Annotated[
        str | None, typer.Option("--json", help="A file for the JSON, or - for the screen.")
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option(
            help="An .html: all of it on one page, between real data and noise, with images."
        ),
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="A .png: fakes beside their nearest real images.")
    ] = None,
    floor: Annotated[
        bool, typer.Option("--floor", help="Score real images against other real ones, too.")
    ] = False,
    worst: Annotated[
        int | None,
        typer.Option(
            min=1, help="Show so many of the worst and best fakes: influence on fd, realism."
        ),
    ] = None,
    worst_sheet: Annotated[
        Path | None,
        typer.Option(help=f"The .png of --worst. Default, without a page: {WORST_SHEET}."),
    ] = None,
    per_image: Annotated[
        Path | None, typer.Option(help="A .csv or .json: these numbers of every fake.")
    ] = None,
    seed: Seed = 0,
    samples: Annotated[int, typer.Option(min=2, help="Images drawn of a generator.")] = 10_000,
    latent: Latent = None,
    value_range: Values = None,
    classes: Classes = None,
    batch: Batch = None,
    device: AnyDevice = AUTO,
    precision: TF32 = Precision.float32,
    workers: DecodingThreads = None,
    data_dir: DataDir = None,
) -> None:
    """Scores of generated images against real ones, with errors, protocol and warnings."""
    from coequal.api import score as measure
    from coequal.evaluation.requested import GROUPS

    if as_json not in (None, "-"):
        refuse_unwritable(Path(as_json))
    if worst is not None and worst_sheet is None and page is None:
        worst_sheet = WORST_SHEET
    named = _named(fake) if len(fake) > 1 else _name_and_images(fake[0])[1]
    fakes, values = fake_and_values(named, latent, value_range, classes, batch)
    scores = measure(
        real=real,
        fake=fakes,
        train=train,
        metrics=metrics if metrics in GROUPS else metrics.split(","),
        settings=metric_settings(given or []),
        encoder=encoder,
        image_size=image_size,
        value_range=values,
        real_count=real_count,
        max_images=max_images,
        seed=seed,
        samples=samples,
        data_dir=data_dir,
        page=page,
        sheet=sheet,
        floor=floor,
        worst=worst,
        worst_sheet=worst_sheet,
        per_image=per_image,
        device=device,
        precision=precision,
        workers=workers,
        log=log_line,
    )
    if as_json == "-":
        print_json(scores)
        return
    if as_json is not None:
        atomic_write(Path(as_json), (json.dumps(scores, indent=1) + "\n").encode())
    print_scores(scores) if len(fake) == 1 else print_several(scores)
    if worst_sheet is not None:
        console.print(f"worst and best images: {worst_sheet}", markup=False, soft_wrap=True)
    if page is not None:
        console.print(f"page: {page}", markup=False, soft_wrap=True)


def _named(given: list[str]) -> dict[str, str]:
    """Sets of images by their names: NAME=IMAGES, or the images as their own name.

    Raises:
        typer.BadParameter: a name is given twice.
    """
    pairs = [_name_and_images(one) for one in given]
    names = [name for name, _ in pairs]
    if twice := next((name for name in names if names.count(name) > 1), None):
        text = f"'{twice}' is given twice; tell them apart by NAME=IMAGES"
        raise typer.BadParameter(text, param_hint="--fake")
    return dict(pairs)


def _name_and_images(given: str) -> tuple[str, str]:
    name, sign, images = given.partition("=")
    plain = not sign or Path(given).expanduser().exists()
    return (given, given) if plain else (name, images)


class ManifoldName(StrEnum):
    """Which manifold: any convex polygon of the image, or the inscribed ones of the data."""

    convex = "convex"
    family = "family"


def manifold(
    real: Annotated[str, typer.Option(help="A data set of polygons with its split.")],
    fake: Annotated[
        str, typer.Option(help=f"Generated images: {IMAGES}; or a model of a run, or a generator.")
    ],
    out: Annotated[Path, typer.Option(help="A folder for the page, the JSON and the curves.")],
    count: Annotated[int, typer.Option(min=2, help="Images of each side.")] = 1024,
    delta: Annotated[float, typer.Option(help="Squared distance at which an image counts.")] = 0.75,
    name: Annotated[
        ManifoldName, typer.Option("--manifold", help="What a polygon may be.")
    ] = ManifoldName.convex,
    train: Annotated[
        bool, typer.Option(help="Recall on training images, too: it shows memorisation.")
    ] = True,
    image_size: ImageSize = None,
    seed: Seed = 0,
    latent: Latent = None,
    value_range: Values = None,
    classes: Classes = None,
    batch: Batch = None,
    device: AnyDevice = AUTO,
    data_dir: DataDir = None,
) -> CommandResult:
    """Precision and recall at every delta where the truth is known, as a page with pictures."""
    from coequal.api import manifold as measure

    refuse_unwritable(out / "index.html")
    generated, values = fake_and_values(fake, latent, value_range, classes, batch)
    result = measure(
        real=real,
        fake=generated,
        out=out,
        train=train,
        count=count,
        delta=delta,
        manifold=name.value,
        image_size=image_size,
        value_range=values,
        seed=seed,
        device=device,
        data_dir=data_dir,
        log=log_line,
    )
    return CommandResult(result, lambda: _print_manifold(result, out / "index.html"))


def _print_manifold(result: dict[str, Any], page: Path) -> None:
    """Precision and recall at the distance asked for, and where the page is."""
    row = result["at_delta"]
    table = Table(f"at delta {row['delta']:g}", "value", "95 % interval")
    for side in ("precision", "recall", "train_recall", "f1"):
        if side in row:
            ends = row[f"{side}_low"], row[f"{side}_high"]
            table.add_row(side, number(row[side], half_width(ends)), interval(ends, between=" to "))
    console.print(table)
    console.print(f"mean squared distance {number(result['mean_squared_distance'])}", markup=False)
    console.print(f"page: {page}", markup=False)


def compare(
    first: Annotated[Path, typer.Argument(help="JSON of `coequal score`.", show_default=False)],
    second: Annotated[Path, typer.Argument(help="Another.", show_default=False)],
) -> CommandResult:
    """Two scores: difference, standard error, p-value; refused if measured differently."""
    from coequal.evaluation.compare import compare as measure

    comparison = measure(_read(first), _read(second))
    return CommandResult(comparison, lambda: print_comparison(comparison, first, second))


def metric_settings(given: list[str]) -> dict[str, dict[str, Any]]:
    """Settings of metrics: `gan_train.seeds=5` gives {"gan_train": {"seeds": 5}}.

    Raises:
        ValueError: one is not METRIC.SETTING=VALUE.
    """
    form = "METRIC.SETTING=VALUE"
    settings: dict[str, dict[str, Any]] = {}
    for name, value in assignments(given, form).items():
        metric, dot, setting = name.rpartition(".")
        if not (dot and metric and setting):
            raise ValueError(f"--set takes {form}, got '{name}'")
        settings.setdefault(metric, {})[setting] = value
    return settings


def _read(path: Path) -> dict[str, Any]:
    try:
        scores = json.loads(path.read_text())
    except ValueError as error:  # of JSON, or of bytes that are no text
        raise ValueError(f"{path} is no JSON ({error})") from error
    if isinstance(scores, dict) and "pairs" in scores:
        raise ValueError(f"{path} is of several sets, and compares them already, under 'pairs'")
    if not isinstance(scores, dict) or not {"metrics", "encoder", "real", "fake"} <= scores.keys():
        raise ValueError(f"{path} is no output of `coequal score --json`")
    return scores
