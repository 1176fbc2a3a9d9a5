"""Images that are scored, as a dataset for an encoder."""

from torch import Tensor

from coequal.contract import Dataset, Split
from coequal.inputs.input import Input


def as_dataset(real: Input, train: Input | None = None) -> Dataset:
    """The images as the splits of a dataset; they are read only if an encoder uses them.

    An encoder that is trained does. All others ask for no more than the shape.

    Args:
        real: the real images: the test split, if the training images have labels and these have
            some too; else they are not used beside training images.
        train: what the generator was trained on; None: the real images are all three splits.
    """
    source = real if train is None else train
    part = _split(source)
    classes = source.classes or _class_names(source.labels)
    test = _split(real) if _can_test(real, source, classes) else part
    return Dataset(source.what, part, test, test, classes)


def _can_test(real: Input, train: Input, classes: tuple[str, ...] | None) -> bool:
    """Whether a classifier of the training images may be tested on the real ones."""
    if real.labels is None or train.labels is None or classes is None or real is train:
        return False
    alike = real.shape == train.shape and real.classes == train.classes
    return alike and int(real.labels.max()) < len(classes)


def _split(source: Input) -> Split:
    assert source.images is not None
    return Split(source.images, source.labels)


def _class_names(labels: Tensor | None) -> tuple[str, ...] | None:
    return None if labels is None else tuple(str(i) for i in range(int(labels.max()) + 1))
