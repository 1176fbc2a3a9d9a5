"""Which files of a folder are its images, and which classes its sub-folders stand for."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from coequal.datasets._pictures import SUFFIXES, listed


class Listing(NamedTuple):
    """The images of a folder, and what there is besides.

    Attributes:
        names: Of the image files, relative to the folder, sorted.
        classes: Names of the sub-folders; None where the images lie in the folder itself.
        notes: What was skipped.
    """

    names: list[str]
    classes: tuple[str, ...] | None
    notes: list[str]


class _Entries(NamedTuple):
    """What lies in one folder, each sorted by name."""

    images: list[str]
    folders: list[str]
    others: list[str]
    hidden: list[str]


def list_images(root: Path) -> Listing:
    """What a folder of images holds: images, or a sub-folder of images for each class.

    Args:
        root: The folder.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: It is not a folder, or it has another layout.
    """
    if not root.exists():
        raise FileNotFoundError(
            f"there is no folder {root}; write folder:PATH with one that exists"
        )
    if not root.is_dir():
        raise ValueError(f"{root} is a file; folder: takes a folder of images")
    top = _entries(root, root)
    if top.images and top.folders:
        raise ValueError(
            f"{root} holds images ({listed(top.images)}) beside folders ({listed(top.folders)}); "
            "put every image into a class folder, or none"
        )
    if not top.folders:
        return Listing(top.images, None, _skip_notes(top.others, top.hidden))
    inside = [_entries(root, root / folder) for folder in top.folders]
    _refuse_bad_classes(root, top.folders, inside)
    everything = [top, *inside]
    return Listing(
        names=[name for entries in inside for name in entries.images],
        classes=tuple(top.folders),
        notes=_skip_notes(
            [name for entries in everything for name in entries.others],
            [name for entries in everything for name in entries.hidden],
        ),
    )


def labels_of(names: Sequence[str], classes: Sequence[str] | None) -> Tensor | None:
    """The class number of each image by its folder, (n,) int64; None if there are no classes.

    Args:
        names: Of the image files, as in a `Listing`.
        classes: Names of the folders; the label of an image is the place of its folder among them.
    """
    if classes is None:
        return None
    number = {name: row for row, name in enumerate(classes)}
    return torch.tensor([number[name.partition("/")[0]] for name in names], dtype=torch.int64)


def _entries(root: Path, folder: Path) -> _Entries:
    result = _Entries([], [], [], [])
    before = "" if folder == root else f"{folder.relative_to(root).as_posix()}/"
    with os.scandir(folder) as entries:  # a Path for each of a million files would fill the memory
        for entry in entries:
            name = f"{before}{entry.name}"
            if entry.name.startswith("."):
                result.hidden.append(name)
            elif entry.is_dir():
                result.folders.append(name)
            elif os.path.splitext(entry.name)[1].lower() in SUFFIXES:
                result.images.append(name)
            else:
                result.others.append(name)
    for names in result:
        names.sort()
    return result


def _refuse_bad_classes(root: Path, folders: Sequence[str], inside: Sequence[_Entries]) -> None:
    nested = [name for entries in inside for name in entries.folders]
    if nested:
        raise ValueError(
            f"{root} has folders within class folders ({listed(nested)}); put all images of a "
            "class directly into its folder, or name the folder that holds the class folders"
        )
    empty = [name for name, entries in zip(folders, inside, strict=True) if not entries.images]
    if empty:
        raise ValueError(
            f"{root}: no image in the class {'folder' if len(empty) == 1 else 'folders'} "
            f"{listed(empty)}; fill or remove (images end in {', '.join(SUFFIXES)})"
        )


def _skip_notes(others: Sequence[str], hidden: Sequence[str]) -> list[str]:
    kinds = ((others, "without an image's suffix"), (hidden, "with a hidden name"))
    return [
        f"{len(names):,} {'file' if len(names) == 1 else 'files'} {what} skipped ({listed(names)})"
        for names, what in kinds
        if names
    ]
