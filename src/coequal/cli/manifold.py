"""`coequal manifold`: precision and recall where the truth is known."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from coequal.cli.command import CommandResult
from coequal.cli.options import (
    IMAGES,
    AnyDevice,
    Batch,
    Classes,
    DataDir,
    ImageSize,
    Latent,
    Seed,
    Values,
    fake_and_values,
)
from coequal.cli.printing import Field, log_line, print_table, say
from coequal.devices import AUTO
from coequal.files import refuse_unwritable
from coequal.formatting import half_width, interval, number

NAMES = {
    "precision": "precision",
    "recall": "recall",
    "train_recall": "recall on training images",
    "f1": "F1",
}
"""The numbers of a manifold, for people."""


class ManifoldName(StrEnum):
    """Which manifold: any convex polygon of the image, or the inscribed ones of the data."""

    convex = "convex"
    family = "family"


def manifold(
    real: Annotated[str, typer.Option(help="A dataset of polygons with its split.")],
    fake: Annotated[
        str, typer.Option(help=f"Generated images: {IMAGES}; or a model of a run, or a generator.")
    ],
    out: Annotated[Path, typer.Option(help="Output folder for the page, the JSON and the curves.")],
    count: Annotated[int, typer.Option(min=2, help="Number of images on each side.")] = 1024,
    delta: Annotated[
        float, typer.Option(help="Squared distance within which an image counts as a match.")
    ] = 0.75,
    name: Annotated[
        ManifoldName,
        typer.Option(
            "--manifold",
            help="Polygons that count as real: any convex ones, or those of the dataset.",
        ),
    ] = ManifoldName.convex,
    train: Annotated[
        bool, typer.Option(help="Measure recall on training images, too, which shows memorisation.")
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
    """Measure precision and recall where the true manifold is known.

    Writes a page with both at every distance delta, and pictures.
    """
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
    rows = []
    for side in NAMES:
        if side in row:
            ends = row[f"{side}_low"], row[f"{side}_high"]
            value = number(row[side], half_width(ends))
            rows.append([NAMES[side], value, interval(ends, between=" to ")])
    say(f"at delta {row['delta']:g}:")
    print_table([Field("metric"), Field("value"), Field("95 % interval")], rows)
    say(f"mean squared distance: {number(result['mean_squared_distance'])}")
    say(f"page: {page}")
