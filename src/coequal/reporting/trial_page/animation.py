"""Samples over time: single pictures for the page, one animation as a file."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PIL import Image, ImageDraw

from coequal.files import atomic_write
from coequal.images import data_uri
from coequal.reporting.image_grids import are_points, font, square_sheet
from coequal.results.folder import RunFolder

FRAME_MILLISECONDS, LAST_FRAME_MILLISECONDS = 160, 1600
CAPTION_PIXELS = 24  # pixels beneath the pictures of the animation


@dataclass(frozen=True)
class Frame:
    """Generated images at one step, from latents that are the same in every frame.

    Attributes:
        step: discriminator steps done.
        images: (n, channels, height, width).
        real: real points, drawn beneath generated ones; None for images.
    """

    step: int
    images: NDArray[Any]
    real: NDArray[Any] | None

    @cached_property
    def uri(self) -> str:
        """The images in a square, one pixel each, as a PNG in a data URI."""
        return data_uri(square_sheet(self.images, self.real, at_least=1))


def frames_of(folder: RunFolder, trial_id: str, data: str) -> list[Frame]:
    """The frames of a trial; where it kept none, the sheets of its checkpoints."""
    real = folder.real_samples(data)
    found = folder.frames(trial_id)
    if found is not None:
        steps, images = found
        return [Frame(step, each, real) for step, each in zip(steps, images, strict=True)]
    sheets = sorted((folder.trial_folder(trial_id) / "samples").glob("step-*.npy"))
    steps = [int(path.stem.removeprefix("step-")) for path in sheets]
    read = {step: folder.samples(trial_id, step) for step in steps}
    return [Frame(step, images, real) for step, images in read.items() if images is not None]


def real_sheet(real: NDArray[Any] | None, frames: Sequence[Frame]) -> str:
    """As many real images as a frame has, in a square of the same size, as a PNG in a data URI;
    empty where there are none, or where they are points, which frames show themselves."""
    made = frames[-1].images if frames else None
    if real is None or made is None or are_points(made) or real.shape[1:] != made.shape[1:]:
        return ""
    columns = min(len(made), max(1, round(len(made) ** 0.5)))
    return data_uri(square_sheet(real[: len(made)], columns=columns, at_least=1))


def write_animation(frames: Sequence[Frame], path: Path) -> None:
    """The frames as an animated GIF with the step beneath each; it is there whole or not at all."""
    pictures = [_captioned(frame) for frame in frames]
    file = io.BytesIO()
    first, *rest = pictures
    pace = [FRAME_MILLISECONDS] * len(rest) + [LAST_FRAME_MILLISECONDS]
    first.save(file, format="GIF", save_all=True, append_images=rest, duration=pace, loop=0)
    atomic_write(path, file.getvalue())


def _captioned(frame: Frame) -> Image.Image:
    png = Image.open(io.BytesIO(square_sheet(frame.images, frame.real)))
    sheet = png.convert("L" if png.mode == "L" else "RGB")
    picture = Image.new(sheet.mode, (sheet.width, sheet.height + CAPTION_PIXELS), "white")
    picture.paste(sheet, (0, 0))
    place = (picture.width // 2, sheet.height + CAPTION_PIXELS // 2)
    ImageDraw.Draw(picture).text(
        place, f"step {frame.step:,}", fill="black", font=font("DejaVuSans.ttf", 13), anchor="mm"
    )
    return picture
