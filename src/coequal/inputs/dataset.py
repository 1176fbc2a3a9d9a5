"""Images that are scored, as a data set for an encoder."""

from torch import Tensor

from coequal.contract import Dataset, Split
from coequal.inputs.load import Input


def as_dataset(source: Input) -> Dataset:
    """The images as all three splits; they are read only if an encoder uses them.

    An encoder that is trained does. All others ask for no more than the shape.
    """
    assert source.images is not None
    part = Split(source.images, source.labels)
    classes = source.classes or _class_names(source.labels)
    return Dataset(source.what, part, part, part, classes)


def _class_names(labels: Tensor | None) -> tuple[str, ...] | None:
    return None if labels is None else tuple(str(i) for i in range(int(labels.max()) + 1))
