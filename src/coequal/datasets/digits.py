"""The handwritten digits that come with scikit-learn: 1,797 grey images of 8x8, no download."""

from pathlib import Path

import torch

from coequal.contract import Dataset, Log, Split
from coequal.datasets._resize import resized
from coequal.datasets._splits import split_rows

PART = "load_digits"
ARGUMENT = None


def load_digits(
    argument: str,
    data_dir: Path,
    image_size: int | None = None,
    log: Log | None = None,
) -> Dataset:
    """The digits, split 60/20/20 within every class; 17 grey levels are stretched to 0 .. 255.

    Source: Alpaydin and Kaynak 1998, Optical Recognition of Handwritten Digits, UCI, test part.
    """
    from sklearn import datasets  # here: it takes a second to import

    bunch = datasets.load_digits()
    levels = torch.from_numpy(bunch.images).to(torch.int64)
    images = ((levels * 255 + 8) // 16).to(torch.uint8).unsqueeze(1)  # + 8: rounds to the nearest
    labels = torch.from_numpy(bunch.target).to(torch.int64)
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
