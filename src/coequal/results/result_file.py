"""The form of result.json: one line of JSON, each protocol said once, the numbers in columns.

It is read through the declaration of `Result`, whose types are checked. The form has a version of
its own, so that a change of it changes no trial's id.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from coequal.checkpoints import Checkpoint, Checkpoints
from coequal.files import write_new
from coequal.records import Result

RESULT_VERSION = 3
LAST_OF_OLD = 2  # "schema" of the form before: protocols with every number, no columns

RESULT = "result.json"

MEASURED = "measured.json"
"""In the folder of a trial that still trains: the checkpoints at which it was measured so far."""

_RESULT = TypeAdapter(Result)
_POINTS = TypeAdapter(tuple[Checkpoint, ...])


def result_text(result: Result) -> bytes:
    """A result as the content of its result.json.

    Raises:
        ValueError: a number is not finite, which JSON can't say.
    """
    values = {"version": RESULT_VERSION, "id": result.trial.id, **asdict(result)}
    values["trial"] = result.trial.as_dict()
    if result.error is None:
        del values["error"]
    return (json.dumps(values, separators=(",", ":"), allow_nan=False) + "\n").encode()


Stamp = tuple[int, int]
"""Of a file: its size in bytes, and when it was written, in nanoseconds since 1970."""


class StoredResult(NamedTuple):
    """A result as it lies on the disk.

    Attributes:
        result: the result.
        text: the content of its file in the present form.
        stamp: of the file, taken before it was read: whatever changes it later is seen the next
            time.
        as_written: whether `text` is what the file holds; else that has the form of an older
            version, or other spaces.
    """

    result: Result
    text: bytes
    stamp: Stamp
    as_written: bool


def read_file(path: Path, trial_id: str) -> StoredResult | None:
    """Read a result.json; None if there is none.

    A file in another form is a result all the same; its text is brought into the present form.

    Raises:
        ValueError: it can't be used; the message names it.
    """
    try:
        found = path.stat()
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        result = parse_result(text, trial_id)
    except ValueError as error:
        raise ValueError(f"{path} {error}; delete it to run the trial again") from error
    as_written = _in_present_form(text, trial_id)
    stamp = (found.st_size, found.st_mtime_ns)
    return StoredResult(result, text if as_written else result_text(result), stamp, as_written)


def line_head(trial_id: str) -> bytes:
    """How the text of a trial's result begins."""
    return f'{{"version":{RESULT_VERSION},"id":"{trial_id}",'.encode()


def write_result(trial_folder: Path, result: Result) -> bool:
    """Write the result of a trial, whole or not at all, unless it has one: then that stays.

    Returns:
        Whether this call wrote it.
    """
    return write_new(trial_folder / RESULT, result_text(result))


def parse_trusted(text: bytes, trial_id: str) -> Result:
    """Read a result that was checked when it was collected: its id is not computed again, which
    would take longer than all the rest.

    Raises:
        ValueError: not a result, by field.
    """
    result = _validated(text)
    vars(result.trial)["id"] = trial_id
    return result


def parse_result(text: bytes, trial_id: str) -> Result:
    """Read what `result_text` or an older version wrote, and check that it is this trial's.

    Raises:
        ValueError: not a result, of a newer version, or another trial's.
    """
    ours = _in_present_form(text, trial_id)
    result = _validated(text) if ours else _of_other_form(text)
    if result.trial.id != trial_id:
        raise ValueError(
            f"has a trial whose id is {result.trial.id}, not {trial_id}: was it edited, or copied "
            "from another folder?"
        )
    return result


def _in_present_form(text: bytes, trial_id: str) -> bool:
    """Whether the text of a trial's result is one line as `result_text` writes it."""
    return text.startswith(line_head(trial_id)) and text.find(b"\n") == len(text) - 1


def parse_points(text: bytes) -> tuple[Checkpoint, ...]:
    """Read the checkpoints of a trial under way from its measured.json."""
    return _POINTS.validate_json(text)


def measured_so_far(trial_folder: Path) -> tuple[Checkpoint, ...]:
    """Read the checkpoints of a trial that still trains; none before the first."""
    path = trial_folder / MEASURED
    return parse_points(path.read_bytes()) if path.exists() else ()


def _of_other_form(text: bytes) -> Result:
    """A result with other spaces, or in the form of an older version."""
    try:
        values = json.loads(text)
        known = values.get("version", values.get("schema"))
    except (ValueError, AttributeError) as error:
        raise ValueError(f"is not a result ({error})") from error
    if known not in (RESULT_VERSION, LAST_OF_OLD):
        raise ValueError(
            f"is not a result of version {RESULT_VERSION} or older: it says {known}; a newer "
            "version of coequal may have written it"
        )
    if known == LAST_OF_OLD:
        values["checkpoints"] = _in_columns(values.get("checkpoints"))
    return _validated(json.dumps(values).encode())


def _validated(text: bytes) -> Result:
    try:
        return _RESULT.validate_json(text, strict=True)
    except ValidationError as error:
        raise ValueError(f"is not a result ({_first(error)})") from error


def _in_columns(checkpoints: Any) -> dict[str, Any]:
    try:
        return asdict(Checkpoints.of(_POINTS.validate_python(checkpoints)))
    except ValidationError as error:
        raise ValueError(f"is not a result (checkpoints.{_first(error)})") from error


def _first(error: ValidationError) -> str:
    """The first of the things that are wrong, with its field."""
    found = error.errors(include_url=False)[0]
    return ".".join(map(str, found["loc"])) + f": {found['msg']}"
