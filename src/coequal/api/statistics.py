"""Feature statistics of your own images, from Python."""

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
    """Write the mean and covariance of images' features, to score other images against later.

    Args:
        images: as for `score`.
        out: an .npz file to write. pytorch-fid, clean-fid and EDM read its `mu` and `sigma`;
            `score` also reads the count, and refuses another encoder.
        encoder: see `coequal list encoders`; None: chosen by the data, and named in the result.
        image_size: height and width to which images are cropped and resized.
        value_range: the values of black and white in float images: (-1, 1), (0, 255).
        max_images: number of images after which reading a stream (loader, generator, tar, LMDB)
            stops; None: at its end.
        device: where the encoder computes, as for `score`.
        data_dir: folder of the datasets, to which missing ones are downloaded; None: COEQUAL_DATA,
            then the user's cache.
        workers: threads that decode images while others are encoded; None: one per core. They
            change no number.
        log: called with a line of text about long work.

    Returns:
        What the file says about itself: count, number of features, encoder and how it prepares
        images, device, and the images with their SHA-256.

    Raises:
        ValueError, LookupError, OSError: the images or the encoder are not available, or the file
            can't be written; the message says what.
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
