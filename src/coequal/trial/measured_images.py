"""The images by which a trial is measured: they follow from its weights and its seeds alone."""

from torch import Tensor

from coequal.contract import Dataset, Generator
from coequal.evaluation.conditions import like_split
from coequal.evaluation.instrument import SplitName, generate
from coequal.records import Trial
from coequal.rng import Rng
from coequal.seeds import seed_for


def measured_images(
    trial: Trial,
    generator: Generator,
    dataset: Dataset,
    split: SplitName,
    step: int,
    device: str = "cpu",
) -> tuple[Tensor, Tensor | None]:
    """The images that are measured against a split at one step of a training.

    Args:
        trial: its seed decides the latents.
        generator: that it trained, on the device.
        dataset: the trial's own; classes are asked for as often as the split has them.
        split: what chooses must not be what is reported, so each has images of its own.
        step: of the training.
        device: what torch computes on.

    Returns:
        (samples, c, h, w) in the form of the dataset's images, on the device; and the
        (samples,) classes asked for, None of a generator that takes none.
    """
    count = int(trial.evaluation["samples"])
    rng = Rng(seed_for(trial.seed_id, "evaluation", split, step), device)
    asked = like_split(dataset.split(split), count, Rng(seed_for("labels", split)))
    images = generate(generator, count, rng, asked, dataset.train.images.dtype)
    return images, asked.labels if generator.conditional else None
