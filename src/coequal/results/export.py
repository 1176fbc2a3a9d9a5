"""`coequal export`: the results of a run as one file for other programs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from coequal.files import atomic_text_file
from coequal.records import Result
from coequal.results.collect import usable_results
from coequal.results.folder import RunFolder
from coequal.results.result_file import result_text
from coequal.results.results_csv import ResultTable, write_csv
from coequal.selection import SelectionRule

FORMATS = ("csv", "parquet", "json")
GROUP = 20_000  # rows of a Parquet file that are held in memory at a time

_WHOLE = (
    *("setting", "repeat", "seed", "step", "discriminator_steps", "generator_steps", "images"),
    "health_step",
)
_YES_OR_NO = ("last", "chosen", "reported")
_TEXT = ("trial", "model", "data", "status", "reason", "health")


def export(
    folder: RunFolder, form: str, out: Path, log: Callable[[str], None] = lambda line: None
) -> Path:
    """Write the results of a run's trials, in the plan's order, to a file.

    csv: the bytes of results.csv, a row per trial and checkpoint. parquet: the same rows, typed.
    json: a list of everything that is known of each trial, in the form of its result.json.

    The same trial folders give the same bytes (for Parquet: by the same version of pyarrow).

    Args:
        folder: of the run.
        form: one of `FORMATS`.
        out: the file; it must not be there.
        log: is told what is wrong with which trial.

    Raises:
        FileExistsError: something is there already.
        LookupError: there is no such format, or Parquet without pyarrow.
        FileNotFoundError, ValueError: the folder holds no study, or can't be read.
    """
    if form not in FORMATS:
        raise LookupError(f"there is no format '{form}'; use one of {', '.join(FORMATS)}")
    if out.exists():
        raise FileExistsError(f"{out} is there already; name another with --out")
    if form == "parquet":
        _pyarrow()  # before any work
    usable, _ = usable_results(folder, log)
    results = usable.of(folder.planned())
    if form == "json":
        with atomic_text_file(out) as file:
            _write_json(results, file)
        return out
    table = ResultTable(folder.rule(), results)
    if form == "parquet":
        _write_parquet(table, results, out)
    else:
        with atomic_text_file(out) as file:
            write_csv(file, table.columns, _rows(table, results))
    return out


def typed_records(rule: SelectionRule, results: Mapping[str, Result]) -> list[dict[str, Any]]:
    """The rows of results.csv with numbers as numbers, and None where a row has no value.

    Args:
        rule: how the study chooses.
        results: of the trials of its plan, in order.

    Returns:
        A row for each trial and checkpoint, all with the same keys.
    """
    table = ResultTable(rule, results)
    kinds = _kinds(table.columns, results)
    return [
        {name: _cell(row.get(name), kinds[name]) for name in table.columns}
        for row in _rows(table, results)
    ]


def _rows(table: ResultTable, results: Mapping[str, Result]) -> Iterator[dict[str, Any]]:
    return chain.from_iterable(table.rows_of(result) for result in results.values())


def _write_json(results: Mapping[str, Result], file: IO[str]) -> None:
    between = "[\n"
    for result in results.values():
        file.write(between + result_text(result).decode().rstrip())
        between = ",\n"
    file.write("[]\n" if between == "[\n" else "\n]\n")


# ------------------------------------------------------------------------------------------ Parquet


def _write_parquet(table: ResultTable, results: Mapping[str, Result], out: Path) -> None:
    arrow, parquet = _pyarrow()
    columns = table.columns
    kinds = _kinds(columns, results)
    types = {
        "text": arrow.string(),
        "repeated": arrow.dictionary(arrow.int32(), arrow.string()),
        "whole": arrow.int64(),
        "number": arrow.float64(),
        "yes or no": arrow.bool_(),
    }
    schema = arrow.schema([(name, types[kinds[name]]) for name in columns])
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(f".{out.name}.draft")
    try:
        with parquet.ParquetWriter(draft, schema, compression="zstd") as writer:
            for rows in _groups(_rows(table, results)):
                listed = {c: [_cell(row.get(c), kinds[c]) for row in rows] for c in columns}
                writer.write_table(arrow.table(listed, schema))
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)


def _groups(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while group := list(islice(rows, GROUP)):
        yield group


def _kinds(columns: Sequence[str], results: Mapping[str, Result]) -> dict[str, str]:
    return {name: _kind(name) for name in columns} | _setting_kinds(results)


def _kind(column: str) -> str:
    if column in _TEXT:
        return "text"
    if column.endswith("_protocol"):
        return "repeated"
    if column in _WHOLE:
        return "whole"
    return "yes or no" if column in _YES_OR_NO else "number"  # FLOPs go beyond 64 bits


def _setting_kinds(results: Mapping[str, Result]) -> dict[str, str]:
    """Of each hyperparameter, by its values in the whole run; text where they are mixed."""
    found: dict[str, set[type]] = {}
    for result in results.values():
        for name, value in result.trial.settings.items():
            found.setdefault(f"setting.{name}", set()).add(type(value))
    kinds = {}
    for name, seen in found.items():
        if seen == {bool}:
            kinds[name] = "yes or no"
        elif seen == {int}:
            kinds[name] = "whole"
        else:
            kinds[name] = "number" if seen <= {int, float} else "text"
    return kinds


def _cell(value: Any, kind: str) -> Any:
    if value is None or value == "":
        return None
    if kind == "number":
        return float(value)
    if kind == "yes or no":
        return bool(value)
    return value if kind == "whole" else str(value)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise LookupError(
            "Parquet needs pyarrow: pip install 'coequal[parquet]'; csv and json need no extra"
        ) from error
    return pyarrow, pyarrow.parquet
