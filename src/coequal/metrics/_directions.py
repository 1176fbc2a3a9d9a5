"""Features as directions: scaled to length 1, so that products are cosines."""

import torch
from jaxtyping import Float
from torch import Tensor


def directions(features: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Features of length 1, in float64; NaN where all are 0."""
    largest = features.abs().amax(1, keepdim=True).double()  # squares of tiny values are 0
    scaled: Tensor = features / largest
    return scaled.div_(torch.linalg.vector_norm(scaled, dim=1, keepdim=True))


def no_direction(**sides: Float[Tensor, "n d"]) -> str | None:
    """Why some images have no direction, in words; None if all have one.

    Args:
        sides: features, by what the images are ("real").
    """
    for side, features in sides.items():
        if lost := int((features == 0).all(1).sum()):
            return f"the features of {lost} {side} images are all 0 and have no direction"
    return None
