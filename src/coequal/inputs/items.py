"""Data sets of Python (torch, Hugging Face, lists): their pictures or arrays, and their labels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from coequal.contract.data import in_memory
from coequal.datasets._picture import is_encoded
from coequal.datasets._pictures import Pictures, all_pictures
from coequal.inputs.array_form import Conversion
from coequal.inputs.arrays import Read, as_tensor, read_array
from coequal.inputs.labels import Labels, read_labels

IMAGE_COLUMNS = ("image", "img", "images", "pixel_values")
LABEL_COLUMNS = ("label", "labels", "fine_label", "class", "target", "y")


class _Item(NamedTuple):
    image: Any
    label: Any
    unused: tuple[str, ...]  # what else there is


def read_items(given: Any, to: Conversion) -> tuple[Read, Labels]:
    """The images and labels of a data set of Python.

    Pictures of Pillow, and those that are not decoded yet (paths, {"bytes", "path"}), go through
    the rules for files (`datasets._picture`). Names of classes are those of `.classes`
    (torchvision) or `.features[column].names` (the hub), also of what a Subset is of.

    Args:
        given: items are images, (image, label), or mappings with `image` and `label`.
        to: what images are brought to.

    Raises:
        ValueError: this can't be scored; the message says why.
    """
    what = type(given).__name__
    try:
        items = [_item(given[index]) for index in range(len(given))]
    except (TypeError, KeyError) as error:
        hint = "; give its .dataset" if hasattr(given, "dataset") else ""
        raise ValueError(f"can't score a {what}: it has no length or no items{hint}") from error
    if not items:
        raise ValueError("the data set is empty")
    images = [item.image for item in items]
    pictures = [isinstance(image, Image.Image) or is_encoded(image) for image in images]
    read = _pictures(images, what, to.image_size) if all(pictures) else None
    if read is None:
        if any(pictures):
            raise ValueError(
                f"{what}: item {pictures.index(True)} is a picture and item "
                f"{pictures.index(False)} an array; all must be alike"
            )
        read = read_array(_stacked(images, what), what, to)
    notes = read.notes
    if unused := Counter(name for item in items for name in item.unused):
        notes = (*notes, f"not used: {', '.join(unused)} of the items")
    labels = read_labels([item.label for item in items], _class_names(given))
    return read._replace(notes=notes), labels


def _item(item: Any) -> _Item:
    """An image, its label or None, and what else there is."""
    if isinstance(item, Mapping) and not is_encoded(item):
        columns = [name for name in IMAGE_COLUMNS if name in item]
        if not columns:
            raise ValueError(f"items hold {', '.join(map(str, item))}; one must be `image`")
        labels = [name for name in LABEL_COLUMNS if name in item]
        used = (columns[0], *labels[:1])
        label = item[labels[0]] if labels else None
        return _Item(item[columns[0]], label, tuple(str(k) for k in item if k not in used))
    if isinstance(item, tuple | list) and item and not _is_rows(item):
        more = ("what follows the label",) if len(item) > 2 else ()
        return _Item(item[0], item[1] if len(item) > 1 else None, more)
    return _Item(item, None, ())


def _is_rows(item: Sequence[Any]) -> bool:
    """Whether an item is an image or features in nested lists, not an image with its label."""
    if isinstance(item, tuple):
        return False
    return all(isinstance(one, int | float) for one in item) or all(
        isinstance(one, list) for one in item
    )


def _class_names(given: Any) -> tuple[str, ...] | None:
    """Names of the labels 0, 1, ..., if the data set knows them."""
    features = getattr(given, "features", None)
    if isinstance(features, Mapping):
        for column in LABEL_COLUMNS:
            if names := getattr(features.get(column), "names", None):
                return tuple(map(str, names))
    classes = getattr(given, "classes", None)
    if isinstance(classes, list | tuple) and classes:
        return tuple(map(str, classes))
    inside = getattr(given, "dataset", None)
    return None if inside is None else _class_names(inside)


def _pictures(images: Sequence[Any], what: str, image_size: int | None) -> Read:
    names = [f"item {row}" for row in range(len(images))]
    pixels, survey = all_pictures(Pictures(what, names, images.__getitem__), image_size)
    return Read(
        in_memory(torch.from_numpy(pixels)),
        None,
        survey.digests,
        tuple(survey.notes),
        tuple(survey.warnings),
        survey.lossy,
        survey.brightest,
    )


def _stacked(images: Sequence[Any], what: str) -> Tensor:
    """Arrays of one shape and type as one tensor."""
    arrays = [_array(image, f"{what}: item {row}") for row, image in enumerate(images)]
    for of_one, name in (lambda a: tuple(a.shape), "shapes"), (lambda a: a.dtype, "types"):
        kinds = Counter(of_one(array) for array in arrays)
        if len(kinds) > 1:
            counts = ", ".join(f"{kind}: {count:,}" for kind, count in kinds.most_common(5))
            raise ValueError(
                f"{what}: the items have {len(kinds)} {name} ({counts}); bring them to one, or "
                "give PIL images, which are brought to one size by image_size"
            )
    return torch.stack(arrays)


def _array(image: Any, what: str) -> Tensor:
    if isinstance(image, Tensor):
        return image.detach().cpu()
    if image is None:
        raise ValueError(f"{what} has no image (None)")
    try:
        return as_tensor(np.asarray(image))
    except (TypeError, ValueError) as error:
        kind = type(image).__name__
        raise ValueError(f"{what} is a {kind}, which holds no image") from error
