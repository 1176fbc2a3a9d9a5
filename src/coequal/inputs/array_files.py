"""`.npy` and `.npz` files: which of their arrays are the images, the labels, and statistics."""

import shutil
import tempfile
import weakref
import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from coequal.contract import Statistics
from coequal.contract.data import ImageRows
from coequal.inputs.labels import Labels, read_labels
from coequal.inputs.statistics_arrays import FACTS, PAIRS, statistics_among

_MAGIC = b"\x93NUMPY"
_IMAGES = ("images", "arr_0")
_LABELS = ("labels", "label", "y", "arr_1")
_STATISTICS = {FACTS, *(name for pair in PAIRS for name in pair)}


class Unpacked(NamedTuple):
    """An array that can be mapped, and what came with it.

    Attributes:
        array: a `.npy` file; None if there are only statistics.
        labels: of its images.
        statistics: of features.
        notes: what was not used.
    """

    array: Path | None
    labels: Labels = Labels()
    statistics: tuple[Statistics, ...] = ()
    notes: tuple[str, ...] = ()


def temporary_folder() -> Path:
    """A folder for what has to be unpacked; see `remove_with`."""
    return Path(tempfile.mkdtemp(prefix="coequal-"))


def remove_with(rows: ImageRows, folder: Path) -> None:
    """Remove a folder once these rows are no longer used, or the program ends."""
    weakref.finalize(rows, shutil.rmtree, folder, ignore_errors=True)


def open_npy(array: Path, given: Path) -> NDArray[np.generic]:
    """A `.npy` file, mapped.

    Args:
        array: the file.
        given: what the user gave: the same file, or the `.npz` that it was in.

    Raises:
        ValueError: it can't be read, or holds objects of Python.
    """
    try:
        with array.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:  # numpy would try pickles and zips
                raise ValueError("no .npy")
        opened: NDArray[np.generic] = np.load(array, mmap_mode="r")
    except (ValueError, EOFError) as error:
        if "Python objects" in str(error) or "Object arrays" in str(error):
            reason = "it holds Python objects; save one plain array of numbers"
        else:
            reason = "it is damaged, cut short, or of another kind"
        raise ValueError(f"{given} can't be read: {reason}") from error
    return opened


def unpacked(path: Path, folder: Path) -> Unpacked:
    """The images or features of a `.npz` as a file that can be mapped, their labels, and statistics
    (`statistics_arrays`); a `.npy` is that file itself.

    Images are the one array that is there, or that called images or arr_0; beside statistics it has
    to be called so. Labels are called labels, label or y, or arr_1 as in samples of ADM.

    Args:
        path: of the `.npy` or `.npz`.
        folder: where to unpack.

    Raises:
        ValueError: it can't be read, or it isn't clear which array is meant.
    """
    if not zipfile.is_zipfile(path):
        return Unpacked(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if name.endswith(".npy")]
            kept = {_stem(name): name for name in members if _stem(name) in _STATISTICS}
            statistics = statistics_among(
                {stem: _small(archive, name, folder, path) for stem, name in kept.items()},
                path.name,
            )
            images = _images_among(members, path, alone=bool(statistics))
            used = [*kept.values()]
            target, labels = None, Labels()
            if images is not None:
                target = folder / "array.npy"
                _extract(archive, images, target)
                found = [name for name in members if _stem(name) in _LABELS and name != images]
                if found:
                    _extract(archive, found[0], folder / "labels.npy")
                    labels = _read_labels(folder / "labels.npy")
                used += [images, *found[:1]]
    except (EOFError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        raise ValueError(f"{path} can't be read ({error})") from error
    unused = [name.removesuffix(".npy") for name in members if name not in used]
    notes = (f"arrays not used: {', '.join(unused)}",) if unused else ()
    return Unpacked(target, labels, statistics, notes)


def _images_among(members: list[str], path: Path, alone: bool) -> str | None:
    """The member that holds the images; None if there are none and statistics are enough."""
    known = [name for name in members if _stem(name) in _IMAGES]
    if len(known) == 1:
        return known[0]
    if not known and alone:
        return None
    names = ", ".join(name.removesuffix(".npy") for name in members)
    others = [name for name in members if _stem(name) not in _LABELS]
    if len(others) == 1 and not known:
        return others[0]
    raise ValueError(f"{path} holds {names or 'no arrays'}; name one `images`, and only one")


def _stem(member: str) -> str:
    return member.rpartition("/")[2].removesuffix(".npy")


def _extract(archive: zipfile.ZipFile, member: str, target: Path) -> None:
    with archive.open(member) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file, 1 << 20)


def _small(archive: zipfile.ZipFile, member: str, folder: Path, given: Path) -> NDArray[Any]:
    """An array that is read whole."""
    _extract(archive, member, folder / "small.npy")
    return np.array(open_npy(folder / "small.npy", given))


def _read_labels(path: Path) -> Labels:
    try:
        return read_labels(list(np.load(path)))
    except (ValueError, TypeError) as error:  # of objects, or a single value
        return Labels(unused=f"the labels can't be read ({error})")
