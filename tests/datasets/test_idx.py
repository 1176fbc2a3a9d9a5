import struct

import pytest
import torch

from coequal.datasets._idx import parse_idx, read_idx_files
from coequal.datasets._published import Contents


def idx(shape, values, kind=8):
    return bytes([0, 0, kind, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + bytes(values)


def test_values_come_in_row_major_order():
    array = parse_idx(idx((2, 3), range(6)), "a")
    torch.testing.assert_close(array, torch.tensor([[0, 1, 2], [3, 4, 5]], dtype=torch.uint8))


def test_the_result_may_be_written_to():
    array = parse_idx(idx((2,), [1, 2]), "a")
    array += 1
    assert array.tolist() == [2, 3]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "not an IDX file: it begins with nothing"),
        (b"\x1f\x8b\x08\x00abc", "not an IDX file: it begins with 1f8b0800"),
        (idx((2,), [1, 2], kind=0x0D), "holds IDX type 0x0d"),
        (b"\0\0\x08\x03\0\0\0\x01", "ends within its header: 8 of 16 bytes"),
        (idx((2, 3), range(5)), "is truncated: 17 bytes, and 2x3 values need 18"),
        (idx((2, 3), range(7)), "is too long: 19 bytes, and 2x3 values need 18"),
    ],
)
def test_a_bad_file_is_refused_by_name(raw, said):
    with pytest.raises(ValueError, match=r"^train-images ") as caught:
        parse_idx(raw, "train-images")
    assert said in str(caught.value)


def test_four_files_are_a_data_set_with_a_sixth_held_out(idx_files):
    data = read_idx_files("a", Contents(idx_files, ["that one"]), tuple("0123456789"))
    assert [len(data.train), len(data.validation), len(data.test)] == [10, 2, 5]  # 12 / 6 = 2
    numbers = [split.images.whole[:, 0, 0, 0].tolist() for split in (data.train, data.validation)]
    assert sorted(numbers[0] + numbers[1]) == list(range(12))
    for split, own in zip((data.train, data.validation), numbers, strict=True):
        assert split.labels.tolist() == [number % 10 for number in own]
        assert split.labels.dtype == torch.int64
    assert data.test.images.whole[:, 0, 27, 27].tolist() == [100, 101, 102, 103, 104]
    assert data.notes == (
        "the 12 official training images were split into 10 to train and 2 to validate; the test "
        "images are the official ones",
        "ignored a file with wrong content: that one",
    )
