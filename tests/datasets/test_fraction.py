from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
import torch
from PIL import Image

from coequal.contract import Dataset, Split
from coequal.datasets._fraction import parse_fraction, with_fraction
from coequal.datasets._loading import (
    check_dataset,
    check_image_size,
    fingerprint,
    known_manifold,
    load_dataset,
)
from coequal.datasets._splits import fair_order
from coequal.files import file_name
from coequal.rng import Rng

SIZES = (700, 250, 40, 9, 1)  # of the classes: 1,000


def made(labelled=True, order=0):
    """1,000 images to train, image i told by its two first pixels."""
    rows = torch.arange(1000)
    images = torch.zeros(1000, 1, 2, 2, dtype=torch.uint8)
    images[:, 0, 0, 0], images[:, 0, 0, 1] = rows // 256, rows % 256
    labels = torch.repeat_interleave(torch.arange(len(SIZES)), torch.tensor(SIZES))
    labels = labels[Rng(order).permutation(1000)]
    train = Split(images, labels if labelled else None)
    rest = Split(images[:7] + 1, labels[:7] if labelled else None)
    classes = tuple("abcde") if labelled else None
    return Dataset("made", train, rest, rest, classes=classes, notes=("first",))


def numbers(split):
    """Which of the 1,000 images these are."""
    return (256 * split.images.whole[:, 0, 0, 0].long() + split.images.whole[:, 0, 0, 1]).tolist()


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize(("percent", "count"), [(1, 10), (5, 50), (50, 500), (99, 990)])
def test_a_fraction_has_its_count_in_the_order_of_the_whole(labelled, percent, count):
    whole = made(labelled)
    part = with_fraction(whole, Fraction(percent, 100), f"made@{percent}%")
    rows = numbers(part.train)
    assert len(rows) == count
    assert rows == sorted(set(rows))
    assert part.name == f"made@{percent}%"
    if labelled:
        assert torch.equal(part.train.labels, whole.train.labels[rows])
    else:
        assert part.train.labels is None


@pytest.mark.parametrize("percent", [1, 5, 20, 50, 90])
def test_classes_of_about_one_size_give_the_same_fraction_to_within_one_image(percent):
    sizes = [180, 190, 200, 210, 220]
    labels = torch.repeat_interleave(torch.arange(5), torch.tensor(sizes))
    whole = made()
    whole = replace(whole, train=Split(whole.train.images.whole, labels))
    found = with_fraction(whole, Fraction(percent, 100), "made").train.labels.bincount().tolist()
    for members, taken in zip(sizes, found, strict=True):
        assert abs(taken - members * percent / 100) <= 1


@pytest.mark.parametrize(
    ("percent", "counts"),
    [
        # 7, 2.5, 0.4, 0.09 and 0.01 of ten images: three classes get one each, seven are left.
        (1, [5, 2, 1, 1, 1]),
        # 350, 125, 20, 4.5 and 0.5 of 500.
        (50, [350, 125, 20, 4, 1]),
    ],
)
def test_small_classes_get_one_image_at_the_cost_of_the_others(percent, counts):
    found = with_fraction(made(), Fraction(percent, 100), "made").train.labels.bincount()
    assert found.tolist() == counts


def test_as_many_images_as_classes_are_the_fewest():
    # A thousandth of 1,000 is one image; there are five classes.
    found = with_fraction(made(), Fraction(1, 1000), "made")
    assert sorted(found.train.labels.tolist()) == [0, 1, 2, 3, 4]
    assert len(with_fraction(made(False), Fraction(1, 1000), "made").train) == 1


@pytest.mark.parametrize("labelled", [True, False])
def test_smaller_fractions_are_among_larger_ones_and_the_whole_is_the_whole(labelled):
    fractions = [Fraction(percent, 100) for percent in (1, 2, 5, 33, 100)]
    found = [
        set(numbers(with_fraction(made(labelled), fraction, "made").train))
        for fraction in fractions
    ]
    for smaller, larger in pairwise(found):
        assert smaller < larger
    whole = with_fraction(made(labelled), Fraction(1), "made@100%")
    assert numbers(whole.train) == list(range(1000))
    assert fingerprint(whole) == fingerprint(made(labelled))


def test_the_draw_is_the_same_every_time_and_another_for_another_data_set():
    torch.manual_seed(1)
    first = with_fraction(made(), Fraction(5, 100), "made@5%")
    torch.manual_seed(2)
    again = with_fraction(made(), Fraction(5, 100), "made@5%")
    other = with_fraction(made(), Fraction(5, 100), "other@5%")
    assert fingerprint(first) == fingerprint(again)
    assert numbers(first.train) != numbers(other.train)
    # Where the files lie is no part of it.
    one, two = (with_fraction(made(), Fraction(5, 100), f"folder:/{at}@5%") for at in "ab")
    assert numbers(one.train) == numbers(two.train)


def test_validation_and_test_stay_whole_and_the_note_says_what_was_done():
    part = with_fraction(made(), Fraction(25, 1000), "made@2.5%")
    assert torch.equal(part.validation.images.whole, made().validation.images.whole)
    assert torch.equal(part.test.labels, made().test.labels)
    assert part.notes == (
        "first",
        "25 of the 1,000 images to train were taken (2.5 %), drawn at random within every class, "
        "the same in every study; those to validate and to test are whole",
    )
    assert "drawn at random, the" in with_fraction(made(False), Fraction(1, 4), "made").notes[-1]
    assert fingerprint(part) != fingerprint(made())


def test_the_first_rows_of_a_fair_order_have_every_class():
    labels = torch.tensor([3] * 90 + [0] * 9 + [7])
    order = fair_order(100, Rng(1), labels)
    assert sorted(order.tolist()) == list(range(100))
    assert sorted(labels[order[:3]].tolist()) == [0, 3, 7]
    # Within a class the order is a random one.
    threes = [row for row in order.tolist() if labels[row] == 3]
    assert threes != sorted(threes)


@pytest.mark.parametrize(
    ("name", "whole", "fraction"),
    [
        ("fashion_mnist", "fashion_mnist", None),
        ("fashion_mnist@5%", "fashion_mnist", Fraction(5, 100)),
        ("fashion_mnist@0.5%", "fashion_mnist", Fraction(5, 1000)),
        ("fashion_mnist@100%", "fashion_mnist", Fraction(1)),
        ("folder:/a@b/c@1%", "folder:/a@b/c", Fraction(1, 100)),
        ("folder:/a@b/c", "folder:/a@b/c", None),
        ("folder:/icons@2", "folder:/icons@2", None),
        ("folder:/odd@5%@100%", "folder:/odd@5%", Fraction(1)),
        ("own.module:load@5%", "own.module:load", Fraction(5, 100)),
    ],
)
def test_what_a_name_asks_for(name, whole, fraction):
    assert parse_fraction(name) == (whole, fraction)


@pytest.mark.parametrize(
    "name",
    [
        *("digits@0%", "digits@200%", "digits@100.1%", "digits@x", "digits@5", "digits@", "@5"),
        *("digits@%", "digits@-5%", "digits@5%@5%", "digits@1e1%", "digits@5 %", "digits@٥%"),
        *("folder:/a@0%", "folder:/a@x%", "folder:/a@101%"),
    ],
)
def test_a_fraction_that_can_not_be_is_refused_with_what_would_do(name, tmp_path):
    base = "folder:/a" if "/a" in name else name.partition("@")[0]
    calls = [check_dataset, known_manifold, lambda name: load_dataset(name, tmp_path)]
    for call in (*calls, lambda name: check_image_size(28, [name])):
        with pytest.raises(LookupError) as caught:
            call(name)
        assert str(caught.value) == (
            f"datasets: '{name}': a fraction of the training images is one number above 0 and at "
            f"most 100, with %; write '{base}@5%', or '{base}' for all of them"
        )


def test_an_unknown_name_with_a_fraction_is_still_an_unknown_name():
    with pytest.raises(LookupError, match=r"'digit' is not one of .*did you mean 'digits'"):
        check_dataset("digit@5%")
    with pytest.raises(LookupError, match="folder needs the path of a folder"):
        check_dataset("folder@5%")


def test_the_front_door_loads_a_fraction(tmp_path):
    whole, part = (load_dataset(name, tmp_path, 28) for name in ("digits", "digits@10%"))
    assert part.name == "digits@10%"
    assert len(part.train) == round(len(whole.train) / 10)
    assert part.shape == (1, 28, 28)
    assert torch.equal(part.test.images.whole, whole.test.images.whole)
    assert fingerprint(part) != fingerprint(whole)


def test_a_fraction_of_a_folder(tmp_path):
    folder, data = tmp_path / "images", tmp_path / "data"
    folder.mkdir()
    for number in range(40):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(folder / f"{number}.png")
    whole = load_dataset(f"folder:{folder}", data)
    assert len(whole.train) == 24
    part = load_dataset(f"folder:{folder}@25%", data)
    assert [len(part.train), len(part.validation), len(part.test)] == [6, 8, 8]
    assert part.name == f"folder:{folder}@25%"
    assert not part.train.images.loaded  # it is still read from the file
    numbers, known = (data.train.images[:][:, 0, 0, 0].tolist() for data in (part, whole))
    assert numbers == [number for number in known if number in numbers]


def test_a_fraction_of_images_that_are_made_lies_on_the_same_manifold(tmp_path):
    assert known_manifold("gaussian_ring@5%") == known_manifold("gaussian_ring")
    assert known_manifold("polygons:5@5%", 40) == known_manifold("polygons:5", 40)
    whole, part = (load_dataset(f"gaussian_ring{end}", tmp_path) for end in ("", "@1%"))
    assert part.manifold == whole.manifold
    assert len(part.train) == 600
    assert set(part.train.labels.tolist()) == set(range(8))
    assert fingerprint(part) != fingerprint(whole)
    check_image_size(40, ["triangles@5%"])  # which can be made in any size


def test_file_names_of_fractions_differ():
    names = ["fashion_mnist", "fashion_mnist@5%", "fashion_mnist@50%", "fashion_mnist@0.5%"]
    found = [file_name(name) for name in names]
    assert len(set(found)) == len(found)
    assert all(letter.isalnum() or letter in "-_." for text in found for letter in text)
    # As in the folders of runs that there are.
    known = {
        "polygons:5": "polygons_5",
        "my.data:load[3]": "my.data_load_3_",
        "a/b c@5%": "a_b_c_5_",
    }
    assert {name: file_name(name) for name in known} == known


def test_a_malformed_data_set_is_refused_before_a_fraction_is_drawn(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_unlabelled.py").write_text("def load(data_dir):\n    return None\n")
    with pytest.raises(ValueError, match="must return a Dataset"):
        load_dataset("own_unlabelled:load@5%", tmp_path)


def test_labels_need_not_be_those_of_all_classes():
    whole = made()
    labels = whole.train.labels.clamp(max=2)
    part = with_fraction(
        replace(whole, train=Split(whole.train.images.whole, labels)), Fraction(1, 100), "made@1%"
    )
    assert set(part.train.labels.tolist()) == {0, 1, 2}
