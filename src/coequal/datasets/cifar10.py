"""CIFAR-10: 60,000 colour photographs of 32x32, in 10 classes.

Source: Krizhevsky 2009, Learning multiple layers of features from tiny images. Read from the
"binary version": the Python version is pickled, and a pickle can run anything.
"""

import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from coequal.contract import Dataset, Split
from coequal.datasets._published import Download, Log, Published, by_torchvision
from coequal.datasets._resize import check_size, resized
from coequal.datasets._splits import hold_out

PART = "load_cifar10"
ARGUMENT = None

ARCHIVE = "cifar-10-binary.tar.gz"
URL = f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"  # as its home page has it
CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
PER_FILE = 10_000
_FOLDER = "cifar-10-batches-bin"
_TRAIN = tuple(f"{_FOLDER}/data_batch_{number}.bin" for number in range(1, 6))
_TEST = f"{_FOLDER}/test_batch.bin"
_SHAPE = (3, 32, 32)  # red, green, blue planes, row by row


def load_cifar10(
    argument: str, data_dir: Path, image_size: int | None = None, log: Log | None = None
) -> Dataset:
    """CIFAR-10 with its official test images; a fifth of the others is for validation.

    Looks for the archive in `data_dir`, then downloads it by torchvision into `data_dir/cifar10`.
    It is checked by its SHA-256 and never unpacked on disk.

    Raises:
        FileNotFoundError: no way worked; the message has every try, and where to put the archive.
    """
    check_size(image_size)
    found = FILES.find(data_dir, log)
    dataset = _read(found.files[ARCHIVE], PER_FILE, found.notes())
    return resized(dataset, image_size)


def _read(archive: bytes, per_file: int, notes: Sequence[str]) -> Dataset:
    """The data set in an archive whose files hold `per_file` images each.

    Raises:
        ValueError: a file is missing, of another length, or has a label above 9.
    """
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        parts = [_records(tar, name, per_file) for name in (*_TRAIN, _TEST)]
    official = Split(
        torch.cat([part.images for part in parts[:-1]]),
        torch.cat([part.labels for part in parts[:-1] if part.labels is not None]),
    )
    # As many to validate as to test: a file of six.
    train, validation, note = hold_out(official, per_file, "cifar10")
    return Dataset(
        name="cifar10",
        train=train,
        validation=validation,
        test=parts[-1],
        classes=CLASSES,
        notes=(note, *notes),
    )


def _records(tar: tarfile.TarFile, name: str, count: int) -> Split:
    """The images of one file: for each a byte for the label, then its planes."""
    try:
        member = tar.extractfile(name)
    except KeyError:
        member = None
    if member is None:
        raise ValueError(f"{ARCHIVE} holds no file {name}")
    raw = member.read()
    size = 1 + int(np.prod(_SHAPE))
    if len(raw) != count * size:
        raise ValueError(f"{name} has {len(raw):,} bytes; {count:,} images need {count * size:,}")
    rows = np.frombuffer(raw, np.uint8).reshape(count, size)
    if rows[:, 0].max() >= len(CLASSES):
        raise ValueError(f"{name} has the label {rows[:, 0].max()}; the highest is 9")
    images = torch.from_numpy(rows[:, 1:].reshape(count, *_SHAPE).copy())
    return Split(images, torch.from_numpy(rows[:, 0].astype(np.int64)))


def _by_torchvision(folder: Path, log: Log) -> Path:
    log("downloading CIFAR-10 (170 MB) by torchvision")
    by_torchvision(
        "from torchvision.datasets.utils import download_url\n"
        f"download_url({URL!r}, sys.argv[1], md5={MD5!r})",
        folder,
    )
    return folder


FILES = Published(
    title="CIFAR-10",
    sha256={ARCHIVE: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"},
    places=(Path("cifar10"), Path()),
    kept=Path("cifar10"),
    downloads=(Download("torchvision", _by_torchvision),),
    source=(
        f"It is the binary version at {URL} (170 MB, MD5 {MD5}); the Python version "
        "(cifar-10-batches-py) is pickled and is not read."
    ),
)
