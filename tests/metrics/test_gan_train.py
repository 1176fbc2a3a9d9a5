"""The metrics that train classifiers: how good generated images teach, and are known."""

import functools
import math
from dataclasses import replace

import pytest
import torch

from coequal.classification.subsets import some_of_each
from coequal.contract import Dataset, ImageSet, Split
from coequal.datasets._loading import load_dataset
from coequal.metrics import _classifiers
from coequal.metrics._accuracies import accuracy, paired, unpaired
from coequal.metrics.augmentation import Augmentation
from coequal.metrics.gan_test import GanTest
from coequal.metrics.gan_train import GanTrain
from coequal.metrics.gan_train_curve import GanTrainCurve, worth
from coequal.rng import Rng
from coequal.statistics.rates import wilson

QUICK = {"epochs": 2.0, "seeds": 2}


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Dataset:
    return load_dataset("digits", tmp_path_factory.mktemp("data"))


def anew(split: Split, rows: slice | torch.Tensor = slice(None)) -> ImageSet:
    """A set of images that knows no classifier yet."""
    assert split.labels is not None
    labels = split.labels[rows]
    return ImageSet(torch.empty(len(labels), 0), None, labels, split.images[rows])


@functools.cache
def seen(split: Split) -> ImageSet:
    """All images of a split: one set for all tests, which remembers its classifiers."""
    return anew(split)


def measured(metric, real: ImageSet, train: ImageSet, fake: ImageSet):  # type: ignore[no-untyped-def]
    return metric.values(real=metric.reference(real, train), fake=fake, rng=Rng(0))


def bits(*rows: str) -> torch.Tensor:
    return torch.tensor([[char == "1" for char in row] for row in rows])


# ------------------------------------------------------------------------------- errors by hand


def test_the_accuracy_of_seeds_that_agree_has_wilsons_interval():
    value = accuracy(bits("1110", "1110"))  # two seeds that agree
    assert value.value == 0.75
    assert value.standard_error == pytest.approx(math.sqrt(0.75 * 0.25 / 4))
    assert value.interval == pytest.approx(wilson(3, 4))


def test_the_spread_of_seeds_is_added_in_squares():
    # 60 % and 64 % right of 1000: deviation .02 sqrt 2, of the mean .02; t of one degree 12.706.
    found = torch.zeros(2, 1000, dtype=torch.bool)
    found[0, :600] = found[1, :640] = True
    value = accuracy(found)
    assert value.value == pytest.approx(0.62)
    assert value.standard_error == pytest.approx(math.hypot(math.sqrt(0.62 * 0.38 / 1000), 0.02))
    ends = wilson(620, 1000)
    assert value.interval[0] == pytest.approx(0.62 - math.hypot(0.62 - ends[0], 12.7062 * 0.02))
    assert value.interval[1] == pytest.approx(0.62 + math.hypot(ends[1] - 0.62, 12.7062 * 0.02))


def test_a_difference_on_the_same_images_by_hand():
    # Of four images the first classifier is right on two more: mean .5, deviation of 0 0 1 1.
    value = paired(bits("1111", "1111"), bits("1100", "1100"))
    assert value.value == 0.5
    assert value.standard_error == pytest.approx(math.sqrt(1 / 3) / 2)
    same = paired(bits("110", "101"), bits("110", "101"))
    assert same[:3] == (0.0, 0.0, (0.0, 0.0))


def test_a_single_seed_has_no_interval_since_its_spread_is_not_known():
    one, curve = bits("1110"), torch.stack([bits("1000"), bits("1111")])
    sizes = torch.tensor([10, 100])
    for value in (
        accuracy(one),
        paired(one, one),
        unpaired(one, one),
        worth(one, curve, sizes, Rng(0)),
    ):
        assert value[1:3] == (None, None)
        assert "trained with one seed" in value.warnings[0]


def test_a_difference_on_other_images_is_newcombes():
    # Newcombe 1998, Stat. Med. 17, 873-890, table II (a), method 10: 56/70 - 48/80.
    value = unpaired(bits(*["1" * 56 + "0" * 14] * 2), bits(*["1" * 48 + "0" * 32] * 2))
    assert value.value == pytest.approx(0.2)
    assert value.interval == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_the_worth_of_images_by_hand():
    sizes = torch.tensor([100, 1000, 10_000])
    curve = torch.stack([bits(*["1" * k + "0" * (1000 - k)] * 2) for k in (500, 700, 800)])
    for right, expected in ((600, math.sqrt(100 * 1000)), (750, math.sqrt(1000 * 10_000))):
        value = worth(bits(*["1" * right + "0" * (1000 - right)] * 2), curve, sizes, Rng(0))
        assert value.value == pytest.approx(expected)
        assert value.interval[0] < expected < value.interval[1]
        assert not value.details
    for right, expected, bound in ((450, 100, "at most"), (900, 10_000, "at least")):
        value = worth(bits(*["1" * right + "0" * (1000 - right)] * 2), curve, sizes, Rng(0))
        assert (value.value, value.details["bound"]) == (expected, bound)


def test_the_interval_of_the_worth_is_as_wide_as_images_and_seeds_make_it():
    # One image in n is right on one side alone: the levels differ by a deviation of 1 / sqrt n.
    sizes = torch.tensor([10, 1000])
    n = 400
    low, high = bits(*["1" * 100 + "0" * 300] * 2), bits(*["1" * 300 + "0" * 100] * 2)
    level = bits(*["0" * 200 + "1" * 200] * 2)  # half right, but others than the curve's
    curve = torch.stack([low, high])
    value = worth(level, curve, sizes, Rng(0))
    assert value.value == pytest.approx(100)
    # share = (level - low) / .5, deviation of level - low on n images: sqrt(var / n).
    change = (level.double() - low.double())[0]
    slope = float((change - 0.5 * (high.double() - low.double())[0]).std()) / math.sqrt(n) / 0.5
    half = math.log10(value.interval[1] / value.interval[0]) / 2
    assert half == pytest.approx(1.96 * slope * math.log10(1000 / 10), rel=0.1)
    seeds = worth(torch.cat([level, level.flip(1)]), torch.cat([curve, curve], 1), sizes, Rng(0))
    assert seeds.interval == pytest.approx(value.interval, rel=0.8)
    far = worth(torch.cat([low, high]), torch.cat([curve, curve], 1), sizes, Rng(0))
    assert far.interval == (10, 1000)  # seeds that differ by half of all images


# ------------------------------------------------------------------------------------ gan_train


def test_real_images_as_fakes_are_as_good_as_the_real_baseline(digits):
    metric = GanTrain(images=300, epochs=2.0)
    values = measured(metric, seen(digits.test), seen(digits.train), seen(digits.validation))
    found = values["gan_train"]
    baseline = found.details["baseline"]
    assert baseline["trained_on"] == found.details["trained_on"] == 300
    assert baseline["interval"][0] <= found.value <= baseline["interval"][1]
    ends = values["gan_train_gap"].interval
    assert ends[0] <= 0 <= ends[1]
    assert values["gan_train_gap"].value == pytest.approx(baseline["value"] - found.value)
    assert found.value > 0.9
    assert "counts" not in found.details
    assert "gan_train_top5" not in values


def test_shuffled_labels_teach_nothing(digits):
    fake = seen(digits.validation)
    shuffled = replace(fake, labels=fake.labels[Rng(0).permutation(len(fake))])
    found = measured(GanTrain(**QUICK), seen(digits.test), seen(digits.train), shuffled)
    value = found["gan_train"]
    assert value.interval[0] < 0.1 < value.interval[1] < 0.5
    assert found["gan_train_gap"].interval[0] > 0.5
    assert "1087 real images" in value.details["counts"]


def test_the_details_of_gan_train_add_up(digits):
    sides = seen(digits.test), seen(digits.train), anew(digits.train)
    value = measured(GanTrain(**QUICK), *sides)["gan_train"]
    matrix, count = torch.tensor(value.details["confusion"]), len(digits.test)
    assert matrix.sum(1).tolist() == (2 * digits.test.labels.bincount()).tolist()
    assert float(matrix.diag().sum()) / (2 * count) == pytest.approx(value.value)
    by_class = matrix.diag() / matrix.sum(1)
    assert value.details["accuracy_by_class"] == pytest.approx(by_class.tolist())
    assert sum(value.details["accuracy_by_seed"]) / 2 == pytest.approx(value.value)
    # The same images, the same bits, of classifiers that were trained apart.
    assert value.value == value.details["baseline"]["value"]


def test_the_top_five_are_counted_of_more_than_twenty_classes():
    # Pixel k is bright in class k; of the generated images the labels of pairs are exchanged.
    def bright(labels: torch.Tensor, shown: torch.Tensor) -> ImageSet:
        images = torch.zeros(len(labels), 25, dtype=torch.uint8)
        images[torch.arange(len(labels)), shown] = 255
        grid = images.view(-1, 1, 5, 5).repeat_interleave(2, 2).repeat_interleave(2, 3)
        return ImageSet(torch.empty(len(labels), 0), None, labels, grid)

    labels = torch.arange(24).repeat(10)
    real = bright(labels, labels)
    metric = GanTrain(epochs=2.0, seeds=1)
    found = measured(metric, real, real, bright(labels, labels ^ 1))
    assert found["gan_train"].value == 0
    assert found["gan_train_top5"].value < 1
    good = measured(metric, real, real, real)
    assert good["gan_train_top5"].value == good["gan_train"].value == 1


# ------------------------------------------------------------------------------------- gan_test


def test_gan_test_asks_about_all_images(digits):
    fake = anew(digits.train, slice(0, 611))
    found = measured(GanTest(**QUICK), seen(digits.test), seen(digits.train), fake)
    details = found["gan_test"].details
    assert details["images"] == 611
    assert torch.tensor(details["confusion"]).sum() == 2 * 611
    assert details["baseline"]["images"] == len(digits.test)
    difference = found["gan_test"].value - details["baseline"]["value"]
    assert found["gan_test_gap"].value == pytest.approx(difference)


def test_copies_of_training_images_are_flagged_where_held_out_ones_are_harder(digits):
    # A tenth of the held-out labels is wrong, as far as a classifier can tell.
    labels = digits.test.labels.clone()
    labels[::10] = (labels[::10] + 1) % 10
    real, train = anew(Split(digits.test.images, labels)), seen(digits.train)
    copies = measured(GanTest(**QUICK), real, train, anew(digits.train, slice(0, 400)))
    assert copies["gan_test"].details["flag"].startswith("easier than real images: copies")
    assert copies["gan_test_gap"].interval[0] > 0
    fair = measured(GanTest(**QUICK), seen(digits.test), train, seen(digits.validation))
    assert "flag" not in fair["gan_test"].details
    ends = fair["gan_test_gap"].interval
    assert ends[0] < 0 < ends[1]


def test_wrong_labels_are_seen_by_gan_test(digits):
    fake = seen(digits.validation)
    half = fake.labels.clone()
    half[::2] = (half[::2] + 5) % 10
    found = measured(
        GanTest(**QUICK), seen(digits.test), seen(digits.train), replace(fake, labels=half)
    )
    assert found["gan_test"].value == pytest.approx(0.5, abs=0.03)


# ------------------------------------------------------------------------ the curve, augmentation


def test_real_training_images_are_worth_themselves(digits):
    metric = GanTrainCurve(epochs=1.0, seeds=1, sizes=3)
    found = measured(metric, seen(digits.test), seen(digits.train), seen(digits.train))
    value = found["worth_of_real"]
    generated, real = value.details["generated"], value.details["real"]
    assert [point["images"] for point in real] == [100, 330, 1087]  # 100 sqrt 10.87 = 329.7
    assert generated == real
    assert value.value == 1087
    assert value.details["steps"] == 60
    forty = anew(digits.train, some_of_each(digits.train.labels, 40, 1))
    few = measured(metric, seen(digits.test), seen(digits.train), forty)
    assert few["worth_of_real"].value < 330


def test_more_real_images_as_fakes_are_a_gain(digits):
    metric = Augmentation(epochs=2.0, seeds=2)
    some = anew(digits.train, some_of_each(digits.train.labels, 60, 0))
    gain = measured(metric, seen(digits.test), some, seen(digits.train))
    value = gain["augmentation_gain"]
    assert value.interval[0] > 0
    details = value.details
    assert (details["real_images"], details["generated_images"]) == (60, 1087)
    assert details["steps"] == 120
    both = details["with_generated"]["value"] - details["real_alone"]["value"]
    assert value.value == pytest.approx(both)
    fewer = replace(metric, images=10)
    assert (
        fewer.values(
            real=fewer.reference(seen(digits.test), some), fake=seen(digits.train), rng=Rng(0)
        )["augmentation_gain"].details["generated_images"]
        == 10
    )


@pytest.mark.parametrize("kind", [GanTrainCurve, Augmentation])
def test_every_classifier_takes_the_steps_of_all_training_images(kind, digits, monkeypatch):
    steps = []
    original = _classifiers.train

    def counting(images, labels, classes, recipe, seed, **where):  # type: ignore[no-untyped-def]
        steps.append(recipe.steps_for(len(images)))
        return original(images, labels, classes, recipe.of_steps(1), seed, **where)

    monkeypatch.setattr(_classifiers, "train", counting)
    train, fake = (anew(digits.train, Rng(0).integers(1087, count)) for count in (9_000, 16_000))
    details = next(
        iter(measured(kind(epochs=0.1, seeds=1), seen(digits.test), train, fake).values())
    ).details
    assert set(steps) == {7} == {details["steps"]}  # a tenth of 70 batches; of the fakes 12
    assert len(steps) == (2 if kind is Augmentation else 10)


# ---------------------------------------------------------------------------- what goes for all


def test_the_bits_hang_on_nothing_else(digits):
    def sets() -> tuple[ImageSet, ...]:  # anew: a set remembers its classifiers
        return anew(digits.test), anew(digits.train, slice(0, 200)), anew(digits.validation)

    metrics = [GanTrain(epochs=0.5, seeds=1), GanTest(epochs=0.5, seeds=1)]
    before = torch.get_num_threads()
    one = [measured(metric, *sets()) for metric in metrics]
    torch.set_num_threads(2)
    other = [measured(metric, *sets()) for metric in reversed(metrics)][::-1]
    torch.set_num_threads(before)
    assert one == other


def test_both_splits_and_several_metrics_share_their_classifiers(digits, monkeypatch):
    calls = []
    original = _classifiers.train

    def counting(*arguments, **where):  # type: ignore[no-untyped-def]
        calls.append(len(arguments[0]))
        return original(*arguments, **where)

    monkeypatch.setattr(_classifiers, "train", counting)
    train = anew(digits.train, slice(0, 150))
    for split in (digits.validation, digits.test):
        for metric in (GanTrain, GanTest, Augmentation):
            metric(epochs=0.1, seeds=2).reference(seen(split), train)
    assert calls == [150, 150]
    curve = GanTrainCurve(epochs=0.1, seeds=2, sizes=2)
    references = [curve.reference(seen(split), train) for split in (digits.validation, digits.test)]
    assert calls == [150, 150, 100, 100]
    fake = anew(digits.train, slice(150, 300))
    for reference in references:
        curve.values(real=reference, fake=fake, rng=Rng(0))
    assert calls == [150, 150, 100, 100, 100, 100, 150, 150]


def test_the_paper_form_can_be_asked_for(digits):
    metric = GanTest(classifier="resnet32", length=2 / 64_000, seeds=1, flips=False)
    some = slice(0, 120)
    found = measured(
        metric, anew(digits.test, some), anew(digits.train, some), anew(digits.train, some)
    )
    words = found["gan_test"].details["recipe"]
    assert words.startswith("resnet32: 2 steps, batch 128, sgd 0.1, weight decay 0.0002, crops")


METRICS = [GanTrain, GanTest, GanTrainCurve, Augmentation]


@pytest.mark.parametrize("kind", METRICS)
def test_what_cannot_be_trained_is_refused_before_it_is(kind, digits, monkeypatch):
    real, train = seen(digits.test), seen(digits.train)
    metric = kind(epochs=0.1, seeds=1)
    reference = metric.reference(real, train)
    monkeypatch.setattr(_classifiers, "train", None)  # nothing is trained from here on
    lacking = anew(digits.train, (digits.train.labels != 3).nonzero()[:, 0])
    for sides, message in (
        ((lacking, train), "the real images have none of class 3"),
        ((real, lacking), "the training images have none of class 3"),
        ((replace(real, labels=real.labels * 0),) * 2, "two classes"),
    ):
        with pytest.raises(ValueError, match=message):
            metric.reference(*sides)
    unknown = replace(train, labels=train.labels + 1)
    with pytest.raises(ValueError, match="classes up to 10, not 10"):
        metric.values(real=reference, fake=unknown, rng=Rng(0))


@pytest.mark.parametrize("kind", METRICS)
def test_a_class_that_is_never_generated_is_listed(kind, digits):
    rows = ((digits.train.labels != 3) & (digits.train.labels != 9)).nonzero()[:, 0]
    sides = seen(digits.test), seen(digits.train), anew(digits.train, rows)
    found = next(iter(measured(kind(epochs=0.5, seeds=1), *sides).values()))
    assert found.details["classes_without_images"] == [3, 9]
    if kind is GanTrain:
        assert [found.details["accuracy_by_class"][k] for k in (3, 9)] == [0, 0]
    if kind is GanTest:
        assert [found.details["accuracy_by_class"][k] for k in (3, 9)] == [None, None]


@pytest.mark.parametrize("kind", [GanTrain, Augmentation])
def test_fewer_images_than_asked_for_are_refused(kind, digits):
    metric = kind(epochs=0.1, seeds=1, images=400)
    reference = metric.reference(seen(digits.test), seen(digits.train))
    with pytest.raises(ValueError, match="359 generated images, and images: 400"):
        metric.values(real=reference, fake=anew(digits.train, slice(0, 359)), rng=Rng(0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seeds": 0}, "seeds must be .* at least 1, got 0"),
        ({"classifier": "vgg"}, "must be 'small' or 'resnet32', got 'vgg'"),
        ({"epochs": 0.0}, "epochs must be a number above 0"),
        ({"classifier": "resnet32", "length": -1.0}, "length must be a number above 0"),
        ({"images": -1}, "images must be .* at least 0, got -1"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        GanTrain(**settings)
