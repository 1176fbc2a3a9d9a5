"""Which images of one side are among those of another, by the digests of their pixels."""

import numpy as np
from numpy.typing import NDArray

from coequal.inputs.input import Input


def image_keys(source: Input) -> NDArray[np.void]:
    """(n,) the SHA-256 of each image, as one value."""
    return np.ascontiguousarray(source.digests).view("V32")[:, 0]


def shared_images(of: Input, among: Input) -> int:
    """How many images are exactly among others."""
    return int(np.isin(image_keys(of), image_keys(among)).sum())


def not_held_out(real: Input, train: Input) -> str | None:
    """Why the real images can't stand for held-out ones; None if they can.

    A generator that copies the training images looks perfect beside these very images.
    """
    shared = shared_images(real, train)
    if 2 * shared <= len(real):
        return None
    return (
        f"needs real images that are held out, and {shared} of {len(real)} are among the training "
        "images; give a test split as real images"
    )
