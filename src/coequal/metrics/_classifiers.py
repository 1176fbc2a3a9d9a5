"""What the metrics that train classifiers share: settings, both sides with their labels, and
training."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
from jaxtyping import Int
from pydantic import NonNegativeInt, PositiveFloat
from torch import Tensor

from coequal.classification import recipes
from coequal.classification.recipes import Recipe
from coequal.classification.subsets import digest, in_fixed_order, some_of_each
from coequal.classification.training import Classifier, predict, train
from coequal.contract import ImageSet, Metric, MetricValue, RequiredInput
from coequal.rng import Rng
from coequal.settings import Count


@dataclass(frozen=True)
class ClassifierMetric(Metric):
    """Settings of all metrics that train classifiers.

    Attributes:
        classifier: a recipe of `classification.recipes`: "small" takes seconds to minutes,
            "resnet32" is the paper's.
        seeds: classifiers per training set; values are means over them.
        epochs: of "small".
        length: of "resnet32", as a fraction of the published 64,000 steps.
        flips: whether "resnet32" mirrors images in training, as published.
    """

    costly: ClassVar[bool] = True
    sees_features: ClassVar[bool] = False
    required: ClassVar[tuple[RequiredInput, ...]] = ("labels", "images", "train")
    classifier: Literal["small", "resnet32"] = "small"
    seeds: Count = 3
    epochs: PositiveFloat = 5.0
    length: PositiveFloat = 1.0
    flips: bool = True

    @property
    def recipe(self) -> Recipe:
        """How classifiers are trained with these settings."""
        if self.classifier == "small":
            return recipes.small(self.epochs)
        return recipes.resnet32(self.length, self.flips)

    def too_few(self, generated: int) -> str | None:
        """Why so many generated images won't do, in words; None if they do."""
        return None

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """Keep what `judge_real` gives, which begins with the number of classes.

        Raises:
            ValueError: a class has no image on a side, or there are fewer than two classes.
        """
        assert train is not None
        judged, taught = Labelled.of(real), Labelled.of(train)
        return self.judge_real(judged, taught, number_of_classes(judged, taught))

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute the numbers. The details list classes without generated images.

        Raises:
            ValueError: labels of unknown classes, or fewer images than asked for.
        """
        real = {name: value.cpu() for name, value in real.items()}  # nets compute elsewhere alone
        generated, classes = Labelled.of(fake), int(real["counts"][0])
        lacking = without_images(generated, classes, "generated")
        first = next(iter(self.outputs))
        if problem := self.too_few(len(generated.labels)):
            raise ValueError(f"{first}: {problem}")
        values = self.judge_generated(real, generated, classes, rng)
        details = {
            "recipe": self.recipe.description,
            **({"classes_without_images": lacking} if lacking else {}),
            **(values[first].details or {}),
        }
        return {**values, first: values[first]._replace(details=details)}

    @abstractmethod
    def judge_real(
        self, judged: "Labelled", taught: "Labelled", classes: int
    ) -> Mapping[str, Tensor]:
        """All that is to be known of the real images.

        Args:
            judged: the real images, which classifiers judge.
            taught: the training images.
            classes: of both.

        Returns:
            Tensors, one of which is `counts`, whose first entry is `classes`.
        """

    @abstractmethod
    def judge_generated(
        self, real: Mapping[str, Tensor], generated: "Labelled", classes: int, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """The numbers, the first with details.

        Args:
            real: what `judge_real` gave.
            generated: images of these classes, as many as were asked for.
            classes: how many there are.
            rng: of the metric's own draws.
        """


@dataclass(frozen=True)
class CountedMetric(ClassifierMetric):
    """The settings, and how many images are used.

    Attributes:
        images: drawn evenly from all classes; 0: all. Fewer generated ones are refused.
    """

    images: NonNegativeInt = 0

    def too_few(self, generated: int) -> str | None:
        """Refuse fewer than the setting `images`."""
        if generated >= self.images:
            return None
        return f"{generated} generated images, and images: {self.images} were asked for"

    def used(self, given: "Labelled") -> "Labelled":
        """As many of the images as the setting `images` asks for; all if it is 0."""
        return given.some(self.images, 0) if self.images else given


# ------------------------------------------------------------------------------------------- images


class Labelled(NamedTuple):
    """Images and labels in the fixed order of `in_fixed_order`.

    Attributes:
        images: (n, c, h, w), on the CPU.
        labels: (n,), on the CPU.
        device: where classifiers of them are trained and asked: that of the image set.
        classifiers: those that have been trained on some of these images, by what was asked for.
            They belong to the image set, so that several metrics, and both splits of a study, share
            them.
    """

    images: Tensor
    labels: Int[Tensor, " n"]
    device: torch.device
    classifiers: "dict[ClassifierKey, Classifier]"

    @classmethod
    def of(cls, image_set: ImageSet) -> "Labelled":
        """The images of a set that has labels."""
        assert image_set.images is not None
        assert image_set.labels is not None
        rows = in_fixed_order(image_set.images.cpu(), image_set.labels.cpu())
        known = image_set.shared.setdefault("classifiers", {})
        return cls(*rows, image_set.images.device, known)

    def some(self, count: int, seed: int) -> "Labelled":
        """`count` of them, of each class in proportion; all if there are no more."""
        if count >= len(self.labels):
            return self
        rows = some_of_each(self.labels, count, seed).sort().values
        return self._replace(images=self.images[rows], labels=self.labels[rows])


def number_of_classes(real: Labelled, train: Labelled) -> int:
    """How many there are: those of the training images.

    Raises:
        ValueError: fewer than two, or a class has no image on a side.
    """
    classes = 1 + int(max(real.labels.max(), train.labels.max()))
    if classes < 2:
        raise ValueError("a classifier needs two classes at least")
    for side, given in (("real", real), ("training", train)):
        if none := without_images(given, classes, side):
            raise ValueError(f"the {side} images have none of class {', '.join(map(str, none))}")
    return classes


def without_images(given: Labelled, classes: int, side: str) -> list[int]:
    """The classes that have no image on a side.

    Raises:
        ValueError: images have a class that there isn't.
    """
    counts = given.labels.bincount(minlength=classes)
    if len(counts) > classes:
        raise ValueError(f"the {side} images have classes up to {len(counts) - 1}, not {classes}")
    none: list[int] = (counts == 0).nonzero()[:, 0].tolist()
    return none


# ---------------------------------------------------------------------------------------- training

ClassifierKey = tuple[str, int, Recipe, int]  # digest of the images, classes, recipe, seed


def trained(taught: Labelled, classes: int, recipe: Recipe, seeds: int) -> list[Classifier]:
    """One classifier a seed; none is trained twice on the same images of a set."""
    content, known = digest(taught.images, taught.labels), taught.classifiers
    keys = [(content, classes, recipe, seed) for seed in range(seeds)]
    for key in keys:
        if key not in known:
            known[key] = train(taught.images, taught.labels, *key[1:], device=taught.device)
    return [known[key] for key in keys]


def predictions(
    classifiers: Sequence[Classifier], images: Tensor, top: int = 1
) -> Int[Tensor, "seeds n top"]:
    """The classes that each classifier predicts for all images, the likeliest first."""
    return torch.stack([predict(classifier, images, top) for classifier in classifiers])
