"""CIFAR-100: 60,000 colour photographs of 32x32, in 100 classes (the fine labels).

Source: Krizhevsky 2009, Learning multiple layers of features from tiny images. Read from the
"binary version": the Python version is pickled, and a pickle can run anything.
"""

from pathlib import Path

from coequal.contract import Dataset, ImageShape, Log
from coequal.datasets._cifar import Cifar
from coequal.datasets._form import ImageForm

PART = "load_cifar100"
ARGUMENT = None

ARCHIVE = "cifar-100-binary.tar.gz"
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
IMAGES = ImageForm(ImageShape(3, 32, 32), len(CLASSES))
FORM = Cifar(
    name="cifar100",
    archive=ARCHIVE,
    train=("cifar-100-binary/train.bin",),
    test="cifar-100-binary/test.bin",
    label_bytes=2,
    classes=CLASSES,
)
FILES = FORM.files(
    title="CIFAR-100",
    megabytes=169,
    sha256="58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
    md5="03b5dce01913d631647c71ecec9e9cb8",
    pickled="cifar-100-python",
)


def load_cifar100(
    argument: str, data_dir: Path, image_size: int | None = None, log: Log | None = None
) -> Dataset:
    """CIFAR-100 with its 10,000 official test images; a fifth of the others is for validation.

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
