"""Atomic writing of files: they are there whole or not at all."""

import errno
import io
import json
import math
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO, TypeVar

import platformdirs

if TYPE_CHECKING:
    from numpy.typing import NDArray

T = TypeVar("T")


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file to be written piece by piece, which is there whole in the end or not at all, even
    if the machine stops."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        error.filename = str(path)  # that of the draft says nothing to anybody
        raise
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync(path.parent)


@contextmanager
def atomic_text_file(path: Path) -> Iterator[TextIO]:
    """Open a UTF-8 text file to be written piece by piece, whole or not at all; line ends stay as
    they are written."""
    with atomic_file(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        yield text
        text.flush()
        text.detach()  # or it would close the file before it is synced


def atomic_write(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    with atomic_file(path) as file:
        file.write(content)


def refuse_unwritable(path: Path) -> None:
    """Find out before long work whether a file can be written where it is asked for.

    Args:
        path: of the file, which may exist; folders above it need not.

    Raises:
        OSError: it can't; the error names the file.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    folder = next(above for above in path.absolute().parents if above.exists())
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        error.filename = str(path)
        raise


def write_npz(path: Path, arrays: "Mapping[str, NDArray[Any]]") -> None:
    """Write arrays as a compressed .npz file, whole or not at all."""
    import numpy as np  # a tenth of a second, which most commands can do without

    content = io.BytesIO()
    np.savez_compressed(content, **arrays)  # type: ignore[arg-type]
    atomic_write(path, content.getvalue())


def write_json(path: Path, values: Any) -> None:
    """Write plain values as JSON, whole or not at all."""
    atomic_write(path, (json.dumps(values, indent=1, allow_nan=False) + "\n").encode())


def finite_values(values: Any) -> Any:
    """Plain values for JSON, which knows no number that is not finite: such a one becomes null."""
    if isinstance(values, dict):
        return {key: finite_values(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [finite_values(value) for value in values]
    return None if isinstance(values, float) and not math.isfinite(values) else values


def read_json(path: Path) -> dict[str, Any]:
    """Plain values that `write_json` wrote; empty if there is no such file.

    Raises:
        ValueError: the file is damaged; the message names it.
    """
    if not path.exists():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error}); restore it from a copy") from error


def write_new(path: Path, content: bytes) -> bool:
    """Write a file, whole or not at all, unless it is there: then it stays.

    Args:
        path: of the file.
        content: of the file.

    Returns:
        Whether this call wrote it.
    """
    if path.exists():
        return False
    draft = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}")
    atomic_write(draft, content)
    try:
        os.link(draft, path)  # unlike a rename it refuses, whoever else has written meanwhile
    except FileExistsError:
        return False
    except OSError:  # no hard links on this file system
        os.replace(draft, path)
        return True
    finally:
        draft.unlink(missing_ok=True)
    _sync(path.parent)
    return True


def _sync(folder: Path) -> None:
    if sys.platform == "win32":  # opens no folders, and has no call that syncs the names in one
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def file_name(name: str) -> str:
    """The name of a dataset, a part or a setting as that of a file or folder, or as an anchor of a
    page: letters, digits and `-_.` stay, all else becomes `_`."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)


def folder_name(name: str) -> str:
    """The folder of a class by its name: "T-shirt/top" is in `T-shirt_top`. Nothing else changes:
    folders of images are classes by their names, and "C+" and "C#" have to stay two."""
    return name.replace("/", "_")


def cache_folder() -> Path:
    """The folder of trained encoders, features and references, which are named by their content:
    COEQUAL_CACHE, else `user_cache()`."""
    if given := os.environ.get("COEQUAL_CACHE"):
        return Path(given).expanduser()
    return user_cache()


def user_cache() -> Path:
    """The folder `coequal` in the user's cache: in $XDG_CACHE_HOME or ~/.cache on Linux, in
    ~/Library/Caches on macOS, in %LOCALAPPDATA% on Windows."""
    return platformdirs.user_cache_path("coequal", appauthor=False)


def from_cache(
    path: Path, read: Callable[[Path], T], make: Callable[[], object], log: Callable[[str], None]
) -> T:
    """What a file of the cache holds. If it is not there it is made, and if it is damaged (after a
    crash, by a bad disk, by an incomplete copy) it is deleted and made anew.

    Args:
        path: of the file.
        read: reads it; if it raises anything but OSError and MemoryError, the file is damaged.
        make: writes it, whole or not at all.
        log: is told of a damaged file.

    Raises:
        OSError: the cache can't be read or written, said before anything is made.
    """
    try:
        if path.exists():
            return read(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _cache_error("read", path, error) from error
    except MemoryError:
        raise
    except Exception as error:  # readers of damaged files raise anything
        log(f"{path} in the cache is damaged ({error or type(error).__name__}): made anew")
        path.unlink(missing_ok=True)
    _refuse_unwritable(path.parent)
    make()
    return read(path)


def _refuse_unwritable(folder: Path) -> None:
    """Refuse a folder of the cache in which no file can be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _cache_error("written", folder, error) from error


def _cache_error(what: str, path: Path, error: OSError) -> OSError:
    """A sentence that says that it is the cache; without an error number, which would stand for a
    sentence of its own."""
    return OSError(
        f"the cache can't be {what}: {error.filename or path}: {error.strerror}; to "
        "use another folder, set COEQUAL_CACHE=FOLDER in the environment"
    )
