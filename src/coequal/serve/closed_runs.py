"""What the list shows of runs in files, packs and archives, without unpacking them."""

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

from coequal.results.study_file import read_study_file
from coequal.serve.unreadable import Unreadable, readable

MAX_ENTRY_BYTES = 64 * 2**20  # that are read of a file in a pack


def file_text(path: Path, name: str) -> str:
    """The text of a file of a run, which may be in its pack.

    Args:
        path: the run's folder or pack.
        name: of the file in it.

    Raises:
        OSError, ValueError: it is not there, can't be read, or is too large.
    """
    if not path.is_file():
        return (path / name).read_text(encoding="utf-8")
    try:
        with zipfile.ZipFile(path) as pack, pack.open(name) as file:
            text = file.read(MAX_ENTRY_BYTES + 1)
    except (KeyError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise ValueError(f"{path}: {error}") from error
    if len(text) > MAX_ENTRY_BYTES:
        raise ValueError(f"{path}: {name} is larger than any run's")
    return text.decode()


def closed_study(path: Path) -> dict[str, Any]:
    """The study of a run, with every default filled in.

    Raises:
        Unreadable: it can't be read.
    """
    with readable():
        if not path.is_file():
            return dict(read_study_file(path).study)
        values = json.loads(file_text(path, "study.json"))
        study = values.get("study") if isinstance(values, dict) else None
        if not isinstance(study, dict):
            raise Unreadable(f"{path}: study.json holds no study")
        return study


def closed_counts(path: Path) -> tuple[int, int, int]:
    """The trials of a run that are done, failed and planned, by its tables; zeros without them."""
    try:
        planned = len(file_text(path, "plan.json").splitlines())
        table = csv.DictReader(io.StringIO(file_text(path, "results.csv")))
        status = {row["trial"]: row["status"] for row in table}
    except (OSError, ValueError, LookupError):
        return 0, 0, 0  # the row says how far it is once it is opened
    done = sum(value == "done" for value in status.values())
    return done, len(status) - done, planned
