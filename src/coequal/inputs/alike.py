"""Images that are compared have one size and as many channels: brought to that where no pixel is
lost, refused otherwise."""

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from coequal.contract.data import ImageRows, Index, in_memory
from coequal.inputs.input import Input
from coequal.inputs.rows import digests_of


def made_alike(sources: Mapping[str, Input], remedy: str = "bring them to one") -> dict[str, Input]:
    """The sources with the same number of channels, as far as that changes no picture.

    Many programs write grey images as RGB with three equal channels. Where one side is grey and all
    images of the other are so, these become grey; where the other has colours, grey images become
    RGB. Splits of datasets and what a generator made stay as they are.

    Args:
        sources: what is compared, by side.
        remedy: what to do about images of other sizes.

    Raises:
        ValueError: a side holds features and another images, or sizes or channels differ in another
            way; the message says what would do.
    """
    rows = {role: source for role, source in sources.items() if source.rows is not None}
    if len(rows) < 2:
        return dict(sources)
    first, *others = rows
    for role in others:
        _refuse_other_kind(sources[first], sources[role], first, role)
    if sources[first].images is None or len({source.shape for source in rows.values()}) == 1:
        return dict(sources)
    channels = _common_channels(rows)
    alike = {role: _with_channels(source, channels, role) for role, source in rows.items()}
    for role in others:
        if alike[first].shape != alike[role].shape:
            raise ValueError(
                f"{first} images are {describe_size(sources[first])}, {role} images "
                f"{describe_size(sources[role])}; {remedy}"
            )
    return {**sources, **alike}


def describe_size(source: Input) -> str:
    """`28x28 with 1 channel`."""
    assert source.shape is not None
    channels, height, width = source.shape
    return f"{height}x{width} with {channels} channel{'s' if channels > 1 else ''}"


def _refuse_other_kind(first: Input, other: Input, role: str, other_role: str) -> None:
    if (first.features is None) != (other.features is None):
        text = f"{role} is {first.kind} and {other_role} is {other.kind}"
        raise ValueError(f"{text}; both must be alike")
    if first.features is not None and other.features is not None:
        widths = first.features.shape[1], other.features.shape[1]
        if widths[0] != widths[1]:
            raise ValueError(
                f"{role} has {widths[0]} features and {other_role} {widths[1]}; they come from "
                "different encoders"
            )


def _common_channels(sources: Mapping[str, Input]) -> int:
    """What all sides are brought to: the channels of those that stay as they are, else 1 if all
    images are grey, else 3."""
    for source in sources.values():
        if source.shape is not None and _is_fixed(source):
            return source.shape.channels
    return 1 if all(not _coloured(source) for source in sources.values()) else 3


def _is_fixed(source: Input) -> bool:
    # What is trained on the dataset, and what the generator makes, has its channels.
    return source.dataset is not None or source.generator is not None


def _with_channels(source: Input, channels: int, role: str) -> Input:
    assert source.images is not None
    shape = source.images.shape
    if shape[1] == channels:
        return source
    if _is_fixed(source) or {shape[1], channels} != {1, 3}:
        raise ValueError(f"{role}: {describe_size(source)}, where others have {channels}")
    if channels == 1 and (count := _coloured(source)):
        raise ValueError(
            f"{role}: {count:,} of {len(source):,} images are in colour, and those they are "
            "compared with are grey; convert one side (Pillow: image.convert('L'))"
        )
    convert = _first_channel if channels == 1 else _three_channels
    rows = source.images

    def read(index: Index) -> Tensor:
        return convert(rows[index])

    new_shape = (shape[0], channels, *shape[2:])
    images = in_memory(read(slice(None))) if rows.loaded else ImageRows(new_shape, rows.dtype, read)
    done = "RGB images with equal channels became grey" if channels == 1 else "grey became RGB"
    notes = (*source.notes, f"{done}, as the others are")
    return replace(source, images=images, digests=digests_of(images.parts()), notes=notes)


def _first_channel(images: Tensor) -> Tensor:
    return images[:, :1].contiguous()


def _three_channels(images: Tensor) -> Tensor:
    return images.expand(-1, 3, -1, -1).contiguous()


def _coloured(source: Input) -> int:
    """How many images have channels that differ."""
    assert source.images is not None
    if source.images.shape[1] == 1:
        return 0
    parts = source.images.parts()
    return sum(int((part != part[:, :1]).flatten(1).any(1).sum()) for part in parts)
