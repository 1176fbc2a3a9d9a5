"""An SVG file in fewer bytes shows the same."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from coequal.reporting.svg_bytes import slim


def path(commands: str) -> str:
    svg = slim(f'<svg><path d="{commands}"/></svg>'.encode()).decode()
    (found,) = re.findall(r' d="([^"]*)"', svg)
    return found


def test_lines_are_given_by_their_distances():
    # From (10, 20) by (5, -0.5) to (15, 19.5), then by (-15, 0.5) to (0, 20).
    assert path("M 10 20 \nL 15 19.5 \nL 0 20 \n") == "m10 20l5-.5-15 .5"


def test_a_second_line_begins_where_the_first_one_ended_and_a_closed_one_where_it_began():
    # Closed at (0, 0), so (3, 3) is (3, 3) away; without z it is (2, 3) away from (1, 0).
    assert path("M 0 0 \nL 1 0 \nz \nM 3 3 \nL 4 3 \n") == "m0 0l1 0zm3 3l1 0"
    assert path("M 0 0 \nL 1 0 \nM 3 3 \nL 4 3 \n") == "m0 0l1 0m2 3l1 0"


def test_rounding_does_not_add_up():
    # 100 steps of 0.004 are 0.4, and each point is right to half a hundredth.
    points = " ".join(f"L {0.004 * k:.6f} 0" for k in range(1, 101))
    numbers = re.findall(r"-?[\d.]+", path(f"M 0 0 {points}"))
    assert sum(float(x) for x in numbers[2::2]) == pytest.approx(0.4)


def test_curves_stay_as_they_are():
    assert path("M 0 0 \nC 1 1 2 2 3 3 \n") == "M 0 0 \nC 1 1 2 2 3 3 \n"


@pytest.mark.parametrize(
    ("pixel", "mode"),
    [((9, 9, 9, 255), "L"), ((9, 8, 9, 255), "RGB"), ((9, 9, 9, 40), "RGBA")],
)
def test_a_picture_keeps_the_channels_that_it_uses(pixel, mode):
    pixels = np.tile(np.array(pixel, np.uint8), (4, 5, 1))
    file = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(file, format="PNG")
    uri = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    svg = slim(f'<svg><image xlink:href="{uri}"/></svg>'.encode()).decode()
    (kept,) = re.findall(r'base64,([^"]*)"', svg)
    with Image.open(io.BytesIO(base64.b64decode(kept))) as picture:
        assert picture.mode == mode
        assert np.array_equal(np.asarray(picture.convert("RGBA")), pixels)
