"""A folder of pictures: `folder:PATH`, with one sub-folder per class or with none at all.

Layout: PATH/cat/1.png, PATH/dog/1.png (labels), or PATH/1.png (no labels); both at once are
refused, and so are folders in class folders. With StyleGAN's `dataset.json` the labels are those in
it. Hidden files, files of other kinds and folders without images are skipped and counted.
"""

import hashlib
import json
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import PIL
import PIL.Image
import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from coequal.contract import Dataset, ImageRows, ImageShape, Log
from coequal.contract.data import Index
from coequal.datasets._decoded import Decoded
from coequal.datasets._decoding import listed
from coequal.datasets._form import ImageForm
from coequal.datasets._listing import Listing, list_images
from coequal.datasets._picture import SUFFIXES
from coequal.datasets._pictures import (
    Survey,
    pictures_in,
    some_pictures,
    survey_pictures,
)
from coequal.datasets._published import silent
from coequal.datasets._resize import check_size
from coequal.datasets._splits import small_classes, split_rows
from coequal.files import atomic_write, from_cache

PART = "load_folder"
ARGUMENT = "the path of a folder of images"

MIN_IMAGES = 10
_FOLDER = "folders"  # in the data folder
_RULES = 2  # version of how pictures are decoded and chosen; files of another are not read


def load_folder(
    argument: str,
    data_dir: Path,
    image_size: int | None = None,
    log: Log | None = None,
) -> Dataset:
    """The pictures of a folder, split 60/20/20 within every class.

    The split depends on the paths within the folder, not on where the folder lies. Of pictures with
    equal pixels only the first by path is kept, so that no image is in two splits. All are decoded
    once, into a file in `data_dir/folders` of which only what is needed is read; whenever a picture
    is added, removed or written anew, they are decoded anew.

    Args:
        argument: The folder; `~` is the home folder, a relative path starts at the current one.
        data_dir: See `coequal.datasets._loading.data_folder`.
        image_size: Needed if the sizes differ; then every picture's centre square is resized to it.
        log: Is told how many pictures are decoded.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: It is not a folder, pictures can't be read, sizes differ, the layout can't be
            understood, or there are too few pictures.
        OSError: The disk has too little space.
    """
    check_size(image_size)
    root = Path(argument).expanduser().absolute()
    listing = list_images(root)
    _refuse_few(root, len(listing.names), "")
    key = _key(root, listing, image_size)
    decoded = Decoded(data_dir.expanduser().absolute() / _FOLDER, key)
    if not decoded.complete(log or silent):
        _decode_all(root, image_size, decoded, log or silent)
    facts = decoded.facts()
    for warning in (*listing.warnings, *facts["warnings"]):
        (log or silent)(f"warning: {root}: {warning}")
    order = _order(root, listing, facts["repeats"])
    labels = None if listing.labels is None else listing.labels[torch.cat(order)]
    counts = [len(part) for part in order]
    train, validation, test = decoded.splits(counts, facts["shape"], labels)
    return Dataset(
        name=f"folder:{argument}",
        train=train,
        validation=validation,
        test=test,
        classes=listing.classes,
        notes=(
            *listing.notes,
            *listing.warnings,
            *facts["notes"],
            *facts["warnings"],
            *_split_notes(labels, listing.classes),
        ),
    )


def form_of(argument: str) -> ImageForm:
    """How the pictures of a folder look, as its first one does.

    Raises:
        FileNotFoundError, ValueError: There is no such folder, or no picture in it; see
            `load_folder`.
    """
    root = Path(argument).expanduser().absolute()
    listing = list_images(root)
    _refuse_few(root, len(listing.names), "")
    with PIL.Image.open(root / listing.names[0]) as picture:
        channels = 1 if picture.mode in ("1", "L", "I", "I;16", "F") else 3
        width, height = picture.size
    return ImageForm(ImageShape(channels, height, width), len(listing.classes or ()))


def _key(root: Path, listing: Listing, image_size: int | None) -> str:
    """16 hexadecimal digits that are others as soon as any picture is another, or in another split:
    of the folder, the size asked for, the labels, and every file's name, length and time of its
    last change."""
    digest = hashlib.sha256(f"{_RULES} {image_size} ".encode() + os.fsencode(root))
    if listing.labels is not None:
        digest.update(listing.labels.numpy().data)
    for name in listing.names:
        try:
            status = os.stat(root / name)
            state = f" {status.st_size} {status.st_ctime_ns}\n"
        except OSError:
            state = " broken link\n"  # the decoder tells which ones are
        digest.update(os.fsencode(name) + state.encode())
    return digest.hexdigest()[:16]


def _order(root: Path, listing: Listing, repeats: Collection[int]) -> list[Tensor]:
    """The rows of the listing that go into each split, in the order of the split.

    Raises:
        ValueError: No class has images enough to validate and test.
    """
    gone = set(repeats)
    kept = torch.tensor([row for row in range(len(listing.names)) if row not in gone])
    labels = None if listing.labels is None else listing.labels[kept]
    rows = split_rows(len(kept), "folder", labels)
    if not len(rows.test):
        raise ValueError(f"{root}: no class has 3 images; there would be none to validate and test")
    return [kept[part] for part in rows]


def _decode_all(root: Path, image_size: int | None, to: Decoded, log: Log) -> None:
    """Decode the pictures of all splits, and note what was done.

    Each is decoded twice: for its digest and all that has to be known of the folder before any is
    used, and again into the file. No more than a few megabytes of pictures are in memory.
    """
    folder = read_folder(root, image_size, log=log)
    listing, names = folder.listing, folder.listing.names
    digests = folder.survey.digests
    first: dict[bytes, int] = {}
    # Pixels, not files: one image saved twice, or in two formats, is one image all the same.
    earlier = [first.setdefault(digest.tobytes(), row) for row, digest in enumerate(digests)]
    repeats = [row for row, before in enumerate(earlier) if before != row]
    _refuse_few(root, len(first), " that differ")
    chosen = folder.images.select(torch.cat(_order(root, listing, repeats)))
    log(f"writing {len(chosen):,} images of {root} into {to.array}")

    count, channels, height, width = chosen.shape
    to.write((count, channels, height, width), (part.numpy() for part in chosen.parts()))
    notes = folder.survey.notes
    if repeats:
        what = "image repeats" if len(repeats) == 1 else "images repeat"
        pairs = listed([f"{names[row]} = {names[earlier[row]]}" for row in repeats])
        notes = [*notes, f"{len(repeats):,} {what} the pixels of another; left out ({pairs})"]
    to.describe(
        shape=[channels, height, width],
        repeats=repeats,
        notes=notes,
        warnings=folder.survey.warnings,
    )


def _refuse_few(root: Path, count: int, which: str) -> None:
    if count < MIN_IMAGES:
        raise ValueError(
            f"{root} has {count} images{which}; {MIN_IMAGES} are the fewest that can be split "
            f"(images end in {', '.join(SUFFIXES)})"
        )


def _split_notes(labels: Tensor | None, classes: Sequence[str] | None) -> list[str]:
    if labels is None or classes is None:
        return ["split 60/20/20"]
    small = small_classes(labels, classes)
    note = f"classes with fewer than 3 images are in train only ({listed(small)})"
    return ["split 60/20/20 within every class", *([note] if small else [])]


# ------------------------------------------------------------------------------------ what is there


class Folder(NamedTuple):
    """All pictures of a folder, repeats included, by path.

    Attributes:
        images: (n, c, h, w) uint8, decoded when they are read. Reading raises ValueError if a file
            is no longer what it was.
        listing: Their names, their classes, and what else lies in the folder.
        survey: Their digests, and what was done to them.
    """

    images: ImageRows
    listing: Listing
    survey: Survey

    @property
    def notes(self) -> tuple[str, ...]:
        """What was skipped, and what was done to the pictures."""
        return (*self.listing.notes, *self.survey.notes)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What may have been meant otherwise."""
        return (*self.listing.warnings, *self.survey.warnings)


def read_folder(
    root: Path, image_size: int | None = None, cache: Path | None = None, log: Log = silent
) -> Folder:
    """The pictures of a folder as they are, without splits, repeats included.

    Each is decoded once here, for its digest, and again whenever it is read; none is kept.

    Args:
        root: The folder.
        image_size: If given, every picture's centre square is resized to it.
        cache: Where digests are kept by what the files hold: they need not be decoded here then.
        log: Is told how far decoding is.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: As `load_folder`, but for too few pictures only if there are none.
    """
    listing = list_images(root)
    names = listing.names
    if not names:
        others = "".join(f"; {text}" for text in (*listing.warnings, *listing.notes))
        raise ValueError(f"{root} has no images (they end in {', '.join(SUFFIXES)}){others}")
    survey = _surveyed(root, names, image_size, cache, log)

    def read(index: Index) -> Tensor:
        rows = np.arange(len(names))[index if isinstance(index, slice) else index.numpy()]
        some = pictures_in(root, [names[row] for row in rows])
        pixels = some_pictures(some, image_size, survey.shape[0])
        for name, image, digest in zip(some.names, pixels, survey.digests[rows], strict=True):
            if hashlib.sha256(image).digest() != digest.tobytes():
                raise ValueError(f"{root / name} was changed while it was being read")
        return torch.from_numpy(pixels)

    images = ImageRows((len(names), *survey.shape), torch.uint8, read)
    return Folder(images, listing, survey)


def _surveyed(
    root: Path, names: Sequence[str], image_size: int | None, cache: Path | None, log: Log
) -> Survey:
    """The survey of the pictures, from the cache if the same files have been surveyed before."""
    pictures = pictures_in(root, names)
    key = None if cache is None else _files_digest(root, names, image_size)
    if cache is None or key is None:
        return survey_pictures(pictures, image_size, log)
    path = cache / "pictures" / f"{key}.safetensors"
    return from_cache(
        path, _stored, lambda: _store(path, survey_pictures(pictures, image_size, log)), log
    )


def _store(path: Path, survey: Survey) -> None:
    tensors = {"digests": torch.from_numpy(survey.digests)}
    facts = {name: value for name, value in survey._asdict().items() if name != "digests"}
    atomic_write(path, save(tensors, {"facts": json.dumps(facts)}))


def _stored(path: Path) -> Survey:
    with safe_open(path, "np") as file:
        facts = json.loads(file.metadata()["facts"])
        digests = file.get_tensor("digests")
    return Survey(digests=digests, **{**facts, "shape": tuple(facts["shape"])})


def _files_digest(root: Path, names: Sequence[str], image_size: int | None) -> str | None:
    """SHA-256 of the files' names and bytes, and of all else that their pixels depend on; None if a
    file can't be read."""
    digest = hashlib.sha256(f"{_RULES} {PIL.__version__} {image_size}".encode())
    for name in names:
        try:
            if not (root / name).is_file():
                return None
            with (root / name).open("rb") as file:
                content = hashlib.file_digest(file, "sha256").digest()
        except OSError:
            return None  # the survey tells which, among all others
        digest.update(os.fsencode(name) + b"\0" + content)
    return digest.hexdigest()
