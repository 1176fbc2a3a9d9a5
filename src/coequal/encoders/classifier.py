"""A small convolutional classifier, trained here on the training split: its last hidden layer is
the feature.

Features of a net that knows the data's own classes are the offline counterpart of ImageNet
features; the numbers are comparable only between runs with the same weights, which is why the hash
stands in every protocol.
"""

import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn

from coequal.contract import Dataset, Log
from coequal.datasets._loading import fingerprint
from coequal.encoders import _small_net
from coequal.encoders._small_net import RECIPE, SmallNetEncoder, weights_hash

PART = "Classifier"

LEAST_SKILL = 0.2  # of the way from chance to certainty; with less a net is called weak


class Classifier(SmallNetEncoder):
    """128 features, after the ReLU of the last hidden layer."""

    knows_classes = True
    light = True
    default_rank = 10

    @classmethod
    def suits_by_default(cls, dataset: Dataset) -> bool:
        """Labelled images; a classifier that judges its own training images knows them by heart."""
        return dataset.train is not dataset.test and dataset.train.labels is not None

    def __init__(self, net: nn.Sequential, id: str, note: str, weak: str = "") -> None:
        super().__init__(net, id, note)
        self.weak = weak

    @classmethod
    def unsupported_reason(cls, dataset: Dataset) -> str | None:
        """Data without labels, or with fewer than two classes, or smaller than 4 pixels."""
        if dataset.train.labels is None or dataset.classes is None or len(dataset.classes) < 2:
            return (
                "encoder classifier needs labels of at least two classes, and "
                f"{dataset.name} has none; what would do: encoder: pixels, or class sub-folders"
            )
        if min(dataset.shape[1:]) < 4:
            return f"encoder classifier needs images of at least 4x4; {dataset.name} has less"
        return None

    @classmethod
    def prepare(cls, dataset: Dataset, cache: Path, log: Log) -> "Classifier":
        """Weights for these very images, from the cache or trained now (half a minute for 50,000 of
        28x28)."""
        return cls._trained(dataset, cache, log)

    @classmethod
    def retrained(cls, dataset: Dataset, cache: Path, log: Log, repeat: int) -> "Classifier":
        """Other first weights, and the training images in another order."""
        return cls._trained(dataset, cache, log, repeat)

    @classmethod
    def _trained(cls, dataset: Dataset, cache: Path, log: Log, repeat: int = 0) -> "Classifier":
        assert dataset.classes is not None
        key = _key(dataset)
        path = cache / "encoders" / _file_name(f"{key}-{repeat}" if repeat else key)
        _small_net.train_into(
            path,
            dataset.shape,
            len(dataset.classes),
            lambda: (dataset.train, dataset.test),
            int(key, 16),
            log,
            dataset.name,
            repeat,
        )
        return cls.restored(dataset, path)

    @classmethod
    def weights_name(cls, dataset: Dataset) -> str:
        """By the recipe, and the fingerprint of all images and labels."""
        return _file_name(_key(dataset))

    @classmethod
    def restored(cls, dataset: Dataset, path: Path) -> "Classifier":
        """The net as the file has it."""
        assert dataset.classes is not None
        net, accuracy = _small_net.read(path, dataset.shape, len(dataset.classes))
        note = f"classifier with {accuracy} test accuracy on {dataset.name}"
        weak = _weakness(accuracy, dataset)
        notes = "; ".join([note, *([weak] if weak else [])])
        return cls(net, f"classifier:{weights_hash(net)}", notes, weak)

    @torch.inference_mode()
    def probabilities(self, features: Tensor) -> Tensor:
        """(n, classes) float32, from the last layer."""
        last, parts = self.net[-1], features.split(self.batch)
        return torch.cat([last(part.to(self.device)).softmax(1) for part in parts])


def _key(dataset: Dataset) -> str:
    return hashlib.sha256(f"{RECIPE} {fingerprint(dataset)}".encode()).hexdigest()[:16]


def _file_name(key: str) -> str:
    return f"classifier-{key}.safetensors"


def _weakness(accuracy: str, dataset: Dataset) -> str:
    """What is wrong if the net can't tell the classes; empty if it can.

    Args:
        accuracy: on the test split, "91.3%".
        dataset: what it was trained on.
    """
    labels = dataset.test.labels
    assert labels is not None
    chance = int(labels.bincount().max()) / len(labels)  # by naming the most frequent class
    if float(accuracy.rstrip("%")) / 100 >= chance + LEAST_SKILL * (1 - chance):
        return ""
    return (
        f"the classifier gets {accuracy} of the test images right, and naming one class always "
        f"{chance:.1%}: its features hardly know the classes; are the labels of {dataset.name} "
        "classes of images?"
    )
