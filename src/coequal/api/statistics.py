"""Statistics of one's own images, from Python."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coequal.contract import Log
from coequal.datasets._loading import data_folder
from coequal.devices import AUTO, computing_on
from coequal.evaluation.own_statistics import write_statistics
from coequal.files import cache_folder
from coequal.inputs.input import Scorable
from coequal.inputs.load import load_input
from coequal.parallel import reading_threads
from coequal.value_range import UNIT, ValueRange


def stats(
    images: Scorable,
    out: str | Path,
    *,
    encoder: str | None = None,
    image_size: int | None = None,
    value_range: Sequence[float] | str = UNIT,
    max_images: int | None = None,
    device: str = AUTO,
    data_dir: str | Path | None = None,
    workers: int | None = None,
    log: Log | None = None,
) -> dict[str, Any]:
    """Write mean and covariance of the features of images, to score others against them later.

    Args:
        images: as for `score`.
        out: a .npz. `mu` and `sigma` in it are what pytorch-fid, clean-fid and EDM read; `score`
            also knows the count, and refuses another encoder.
        encoder: see `coequal list encoders`; None: chosen by the data, and named in the result.
        image_size: height and width to which images are cropped and resized.
        value_range: black and white of images that are floats: (-1, 1), (0, 255).
        max_images: streams (loaders, generators, tars, LMDBs) are read no further than the first so
            many images; None: to their end.
        device: what the encoder computes on, as of `score`.
        data_dir: where datasets lie or are put; None: COEQUAL_DATA, then the user's cache.
        workers: threads that decode pictures, while others are encoded; None: one per core. They
            change no number.
        log: is told about long work.

    Returns:
        What the file says of itself: count, number of features, encoder and how it prepares
        images, device, and the images with their SHA-256.

    Raises:
        ValueError, LookupError, OSError: the images or the encoder can't be had, or the file can't
            be written; one message.
    """
    cache, tell = cache_folder(), log or (lambda line: None)
    with computing_on(device) as where, reading_threads(workers):
        source = load_input(
            images,
            role="images",
            data_dir=data_folder(data_dir),
            image_size=image_size,
            value_range=ValueRange.of(value_range),
            max_images=max_images,
            cache=cache,
            log=tell,
        )
        target = Path(out).expanduser()
        return write_statistics(
            source, target, encoder=encoder, device=where, cache=cache, log=tell
        )
