"""Images that come one after the other, or in batches: datasets and loaders of Python, generators,
tars. They are read once, as far as they are wanted, and kept as rows."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from coequal.contract import Log
from coequal.datasets._decoding import DecodedPictures, attempted
from coequal.datasets._published import silent
from coequal.inputs.array_form import ArrayForm, Conversion, ValuesSeen, array_form
from coequal.inputs.arrays import Read, feature_width
from coequal.inputs.growing_rows import GrowingRows
from coequal.inputs.items import Item, class_names, gives_batches, has_length, items_of, parsed
from coequal.inputs.labels import Labels, read_labels
from coequal.pace import Lines
from coequal.value_range import UNIT

MAX_BROKEN = 100  # pictures that can't be read, after which a stream is not read any further


class Stream(NamedTuple):
    """What images come from.

    Attributes:
        items: see `items.parsed` for what they may be.
        what: its name, for messages.
        classes: names of the labels 0, 1, ...; None if they are not known.
        batches: whether every item is a batch, whatever its axes are.
        endless: whether nothing tells how many there will be.
    """

    items: Iterable[Any]
    what: str
    classes: Sequence[str] | None = None
    batches: bool = False
    endless: bool = False


def stream_of(given: Any) -> Stream:
    """A dataset, a loader, a list, or anything else that Python can iterate.

    Raises:
        ValueError: it can't be iterated.
    """
    return Stream(
        items_of(given),
        type(given).__name__,
        class_names(given),
        gives_batches(given),
        not has_length(given),
    )


def read_stream(
    stream: Stream, to: Conversion, limit: int | None = None, log: Log = silent
) -> tuple[Read, Labels]:
    """The images and labels of a stream.

    Pictures of Pillow, and those that are not decoded yet (paths, {"bytes", "path"}), go through
    the rules for files (`datasets._picture`), arrays through those for arrays (`array_form`). No
    more than `growing_rows.IN_MEMORY_BYTES` of them are in memory.

    Args:
        stream: it is read to its end, or as far as the limit.
        to: what images are brought to.
        limit: of how many images, the first ones; None: all.
        log: is told every few seconds how far it is.

    Raises:
        ValueError: an item can't be read, or is of another kind, shape or type than those before.
    """
    found = _Found(stream, to)
    try:
        found.take(limit, log)
        read = found.done(limit)
    except BaseException:  # Ctrl-C, too: a file of rows would be in the way for long
        found.discard()
        raise
    return read, read_labels(found.labels, stream.classes)


class _Found:
    """What a stream has given so far."""

    def __init__(self, stream: Stream, to: Conversion) -> None:
        self.stream, self.to = stream, to
        self.images: _Pictures | _Arrays | None = None
        self.labels: list[Any] = []
        self.unused: Counter[str] = Counter()

    def take(self, limit: int | None, log: Log) -> None:
        """Read the stream to its end, or to the limit."""
        stream, labels = self.stream, self.labels
        progress = _Progress(stream, limit, log)
        for given in _given(stream):
            item = parsed(given, f"{stream.what}: item {len(labels)}", stream.batches)
            item = _first(item, None if limit is None else limit - len(labels))
            self.unused.update(item.unused)
            if self.images is None:
                kind = _Arrays if isinstance(item.images, Tensor) else _Pictures
                self.images = kind(stream, self.to)
            self.images.add(item.images, len(labels))
            labels += item.labels
            if limit is not None and len(labels) >= limit:
                return
            progress.tell(len(labels))

    def done(self, limit: int | None) -> Read:
        if self.images is None or not self.labels:
            raise ValueError(f"{self.stream.what}: it is empty, and gave no images")
        read = self.images.done()
        notes = [*read.notes]
        if len(self.labels) == limit:
            notes.append(f"the first {limit:,} images were read")
        if self.unused:
            notes.append(f"not used: {', '.join(self.unused)} of the items")
        return read._replace(notes=tuple(notes))

    def discard(self) -> None:
        if self.images is not None:
            self.images.rows.discard()


def _given(stream: Stream) -> Iterator[Any]:
    """The items; what fails in the code that gives them says after how many."""
    count = 0
    items = iter(stream.items)
    while True:
        try:
            item = next(items)
        except StopIteration:
            return
        except (ValueError, OSError):  # these say themselves what is wrong
            raise
        except Exception as error:
            told = f"{type(error).__name__}: {error}"
            raise ValueError(f"{stream.what} failed after {count:,} items: {told}") from error
        count += 1
        yield item


def _first(item: Item, count: int | None) -> Item:
    return Item(item.images[:count], item.labels[:count], item.unused)


class _Pictures:
    """Pictures so far; grey ones become RGB as soon as one has colour."""

    def __init__(self, stream: Stream, to: Conversion) -> None:
        self.stream, self.rows = stream, GrowingRows()
        self.seen = DecodedPictures(stream.what, to.image_size)
        self.channels = 1

    def add(self, pictures: Sequence[Any] | Tensor, before: int) -> None:
        if isinstance(pictures, Tensor):
            raise ValueError(_mixed(self.stream, "an array", "a picture", before))
        for place, given in enumerate(pictures, before):
            picture = attempted(partial(_itself, given), self.seen.image_size)
            pixels = self.seen.see(f"item {place}", picture)
            unusable = len(self.seen.sizes) > 1 and self.seen.image_size is None
            if len(self.seen.broken) >= MAX_BROKEN or (unusable and self.stream.endless):
                self.seen.notes()  # raises: more of them would say nothing new
            if pixels is None:
                continue
            planes = torch.from_numpy(np.atleast_3d(pixels).transpose(2, 0, 1).copy())
            if len(planes) > self.channels:
                self.channels = len(planes)
                if len(self.rows):
                    self.rows = self.rows.converted(_coloured)
            self.rows.add(planes.expand(self.channels, -1, -1)[None])

    def done(self) -> Read:
        notes, warnings = self.seen.notes(), self.seen.warnings()
        digests, images = self.rows.digests, self.rows.done()
        return Read(
            images,
            None,
            digests,
            tuple(notes),
            tuple(warnings),
            self.seen.lossy,
            self.seen.brightest,
        )


class _Arrays:
    """Arrays so far, all of images or all of features."""

    def __init__(self, stream: Stream, to: Conversion) -> None:
        self.stream, self.to, self.rows = stream, to, GrowingRows()
        self.kind: tuple[tuple[int, ...], torch.dtype] | None = None
        self.form: ArrayForm | None = None  # of images
        self.values = ValuesSeen(to.value_range)

    def add(self, part: Sequence[Any] | Tensor, before: int) -> None:
        if not isinstance(part, Tensor):
            raise ValueError(_mixed(self.stream, "a picture", "an array", before))
        if self.kind is None:
            self.kind = tuple(part.shape[1:]), part.dtype
            self._recognise(part)
        self._refuse_other(part, before)
        if self.form is None:
            if not bool(part.float().isfinite().all()):
                text = "the features hold NaN or infinity (as 32-bit floats)"
                raise ValueError(f"{self.stream.what}: {text}")
            self.rows.add(part.float().flatten(1))
            return
        if self.form.floats or self.form.dtype.is_floating_point:
            self.values.see(part)
            if self.values.outside and self.stream.endless:
                self.values.refuse(self.stream.what)
        self.rows.add(self.form.converted(part))

    def _recognise(self, part: Tensor) -> None:
        shape, what = tuple(part.shape), self.stream.what
        if feature_width(shape) is not None and part.is_floating_point():
            if self.to.image_size is not None:
                text = "holds features, which can't be resized; leave out image_size"
                raise ValueError(f"{what} {text}")
            return
        self.form = array_form(shape, part.dtype, what, self.to)
        if self.form.dtype.is_floating_point:  # points are in [0, 1] always
            self.values = ValuesSeen(UNIT)

    def _refuse_other(self, part: Tensor, before: int) -> None:
        assert self.kind is not None
        pairs = (
            ("shapes", self.kind[0], tuple(part.shape[1:])),
            ("types", self.kind[1], part.dtype),
        )
        for name, first, other in pairs:
            if first != other:
                raise ValueError(
                    f"{self.stream.what}: the items have 2 {name} ({first}, and {other} from item "
                    f"{before} on); bring them to one, or give PIL images, which are brought to "
                    "one size by image_size"
                )

    def done(self) -> Read:
        digests = self.rows.digests
        if self.form is None:
            assert self.kind is not None
            axes = self.kind[0]
            told = (f"floats of shape {('n', *axes)} were taken for features".replace("'", ""),)
            return Read(None, self.rows.done(), digests, told if len(axes) > 1 else ())
        self.values.refuse(self.stream.what)
        return Read(self.rows.done(), None, digests, self.form.notes)


def _itself(given: Any) -> Any:
    return given


def _coloured(grey: Tensor) -> Tensor:
    return grey.expand(-1, 3, -1, -1)


def _mixed(stream: Stream, now: str, first: str, before: int) -> str:
    return f"{stream.what}: item {before} is {now} and item 0 {first}; all must be alike"


class _Progress:
    """Tells how far a stream has been read, and how to stop one that does not say its length."""

    def __init__(self, stream: Stream, limit: int | None, log: Log) -> None:
        self.stream, self.limit = stream, limit
        self.lines = Lines(log, first=False)

    def tell(self, count: int) -> None:
        of = "" if self.limit is None else f" of {self.limit:,}"
        hint = ""
        if self.stream.endless and self.limit is None:
            hint = (
                ", which does not tell its length: press Ctrl-C to stop, or read the "
                "first N with --max-images N (in Python max_images=N)"
            )
        self.lines.tell(f"read {count:,}{of} images of {self.stream.what}{hint}")
