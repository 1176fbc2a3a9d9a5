"""Arrays, in memory or in `.npy` and `.npz` files: images or features, and read in parts."""

import math
import shutil
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coequal.contract.data import ImageRows, Index, in_file, in_memory
from coequal.images import to_uint8
from coequal.inputs.rows import Digests, digests_of, write_rows
from coequal.records import POINT

Array = Tensor | NDArray[np.generic]


class Read(NamedTuple):
    """What an array holds: either images or features."""

    images: ImageRows | None
    features: ImageRows | None
    digests: Digests
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> ImageRows:
        """The images if the array holds images, else the features."""
        rows = self.features if self.images is None else self.images
        assert rows is not None
        return rows


def read_array(given: Array | Path, what: str) -> Read:
    """Images or features of an array, or of a `.npy` or `.npz` file, which is read in parts.

    Raises:
        FileNotFoundError, ValueError: see `inputs.load.from_array`.
    """
    if not isinstance(given, Path):
        return _recognised(lambda: given, what, None)
    if not given.exists():
        raise FileNotFoundError(f"there is no file {given}")
    folder = temporary_folder()
    try:
        path = _unpacked(given, folder) if zipfile.is_zipfile(given) else given
        read = _recognised(lambda: np.load(path, mmap_mode="r"), what, folder)
    except BaseException as error:
        shutil.rmtree(folder)
        if isinstance(error, EOFError | zipfile.BadZipFile | zlib.error | RuntimeError):
            raise ValueError(f"{given} can't be read ({error})") from error
        raise
    remove_with(read.rows, folder)
    return read


def temporary_folder() -> Path:
    """A folder for what has to be unpacked; see `remove_with`."""
    return Path(tempfile.mkdtemp(prefix="coequal-"))


def remove_with(rows: ImageRows, folder: Path) -> None:
    """Remove a folder once these rows are no longer used, or the program ends."""
    weakref.finalize(rows, shutil.rmtree, folder, ignore_errors=True)


def _unpacked(path: Path, folder: Path) -> Path:
    """The one array of a `.npz`, or that called images or arr_0, as a file that can be mapped."""
    with zipfile.ZipFile(path) as archive:
        names = [Path(name).stem for name in archive.namelist() if name.endswith(".npy")]
        known = [name for name in ("images", "arr_0") if name in names]
        if len(names) != 1 and not known:
            raise ValueError(f"{path} holds {', '.join(names)}; name one `images`")
        target = folder / "array.npy"
        with archive.open(f"{(known or names)[0]}.npy") as source, target.open("wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
    return target


def _recognised(open_array: Callable[[], Array], what: str, folder: Path | None) -> Read:
    """`folder` takes features that are not float32 in the file."""
    array = open_array()
    shape = tuple(array.shape)
    if isinstance(array, np.ndarray) and array.dtype.kind not in "fiub":
        raise ValueError(f"{what} holds {array.dtype}, neither images nor features")
    dtype = array.dtype if isinstance(array, Tensor) else _as_tensor(np.empty(0, array.dtype)).dtype
    if len(shape) == 2 and dtype.is_floating_point:
        if not shape[1]:
            raise ValueError(f"{what} has no features: its shape is {shape}")
        return _features(open_array, what, folder)
    three = len(shape) == 3
    axes = (shape[0], 1, *shape[1:]) if three else shape
    if len(axes) != 4 or (axes[1] not in (1, 3) and axes[3] not in (1, 3)):
        raise ValueError(
            f"{what} has the shape {shape} and type {dtype}; what would do: uint8 images "
            "(n, c, h, w) or (n, h, w, c) with 1 or 3 channels, or features (n, d) as floats"
        )
    point = axes[1:] == POINT and dtype.is_floating_point
    last = axes[1] not in (1, 3) and not point
    if not dtype.is_floating_point and dtype != torch.uint8:
        raise ValueError(f"{what}: images must be uint8, or floats in [0, 1]; got {dtype}")

    def read(index: Index) -> Tensor:
        part = _part(open_array(), index)
        part = part.unsqueeze(1) if three else part
        part = part.permute(0, 3, 1, 2) if last else part
        if point:
            return part.float()
        return (to_uint8(part) if part.is_floating_point() else part).contiguous()

    if last:
        axes = (axes[0], axes[3], axes[1], axes[2])
    notes: tuple[str, ...] = ()
    if dtype.is_floating_point:
        _refuse_beyond_unit(open_array, what)
        notes = () if point else ("float images were rounded to 8 bits",)
    form = torch.float32 if point else torch.uint8
    given = isinstance(array, Tensor)
    images = in_memory(read(slice(None))) if given else ImageRows(axes, form, read)
    return Read(images, None, digests_of(images.parts()), notes)


def _features(open_array: Callable[[], Array], what: str, folder: Path | None) -> Read:
    array = open_array()
    shape = tuple(array.shape)
    rows = ImageRows(shape, torch.float32, lambda index: _part(open_array(), index).float())
    if not all(math.isfinite(edge) for part in rows.parts() for edge in part.aminmax()):
        raise ValueError(f"{what}: the features hold NaN or infinity (as 32-bit floats)")
    if folder is None:
        rows = in_memory(rows.whole)
    else:
        assert isinstance(array, np.memmap)
        path = Path(str(array.filename))
        if array.dtype != np.dtype("<f4") or not array.flags.c_contiguous:
            path = folder / "features.npy"
            write_rows(path, rows.shape, rows.parts())
        rows = in_file(path)
    return Read(None, rows, digests_of(rows.parts()))


def _refuse_beyond_unit(open_array: Callable[[], Array], what: str) -> None:
    array = open_array()
    raw = ImageRows(tuple(array.shape), torch.float32, lambda index: _part(open_array(), index))
    edges = [part.aminmax() for part in raw.parts() if part.numel()]
    if edges:
        low = float(torch.stack([edge.min for edge in edges]).amin())
        high = float(torch.stack([edge.max for edge in edges]).amax())
        if not (low >= 0 and high <= 1):  # NaN is neither
            raise ValueError(f"{what}: float images must lie in [0, 1], found {low:g} to {high:g}")


def _part(array: Array, index: Index) -> Tensor:
    if isinstance(array, Tensor):
        return array[index]
    return _as_tensor(array[index if isinstance(index, slice) else index.numpy()])


def _as_tensor(array: NDArray[np.generic]) -> Tensor:
    """A copy, in the byte order of this machine."""
    return torch.from_numpy(np.array(array, dtype=array.dtype.newbyteorder("=")))
