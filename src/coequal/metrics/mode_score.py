"""Mode Score: Che et al. 2017, arXiv:1612.02136, section 4; form of Xu et al. 2018,
arXiv:1806.07755, section 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from coequal.contract import ImageSet, Metric, MetricInfo, MetricValue, RequiredInput
from coequal.rng import Rng

PART = "ModeScore"


@dataclass(frozen=True)
class ModeScore(Metric):
    """exp(mean KL(p(y|x) || p_fake(y)) - KL(p_fake(y) || p_real(y))); higher is better.

    Between 0 (excluded with full support) and the number of classes. p(y|x) is of generated images,
    p_fake and p_real are means over the generated and over the real images. It is the Inception
    Score of the whole set, divided by what the wrong class frequencies cost. Che et al. print the
    first term with p_real in the place of p_fake and swap the second: then p_real drops out, and
    the score is the Inception Score itself.

    The standard error is the delta method's, for new generated images and the same real ones.
    Biased for few images, mostly downwards.
    """

    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "mode_score": MetricInfo(
            "higher",
            "effective classes",
            worst=0.0,
            use="clear images of all classes, as often as among the real ones",
        )
    }
    required: ClassVar[tuple[RequiredInput, ...]] = ("probabilities",)

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """Keep the mean class probabilities of real images, (classes,)."""
        assert real.probabilities is not None
        return {"marginal": real.probabilities.double().mean(0)}

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute `mode_score`."""
        assert fake.probabilities is not None
        return {"mode_score": mode_score(real=real["marginal"], fake=fake.probabilities)}


def mode_score(*, real: Tensor, fake: Tensor) -> MetricValue:
    """The score of generated images' probabilities (n, classes) against the real mean (classes,).

    0, without a standard error, where a class that no real image can have is generated.
    """
    p, q = fake.double(), real.double()
    mean = p.mean(0)
    divergence = (torch.xlogy(p, p) - torch.xlogy(p, mean)).sum(1)
    shift = (torch.xlogy(mean, mean) - torch.xlogy(mean, q)).sum()
    score = float((divergence.mean() - shift).exp())
    if len(p) < 2 or torch.isinf(shift):
        return MetricValue(score)
    influence = divergence - (torch.xlogy(p, mean) - torch.xlogy(p, q)).sum(1)
    return MetricValue(score, score * float(influence.std()) / len(p) ** 0.5)
