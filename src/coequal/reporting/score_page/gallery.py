"""The images of a page, each with what stands beneath it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray

from coequal.formatting import number
from coequal.images import data_uri, png_bytes

Pictures = Mapping[str, Mapping[int, NDArray[Any]]]
"""Images by side ("real", "fake", "train") and row: uint8 (h, w) or (h, w, 3)."""


class Picture(NamedTuple):
    """An image on the page.

    Attributes:
        uri: the PNG itself.
        alt: what it is, for those who can't see it.
        lines: what stands beneath it.
    """

    uri: str
    alt: str
    lines: tuple[str, ...] = ()


class Neighbours(NamedTuple):
    """A generated image and the images nearest to it."""

    image: Picture
    nearest: Sequence[Picture]


class Extremes(NamedTuple):
    """The worst and the best images by one number.

    Attributes:
        label: name of the number.
        meaning: what it is.
        worst: images, the worst first.
        best: images, the best first.
    """

    label: str
    meaning: str
    worst: Sequence[Picture]
    best: Sequence[Picture]


class Gallery(NamedTuple):
    """All images of one set.

    Attributes:
        fake: some generated images.
        real: some real ones.
        neighbours: generated images with their neighbours.
        neighbours_of: what the neighbours are images of.
        extremes: by number, the worst and the best.
        pixelated: whether images are small enough to be shown as pixels.
    """

    fake: Sequence[Picture]
    real: Sequence[Picture]
    neighbours: Sequence[Neighbours]
    neighbours_of: str
    extremes: Sequence[Extremes]
    pixelated: bool


PIXELATED_BELOW = 64  # pixels of a side


def gallery(record: Mapping[str, Any], pictures: Pictures) -> Gallery | None:
    """The images that a score's record speaks of; None if there are none.

    Args:
        record: of one set of generated images, with `page`.
        pictures: the images themselves.
    """
    page = record.get("page", {})
    if "shown" not in page or not pictures:
        return None
    uris = {
        (side, row): data_uri(png_bytes(pixels))
        for side, some in pictures.items()
        for row, pixels in some.items()
    }
    found = page.get("neighbours", {"rows": (), "source": "", "of": "real"})
    kind = "training" if found["of"] == "train" else "real"

    def shown(side: str, what: str, rows: Iterable[int]) -> list[Picture]:
        return [Picture(uris[side, row], f"{what} image {row + 1:,}") for row in rows]

    first = next(iter(pictures["fake"].values()))
    return Gallery(
        fake=shown("fake", "generated", page["shown"]["fake"]),
        real=shown("real", "real", page["shown"]["real"]),
        neighbours=[
            Neighbours(
                Picture(uris["fake", one["row"]], f"generated: {one['label']}", (one["label"],)),
                [_neighbour(uris[found["of"], near["row"]], kind, near) for near in one["nearest"]],
            )
            for one in found["rows"]
        ],
        neighbours_of=found["source"],
        extremes=[
            Extremes(
                one.get("label", name),
                one["meaning"],
                *(
                    [_ranked(uris["fake", image["row"]], image) for image in one[end]]
                    for end in ("worst", "best")
                ),
            )
            for name, one in record.get("images", {}).items()
        ],
        pixelated=max(first.shape[:2]) < PIXELATED_BELOW,
    )


def _neighbour(uri: str, kind: str, near: Mapping[str, Any]) -> Picture:
    distance = "copy" if near["distance"] == 0 else number(near["distance"])
    return Picture(uri, f"{kind} image {near['row'] + 1:,}, distance {distance}", (distance,))


def _ranked(uri: str, image: Mapping[str, Any]) -> Picture:
    value = "infinite" if image["value"] is None else number(image["value"])
    name = image.get("name", f"image {image['row'] + 1:,}")
    return Picture(uri, f"{name}: {value}", (value, name))
