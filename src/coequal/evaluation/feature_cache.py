"""Features of many images, cached by content, in shards: a killed extraction goes on."""

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from coequal.contract import Encoder, ImageRows, Log
from coequal.contract.data import in_file
from coequal.devices import protocol_of
from coequal.files import atomic_write, from_cache
from coequal.inputs.rows import write_rows
from coequal.pace import Pace
from coequal.parallel import ahead

SHARDS = (2000, 500, 80)  # images: the first of these numbers that take no more bytes than
SHARD_BYTES = 1 << 27
ENCODED_AT_ONCE = 500  # images; an encoder's own batches are parts of these
READ_AT_ONCE = 256  # images, about: the next ones are read while these are encoded


def features_in_parts(images: ImageRows, encoder: Encoder) -> Tensor:
    """(n, d) float32 features in the memory of the encoder's device, of images of which only some
    are read at a time."""
    return torch.cat([encoder.features(part) for part in images.parts(ENCODED_AT_ONCE)])


def cached_features(
    images: ImageRows, digest: str, encoder: Encoder, cache: Path, log: Log, name: str
) -> ImageRows:
    """(n, d) float32 features of uint8 images, in a file; from the cache as far as they lie there.

    Images are read and encoded a shard at a time, and of a set whose features are known none is.

    Args:
        images: (n, c, h, w) uint8.
        digest: of the images' content; with the encoder's id, and its device if that isn't the
            CPU, it is the key.
        encoder: any.
        cache: the folder of all caches.
        log: is told how far a long extraction is.
        name: of the images, for the log.
    """
    of_all = " ".join(filter(None, [digest, encoder.id, protocol_of(encoder.device)]))
    key = hashlib.sha256(of_all.encode()).hexdigest()[:24]
    folder = cache / "features" / key
    whole = folder / "features.npy"

    def write() -> None:
        shards = list(_shards(images, encoder, folder, log, name))
        try:
            width = _load(shards[0]).shape[1]
            write_rows(whole, (len(images), width), (_load(shard) for shard in shards))
        except FileNotFoundError:
            if not whole.exists():  # else another process was faster, and tidied up
                raise
        for shard in shards:
            shard.unlink(missing_ok=True)

    def read(path: Path) -> ImageRows:
        rows = in_file(path)
        if len(rows) != len(images):
            raise ValueError(f"{len(rows)} rows for {len(images)} images")
        return rows

    return from_cache(whole, read, write, log)


def _shards(
    images: ImageRows, encoder: Encoder, folder: Path, log: Log, name: str
) -> Iterator[Path]:
    size = _shard_size(images)
    pace: Pace | None = None
    for start in range(0, len(images), size):
        stop = min(start + size, len(images))
        path = folder / f"{start:09d}-{stop:09d}.safetensors"

        def write(path: Path = path, start: int = start, stop: int = stop) -> None:
            nonlocal pace
            what = f"{encoder.id.partition(':')[0]} features of {name}"
            pace = pace or Pace(what, len(images) - start, log)
            parts = _read(images, range(start, stop), encoder.batch)
            features = torch.cat([encoded(part, encoder, pace) for part in parts])
            atomic_write(path, save({"features": features.contiguous()}))

        from_cache(path, _open, write, log)
        yield path


def _read(images: ImageRows, rows: range, batch: int | None) -> Iterator[Tensor]:
    """Images in parts of whole batches; of files the next part is read while one is used."""
    size = len(rows) if batch is None else batch * max(1, READ_AT_ONCE // batch)
    parts = [slice(at, min(at + size, rows.stop)) for at in range(rows.start, rows.stop, size)]
    calls = (partial(images.__getitem__, part) for part in parts)
    return ahead(calls) if images.mapped is None else (call() for call in calls)


def encoded(images: Tensor, encoder: Encoder, pace: Pace) -> Tensor:
    """Features of images, encoded piece by piece, and how far that is.

    The pieces are whole batches of the encoder, so that not one bit depends on them.

    Args:
        images: (n, c, h, w).
        encoder: any; one that names no `batch` gets all images at once.
        pace: is told of every piece.

    Returns:
        (n, d) float32, on the CPU.
    """
    rows, start = [], 0
    while start < len(images):
        batch = encoder.batch or len(images)
        stop = min(start + batch * max(1, pace.piece // batch), len(images))
        rows.append(encoder.features(images[start:stop]).cpu())
        pace.add(stop - start)
        start = stop
    return torch.cat(rows)


def _open(shard: Path) -> None:
    """Read no more than what tells whether the file is whole."""
    with safe_open(shard, "pt") as file:
        file.get_slice("features")


def _shard_size(images: ImageRows) -> int:
    of_one = int(torch.Size(images.shape[1:]).numel())
    return next((size for size in SHARDS if size * of_one <= SHARD_BYTES), SHARDS[-1])


def _load(shard: Path) -> Tensor:
    return load_file(shard)["features"]
