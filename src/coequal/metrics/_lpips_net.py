"""LPIPS of two images: Zhang et al. 2018, arXiv:1801.03924, with AlexNet and the heads of version
0.1.

The heads come with the package `lpips`; AlexNet's own weights are a file of torchvision's, which
that package would download.
"""

import hashlib
import importlib.util
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from coequal.files import cache_folder

VARIABLE = "COEQUAL_ALEXNET_WEIGHTS"
NAME = "alexnet-owt-7be5be79.pth"
URL = f"https://download.pytorch.org/models/{NAME}"
PACKAGE = "lpips"
HEADS = Path("weights", "v0.1", "alex.pth")  # in the package
SMALLEST = 31  # pixels a side, from which the last layers see anything
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of colours in [-1, 1]
EPSILON = 1e-10  # beside the length of a feature


class Layer(NamedTuple):
    """A convolution of AlexNet: its number in torchvision's file, and how it moves."""

    number: int
    stride: int
    padding: int
    pooled: bool  # whether what goes in is halved first


LAYERS = (
    Layer(0, 4, 2, False),
    Layer(3, 1, 2, True),
    Layer(6, 1, 1, True),
    Layer(8, 1, 1, False),
    Layer(10, 1, 1, False),
)


def missing() -> str | None:
    """What to do if the weights of the net or of its heads are not here; else None."""
    if _heads() is None:
        return f'needs the package {PACKAGE}: pip install "coequal[lpips]"'
    if given := os.environ.get(VARIABLE):
        there = Path(given).expanduser().is_file()
        return None if there else f"{VARIABLE} is '{given}', and there is no such file"
    if _trunk() is None:
        return (
            f"needs AlexNet's weights: put {NAME} (from {URL}) into {_places()[0].parent}, or its "
            f"path into {VARIABLE}"
        )
    return None


class Lpips:
    """The distance of two images.

    Attributes:
        sha256: of both files of weights.
    """

    def __init__(self, trunk: Path, heads: Path) -> None:
        """Read both files.

        Args:
            trunk: AlexNet's weights, by torchvision's names.
            heads: weights of the channels of each layer, by the names of the package `lpips`.

        Raises:
            ValueError: a file holds something else, or torchvision's file is not the one that its
                name says.
        """
        raw = [trunk.read_bytes(), heads.read_bytes()]
        digest = hashlib.sha256(raw[0]).hexdigest()
        if trunk.name == NAME and not digest.startswith("7be5be79"):
            raise ValueError(f"{trunk} is damaged: its SHA-256 begins with {digest[:8]}")
        self.sha256 = hashlib.sha256(b"".join(raw)).hexdigest()
        first, second = _read(trunk), _read(heads)
        try:
            self._convolutions = [
                (first[f"features.{layer.number}.weight"], first[f"features.{layer.number}.bias"])
                for layer in LAYERS
            ]
        except KeyError as error:
            raise ValueError(f"{trunk} holds no {error}: it is not AlexNet's weights") from error
        self._heads = [second[f"lin{place}.model.1.weight"] for place in range(len(LAYERS))]
        self._colours = [torch.tensor(x).view(1, 3, 1, 1) for x in (SHIFT, SCALE)]

    @classmethod
    def found(cls) -> "Lpips":
        """The net with the weights that are here; see `missing`."""
        trunk, heads = _trunk(), _heads()
        assert trunk is not None
        assert heads is not None
        return cls(trunk, heads)

    def to(self, device: torch.device) -> "Lpips":
        """The net on a device; this one."""
        pairs = [(weight.to(device), bias.to(device)) for weight, bias in self._convolutions]
        self._convolutions = pairs
        self._heads = [head.to(device) for head in self._heads]
        self._colours = [colour.to(device) for colour in self._colours]
        return self

    @torch.no_grad()
    def distances(
        self, first: Float[Tensor, "n c h w"], second: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, " n"]:
        """LPIPS of each pair of images.

        Args:
            first: values in [0, 1], in grey or in three colours, `SMALLEST` pixels a side or more.
            second: likewise, of equal shape.
        """
        total = torch.zeros(len(first), device=first.device)
        layers = zip(self._features(first), self._features(second), self._heads, strict=True)
        for one, other, head in layers:
            weighted = functional.conv2d((one - other).square(), head)
            total += weighted.mean((1, 2, 3))
        return total

    def _features(self, images: Tensor) -> Iterator[Tensor]:
        """What each layer gives, of length 1 at every place."""
        shift, scale = self._colours
        x = ((2 * images.float() - 1).expand(-1, 3, -1, -1) - shift) / scale
        for layer, (weight, bias) in zip(LAYERS, self._convolutions, strict=True):
            if layer.pooled:
                x = functional.max_pool2d(x, 3, 2)
            x = functional.conv2d(x, weight, bias, layer.stride, layer.padding).relu_()
            yield x / (torch.linalg.vector_norm(x, dim=1, keepdim=True) + EPSILON)


def _read(path: Path) -> Mapping[str, Tensor]:
    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of many kinds: each means that the file is something else
        raise ValueError(f"{path} is not a file of weights: {error}") from error
    if not isinstance(values, Mapping):
        raise ValueError(f"{path} holds a {type(values).__name__}, not weights by name")
    return values


def _heads() -> Path | None:
    """The file of the heads in the package, which is not imported."""
    package = importlib.util.find_spec(PACKAGE)
    for place in (package.submodule_search_locations or ()) if package else ():
        if (path := Path(place) / HEADS).is_file():
            return path
    return None


def _trunk() -> Path | None:
    if given := os.environ.get(VARIABLE):
        return Path(given).expanduser()
    return next((path for path in _places() if path.is_file()), None)


def _places() -> Sequence[Path]:
    """Our cache, then torch hub's, where torchvision keeps its own."""
    return cache_folder() / "encoders" / NAME, Path(torch.hub.get_dir()) / "checkpoints" / NAME
