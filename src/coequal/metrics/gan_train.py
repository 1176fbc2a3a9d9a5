"""GAN-train: how well does a classifier that has seen generated images alone know real ones?
Shmelkov et al. 2018, "How good is my GAN?", arXiv:1807.09499, section 3.

Recall-like: a class that the generator lacks or draws without variety is not learnt. Poor images
count, too, so that it holds some precision.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from coequal.contract import MetricInfo, MetricValue
from coequal.metrics._accuracies import accuracy, in_detail, is_correct, paired, summary
from coequal.metrics._classifiers import CountedMetric, Labelled, predictions, trained
from coequal.rng import Rng

PART = "GanTrain"
TOP_K, MANY_CLASSES = 5, 20  # the five likeliest count where there are more than 20 classes


@dataclass(frozen=True)
class GanTrain(CountedMetric):
    """Accuracy on the real images of classifiers trained on generated images and their labels.

    - `gan_train`: the mean over `seeds` classifiers; 1 is best, 1 / classes is guessing.
    - `gan_train_gap`: the accuracy of the same recipe trained on real training images, less
      `gan_train`; 0 is as good as real images, below 0 better.
    - `gan_train_top5`: the right class is among the five likeliest; of more than 20 classes only.

    The real baseline belongs to the reference, which knows no generated images: it is trained on
    `images` training images, or on all of them, and so is `gan_train` on generated ones. Generate
    as many as there are training images, or set `images`; else the gap is one of counts, too, and
    its detail `counts` reports it.

    Of fewer training images than `images` all are taken; fewer generated ones are refused.

    Errors and intervals are over new real images to judge and new classifier seeds, not over newly
    generated or other training images (of the latter the seeds' spread is a part).
    """

    error_over: ClassVar[str] = "new real images to judge and new classifier seeds"
    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "gan_train": MetricInfo(
            "higher",
            "fraction of real images",
            worst=0.0,
            best=1.0,
            label="GAN-train",
            use="whether generated images can stand for real ones in training a "
            "classifier; takes minutes",
        ),
        "gan_train_gap": MetricInfo(
            "lower",
            "fraction; 0: as good as real",
            worst=1.0,
            label="GAN-train gap",
            use="how much a classifier loses by learning from generated images",
        ),
        "gan_train_top5": MetricInfo(
            "higher",
            "fraction, of more than 20 classes",
            worst=0.0,
            best=1.0,
            label="GAN-train top5",
            use="gan_train where classes are many and alike",
        ),
    }

    def judge_real(self, judged: Labelled, taught: Labelled, classes: int) -> Mapping[str, Tensor]:
        """Keep the real images and labels, and what the baseline's classifiers predict for them."""
        taught = self.used(taught)
        baseline = trained(taught, classes, self.recipe, self.seeds)
        return {
            "images": judged.images,
            "labels": judged.labels,
            "said": predictions(baseline, judged.images, min(TOP_K, classes)),
            "counts": torch.tensor([classes, len(taught.labels)]),
        }

    def judge_generated(
        self, real: Mapping[str, Tensor], generated: Labelled, classes: int, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Train on the generated images, and compare with the baseline's classifiers."""
        taught, of_baseline = self.used(generated), int(real["counts"][1])
        classifiers = trained(taught, classes, self.recipe, self.seeds)
        predicted = predictions(classifiers, real["images"], min(TOP_K, classes))
        labels = real["labels"]
        right, baseline = (
            is_correct(predicted[:, :, :1], labels),
            is_correct(real["said"][:, :, :1], labels),
        )
        details = {
            **in_detail(predicted, labels, classes),
            "trained_on": len(taught.labels),
            "baseline": {
                **summary(accuracy(baseline)),
                **in_detail(real["said"], labels, classes),
                "trained_on": of_baseline,
            },
        }
        if len(taught.labels) != of_baseline:
            details["counts"] = (
                f"trained on {len(taught.labels)} generated and {of_baseline} real images: "
                "the gap is one of counts, too"
            )
        values = {
            "gan_train": accuracy(right)._replace(details=details),
            "gan_train_gap": paired(baseline, right),
        }
        if classes > MANY_CLASSES:
            values["gan_train_top5"] = accuracy(is_correct(predicted, labels))
        return values
