"""Points in the plane: what is kept of them, and their plot."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from coequal.contract import ImageShape
from coequal.inputs.load import from_array
from coequal.reporting.image_grids import Row, sheet, square_sheet
from coequal.reporting.scatter import scatters
from coequal.reporting.style import COLOURS, FAINT
from coequal.trial.snapshots import sheet_format


def points(*pairs: tuple[float, float]) -> np.ndarray:
    return np.array(pairs, dtype=np.float32)[:, :, None, None]


def inked(png: bytes, colour: str) -> np.ndarray:
    """(row, column) of the pixels of a colour, as shares of height and width."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    near = np.abs(pixels - wanted).max(-1) < 30
    return np.argwhere(near) / near.shape


def test_x_goes_right_and_y_goes_up():
    # One panel without a title: nearly the whole picture.
    found = inked(square_sheet(points((0.25, 0.9)), points((0.5, 0.5))), COLOURS[0])
    row, column = found.mean(0)
    assert column == pytest.approx(0.25, abs=0.03)
    assert row == pytest.approx(0.1, abs=0.04)


def test_real_points_lie_beneath():
    alone = square_sheet(points((0.5, 0.5)))
    over = square_sheet(points((0.5, 0.5)), points((0.2, 0.2)))
    assert not len(inked(alone, COLOURS[0]))  # without real ones beneath they are the real ones
    row, column = inked(over, FAINT).T  # so have the frame, and the blue dot's edge
    inner = (row > 0.1) & (row < 0.9) & (column > 0.1) & (column < 0.9)
    assert np.median(column[inner]) == pytest.approx(0.2, abs=0.03)
    assert np.median(row[inner]) == pytest.approx(0.8, abs=0.04)


def test_a_panel_for_each_row_and_the_same_bytes_again():
    rows = [Row(f"model {i}", "FD 1", points((0.5, 0.5)), points((0.1, 0.1))) for i in range(5)]
    picture = sheet(rows)
    assert picture == sheet(rows)
    width, height = Image.open(io.BytesIO(picture)).size
    assert width / height == pytest.approx(4 * 2.3 / (2 * (2.3 + 0.42)), rel=0.01)
    panels = {tuple((np.array([2, 4]) * spot).astype(int)) for spot in inked(picture, COLOURS[0])}
    assert panels == {(0, 0), (0, 1), (0, 2), (0, 3), (1, 0)}
    assert rows[0].points
    assert rows[0].uri.startswith("data:image/png;base64,")
    assert not Row("", "", np.zeros((3, 1, 8, 8), np.uint8)).points


def test_titles_are_drawn():
    panel = (points((0.5, 0.5)), points((0.1, 0.1)))
    assert scatters([("a", "b", *panel)]) != scatters([("c", "b", *panel)])
    assert scatters([("a", "b", *panel)]) != scatters([("a", "d", *panel)])


def test_points_are_kept_as_floats_and_more_of_them():
    assert sheet_format(ImageShape(2, 1, 1)) == (1000, torch.float32)
    assert sheet_format(ImageShape(1, 28, 28)) == (64, torch.uint8)


def test_points_in_an_array_are_not_rounded():
    values = points((0.1234567, 0.7), (0.25, 1.0))
    found = from_array(values, "an array")
    assert found.shape == (2, 1, 1)
    assert torch.equal(found.images.whole, torch.from_numpy(values))
    assert found.notes == ()
