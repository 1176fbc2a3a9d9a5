"""What may be scored: folders, zips, arrays, datasets, trained generators, and what Python has."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from coequal import lookup
from coequal.contract import Dataset, Generator, Log
from coequal.contract.data import in_memory
from coequal.datasets._loading import load_dataset
from coequal.datasets._published import silent
from coequal.inputs.array_form import AS_THEY_ARE, Conversion
from coequal.inputs.arrays import Read, read_array, read_array_file
from coequal.inputs.folders import from_folder, from_zip
from coequal.inputs.input import Input, Scorable
from coequal.inputs.labels import Labels, read_labels
from coequal.inputs.lmdbs import is_lmdb, read_lmdb
from coequal.inputs.rows import digests_of
from coequal.inputs.statistics_arrays import with_count
from coequal.inputs.streams import read_stream, stream_of
from coequal.inputs.tars import SUFFIX as TAR
from coequal.inputs.tars import tar_stream
from coequal.value_range import UNIT, ValueRange

ARRAYS = (".npy", ".npz")
PICKLES = (".pkl", ".pickle")
MAX_IMAGE_SIZE = 4096
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Deferred:
    """Images that take long to make: they are made once the real ones have been read.

    Attributes:
        make: given uint8 or float32, the form of the real images (uint8 if there are none), returns
            the images as anything that may be scored.
        count: how many it must return.
    """

    make: Callable[[torch.dtype], Scorable]
    count: int

    def made(self, like: Input | None) -> Scorable:
        """The images, in the form of these real ones."""
        return self.make(torch.uint8 if like is None or like.images is None else like.images.dtype)


def load_input(
    given: Scorable,
    *,
    role: str,
    data_dir: Path,
    image_size: int | None = None,
    value_range: ValueRange = UNIT,
    count: int | None = None,
    max_images: int | None = None,
    cache: Path | None = None,
    log: Log = silent,
    like: Input | None = None,
) -> Input:
    """Whatever a user may name, as images or features, or as statistics of features.

    A string is a folder, a `.zip`, a `.npy` or `.npz` (also of `mu` and `sigma`, see
    `inputs.statistics_arrays`), or a dataset with a split (`fashion_mnist:test`). From Python also
    a uint8 or float tensor or array of images (n, c, h, w), a float matrix of features (n, d),
    either of them with labels as a pair, or a dataset, loader or generator whose items are images,
    batches of them, (image, label) or mappings with `image` and `label`. Tars are streams, too
    (`inputs.tars`), and a folder may be an LMDB (`inputs.lmdbs`).

    Args:
        given: see above.
        role: "real", "fake" or "train", for messages.
        data_dir: where datasets lie.
        image_size: images are cropped to their centre square and resized to it; default: as they
            are. A dataset by name comes in the sizes of studies only.
        value_range: black and white of images that are floats.
        count: of how many images statistics are, if they don't say it themselves.
        max_images: streams and LMDBs are read no further than the first so many.
        cache: where digests of a folder's pictures are kept by what its files hold.
        log: is told of damaged files in the cache.
        like: the real images, for those that are made in their form.

    Raises:
        FileNotFoundError, ValueError, LookupError, OSError: with one message that names the role.
    """
    if image_size is not None and not 1 <= image_size <= MAX_IMAGE_SIZE:
        raise ValueError(f"image size must be from 1 to {MAX_IMAGE_SIZE} pixels, got {image_size}")
    if max_images is not None and max_images < 2:
        raise ValueError(f"max_images must be 2 or more, got {max_images}")
    try:
        to = Conversion(image_size, value_range)
        made = given.made(like) if isinstance(given, Deferred) else given
        limit = None if isinstance(given, Deferred) else max_images
        loaded = _load(made, data_dir, to, limit, cache, log)
        if isinstance(given, Deferred) and len(loaded) != given.count:
            text = f"the call returned {len(loaded):,} images; it must return {given.count:,}"
            raise ValueError(text)
        if count is not None:
            loaded = _with_count(loaded, count)
    except OSError as error:
        raise _with_role(error, role) from error
    except (ValueError, LookupError) as error:
        kind = LookupError if isinstance(error, LookupError) else ValueError
        raise kind(f"{role}: {error.args[-1] if error.args else error}") from error
    if loaded.rows is not None and len(loaded) < 2:
        raise ValueError(f"{role}: {loaded.what} has {len(loaded)} images; scores need at least 2")
    return loaded


def _with_count(loaded: Input, count: int) -> Input:
    if not loaded.statistics:
        raise ValueError(
            f"{loaded.what} holds images, not statistics (mu, sigma), and they are "
            "counted; leave out the count"
        )
    return replace(loaded, statistics=with_count(loaded.statistics, count, loaded.what))


def _with_role(error: OSError, role: str) -> OSError:
    """The error with its kind, its number and its file's name."""
    if error.errno is None:
        return type(error)(f"{role}: {error}")
    return type(error)(error.errno, f"{role}: {error.strerror}", error.filename)


def _load(
    given: Scorable,
    data_dir: Path,
    to: Conversion,
    limit: int | None,
    cache: Path | None,
    log: Log,
) -> Input:
    image_size = to.image_size
    if isinstance(given, Input):
        if given.shape is not None and image_size not in (None, *given.shape[1:]):
            raise ValueError(f"images of {given.what} can't be resized; leave out image_size")
        return given
    if not isinstance(given, str | Path):
        return _from_python(given, to, limit, log)
    path = Path(given).expanduser()
    if is_lmdb(path):
        read = read_lmdb(path, str(given), image_size, limit, log)
        return replace(_from_read(read, Labels(), str(given)), kind="lmdb")
    if path.is_dir():
        return from_folder(path, str(given), image_size, cache, log)
    if path.suffix.lower() in ARRAYS:
        return _from_read(*read_array_file(path, str(given), to), str(given))
    if path.suffix.lower() == ".zip":
        return from_zip(path, str(given), image_size, cache, log)
    if path.suffix.lower() == TAR:
        read, labels = read_stream(tar_stream(str(given)), to, limit, log)
        return replace(_from_read(read, labels, str(given)), kind="tar")
    if path.suffix.lower() in PICKLES:
        raise ValueError(_pickle_refusal(path))
    name, _, split = str(given).rpartition(":")
    if split in SPLITS:
        return _from_split(name, split, data_dir, image_size)
    before, _, folder = str(given).partition(":")
    if before and folder and Path(folder).expanduser().is_dir():
        raise ValueError(
            f"'{given}' does not say which split; for all images of the folder write "
            f"{folder}, for one split as in a study {given}:test"
        )
    if path.exists():
        raise ValueError(f"{path} is neither a folder nor a .zip, .npy or .npz")
    raise FileNotFoundError(
        f"'{given}' is neither an existing folder, .zip, .npy or .npz nor a dataset "
        f"with its split; give a path, or one of {', '.join(lookup.names('datasets'))} "
        "with a split, as in fashion_mnist:test"
    )


def _pickle_refusal(path: Path) -> str:
    npz = path.with_suffix(".npz").name
    return (
        f"{path} is a pickle, which can run any code when it is opened, so it is not "
        f"read; save its arrays where it was made: numpy.savez('{npz}', mu=mean, "
        "sigma=covariance) (StyleGAN: mean, covariance = "
        "FeatureStats.load(file).get_mean_cov())"
    )


def from_array(given: Tensor | np.ndarray, what: str, to: Conversion = AS_THEY_ARE) -> Input:
    """Images or features in an array.

    Two axes and floats, or four of which only one is longer than 3 and the others 1: features. Four
    axes: images, uint8 as they are, floats in the range of `to`, [0, 1] by default. Channels are
    the axis of size 1 or 3 next to the front (n, c, h, w); if only the last one is, (n, h, w, c).
    Three axes: grey images (n, h, w). Floats of shape (n, 2, 1, 1) are points, kept as they are.

    Args:
        given: the array.
        what: its name.
        to: what images are brought to.

    Raises:
        ValueError: anything else; the message says what was given.
    """
    return _from_read(read_array(given, what, to), Labels(), what)


def _from_python(given: Any, to: Conversion, limit: int | None, log: Log) -> Input:
    """An array, a pair of images and labels, or a dataset or stream."""
    if isinstance(given, Tensor | np.ndarray):
        return from_array(given, "an array", to)
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], Tensor | np.ndarray):
        images, labels = given
        if images.ndim in (2, 4) and len(images) == len(labels) and getattr(labels, "ndim", 1) == 1:
            read = read_array(images, "an array", to)
            return _from_read(read, read_labels(list(labels)), "an array")
    return _from_read(*read_stream(stream_of(given), to, limit, log), type(given).__name__)


def _from_read(read: Read, labels: Labels, what: str) -> Input:
    unused = (f"labels are not used: {labels.unused}",) if labels.unused else ()
    kind = "images" if read.images is not None else "features"
    if read.images is None and read.features is None:
        kind = "statistics"
    return Input(
        what,
        kind,
        read.digests,
        read.images,
        read.features,
        labels.values,
        labels.classes,
        lossy=read.lossy,
        brightest=read.brightest,
        notes=(*read.notes, *unused),
        warnings=read.warnings,
        unlabelled=labels.unused,
        statistics=read.statistics,
    )


def _from_split(name: str, split: str, data_dir: Path, image_size: int | None) -> Input:
    dataset = load_dataset(name, data_dir, image_size)
    return replace(from_split(name, dataset, split), notes=dataset.notes)


def from_split(name: str, dataset: Dataset, split: str) -> Input:
    """A split of a dataset.

    Args:
        name: of the dataset, as the user wrote it.
        dataset: the dataset.
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
