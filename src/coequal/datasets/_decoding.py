"""What is kept in mind of pictures while they are decoded one after the other."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from coequal.datasets._picture import SIXTEEN, Kind, Pixels, decoded
from coequal.datasets._resize import square

_NAMES_SHOWN = 3
_TWELVE_BITS = 1 << 12

_MIXED = Kind("grey", "converted to RGB (others have colour)")


class Attempt(NamedTuple):
    """What became of one picture.

    Attributes:
        error: Why it can't be read; empty if it can.
        pixels: (height, width) or (height, width, 3); None if it can't be read.
        size: Width and height of the picture before it was resized.
        kinds: What was odd about it.
        lossy: Whether it was stored in a format that changes pixels.
        brightest: The largest of its values.
        highest: The largest before 16 bits became 8; None if it had no more than 8.
        grey: Whether it is.
    """

    error: str
    pixels: Pixels | None = None
    size: tuple[int, int] = (0, 0)
    kinds: Sequence[Kind] = ()
    lossy: bool = False
    brightest: int = 0
    highest: int | None = None
    grey: bool = False


def attempted(
    given: Callable[[], Image.Image | str | Path | Mapping[str, Any]], image_size: int | None
) -> Attempt:
    """Decodes a picture, in any thread.

    Args:
        given: The picture, or what it is decoded from (see `_picture.decoded`).
        image_size: What its centre square is resized to; None: nothing is resized.
    """
    try:
        picture = decoded(given())
    except Exception as error:  # decoders of broken files raise anything; each is reported
        return Attempt(str(error) or type(error).__name__)
    image = picture.image
    return Attempt(
        "",
        np.asarray(image if image_size is None else square(image, image_size)),
        image.size,
        picture.kinds,
        picture.lossy,
        int(np.asarray(image).max()),
        picture.highest,
        image.mode == "L",
    )


class DecodedPictures:
    """What was odd about pictures that have been decoded, for notes and warnings on all of them.

    Attributes:
        where: What holds them, for messages.
        image_size: What every centre square is resized to; None if all have one size already.
        count: How many there were, broken ones too.
        sizes: How often each width and height came.
        grey: Names of grey ones.
        broken: Names of those that can't be read, with the reason.
        lossy: How many were stored in a format that changes pixels.
        brightest: The largest value of all their pixels.
    """

    def __init__(self, where: str, image_size: int | None) -> None:
        self.where, self.image_size = where, image_size
        self.count = 0
        self.sizes: Counter[tuple[int, int]] = Counter()
        self.grey: list[str] = []
        self.broken: list[str] = []
        self.lossy = 0
        self.brightest = 0
        self._kinds: dict[Kind, list[str]] = {}
        self._brightest_wide = 0  # of pictures with 16 bits, before they became 8

    def see(self, name: str, picture: Attempt) -> Pixels | None:
        """Keeps in mind what became of one more picture.

        Args:
            name: For messages.
            picture: Resized to `image_size`.

        Returns:
            Its pixels; None if it can't be read, or is of another size than those before it and no
            image size is given: `notes` refuses both.
        """
        self.count += 1
        if picture.pixels is None:
            self.broken.append(f"{name} ({picture.error})")
            return None
        self.sizes[picture.size] += 1
        self.lossy += picture.lossy
        for kind in picture.kinds:
            self._kinds.setdefault(kind, []).append(name)
        self.brightest = max(self.brightest, picture.brightest)
        self._brightest_wide = max(self._brightest_wide, picture.highest or 0)
        if picture.grey:
            self.grey.append(name)
        return picture.pixels if self.image_size is not None or len(self.sizes) == 1 else None

    @property
    def channels(self) -> int:
        """Of all pictures together: 3 if any has colour."""
        return 3 if len(self.grey) < self.count else 1

    def notes(self) -> list[str]:
        """What was done to the pictures, once all have been seen.

        Raises:
            ValueError: some can't be read, or their sizes differ and no image size is given.
        """
        if self.broken:
            raise ValueError(
                f"{self.where}: {len(self.broken)} of {self.count} image files can't "
                f"be read: {listed(self.broken, shown=5)}; fix or remove them"
            )
        if self.image_size is None and len(self.sizes) > 1:
            raise ValueError(
                f"{self.where}: the images have {len(self.sizes)} sizes "
                f"({_size_counts(self.sizes)}); give an image size to have them all cropped to "
                "their centre square and resized (--image-size 32, in a study file image_size: 32)"
            )
        mixed = 0 < len(self.grey) < self.count
        kinds = {**self._kinds, _MIXED: self.grey} if mixed else self._kinds
        return [*_kind_notes(kinds), *_size_notes(self.sizes, self.image_size)]

    def warnings(self) -> list[str]:
        """Why the pictures may not be what they were meant to be, once all have been seen."""
        if not 0 < self._brightest_wide < _TWELVE_BITS:
            return []
        return [
            f"no value of the {len(self._kinds[SIXTEEN]):,} 16-bit images is above 4095: they hold "
            "12 bits or fewer, and are nearly black as 8 bits; scale them to the full range first"
        ]


def listed(names: Sequence[str], shown: int = _NAMES_SHOWN) -> str:
    """The first few names and how many more there are, fit to print even if not valid Unicode.

    Args:
        names: At least one.
        shown: How many to name.
    """
    more = [f"and {len(names) - shown:,} more"] if len(names) > shown else []
    text = ", ".join([*names[:shown], *more])
    return text.encode("utf-8", "backslashreplace").decode()


def _kind_notes(kinds: Mapping[Kind, Sequence[str]]) -> list[str]:
    return [
        f"{len(names):,} {kind.what} {'image was' if len(names) == 1 else 'images were'} "
        f"{kind.done} ({listed(names)})"
        for kind, names in sorted(kinds.items())
    ]


def _size_notes(sizes: Counter[tuple[int, int]], image_size: int | None) -> list[str]:
    if image_size is None or set(sizes) == {(image_size, image_size)}:
        return []
    return [
        f"images of {_size_counts(sizes)} were cropped to their centre square and resized to "
        f"{image_size}x{image_size} (Pillow, antialiased bilinear)"
    ]


def _size_counts(sizes: Counter[tuple[int, int]]) -> str:
    return listed([f"{w}x{h}: {count:,}" for (w, h), count in sizes.most_common()], shown=5)
