"""The options of `coequal score`, and what they stand for."""

from pathlib import Path
from typing import Annotated, Any

import typer

from coequal.cli import completion
from coequal.cli.options import GENERATOR, IMAGES, OUTPUT, assignments

WORST_SHEET = Path("worst.png")

Real = Annotated[
    str, typer.Option(help=f"Real images: {IMAGES}.", autocompletion=completion.part("datasets"))
]
Fakes = Annotated[
    list[str],
    typer.Option(
        help=f"Generated images: {IMAGES}; a model of a run (runs/demo:ns_gan), or a "
        "generator (my_lab.gen:make). May be repeated to compare several; NAME=IMAGES "
        "names them."
    ),
]
Train = Annotated[
    str | None,
    typer.Option(
        "--train",
        "--real-train",
        help="Images that the generator was trained on. Default: a dataset's own train split.",
    ),
]
Metrics = Annotated[
    str,
    typer.Option(
        help=(
            "Metrics, separated by commas; `recommended` for a few, or `all` that apply "
            "and train nothing."
        ),
        autocompletion=completion.several("metrics", ("all", "recommended")),
    ),
]
MetricSettings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Setting of a metric, as in gan_train.classifier=resnet32; may be repeated."
    ),
]
RealCount = Annotated[
    int | None,
    typer.Option(min=2, help="Number of images behind the statistics (mu, sigma) of --real."),
]
ScoresFile = Annotated[
    Path | None,
    typer.Option(
        "--out",
        help="File for the scores as JSON, which `coequal compare` reads.",
        rich_help_panel=OUTPUT,
    ),
]
Page = Annotated[
    Path | None,
    typer.Option(
        help=(
            "File for a page (.html) with all scores, images, and references of real data and "
            "noise."
        ),
        rich_help_panel=OUTPUT,
    ),
]
Sheet = Annotated[
    Path | None,
    typer.Option(
        help="File for a picture (.png) of generated images beside their nearest real images.",
        rich_help_panel=OUTPUT,
    ),
]
Floor = Annotated[
    bool, typer.Option("--floor", help="Also score real images against other real images.")
]
Worst = Annotated[
    int | None,
    typer.Option(
        min=1,
        help=(
            "Number of worst and best generated images to show, by influence on FD and by realism."
        ),
        rich_help_panel=OUTPUT,
    ),
]
WorstSheet = Annotated[
    Path | None,
    typer.Option(
        help=f"File (.png) for the images of --worst. Default without --page: {WORST_SHEET}.",
        rich_help_panel=OUTPUT,
    ),
]
PerImage = Annotated[
    Path | None,
    typer.Option(
        help="File (.csv or .json) for the numbers of every generated image.",
        rich_help_panel=OUTPUT,
    ),
]
Samples = Annotated[
    int,
    typer.Option(
        min=2, help="Number of images to draw from a generator.", rich_help_panel=GENERATOR
    ),
]


def sets_of_images(given: list[str]) -> str | dict[str, str]:
    """What is scored: the images themselves if there is one set, else all sets by their names."""
    return _named(given) if len(given) > 1 else _name_and_images(given[0])[1]


def _named(given: list[str]) -> dict[str, str]:
    """Sets of images by their names: NAME=IMAGES, or the images as their own name.

    Raises:
        typer.BadParameter: a name is given twice.
    """
    pairs = [_name_and_images(one) for one in given]
    names = [name for name, _ in pairs]
    if twice := next((name for name in names if names.count(name) > 1), None):
        text = f"'{twice}' is given twice; name the sets apart with NAME=IMAGES"
        raise typer.BadParameter(text, param_hint="--fake")
    return dict(pairs)


def _name_and_images(given: str) -> tuple[str, str]:
    name, sign, images = given.partition("=")
    plain = not sign or Path(given).expanduser().exists()
    return (given, given) if plain else (name, images)


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
