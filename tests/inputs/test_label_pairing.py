"""Labels are paired by the names of their classes, from whatever a user gives."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import coequal
from coequal.inputs.load import load_input

CLASSES = ("ant", "zebra")


def images(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 8, 8), dtype=np.uint8)


def write(folder: Path, pixels: np.ndarray, names: list[str]) -> str:
    for row, (image, name) in enumerate(zip(pixels, names, strict=True)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / name / f"{row:03}.png")
    return str(folder)


class Labelled(list):
    """Pairs of images and labels, with names as torchvision has them."""

    def __init__(self, pixels: np.ndarray, labels: list[int], classes: list[str]) -> None:
        super().__init__(zip(pixels, labels, strict=True))
        self.classes = classes


def loaded(given: object) -> object:
    return load_input(given, role="fake", data_dir=Path("nowhere"))


def per_class(real: object, fake: object) -> float:
    found = coequal.score(real=real, fake=fake, metrics=["fd_per_class"], encoder="pixels")
    return found["metrics"]["fd_per_class"]["value"]


def test_classes_of_a_data_set_in_another_order_are_paired_by_name(tmp_path):
    # The same images of the same classes on both sides: every class is 0 away from itself.
    pixels = images(60, 1)
    names = ["zebra" if row % 2 else "ant" for row in range(60)]
    numbers = [0 if name == "zebra" else 1 for name in names]
    folder = write(tmp_path, pixels, names)
    real = Labelled(pixels, numbers, ["zebra", "ant"])
    assert per_class(real, folder) == pytest.approx(0, abs=1e-9)
    subset = torch.utils.data.Subset(real, range(60))
    assert per_class(subset, folder) == pytest.approx(0, abs=1e-9)
    assert per_class([(i, n) for i, n in zip(pixels, names, strict=True)], folder) < 1e-9


def test_names_of_the_hub_are_read():
    class Feature:
        names = ("zebra", "ant")

    class Rows(list):
        pass

    pixels = images(4, 1)
    rows = Rows({"image": Image.fromarray(p), "label": k % 2} for k, p in enumerate(pixels))
    rows.features = {"image": None, "label": Feature()}
    assert loaded(rows).classes == ("zebra", "ant")


def test_folders_called_by_numbers_are_those_numbers(tmp_path):
    # As text they would be 0, 1, 10, 11, 2, ...
    pixels = images(60, 1)
    numbers = [row % 12 for row in range(60)]
    folder = write(tmp_path, pixels, [str(k) for k in numbers])
    assert loaded(folder).classes == tuple(map(str, range(12)))
    labelled = list(zip(pixels, numbers, strict=True))
    assert per_class(labelled, folder) == pytest.approx(0, abs=1e-9)
    assert per_class(folder, labelled) == pytest.approx(0, abs=1e-9)


def test_numbers_from_one_are_paired_with_folders_from_one(tmp_path):
    pixels = images(40, 1)
    numbers = [1 + row % 2 for row in range(40)]
    folder = write(tmp_path, pixels, [str(k) for k in numbers])
    labelled = list(zip(pixels, numbers, strict=True))
    assert per_class(folder, labelled) == pytest.approx(0, abs=1e-9)


def test_digits_in_another_order_are_still_the_same_digits():
    digits = loaded("digits:test")
    # 9 is class 0, 8 is class 1, ...
    turned = Labelled(
        list(digits.images.whole), [9 - k for k in digits.labels.tolist()], list("9876543210")
    )
    plain = list(zip(digits.images.whole, digits.labels.tolist(), strict=True))
    assert per_class(turned, plain) == pytest.approx(0, abs=1e-6)
    assert per_class("digits:test", turned) == pytest.approx(0, abs=1e-6)


def test_torchvisions_names_of_digits_are_digits():
    pixels = images(40, 1)
    numbers = [row % 2 for row in range(40)]
    real = Labelled(pixels, numbers, ["0 - zero", "1 - one"])
    assert per_class(real, list(zip(pixels, numbers, strict=True))) == pytest.approx(0, abs=1e-9)


def test_names_that_only_begin_with_the_same_number_stay_two(tmp_path):
    pixels = images(40, 1)
    names = ["737-200" if row % 2 else "737-300" for row in range(40)]
    folder = write(tmp_path, pixels, names)
    labelled = list(zip(pixels, names, strict=True))
    assert per_class(labelled, folder) == pytest.approx(0, abs=1e-9)


def test_names_on_one_side_and_numbers_on_the_other_are_refused(tmp_path):
    pixels = images(20, 1)
    numbers = [row % 2 for row in range(20)]
    folder = write(tmp_path, pixels, [CLASSES[k] for k in numbers])
    labelled = list(zip(pixels, numbers, strict=True))
    with pytest.raises(ValueError, match=r"the real classes have names \(ant, zebra\) and"):
        per_class(folder, labelled)
    with pytest.raises(ValueError, match="the fake classes have names"):
        per_class(labelled, folder)


def test_other_classes_of_a_data_set_are_refused_by_name(tmp_path):
    pixels = images(30, 1)
    numbers = [row % 3 for row in range(30)]
    real = Labelled(pixels, numbers, ["a", "b", "c"])
    folder = write(tmp_path, pixels, ["acd"[k] for k in numbers])
    with pytest.raises(ValueError, match=r"only real \['b'\], only fake \['d'\]"):
        per_class(real, folder)


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ([0.9, 1.9] * 5, "labels must be whole numbers from 0, or names, and that of image 0 is 0"),
        ([0, -1] * 5, "5 of 10 images have no label"),
        ([0, None] * 5, "5 of 10 images have no label"),
        ([[0, 1], [1, 0]] * 5, "that of image 0 is [0, 1]"),
        (list(torch.eye(2).repeat(5, 1)), "that of image 0 is tensor([1., 0.])"),
        ([0, 10**12] * 5, "labels go up to 1000000000000, which are not class numbers"),
        ([-2, 3] * 5, "that of image 0 is -2"),
    ],
    ids=str,
)
def test_labels_that_can_not_be_used_are_told_and_asked_for_refused(labels, reason):
    given = list(zip(images(10, 1), labels, strict=True))
    found = loaded(given)
    assert found.labels is None
    assert found.notes[-1].startswith("labels are not used: ")
    assert reason in found.notes[-1]
    whole = list(zip(images(10, 1), [0, 1] * 5, strict=True))
    with pytest.raises(ValueError, match="needs labels on both sides") as caught:
        per_class(whole, given)
    assert f"; fake: {found.unlabelled}" in str(caught.value)


@pytest.mark.parametrize("absent", [-1, None])
def test_no_labels_at_all_are_no_mistake(absent):
    found = loaded([(image, absent) for image in images(4, 1)])
    assert found.labels is None
    assert found.notes == ()


def test_numbers_in_any_form_are_labels():
    forms = (2, 2.0, np.int64(2), torch.tensor(2), np.array([2]), True)
    found = loaded(list(zip(images(6, 1), forms, strict=True)))
    assert found.labels.tolist() == [2, 2, 2, 2, 2, 1]


def test_other_columns_are_told():
    rows = [{"img": p, "fine_label": 3, "coarse_label": 1} for p in images(4, 1)]
    found = loaded(rows)
    assert found.labels.tolist() == [3] * 4
    assert found.notes == ("not used: coarse_label of the items",)
    found = loaded([(p, 0, "a.png") for p in images(4, 1)])
    assert found.notes == ("not used: what follows the label of the items",)


def test_images_and_labels_may_be_a_pair():
    pixels, numbers = images(6, 1)[:, None], np.arange(6) % 2
    assert loaded((pixels, numbers)).labels.tolist() == [0, 1] * 3
    assert loaded((pixels, ["a", "b"] * 3)).classes == ("a", "b")
    assert len(loaded((pixels[0, 0] / 255, pixels[1, 0] / 255))) == 2  # two images of 8 rows each
    found = coequal.score(
        real=(pixels, numbers),
        fake=lambda count: (torch.from_numpy(pixels[:count]), numbers[:count]),
        samples=6,
        metrics=["fd_per_class"],
        encoder="pixels",
    )
    assert found["metrics"]["fd_per_class"]["value"] == pytest.approx(0, abs=1e-9)
