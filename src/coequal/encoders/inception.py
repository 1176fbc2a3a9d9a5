"""The Inception net that FID is defined with (needs its weights: a download of 96 MB).

Heusel et al. 2017, arXiv:1706.08500. Three ways to bring images to 299x299 are in use, and give
three different distances: `tf1` is that of the papers, `clean` that of Parmar et al. 2022,
arXiv:2104.11222, `torch` that of pytorch-fid. Only with `tf1` and the official weights is a Fréchet
distance called FID. `spatial` are features of a layer before the pools, which see where things are
(Nash et al. 2021, arXiv:2103.03841); with `tf1` and the official weights their distance is sFID.
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


PREPARATIONS = (
    "those of guided-diffusion, StyleGAN, EDM and TTUR go with inception (TensorFlow 1's resize), "
    "of clean-fid with inception:clean, of pytorch-fid with inception:torch, and a distance across "
    "two of these is no FID"
)


class FidInception(Encoder, ABC):
    """The net with one way to resize and one layer; final subclasses name both."""

    variant: ClassVar[str]
    resize: ClassVar[str]
    layer: ClassVar[str] = ""  # in words, where it is not the last pool
    preparations = PREPARATIONS
    batch = BATCH
    resizes = True

    def __init__(self, net: _inception_net.Inception, sha256: str, official: bool) -> None:
        self.net = net
        self.published_names = type(self).published_names if official else {}
        words = "; ".join(filter(None, (PREPROCESSING[self.resize].words, self.layer)))
        key = hashlib.sha256(f"v1 {sha256} {words}".encode()).hexdigest()[:12]
        self.id = f"inception:{self.variant}:{key}"
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
            net = _inception_net.built(weights.values, spatial=bool(cls.layer))
        except RuntimeError as error:
            raise ValueError(f"these are no weights of the FID Inception: {error}") from error
        return cls(net, weights.sha256, weights.official)

    def features(self, images: Tensor) -> Tensor:
        """(n, 2048) float32, or (n, 2023) of the spatial layer."""
        return in_batches(self._run, images, BATCH, self.device)

    def _run(self, images: Tensor) -> Tensor:
        features: Tensor = self.net(coloured(PREPROCESSING[self.resize].apply(images)))
        return features


class PooledInception(FidInception, ABC):
    """2048 features, after the last average pool."""

    knows_classes = True

    @torch.inference_mode()
    def probabilities(self, features: Tensor) -> Tensor:
        """(n, 1008) float32, without the bias of the last layer, as in every Inception Score."""
        return self.net.logits(features.to(self.device)).softmax(1)


class Inception(PooledInception):
    """As in the papers."""

    variant = resize = "tf1"
    published_names: Mapping[str, str] = {"fd": "FID", "mifd": "MiFID"}
    statistics_dimension = 2048
    default_rank = 30


class InceptionClean(PooledInception):
    """With an antialiased resize."""

    variant = resize = "clean"


class InceptionTorch(PooledInception):
    """As in pytorch-fid."""

    variant = resize = "torch"


class InceptionSpatial(FidInception):
    """The first 7 channels of the first branch of the layer mixed_6, after its ReLU, at 17x17
    places: 2023 features, in the order (place, channel) of the statistics `mu_s` and `sigma_s` that
    guided-diffusion's evaluator and its reference batches hold."""

    variant = "spatial"
    resize = "tf1"
    layer = "channels 0 to 6 of mixed_6/conv"
    published_names: Mapping[str, str] = {"fd": "sFID"}
    statistics_dimension = 2023


ARGUMENTS: Mapping[str, type[FidInception]] = {
    kind.variant: kind for kind in (Inception, InceptionClean, InceptionTorch, InceptionSpatial)
}
