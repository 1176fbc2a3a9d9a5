"""Generated images as a figure of their own size."""

import io

import numpy as np
from matplotlib.figure import Figure
from PIL import Image


def picture_figure(png: bytes) -> Figure:
    """A picture as a figure, for the formats that papers take."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    height, width = pixels.shape[:2]
    figure = Figure(figsize=(width / 100, height / 100), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.imshow(pixels, interpolation="none", aspect="auto")
    return figure
