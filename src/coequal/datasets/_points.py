"""Points in the plane as images of two channels and one pixel: 60,000 to train, 10,000 and 10,000
held out."""

from pathlib import Path

from torch import Tensor

from coequal.contract import Dataset, ImageShape, Log
from coequal.datasets._form import ImageForm
from coequal.datasets._made import Load, ManifoldOf, made_dataset
from coequal.manifolds.points import Plane
from coequal.rng import Rng
from coequal.seeds import seed_for

POINTS = ImageForm(ImageShape(2, 1, 1), floats=True)


def point_set(name: str, family: Plane) -> tuple[ManifoldOf, Load]:
    """The two functions of a dataset of points in the plane; it takes no argument and no size.

    Args:
        name: Of the dataset.
        family: The distribution that the points are drawn from.
    """

    def manifold(argument: str, image_size: int | None) -> Plane:
        if image_size is not None:
            raise ValueError(
                f"{name} holds points in the plane, which have no image size; leave out "
                f"{image_size}"
            )
        return family

    def load(
        argument: str, data_dir: Path, image_size: int | None = None, log: Log | None = None
    ) -> Dataset:
        """80,000 points, float32 in [0, 1], as images of shape (2, 1, 1); labels are modes where
        the family has some. They are made in a moment, and not kept."""
        manifold(argument, image_size)
        return made_dataset(name, family, make)

    def make(part: str, count: int) -> tuple[Tensor, Tensor | None]:
        points, modes = family.draw(count, Rng(seed_for("points", family.recipe, part)))
        return family.images(points), modes

    return manifold, load
