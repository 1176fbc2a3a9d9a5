"""The contract of an encoder."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import SkipTest

import torch

from coequal.contract import Dataset, Encoder
from coequal.testing._requirements import name_of, no_global_draws, require
from coequal.testing._small_parts import small_dataset

SOME = 7  # images that are asked for without the others


def check_encoder(
    kind: type[Encoder], dataset: Dataset | None = None, *, cache: Path | None = None
) -> None:
    """Check that an encoder keeps the contract.

    Its features are finite float32 numbers on its device, a row for each image; the same bits
    again, for some of the images alone, and from an encoder that is prepared a second time, with
    the same `id`. Class probabilities sum to 1, if and only if it says that it knows classes.
    One that has a `weights_name` leaves that file in the cache, and is the same again when it is
    restored from it. Nothing draws from a global generator.

    Args:
        kind: the class (an encoder is prepared for a dataset).
        dataset: images that it can encode; by default small grey ones of 8x8 of two classes.
        cache: the folder of all caches; by default one that is empty and removed afterwards.

    Raises:
        AssertionError: the contract is broken; the message says how.
        TypeError: this is no class that extends `Encoder`.
        ValueError: it can't encode the dataset; the message is its own reason.
        unittest.SkipTest: it can't be had on this machine.
    """
    if not (isinstance(kind, type) and issubclass(kind, Encoder)):
        raise TypeError(f"{name_of(kind)} is no class that extends Encoder")
    if missing := kind.available():
        raise SkipTest(missing)
    data = dataset or small_dataset()
    if reason := kind.unsupported_reason(data):
        raise ValueError(f"{name_of(kind)} can't encode {data.name} ({reason}): give a dataset")
    with TemporaryDirectory() as folder:
        _check(kind, data, cache or Path(folder))


def _check(kind: type[Encoder], data: Dataset, cache: Path) -> None:
    images = data.test.images.whole
    with no_global_draws(kind, "the encoder"):
        encoder = kind.prepare(data, cache, lambda line: None)
        features = encoder.features(images)
        again = kind.prepare(data, cache, lambda line: None)
    check_form(kind, encoder, features, len(images))
    some = encoder.features(images[:SOME])
    same = torch.equal(some, features[:SOME])
    require(same, kind, "the features of an image depend on the images that are asked for with it")
    require(again.id == encoder.id, kind, f"two ids for one dataset: {encoder.id}, {again.id}")
    same = torch.equal(again.features(images), features)
    require(same, kind, "prepared a second time, it gives other features under the same id")
    if file := kind.weights_name(data):
        path = cache / "encoders" / file
        require(path.exists(), kind, f"has a weights_name, and `prepare` left no {path}")
        restored = kind.restored(data, path)
        same = torch.equal(restored.features(images), features) and restored.id == encoder.id
        require(same, kind, "restored from its file, it has another id or other features")


def check_form(kind: type[Encoder], encoder: Encoder, features: Any, count: int) -> None:
    """Require that an encoder, its features and its probabilities are of the form that they must
    have.

    Args:
        kind: the class.
        encoder: what its `prepare` gave.
        features: of `count` images, as it gave them.
        count: of the images.

    Raises:
        AssertionError: they are not.
    """
    require(isinstance(encoder, kind), kind, f"prepare must give a {name_of(kind)}")
    for name in ("id", "note"):
        text = getattr(encoder, name, None)
        require(isinstance(text, str) and bool(text), kind, f"must have a text as its `{name}`")
    if not torch.is_tensor(features):
        require(False, kind, f"features must be a tensor, not a {name_of(features)}")
    form = f"{features.dtype} of shape {tuple(features.shape)} on {features.device}"
    right = features.dtype == torch.float32 and features.ndim == 2 and len(features) == count
    where = encoder.device.type
    message = f"features must be float32, a row for each image, on the {where}; not {form}"
    require(right and features.device.type == where, kind, message)
    require(bool(features.isfinite().all()), kind, "features must be finite")
    probabilities = encoder.probabilities(features)
    right = (probabilities is not None) == encoder.knows_classes
    require(right, kind, "must give class probabilities if it knows_classes, and only then")
    if probabilities is not None:
        require(torch.is_tensor(probabilities), kind, "class probabilities must be a tensor")
        sums = probabilities.sum(1)
        right = len(sums) == count and bool(((sums - 1).abs() < 1e-4).all())
        require(right, kind, "class probabilities must sum to 1, a row for each image")
