"""`coequal stats`: mean and covariance of the features of images, in a file."""

from pathlib import Path
from typing import Annotated, Any

import typer

from coequal.cli.command import CommandResult
from coequal.cli.options import (
    IMAGES,
    AnyDevice,
    DataDir,
    DecodingThreads,
    Encoder,
    ImageSize,
    MaxImages,
    Values,
    short_path,
)
from coequal.cli.printing import log_line, say
from coequal.devices import AUTO
from coequal.value_range import UNIT


def stats(
    images: Annotated[str, typer.Argument(help=f"Images: {IMAGES}.", show_default=False)],
    out: Annotated[Path, typer.Option(help="File (.npz) to write.")],
    encoder: Encoder = None,
    image_size: ImageSize = None,
    value_range: Values = None,
    max_images: MaxImages = None,
    device: AnyDevice = AUTO,
    workers: DecodingThreads = None,
    data_dir: DataDir = None,
) -> CommandResult:
    """Write the statistics of images (mu, sigma) to a file.

    `score --real`, pytorch-fid, clean-fid and EDM read it.
    """
    from coequal.api.statistics import stats as write

    facts = write(
        images,
        out,
        encoder=encoder,
        image_size=image_size,
        value_range=value_range or UNIT,
        max_images=max_images,
        device=device,
        workers=workers,
        data_dir=data_dir,
        log=log_line,
    )
    values = {"statistics": str(short_path(out)), **facts}
    return CommandResult(values, lambda: _show(values))


def _show(values: dict[str, Any]) -> None:
    told = (
        f"mean and covariance of {values['features']:,} features of {values['count']:,} images",
        f"encoder: {values['encoder'] or 'features as given'}",
        *(f"note: {note}" for note in values["images"]["notes"]),
        f"statistics: {values['statistics']}",
    )
    for line in told:
        say(line)
