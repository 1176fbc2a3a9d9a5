"""The contract between the training loop, an objective and an architecture.

Five sentences sum it up. The loop makes the fake images and calls the objective; the objective
returns one scalar, named parts and its state. The discriminator's loss gets no generator; the
generator's loss gets both, with the discriminator frozen. The objective reaches the discriminator
only through the loop's view of it, where noise and augmentation act in the same way for all
objectives. Anything else an objective needs is data (`Requirements`), never code that runs after a
step. All randomness of an image is in
its latents; every other draw comes from a random stream that the loop owns and checkpoints.

`docs/explanation/contract.md` explains it for anyone who wants to add a GAN.
"""

from coequal.contract.architectures import Architecture, Capabilities, Players
from coequal.contract.callbacks import Callback, StudyInfo, TrialInfo, TrialOutcome
from coequal.contract.data import Dataset, ImageRows, KnownManifold, Split
from coequal.contract.encoders import Encoder, Log
from coequal.contract.errors import ContractError
from coequal.contract.feature_statistics import Statistics
from coequal.contract.image_sets import ImageSet
from coequal.contract.metrics import (
    ImageValueInfo,
    ImageValues,
    Metric,
    MetricValue,
    RequiredInput,
)
from coequal.contract.nets import (
    UNCONDITIONAL,
    ClassLogits,
    Conditions,
    D,
    D_co,
    DensityGenerator,
    Discriminate,
    DiscriminatorOutput,
    G,
    Generator,
    GeneratorInput,
    ImageShape,
    LatentVariableGenerator,
    Logits,
    Reconstruction,
    Samples,
    StochasticLayer,
    discriminate_with_gradient,
)
from coequal.contract.objectives import (
    Adversarial,
    Batch,
    LazyRegulariser,
    Likelihood,
    Loss,
    LossFunction,
    Objective,
    RealBatch,
    Requirements,
    State,
)
from coequal.records import MetricInfo

__all__ = [
    "UNCONDITIONAL",
    "Adversarial",
    "Architecture",
    "Batch",
    "Callback",
    "Capabilities",
    "ClassLogits",
    "Conditions",
    "ContractError",
    "D",
    "D_co",
    "Dataset",
    "DensityGenerator",
    "Discriminate",
    "DiscriminatorOutput",
    "Encoder",
    "G",
    "Generator",
    "GeneratorInput",
    "ImageRows",
    "ImageSet",
    "ImageShape",
    "ImageValueInfo",
    "ImageValues",
    "KnownManifold",
    "LatentVariableGenerator",
    "LazyRegulariser",
    "Likelihood",
    "Log",
    "Logits",
    "Loss",
    "LossFunction",
    "Metric",
    "MetricInfo",
    "MetricValue",
    "Objective",
    "Players",
    "RealBatch",
    "Reconstruction",
    "RequiredInput",
    "Requirements",
    "Samples",
    "Split",
    "State",
    "Statistics",
    "StochasticLayer",
    "StudyInfo",
    "TrialInfo",
    "TrialOutcome",
    "discriminate_with_gradient",
]
