"""Inception Score: Salimans et al. 2016, arXiv:1606.03498, section 4.

It is comparable with published scores only with the probabilities of one particular Inception net.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from coequal.contract import ImageSet, Metric, MetricInfo, MetricValue, RequiredInput
from coequal.metrics._canonical_order import in_fixed_order
from coequal.rng import Rng
from coequal.settings import Count

PART = "InceptionScore"
MIN_IMAGES_PER_SPLIT = 5


@dataclass(frozen=True)
class InceptionScore(Metric):
    """exp(mean KL(p(y|x) || p(y))), from 1 to the number of classes; higher is better.

    `is` is the mean over `splits` parts of about equal size, as the paper has it; its standard
    error is their standard deviation (n - 1) over the root of their number. `is_whole` is one score
    of all images (Lucic et al. 2018, arXiv:1711.10337), with the standard error of the delta
    method: the influence of an image is its own divergence.

    The images are shuffled before they are split: sorted by class, every split would score 1. With
    fewer than 5 images per split there are fewer splits. Biased downwards for few images, and so
    more in splits than in the whole. It sees no real image: copies of the training set, and one
    perfect image per class, score well.

    Attributes:
        splits: parts that `is` is averaged over.
    """

    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "is": MetricInfo(
            "higher",
            "effective classes",
            worst=1.0,
            label="IS",
            use="to compare with published Inception Scores; blind to variety within a "
            "class, and sees no real images",
        ),
        "is_whole": MetricInfo(
            "higher",
            "effective classes",
            worst=1.0,
            label="IS whole",
            use="the Inception Score without the bias of small splits",
        ),
    }
    required: ClassVar[tuple[RequiredInput, ...]] = ("probabilities",)
    splits: Count = 10

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """Keep nothing: real images are not used."""
        return {}

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute `is` and `is_whole`."""
        assert fake.probabilities is not None
        probabilities = in_fixed_order(fake.probabilities)
        return {
            "is": self.split_score(probabilities, rng),
            "is_whole": whole_score(probabilities),
        }

    def split_score(self, probabilities: Tensor, rng: Rng) -> MetricValue:
        """The mean score of random parts (n, classes), and its standard error with two or more."""
        count = len(probabilities)
        splits = max(1, min(self.splits, count // MIN_IMAGES_PER_SPLIT))
        shuffled = probabilities[rng.permutation(count).to(probabilities.device)]
        scores = torch.tensor(
            [whole_score(part).value for part in shuffled.tensor_split(splits)], dtype=torch.float64
        )
        error = float(scores.std()) / splits**0.5 if splits > 1 else None
        return MetricValue(float(scores.mean()), error)


def whole_score(probabilities: Tensor) -> MetricValue:
    """One score of all rows (n, classes), in float64; the standard error needs two rows."""
    p = probabilities.double()
    divergence = (torch.xlogy(p, p) - torch.xlogy(p, p.mean(0))).sum(1)
    score = float(divergence.mean().exp())
    error = score * float(divergence.std()) / len(p) ** 0.5 if len(p) > 1 else None
    return MetricValue(score, error)
