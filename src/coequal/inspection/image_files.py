"""Generated images as one sheet, as an array, or as a folder of pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from coequal.files import folder_name
from coequal.images import to_uint8
from coequal.records import POINT


def refuse_place(out: Path) -> None:
    """Refuse a place that images can't be written to, before they are drawn.

    Raises:
        FileExistsError: an array or a folder with files is there already.
        ValueError: it ends like a file of another kind.
    """
    _refuse_suffix(out)
    for path in (out, _labels_path(out)):
        _refuse_existing(path)


def write_images(
    images: Tensor,
    out: Path,
    labels: Tensor | None = None,
    classes: Sequence[str] | None = None,
    real: Any = None,
) -> Path:
    """Write images: one sheet (.png), an array (.npy), or a folder of PNGs.

    Args:
        images: (n, c, h, w) uint8, or float32 in [0, 1].
        out: see `refuse_place`; of labelled images a sheet has a row for each class, a folder a
            sub-folder for each, and the labels of an array lie beside it in NAME-labels.npy.
        labels: (n,) their classes, if they have any.
        classes: names of the classes; None: a folder is not divided.
        real: real images, over which points are scattered.

    Returns:
        `out`.

    Raises:
        ValueError: a folder is asked for, and the images are points.
    """
    if out.suffix == ".npy":
        out.parent.mkdir(parents=True, exist_ok=True)
        np.save(out, images.numpy())
        if labels is not None:
            np.save(_labels_path(out), labels.numpy())
    elif out.suffix.lower() == ".png":
        out.parent.mkdir(parents=True, exist_ok=True)
        shown = images if images.shape[1:] == POINT else to_uint8(images)
        columns = None
        if labels is not None and len(labels.unique()) > 1:
            order = labels.argsort(stable=True)
            counts = labels.bincount()
            even = int(counts[counts > 0].min())  # of each class as many as of the rarest
            chosen = [rows[:even] for rows in order.split(counts.tolist()) if len(rows)]
            shown, columns = shown[torch.cat(chosen)], even
        # Only now: what draws takes a second to import, and most who come here draw nothing.
        from coequal.reporting.image_grids import square_sheet

        out.write_bytes(square_sheet(shown.numpy(), real, columns))
    elif images.shape[1:] == POINT:
        raise ValueError(
            f"{out}: points cannot be written as single pictures; name a .png (a scatter plot) "
            "or a .npy"
        )
    elif labels is None or classes is None:
        _write_pictures(to_uint8(images).numpy(), out)
    else:
        for label in labels.unique().tolist():
            own = to_uint8(images[labels == label])
            _write_pictures(own.numpy(), out / folder_name(classes[label]))
    return out


def _refuse_suffix(out: Path) -> None:
    """Refuse a name that ends like a file of a kind that is not written here: nobody means a folder
    by "sheet.jpg".

    Raises:
        ValueError: the message says what would do.
    """
    suffix = out.suffix.lower()
    others = {*Image.registered_extensions(), ".npz", ".zip", ".pt", ".safetensors", ".csv"}
    if suffix in others - {".png"}:
        raise ValueError(
            f"{out}: {suffix} files are not supported; name a .png (one sheet), a .npy (an array), "
            "or a folder (one PNG each)"
        )


def _write_pictures(images: Any, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(images):
        pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
        Image.fromarray(pixels).save(folder / f"{index:06d}.png")


def _labels_path(out: Path) -> Path:
    """The file for the labels of an array."""
    return out.with_name(f"{out.stem}-labels.npy") if out.suffix == ".npy" else out


def _refuse_existing(path: Path) -> None:
    if path.is_file() or (path.is_dir() and any(path.iterdir())):
        raise FileExistsError(f"{path} already exists; name another with --out")
