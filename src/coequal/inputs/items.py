"""What the items of datasets and streams of Python hold: images or batches of them, and labels."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from torch import Tensor

from coequal.datasets._picture import SUFFIXES, is_encoded
from coequal.inputs.arrays import as_tensor

IMAGE_COLUMNS = (
    *("image", "img", "images", "pixel_values"),
    *(suffix.removeprefix(".") for suffix in SUFFIXES),  # of webdataset
)
LABEL_COLUMNS = ("label", "labels", "fine_label", "class", "target", "y", "cls")


class Item(NamedTuple):
    """An image, or a batch of them.

    Attributes:
        images: pictures as Pillow has them or in encoded form, one or more; or one array, (n, ...).
        labels: as many, None where there are none.
        unused: names of what else there is.
    """

    images: Sequence[Any] | Tensor
    labels: Sequence[Any]
    unused: tuple[str, ...] = ()


def items_of(given: Any) -> Iterator[Any]:
    """The items of whatever Python can iterate, or index from 0.

    Raises:
        ValueError: it can't be done; the message says why.
    """
    what = type(given).__name__
    if isinstance(given, Mapping):
        raise ValueError(f"can't score a {what}; give one of its entries ({_listed(given)})")
    if hasattr(type(given), "__iter__"):
        return iter(given)
    try:
        count = len(given)
    except TypeError as error:
        raise ValueError(f"can't score a {what}: it has no length or no items") from error
    if not hasattr(type(given), "__getitem__"):
        hint = "; give its .dataset" if hasattr(given, "dataset") else ""
        raise ValueError(f"can't score a {what}: it has no length or no items{hint}")
    return (given[index] for index in range(count))


def has_length(given: Any) -> bool:
    """Whether something knows how many items it has."""
    try:
        len(given)
    except (TypeError, AttributeError, NotImplementedError):
        return False
    return True


def gives_batches(given: Any) -> bool:
    """Whether every item is a batch, as of torch's DataLoader."""
    return hasattr(given, "dataset") and getattr(given, "batch_size", None) is not None


def parsed(item: Any, place: str, batches: bool) -> Item:
    """What an item holds.

    Args:
        item: an image, an array of several (4 axes), a list of pictures; or one of these and labels
            in a tuple, a list, or a mapping with `image` and `label`.
        place: what to call it in messages.
        batches: whether it is a batch whatever its axes are.

    Raises:
        ValueError: it holds no image, or more or fewer labels than images.
    """
    image, label, unused = _split(item)
    label = _number_or_name(label) if isinstance(label, bytes) else label
    if isinstance(image, bytes):
        image = {"bytes": image, "path": None}
    if _is_picture(image):
        return Item([image], [label], unused)
    if isinstance(image, list | tuple) and image and all(map(_is_picture, image)):
        return Item(image, _labels(label, len(image), place), unused)
    array = _array(image, place)
    if array.ndim != 4 and not batches and not _labels_of_several(label, array):
        return Item(array[None], [label], unused)
    return Item(array, _labels(label, len(array), place), unused)


def _number_or_name(content: bytes) -> int | str:
    """The label in a file of webdataset."""
    text = content.decode("utf-8", "replace").strip()
    return int(text) if text.lstrip("-").isdigit() else text


def _split(item: Any) -> tuple[Any, Any, tuple[str, ...]]:
    """Image, label or None, and what else there is."""
    if isinstance(item, Mapping) and not is_encoded(item):
        columns = [name for name in IMAGE_COLUMNS if name in item]
        if not columns:
            raise ValueError(f"items hold {_listed(item)}; one must be `image`")
        labels = [name for name in LABEL_COLUMNS if name in item]
        used = (columns[0], *labels[:1])
        label = item[labels[0]] if labels else None
        unused = (str(k) for k in item if k not in used and not str(k).startswith("__"))
        return item[columns[0]], label, tuple(unused)
    if isinstance(item, tuple | list) and item and not _is_rows(item):
        if isinstance(item, list) and all(isinstance(one, Image.Image) for one in item):
            return item, None, ()
        more = ("what follows the label",) if len(item) > 2 else ()
        return item[0], item[1] if len(item) > 1 else None, more
    return item, None, ()


def _is_picture(image: Any) -> bool:
    return isinstance(image, Image.Image) or is_encoded(image)


def _is_rows(item: Sequence[Any]) -> bool:
    """Whether an item is an image or features in nested lists, not an image with its label."""
    if isinstance(item, tuple):
        return False
    return all(isinstance(one, int | float) for one in item) or all(
        isinstance(one, list) for one in item
    )


def _labels_of_several(label: Any, array: Tensor) -> bool:
    """Whether there is a whole number for every row of an array, which is a batch then."""
    if not isinstance(label, Tensor | np.ndarray) or label.ndim != 1 or array.ndim < 2:
        return False
    kind = label.is_floating_point() if isinstance(label, Tensor) else label.dtype.kind == "f"
    return len(label) == len(array) and not kind


def _labels(label: Any, count: int, place: str) -> Sequence[Any]:
    if label is None:
        return [None] * count
    labels = list(label) if hasattr(label, "__len__") and not isinstance(label, str) else [label]
    if len(labels) != count:
        raise ValueError(f"{place}: {len(labels)} labels for {count} images")
    return labels


def _array(image: Any, place: str) -> Tensor:
    if isinstance(image, Tensor):
        return image.detach().cpu()
    if image is None:
        raise ValueError(f"{place} has no image (None)")
    try:
        return as_tensor(np.asarray(image))
    except (TypeError, ValueError) as error:
        kind = type(image).__name__
        raise ValueError(f"{place} is a {kind}, which holds no image") from error


def _listed(item: Mapping[Any, Any]) -> str:
    return ", ".join(map(str, item))


def class_names(given: Any) -> tuple[str, ...] | None:
    """Names of the labels 0, 1, ..., if a dataset knows them: `.classes` (torchvision) or
    `.features[column].names` (the hub), also of what a Subset or a DataLoader is of."""
    features = getattr(given, "features", None)
    if isinstance(features, Mapping):
        for column in LABEL_COLUMNS:
            if names := getattr(features.get(column), "names", None):
                return tuple(map(str, names))
    classes = getattr(given, "classes", None)
    if isinstance(classes, list | tuple) and classes:
        return tuple(map(str, classes))
    inside = getattr(given, "dataset", None)
    return None if inside is None else class_names(inside)
