"""What may be scored: folders, zips, arrays, data sets, trained generators, and what Python has."""

import hashlib
import shutil
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from coequal import lookup
from coequal.contract import Dataset, Generator, ImageRows, ImageShape
from coequal.contract.data import in_memory
from coequal.datasets._listing import labels_of
from coequal.datasets._loading import load_dataset
from coequal.datasets.folder import read_folder
from coequal.inputs.arrays import Read, read_array, remove_with, temporary_folder
from coequal.inputs.rows import Digests, digests_of

ARRAYS = (".npy", ".npz")
LOSSY = (".jpg", ".jpeg", ".webp")
SPLITS = ("train", "validation", "test")
Scorable = str | Path | Tensor | np.ndarray | Any


@dataclass(frozen=True, eq=False)
class Input:
    """Images, or features of images, and where they come from.

    Those of a folder, a zip or a file are read when they are needed, some at a time.

    Attributes:
        what: the name that the user gave them.
        kind: "folder", "zip", "images", "features", "data set" or "model".
        digests: of each image's pixels, or of its features.
        images: (n, c, h, w) uint8 or float32; None if only features were given.
        features: (n, d) float32; None if images were given.
        labels: (n,) int64.
        classes: their names.
        dataset: the data set whose split this is, if it is one.
        split: the name of that split.
        generator: what made the images.
        drawn: how it made them, as "key=value" pairs for a protocol.
        lossy: number of files in a lossy format.
        notes: what was done to the files.
    """

    what: str
    kind: str
    digests: Digests
    images: ImageRows | None = None
    features: ImageRows | None = None
    labels: Tensor | None = None
    classes: tuple[str, ...] | None = None
    dataset: Dataset | None = None
    split: str | None = None
    generator: Generator | None = None
    drawn: str = ""
    lossy: int = 0
    notes: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.digests)

    @property
    def shape(self) -> ImageShape | None:
        """Channels, height and width of the images; None for features."""
        return None if self.images is None else ImageShape(*self.images.shape[1:])

    def digest(self) -> str:
        """SHA-256 of the shape and of every image's SHA-256: what a cache may be keyed by."""
        rows = self.features if self.images is None else self.images
        assert rows is not None
        kind = "features" if self.images is None else "images"
        hashed = hashlib.sha256(f"{kind} {tuple(rows.shape)}".encode())
        hashed.update(self.digests.tobytes())
        return hashed.hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """For the record."""
        shape = {} if self.shape is None else {"shape": list(self.shape)}
        classes = {} if self.classes is None else {"classes": list(self.classes)}
        return {
            "source": self.what,
            "kind": self.kind,
            "count": len(self),
            **shape,
            **classes,
            "sha256": self.digest(),
            "notes": list(self.notes),
        }


def load_input(
    given: Scorable,
    *,
    role: str,
    data_dir: Path,
    image_size: int | None = None,
    cache: Path | None = None,
) -> Input:
    """Whatever a user may name, as images or features.

    A string is a folder, a `.zip`, a `.npy` or `.npz`, or a data set with a split
    (`fashion_mnist:test`). From Python also a uint8 or float tensor or array of images (n, c, h,
    w), a float matrix of features (n, d), or a Dataset of (image, label) pairs.

    Args:
        given: see above.
        role: "real", "fake" or "train", for messages.
        data_dir: where data sets lie.
        image_size: images of a folder are cropped and resized to it; default: as they are.
        cache: where digests of a folder's pictures are kept by what its files hold.

    Raises:
        FileNotFoundError, ValueError, LookupError: with one message that names the role.
    """
    try:
        loaded = _load(given, data_dir, image_size, cache)
    except (ValueError, LookupError, OSError) as error:
        raise type(error)(f"{role}: {error.args[-1] if error.args else error}") from error
    if len(loaded) < 2:
        raise ValueError(f"{role}: {loaded.what} has {len(loaded)} images; scores need at least 2")
    return loaded


def _load(given: Scorable, data_dir: Path, image_size: int | None, cache: Path | None) -> Input:
    if isinstance(given, Input):
        return given
    if isinstance(given, Tensor | np.ndarray):
        return from_array(given, "an array")
    if not isinstance(given, str | Path):
        return _from_dataset(given)
    path = Path(given).expanduser()
    if path.is_dir():
        return _from_folder(path, str(given), image_size, cache)
    if path.suffix.lower() in ARRAYS:
        return _from_read(read_array(path, str(given)), str(given))
    if path.suffix.lower() == ".zip":
        return _from_zip(path, str(given), image_size, cache)
    name, _, split = str(given).rpartition(":")
    if split in SPLITS:
        return _from_split(name, split, data_dir, image_size)
    if path.exists():
        raise ValueError(f"{path} is neither a folder nor a .zip, .npy or .npz")
    raise FileNotFoundError(
        f"'{given}' is no folder, .zip, .npy or .npz that exists, and no data set with its split; "
        f"what would do: PATH, or one of {', '.join(lookup.names('datasets'))} with a split, "
        "as in fashion_mnist:test"
    )


def from_array(given: Tensor | np.ndarray, what: str) -> Input:
    """Images or features in an array.

    Two axes and floats: features. Four axes: images, uint8 as they are, floats in [0, 1]. Channels
    are the axis of size 1 or 3 next to the front (n, c, h, w); if only the last one is, (n, h,
    w, c). Three axes: grey images (n, h, w). Floats of shape (n, 2, 1, 1) are points, kept as they
    are.

    Raises:
        ValueError: anything else; the message says what was given.
    """
    return _from_read(read_array(given, what), what)


def _from_read(read: Read, what: str) -> Input:
    kind = "features" if read.images is None else "images"
    return Input(what, kind, read.digests, read.images, read.features, notes=read.notes)


def _from_folder(path: Path, what: str, image_size: int | None, cache: Path | None) -> Input:
    folder = read_folder(path.absolute(), image_size, cache)
    names, classes = folder.listing.names, folder.listing.classes
    return Input(
        what,
        "folder",
        folder.digests,
        images=folder.images,
        labels=labels_of(names, classes),
        classes=classes,
        lossy=sum(name.lower().endswith(LOSSY) for name in names),
        notes=(*folder.listing.notes, *folder.notes),
    )


def _from_zip(path: Path, what: str, image_size: int | None, cache: Path | None) -> Input:
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    place = temporary_folder()
    try:
        try:
            with zipfile.ZipFile(path) as archive:
                archive.extractall(place)  # zipfile drops `..` and absolute paths
        except (zipfile.BadZipFile, zlib.error, RuntimeError) as error:
            raise ValueError(f"{path} can't be unpacked ({error})") from error
        entries = list(place.iterdir())
        # Perhaps a folder was packed, not its contents.
        inside = entries[0] if len(entries) == 1 and entries[0].is_dir() else place
        unpacked = replace(_from_folder(inside, what, image_size, cache), kind="zip")
    except BaseException:
        shutil.rmtree(place)
        raise
    assert unpacked.images is not None
    remove_with(unpacked.images, place)
    return unpacked


def _from_split(name: str, split: str, data_dir: Path, image_size: int | None) -> Input:
    dataset = load_dataset(name, data_dir, image_size)
    return replace(from_split(name, dataset, split), notes=dataset.notes)


def from_split(name: str, dataset: Dataset, split: str) -> Input:
    """A split of a data set.

    Args:
        name: of the data set, as the user wrote it.
        dataset: the data set.
        split: "train", "validation" or "test".
    """
    part = dataset.split(split)
    return Input(
        f"{name}:{split}",
        "data set",
        digests_of(part.images.parts()),
        images=part.images,
        labels=part.labels,
        classes=dataset.classes,
        dataset=dataset,
        split=split,
    )


def from_generator(
    images: Tensor,
    generator: Generator,
    what: str,
    labels: Tensor | None = None,
    classes: tuple[str, ...] | None = None,
    drawn: str = "",
) -> Input:
    """Generated images, with the generator that made them.

    Args:
        images: (n, c, h, w), uint8 or float32 in [0, 1].
        generator: what made them.
        what: the model, as the user named it.
        labels: (n,) the classes that it was asked for, if it was.
        classes: their names.
        drawn: how the images were drawn, as "key=value" pairs for a protocol.
    """
    rows = in_memory(images)
    return Input(
        what,
        "model",
        digests_of(rows.parts()),
        images=rows,
        labels=labels,
        classes=classes,
        generator=generator,
        drawn=drawn,
    )


def _from_dataset(given: Any) -> Input:
    """A torch or Hugging Face Dataset: items are images, (image, label) or {"image", "label"}."""
    try:
        items = [given[index] for index in range(len(given))]
    except (TypeError, KeyError) as error:
        kind = type(given).__name__
        raise ValueError(f"can't score a {kind}: it has no length or no items") from error
    if not items:
        raise ValueError("the data set is empty")
    pairs = [_pair(item) for item in items]
    images = torch.stack([torch.from_numpy(np.array(image)) for image, _ in pairs])
    source = from_array(images, type(given).__name__)
    labels = [label for _, label in pairs if label is not None]
    if len(labels) == len(pairs):
        source = replace(source, labels=torch.tensor([int(label) for label in labels]))
    return source


def _pair(item: Any) -> tuple[Any, Any]:
    """An image and its label, or None."""
    if isinstance(item, Mapping):
        images = [item[key] for key in ("image", "img", "images") if key in item]
        if not images:
            raise ValueError(f"items hold {', '.join(map(str, item))}; one must be `image`")
        return images[0], item.get("label")
    if isinstance(item, tuple | list):
        return item[0], item[1] if len(item) > 1 else None
    return item, None
