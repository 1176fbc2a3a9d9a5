"""What architectures have in common: the distribution of the latents, labels, spectral norm."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveFloat
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from coequal.architectures._labels import (
    ConditionalNorm,
    JoinEmbedding,
    JoinOneHot,
    Labelled,
    LabelPlane,
    MultiplyEmbedding,
)
from coequal.architectures._layers import Centre, unsupported
from coequal.architectures._players import (
    Autoencoder,
    DecoderGenerator,
    LogitDiscriminator,
    Vae,
)
from coequal.architectures._remedies import VirtualNorm, with_dropout, with_masks
from coequal.contract import (
    Architecture,
    ClassLogits,
    Generator,
    ImageShape,
    LatentVariableGenerator,
    Logits,
    Players,
    Reconstruction,
    Requirements,
)
from coequal.settings import Count

GeneratorLabels = Literal["none", "one_hot", "embedding", "product", "conditional_norm"]
DiscriminatorLabels = Literal["none", "concatenated", "projection"]
Prior = Literal["uniform", "normal", "spherical"]
Labels = frozenset[Literal["generator", "discriminator"]]

InputRange = Literal["unit", "symmetric"]
Minibatch = Literal["none", "stddev", "discrimination"]

GeneratorNorm = Literal["batch", "virtual"]

Momentum = Annotated[float, Field(gt=0, le=1)]
Dropout = Annotated[float, Field(ge=0, lt=1)]

Norm = Callable[..., nn.BatchNorm1d | nn.BatchNorm2d]


@dataclass(frozen=True)
class Conditioning(Architecture):
    """What all nets that are built of layers share: settings, and how players are put together.

    A subclass says which images fit (`_fits`), and builds the layers of a generator (`_decoder`)
    and of a discriminator (`_trunk`, which gives `_features` numbers an image), those of an
    autoencoder if it can (`_autoencoder`), and their first weights (`_initialise`).

    Attributes:
        generator_labels: how the label enters the generator (or a VAE's decoder): beside the
            latents as a one-hot vector or as a learnt one (`embedding`), as a factor of them
            (`product`), or as scale and shift of every BatchNorm (`conditional_norm`).
        discriminator_labels: how it enters the discriminator (or a VAE's encoder): `concatenated`,
            one more channel of the image; `projection`, an inner product with the features is added
            to the logit (Miyato and Koyama 2018, arXiv:1802.05637, eq. 3). An auxiliary classifier
            is not set here: an objective asks for it.
        spectral_norm: whether every layer of the discriminator is divided by its largest singular
            value, from one power iteration for each forward pass in training (Miyato et al. 2018,
            arXiv:1802.05957, algorithm 1); not the plane of `concatenated`, which is an input.
        prior: the distribution of the latents: uniform on (-1, 1), standard normal, or normal
            brought to the sphere of radius sqrt(z). A VAE's is normal.
        input_range: in which the discriminator sees images: `unit`, [0, 1]; `symmetric`, [-1, 1].
        minibatch: what the discriminator's last layer sees of the whole batch: its standard
            deviation (Karras et al. 2018, arXiv:1710.10196), or how near other images are
            (Salimans et al. 2016, arXiv:1606.03498, section 3.2).
        generator_dropout, discriminator_dropout: fraction of channels that dropout sets to 0 after
            every activation that stands among the layers (in `resnet` the last alone); the
            generator's also when it is sampled, its masks being part of the latents.
        generator_norm: `batch`, or `virtual`: statistics of a fixed reference batch of 64 latents
            (Salimans et al. 2016, section 3.5), at the cost of 64 images more in each pass.
        width: multiplies every number of channels and hidden units; 1 is the paper's.
        latents: numbers of z.
    """

    generator_labels: GeneratorLabels = "none"
    discriminator_labels: DiscriminatorLabels = "none"
    spectral_norm: bool = False
    prior: Prior = "uniform"
    input_range: InputRange = "unit"
    minibatch: Minibatch = "none"
    generator_dropout: Dropout = 0.0
    discriminator_dropout: Dropout = 0.0
    generator_norm: GeneratorNorm = "batch"
    width: PositiveFloat = 1.0
    latents: Count = 64

    logit_bias: ClassVar[bool] = True
    """Whether the discriminator's last layer has a bias."""

    @abstractmethod
    def _fits(self, shape: ImageShape) -> bool:
        """Whether there are nets for images of this shape."""

    @abstractmethod
    def _decoder(self, shape: ImageShape, classes: int | None) -> Labelled:
        """A generator's layers, from the latents to what a sigmoid makes images of."""

    @abstractmethod
    def _trunk(self, shape: ImageShape, classes: int | None) -> Labelled:
        """A discriminator's layers, from images to (n, `_features(shape)`)."""

    @abstractmethod
    def _features(self, shape: ImageShape) -> int:
        """How many numbers an image becomes in `_trunk`."""

    @abstractmethod
    def _initialise(self, net: nn.Module) -> None:
        """Draw a net's first weights."""

    def _vae_decoder(self, shape: ImageShape, classes: int | None) -> Labelled:
        """The layers of a VAE's decoder."""
        return self._decoder(shape, classes)

    def _autoencoder(self, shape: ImageShape, classes: int | None) -> Autoencoder:
        """The discriminator of nets whose capabilities have a `Reconstruction`."""
        raise NotImplementedError(f"{type(self).__name__} builds no autoencoder")

    def unsupported_reason(self, shape: ImageShape) -> str | None:
        """Why images of this shape can't be had, in words; None if they can."""
        return None if self._fits(shape) else unsupported(self, shape)

    def build(self, shape: ImageShape, classes: int | None, requirements: Requirements) -> Players:
        """A generator or a VAE, and a discriminator or an autoencoder, or none.

        All layers are made in this order before the first weights are drawn, so that a seed gives
        the same nets everywhere.

        Raises:
            ValueError: nets that take labels were asked for, and there are no classes.
        """
        generator: Generator
        if requirements.generator is LatentVariableGenerator:
            trunk, decoder = self._trunk(shape, classes), self._vae_decoder(shape, classes)
            generator = Vae(trunk, self._features(shape), decoder, self.latents)
        else:
            decoder = with_masks(self._decoder(shape, classes), self.generator_dropout)
            generator = DecoderGenerator(decoder, self.latents, self.prior, classes)
        discriminator = self._discriminator(shape, classes, requirements)
        self._initialise(generator)
        if discriminator is not None:
            self._initialise(discriminator)
            self._normalise(discriminator)
        return Players(generator, discriminator)

    def units(self, full: int) -> int:
        """A number of channels or units at this width; at least 1.

        Args:
            full: the number at width 1.
        """
        return max(1, round(full * self.width))

    @property
    def uses_labels(self) -> Labels:
        """By the settings."""
        found: set[Literal["generator", "discriminator"]] = set()
        if self.generator_labels != "none":
            found.add("generator")
        if self.discriminator_labels != "none":
            found.add("discriminator")
        return frozenset(found)

    def unmet(self, requirements: Requirements) -> list[str]:
        """Beside what it can't build: settings that have no place in what is asked for."""
        found = super().unmet(requirements)
        if self.discriminator_labels == "projection" and requirements.output not in (
            Logits,
            ClassLogits,
        ):
            what = "an autoencoder" if requirements.output else "a model without a discriminator"
            found.append(f"discriminator_labels other than projection ({what} has no logit)")
        if requirements.output is None:
            for name in ("spectral_norm", "minibatch", "discriminator_dropout"):
                if getattr(self, name) not in (False, 0.0, "none"):
                    found.append(f"no {name} (it has no discriminator)")
        if requirements.output is Reconstruction and self.minibatch != "none":
            found.append("minibatch: none (an autoencoder has no logit)")
        if issubclass(requirements.generator, LatentVariableGenerator):
            if self.generator_dropout:
                found.append("generator_dropout: 0 (a VAE decodes without masks)")
            if self.generator_norm == "virtual":
                found.append("generator_norm: batch (a VAE decodes without a reference batch)")
        return found

    def _shown(self) -> list[nn.Module]:
        """What stands between an image and a discriminator's first layer."""
        return [Centre()] if self.input_range == "symmetric" else []

    def _joined(self, latents: int, classes: int | None) -> tuple[list[nn.Module], int]:
        """What stands before a generator's first layer, and how many numbers come out of it."""
        known = self._known(classes) if self.generator_labels != "none" else 0
        if self.generator_labels == "one_hot":
            return [JoinOneHot(known)], latents + known
        if self.generator_labels == "embedding":
            return [JoinEmbedding(known, latents)], 2 * latents
        if self.generator_labels == "product":
            return [MultiplyEmbedding(known, latents)], latents
        return [], latents

    def _generator_norm(self, norm: Norm, features: int, classes: int | None) -> nn.Module:
        """BatchNorm of a generator, by class if the setting says so."""
        conditional = self.generator_labels == "conditional_norm"
        plain: nn.Module = norm(features, affine=not conditional)
        if self.generator_norm == "virtual":
            epsilon = norm(1).eps
            plain = VirtualNorm(features, epsilon, affine=not conditional)
        return ConditionalNorm(plain, features, self._known(classes)) if conditional else plain

    def _label_plane(self, shape: ImageShape, classes: int | None) -> tuple[list[nn.Module], int]:
        """What stands before a discriminator's first layer, and how many channels come out of
        it."""
        if self.discriminator_labels != "concatenated":
            return [], shape.channels
        return [LabelPlane(self._known(classes), *shape[1:])], shape.channels + 1

    def _discriminator(
        self, shape: ImageShape, classes: int | None, requirements: Requirements
    ) -> nn.Module | None:
        """The net that `requirements` asks for; None if it asks for none."""
        if requirements.output is Reconstruction:
            net = self._autoencoder(shape, classes)
            net.encoder = with_dropout(net.encoder, self.discriminator_dropout)
            return net
        if requirements.output not in (Logits, ClassLogits):
            return None
        layers = with_dropout(self._trunk(shape, classes), self.discriminator_dropout)
        return LogitDiscriminator(
            layers,
            self._features(shape),
            self._known(classes) if self.discriminator_labels == "projection" else None,
            classes=self._known(classes) if requirements.output is ClassLogits else None,
            bias=self.logit_bias,
            minibatch=self.minibatch,
        )

    @staticmethod
    def _known(classes: int | None) -> int:
        if classes is None:
            raise ValueError("nets that take labels were asked for, and the images have none")
        return classes

    def _normalise(self, discriminator: nn.Module) -> None:
        """Normalise the weights of a discriminator's layers spectrally, if the setting says so."""
        if self.spectral_norm:
            inputs = [m.embedding for m in discriminator.modules() if isinstance(m, LabelPlane)]
            for layer in list(discriminator.modules()):
                kinds = nn.Linear | nn.Conv2d | nn.ConvTranspose2d | nn.Embedding
                if isinstance(layer, kinds) and layer not in inputs:
                    spectral_norm(layer)
