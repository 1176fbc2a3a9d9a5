"""Encoders (feature extractors): images in, features out."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Self

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from coequal.contract.data import Dataset

Log = Callable[[str], None]  # takes one line about long work


class Encoder(ABC):
    """Images in, features out. Two encoders with the same `id` give the same features for the same
    images.

    Attributes:
        id: its name, and a hash of its weights and preprocessing.
        note: one line on how good it is, for the report.
        weak: why distances of its features may mean little; empty if nothing is known against it.
        knows_classes: whether it gives class probabilities.
        resizes: whether it brings images to a square of its own, in colour.
        light: whether it is fast enough to be used during training.
        published_names: by number, what the literature calls it with these features: {"fd": "FID"}.
            Of a class: with its published weights; of an instance: with the weights that it has.
        statistics_dimension: the number of its features, if statistics of them are published
            (`Statistics`). Statistics of that many features that name no encoder are taken for its
            own.
        preparations: what to say beside such statistics, if images are prepared for the network in
            several ways.
        batch: how many images it encodes at a time. A multiple of this number can be encoded apart
            from other images without changing a bit. None: not known.
        device: where it computes: the CPU, until `to` moves it.
        default_rank: its place in the order in which a score tries encoders if none is named, the
            lowest first; None: it is used by name only.
    """

    id: str
    note: str
    weak: str = ""
    knows_classes: bool = False
    resizes: bool = False
    light: bool = False
    published_names: Mapping[str, str] = MappingProxyType({})
    statistics_dimension: int | None = None
    preparations: str = ""
    batch: int | None = None
    device: torch.device = torch.device("cpu")
    default_rank: int | None = None

    @classmethod
    def suits_by_default(cls, dataset: Dataset) -> bool:
        """Whether a score that names no encoder should try this one for a dataset."""
        return True

    @classmethod
    def available(cls) -> str | None:
        """What is missing on this machine, and where to get it; None if nothing is missing."""
        return None

    @classmethod
    @abstractmethod
    def unsupported_reason(cls, dataset: Dataset) -> str | None:
        """Why this encoder can't be used for a dataset, in words; None if it can."""

    @classmethod
    @abstractmethod
    def prepare(cls, dataset: Dataset, cache: Path, log: Log) -> "Encoder":
        """The encoder for a dataset, trained or loaded; its weights come from the cache if they are
        there."""

    @classmethod
    def weights_name(cls, dataset: Dataset) -> str | None:
        """The name of the safetensors file that holds a small encoder that is trained here.

        The name follows from the images and from how the encoder is trained, so it is the same on
        every machine. If `prepare` trains the encoder, it leaves the file under this name in
        `encoders` in the cache. Every run keeps a copy and measures with it, wherever the run is
        continued.

        Returns:
            None by default, for an encoder that is large, downloaded, or has no weights.
        """
        return None

    @classmethod
    def restored(cls, dataset: Dataset, path: Path) -> Self:
        """The encoder whose weights are in a file, with the `id` that it had when it was trained.

        Args:
            dataset: The images that it was trained for.
            path: A file with the name `weights_name`, in any folder.

        Raises:
            OSError: The file holds something else.
        """
        raise NotImplementedError(f"{cls.__name__} has a weights_name, and must define `restored`")

    @classmethod
    def retrained(cls, dataset: Dataset, cache: Path, log: Log, repeat: int) -> "Encoder | None":
        """The encoder that the same recipe gives with another random seed. How much a number
        changes with it is part of that number's error.

        Args:
            dataset: The images that it is for.
            cache: The folder of all caches.
            log: Called with a line of text about long work.
            repeat: 1, 2, ...; determines the seed.

        Returns:
            None by default, for an encoder that is not trained here.
        """
        return None

    def to(self, device: torch.device | str) -> Self:
        """Compute on a device from now on. The `id` stays: features on two devices differ by the
        rounding of float32.

        Args:
            device: one that torch knows and this machine has. Every network (`torch.nn.Module`)
                among the attributes is moved there; an encoder that holds other tensors must move
                them, too.

        Returns:
            This encoder.
        """
        self.device = torch.device(device)
        for value in vars(self).values():
            if isinstance(value, nn.Module):
                value.to(self.device)
        return self

    @abstractmethod
    def features(
        self, images: UInt8[Tensor, "n c h w"] | Float[Tensor, "n c h w"]
    ) -> Float[Tensor, "n d"]:
        """Float32 features, on `device`. Batches always have one size, so no caller can change a
        bit.

        Args:
            images: uint8, or float32 in [0, 1]; on any device.
        """

    def probabilities(self, features: Float[Tensor, "n d"]) -> Float[Tensor, "n classes"] | None:
        """Class probabilities of images with these features, on `device`; None if the network
        knows no classes."""
        return None
