"""The parts that docs/how_to/own_parts.md shows keep the contract."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from coequal.testing import check_encoder, check_metric

PAGE = Path(__file__).parents[2] / "docs" / "how_to" / "own_parts.md"


@pytest.fixture
def shown(monkeypatch) -> ModuleType:
    """The module that the page shows whole."""
    (code,) = [
        block
        for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
        if "class Closeness" in block
    ]
    module = ModuleType("shown_parts")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(code, str(PAGE), "exec"), module.__dict__)
    return module


def test_the_metric_of_the_page_keeps_the_contract(shown):
    check_metric(shown.Closeness())


def test_the_encoder_of_the_page_keeps_the_contract(shown):
    check_encoder(shown.Colours)
