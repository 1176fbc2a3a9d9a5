"""Fashion-MNIST: 70,000 grey images of clothes, 28x28, in 10 classes.

Source: Xiao et al. 2017, arXiv:1708.07747.
"""

from pathlib import Path

from coequal.contract import Dataset, ImageShape, Log
from coequal.datasets._form import ImageForm
from coequal.datasets._idx import read_idx_files
from coequal.datasets._published import Published
from coequal.datasets._resize import check_size, resized

PART = "load_fashion_mnist"
ARGUMENT = None

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
IMAGES = ImageForm(ImageShape(1, 28, 28), len(CLASSES))
PACKAGE = "dataset-fashion-mnist"
SYSTEM_FOLDER = Path("/usr/share/datasets/fashion-mnist")  # where that package installs them


def load_fashion_mnist(
    argument: str, data_dir: Path, image_size: int | None = None, log: Log | None = None
) -> Dataset:
    """Fashion-MNIST with its official test images; a sixth of the others is for validation.

    The files are read from `data_dir`, else from the installed Debian package, else downloaded and
    kept in `data_dir/fashion_mnist`. Every file is checked by its SHA-256.

    Raises:
        FileNotFoundError: No attempt succeeded; the message lists all of them, and which file to
            put where.
    """
    check_size(image_size)
    contents = FILES.find(data_dir, log)
    return resized(read_idx_files("fashion_mnist", contents, CLASSES), image_size)


URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"  # its authors' and torchvision's
FILES = Published(
    title="Fashion-MNIST",
    sha256={
        "train-images-idx3-ubyte": (
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
        ),
        "train-labels-idx1-ubyte": (
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
        ),
        "t10k-images-idx3-ubyte": (
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
        ),
        "t10k-labels-idx1-ubyte": (
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
        ),
    },
    places=(
        Path(),
        Path("fashion_mnist"),
        Path("fashion-mnist"),
        Path("FashionMNIST/raw"),  # torchvision's
        SYSTEM_FOLDER,
    ),
    kept=Path("fashion_mnist"),
    downloads={  # with the sums that torchvision has
        f"{URL}/train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        f"{URL}/train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
        f"{URL}/t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
        f"{URL}/t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
    },
    source=(
        "They are at https://github.com/zalandoresearch/fashion-mnist (data/fashion), and on "
        f"Debian or Ubuntu `apt install {PACKAGE}` has them; `make data` in coequal's repository "
        "takes them out of that package without root."
    ),
)
