"""Tars of pictures in the layout of webdataset: the files of one image have one name but for what
follows its first dot (`000017.jpg`, `000017.cls`)."""

import glob
import re
import tarfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from coequal.datasets._listing import is_hidden
from coequal.datasets._picture import SUFFIXES
from coequal.inputs.streams import Stream

SUFFIX = ".tar"
_BRACES = re.compile(r"\{([^{}]*)\}")
_NUMBERS = re.compile(r"(\d+)\.\.(\d+)")
_LABEL = "cls"


def tar_stream(given: str) -> Stream:
    """The pictures in tars, with their labels (`.cls`: a whole number or a name).

    Args:
        given: a path, or a pattern of several: `shards/{000000..000009}.tar`, `shards/*.tar`.

    Raises:
        FileNotFoundError: one is not there.
    """
    paths = tar_paths(given)
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {path}")
    return Stream(_images(paths, given), given)


def tar_paths(pattern: str) -> list[Path]:
    """The files that a pattern with braces or `*` names, in their order."""
    names = _expanded(pattern)
    found: list[str] = []
    for name in names:
        plain = not glob.has_magic(name) or Path(name).exists()
        found += [name] if plain else sorted(glob.glob(name))
    if not found:
        raise FileNotFoundError(f"no file is called {pattern}")
    return [Path(name).expanduser() for name in found]


def _expanded(pattern: str) -> list[str]:
    """`a{0..2}` as a0, a1 and a2; `{x,y}` as x and y."""
    braces = _BRACES.search(pattern)
    if braces is None:
        return [pattern]
    inside = braces[1]
    if numbers := _NUMBERS.fullmatch(inside):
        low, high = numbers.groups()
        width = len(low) if low.startswith("0") else 0
        choices = [f"{k:0{width}d}" for k in range(int(low), int(high) + 1)]
    else:
        choices = inside.split(",")
    before, after = pattern[: braces.start()], pattern[braces.end() :]
    return [name for one in choices for name in _expanded(f"{before}{one}{after}")]


def _images(paths: Sequence[Path], what: str) -> Iterator[dict[str, Any]]:
    """Every picture as {"image", "label"}, in bytes, one in memory at a time."""
    others: Counter[str] = Counter()
    any_image = False
    for path in paths:
        for parts in _samples(path):
            pictures = [name for name in parts if f".{name.rpartition('.')[2]}" in SUFFIXES]
            others.update(name for name in parts if name not in (*pictures[:1], _LABEL))
            if pictures:
                any_image = True
                name = pictures[0]
                yield {"image": parts[name], "label": parts.get(_LABEL)}
    if not any_image:
        told = ", ".join(f".{name}: {count:,}" for name, count in others.most_common(5))
        raise ValueError(
            f"{what} has no images (they end in {', '.join(SUFFIXES)}); it holds "
            f"{told or 'nothing'}"
        )


def _samples(path: Path) -> Iterator[dict[str, bytes]]:
    """The files of each image, by what follows the first dot of their names."""
    key, parts = "", dict[str, bytes]()
    try:
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                folder, _, name = member.name.rpartition("/")
                if not member.isfile() or is_hidden(name):
                    continue
                stem, _, suffix = name.partition(".")
                file = archive.extractfile(member)
                assert file is not None
                if parts and f"{folder}/{stem}" != key:
                    yield parts
                    parts = {}
                key = f"{folder}/{stem}"
                parts[suffix.lower()] = file.read()
    except (tarfile.TarError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.filename:
            raise
        raise ValueError(
            f"{path} can't be read: it is damaged or not a tar file ({error})"
        ) from error
    if parts:
        yield parts
