"""An LMDB of encoded pictures, as LSUN is published: keys in their order, values of JPEG, WebP or
PNG files. It is only read."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from coequal.contract import ImageRows, Log
from coequal.contract.data import Index
from coequal.datasets._pictures import Pictures, some_pictures, survey_pictures
from coequal.inputs.arrays import Read

FILE = "data.mdb"
_COUNTS = (b"length", b"num-samples", b"__len__")  # keys of numbers that some programs write


def is_lmdb(path: Path) -> bool:
    """Whether a path is an LMDB: a folder with `data.mdb`, or a file that ends in .mdb or .lmdb."""
    return (path / FILE).is_file() or (path.is_file() and path.suffix in (".mdb", ".lmdb"))


def read_lmdb(path: Path, what: str, image_size: int | None, limit: int | None, log: Log) -> Read:
    """The pictures of an LMDB, which are decoded whenever they are read.

    Args:
        path: see `is_lmdb`.
        what: its name, for messages.
        image_size: what every centre square is resized to; None: as they are.
        limit: of how many pictures, the first ones; None: all.
        log: is told how far decoding is.

    Raises:
        ValueError: the package is missing, or the file can't be read; or see `survey_pictures`.
    """
    with _opened(path) as transaction, transaction.cursor() as cursor:
        wanted = (key for key in cursor.iternext(keys=True, values=False) if key not in _COUNTS)
        keys = [bytes(key) for key in itertools.islice(wanted, limit)]
        if not keys:
            raise ValueError(f"{what} is an LMDB without entries")
        survey = survey_pictures(_pictures(transaction, keys, what), image_size, log)

    def read(index: Index) -> Tensor:
        rows = np.arange(len(keys))[index if isinstance(index, slice) else index.numpy()]
        with _opened(path) as transaction:
            some = _pictures(transaction, [keys[row] for row in rows], what)
            return torch.from_numpy(some_pictures(some, image_size, survey.shape[0]))

    notes = [*survey.notes]
    if limit == len(keys):
        notes.append(f"the first {limit:,} images were read")
    return Read(
        ImageRows((len(keys), *survey.shape), torch.uint8, read),
        None,
        survey.digests,
        tuple(notes),
        tuple(survey.warnings),
        survey.lossy,
        survey.brightest,
    )


def _pictures(transaction: Any, keys: Sequence[bytes], what: str) -> Pictures:
    names = [key.decode("utf-8", "replace") for key in keys]
    return Pictures(what, names, lambda row: {"bytes": transaction.get(keys[row]), "path": None})


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A transaction that reads. One process can open an LMDB only once: it is closed at once."""
    try:
        import lmdb
    except ImportError as error:
        raise ValueError(f"{path} is an LMDB; to read it, pip install 'coequal[lmdb]'") from error
    try:
        opened = lmdb.open(
            str(path), readonly=True, lock=False, readahead=False, subdir=path.is_dir()
        )
    except lmdb.Error as error:
        raise ValueError(f"{path} can't be read as an LMDB ({error})") from error
    with opened, opened.begin() as transaction:
        yield transaction
