"""Points in the plane as images of two channels and one pixel: 60,000 to train, 10,000 and 10,000
held out."""

from coequal.contract import Dataset, Split
from coequal.datasets._polygons import COUNTS
from coequal.manifolds.points import Mixture, Plane
from coequal.rng import Rng
from coequal.seeds import seed_for


def refuse_size(name: str, image_size: int | None) -> None:
    """Points have no size to choose.

    Raises:
        ValueError: one was asked for.
    """
    if image_size is not None:
        raise ValueError(
            f"{name} holds points in the plane, which have no image size; leave out {image_size}"
        )


def load_points(name: str, family: Plane) -> Dataset:
    """The points of a family, float32 in [0, 1], (n, 2, 1, 1); labels are modes where it has some.

    They are made in a moment, and not kept.
    """
    train, validation, test = (_split(family, part, count) for part, count in COUNTS.items())
    return Dataset(
        name,
        train,
        validation,
        test,
        classes=family.names if isinstance(family, Mixture) else None,
        notes=(f"made from a seed: {family.description}",),
        manifold=family,
    )


def _split(family: Plane, part: str, count: int) -> Split:
    points, modes = family.draw(count, Rng(seed_for("points", family.recipe, part)))
    return Split(family.images(points), modes)
