"""Images that are made from a seed: 60,000 to train, 10,000 and 10,000 held out."""

from collections.abc import Callable
from pathlib import Path

from safetensors.torch import load_file, save
from torch import Tensor

from coequal.contract import Dataset, KnownManifold, Log, Split
from coequal.files import atomic_write
from coequal.manifolds.modes import KnownModes

COUNTS = {"train": 60_000, "validation": 10_000, "test": 10_000}

ManifoldOf = Callable[[str, int | None], KnownManifold]
"""`manifold(argument, image_size)` of a dataset that is made: what is known of its images, without
making them. It raises LookupError for an argument, and ValueError for a size, that can't be."""

Load = Callable[[str, Path, int | None, Log | None], Dataset]
"""`load(argument, data_dir, image_size, log)`: the dataset."""

Make = Callable[[str, int], tuple[Tensor, Tensor | None]]
"""`make(part, count)`: so many images of a split, and their modes if the family has some."""


def made_dataset(name: str, family: KnownManifold, make: Make) -> Dataset:
    """The dataset of a family; its labels are modes, where the family has some.

    Args:
        name: Of the dataset.
        family: What is known of its images.
        make: Gives the images of each split.
    """
    train, validation, test = (Split(*make(part, count)) for part, count in COUNTS.items())
    return Dataset(
        name,
        train,
        validation,
        test,
        classes=family.names if isinstance(family, KnownModes) else None,
        notes=(f"made from a seed: {family.description}",),
        manifold=family,
    )


def kept_dataset(
    name: str, family: KnownManifold, make: Make, data_dir: Path, log: Log | None
) -> Dataset:
    """As `made_dataset`, for images that take seconds to make: they are kept in `data_dir`.

    Args:
        name: Of the dataset.
        family: What is known of its images.
        make: Gives the images of each split.
        data_dir: See `coequal.datasets._loading.data_folder`.
        log: Is told that images are made.
    """
    path = data_dir / "made" / f"{family.recipe}.safetensors"
    if not path.exists():
        if log is not None:
            log(f"making {sum(COUNTS.values()):,} images of {name}")
        made: dict[str, Tensor] = {}
        for part, count in COUNTS.items():
            images, modes = make(part, count)
            made |= {part: images} if modes is None else {part: images, f"{part}-modes": modes}
        atomic_write(path, save(made))
    kept = load_file(path)
    return made_dataset(name, family, lambda part, _: (kept[part], kept.get(f"{part}-modes")))
