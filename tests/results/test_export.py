"""One file for other programs: the same rows as results.csv, and the same bytes each time."""

import csv
import json
import sqlite3
import sys

import pytest

from coequal.records import Result
from coequal.results.export import FORMATS, export
from coequal.results.folder import RunFolder
from coequal.results.index import Index
from coequal.results.results_csv import write_tables


def test_csv_is_results_csv(run, tmp_path):
    write_tables(run)
    out = export(run, "csv", tmp_path / "out.csv")
    assert out.read_bytes() == (run.path / "results.csv").read_bytes()
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["fd_validation"] for row in rows[:2]] == ["8.0", "4.0"]
    assert rows[0]["flops"] == str(10**19)


def test_json_is_everything_that_is_known(run, tmp_path):
    listed = json.loads(export(run, "json", tmp_path / "out.json").read_text())
    assert [Result.from_dict(values) for values in listed] == list(run.results().values())


def test_a_run_without_results(run, tmp_path):
    empty = RunFolder(tmp_path / "empty")
    empty.begin("", run.study(), run.plan(), run.metrics())
    assert json.loads(export(empty, "json", tmp_path / "out.json").read_text()) == []
    assert export(empty, "csv", tmp_path / "out.csv").read_text() == "\n"


@pytest.mark.parametrize("form", FORMATS)
def test_an_index_made_again_gives_the_same_bytes(run, tmp_path, form, result_of, put):
    """Once from an index that grew result by result, once from one that was made at one go."""
    if form == "parquet":
        pytest.importorskip("pyarrow")
    export(run, "csv", tmp_path / "first.csv")  # makes the index
    late = result_of(run.plan()[5], 7.0)
    put(run, late)
    with Index(run, write=True) as index:
        index.record(late)
    grown = export(run, form, tmp_path / "grown").read_bytes()
    (run.path / "index.sqlite").unlink()
    assert export(run, form, tmp_path / "anew").read_bytes() == grown


def test_parquet_has_the_rows_of_the_csv_with_types(run, tmp_path):
    pytest.importorskip("pyarrow")
    from pyarrow import parquet, types

    table = parquet.read_table(export(run, "parquet", tmp_path / "out.parquet"))
    text = export(run, "csv", tmp_path / "out.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    assert table.column_names == list(rows[0])
    assert table.num_rows == len(rows) == 10
    kind = {field.name: field.type for field in table.schema}
    assert types.is_float64(kind["fd_test"])
    assert types.is_int64(kind["step"])
    assert types.is_boolean(kind["setting.batch_norm"])
    assert types.is_float64(kind["setting.beta1"])
    assert types.is_dictionary(kind["fd_test_protocol"])
    found = table.to_pylist()
    assert [row["fd_test"] for row in found[:2]] == [9.0, 5.0]
    assert [row["setting.beta1"] for row in found[:3]] == [0.5, 0.5, None]
    failed = next(row for row in found if row["status"] == "failed")
    assert (failed["step"], failed["fd_test"], failed["reason"]) == (
        None,
        None,
        "ValueError: too, 'few'",
    )


def test_parquet_in_several_portions(run, tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    from coequal.results import export as module

    whole = parquet.read_table(export(run, "parquet", tmp_path / "whole.parquet"))
    monkeypatch.setattr(module, "GROUP", 3)
    parts = export(run, "parquet", tmp_path / "parts.parquet")
    assert parquet.ParquetFile(parts).num_row_groups == 4  # 10 rows, 3 at a time
    assert parquet.read_table(parts).to_pylist() == whole.to_pylist()


def test_parquet_without_pyarrow_says_what_to_install(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(LookupError, match=r"pip install 'coequal\[parquet\]'"):
        export(run, "parquet", tmp_path / "out.parquet")
    assert list(tmp_path.iterdir()) == [run.path]
    assert not (run.path / "index.sqlite").exists()


def test_refusals(run, tmp_path):
    with pytest.raises(LookupError, match="no format 'xlsx'; one of csv, parquet, json"):
        export(run, "xlsx", tmp_path / "out.xlsx")
    (tmp_path / "mine.csv").write_text("mine")
    with pytest.raises(FileExistsError, match="is there already"):
        export(run, "csv", tmp_path / "mine.csv")
    assert (tmp_path / "mine.csv").read_text() == "mine"
    with pytest.raises(FileNotFoundError, match="holds no study"):
        export(RunFolder(tmp_path / "nothing"), "csv", tmp_path / "out.csv")


def test_a_damaged_index_ends_in_words_and_leaves_nothing(run, tmp_path, monkeypatch):
    """Damage that shows only while rows are read."""
    from coequal.results.statements import IndexStatements

    def broken(self: IndexStatements, unplanned: bool) -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(IndexStatements, "in_order", broken)
    with pytest.raises(ValueError, match=r"can't be read .* `coequal collect` makes it anew"):
        export(run, "json", tmp_path / "out.json")
    assert list(tmp_path.iterdir()) == [run.path]


def test_a_folder_that_may_not_be_written(run, tmp_path, monkeypatch):
    """Tests may run as root, who may write anywhere: so the lock refuses in the kernel's place."""
    from coequal.results import collect

    lock = collect.writer_lock

    def refusing(path):  # type: ignore[no-untyped-def]
        if path.is_relative_to(run.path):
            raise OSError(30, "Read-only file system")
        return lock(path)

    monkeypatch.setattr(collect, "writer_lock", refusing)
    said: list[str] = []
    listed = json.loads(export(run, "json", tmp_path / "out.json", said.append).read_text())
    assert len(listed) == 6
    assert "may not be written to; the index is made in" in said[0]
    assert not (run.path / "index.sqlite").exists()
