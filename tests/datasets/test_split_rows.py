import torch

from coequal.contract import Split
from coequal.datasets._splits import hold_out, small_classes, split_rows


def test_every_row_is_in_exactly_one_split():
    rows = split_rows(23, "a")
    assert sorted(torch.cat(rows).tolist()) == list(range(23))
    assert [len(part) for part in rows] == [15, 4, 4]  # 23 // 5 = 4 held out, twice


def test_the_draw_depends_on_the_name_and_on_nothing_global():
    torch.manual_seed(1)
    first = split_rows(50, "a")
    torch.manual_seed(2)
    again, other = split_rows(50, "a"), split_rows(50, "b")
    assert all(torch.equal(one, two) for one, two in zip(first, again, strict=True))
    assert not torch.equal(first.test, other.test)


def test_each_class_is_split_by_itself():
    labels = torch.tensor([0] * 20 + [1] * 3 + [2] * 2)
    rows = split_rows(25, "a", labels)
    # 20: 12 + 4 + 4.  3: one each.  2: both in train.
    assert [labels[part].bincount(minlength=3).tolist() for part in rows] == [
        [12, 1, 2],
        [4, 1, 0],
        [4, 1, 0],
    ]
    assert small_classes(labels, ["a", "b", "c"]) == ["c"]


def test_the_first_rows_of_a_split_are_not_all_of_one_class():
    labels = torch.arange(100) // 50
    train = split_rows(100, "a", labels).train
    assert set(labels[train[:20]].tolist()) == {0, 1}


def numbered(count, labelled=True):
    numbers = torch.arange(count)
    images = numbers.to(torch.uint8).view(-1, 1, 1, 1)
    return Split(images, numbers + 100 if labelled else None)


def test_images_held_out_are_disjoint_from_the_rest_and_keep_their_labels():
    parts = hold_out(numbered(20), 6, "a")
    assert [len(parts.train), len(parts.validation)] == [14, 6]
    images = torch.cat([parts.train.images.whole, parts.validation.images.whole]).flatten()
    assert sorted(images.tolist()) == list(range(20))
    assert torch.equal(
        parts.validation.labels, parts.validation.images.whole.flatten().long() + 100
    )
    assert "the 20 official training images were split into 14 to train and 6" in parts.note
    assert hold_out(numbered(20, labelled=False), 6, "a").train.labels is None


def test_what_is_held_out_depends_on_the_name_and_on_nothing_global():
    torch.manual_seed(1)
    first = hold_out(numbered(50), 10, "a").validation.images.whole
    torch.manual_seed(2)
    assert torch.equal(first, hold_out(numbered(50), 10, "a").validation.images.whole)
    assert not torch.equal(first, hold_out(numbered(50), 10, "b").validation.images.whole)
