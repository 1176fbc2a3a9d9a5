"""How images are laid out as one picture."""

import base64
import io

import numpy as np
from PIL import Image

from coequal.images import data_uri, enlarge, png_bytes, tile


def greys(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.uint8).reshape(-1, 1, 1, 1)


def test_images_side_by_side():
    # Three images of 1 x 1 in two columns: a white pixel between, and the fourth place is white.
    assert tile(greys(1, 2, 3), 2).tolist() == [[1, 255, 2], [255, 255, 255], [3, 255, 255]]
    # Fewer images than columns make a narrower picture; the gap and its grey are free to choose.
    assert tile(greys(1, 2), 9, gap=2, background=7).tolist() == [[1, 7, 7, 2]]


def test_three_channels_are_colours_and_two_are_not():
    images = np.arange(4, dtype=np.uint8).reshape(1, 4, 1, 1)
    assert tile(images, 1).tolist() == [[[0, 1, 2]]]
    assert tile(images[:, :2], 1).tolist() == [[0]]


def test_a_picture_grows_by_whole_pixels_and_shrinks_by_averages():
    picture = np.array([[0, 100]], dtype=np.uint8)
    assert enlarge(picture, 2).tolist() == [[0, 0, 100, 100]] * 2
    assert enlarge(enlarge(picture, 2), 0.5).tolist() == picture.tolist()
    assert enlarge(np.array([[0, 100], [100, 200]], dtype=np.uint8), 0.5).tolist() == [[100]]


def test_a_data_uri_holds_the_picture():
    picture = np.array([[1, 2], [3, 4]], dtype=np.uint8)
    head, _, body = data_uri(png_bytes(picture)).partition(",")
    assert head == "data:image/png;base64"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(body)))), picture)
