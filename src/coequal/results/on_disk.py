"""The trial folders and result files of a run, as they lie on disk."""

import os
from collections.abc import Callable, Iterator

from coequal.results.folder import RunFolder
from coequal.results.result_file import Stamp


def result_files(folder: RunFolder, log: Callable[[str], None]) -> dict[str, Stamp]:
    """Find every result.json of a run, by the id of its trial, with its stamp.

    Args:
        folder: of the run.
        log: is told of files that lie in a wrong place; they are left alone.
    """
    stamps: dict[str, Stamp] = {}
    foreign, place = [], str(folder.path / "trials")
    for trial in trial_folders(folder):
        try:
            status = os.stat(f"{trial}/result.json")
        except (FileNotFoundError, NotADirectoryError):
            continue
        name = os.path.basename(trial)
        if trial != f"{place}/{name[:2]}/{name}":  # as `RunFolder.trial_folder`, but quick
            foreign.append(f"{trial}/result.json")
        else:
            stamps[name] = (status.st_size, status.st_mtime_ns)
    for file in foreign:
        log(f"{file} does not lie where a trial of its name does; it is left alone")
    return stamps


def trial_folders(folder: RunFolder) -> Iterator[str]:
    """List the path of everything that lies where the folder of a trial would."""
    try:
        with os.scandir(folder.path / "trials") as groups:
            names = sorted(group.path for group in groups if group.is_dir())
    except FileNotFoundError:
        return
    for name in names:
        with os.scandir(name) as trials:
            yield from sorted(entry.path for entry in trials if not entry.name.startswith("."))
