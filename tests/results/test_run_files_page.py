"""docs/reference/run_files.md names every file that a run writes and every key of these files."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coequal import api
from coequal.study.spec import Study

STUDY = {
    "study": "files",
    "data": ["digits"],
    "models": ["ns_gan", "vae"],
    "architecture": {"name": "infogan", "width": 0.03125, "norm_momentum": 0.1},
    "search": {"settings": 1, "space": "wide"},
    "training": {"budget": {"discriminator_steps": 40}, "batch_size": 32, "checkpoints": 2},
    "evaluation": {"encoder": "pixels", "metrics": ["fd"], "samples": 300},
}

# Objects whose keys are names that a study chooses, or that another page of the reference lists.
BY_NAME = r"study|settings|architecture|training|evaluation|counts|cap|floor|data_sets\[\]"

NOT_LISTED = r"report/(figures|tables)/|encoders/"


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("files") / "run"
    api.run(Study.model_validate(STUDY), folder, workers=0)
    api.report(folder)
    return folder


@pytest.fixture(scope="module")
def page(request) -> dict[str, dict[str, str]]:
    """By file the meaning of every key."""
    text = (request.config.rootpath / "docs" / "reference" / "run_files.md").read_text()
    found: dict[str, dict[str, str]] = {}
    for section in text.partition("## Files that only")[0].split("\n## ")[1:]:
        title, _, rest = section.partition("\n")
        rows = re.findall(r"^\| `([^`]+)` \| .+? \| (.+) \|$", rest, re.MULTILINE)
        found |= {name: dict(rows) for name in re.findall(r"`([^`]+)`", title)}
    return found


def keys_of_values(values: Any, start: str = "") -> set[str]:
    """Every key of nested objects, "spent.images", "measured[].metric"."""
    if isinstance(values, list):
        return set().union(*(keys_of_values(each, f"{start}[]") for each in values))
    if not isinstance(values, dict) or re.search(rf"(^|\.)({BY_NAME})$", start):
        return set()
    here = {f"{start}.{key}".lstrip(".") for key in values}
    inside = (keys_of_values(value, f"{start}.{key}".lstrip(".")) for key, value in values.items())
    return here.union(*inside)


def keys(path: Path) -> set[str]:
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            return {column(name) for name in next(csv.reader(file))}
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            return {re.sub(r"^(discriminator|generator)\..*", r"\1.PART", key) for key in arrays}
    if path.suffix == ".jsonl" or path.name == "plan.json":
        lines = path.read_text().splitlines()
        return set().union(*(keys_of_values(json.loads(line)) for line in lines))
    if path.suffix == ".json":
        found = keys_of_values(json.loads(path.read_text()))
        if (by := {"metrics.json": "METRIC", "references.json": "DATA"}.get(path.name)) is None:
            return found
        return {re.sub(r"^[^.]+", by, key) for key in found if "." in key}
    return set()


def column(name: str) -> str:
    name = re.sub(r"^\w+?_(validation|test)(_standard_error|_protocol)?$", r"METRIC_SPLIT\2", name)
    return re.sub(r"^setting\..*", "setting.NAME", name)


def file_name(path: Path, run: Path) -> str:
    name = re.sub(r"trials/../[0-9a-f]{16}", "trials/NN/ID", path.relative_to(run).as_posix())
    return re.sub(r"step-\d+", "step-STEP", name).replace("references/digits", "references/DATA")


def test_every_file_and_every_key_of_a_run_is_on_the_page_and_no_other(run, page):
    written: dict[str, set[str]] = {}
    for path in run.rglob("*"):
        name = file_name(path, run)
        if path.is_file() and not re.match(NOT_LISTED, name):
            written.setdefault(name, set()).update(keys(path))
    assert written.keys() == page.keys()
    written["results.jsonl"] = set()  # "with the same keys"
    for name, found in written.items():
        listed = page[name]
        assert found <= listed.keys(), f"{name}: not on the page: {found - listed.keys()}"
        always = {key for key, meaning in listed.items() if not meaning.startswith("Sometimes")}
        assert always <= found, f"{name}: not written: {always - found}"
