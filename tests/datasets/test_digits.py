from pathlib import Path

import torch
from sklearn.datasets import load_digits as sklearn_digits

from coequal.datasets.digits import load_digits


def test_all_1797_images_are_there_once_with_every_class_in_every_split():
    digits = load_digits("", Path("unused"))
    splits = (digits.train, digits.validation, digits.test)
    images = torch.cat([split.images.whole for split in splits])
    assert images.shape == (1797, 1, 8, 8)
    assert len(images.flatten(1).unique(dim=0)) == 1797  # so the splits are disjoint
    assert [len(split) for split in splits] == [1087, 355, 355]
    assert all(set(split.labels.tolist()) == set(range(10)) for split in splits)


def test_grey_levels_are_stretched_and_keep_their_labels():
    digits = load_digits("", Path("unused"))
    bunch = sklearn_digits()
    # 0 -> 0, 8 -> 127.5 -> 128, 16 -> 255
    wanted = torch.tensor([round(255 * level / 16 + 1e-9) for level in range(17)])
    original = wanted[torch.from_numpy(bunch.images).long()]
    (row,) = (original == digits.test.images.whole[0, 0]).flatten(1).all(1).nonzero().flatten()
    assert digits.test.labels[0] == bunch.target[row]
    assert digits.train.images.whole.max() == 255


def test_resized_digits_say_so():
    digits = load_digits("", Path("unused"), 28)
    assert digits.shape == (1, 28, 28)
    assert "8x8 images were resized to 28x28 (Pillow, antialiased bilinear)" in digits.notes
