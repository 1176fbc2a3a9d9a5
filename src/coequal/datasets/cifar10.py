"""CIFAR-10: 60,000 colour photographs of 32x32, in 10 classes.

Source: Krizhevsky 2009, Learning multiple layers of features from tiny images. Read from the
"binary version": the Python version is pickled, and a pickle can run anything.
"""

from pathlib import Path

from coequal.contract import Dataset, ImageShape, Log
from coequal.datasets._cifar import Cifar
from coequal.datasets._form import ImageForm

PART = "load_cifar10"
ARGUMENT = None

ARCHIVE = "cifar-10-binary.tar.gz"
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
IMAGES = ImageForm(ImageShape(3, 32, 32), len(CLASSES))
_FOLDER = "cifar-10-batches-bin"
FORM = Cifar(
    name="cifar10",
    archive=ARCHIVE,
    train=tuple(f"{_FOLDER}/data_batch_{number}.bin" for number in range(1, 6)),
    test=f"{_FOLDER}/test_batch.bin",
    label_bytes=1,
    classes=CLASSES,
)
FILES = FORM.files(
    title="CIFAR-10",
    megabytes=170,
    sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    md5="c32a1d4ab5d03f1284b67883e8d87530",
    pickled="cifar-10-batches-py",
)


def load_cifar10(
    argument: str, data_dir: Path, image_size: int | None = None, log: Log | None = None
) -> Dataset:
    """CIFAR-10 with its 10,000 official test images; a fifth of the others is for validation.

    The archive is read from `data_dir`, else downloaded into a folder there. It is checked by its
    SHA-256 and never unpacked on disk.

    Args:
        argument: Not used.
        data_dir: See `coequal.datasets._loading.data_folder`.
        image_size: What the images are resized to; None keeps their 32x32.
        log: Is told what takes long.

    Raises:
        FileNotFoundError: No attempt succeeded; the message lists all of them, and where to put
            the archive.
        ValueError: A file in it is missing, of another length, or has a label that is too high.
    """
    return FORM.load(FILES, data_dir, image_size, log)
