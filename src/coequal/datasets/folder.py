"""A folder of pictures: `folder:PATH`, with one sub-folder per class or with none at all.

Layout: PATH/cat/1.png, PATH/dog/1.png (labels), or PATH/1.png (no labels); both at once are
refused, and so are folders in class folders. Hidden files and files of other kinds are skipped and
counted.
"""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import PIL
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from coequal.contract import Dataset, Split
from coequal.datasets._listing import labels_of, list_images
from coequal.datasets._pictures import (
    SUFFIXES,
    Pixels,
    Survey,
    listed,
    read_pictures,
    some_pictures,
    survey_pictures,
)
from coequal.datasets._resize import check_size
from coequal.datasets._splits import small_classes, split_rows
from coequal.files import atomic_write

PART = "load_folder"
ARGUMENT = "the path of a folder of images"

FEWEST = 10


def load_folder(
    argument: str,
    data_dir: Path,
    image_size: int | None = None,
    log: Callable[[str], None] | None = None,
) -> Dataset:
    """The pictures of a folder, split 60/20/20 within every class.

    The split depends on the paths within the folder, not on where the folder lies. Of pictures with
    equal pixels only the first by path is kept, so that no image is in two splits.

    Args:
        argument: the folder; `~` is the home folder, a relative path starts at the current one.
        data_dir: not used.
        image_size: needed if the sizes differ; then every picture's centre square is resized to it.
        log: is told how many pictures are being read.

    Raises:
        FileNotFoundError: no such folder.
        ValueError: not a folder, unreadable pictures, sizes that differ, a layout that can't be
            understood, or too few pictures.
    """
    check_size(image_size)
    root = Path(argument).expanduser().absolute()
    listing = list_images(root)
    _refuse_few(root, len(listing.names), "")
    if log is not None:
        log(f"reading {len(listing.names):,} images from {root}")
    pictures = read_pictures(root, listing.names, image_size)
    kept, repeats = _without_repeats(pictures.pixels, listing.names)
    _refuse_few(root, len(kept), " that differ")
    images = _stacked([pictures.pixels[row] for row in kept])
    labels = labels_of([listing.names[row] for row in kept], listing.classes)
    rows = split_rows(len(kept), "folder", labels)
    if not len(rows.test):
        raise ValueError(f"{root}: no class has 3 images; there would be none to validate and test")
    train, validation, test = (
        Split(images[part], None if labels is None else labels[part]) for part in rows
    )
    notes = [*listing.notes, *pictures.notes, *repeats, *_split_notes(labels, listing.classes)]
    return Dataset(
        name=f"folder:{argument}",
        train=train,
        validation=validation,
        test=test,
        classes=listing.classes,
        notes=tuple(notes),
    )


# ------------------------------------------------------------------------------------ what is there


class Folder(NamedTuple):
    """All pictures of a folder, repeats included, by path; decoded when read."""

    shape: tuple[int, int, int, int]  # n, c, h, w
    read: Callable[[int, int], Tensor]  # uint8 pictures from start to stop
    digests: NDArray[np.uint8]  # (n, 32): SHA-256 of each one's pixels
    labels: Tensor | None
    classes: tuple[str, ...] | None
    notes: list[str]
    names: list[str]


def read_folder(root: Path, image_size: int | None = None, cache: Path | None = None) -> Folder:
    """The pictures of a folder as they are, for scoring: no splits, nothing left out.

    Each is decoded once here, for its digest, and again whenever it is read; none is kept.

    Args:
        root: the folder.
        image_size: if given, every picture's centre square is resized to it.
        cache: where digests are kept by what the files hold: they need not be decoded here then.

    Raises:
        FileNotFoundError, ValueError: as `load_folder`. The call `read` raises ValueError if a file
            is no longer what it was.
    """
    listing = list_images(root)
    if not listing.names:
        raise ValueError(f"{root} has no images (they end in {', '.join(SUFFIXES)})")
    survey = _surveyed(root, listing.names, image_size, cache)

    def read(start: int, stop: int) -> Tensor:
        names = listing.names[start:stop]
        pixels = some_pictures(root, names, image_size, survey.shape[0])
        for name, image, digest in zip(names, pixels, survey.digests[start:stop], strict=True):
            if hashlib.sha256(image).digest() != digest.tobytes():
                raise ValueError(f"{root / name} was changed while it was being read")
        return torch.from_numpy(pixels)

    return Folder(
        shape=(len(listing.names), *survey.shape),
        read=read,
        digests=survey.digests,
        labels=labels_of(listing.names, listing.classes),
        classes=listing.classes,
        notes=[*listing.notes, *survey.notes],
        names=listing.names,
    )


def _surveyed(
    root: Path, names: Sequence[str], image_size: int | None, cache: Path | None
) -> Survey:
    """The survey of the pictures, from the cache if the same files have been surveyed before."""
    key = None if cache is None else _files_digest(root, names, image_size)
    if cache is None or key is None:
        return survey_pictures(root, names, image_size)
    path = cache / "pictures" / f"{key}.safetensors"
    if not path.exists():
        found = survey_pictures(root, names, image_size)
        said = {"notes": json.dumps(found.notes)}
        kept = {"digests": torch.from_numpy(found.digests), "shape": torch.tensor(found.shape)}
        atomic_write(path, save(kept, said))
        return found
    with safe_open(path, "np") as file:
        channels, height, width = file.get_tensor("shape").tolist()
        notes = json.loads(file.metadata()["notes"])
        return Survey((channels, height, width), file.get_tensor("digests"), notes)


def _files_digest(root: Path, names: Sequence[str], image_size: int | None) -> str | None:
    """SHA-256 of the files' names and bytes, and of all else that their pixels depend on; None if a
    file can't be read."""
    found = hashlib.sha256(f"1 {PIL.__version__} {image_size}".encode())
    for name in names:
        try:
            if not (root / name).is_file():
                return None
            with (root / name).open("rb") as file:
                content = hashlib.file_digest(file, "sha256").digest()
        except OSError:
            return None  # the survey tells which, among all others
        found.update(os.fsencode(name) + b"\0" + content)
    return found.hexdigest()


def _refuse_few(root: Path, count: int, which: str) -> None:
    if count < FEWEST:
        raise ValueError(
            f"{root} has {count} images{which}; {FEWEST} are the fewest that can be split "
            f"(images end in {', '.join(SUFFIXES)})"
        )


# ---------------------------------------------------------------------------- from files to tensors


def _without_repeats(pixels: Sequence[Pixels], names: Sequence[str]) -> tuple[list[int], list[str]]:
    """The rows to keep, and a note if that is not all of them."""
    first: dict[bytes, int] = {}
    repeats = []
    for row, array in enumerate(pixels):
        # Pixels, not files: one image saved twice, or in two formats, is one image all the same.
        earlier = first.setdefault(hashlib.sha256(array.tobytes()).digest(), row)
        if earlier != row:
            repeats.append(f"{names[row]} = {names[earlier]}")
    if not repeats:
        return list(first.values()), []
    what = "image repeats" if len(repeats) == 1 else "images repeat"
    note = f"{len(repeats):,} {what} the pixels of another; left out ({listed(repeats)})"
    return list(first.values()), [note]


def _stacked(pixels: Sequence[Pixels]) -> Tensor:
    stack = torch.from_numpy(np.stack(pixels))
    return stack.unsqueeze(1) if stack.dim() == 3 else stack.permute(0, 3, 1, 2).contiguous()


def _split_notes(labels: Tensor | None, classes: Sequence[str] | None) -> list[str]:
    if labels is None or classes is None:
        return ["split 60/20/20"]
    small = small_classes(labels, classes)
    note = f"classes with fewer than 3 images are in train only ({listed(small)})"
    return ["split 60/20/20 within every class", *([note] if small else [])]
