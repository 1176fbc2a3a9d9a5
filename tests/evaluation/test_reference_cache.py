"""References of metrics are kept by what they are made of, a metric's own source included."""

import importlib
import sys
from pathlib import Path

import pytest
import torch

from coequal import lookup
from coequal.contract import ImageSet, Metric
from coequal.evaluation.reference_cache import cached_reference

METRIC = """
from dataclasses import dataclass

from {module}_helper import centre

from coequal.contract import Metric, MetricInfo, MetricValue


@dataclass(frozen=True)
class Mine(Metric):
    outputs = {{"mine": MetricInfo("lower", "")}}

    def compute_reference(self, real, train):
        return {{"centre": centre(real.features)}}

    def compute_values(self, *, real, fake, rng):
        return {{"mine": MetricValue(float(real["centre"].sum()))}}
"""
HELPER = "def centre(features):\n    return features.{how}(0)\n"
REAL = ImageSet(torch.tensor([[0.0], [1.0], [5.0]]))


@pytest.fixture
def written(tmp_path: Path, monkeypatch):
    """Writes a metric and the module that it imports, and gives it as a new process would."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two edits within a second
    module = f"own_metric_{tmp_path.name}"

    def write(how: str, more: str = "") -> Metric:
        for name in (module, f"{module}_helper"):
            sys.modules.pop(name, None)
        (tmp_path / f"{module}.py").write_text(METRIC.format(module=module) + more)
        (tmp_path / f"{module}_helper.py").write_text(HELPER.format(how=how))
        importlib.invalidate_caches()
        made: Metric = importlib.import_module(module).Mine()
        return made

    return write


def reference(metric: Metric, cache: Path, asked: list[str] | None = None) -> float:
    def sets():  # type: ignore[no-untyped-def]
        if asked is not None:
            asked.append("made")
        return REAL, None

    found = cached_reference("mine:Mine", metric, "key", cache, sets, lambda line: None)
    return float(found["centre"][0])


def test_a_metric_that_has_been_edited_makes_its_reference_again(written, tmp_path):
    cache = tmp_path / "cache"
    assert reference(written("mean"), cache) == 2.0
    assert reference(written("sum"), cache) == 6.0  # only what it imports is another
    asked: list[str] = []
    assert reference(written("sum"), cache, asked) == 6.0
    assert asked == []
    assert reference(written("sum", "\n# another line\n"), cache, asked) == 6.0
    assert asked == ["made"]


def test_a_damaged_file_is_made_again(tmp_path):
    metric = lookup.load("metrics", "feature_matching")()
    lines: list[str] = []
    for damage in (b"", b"garbage", None):
        found = cached_reference(
            "feature_matching", metric, "key", tmp_path, lambda: (REAL, None), lines.append
        )
        assert float(found["mean"][0]) == 2.0
        (path,) = (tmp_path / "references").iterdir()
        assert path.name == "key-feature_matching-1.safetensors"
        path.write_bytes(path.read_bytes()[:20] if damage is None else damage)
    assert len([line for line in lines if f"{path} in the cache is damaged" in line]) == 2
