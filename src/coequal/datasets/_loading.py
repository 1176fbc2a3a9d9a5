"""The front door to the datasets: from the name in a study file to three splits of images.

A name is a dataset of ours (`fashion_mnist`), one of a family with its argument (`folder:PATH`),
or "module:function" of somebody's own: it takes the data folder and returns a `Dataset`. Any of
them may end in a fraction of its training images (`fashion_mnist@5%`).
"""

import hashlib
import importlib
import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from coequal import lookup
from coequal.code_places import described, located, place_of
from coequal.contract import Dataset, KnownManifold, Log, Split
from coequal.datasets._fraction import parse_fraction, with_fraction
from coequal.datasets._published import silent
from coequal.datasets._resize import check_size, resized
from coequal.datasets._splits import shared_between_splits
from coequal.files import user_cache
from coequal.rng import GlobalStates

SPLITS = ("train", "validation", "test")

_KIND = "datasets"


def data_folder(given: str | Path | None = None) -> Path:
    """Where downloaded data lies: as given, else $COEQUAL_DATA, else the user's cache.

    Args:
        given: The user's choice; None if there is none.
    """
    if given is not None:
        return Path(given).expanduser()
    if chosen := os.environ.get("COEQUAL_DATA"):
        return Path(chosen).expanduser()
    return user_cache() / "data"


def check_dataset(name: str) -> None:
    """Refuse a name that no dataset has, without loading any or reading a file.

    Args:
        name: As in a study file.

    Raises:
        LookupError: There is no such dataset, it takes no argument or needs one, or the fraction
            is not above 0 and at most 100 %.
    """
    known_manifold(name)


def check_image_size(size: int | None, names: Iterable[str] = ()) -> None:
    """Refuse a size that the images of these datasets can't be brought to.

    Args:
        size: Height and width in pixels; None keeps the images' own.
        names: Of datasets; those that are made by a formula come in further sizes.

    Raises:
        ValueError: The size is neither None nor one that all of them come in.
    """
    for name in names:
        known_manifold(name, size)
    if not (names and all(_any_size(name) for name in names)):
        check_size(size)


def known_manifold(name: str, image_size: int | None = None) -> KnownManifold | None:
    """Where the images of a dataset lie if they are made by a formula, without making any.

    Args:
        name: Of the dataset, as in a study file.
        image_size: Height and width in pixels; None: the usual ones.

    Returns:
        The manifold; None for images that are not made by a formula.

    Raises:
        LookupError: There is no such dataset, or not with this argument.
        ValueError: Its images can't be made in this size.
    """
    whole = parse_fraction(name).whole
    _loader(whole)
    module, argument = _module(whole)
    manifold_of = getattr(module, "manifold", None)
    manifold: KnownManifold | None = manifold_of and manifold_of(argument, image_size)
    return manifold


def load_dataset(
    name: str,
    data_dir: Path,
    image_size: int | None = None,
    log: Log | None = None,
) -> Dataset:
    """The dataset of this name, its splits disjoint and the same at every call.

    Args:
        name: As in a study file.
        data_dir: Where downloads are searched for and kept; see `data_folder`.
        image_size: 28, 32 or 64; None keeps the images' own size.
        log: Is told what takes long.

    Raises:
        LookupError: There is no such dataset.
        FileNotFoundError: Its files are not there and can't be downloaded.
        ValueError: Its files, or what somebody's own function returned, are not as they must be.
    """
    whole, fraction = parse_fraction(name)
    loader = _loader(whole)
    check_image_size(image_size, [whole])
    dataset = loader(data_dir, image_size, log)
    refuse_malformed(whole, dataset)
    return dataset if fraction is None else with_fraction(dataset, fraction, name)


def stand_in(name: str, image_size: int | None, count: int) -> Dataset | None:
    """Noise in the form of a dataset of ours, of which no image is read or made.

    Args:
        name: As in a study file.
        image_size: Height and width in pixels; None keeps the images' own size.
        count: Images of each split, or more, so that there are two of each class.

    Returns:
        None for somebody's own dataset, whose form is not known before it is loaded.

    Raises:
        LookupError, ValueError, OSError: There is no such dataset, or folder of pictures.
    """
    manifold = known_manifold(name, image_size)
    module, argument = _module(parse_fraction(name).whole)
    form_of = getattr(module, "form_of", None)
    form = form_of(argument) if form_of else getattr(module, "IMAGES", None)
    return form and form.resized(image_size).noise(name, count, manifold)


def fingerprint(dataset: Dataset) -> str:
    """SHA-256 of the shapes and bytes of all images and labels, in hexadecimal digits.

    Name and notes do not count. Of images that are made by a formula it is of their recipe: floats
    may differ in the last bit between machines, and what they are does not.

    Args:
        dataset: Its images are read in parts.
    """
    digest = hashlib.sha256()
    if dataset.manifold is not None:
        counts = [len(dataset.split(name)) for name in SPLITS]
        digest.update(f"{dataset.manifold.recipe} {counts}".encode())
        return digest.hexdigest()
    for name in SPLITS:
        images, labels = dataset.split(name).images, dataset.split(name).labels
        digest.update(f"{images.dtype} {images.shape};".encode())
        for part in images.parts():
            digest.update(part.cpu().contiguous().numpy().data)
        if labels is None:
            digest.update(b"none;")
        else:
            digest.update(f"{labels.dtype} {tuple(labels.shape)};".encode())
            digest.update(labels.cpu().contiguous().numpy().data)
    return digest.hexdigest()


Loader = Callable[[Path, int | None, Log | None], Dataset]


def _loader(name: str) -> Loader:
    part, colon, _ = name.partition(":")
    known = lookup.names(_KIND)
    if part not in known:
        return _external(name, known)
    module, argument = _module(name)
    takes = module.ARGUMENT
    if takes is None and colon:
        raise LookupError(f"{_KIND}: '{name}': {part} takes nothing after a colon; write '{part}'")
    if takes is not None and not argument:
        raise LookupError(f"{_KIND}: '{name}': {part} needs {takes}; write '{part}:...'")
    load = lookup.load(_KIND, part)

    def loader(data_dir: Path, image_size: int | None, log: Log | None) -> Dataset:
        dataset: Dataset = load(argument, data_dir, image_size, log)
        return dataset

    return loader


def _module(name: str) -> tuple[Any, str]:
    """The module of ours that a name means (None: it is none of ours), and what stands after its
    colon or would by default."""
    part, _, argument = name.partition(":")
    if part not in lookup.names(_KIND):
        return None, argument
    module = importlib.import_module(f"coequal.{_KIND}.{part}")
    return module, argument or getattr(module, "DEFAULT_ARGUMENT", "")


def _any_size(name: str) -> bool:
    """Whether a dataset can be made in any size."""
    return bool(getattr(_module(parse_fraction(name).whole)[0], "ANY_SIZE", False))


def _external(name: str, known: list[str]) -> Loader:
    """The loader "module:function", which somebody else wrote."""
    if name and Path(name).expanduser().is_dir():
        raise LookupError(f"{_KIND}: '{name}' is a folder; for its images write folder:{name}")
    module, _, function = name.partition(":")
    ours = lookup.unknown(module, known, f"{_KIND}: ")
    if not function.isidentifier() or not all(word.isidentifier() for word in module.split(".")):
        raise LookupError(f"{ours}; your own is written 'module:function'")
    try:
        load = lookup.load(_KIND, name)
    except LookupError as error:
        raise LookupError(f"{ours}; nor is it a module of yours: {error}") from error
    if not callable(load):
        raise LookupError(f"{_KIND}: '{name}' is a {type(load).__name__}, not a function")

    def loader(data_dir: Path, image_size: int | None, log: Log | None) -> Dataset:
        dataset = _loaded(name, load, data_dir)
        shared = [f"warning: {text}" for text in shared_between_splits(dataset)]
        for text in shared:
            (log or silent)(f"{name}: {text}")
        return resized(replace(dataset, name=name, notes=(*dataset.notes, *shared)), image_size)

    return loader


def _loaded(name: str, load: Callable[[Path], Any], data_dir: Path) -> Dataset:
    """What somebody's own function returns, not yet resized.

    Raises:
        ValueError: It failed, returned something else than a dataset, or drew from a global
            generator: the splits would not be the same at every call.
        OSError, MemoryError: The machine failed.
    """
    before = GlobalStates()
    try:
        dataset = load(data_dir)
    except (OSError, MemoryError):
        raise
    except Exception as error:
        raise ValueError(f"{name} failed: {described(error)}") from error
    refuse_malformed(name, dataset, place_of(load))
    if moved := before.moved():
        text = (
            f"{name} drew from the global random generator of {' and '.join(moved)}; draw "
            "from one of"
        )
        text = f"{text} its own, as numpy.random.default_rng(0) or torch.Generator() gives"
        raise ValueError(located(text, place_of(load)))
    data: Dataset = dataset
    return data


def refuse_malformed(name: str, dataset: Any, place: str = "") -> None:
    """Refuse what is not a dataset here, not in the middle of a training.

    Args:
        name: of the dataset, for the message.
        dataset: what a loader returned.
        place: of the loader in its author's code, if it is not ours.

    Raises:
        ValueError: it is no `Dataset`, or a split is not as it must be; the message says how.
    """
    if not isinstance(dataset, Dataset):
        text = f"{name} returned a {type(dataset).__name__}; it must return a Dataset"
        raise ValueError(located(text, place))
    for part in SPLITS:
        if problem := _problem(dataset, dataset.split(part)):
            raise ValueError(located(f"{name}: the {part} split {problem}", place))


def _problem(dataset: Dataset, split: Split) -> str | None:
    """What is wrong with a split, or None."""
    images, labels = split.images, split.labels
    if len(images.shape) != 4 or images.dtype not in (torch.uint8, torch.float32):
        form = tuple(images.shape)
        return f"must hold uint8 or float32 images (n, c, h, w), not {images.dtype} of shape {form}"
    if not len(images):
        return "is empty"
    if images.dtype.is_floating_point:
        ranges = torch.stack([torch.stack(part.aminmax()) for part in images.parts()])
        low, high = float(ranges.min()), float(ranges.max())
        if not (low >= 0 and high <= 1):  # NaN is neither
            return f"has float images outside [0, 1]: {low:g} .. {high:g}"
    if images.dtype != dataset.train.images.dtype:
        return f"holds {images.dtype}, the train split {dataset.train.images.dtype}"
    if images.shape[1:] != dataset.train.images.shape[1:]:
        form, other = tuple(images.shape[1:]), tuple(dataset.train.images.shape[1:])
        return f"has images of shape {form}, the train split of {other}"
    if (labels is None) != (dataset.train.labels is None):
        return "must have labels if the train split has, and only then"
    if labels is None:
        return None
    if labels.dtype != torch.int64 or labels.shape != (len(images),):
        form = tuple(labels.shape)
        return f"must have one int64 label an image, not {labels.dtype} of shape {form}"
    highest = None if dataset.classes is None else len(dataset.classes) - 1
    if labels.min() < 0 or (highest is not None and labels.max() > highest):
        return f"has labels {int(labels.min())} .. {int(labels.max())}, outside 0 .. {highest}"
    return None
