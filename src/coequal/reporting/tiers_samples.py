"""Samples in a row of the first picture: images side by side, or a scatter plot of points."""

from itertools import chain

import numpy as np
from matplotlib.axes import Axes

from coequal.images import Pixels, enlarge, tile
from coequal.reporting.image_grids import Row
from coequal.reporting.style import COLOURS, FAINT, MUTED

IMAGES = 8  # in a strip
MAX_SIDE_PIXELS = 48  # wider images are made smaller
POINTS = 160  # of a scatter plot


def strip_height(row: Row, width: float) -> float:
    """The height of a row's images, side by side.

    Args:
        row: of images.
        width: of `IMAGES` of them.
    """
    height, whole = map(int, _picture(row).shape[:2])
    return min(1.0, len(row.images) / IMAGES) * width * height / whole


def draw_samples(page: Axes, row: Row, left: float, top: float, width: float) -> None:
    """Draw a row's images side by side, or its points in a square.

    Args:
        page: axes in points, whose y axis points down.
        row: images, or points in the plane.
        left: left end, in points.
        top: upper end, in points.
        width: of `IMAGES` images, or of the square, in points.
    """
    if row.points:
        _scatter(page, row, left, top, width)
        return
    height = strip_height(row, width)
    right = left + width * min(1.0, len(row.images) / IMAGES)
    place = (left, right, top + height, top)
    page.imshow(_picture(row), extent=place, interpolation="none", aspect="auto", zorder=2)


def _picture(row: Row) -> Pixels:
    """The images of a row side by side with transparent gaps, as (height, width, 4)."""
    images = row.images[:IMAGES]
    side = int(images.shape[-1])
    factor = min(1.0, MAX_SIDE_PIXELS / side)
    colours = np.stack([np.repeat(i, 3, 0)[:3] if len(i) < 3 else i[:3] for i in images])
    solid = np.full((len(images), 1, *images.shape[2:]), 255, np.uint8)
    parts = [enlarge(tile(one[None], 1), factor) for one in colours]
    alpha = [enlarge(tile(one[None], 1), factor) for one in solid]
    joined = [np.dstack([part, full]) for part, full in zip(parts, alpha, strict=True)]
    gap = np.zeros((joined[0].shape[0], 1, 4), np.uint8)
    return np.hstack(list(chain.from_iterable((one, gap) for one in joined))[:-1])


def _scatter(page: Axes, row: Row, left: float, top: float, side: float) -> None:
    square = [left, left + side, left + side, left, left], [top, top, top + side, top + side, top]
    page.plot(*square, color=FAINT, lw=0.7)
    tint = MUTED if row.real is None else COLOURS[0]
    for points, colour_, size in ((row.real, FAINT, 1.6), (row.images, tint, 1.2)):
        if points is not None:
            x, y = (points[:POINTS, k].reshape(-1) for k in (0, 1))
            page.plot(left + side * x, top + side * (1 - y), "o", ms=size, mew=0, color=colour_)
