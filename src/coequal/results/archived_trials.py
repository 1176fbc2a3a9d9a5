"""Folders of runs whose trials lie in one archive, as those in docs/results."""

import lzma
import shutil
import tarfile
from pathlib import Path

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
            strange = [m.name for m in file if m.name.partition("/")[0] != "trials"]
            if strange:
                raise ValueError(f"{archive} holds {strange[0]!r}, which is no part of a trial")
            file.extractall(target, filter="data")
    except (tarfile.TarError, lzma.LZMAError, EOFError, OSError) as error:
        raise ValueError(f"{archive} can't be unpacked: {error}") from error
