"""A result as plain columns of the index: the numbers packed, whatever repeats said once."""

import json
import struct
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_core import from_json

from coequal.records import SCHEMA, STATUSES, Checkpoint, Measurement, Result, Spent, Trial
from coequal.results.folder import RunFolder

_SPENT = itemgetter("discriminator_steps", "generator_steps", "images", "flops", "seconds")
_MEASURED = itemgetter("metric", "split", "protocol", "value", "standard_error")
_HEALTH = itemgetter("verdict", "step", "evidence")
_UNUSUAL = (ValueError, KeyError, TypeError, AttributeError, struct.error)

Layout = tuple[tuple[tuple[str, str, str, bool], ...], ...]
"""By checkpoint, in the order of its measurements: metric, split, protocol, whether it has a
standard error."""


class Packed(NamedTuple):
    """A result as the index holds it; `unpack` gives it back."""

    key: str  # the trial's id
    model: str
    data: str
    description: str  # the trial as JSON, its keys in the order of result.json
    status: str
    reason: str | None
    spent: str  # JSON list, in the order of `Spent`
    seconds: float
    notes: str  # JSON list
    health: str | None  # JSON; None: was not watched
    environment: str  # JSON
    clock: str  # JSON, by checkpoint: its step, then what was spent
    layout: str  # of `numbers`, as JSON
    numbers: bytes  # little-endian float64; by checkpoint: the values, then the standard errors


def pack(values: Mapping[str, Any]) -> Packed:
    """The columns of what `Result.as_dict` gives.

    Raises:
        ValueError, KeyError, TypeError, AttributeError, struct.error: not exactly of that form;
            `Result.from_dict` says it in words, or reads it nevertheless.
    """
    trial = Trial.from_dict(values["trial"])
    named = all(isinstance(text, str) for text in (trial.model, trial.data, values["status"]))
    if not named or values["schema"] != SCHEMA or values["status"] not in STATUSES:
        raise ValueError("not a result")
    if trial.id != values["id"]:
        raise ValueError("another trial's")
    clock: list[list[Any]] = []
    layout = []
    numbers: list[float] = []
    for checkpoint in values["checkpoints"]:
        measurements, spent = checkpoint["measurements"], checkpoint["spent"]
        if len(spent) != 5 or not set(map(len, measurements)) <= {5}:
            raise ValueError("something beside")
        clock.append([checkpoint["step"], *_SPENT(spent)])
        found = [_MEASURED(measurement) for measurement in measurements]
        layout.append(tuple([(m, s, p, error is not None) for m, s, p, _, error in found]))
        numbers += [value for _, _, _, value, _ in found]
        numbers += [error for *_, error in found if error is not None]
    if len(values["spent"]) != 5:
        raise ValueError("something beside")
    spent_whole = _SPENT(values["spent"])
    return Packed(
        key=trial.id,
        model=trial.model,
        data=trial.data,
        description=json.dumps(values["trial"]),
        status=values["status"],
        reason=values["reason"],
        spent=json.dumps(spent_whole),
        seconds=float(spent_whole[-1]),
        notes=json.dumps(list(values["notes"])),
        health=_health(values.get("health")),
        environment=json.dumps(dict(values["environment"])),
        clock=json.dumps(clock),
        layout=_text_of(tuple(layout)),
        numbers=struct.pack(f"<{len(numbers)}d", *numbers),
    )


def read_packed(folder: RunFolder, key: str) -> Packed | None:
    """The result of a trial from its folder, or None if it has none.

    Raises:
        ValueError: the file is there and can't be used; the message names it.
    """
    path = folder.trial_folder(key) / "result.json"
    try:
        packed = pack(from_json(path.read_bytes(), cache_strings="all"))
    except FileNotFoundError:
        return None
    except _UNUSUAL:
        packed = None
    if packed is not None and packed.key == key:
        return packed
    result = folder.result(key)  # has a message for every fault
    try:
        return None if result is None else pack(result.as_dict())
    except _UNUSUAL as error:
        raise ValueError(
            f"{path} is not a result ({error}); delete it to run the trial again"
        ) from error


def trial_of(key: str, description: str) -> Trial:
    """The trial with the id `key` that the index describes so."""
    trial = Trial.from_dict(from_json(description))
    # Checked when it was packed; to hash it again takes longer than all the rest.
    vars(trial)["id"] = key
    return trial


class Window:
    """What to take of results: some metrics, some splits, the last checkpoint only, or all."""

    def __init__(
        self,
        metrics: Collection[str] | None = None,
        splits: Collection[str] | None = None,
        last_only: bool = False,
    ) -> None:
        self.metrics, self.splits, self.last_only = metrics, splits, last_only
        self._known: dict[str, list[tuple[int, Columns]]] = {}

    def columns(self, layout: str) -> list[tuple[int, "Columns"]]:
        """Checkpoints to take, and which columns of each."""
        known = self._known.get(layout)
        if known is None:
            known = list(enumerate(columns_of(layout)))
            known = known[-1:] if self.last_only else known
            known = [(place, [c for c in found if self._takes(c)]) for place, found in known]
            self._known[layout] = known
        return known

    def _takes(self, column: "_Column") -> bool:
        metric, split = column[:2]
        return (self.metrics is None or metric in self.metrics) and (
            self.splits is None or split in self.splits
        )


def unpack(packed: Packed, window: Window) -> Result:
    """The result again, or what the window takes of it."""
    clock = from_json(packed.clock)
    numbers = struct.unpack(f"<{len(packed.numbers) // 8}d", packed.numbers)
    checkpoints = []
    for place, columns in window.columns(packed.layout):
        step, *spent = clock[place]
        measurements = tuple(
            [
                Measurement(m, s, numbers[at], protocol, None if error < 0 else numbers[error])
                for m, s, protocol, at, error in columns
            ]
        )
        checkpoints.append(Checkpoint(step, Spent(*spent), measurements))
    return Result(
        trial_of(packed.key, packed.description),
        packed.status,
        Spent(*from_json(packed.spent)),
        tuple(checkpoints),
        packed.reason,
        from_json(packed.environment),
        tuple(from_json(packed.notes)),
        None if packed.health is None else from_json(packed.health),
    )


_Column = tuple[str, str, str, int, int]  # metric, split, protocol, place of value and error or -1
Columns = list[_Column]
"""Of one checkpoint: what was measured, and where the numbers lie."""


def columns_of(layout: str) -> list[Columns]:
    """Where the numbers of each checkpoint lie, by the text of the layout."""
    found, start = [], 0
    for measured in layout_of(layout):
        found.append(_checkpoint_columns(measured, start))
        start += len(measured) + sum(has_error for *_, has_error in measured)
    return found


def _checkpoint_columns(measured: Sequence[tuple[str, str, str, bool]], start: int) -> Columns:
    columns, error = [], start + len(measured)
    for at, (metric, split, protocol, has_error) in enumerate(measured, start):
        columns.append((metric, split, protocol, at, error if has_error else -1))
        error += has_error
    return columns


def _health(found: Mapping[str, Any] | None) -> str | None:
    if found is None:
        return None
    verdict, step, evidence = _HEALTH(found)
    if len(found) != 3 or not isinstance(verdict, str) or not isinstance(step, int | None):
        raise ValueError("health is not a verdict, a step and its evidence")
    return json.dumps({"verdict": verdict, "step": step, "evidence": str(evidence)})


@lru_cache(maxsize=256)
def _text_of(layout: Layout) -> str:
    columns = {column: place for place, column in enumerate(dict.fromkeys(sum(layout, ())))}
    checkpoints = [[columns[column] for column in measured] for measured in layout]
    return json.dumps({"columns": list(columns), "checkpoints": checkpoints})


def layout_of(text: str) -> Layout:
    """The layout that a text describes."""
    values = from_json(text)
    columns = [tuple(column) for column in values["columns"]]
    return tuple(tuple(columns[c] for c in measured) for measured in values["checkpoints"])


def stamp(path: Path) -> tuple[int, int] | None:
    """Size and time of change (ns) of a file, by which a changed one is known; None without it."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_size, status.st_mtime_ns
