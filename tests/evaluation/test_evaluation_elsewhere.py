"""A study evaluates on the device it trains on: the encoder, the metrics' features, classifiers."""

import pytest
import torch

from coequal.contract import Dataset
from coequal.datasets._loading import load_dataset
from coequal.evaluation.instrument import Instrument, generate, prepare
from coequal.evaluation.requested import requested_metrics
from coequal.files import cache_folder
from coequal.objectives.non_saturating import NonSaturating
from coequal.rng import Rng
from foreign import ForeignDevice, ForeignTensor

from toys import SHAPE, nets_for

NAMES = [
    "fd",
    "kid",
    "precision",
    "is",
    "memorisation",
    "gan_train",
    "gan_test",
    "gan_train_curve",
    "augmentation",
]
QUICK = {"epochs": 0.2, "seeds": 1}
SETTINGS = {
    "gan_train": QUICK,
    "gan_test": QUICK,
    "gan_train_curve": {**QUICK, "sizes": 2},
    "augmentation": QUICK,
}


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Dataset:
    return load_dataset("digits", tmp_path_factory.mktemp("data"))


def instrument(digits: Dataset, device: torch.device | str) -> Instrument:
    requested = requested_metrics(NAMES, SETTINGS)
    return prepare(
        digits, "classifier", requested, 200, cache_folder(), lambda line: None, device=device
    )


def test_numbers_of_another_device_are_the_same_and_say_so(digits):
    labels = digits.validation.labels
    images = digits.validation.images.whole
    here = instrument(digits, "cpu").measure(images, "test", "", labels=labels)
    with ForeignDevice() as foreign:
        moved = instrument(digits, foreign.device)
        # None of what was cached by the CPU's computations is taken: else it would be the CPU's.
        assert all(
            type(value) is ForeignTensor
            for reference in moved.references.values()
            for value in reference.values()
        )
        there = moved.measure(images.to(foreign.device), "test", "", labels=labels)
    assert list(there) == list(here)
    for name, number in there.items():
        # Adam's two kernels, with all parameters at once on the CPU, differ by rounding.
        assert number.value.value == pytest.approx(here[name].value.value, abs=0.02), name
        start, count, settings = here[name].protocol.partition(" fake=355")
        assert number.protocol == f"{start}{count} device=meta{settings}", name


def test_references_of_two_devices_are_kept_apart(digits, tmp_path):
    requested = requested_metrics(["fd"])
    for device in ("cpu", "cpu"):
        prepare(digits, "pixels", requested, 9, tmp_path, lambda line: None, device=device)
    assert len(list((tmp_path / "references").iterdir())) == 2  # one for each split
    with ForeignDevice() as foreign:
        prepare(digits, "pixels", requested, 9, tmp_path, lambda line: None, device=foreign.device)
    assert len(list((tmp_path / "references").iterdir())) == 4


def test_generated_images_stay_on_the_device():
    nets = nets_for(NonSaturating())
    players = nets.build(SHAPE, None, NonSaturating().requirements())
    here = generate(players.generator, 7, Rng(3))
    with ForeignDevice() as foreign:
        generator = players.generator.to(foreign.device)
        there = generate(generator, 7, Rng(3, foreign.device))
        assert there.device == foreign.device
        assert torch.equal(there.cpu(), here)
