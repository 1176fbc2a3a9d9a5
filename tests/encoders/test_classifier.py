"""The classifier as an encoder: its weights follow from the images, and from nothing else."""

from pathlib import Path

import pytest
import torch

from coequal import lookup
from coequal.contract import Dataset, Split
from coequal.datasets._loading import load_dataset
from coequal.evaluation.feature_cache import features_in_parts


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Dataset:
    return load_dataset("digits", tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    """Where the classifier of the digits lies once a test has trained it."""
    return tmp_path_factory.mktemp("cache")


def test_the_classifier_knows_digits_and_refuses_data_without_labels(digits, cache):
    kind = lookup.load("encoders", "classifier")
    encoder = kind.prepare(digits, cache, lambda line: None)
    right = float(encoder.note.split("with ")[1].split("%")[0])
    assert right > 90
    bare = Dataset("bare", *(Split(part.images) for part in (digits.train,) * 3))
    assert "needs labels" in kind.unsupported_reason(bare)


def test_the_classifiers_weights_depend_on_the_images(digits, cache):
    kind = lookup.load("encoders", "classifier")
    turned = Dataset(
        "turned",
        Split(digits.train.images.whole.flip(2), digits.train.labels),
        digits.validation,
        digits.test,
        digits.classes,
    )
    ids = {kind.prepare(data, cache, lambda line: None).id for data in (digits, turned)}
    assert len(ids) == 2


@pytest.mark.parametrize("name", ["classifier", "pixels"])
def test_features_of_images_read_in_parts_are_those_of_all_at_once(name, digits, cache):
    encoder = lookup.load("encoders", name).prepare(digits, cache, lambda line: None)
    images = digits.train.images  # 1,087: parts of 500, 500 and 87
    assert torch.equal(features_in_parts(images, encoder), encoder.features(images.whole))


def test_the_classifiers_weights_do_not_depend_on_the_threads(digits, cache, tmp_path):
    kind = lookup.load("encoders", "classifier")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    one = kind.prepare(digits, cache, lambda line: None).id
    torch.set_num_threads(2)
    two = kind.prepare(digits, tmp_path, lambda line: None).id  # trained anew
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)
    assert one == two


def test_a_classifier_that_can_not_tell_the_classes_says_so(digits, cache, tmp_path):
    kind = lookup.load("encoders", "classifier")
    assert kind.prepare(digits, cache, lambda line: None).weak == ""
    # Files by the thousand, as in datasets of StyleGAN: the number of a file's folder.
    shards = [
        Split(part.images, torch.arange(len(part.images)) % 4)
        for part in (digits.train, digits.validation, digits.test)
    ]
    named = Dataset("shards", *shards, classes=("00000", "00001", "00002", "00003"))
    encoder = kind.prepare(named, tmp_path, lambda line: None)
    assert "are the labels of shards classes of images?" in encoder.weak
    assert encoder.weak in encoder.note
