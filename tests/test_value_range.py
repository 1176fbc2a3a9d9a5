"""Ranges of pixel values: read, mapped to [0, 1], recognised."""

import numpy as np
import pytest
import torch

from coequal.value_range import BYTES, SYMMETRIC, UNIT, ValueRange, range_that_holds


@pytest.mark.parametrize("given", ["-1,1", " -1, 1", "[-1, 1]", (-1, 1), [-1.0, 1.0]])
def test_a_range_is_two_numbers(given):
    assert ValueRange.of(given) == (-1, 1)
    assert str(ValueRange.of(given)) == "[-1, 1]"


@pytest.mark.parametrize("given", ["1,-1", "1,1", "0", "0,1,2", "a,b", (0, float("nan")), None, ""])
def test_anything_else_is_refused(given):
    with pytest.raises(ValueError, match=r"two numbers, black before white, as -1,1 or 0,1; got"):
        ValueRange.of(given)


@pytest.mark.parametrize("make", [torch.tensor, np.array])
def test_black_becomes_0_and_white_1(make):
    # (-1 + 1) / 2 = 0, (0 + 1) / 2 = 0.5, (1 + 1) / 2 = 1
    assert SYMMETRIC.to_unit(make([-1.0, 0.0, 1.0])).tolist() == [0, 0.5, 1]
    assert BYTES.to_unit(make([0.0, 51.0, 255.0])).tolist() == pytest.approx([0, 0.2, 1])
    values = make([0.25])
    assert UNIT.to_unit(values) is values


def test_the_narrowest_common_range_is_recognised():
    assert range_that_holds(0, 1) == UNIT
    assert range_that_holds(-0.4, 0.9) == SYMMETRIC
    assert range_that_holds(3, 180) == BYTES
    assert range_that_holds(-3, 180) is None
    assert range_that_holds(-3, 180, tolerance=0.02) == BYTES  # 3 < 0.02 * 255 = 5.1
