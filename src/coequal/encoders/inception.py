"""The Inception net that FID is defined with (needs its weights: a download of 96 MB).

Heusel et al. 2017, arXiv:1706.08500. Three ways to bring images to 299x299 are in use, and give
three different distances: `tf1` is that of the papers, `clean` that of Parmar et al. 2022,
arXiv:2104.11222, `torch` that of pytorch-fid. Only with `tf1` and the official weights is a Fréchet
distance called FID.
"""

import hashlib
from abc import ABC
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, NamedTuple, Self

import torch
from torch import Tensor

from coequal.contract import Dataset, Encoder, Log
from coequal.encoders import _inception_net, _inception_weights
from coequal.encoders._batches import in_batches
from coequal.encoders._resize import (
    clean_bicubic,
    coloured,
    refuse_channels,
    tf1_bilinear,
    torch_bilinear,
)

PART = "Inception"

SIZE = 299
BATCH = 16


class Preprocessing(NamedTuple):
    """Uint8 images (n, c, h, w) to float32 ones (n, c, 299, 299); the words stand in the id's
    hash."""

    words: str
    apply: Callable[[Tensor], Tensor]


def _tf1(images: Tensor) -> Tensor:
    return tf1_bilinear(images, SIZE, SIZE).sub_(128).div_(128)


def _clean(images: Tensor) -> Tensor:
    return clean_bicubic(images, SIZE, SIZE).sub_(128).div_(128)


def _torch(images: Tensor) -> Tensor:
    return torch_bilinear(images, SIZE, SIZE).mul_(2).sub_(1)


PREPROCESSING: Mapping[str, Preprocessing] = {
    "tf1": Preprocessing(
        "TensorFlow 1's bilinear resize to 299x299 without antialias, (x - 128) / 128", _tf1
    ),
    "clean": Preprocessing(
        "Pillow's antialiased bicubic resize to 299x299 in floats, (x - 128) / 128", _clean
    ),
    "torch": Preprocessing(
        "torch's bilinear resize to 299x299 without antialias, 2 x / 255 - 1", _torch
    ),
}


class FidInception(Encoder, ABC):
    """2048 features, after the last average pool; a final subclass per way to resize."""

    resize: ClassVar[str]
    knows_classes = True
    batch = BATCH
    resizes = True

    def __init__(self, net: _inception_net.Inception, sha256: str, official: bool) -> None:
        self.net = net
        self.is_fid = official and type(self).is_fid
        words = PREPROCESSING[self.resize].words
        key = hashlib.sha256(f"v1 {sha256} {words}".encode()).hexdigest()[:12]
        self.id = f"inception:{self.resize}:{key}"
        kind = "official weights" if official else f"weights of your own, {sha256[:12]}"
        self.note = f"Inception of 2015-12-05, {kind}; {words}"

    @classmethod
    def available(cls) -> str | None:
        """Weights that are neither here nor in reach."""
        return _inception_weights.missing()

    @classmethod
    def unsupported_reason(cls, dataset: Dataset) -> str | None:
        """Images that are neither grey nor coloured."""
        return refuse_channels("inception", dataset.shape[0], dataset.name)

    @classmethod
    def prepare(cls, dataset: Dataset, cache: Path, log: Log) -> Self:
        """The net, with its weights read or downloaded.

        Raises:
            FileNotFoundError: There are no weights; the message names which file to put where.
            ValueError: A file of weights is not the net's.
        """
        weights = _inception_weights.find_weights(cache, log)
        try:
            net = _inception_net.built(weights.values)
        except RuntimeError as error:
            raise ValueError(f"these are no weights of the FID Inception: {error}") from error
        return cls(net, weights.sha256, weights.official)

    def features(self, images: Tensor) -> Tensor:
        """(n, 2048) float32."""
        apply = PREPROCESSING[self.resize].apply
        return in_batches(lambda batch: self.net(coloured(apply(batch))), images, BATCH)

    @torch.inference_mode()
    def probabilities(self, features: Tensor) -> Tensor:
        """(n, 1008) float32, without the bias of the last layer, as in every Inception Score."""
        return self.net.logits(features).softmax(1)


class Inception(FidInception):
    """As in the papers."""

    resize = "tf1"
    is_fid = True
    default_rank = 30


class InceptionClean(FidInception):
    """With an antialiased resize."""

    resize = "clean"


class InceptionTorch(FidInception):
    """As in pytorch-fid."""

    resize = "torch"


ARGUMENTS: Mapping[str, type[FidInception]] = {
    kind.resize: kind for kind in (Inception, InceptionClean, InceptionTorch)
}
