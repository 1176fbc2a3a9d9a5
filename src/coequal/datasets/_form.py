"""How the images of a dataset look, known before any of them is read."""

from typing import NamedTuple

import torch

from coequal.contract import Dataset, ImageShape, KnownManifold, Split
from coequal.manifolds.modes import KnownModes
from coequal.rng import Rng
from coequal.seeds import seed_for


class ImageForm(NamedTuple):
    """The form of the images of a dataset; a module of a dataset has it as `FORM`.

    Attributes:
        shape: Channels, height and width, unless the study asks for another size.
        classes: Number of classes; 0 for images without labels.
        floats: Whether they are float32 and not uint8.
    """

    shape: ImageShape
    classes: int = 0
    floats: bool = False

    def resized(self, image_size: int | None) -> "ImageForm":
        """The form of the images once they are brought to a size; None keeps it."""
        if image_size is None:
            return self
        return self._replace(shape=ImageShape(self.shape.channels, image_size, image_size))

    def noise(self, name: str, count: int, manifold: KnownManifold | None = None) -> Dataset:
        """A dataset of uniform noise in this form, every class in turn.

        Args:
            name: Of the dataset that it stands in for.
            count: Images of each split.
            manifold: Where the images of that dataset lie, if that is known.
        """
        modes = manifold.names if isinstance(manifold, KnownModes) else None
        classes = len(modes) if modes else self.classes
        names = modes or tuple(str(label) for label in range(classes)) or None
        train, validation, test = (self._split(name, p, count, classes) for p in range(3))
        return Dataset(name, train, validation, test, names, manifold=manifold)

    def _split(self, name: str, part: int, count: int, classes: int) -> Split:
        count = max(count, 2 * classes)
        images = Rng(seed_for("stand-in", name, part)).uniform(count, *self.shape)
        labels = torch.arange(count) % classes if classes else None
        return Split(images if self.floats else (images * 255).to(torch.uint8), labels)
