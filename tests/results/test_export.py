"""One file for other programs: the same rows as results.csv, and the same bytes each time."""

import csv
import json
import sys

import pytest

from coequal.results.export import FORMATS, export
from coequal.results.folder import RunFolder
from coequal.results.result_file import result_text
from coequal.results.result_log import ENTRIES, LINES
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
    assert [json.dumps(values, separators=(",", ":")) for values in listed] == [
        result_text(result).decode().strip() for result in run.results().values()
    ]


def test_a_run_without_results(run, tmp_path):
    empty = RunFolder(tmp_path / "empty")
    empty.begin("", run.study(), run.plan(), run.metrics())
    assert json.loads(export(empty, "json", tmp_path / "out.json").read_text()) == []
    assert export(empty, "csv", tmp_path / "out.csv").read_text() == "\n"


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_folders_give_the_same_bytes_with_and_without_a_log(run, tmp_path, form):
    if form == "parquet":
        pytest.importorskip("pyarrow")
    before = export(run, form, tmp_path / "before").read_bytes()
    for name in (LINES, ENTRIES):
        (run.path / name).unlink()
    assert export(run, form, tmp_path / "after").read_bytes() == before


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
    assert not (run.path / LINES).exists()


def test_refusals(run, tmp_path):
    with pytest.raises(LookupError, match="no format 'xlsx'; use one of csv, parquet, json"):
        export(run, "xlsx", tmp_path / "out.xlsx")
    (tmp_path / "mine.csv").write_text("mine")
    with pytest.raises(FileExistsError, match="is there already"):
        export(run, "csv", tmp_path / "mine.csv")
    assert (tmp_path / "mine.csv").read_text() == "mine"
    with pytest.raises(FileNotFoundError, match="holds no study"):
        export(RunFolder(tmp_path / "nothing"), "csv", tmp_path / "out.csv")
