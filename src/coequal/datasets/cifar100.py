"""CIFAR-100: 60,000 colour photographs of 32x32, in 100 classes (the fine labels).

Source: Krizhevsky 2009, Learning multiple layers of features from tiny images. Read from the
"binary version": the Python version is pickled, and a pickle can run anything.
"""

from pathlib import Path

from coequal.contract import Dataset
from coequal.datasets._cifar import Cifar, read_cifar
from coequal.datasets._published import Download, Log, Published, by_address
from coequal.datasets._resize import check_size, resized

PART = "load_cifar100"
ARGUMENT = None

ARCHIVE = "cifar-100-binary.tar.gz"
URL = f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
MD5 = "03b5dce01913d631647c71ecec9e9cb8"  # as its home page has it
_NAMES = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle
bowl boy bridge bus butterfly camel can castle caterpillar cattle
chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur
dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard
lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain
mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree
plain plate poppy porcupine possum rabbit raccoon ray road rocket
rose sea seal shark shrew skunk skyscraper snail snake spider
squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor
train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""
CLASSES = tuple(_NAMES.split())
TESTED = 10_000
FORM = Cifar(
    name="cifar100",
    archive=ARCHIVE,
    train=("cifar-100-binary/train.bin",),
    test="cifar-100-binary/test.bin",
    label_bytes=2,
    classes=CLASSES,
)


def load_cifar100(
    argument: str, data_dir: Path, image_size: int | None = None, log: Log | None = None
) -> Dataset:
    """CIFAR-100 with its official test images; a fifth of the others is for validation.

    Looks for the archive in `data_dir`, then downloads it by torchvision into `data_dir/cifar100`.
    It is checked by its SHA-256 and never unpacked on disk.

    Raises:
        FileNotFoundError: no way worked; the message has every try, and where to put the archive.
    """
    check_size(image_size)
    found = FILES.find(data_dir, log)
    dataset = read_cifar(FORM, found.files[ARCHIVE], TESTED, found.notes())
    return resized(dataset, image_size)


def _by_torchvision(folder: Path, log: Log) -> Path:
    log("downloading CIFAR-100 (169 MB) by torchvision")
    by_address({URL: MD5}, folder)
    return folder


FILES = Published(
    title="CIFAR-100",
    sha256={ARCHIVE: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"},
    places=(Path("cifar100"), Path()),
    kept=Path("cifar100"),
    downloads=(Download("torchvision", _by_torchvision),),
    source=(
        f"It is the binary version at {URL} (169 MB, MD5 {MD5}); the Python version "
        "(cifar-100-python) is pickled and is not read."
    ),
)
