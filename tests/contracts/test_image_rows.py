"""Rows that are read in parts: the same rows, wherever they lie and whoever asks for which."""

import numpy as np
import pytest
import torch

from coequal.contract import ImageRows, Split
from coequal.contract.data import in_file, in_memory
from coequal.rng import Rng

VALUES = Rng(3).integers(256, 20 * 2 * 3 * 3).view(20, 2, 3, 3).to(torch.uint8)


@pytest.fixture(params=["memory", "file", "decoded when read"])
def rows(request, tmp_path) -> ImageRows:
    if request.param == "memory":
        return in_memory(VALUES)
    if request.param == "file":
        np.save(tmp_path / "rows.npy", VALUES.numpy())
        return in_file(tmp_path / "rows.npy")
    return ImageRows((20, 2, 3, 3), torch.uint8, lambda index: VALUES[index].clone())


def test_any_rows_can_be_read(rows):
    assert len(rows) == 20
    assert (rows.shape, rows.dtype, rows.bytes_in_all) == ((20, 2, 3, 3), torch.uint8, 360)
    order = torch.tensor([7, 0, 19, 7])
    assert torch.equal(rows[order], VALUES[order])
    assert torch.equal(rows[3:5], VALUES[3:5])
    assert torch.equal(rows[:], VALUES)
    assert torch.equal(rows.whole, VALUES)


def test_parts_are_all_rows_in_order(rows):
    parts = list(rows.parts(8))
    assert [len(part) for part in parts] == [8, 8, 4]
    assert torch.equal(torch.cat(parts), VALUES)


def test_parts_of_large_rows_are_small(rows, monkeypatch):
    # A row of 18 values is 72 bytes as float32: seven of them in 511 bytes, one at least.
    monkeypatch.setattr("coequal.contract.data.PART_BYTES", 511)
    assert [len(part) for part in rows.parts()] == [7, 7, 6]
    monkeypatch.setattr("coequal.contract.data.PART_BYTES", 1)
    assert len(list(rows.parts())) == 20


def test_selected_rows_are_rows_again(rows):
    chosen = rows.select(torch.tensor([4, 2, 9])).select(torch.tensor([2, 0]))
    assert chosen.loaded == rows.loaded  # a selection of a file stays in the file
    assert chosen.shape == (2, 2, 3, 3)
    assert torch.equal(chosen[:], VALUES[[9, 4]])
    assert torch.equal(chosen[torch.tensor([1, 1])], VALUES[[4, 4]])


def test_what_is_written_to_the_rows_of_a_file_does_not_reach_it(tmp_path):
    np.save(tmp_path / "rows.npy", VALUES.numpy())
    rows = in_file(tmp_path / "rows.npy")
    rows.whole.zero_()
    rows[:].zero_()
    assert torch.equal(rows[:], VALUES)


def test_a_split_takes_a_tensor_for_rows_in_memory():
    split = Split(VALUES, torch.arange(20))
    assert split.images.loaded
    assert split.images.whole is VALUES  # not copied
    some = split.select(torch.tensor([5, 1]))
    assert torch.equal(some.images.whole, VALUES[[5, 1]])
    assert some.labels.tolist() == [5, 1]
