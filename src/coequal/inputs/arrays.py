"""Arrays, in memory or in `.npy` and `.npz` files: images or features, and read in parts."""

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coequal.contract import Statistics
from coequal.contract.data import ImageRows, Index, in_file, in_memory
from coequal.inputs.array_files import open_npy, remove_with, temporary_folder, unpacked
from coequal.inputs.array_form import AS_THEY_ARE, Conversion, ValuesSeen, array_form
from coequal.inputs.labels import Labels
from coequal.inputs.rows import Digests, digests_of, write_rows
from coequal.value_range import UNIT, ValueRange

Array = Tensor | NDArray[np.generic]


class Read(NamedTuple):
    """What an array holds: either images or features; a file, also statistics, or only these.

    Attributes:
        images: (n, c, h, w) uint8, or float32 points; None for features.
        features: (n, d) float32; None for images.
        digests: of each image's pixels, or of its features.
        notes: what was done to them.
        warnings: what may have been meant otherwise.
        lossy: how many images were stored in a format that changes pixels.
        brightest: the largest value of all pixels, if it is known.
        statistics: of features of these or of more images.
    """

    images: ImageRows | None
    features: ImageRows | None
    digests: Digests
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    lossy: int = 0
    brightest: int | None = None
    statistics: tuple[Statistics, ...] = ()


def read_array(given: Array, what: str, to: Conversion = AS_THEY_ARE) -> Read:
    """Images or features of an array in memory.

    Args:
        given: see `inputs.load.from_array`.
        what: its name, for messages.
        to: what images are brought to.

    Raises:
        ValueError: see `inputs.load.from_array`.
    """
    given = given.detach().cpu() if isinstance(given, Tensor) else given
    return _recognised(lambda: given, what, None, to)


def read_array_file(path: Path, what: str, to: Conversion = AS_THEY_ARE) -> tuple[Read, Labels]:
    """Images or features of a `.npy` or `.npz` file, which is read in parts; and the labels in it.
    Of statistics alone there are neither.

    Args:
        path: of the file.
        what: its name, for messages.
        to: what images are brought to.

    Raises:
        FileNotFoundError, ValueError: see `inputs.load.from_array`.
    """
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    folder = temporary_folder()
    try:
        found = unpacked(path, folder)
        read = _of_file(found.array, path, what, folder, to)
    except BaseException:
        shutil.rmtree(folder)
        raise
    rows = read.features if read.images is None else read.images
    if rows is None:
        shutil.rmtree(folder)
    else:
        remove_with(rows, folder)
    labels = found.labels
    notes = (*read.notes, *found.notes)
    if labels.values is not None and len(labels.values) != len(read.digests):
        labels = Labels(unused=f"{len(labels.values)} labels for {len(read.digests)} images")
    return read._replace(notes=notes, statistics=found.statistics), labels


def _of_file(array: Path | None, given: Path, what: str, folder: Path, to: Conversion) -> Read:
    if array is None:
        return Read(None, None, np.empty((0, 32), np.uint8))
    open_npy(array, given)
    return _recognised(lambda: open_npy(array, given), what, folder, to)


def _recognised(
    open_array: Callable[[], Array], what: str, folder: Path | None, to: Conversion
) -> Read:
    """`folder` takes features that are not float32 in the file."""
    array = open_array()
    shape = tuple(array.shape)
    if isinstance(array, np.ndarray) and array.dtype.kind not in "fiub":
        raise ValueError(f"{what} holds {array.dtype}, neither images nor features")
    dtype = array.dtype if isinstance(array, Tensor) else as_tensor(np.empty(0, array.dtype)).dtype
    if (width := feature_width(shape)) is not None and dtype.is_floating_point:
        if not width:
            raise ValueError(f"{what} has no features: its shape is {shape}")
        if to.image_size is not None:
            raise ValueError(f"{what} holds features, which can't be resized; leave out image_size")
        return _features(open_array, (shape[0], width), what, folder)
    return _images(open_array, shape, dtype, what, to)


def feature_width(shape: tuple[int, ...]) -> int | None:
    """d of features (n, d), or (n, d, 1, 1) and (n, 1, 1, d) as pooling layers give them; None of
    images."""
    if len(shape) == 2:
        return shape[1]
    if len(shape) == 4 and sorted(shape[1:])[:2] == [1, 1] and max(shape[1:]) > 3:
        return max(shape[1:])
    return None


def _images(
    open_array: Callable[[], Array],
    shape: tuple[int, ...],
    dtype: torch.dtype,
    what: str,
    to: Conversion,
) -> Read:
    form = array_form(shape, dtype, what, to)
    if form.floats or form.dtype.is_floating_point:
        _refuse_values(open_array, what, to.value_range if form.floats else UNIT)

    def read(index: Index) -> Tensor:
        return form.converted(_part(open_array(), index))

    given = isinstance(open_array(), Tensor)
    axes = (shape[0], *form.shape)
    images = in_memory(read(slice(None))) if given else ImageRows(axes, form.dtype, read)
    return Read(images, None, digests_of(images.parts()), form.notes)


def _refuse_values(open_array: Callable[[], Array], what: str, known: ValueRange) -> None:
    array, seen = open_array(), ValuesSeen(known)
    raw = ImageRows(tuple(array.shape), torch.float32, lambda index: _part(open_array(), index))
    for part in raw.parts():
        seen.see(part)
    seen.refuse(what)


def _features(
    open_array: Callable[[], Array], shape: tuple[int, int], what: str, folder: Path | None
) -> Read:
    array = open_array()
    rows = ImageRows(
        shape, torch.float32, lambda index: _part(open_array(), index).float().flatten(1)
    )
    if not all(math.isfinite(edge) for part in rows.parts() for edge in part.aminmax()):
        raise ValueError(f"{what}: the features hold NaN or infinity (as 32-bit floats)")
    flat = tuple(array.shape) == shape
    if folder is None:
        rows = in_memory(rows.whole)
    else:
        assert isinstance(array, np.memmap)
        path = Path(str(array.filename))
        if array.dtype != np.dtype("<f4") or not array.flags.c_contiguous or not flat:
            path = folder / "features.npy"
            write_rows(path, rows.shape, rows.parts())
        rows = in_file(path)
    notes = () if flat else (f"floats of shape {tuple(array.shape)} were taken for features",)
    return Read(None, rows, digests_of(rows.parts()), notes)


def _part(array: Array, index: Index) -> Tensor:
    if isinstance(array, Tensor):
        return array[index]
    return as_tensor(array[index if isinstance(index, slice) else index.numpy()])


def as_tensor(array: NDArray[np.generic]) -> Tensor:
    """A copy, in the byte order of this machine; floats that torch lacks as float64.

    Raises:
        TypeError: it holds no numbers.
    """
    native = array.dtype.newbyteorder("=")
    known = np.dtype(np.float64) if native.kind == "f" and native.itemsize > 8 else native
    return torch.from_numpy(np.array(array, dtype=known))
