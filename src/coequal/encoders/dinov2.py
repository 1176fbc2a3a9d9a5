"""DINOv2, whose Fréchet distance agrees better with people than Inception's (needs its weights).

Oquab et al. 2023, arXiv:2304.07193; its use for generated images: Stein et al. 2023,
arXiv:2306.04675. They take the large net, the default here, on images of 224x224 pixels.
"""

from abc import ABC
from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from coequal.encoders._transformers import VisionTransformer

PART = "Dinov2"


class Dinov2Net(VisionTransformer, ABC):
    """The class token after the last layer norm: 384, 768, 1024 or 1536 features by size."""

    family = "dinov2"
    kind = "Dinov2Model"
    variable = "COEQUAL_DINOV2_WEIGHTS"
    mean = (0.485, 0.456, 0.406)  # ImageNet's
    deviation = (0.229, 0.224, 0.225)

    @staticmethod
    def side(config: Any) -> int:
        """224, as in Stein et al.; the net was last trained on 518 and interpolates positions."""
        return 224

    @staticmethod
    def read(output: Any) -> Tensor:
        """The class token, (n, d)."""
        token: Tensor = output.last_hidden_state[:, 0]
        return token


class Dinov2Small(Dinov2Net):
    """21 million parameters."""

    variant, repository = "small", "facebook/dinov2-small"


class Dinov2Base(Dinov2Net):
    """86 million parameters."""

    variant, repository = "base", "facebook/dinov2-base"


class Dinov2(Dinov2Net):
    """300 million parameters: the one that published distances are of."""

    variant, repository = "large", "facebook/dinov2-large"
    layout: ClassVar[Mapping[str, int]] = {
        "hidden_size": 1024,
        "num_hidden_layers": 24,
        "patch_size": 14,
    }
    published_names: Mapping[str, str] = {"fd": "FD-DINOv2"}


class Dinov2Giant(Dinov2Net):
    """1,100 million parameters."""

    variant, repository = "giant", "facebook/dinov2-giant"


ARGUMENTS: Mapping[str, type[Dinov2Net]] = {
    kind.variant: kind for kind in (Dinov2Small, Dinov2Base, Dinov2, Dinov2Giant)
}
