"""`coequal score` and `coequal compare`: for whoever has images and trains nothing."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from coequal.files import atomic_write

console = Console(highlight=False, emoji=False)
progress = Console(stderr=True, highlight=False, emoji=False)

SOURCES = "A folder, .zip, .npy, .npz, or a data set with its split (fashion_mnist:test)."


def score(
    real: Annotated[str, typer.Option(help=f"Real images. {SOURCES}")],
    fake: Annotated[
        str,
        typer.Option(help="Generated images, likewise; or a model of a run (runs/demo:ns_gan)."),
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
        str, typer.Option(help="Names with commas, or all (that apply and train nothing).")
    ] = "fd,precision,recall",
    given: Annotated[
        list[str] | None,
        typer.Option("--set", help="A metric's setting: gan_train.classifier=resnet32."),
    ] = None,
    encoder: Annotated[
        str | None, typer.Option(help="See `coequal list encoders`; default: by the data.")
    ] = None,
    image_size: Annotated[
        int | None, typer.Option(help="Crop and resize folders to it: 28, 32 or 64.")
    ] = None,
    as_json: Annotated[
        str | None, typer.Option("--json", help="A file for the JSON, or - for the screen.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="A .png or .html: fakes beside their nearest real images.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of subsets and shuffles.")] = 0,
    samples: Annotated[int, typer.Option(min=2, help="Images drawn of a run's model.")] = 10_000,
    data_dir: Annotated[Path | None, typer.Option(help="Where data sets lie or are put.")] = None,
) -> None:
    """Scores of generated images against real ones, with errors, protocol and warnings."""
    from coequal.api import score as measure

    found = measure(
        real=real,
        fake=fake,
        train=train,
        metrics="all" if metrics == "all" else metrics.split(","),
        settings=_settings(given or []),
        encoder=encoder,
        image_size=image_size,
        seed=seed,
        samples=samples,
        data_dir=data_dir,
        sheet=sheet,
        log=lambda line: progress.print(line, markup=False),
    )
    if as_json == "-":
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
        return
    if as_json is not None:
        atomic_write(Path(as_json), (json.dumps(found, indent=1) + "\n").encode())
    _print_scores(found)


class ManifoldName(StrEnum):
    """Which manifold: any convex polygon of the image, or the inscribed ones of the data."""

    convex = "convex"
    family = "family"


def manifold(
    real: Annotated[str, typer.Option(help="A data set of polygons with its split.")],
    fake: Annotated[str, typer.Option(help=f"A model of a run (runs/x:ns_gan). {SOURCES}")],
    out: Annotated[Path, typer.Option(help="A folder for the page, the JSON and the curves.")],
    count: Annotated[int, typer.Option(min=2, help="Images of each side.")] = 1024,
    delta: Annotated[float, typer.Option(help="Squared distance at which an image counts.")] = 0.75,
    name: Annotated[
        ManifoldName, typer.Option("--manifold", help="What a polygon may be.")
    ] = ManifoldName.convex,
    train: Annotated[
        bool, typer.Option(help="Recall on training images, too: it shows memorisation.")
    ] = True,
    image_size: Annotated[int | None, typer.Option(help="Of the data set's images.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of images and searches.")] = 0,
    data_dir: Annotated[Path | None, typer.Option(help="Where data sets lie or are put.")] = None,
) -> None:
    """Precision and recall at every delta where the truth is known, as a page with pictures."""
    from coequal.api import manifold as measure

    found = measure(
        real=real,
        fake=fake,
        out=out,
        train=train,
        count=count,
        delta=delta,
        manifold=name.value,
        image_size=image_size,
        seed=seed,
        data_dir=data_dir,
        log=lambda line: progress.print(line, markup=False),
    )
    row = found["at_delta"]
    table = Table(f"at delta {row['delta']:g}", "value", "95 % interval")
    for side in ("precision", "recall", "train_recall", "f1"):
        if side in row:
            ends = f"{row[f'{side}_low']:.4f} to {row[f'{side}_high']:.4f}"
            table.add_row(side, f"{row[side]:.4f}", ends)
    console.print(table)
    console.print(f"mean squared distance {found['mean_squared_distance']:.4g}", markup=False)
    console.print(f"page: {out / 'index.html'}", markup=False)


def compare(
    first: Annotated[Path, typer.Argument(help="JSON of `coequal score`.", show_default=False)],
    second: Annotated[Path, typer.Argument(help="Another.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Two scores: difference, standard error, p-value; refused if measured differently."""
    from coequal.evaluation.compare import compare as measure

    found = measure(_read(first), _read(second))
    if as_json:
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
        return
    table = Table("metric", str(first), str(second), "difference", "s. e.", "p-value", "better")
    for name, row in found["metrics"].items():
        keys = ("first", "second", "difference", "standard_error", "p_value")
        table.add_row(name, *(_number(row[key]) for key in keys), row["better"] or "")
    console.print(table)
    console.print(found["over"], markup=False)


def _settings(given: list[str]) -> dict[str, dict[str, Any]]:
    """`gan_train.seeds=5` as {"gan_train": {"seeds": 5}}."""
    found: dict[str, dict[str, Any]] = {}
    for text in given:
        name, equals, value = text.partition("=")
        metric, dot, setting = name.rpartition(".")
        if not (equals and dot and metric and setting):
            raise ValueError(f"--set {text}: write it as METRIC.SETTING=VALUE")
        try:
            plain = json.loads(value)
        except json.JSONDecodeError:
            plain = value
        found.setdefault(metric, {})[setting] = plain
    return found


def _print_scores(found: dict[str, Any]) -> None:
    some = any("interval" in row for row in found["metrics"].values())
    columns = ["95 % interval"] if some else []
    metric = Column("metric", overflow="fold")  # a name cut short can't be asked for
    table = Table(metric, "value", "standard error", *columns, "better", "unit")
    for name, row in found["metrics"].items():
        numbers = [_number(row["value"]), _number(row["standard_error"])]
        if some:
            numbers.append(" to ".join(map(_number, row.get("interval", ()))))
        best = row["better"] if row["target"] is None else f"{row['target']:g}"
        table.add_row(name, *numbers, best, row["unit"])
    console.print(table)
    chosen = f"{found['encoder']['id']} ({found['encoder']['chosen']})"
    counts = f"{found['real']['count']} real, {found['fake']['count']} fake images"
    console.print(f"encoder {chosen}; {counts}", markup=False)
    for name, row in found["metrics"].items():
        details = row.get("details", {})
        for said in (details[key] for key in ("flag", "counts") if key in details):
            console.print(f"{name}: {said}", markup=False)
    for name, reason in found["not_measured"].items():
        console.print(f"not measured: {name}: {reason}", markup=False)
    for warning in found["warnings"]:
        console.print(f"warning: {warning}", markup=False)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is no JSON ({error})") from error
    if not isinstance(found, dict) or not {"metrics", "encoder", "real", "fake"} <= found.keys():
        raise ValueError(f"{path} is no output of `coequal score --json`")
    return found


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.5g}"
