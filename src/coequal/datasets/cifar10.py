"""CIFAR-10: 60,000 colour photographs of 32x32, in 10 classes.

Source: Krizhevsky 2009, Learning multiple layers of features from tiny images. Read from the
"binary version": the Python version is pickled, and a pickle can run anything.
"""

from pathlib import Path

from coequal.contract import Dataset
from coequal.datasets._cifar import Cifar, read_cifar
from coequal.datasets._published import Download, Log, Published, by_address
from coequal.datasets._resize import check_size, resized

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
PER_FILE = 10_000  # in each of six
_FOLDER = "cifar-10-batches-bin"
FORM = Cifar(
    name="cifar10",
    archive=ARCHIVE,
    train=tuple(f"{_FOLDER}/data_batch_{number}.bin" for number in range(1, 6)),
    test=f"{_FOLDER}/test_batch.bin",
    label_bytes=1,
    classes=CLASSES,
)


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
    dataset = read_cifar(FORM, found.files[ARCHIVE], PER_FILE, found.notes())
    return resized(dataset, image_size)


def _by_torchvision(folder: Path, log: Log) -> Path:
    log("downloading CIFAR-10 (170 MB) by torchvision")
    by_address({URL: MD5}, folder)
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
