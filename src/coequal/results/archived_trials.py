"""Folders of runs whose trials lie in one archive, as those in docs/results."""

import lzma
import shutil
import tarfile
from pathlib import Path, PurePosixPath

ARCHIVE = "trials.tar.xz"


def has_archived_trials(path: Path) -> bool:
    """Whether the trials of a run are in an archive, and have not been unpacked beside it."""
    return (path / ARCHIVE).is_file() and not (path / "trials").exists()


def unpack_trials(path: Path, target: Path) -> None:
    """Copy the folder of a run, with its trials unpacked.

    Args:
        path: of the folder.
        target: a folder that does not exist.

    Raises:
        ValueError: the archive is damaged, or would write beside the folder.
    """
    shutil.copytree(path, target, ignore=shutil.ignore_patterns(ARCHIVE))
    archive = path / ARCHIVE
    try:
        with tarfile.open(archive) as file:
            for member in file:
                _unpack(file, archive, member, target)
    except (tarfile.TarError, lzma.LZMAError, EOFError, OSError) as error:
        raise ValueError(f"{archive} can't be unpacked: {error}") from error


def _unpack(file: tarfile.TarFile, archive: Path, member: tarfile.TarInfo, target: Path) -> None:
    """Write one entry. Filters of `tarfile` are not used: Python 3.11 has them from 3.11.4 on."""
    parts = PurePosixPath(member.name).parts
    if parts[:1] != ("trials",) or ".." in parts or not (member.isfile() or member.isdir()):
        raise ValueError(f"{archive} holds {member.name!r}, which is no part of a trial")
    content = file.extractfile(member)
    if content is None:  # a folder
        return
    place = target.joinpath(*parts)
    place.parent.mkdir(parents=True, exist_ok=True)
    with content, place.open("wb") as written:
        shutil.copyfileobj(content, written)
