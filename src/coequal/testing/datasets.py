"""The contract of a dataset."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from coequal.contract import Dataset
from coequal.datasets._loading import (
    fingerprint,
    load_dataset,
    refuse_malformed,
)
from coequal.datasets._splits import shared_between_splits
from coequal.testing._requirements import name_of, no_global_draws, require


def check_dataset(load: Callable[[Path], Dataset] | str, data_dir: Path | None = None) -> None:
    """Check that a dataset keeps the contract.

    It is a `Dataset` of three splits, none empty, of images of one shape and form (uint8, or
    float32 in [0, 1]) with labels from 0 to the number of classes in all or none of them. It is the
    same at every call, draws from no global generator, and its splits are disjoint: no more than
    1 % of the images of a split lie in another. With classes, each has an image to train on.

    Args:
        load: takes the folder of data and returns the dataset; or the name of one, as a study
            writes it ("module:function", "folder:PATH").
        data_dir: where its files lie; by default an empty folder, for data that need none.

    Raises:
        AssertionError: the contract is broken; the message says how.
        LookupError: no dataset has this name.
        OSError: its files can't be had.
    """
    with TemporaryDirectory() as folder:
        place = data_dir or Path(folder)
        with no_global_draws(load, "the loader"):
            dataset, again = _loaded(load, place), _loaded(load, place)
        same = fingerprint(dataset) == fingerprint(again)
        require(same, load, "gave other images or labels at a second call")
        _check_splits(load, dataset)


def _loaded(load: Callable[[Path], Dataset] | str, place: Path) -> Dataset:
    """The dataset, its form checked as it is for a study."""
    try:
        if isinstance(load, str):
            return load_dataset(load, place)
        dataset: Any = load(place)
        refuse_malformed(name_of(load), dataset)
    except ValueError as error:
        raise AssertionError(str(error)) from error
    assert isinstance(dataset, Dataset)
    return dataset


def _check_splits(load: object, dataset: Dataset) -> None:
    shared = shared_between_splits(dataset)
    require(not shared, load, "; ".join(shared))
    labels = dataset.train.labels
    if dataset.classes is not None and labels is not None:
        absent = set(range(len(dataset.classes))) - set(labels.unique().tolist())
        names = ", ".join(dataset.classes[label] for label in sorted(absent))
        require(not absent, load, f"the train split has no image of {names}")
