"""The "binary version" of CIFAR-10 and CIFAR-100: an archive of records of plain bytes.

A record is the label bytes (one in CIFAR-10; in CIFAR-100 the coarse and then the fine label) and
the red, green and blue planes of 32x32, row by row. The Python versions are pickled, and a pickle
can run anything: they are not read.
"""

import io
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from coequal.contract import Dataset, Split
from coequal.datasets._splits import hold_out

_SHAPE = (3, 32, 32)


@dataclass(frozen=True)
class Cifar:
    """What tells one of the two from the other.

    Attributes:
        name: of the data set.
        archive: its file name.
        train: the files of official training images in it, each with as many.
        test: the file of official test images.
        label_bytes: how many a record begins with; the last of them is the label.
        classes: their names.
    """

    name: str
    archive: str
    train: tuple[str, ...]
    test: str
    label_bytes: int
    classes: tuple[str, ...]


def read_cifar(form: Cifar, archive: bytes, count: int, notes: Sequence[str]) -> Dataset:
    """The data set in an archive with `count` test images and five times as many to train on.

    As many as there are to test are held out of the latter for validation.

    Raises:
        ValueError: a file is missing, of another length, or has a label that is too high.
    """
    per_file = 5 * count // len(form.train)
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        parts = [_records(tar, form, name, per_file) for name in form.train]
        test = _records(tar, form, form.test, count)
    official = Split(
        torch.cat([part.images.whole for part in parts]),
        torch.cat([part.labels for part in parts if part.labels is not None]),
    )
    train, validation, note = hold_out(official, count, form.name)
    return Dataset(
        name=form.name,
        train=train,
        validation=validation,
        test=test,
        classes=form.classes,
        notes=(note, *notes),
    )


def _records(tar: tarfile.TarFile, form: Cifar, name: str, count: int) -> Split:
    """The images of one file."""
    try:
        member = tar.extractfile(name)
    except KeyError:
        member = None
    if member is None:
        raise ValueError(f"{form.archive} holds no file {name}")
    raw = member.read()
    size = form.label_bytes + int(np.prod(_SHAPE))
    if len(raw) != count * size:
        raise ValueError(f"{name} has {len(raw):,} bytes; {count:,} images need {count * size:,}")
    rows = np.frombuffer(raw, np.uint8).reshape(count, size)
    labels = rows[:, form.label_bytes - 1]
    highest = len(form.classes) - 1
    if labels.max() > highest:
        raise ValueError(f"{name} has the label {labels.max()}; the highest is {highest}")
    images = torch.from_numpy(rows[:, form.label_bytes :].reshape(count, *_SHAPE).copy())
    return Split(images, torch.from_numpy(labels.astype(np.int64)))
