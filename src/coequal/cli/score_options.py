"""The options of `coequal score`, and what they stand for."""

from pathlib import Path
from typing import Annotated, Any

import typer

from coequal.cli.options import IMAGES, assignments

WORST_SHEET = Path("worst.png")

Real = Annotated[str, typer.Option(help=f"Real images: {IMAGES}.")]
Fakes = Annotated[
    list[str],
    typer.Option(
        help=f"Generated images: {IMAGES}; or a model of a run (runs/demo:ns_gan), or a "
        "generator (my_lab.gen:make). Several times: all are compared, NAME=IMAGES gives them "
        "names."
    ),
]
Train = Annotated[
    str | None,
    typer.Option(
        "--train",
        "--real-train",
        help="What the generator was trained on; a dataset's own train split.",
    ),
]
Metrics = Annotated[
    str,
    typer.Option(
        help="Names with commas, recommended (a few), or all (that apply and train nothing)."
    ),
]
MetricSettings = Annotated[
    list[str] | None,
    typer.Option("--set", help="A metric's setting: gan_train.classifier=resnet32."),
]
RealCount = Annotated[
    int | None,
    typer.Option(min=2, help="Of how many images the statistics (mu, sigma) of REAL are."),
]
ScoresFile = Annotated[
    Path | None, typer.Option("--out", help="A .json: the scores, which `coequal compare` reads.")
]
Page = Annotated[
    Path | None,
    typer.Option(help="An .html: all of it on one page, between real data and noise, with images."),
]
Sheet = Annotated[Path | None, typer.Option(help="A .png: fakes beside their nearest real images.")]
Floor = Annotated[
    bool, typer.Option("--floor", help="Score real images against other real ones, too.")
]
Worst = Annotated[
    int | None,
    typer.Option(min=1, help="Show so many of the worst and best fakes: influence on fd, realism."),
]
WorstSheet = Annotated[
    Path | None,
    typer.Option(help=f"The .png of --worst. Default, without a page: {WORST_SHEET}."),
]
PerImage = Annotated[
    Path | None, typer.Option(help="A .csv or .json: these numbers of every fake.")
]
Samples = Annotated[int, typer.Option(min=2, help="Images drawn of a generator.")]


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
        text = f"'{twice}' is given twice; tell them apart by NAME=IMAGES"
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
