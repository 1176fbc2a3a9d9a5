"""How class labels enter a net: layers that take them, and a sequence that hands them on."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


class TakesLabels(nn.Module):
    """A layer whose forward is given the labels of the images, (n,) int64, as well.

    Attributes:
        only_passes: it has no use for them but hands them to layers inside, which may have.
    """

    only_passes: bool = False


class Labelled(nn.Sequential):
    """Layers in turn; those that take labels get them. Without such layers an `nn.Sequential`."""

    def forward(self, values: Tensor, labels: Int[Tensor, " n"] | None = None) -> Tensor:
        """The output of the last layer.

        Raises:
            ValueError: a layer takes labels and there are none.
        """
        for layer in self:
            if not isinstance(layer, TakesLabels):
                values = layer(values)
            elif labels is None and not layer.only_passes:
                raise ValueError(f"{type(layer).__name__} needs labels, and the batch has none")
            else:
                values = layer(values, labels)
        return values


class JoinOneHot(TakesLabels):
    """(n, z) to (n, z + classes): Mirza and Osindero 2014, arXiv:1411.1784."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes

    def forward(self, latents: Float[Tensor, "n z"], labels: Int[Tensor, " n"]) -> Tensor:
        """The latents, and a one in the place of the class."""
        one_hot = nn.functional.one_hot(labels, self.classes)
        return torch.cat([latents, one_hot.to(latents.dtype)], 1)


class JoinEmbedding(TakesLabels):
    """(n, z) to (n, 2 z): a learnt vector for each class, as long as the latents, beside them."""

    def __init__(self, classes: int, latents: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(classes, latents)

    def forward(self, latents: Float[Tensor, "n z"], labels: Int[Tensor, " n"]) -> Tensor:
        """The latents, and the vector of the class."""
        return torch.cat([latents, self.embedding(labels)], 1)


class MultiplyEmbedding(TakesLabels):
    """(n, z) to (n, z): the latents, element by element, times a learnt vector for each class.

    As in many public AC-GANs; Odena et al. 2017, arXiv:1610.09585, don't say how G takes its label.
    """

    def __init__(self, classes: int, latents: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(classes, latents)

    def forward(self, latents: Float[Tensor, "n z"], labels: Int[Tensor, " n"]) -> Tensor:
        """The product."""
        product: Tensor = latents * self.embedding(labels)
        return product


class ConditionalNorm(TakesLabels):
    """BatchNorm whose scale and shift belong to the class: Dumoulin et al. 2017, arXiv:1610.07629,
    eq. 5; in GANs by Miyato and Koyama 2018, arXiv:1802.05637, section 5.

    Statistics are those of the whole batch. Scales begin at 1 and shifts at 0, as in BatchNorm.
    """

    def __init__(self, norm: nn.Module, features: int, classes: int) -> None:
        """
        Args:
            norm: without scale and shift of its own (`affine=False`).
            features: channels.
            classes: how many.
        """
        super().__init__()
        self.norm = norm
        self.scale = nn.Parameter(torch.ones(classes, features))
        self.shift = nn.Parameter(torch.zeros(classes, features))

    def forward(self, values: Tensor, labels: Int[Tensor, " n"]) -> Tensor:
        """(n, c, ...) to the same shape."""
        form = (len(values), -1) + (1,) * (values.dim() - 2)
        # `index_select`, for its deterministic gradient on every device.
        scale = self.scale.index_select(0, labels).view(form)
        shift = self.shift.index_select(0, labels).view(form)
        return torch.addcmul(shift, self.norm(values), scale)


class LabelPlane(TakesLabels):
    """(n, c, h, w) to (n, c + 1, h, w): one more channel, learnt for each class.

    The discriminator's counterpart of a label beside the latents, at a cost that does not grow with
    the number of classes; Mirza and Osindero 2014 join a one-hot vector to the flattened image.
    """

    def __init__(self, classes: int, height: int, width: int) -> None:
        super().__init__()
        self.height, self.width = height, width
        self.embedding = nn.Embedding(classes, height * width)

    def forward(self, images: Float[Tensor, "n c h w"], labels: Int[Tensor, " n"]) -> Tensor:
        """The images and their class's plane."""
        plane = self.embedding(labels).view(-1, 1, self.height, self.width)
        return torch.cat([images, plane], 1)
