"""GAN-test: does a classifier that has seen real images know generated ones? Shmelkov et al. 2018,
"How good is my GAN?", arXiv:1807.09499, section 3.

Precision-like: images that show another class than their label, or none, are not known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from coequal.classification.training import Classifier, loaded
from coequal.contract import ImageShape, MetricInfo, MetricValue
from coequal.metrics._accuracies import accuracy, in_detail, is_correct, summary, unpaired
from coequal.metrics._classifiers import ClassifierMetric, Labelled, predictions, trained
from coequal.rng import Rng

PART = "GanTest"
FLAG = "easier than real images: copies of training images, or typical ones"


@dataclass(frozen=True)
class GanTest(ClassifierMetric):
    """Accuracy on all generated images of classifiers trained on the real training images.

    - `gan_test`: the mean over `seeds` classifiers. It is best at their accuracy on real images
      that they have not seen: far below, images are poor or of the wrong class; clearly above, they
      are easier than real ones, as copies of training images are, or as one clean image per class
      would be. So it has a target, and can't be ranked.
    - `gan_test_gap`: the same less the accuracy on the real images; 0 is best. If all of its
      interval lies above 0, the detail `flag` says that the images are easier than real ones, as
      copies of training images are, and as typical ones, few distinct ones or those of easy classes
      are, too: `memorisation` tells copies from these.

    Errors and intervals are over newly generated images and new classifier seeds; those of the gap
    over new real images to judge, too.
    """

    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "gan_test": MetricInfo(
            "target",
            "fraction; best as of real images",
            label="GAN-test",
            use="whether images are of the class asked for: quality alone; takes minutes",
        ),
        "gan_test_gap": MetricInfo(
            "target",
            "fraction; 0: as real images",
            0.0,
            label="GAN-test gap",
            use="gan_test against real images: far above them images are copies, or "
            "easier than real ones",
        ),
    }

    def judge_real(self, judged: Labelled, taught: Labelled, classes: int) -> Mapping[str, Tensor]:
        """Keep the weights of every classifier, and what they predict for the real images."""
        classifiers = trained(taught, classes, self.recipe, self.seeds)
        return {
            "labels": judged.labels,
            "said": predictions(classifiers, judged.images),
            "counts": torch.tensor([classes, len(taught.labels)]),
            **{
                f"{seed}/{name}": weights
                for seed, classifier in enumerate(classifiers)
                for name, weights in classifier.weights().items()
            },
        }

    def judge_generated(
        self, real: Mapping[str, Tensor], generated: Labelled, classes: int, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Judge the generated images by the classifiers of the training images."""
        classifiers = self._classifiers(real, generated, classes)
        predicted = predictions(classifiers, generated.images)
        right, of_real = (
            is_correct(predicted, generated.labels),
            is_correct(real["said"], real["labels"]),
        )
        gap = unpaired(right, of_real)
        details = {
            **in_detail(predicted, generated.labels, classes),
            "trained_on": int(real["counts"][1]),
            "baseline": {
                **summary(accuracy(of_real)),
                **in_detail(real["said"], real["labels"], classes),
            },
            **({"flag": FLAG} if gap.interval is not None and gap.interval[0] > 0 else {}),
        }
        return {"gan_test": accuracy(right)._replace(details=details), "gan_test_gap": gap}

    def _classifiers(
        self, real: Mapping[str, Tensor], generated: Labelled, classes: int
    ) -> list[Classifier]:
        shape = ImageShape(*generated.images.shape[1:])
        by_seed: list[dict[str, Tensor]] = [{} for _ in range(self.seeds)]
        for key, weights in real.items():
            seed, separator, name = key.partition("/")
            if separator:
                by_seed[int(seed)][name] = weights
        return [
            loaded(weights, shape, classes, self.recipe, generated.device) for weights in by_seed
        ]
