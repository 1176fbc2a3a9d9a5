"""Images that are scored, as a data set for an encoder."""

from torch import Tensor

from coequal.contract import Dataset, ImageShape, Split
from coequal.contract.data import ImageRows
from coequal.inputs.load import Input


def as_dataset(source: Input) -> Dataset:
    """The images as all three splits; they are read only if an encoder looks at them.

    An encoder that is trained does. All others ask for no more than the shape.
    """
    assert source.images is not None
    part = _UnreadSplit(source.images, source.labels)
    classes = source.classes or _class_names(source.labels)
    return _UnreadDataset(source.what, part, part, part, classes)


class _UnreadSplit(Split):
    def __init__(self, rows: ImageRows, labels: Tensor | None) -> None:
        object.__setattr__(self, "rows", rows)
        object.__setattr__(self, "labels", labels)

    rows: ImageRows

    @property
    def images(self) -> Tensor:
        return self.rows.whole

    def __len__(self) -> int:
        return len(self.rows)


class _UnreadDataset(Dataset):
    @property
    def shape(self) -> ImageShape:
        assert isinstance(self.train, _UnreadSplit)
        return ImageShape(*self.train.rows.shape[1:])


def _class_names(labels: Tensor | None) -> tuple[str, ...] | None:
    return None if labels is None else tuple(str(i) for i in range(int(labels.max()) + 1))
