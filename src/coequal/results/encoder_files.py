"""The weights of the small encoders that measured a run, in its folder: RUN/encoders."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coequal.files import atomic_write
from coequal.results.folder import RunFolder

ENCODERS = "encoders"
FIELD = "encoder_file"
"""In a reference: name and SHA-256 of the file in RUN/encoders that holds the encoder."""


def described(path: Path) -> dict[str, str]:
    """What a reference says of a file of weights."""
    return {"name": path.name, "sha256": _sha256(path)}


def check_encoder_file(run: RunFolder, data: str) -> None:
    """Refuse a file of weights that is not the one that the run began with; one that is missing is
    no reason, as the same weights may be elsewhere.

    Args:
        run: its folder.
        data: the dataset that the encoder is of.

    Raises:
        OSError: so it is; the message says what to do.
    """
    known = _recorded(run.references().get(data, {}))
    path = run.path / ENCODERS / known.get("name", "")
    if not known or not path.exists():
        return
    if (found := _sha256(path)) != known["sha256"]:
        raise OSError(
            f"{path} has SHA-256 {found}, and the run's references.json says "
            f"{known['sha256']}: it is not the encoder that measured this run; restore "
            "the original file"
        )


def copy_encoder_file(source: RunFolder, into: RunFolder, data: str) -> bool:
    """Copy the weights of the encoder of a dataset from one run to another.

    Args:
        source: is only read.
        into: a file of that name that is there already stays.
        data: the dataset.

    Returns:
        Whether the other run now has such a file.

    Raises:
        OSError: the file is not the one that its run began with.
    """
    known = _recorded(source.references().get(data, {}))
    origin = source.path / ENCODERS / known.get("name", "")
    if not known or not origin.exists():
        return False
    check_encoder_file(source, data)
    target = into.path / ENCODERS / origin.name
    if not target.exists():
        atomic_write(target, origin.read_bytes())
    return True


def _recorded(reference: Mapping[str, Any]) -> dict[str, str]:
    """The file that a reference names; empty if it names none.

    Raises:
        OSError: the name leaves the folder.
    """
    known = dict(reference.get(FIELD) or {})
    name = known.get("name", "x")
    if name != Path(name).name or name.startswith("."):
        raise OSError(f"references.json names a file of weights '{name}', which is no plain name")
    return known


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
