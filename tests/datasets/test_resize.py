from dataclasses import replace

import pytest
import torch

from coequal.contract import Dataset, Split
from coequal.datasets._resize import check_size, resized


def dataset(images):
    return Dataset("a", Split(images), Split(images[:1]), Split(images[:1]), notes=("before",))


def test_halving_mixes_by_the_filter_of_twice_the_width():
    image = torch.zeros(2, 3, 56, 56, dtype=torch.uint8)
    image[:, 1] = 200
    image[1, 2, :, 28:] = 255
    small = resized(dataset(image), 28).train.images.whole
    assert small.shape == (2, 3, 28, 28)
    assert small[0, 0].unique().tolist() == [0]
    assert small[0, 1].unique().tolist() == [200]
    # A step at 28. The centre of output pixel 13 is 27 in the input; a triangle of half-width 2
    # weighs the pixels at 25.5, 26.5, 27.5, 28.5 by 1/8, 3/8, 3/8, 1/8: the last gives 255 / 8.
    assert small[1, 2, 0, 12:16].tolist() == [0, 32, 223, 255]


def test_not_square_images_lose_their_ends():
    image = torch.zeros(1, 1, 28, 60, dtype=torch.uint8)
    image[..., 16:44] = 9  # the centre 28 columns
    wide = resized(dataset(image), 28)
    assert wide.train.images.whole.unique().tolist() == [9]
    assert wide.notes == (
        "before",
        "60x28 images were cropped to their centre square and resized to 28x28 "
        "(Pillow, antialiased bilinear)",
    )


def test_its_own_size_and_none_change_nothing():
    same = dataset(torch.zeros(1, 1, 28, 28, dtype=torch.uint8))
    assert resized(same, 28) is same
    assert resized(same, None) is same


def test_labels_stay():
    labelled = dataset(torch.zeros(2, 1, 28, 28, dtype=torch.uint8))
    labelled = replace(labelled, train=replace(labelled.train, labels=torch.tensor([1, 0])))
    assert resized(labelled, 32).train.labels.tolist() == [1, 0]


def test_another_size_is_refused():
    with pytest.raises(ValueError, match="image size 30 is not one of 28, 32, 64"):
        check_size(30)
