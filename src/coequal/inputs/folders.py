"""Folders of pictures, and zips of them."""

import shutil
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

from coequal.contract import Log
from coequal.datasets._listing import is_hidden
from coequal.datasets.folder import read_folder
from coequal.inputs.array_files import remove_with, temporary_folder
from coequal.inputs.input import Input


def from_folder(
    path: Path, what: str, image_size: int | None, cache: Path | None, log: Log
) -> Input:
    """The pictures of a folder.

    Args:
        path: of the folder.
        what: its name.
        image_size: what every picture's centre square is resized to; None: as they are.
        cache: where digests of pictures are kept by what the files hold.
        log: is told of damaged files in the cache.

    Raises:
        ValueError, OSError: see `datasets.folder.read_folder`.
    """
    folder = read_folder(path.absolute(), image_size, cache, log)
    return Input(
        what,
        "folder",
        folder.survey.digests,
        images=folder.images,
        labels=folder.listing.labels,
        classes=folder.listing.classes,
        lossy=folder.survey.lossy,
        brightest=folder.survey.brightest,
        notes=folder.notes,
        warnings=folder.warnings,
        names=tuple(folder.listing.names),
    )


def from_zip(path: Path, what: str, image_size: int | None, cache: Path | None, log: Log) -> Input:
    """The pictures of a zipped folder, unpacked for as long as they are used.

    Args:
        path: of the zip.
        what: its name.
        image_size: as for `from_folder`.
        cache: as for `from_folder`.
        log: as for `from_folder`.

    Raises:
        FileNotFoundError, ValueError, OSError: it can't be unpacked; see `from_folder`.
    """
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    place = temporary_folder()
    try:
        try:
            with zipfile.ZipFile(path) as archive:
                archive.extractall(place)  # zipfile drops `..` and absolute paths
        except (zipfile.BadZipFile, zlib.error, RuntimeError) as error:
            raise ValueError(f"{path} can't be unpacked ({error})") from error
        entries = [one for one in place.iterdir() if not is_hidden(one.name)]
        # Perhaps a folder was packed, not its contents.
        inside = entries[0] if len(entries) == 1 and entries[0].is_dir() else place
        try:
            unpacked = replace(from_folder(inside, what, image_size, cache, log), kind="zip")
        except ValueError as error:  # the user has never seen the folder that it names
            raise ValueError(str(error).replace(str(inside), str(path))) from error
    except BaseException:
        shutil.rmtree(place)
        raise
    assert unpacked.images is not None
    remove_with(unpacked.images, place)
    return unpacked
