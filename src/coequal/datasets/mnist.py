"""MNIST: 70,000 grey images of handwritten digits, 28x28, in 10 classes.

Source: LeCun et al. 1998, Gradient-based learning applied to document recognition, Proc. IEEE 86.
"""

from pathlib import Path

from coequal.contract import Dataset, ImageShape, Log
from coequal.datasets._form import ImageForm
from coequal.datasets._idx import read_idx_files
from coequal.datasets._published import Published
from coequal.datasets._resize import check_size, resized

PART = "load_mnist"
ARGUMENT = None
IMAGES = ImageForm(ImageShape(1, 28, 28), 10)


def load_mnist(
    argument: str, data_dir: Path, image_size: int | None = None, log: Log | None = None
) -> Dataset:
    """MNIST with its official test images; a sixth of the others is for validation.

    The files are read from `data_dir`, else downloaded and kept in `data_dir/mnist`. Every file is
    checked by its SHA-256.

    Raises:
        FileNotFoundError: No attempt succeeded; the message lists all of them, and which file to
            put where.
    """
    check_size(image_size)
    contents = FILES.find(data_dir, log)
    classes = tuple(str(digit) for digit in range(10))
    return resized(read_idx_files("mnist", contents, classes), image_size)


URL = "https://ossci-datasets.s3.amazonaws.com/mnist"  # torchvision's mirror
FILES = Published(
    title="MNIST",
    sha256={
        "train-images-idx3-ubyte": (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
        ),
        "train-labels-idx1-ubyte": (
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
        ),
        "t10k-images-idx3-ubyte": (
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
        ),
        "t10k-labels-idx1-ubyte": (
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
        ),
    },
    # Not the data folder itself: Fashion-MNIST's files have the same names and may lie there.
    places=(Path("mnist"), Path("MNIST/raw")),  # the second is torchvision's
    kept=Path("mnist"),
    downloads={  # with the sums that torchvision has
        f"{URL}/train-images-idx3-ubyte.gz": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
        f"{URL}/train-labels-idx1-ubyte.gz": "md5:d53e105ee54ea40749a09fcbcd1e9432",
        f"{URL}/t10k-images-idx3-ubyte.gz": "md5:9fb629c4189551a2d022fa330f9573f3",
        f"{URL}/t10k-labels-idx1-ubyte.gz": "md5:ec29112dd5afa0611ce80d1b7f02629c",
    },
    source=f"They are at {URL}/ (torchvision's mirror).",
)
