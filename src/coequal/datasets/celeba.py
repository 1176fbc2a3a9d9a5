"""CelebA: 202,599 aligned photographs of faces, cropped and brought to 64x64; no labels.

Source: Liu et al. 2015, arXiv:1411.7766. Crop and size as in Lucic et al. 2018, arXiv:1711.10337.
"""

import hashlib
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from coequal.contract import Dataset, ImageShape, Log
from coequal.datasets._decoded import Decoded
from coequal.datasets._form import ImageForm
from coequal.datasets._published import silent
from coequal.datasets._resize import check_size, square
from coequal.pace import Pace

PART = "load_celeba"
ARGUMENT = None

FOLDER = "celeba"  # in the data folder, as torchvision has it
ARCHIVE = "img_align_celeba.zip"
PICTURES = "img_align_celeba"
PARTITION = "list_eval_partition.txt"
SIZE = 64
IMAGES = ImageForm(ImageShape(3, SIZE, SIZE))
_ALIGNED = (178, 218)  # width and height of every picture
_CROP = (9, 29, 169, 189)  # the centre 160x160 of that: left, top, right, bottom
_SPLITS = 3


@dataclass(frozen=True)
class Release:
    """The published files, by their SHA-256."""

    archive: str
    partition: str


RELEASE = Release(
    archive="46fb89443c578308acf364d7d379fe1b9efb793042c0af734b6112e4fd3a8c74",
    partition="fc955bcb3ef8fbdf7d5640d9a8693a8431b5f2ee291a5c1449a1549e7e073fe7",
)


def load_celeba(
    argument: str, data_dir: Path, image_size: int | None = None, log: Log | None = None
) -> Dataset:
    """CelebA with its own three splits: 162,770, 19,867 and 19,962 pictures.

    Reads `data_dir/celeba`: the partition, and the pictures, zipped or unpacked. They are decoded
    once, into a file beside them (2.5 GB at 64x64) of which only what is needed is read.

    Args:
        argument: Not used.
        data_dir: See `coequal.datasets._loading.data_folder`.
        image_size: What the centre 160x160 is resized to; 64 if None.
        log: Is told how far decoding is.

    Raises:
        FileNotFoundError: The files are not there; the message names which to put where.
        ValueError: They are not as published, or the file of decoded pictures is damaged.
    """
    check_size(image_size)
    folder = data_dir.expanduser().absolute() / FOLDER
    return _load(folder, image_size or SIZE, RELEASE, log or silent)


def _load(folder: Path, size: int, release: Release, log: Log) -> Dataset:
    decoded = Decoded(folder, f"aligned_{size}x{size}")
    if not decoded.complete(log):
        _decode_all(folder, _partition(folder, release), decoded, size, release, log)
    facts = decoded.facts()
    train, validation, test = decoded.splits(facts["counts"], (3, size, size))
    return Dataset("celeba", train, validation, test, notes=tuple(facts["notes"]))


# ----------------------------------------------------------------------------- the published files


def _partition(folder: Path, release: Release) -> list[list[str]]:
    """The pictures of each split, in the order of the published list.

    Raises:
        FileNotFoundError: pictures or partition are not there.
        ValueError: the partition is not the published one.
    """
    path, pictures = folder / PARTITION, (folder / ARCHIVE, folder / PICTURES)
    missing = [] if any(place.exists() for place in pictures) else [f"{ARCHIVE} or {PICTURES}/"]
    missing += [] if path.is_file() else [PARTITION]
    if missing:
        raise FileNotFoundError(
            f"CelebA was not found: {folder} has no {' and no '.join(missing)}. It is not "
            "downloaded, because Google Drive mostly refuses programs. Put "
            f"Img/{ARCHIVE} (1.4 GB; it may be unpacked to {PICTURES}/) "
            f"and Eval/{PARTITION} into {folder} by hand; they are in 'Align&Cropped Images' at "
            "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
        )
    raw = path.read_bytes()
    _refuse_other(path, hashlib.sha256(raw).hexdigest(), release.partition)
    names: list[list[str]] = [[] for _ in range(_SPLITS)]
    for line in raw.decode("ascii").splitlines():
        name, split = line.split()
        names[int(split)].append(name)
    return names


def _refuse_other(path: Path, digest: str, expected: str) -> None:
    if digest != expected:
        raise ValueError(f"{path} has SHA-256 {digest}, not {expected}: download it again")


def _pictures(folder: Path, names: Sequence[str], release: Release, log: Log) -> Iterator[bytes]:
    """The contents of the picture files, from the archive if it is there."""
    archive = folder / ARCHIVE
    if not archive.is_file():
        for path in (folder / PICTURES / name for name in names):
            if not path.is_file():
                raise FileNotFoundError(
                    f"CelebA is not complete: {path} is missing; unpack the archive again"
                )
            yield path.read_bytes()
        return
    log(f"checking {archive}")
    with archive.open("rb") as file:
        _refuse_other(archive, hashlib.file_digest(file, "sha256").hexdigest(), release.archive)
    with zipfile.ZipFile(archive) as packed:
        for name in names:
            yield packed.read(f"{PICTURES}/{name}")


# ------------------------------------------------------------------------------------ decoding once


def _decode_all(
    folder: Path,
    names: Sequence[Sequence[str]],
    decoded: Decoded,
    size: int,
    release: Release,
    log: Log,
) -> None:
    """Decode the pictures of all splits, and note what was done."""
    order = [name for part in names for name in part]
    pace = Pace("decoding CelebA", len(order), log, announced=False)

    def pictures() -> Iterator[NDArray[np.uint8]]:
        for row, raw in enumerate(_pictures(folder, order, release, log)):
            yield _decode(raw, order[row], size)
            pace.add(1)

    decoded.write((len(order), 3, size, size), pictures())
    done = (
        "178x218 pictures were cropped to their centre 160x160, as in Lucic et al. 2018, and "
        f"resized to {size}x{size} (Pillow, antialiased bilinear; that study's filter was not "
        "antialiased)"
    )
    source = f"the pictures came from an unpacked {PICTURES}/, for which no checksums are published"
    if (folder / ARCHIVE).is_file():
        source = f"the pictures are those of the published {ARCHIVE} (SHA-256)"
    notes = ["the splits are the official ones", done, source]
    decoded.describe(counts=[len(part) for part in names], notes=notes)


def _decode(raw: bytes, name: str, size: int) -> NDArray[np.uint8]:
    """One picture, (3, size, size).

    Raises:
        ValueError: not a JPEG of 178x218; the message names it.
    """
    try:
        with Image.open(io.BytesIO(raw), formats=("JPEG",)) as image:
            if image.size != _ALIGNED:
                raise ValueError(f"{image.size[0]}x{image.size[1]}, not 178x218")
            small = square(image.convert("RGB").crop(_CROP), size)
    except (OSError, ValueError) as error:  # Pillow's complaints of a broken file are OSErrors
        raise ValueError(f"the picture {name} of CelebA can't be used: {error}") from error
    return np.asarray(small).transpose(2, 0, 1)
