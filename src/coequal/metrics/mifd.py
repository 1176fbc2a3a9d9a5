"""Memorisation-informed Fréchet distance: Bai et al. 2021, arXiv:2106.03062, section 4.

With the features of FID's Inception it is MiFID (`Encoder.published_names`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from coequal.contract import ImageSet, Metric, MetricInfo, MetricValue, RequiredInput
from coequal.contract.classes import equal_class_counts
from coequal.metrics import _gaussians
from coequal.metrics._directions import directions, no_direction
from coequal.metrics._distances import nearest
from coequal.metrics._threads import one_thread
from coequal.rng import Rng

PART = "MemorisationInformedFrechetDistance"
TINY = 1e-14  # added to a distance that divides, as in the program of the authors' competition
SURE = 3.0  # standard errors from the threshold within which the number may jump


@dataclass(frozen=True)
class MemorisationInformedFrechetDistance(Metric):
    """The Fréchet distance to the real images, over the mean cosine distance s of generated images
    to their nearest training images where s is below a threshold: 0 is best.

    The cosine distance of features x and y is 1 - |cos(x, y)|. From the threshold on, `mifd` is the
    Fréchet distance itself; next to it the number jumps by a factor of 10. The published threshold
    was chosen for Inception's features of photographs. With other features real images may be as
    near to the training images, and every generator is punished: the details have the s of the
    held-out real images beside that of the generated ones, and a warning says so.

    Deviations: real images of the Fréchet distance are held-out ones, not the training images. (The
    authors' competition had one set for both. Torchmetrics 1.9 averages over the real images the
    distance to the nearest generated one.)

    The standard error is over new generated images, from the influence functions of both factors;
    none where s is within three of its standard errors of the threshold.

    Attributes:
        threshold: of the mean cosine distance.
    """

    threshold: Annotated[float, Field(gt=0, le=1)] = 0.1

    min_images = 2
    required: ClassVar[tuple[RequiredInput, ...]] = ("train",)
    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "mifd": MetricInfo(
            "lower",
            "squared feature units",
            best=0.0,
            label="MiFD",
            use="fd that copies make worse, where held-out images pass the threshold; to "
            "compare with published MiFIDs",
        ),
    }

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """Keep the Gaussian of the real images as `fd` does, the training features, and the mean
        cosine distance () of the real images to these; NaN if some have no direction."""
        assert train is not None
        with one_thread():
            kept = _gaussians.fit_parts(real.parts).tensors()
        held_out = torch.tensor(math.nan, dtype=torch.float64)
        if no_direction(real=real.features, training=train.features) is None:
            held_out = cosine_distances(real.features, train.features).mean().cpu()
        return {**kept, "train": train.features, "held_out": held_out}

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute `mifd`; undefined if the features of a generated or training image are all 0."""
        if reason := no_direction(training=real["train"], generated=fake.features):
            return {"mifd": MetricValue.undefined(reason)}
        distances = cosine_distances(fake.features, real["train"]).cpu()
        with one_thread():
            both = {
                "real": _gaussians.from_tensors(real),
                "fake": _gaussians.fit_parts(fake.parts),
            }
            spectrum = _gaussians.common_spectrum(**both)
            frechet = _gaussians.distance(**both, spectrum=spectrum)
            response = _gaussians.response(**both)
        mean, spread = float(distances.mean()), float(distances.std()) / math.sqrt(len(distances))
        divisor = mean + TINY if mean < self.threshold else 1.0
        error = None
        if response is not None and abs(mean - self.threshold) > SURE * spread:
            influences = response.influences
            if mean < self.threshold:
                nearer = (distances - mean).numpy()
                influences = influences / divisor - frechet / divisor**2 * nearer
            balanced = equal_class_counts(fake.labels) is not None
            error = replace(response, influences=influences).error(
                fake.labels if balanced else None
            )
        held_out = float(real["held_out"])
        details = {"cosine_distance": mean, "held_out_cosine_distance": held_out}
        if not math.isfinite(held_out):
            del details["held_out_cosine_distance"]
        warnings = self._warnings(mean, held_out)
        return {"mifd": MetricValue(frechet / divisor, error, details=details, warnings=warnings)}

    def _warnings(self, mean: float, held_out: float) -> tuple[str, ...]:
        """That the threshold tells nothing with these features, if so."""
        if not (mean < self.threshold and held_out < self.threshold):
            return ()
        return (
            f"held-out real images, too, are nearer to training images ({held_out:.2g}) than the "
            f"threshold of {self.threshold:g}: with these features it tells no copies",
        )


def cosine_distances(
    images: Float[Tensor, "n d"], others: Float[Tensor, "m d"]
) -> Float[Tensor, " n"]:
    """1 - |cos| of each image and the one of the others that is nearest by it; exactly 0 of a copy.

    Directions at |x - y| have the cosine 1 - |x - y|^2 / 2, and at |x + y| the opposite one.
    """
    ours, theirs = (directions(x).float() for x in (images, others))
    found = nearest(ours, theirs, 1).distances[:, 0]
    if min(images.min(), others.min()) < 0:  # else no cosine is below 0
        found = torch.minimum(found, nearest(ours, -theirs, 1).distances[:, 0])
    return found.square() / 2
