"""SVHN: 99,289 colour photographs of house numbers, cropped to a digit, 32x32, in 10 classes.

Source: Netzer et al. 2011, Reading digits in natural images with unsupervised feature learning.
The further 531,131 easier images ("extra") are not used.
"""

import io
import zlib
from pathlib import Path

import numpy as np
import torch
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from coequal.contract import Dataset, ImageShape, Log, Split
from coequal.datasets._form import ImageForm
from coequal.datasets._published import Published
from coequal.datasets._resize import check_size, resized
from coequal.datasets._splits import hold_out

PART = "load_svhn"
ARGUMENT = None

TRAIN, TEST = "train_32x32.mat", "test_32x32.mat"
URL = "http://ufldl.stanford.edu/housenumbers"
MD5 = {  # as torchvision has them
    TRAIN: "e26dedcc434d2e4c54c9b2d4a06d8373",
    TEST: "eb5a983be6a315427106f1b164d9cef3",
}
CLASSES = tuple("0123456789")
IMAGES = ImageForm(ImageShape(3, 32, 32), len(CLASSES))
HELD_OUT = 10_000
_SHAPE = (32, 32, 3)
# What SciPy raises for files that are no MATLAB file, or a damaged one.
_DAMAGED = (
    MatReadError,
    NotImplementedError,
    ValueError,
    TypeError,
    IndexError,
    OSError,
    zlib.error,
)


def load_svhn(
    argument: str, data_dir: Path, image_size: int | None = None, log: Log | None = None
) -> Dataset:
    """SVHN with its 26,032 official test images; of the 73,257 others 10,000 are for validation.

    The two files are read from `data_dir`, else downloaded into `data_dir/svhn`. Each is checked by
    its SHA-256.

    Raises:
        FileNotFoundError: No attempt succeeded; the message lists all of them, and which file to
            put where.
    """
    check_size(image_size)
    contents = FILES.find(data_dir, log)
    official, test = (_read(contents.files[name], name) for name in (TRAIN, TEST))
    train, validation, note = hold_out(official, HELD_OUT, "svhn")
    notes = (note, *contents.notes())
    dataset = Dataset("svhn", train, validation, test, classes=CLASSES, notes=notes)
    return resized(dataset, image_size)


def _read(raw: bytes, name: str) -> Split:
    """The images of one file: X (32, 32, 3, n), row, column, colour, image; y (n, 1), 1 to 10.

    Raises:
        ValueError: It is not a MATLAB file of that form.
    """
    try:
        values = loadmat(io.BytesIO(raw), variable_names=["X", "y"])
    except _DAMAGED as error:
        raise ValueError(f"{name} can't be read as a MATLAB file: {error}") from error
    if "X" not in values or "y" not in values:
        raise ValueError(f"{name} must hold the variables X and y")
    pixels, numbers = values["X"], values["y"].ravel()
    if pixels.dtype != np.uint8 or pixels.shape != (*_SHAPE, len(numbers)):
        raise ValueError(
            f"{name} holds {pixels.dtype} images of shape {pixels.shape} for {len(numbers):,} "
            f"labels, not uint8 of shape {(*_SHAPE, len(numbers))}"
        )
    if numbers.min() < 1 or numbers.max() > len(CLASSES):
        raise ValueError(f"{name} has labels {numbers.min()} .. {numbers.max()}, not 1 .. 10")
    images = np.ascontiguousarray(pixels.transpose(3, 2, 0, 1))
    # The digit 0 has the label 10.
    return Split(torch.from_numpy(images), torch.from_numpy(numbers.astype(np.int64) % 10))


FILES = Published(
    title="SVHN",
    sha256={
        TRAIN: "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
        TEST: "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
    },
    places=(Path("svhn"), Path(), Path("SVHN")),
    kept=Path("svhn"),
    downloads={f"{URL}/{name}": f"md5:{md5}" for name, md5 in MD5.items()},
    source=(
        f"They are the cropped digits (format 2) at {URL}/ (246 MB; MD5 of {TRAIN}: {MD5[TRAIN]}, "
        f"of {TEST}: {MD5[TEST]})."
    ),
)
