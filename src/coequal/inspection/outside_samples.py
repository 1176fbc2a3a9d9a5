"""Images of generators from outside, written to files."""

from pathlib import Path
from typing import Any

import torch

from coequal.contract import Log
from coequal.datasets._loading import data_folder
from coequal.inputs.input import Scorable
from coequal.inputs.load import load_input
from coequal.inspection.generated import generated_images
from coequal.inspection.image_files import refuse_place, write_images


def write_generated(
    fake: Scorable, count: int, seed: int, out: Path, device: torch.device, log: Log
) -> tuple[Path, dict[str, Any]]:
    """Write images of a generator from outside: a sheet, an array or a folder.

    Args:
        fake: as for `generated_images`.
        count: number of images, 2 at least.
        seed: as for `generated_images`, which has the same images.
        out: see `image_files.write_images`.
        device: as for `generated_images`.
        log: is told how far it is.

    Returns:
        `out`, and what the images are, as in the record of a score.

    Raises:
        ValueError, LookupError, FileNotFoundError, FileExistsError: as of those, or `fake` is no
            generator.
    """
    refuse_place(out)
    found = generated_images(fake, count, seed, log, device)
    drawn = load_input(found, role="generator", data_dir=data_folder(None), log=log)
    assert drawn.images is not None
    labels = drawn.labels
    numbers = None if labels is None else [str(label) for label in range(int(labels.max()) + 1)]
    return write_images(drawn.images.whole, out, labels, numbers), drawn.as_dict()
