"""What an auxiliary classifier adds to a loss."""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cross_entropy

from coequal.contract import ClassLogits, Samples


def class_loss(output: ClassLogits, samples: Samples) -> Float[Tensor, ""]:
    """Cross-entropy of the classes that the images were asked for or have, in nats, mean over
    images.

    Raises:
        ValueError: the images have no labels.
    """
    if samples.labels is None:
        raise ValueError("an auxiliary classifier needs labels, and the images have none")
    return cross_entropy(output.classes, samples.labels)
