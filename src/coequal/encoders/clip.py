"""CLIP, trained on images with their captions: knows more kinds of image than ImageNet's nets.

Radford et al. 2021, arXiv:2103.00020; its use for generated images: Kynkäänniemi et al. 2023,
arXiv:2203.06026 (ViT-B/32, the default here), and Jayasumana et al. 2024, arXiv:2401.09603
(ViT-L/14 at 336 pixels). Needs its weights.
"""

from abc import ABC
from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from coequal.encoders._transformers import VisionTransformer

PART = "Clip"


class ClipNet(VisionTransformer, ABC):
    """The image's embedding, as it is compared with captions, not normalised: 512 features, or
    768."""

    family = "clip"
    kind = "CLIPVisionModelWithProjection"
    variable = "COEQUAL_CLIP_WEIGHTS"
    mean = (0.48145466, 0.4578275, 0.40821073)
    deviation = (0.26862954, 0.26130258, 0.27577711)

    @staticmethod
    def side(config: Any) -> int:
        """What the net was trained on."""
        return int(config.image_size)

    @staticmethod
    def read(output: Any) -> Tensor:
        """The embedding, (n, d)."""
        embedding: Tensor = output.image_embeds
        return embedding


class Clip(ClipNet):
    """ViT-B/32 at 224 pixels, 512 features."""

    variant, repository = "base", "openai/clip-vit-base-patch32"


class ClipLarge(ClipNet):
    """ViT-L/14 at 224 pixels, 768 features."""

    variant, repository = "large", "openai/clip-vit-large-patch14"


class ClipLarge336(ClipNet):
    """ViT-L/14 at 336 pixels, 768 features."""

    variant, repository = "large-336", "openai/clip-vit-large-patch14-336"
    layout: ClassVar[Mapping[str, int]] = {
        "hidden_size": 1024,
        "num_hidden_layers": 24,
        "patch_size": 14,
        "image_size": 336,
        "projection_dim": 768,
    }
    published_names: Mapping[str, str] = {
        "mmd_cosine": "CMMD",
        "mmd_cosine_unbiased": "CMMD unbiased",
    }


ARGUMENTS: Mapping[str, type[ClipNet]] = {
    kind.variant: kind for kind in (Clip, ClipLarge, ClipLarge336)
}
