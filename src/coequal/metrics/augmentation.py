"""Do generated images help a classifier that has the real ones? Shmelkov et al. 2018, "How good is
my GAN?", arXiv:1807.09499, section 5 (data augmentation).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from coequal.classification.subsets import in_fixed_order
from coequal.contract import MetricInfo, MetricValue
from coequal.images import match_dtype
from coequal.metrics._accuracies import accuracy, in_detail, is_correct, paired, summary
from coequal.metrics._classifiers import CountedMetric, Labelled, predictions, trained
from coequal.rng import Rng

PART = "Augmentation"


@dataclass(frozen=True)
class Augmentation(CountedMetric):
    """Accuracy on real images after training on real and generated images together, less that after
    training on the real ones alone.

    - `augmentation_gain`: above 0 the generated images help.

    Both sides take the same number of gradient steps, that of the recipe for the real training
    images, so that no gain is one of longer training. The generator must have been trained on just
    these real images: one that has seen more brings in what they lack, and the gain means nothing.
    `images` is the number of generated ones that are added.

    Errors and intervals are over new real images to judge and new classifier seeds, not over newly
    generated or other training images.
    """

    version = 2
    error_over: ClassVar[str] = "new real images to judge and new classifier seeds"
    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "augmentation_gain": MetricInfo(
            "higher",
            "fraction; above 0: it helps",
            worst=-1.0,
            use="whether generated images help beside the real ones in training a classifier",
        )
    }

    def judge_real(self, judged: Labelled, taught: Labelled, classes: int) -> Mapping[str, Tensor]:
        """Keep real and training images with labels, and what classifiers of the latter predict for
        the former."""
        alone = trained(taught, classes, self.recipe, self.seeds)
        return {
            "images": judged.images,
            "labels": judged.labels,
            "said": predictions(alone, judged.images),
            "train_images": taught.images,
            "train_labels": taught.labels,
            "counts": torch.tensor([classes]),
        }

    def judge_generated(
        self, real: Mapping[str, Tensor], generated: Labelled, classes: int, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Train on training and generated images together, and compare with the former alone."""
        images, given, added = real["train_images"], real["train_labels"], self.used(generated)
        both = in_fixed_order(
            torch.cat([images, match_dtype(added.images, images.dtype)]),
            torch.cat([given, added.labels]),
        )
        steps = self.recipe.steps_for(len(given))
        taught = Labelled(*both, generated.device, generated.classifiers)
        classifiers = trained(taught, classes, self.recipe.of_steps(steps), self.seeds)
        predicted, labels = predictions(classifiers, real["images"]), real["labels"]
        right, alone = is_correct(predicted, labels), is_correct(real["said"], labels)
        details = {
            "steps": steps,
            "real_images": len(given),
            "generated_images": len(added.labels),
            "with_generated": {**summary(accuracy(right)), **in_detail(predicted, labels, classes)},
            "real_alone": {**summary(accuracy(alone)), **in_detail(real["said"], labels, classes)},
        }
        return {"augmentation_gain": paired(right, alone)._replace(details=details)}
