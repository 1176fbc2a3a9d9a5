"""The contract between the training loop, an objective and an architecture.

In five sentences. The loop makes the fake images and calls the objective; the objective returns one
scalar, named parts and its state. The discriminator's loss gets no generator; the generator's loss
gets both, with the discriminator frozen. The objective reaches the discriminator only through the
loop's view of it, where noise and augmentation act for all alike. What an objective wants beyond
that is data (`Needs`), never code that runs after a step. All chance of an image is in its latents;
every other draw comes from a stream that the loop owns and checkpoints.

`docs/contract.md` explains it to somebody who wants to add a GAN.
"""

from coequal.contract.architectures import Architecture, Offers, Players
from coequal.contract.data import Dataset, KnownManifold, Split
from coequal.contract.measuring import Encoder, ImageSet, Log, Metric, Value, Want
from coequal.contract.nets import (
    ClassLogits,
    D,
    D_co,
    DensityGenerator,
    Discriminate,
    DiscriminatorOutput,
    Draws,
    G,
    Generator,
    ImageShape,
    LatentVariableGenerator,
    Logits,
    Reconstruction,
    Request,
    Samples,
    discriminate_with_gradient,
)
from coequal.contract.objectives import (
    Adversarial,
    Lazy,
    Likelihood,
    Loss,
    Needs,
    Objective,
    PlayerLoss,
    State,
)
from coequal.records import MetricInfo

__all__ = [
    "Adversarial",
    "Architecture",
    "ClassLogits",
    "D",
    "D_co",
    "Dataset",
    "DensityGenerator",
    "Discriminate",
    "DiscriminatorOutput",
    "Draws",
    "Encoder",
    "G",
    "Generator",
    "ImageSet",
    "ImageShape",
    "KnownManifold",
    "LatentVariableGenerator",
    "Lazy",
    "Likelihood",
    "Log",
    "Logits",
    "Loss",
    "Metric",
    "MetricInfo",
    "Needs",
    "Objective",
    "Offers",
    "PlayerLoss",
    "Players",
    "Reconstruction",
    "Request",
    "Samples",
    "Split",
    "State",
    "Value",
    "Want",
    "discriminate_with_gradient",
]
