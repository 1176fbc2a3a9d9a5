"""ImageNet as it is usually laid out: `imagenet:PATH`, with train/ and val/ of class folders.

Layout: PATH/train/n01440764/*.JPEG and PATH/val/n01440764/*.JPEG, the same classes in both; so
torchvision's ImageNet arranges it. Subsets with fewer classes are read as well.
Source: Russakovsky et al. 2015, arXiv:1409.0575.
"""

import hashlib
import os
from collections.abc import Iterable
from math import prod
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from coequal.contract import Dataset, ImageShape, Log
from coequal.datasets._decoded import Decoded
from coequal.datasets._decoding import listed
from coequal.datasets._form import ImageForm
from coequal.datasets._listing import list_images
from coequal.datasets._pictures import decoded_in_colour, pictures_in
from coequal.datasets._published import silent
from coequal.datasets._resize import check_size
from coequal.datasets._splits import fair_order
from coequal.rng import Rng
from coequal.seeds import seed_for

PART = "load_imagenet"
ARGUMENT = "the path of the folder that holds train/ and val/"

SIZE = 64
IMAGES = ImageForm(ImageShape(3, SIZE, SIZE), classes=10)  # or as many as there are folders
_FOLDER = "imagenet"  # in the data folder
_PARTS = ("train", "val")
_SORTED = (
    "torchvision.datasets.ImageNet(PATH, split='val') sorts them, out of ILSVRC2012_img_val.tar "
    "and ILSVRC2012_devkit_t12.tar.gz"
)


def load_imagenet(
    argument: str, data_dir: Path, image_size: int | None = None, log: Log | None = None
) -> Dataset:
    """ImageNet with its official validation images to test, and others held out to validate.

    Of the training images as many as there are to test are held out, but no more than a fifth, the
    same fraction of every class. All are decoded once, into a file in `data_dir/imagenet` (16.4 GB
    at 64x64 for all of ImageNet) of which only what is needed is read. The draw depends on the
    paths within the folder, not on where the folder lies.

    Args:
        argument: The folder; `~` is the home folder, a relative path starts at the current one.
        data_dir: See `coequal.datasets._loading.data_folder`.
        image_size: What the centre square of each picture is resized to; 64 if None.
        log: Is told how large the file is and how far decoding is.

    Raises:
        FileNotFoundError: The folder, or train or val in it, is not there.
        ValueError: val has no class folders, classes differ, or pictures can't be read.
        OSError: The disk has too little space.
    """
    check_size(image_size)
    root = Path(argument).expanduser().absolute()
    pictures = _list(root)
    rows = _rows(root, pictures)
    order, counts = torch.cat(rows), [len(part) for part in rows]
    names = [pictures.names[row] for row in order.tolist()]
    size = image_size or SIZE
    folder = data_dir.expanduser().absolute() / _FOLDER
    decoded = Decoded(folder, f"{_digest(root, pictures.names)}_{size}x{size}")
    if not decoded.complete(log or silent):
        _decode_all(root, names, counts, size, decoded, log or silent)
    notes = decoded.facts()["notes"]
    train, validation, test = decoded.splits(counts, (3, size, size), pictures.labels[order])
    return Dataset(
        name=f"imagenet:{argument}",
        train=train,
        validation=validation,
        test=test,
        classes=pictures.classes,
        notes=(*pictures.notes, *notes),
    )


# ------------------------------------------------------------------------------------ what is there


class _Pictures(NamedTuple):
    """The picture files of both folders.

    Attributes:
        names: Relative to the root, those of train first.
        official: How many are of train.
        labels: (n,) int64.
        classes: Names of the labels.
        notes: What was skipped.
    """

    names: list[str]
    official: int
    labels: Tensor
    classes: tuple[str, ...]
    notes: list[str]


def _list(root: Path) -> _Pictures:
    """The picture files of both folders.

    Raises:
        FileNotFoundError, ValueError: as `load_imagenet`.
    """
    missing = [part for part in _PARTS if not (root / part).is_dir()]
    if missing:
        raise FileNotFoundError(
            f"{root} has no folder {' and no folder '.join(missing)}; imagenet:PATH needs "
            "PATH/train/<synset>/*.JPEG and PATH/val/<synset>/*.JPEG, as "
            "torchvision.datasets.ImageNet arranges the archives of "
            "https://image-net.org/download.php; for other layouts there is folder:PATH"
        )
    names: list[str] = []
    labels: list[Tensor] = []
    notes: list[str] = []
    classes: list[tuple[str, ...]] = []
    for part in _PARTS:
        listing = list_images(root / part)
        if listing.classes is None or listing.labels is None:
            raise ValueError(_flat(root / part, len(listing.names)))
        names += [f"{part}/{name}" for name in listing.names]
        labels.append(listing.labels)
        classes.append(listing.classes)
        notes += [f"{part}: {note}" for note in (*listing.notes, *listing.warnings)]
    _refuse_other_classes(root, *classes)
    return _Pictures(names, len(labels[0]), torch.cat(labels), classes[0], notes)


def _flat(folder: Path, count: int) -> str:
    """What to do about a folder without class folders."""
    if not count:
        return f"{folder} is empty; it must hold a folder for each class"
    text = f"{folder} holds {count:,} images in no class folders; sort them into {folder}/<synset>/"
    return f"{text}, as in train: {_SORTED}" if folder.name == "val" else text


def _refuse_other_classes(root: Path, train: Iterable[str], val: Iterable[str]) -> None:
    for part, unmet in (("val", set(train) - set(val)), ("train", set(val) - set(train))):
        other = "train" if part == "val" else "val"
        if unmet:
            one = len(unmet) == 1
            raise ValueError(
                f"{root / part} lacks {len(unmet):,} {'class' if one else 'classes'} that {other} "
                f"has ({listed(sorted(unmet))}); add {'it' if one else 'them'} to {part}, or "
                f"remove {'it' if one else 'them'} from {other}"
            )


def _rows(root: Path, pictures: _Pictures) -> tuple[Tensor, Tensor, Tensor]:
    """The rows of each split, in random order, so that the first of each have every class.

    Raises:
        ValueError: a class has a single image to train.
    """
    official, tested = pictures.labels[: pictures.official], pictures.labels[pictures.official :]
    members = official.bincount().tolist()
    single = [name for name, count in zip(pictures.classes, members, strict=True) if count < 2]
    if single:
        raise ValueError(
            f"{root / 'train'} has one image only of {listed(single)}; each class needs two, one "
            "of them to validate"
        )
    order = fair_order(len(official), Rng(seed_for("split", "imagenet")), official)
    count = max(len(pictures.classes), min(len(tested), len(official) // 5))
    test = fair_order(len(tested), Rng(seed_for("split", "imagenet", "test")), tested)
    return order[count:], order[:count], test + pictures.official


def _digest(root: Path, names: list[str]) -> str:
    """What the files are called and how large they are, in 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for name in names:
        try:
            size = os.stat(root / name).st_size
        except OSError:
            size = -1  # a broken link; the decoder tells which ones are
        digest.update(os.fsencode(name) + f" {size}\n".encode())
    return digest.hexdigest()[:16]


# ------------------------------------------------------------------------------------ decoding once


def _decode_all(
    root: Path, names: list[str], counts: list[int], size: int, to: Decoded, log: Log
) -> None:
    """Decode the pictures of all splits, and note what was done."""
    shape = (len(names), 3, size, size)
    log(
        f"decoding {len(names):,} pictures of {root}, once, into {to.array} "
        f"({prod(shape) / 1e9:.1f} GB, on disk and read as needed)"
    )
    done: list[str] = []
    to.write(shape, decoded_in_colour(pictures_in(root, names), size, log, done))
    train, validation, _ = counts
    note = (
        f"the {train + validation:,} images in train/ were split into {train:,} to train and "
        f"{validation:,} to validate, class by class; the test images are those in val/; no "
        "checksums of the pictures are published"
    )
    to.describe(counts=counts, notes=[note, *done])
