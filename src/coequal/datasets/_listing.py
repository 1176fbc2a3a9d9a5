"""Which files of a folder are its images, and which classes they are of."""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from coequal.datasets._decoding import listed
from coequal.datasets._picture import OTHER_PICTURES, SUFFIXES

DESCRIPTION = "dataset.json"
"""Where the datasets of StyleGAN and EDM keep labels. Their folders only hold some files each."""

# Made by macOS, Synology, ext4 and Windows beside whatever the user keeps there.
_SYSTEM_FOLDERS = (
    *("__MACOSX", "@eaDir", "lost+found", "$RECYCLE.BIN", "System Volume Information"),
)
_SHARD_DIGITS = 3  # "000", "001", ...: no class is called so, but for want of a name


class Listing(NamedTuple):
    """The images of a folder, and what there is besides.

    Attributes:
        names: Of the image files, relative to the folder: folder after folder, each sorted.
        labels: (n,) int64; None where the images have no classes.
        classes: Names of the labels 0, 1, ...; None where the images have no classes.
        notes: What was skipped.
        warnings: What may have been meant otherwise.
    """

    names: list[str]
    labels: Tensor | None
    classes: tuple[str, ...] | None
    notes: list[str]
    warnings: list[str]


class _Entries(NamedTuple):
    """What lies in one folder, each sorted by name."""

    images: list[str]
    folders: list[str]
    others: list[str]
    hidden: list[str]


def list_images(root: Path) -> Listing:
    """What a folder of images holds: images, or a sub-folder of images for each class.

    Folders whose names are all numbers are classes in the order of these numbers. If there is a
    `dataset.json` with `labels`, as in datasets of StyleGAN, the classes are those in it, and the
    sub-folders are none.

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
    inside = {folder: _entries(root, root / folder) for folder in top.folders}
    described = _description(root) if DESCRIPTION in top.others else None
    if described is not None:
        top.others.remove(DESCRIPTION)
        return _as_described(root, top, inside, described["labels"])
    skipped: list[str] = []
    if top.images and top.folders:
        skipped = [name for name, one in inside.items() if not one.images and not one.folders]
        inside = {name: one for name, one in inside.items() if name not in skipped}
        if inside:
            raise ValueError(
                f"{root} holds images ({listed(top.images)}) beside folders "
                f"({listed(list(inside))}); put every image into a class folder, or none"
            )
    notes, warnings = _skipped([top, *inside.values()], skipped)
    if not inside:
        return Listing(top.images, None, None, notes, warnings)
    _refuse_nested(root, inside.values())
    _refuse_empty(root, inside)
    classes = sorted_classes(inside)
    sizes = torch.tensor([len(inside[name].images) for name in classes])
    return Listing(
        [image for name in classes for image in inside[name].images],
        torch.arange(len(classes)).repeat_interleave(sizes),
        classes,
        notes,
        [*warnings, *_about_shards(classes)],
    )


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is none that the user put there.

    Args:
        name: Without the folders above it.
    """
    return name.startswith(".") or name in _SYSTEM_FOLDERS


def numbers_of(classes: Sequence[str]) -> list[int] | None:
    """The numbers that classes are named by, in their order; None if any has a name that is none,
    or two have the same.

    Args:
        classes: Names of classes.
    """
    if not all(name.isascii() and name.isdecimal() for name in classes):
        return None
    numbers = [int(name) for name in classes]
    return numbers if len(set(numbers)) == len(numbers) else None


def sorted_classes(names: Iterable[str]) -> tuple[str, ...]:
    """Names of classes in the order in which they are numbered: as numbers if all are, else as
    text.

    Args:
        names: In any order, none twice.
    """
    plain = sorted(names)
    return tuple(plain if numbers_of(plain) is None else sorted(plain, key=int))


def _entries(root: Path, folder: Path) -> _Entries:
    result = _Entries([], [], [], [])
    before = "" if folder == root else f"{folder.relative_to(root).as_posix()}/"
    with os.scandir(folder) as entries:  # a Path for each of a million files would fill the memory
        for entry in entries:
            name = f"{before}{entry.name}"
            if is_hidden(entry.name):
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


def _refuse_nested(root: Path, inside: Iterable[_Entries]) -> None:
    nested = [name for entries in inside for name in entries.folders]
    if nested:
        raise ValueError(
            f"{root} has folders within class folders ({listed(nested)}); put all images of a "
            "class directly into its folder, or name the folder that holds the class folders"
        )


def _refuse_empty(root: Path, inside: dict[str, _Entries]) -> None:
    empty = [name for name, entries in inside.items() if not entries.images]
    if empty:
        raise ValueError(
            f"{root}: no image in the class {'folder' if len(empty) == 1 else 'folders'} "
            f"{listed(empty)}; fill or remove (images end in {', '.join(SUFFIXES)})"
        )


def _skipped(
    entries: Sequence[_Entries], folders: Sequence[str] = ()
) -> tuple[list[str], list[str]]:
    """Notes of what was skipped, and warnings of pictures among it."""
    others = [name for one in entries for name in one.others]
    hidden = [name for one in entries for name in one.hidden]
    pictures = [name for name in others if name.lower().endswith(OTHER_PICTURES)]
    kinds = (
        ([name for name in others if name not in set(pictures)], "without an image's suffix"),
        (hidden, "with a hidden name"),
    )
    notes = [
        f"{len(names):,} {'file' if len(names) == 1 else 'files'} {what} skipped ({listed(names)})"
        for names, what in kinds
        if names
    ]
    if folders:
        what = "folder" if len(folders) == 1 else "folders"
        notes.append(f"{len(folders):,} {what} without images skipped ({listed(folders)})")
    if not pictures:
        return notes, []
    what = "picture was" if len(pictures) == 1 else "pictures were"
    return notes, [
        f"{len(pictures):,} {what} left out, as such files are not read ({listed(pictures)}); "
        "convert them to PNG"
    ]


def _about_shards(classes: Sequence[str]) -> list[str]:
    """A warning if the sub-folders look like parts of one set of files, not like classes."""
    width = len(classes[0])
    if width < _SHARD_DIGITS or list(classes) != [f"{k:0{width}}" for k in range(len(classes))]:
        return []
    return [
        f"the sub-folders {listed(classes)} were taken for classes; if they only hold some of the "
        f"files each, put all images into one folder, or a {DESCRIPTION} beside them: "
        '{"labels": null}'
    ]


# -------------------------------------------------------------------------- StyleGAN's dataset.json


def _description(root: Path) -> dict[str, Any] | None:
    """What `dataset.json` holds; None if it is of another kind.

    Raises:
        ValueError: it can't be read.
    """
    path = root / DESCRIPTION
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not valid JSON ({error}); fix or remove it") from error
    return content if isinstance(content, dict) and "labels" in content else None


def _as_described(root: Path, top: _Entries, inside: dict[str, _Entries], given: Any) -> Listing:
    """The images in the folder and its sub-folders, with the labels of `dataset.json`."""
    _refuse_nested(root, inside.values())
    everything = [top, *inside.values()]
    names = sorted(name for one in everything for name in one.images)
    notes, warnings = _skipped(everything)
    if not given:
        if inside:
            notes.append(f"{DESCRIPTION} has no labels, so the sub-folders are not classes")
        return Listing(names, None, None, notes, warnings)
    try:
        label_of = {str(name): label for name, label in given}
    except (TypeError, ValueError) as error:
        raise ValueError(f"{root / DESCRIPTION}: labels must be [file, number] pairs") from error
    if absent := [name for name in names if name not in label_of]:
        raise ValueError(f"{root / DESCRIPTION} has no label of {len(absent):,} ({listed(absent)})")
    values = [label_of[name] for name in names]
    if any(type(value) is not int or value < 0 for value in values):
        warnings.append(f"the labels in {DESCRIPTION} are not class numbers, and were not used")
        return Listing(names, None, None, notes, warnings)
    notes.append(f"the classes are the labels in {DESCRIPTION}")
    labels = torch.tensor(values, dtype=torch.int64)
    classes = tuple(str(number) for number in range(int(labels.max()) + 1)) if values else None
    return Listing(names, labels, classes, notes, warnings)
