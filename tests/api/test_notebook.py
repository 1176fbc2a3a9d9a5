"""examples/notebook.ipynb runs from its first cell to its last, and shows what it promises."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parent.parent.parent / "examples" / "notebook.ipynb"


def shown(cell: Any) -> set[str]:
    """The kinds of data that a cell has put out."""
    return {kind for output in cell.get("outputs", ()) for kind in output.get("data", {})}


def test_it_is_kept_without_outputs():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the packages that run notebooks
def test_the_notebook_runs(tmp_path):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    where = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=where).execute()
    by_source = {cell.source.splitlines()[-1]: cell for cell in notebook.cells}
    assert "text/html" in shown(by_source["run"])
    assert "image/svg+xml" in shown(by_source['run.figures["distribution"]'])
    assert "image/png" in shown(by_source['run.sample("MyHinge", count=36)'])
    assert "text/html" in shown(by_source["scores"])
    # The loss of a cell was trained by worker processes, and its source stays with the run.
    (kept,) = (tmp_path / "runs" / "my_hinge" / "code" / "1").glob("myhinge_*.py")
    assert "class MyHinge" in kept.read_text()
