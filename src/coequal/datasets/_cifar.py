"""The "binary version" of CIFAR-10 and CIFAR-100: an archive of records of plain bytes.

A record is the label bytes (one in CIFAR-10; in CIFAR-100 the coarse and then the fine label) and
the red, green and blue planes of 32x32, row by row. The Python versions are pickled, and a pickle
can run anything: they are not read.
"""

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from coequal.contract import Dataset, Log, Split
from coequal.datasets._published import Published
from coequal.datasets._resize import check_size, resized
from coequal.datasets._splits import hold_out

_SHAPE = (3, 32, 32)


@dataclass(frozen=True)
class Cifar:
    """What tells one of the two from the other.

    Attributes:
        name: Of the dataset.
        archive: Its file name; its address, too, ends in it.
        train: The files of official training images in it, each with as many.
        test: The file of official test images.
        label_bytes: How many a record begins with; the last of them is the label.
        classes: Their names.
        test_images: How many; there are five times as many to train on.
    """

    name: str
    archive: str
    train: tuple[str, ...]
    test: str
    label_bytes: int
    classes: tuple[str, ...]
    test_images: int = 10_000

    def files(self, title: str, megabytes: int, sha256: str, md5: str, pickled: str) -> Published:
        """The archive as a published file.

        Args:
            title: Of the dataset, for people.
            megabytes: Size of the archive.
            sha256: Of the archive.
            md5: Of the archive, as its home page has it.
            pickled: The folder of the Python version, which is not read.
        """
        url = f"https://www.cs.toronto.edu/~kriz/{self.archive}"
        return Published(
            title=title,
            sha256={self.archive: sha256},
            places=(Path(self.name), Path()),
            kept=Path(self.name),
            downloads={url: f"md5:{md5}"},
            source=(
                f"It is the binary version at {url} ({megabytes} MB, MD5 {md5}); the Python "
                f"version ({pickled}) is pickled and is not read."
            ),
        )

    def load(
        self, files: Published, data_dir: Path, image_size: int | None, log: Log | None
    ) -> Dataset:
        """The dataset with its official test images; a fifth of the others is for validation.

        The archive is read from `data_dir`, else downloaded into a folder there. It is checked by
        its SHA-256 and never unpacked on disk.

        Args:
            files: The archive as a published file.
            data_dir: See `coequal.datasets._loading.data_folder`.
            image_size: What the images are resized to; None keeps their 32x32.
            log: Is told what takes long.

        Raises:
            FileNotFoundError: No attempt succeeded; the message lists all of them, and where to put
                the archive.
            ValueError: A file in it is missing, of another length, or has a label that is too high.
        """
        check_size(image_size)
        contents = files.find(data_dir, log)
        per_file = 5 * self.test_images // len(self.train)
        with tarfile.open(fileobj=io.BytesIO(contents.files[self.archive]), mode="r:gz") as tar:
            parts = [_records(tar, self, name, per_file) for name in self.train]
            test = Split(*_records(tar, self, self.test, self.test_images))
        images, labels = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
        train, validation, note = hold_out(Split(images, labels), self.test_images, self.name)
        notes = (note, *contents.notes())
        dataset = Dataset(self.name, train, validation, test, classes=self.classes, notes=notes)
        return resized(dataset, image_size)


def _records(tar: tarfile.TarFile, form: Cifar, name: str, count: int) -> tuple[Tensor, Tensor]:
    """The images and labels of one file."""
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
    return images, torch.from_numpy(labels.astype(np.int64))
