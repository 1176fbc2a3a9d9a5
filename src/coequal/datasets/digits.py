"""1,797 handwritten digits, grey images of 8x8, which lie beside this file: no download.

`digits.csv.gz` is scikit-learn's file of that name (BSD 3-Clause), byte for byte: a row of 64 grey
levels 0 .. 16 and the digit for each image. It is the test part of Alpaydin and Kaynak 1998,
Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, doi:10.24432/C50P49
(CC BY 4.0); the licenses are in `digits.LICENSE`.
"""

from pathlib import Path

import numpy as np
import torch

from coequal.contract import Dataset, ImageShape, Log, Split
from coequal.datasets._form import ImageForm
from coequal.datasets._resize import resized
from coequal.datasets._splits import split_rows

PART = "load_digits"
ARGUMENT = None
IMAGES = ImageForm(ImageShape(1, 8, 8), 10)

TABLE = Path(__file__).with_name("digits.csv.gz")


def load_digits(
    argument: str,
    data_dir: Path,
    image_size: int | None = None,
    log: Log | None = None,
) -> Dataset:
    """The digits, split 60/20/20 within every class; 17 grey levels are stretched to 0 .. 255."""
    table = torch.from_numpy(np.loadtxt(TABLE, delimiter=",", dtype=np.int64))
    levels, labels = table[:, :64].reshape(-1, 1, 8, 8), table[:, 64].contiguous()
    images = ((levels * 255 + 8) // 16).to(torch.uint8)  # + 8: rounds to the nearest
    train, validation, test = (
        Split(images[rows], labels[rows]) for rows in split_rows(len(images), "digits", labels)
    )
    dataset = Dataset(
        name="digits",
        train=train,
        validation=validation,
        test=test,
        classes=tuple(str(digit) for digit in range(10)),
        notes=(
            "split 60/20/20 within every class",
            "grey levels 0 .. 16 were stretched to 0 .. 255",
        ),
    )
    return resized(dataset, image_size)
