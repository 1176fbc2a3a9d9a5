"""The Python API: directives of autodoc for every public name of a module."""

import importlib
import inspect
from types import ModuleType
from typing import Any

import coequal


def calls() -> str:
    """Every name of `coequal.__all__`, with signature and docstring."""
    return _directives(coequal, coequal.__all__)


def classes_of(name: str) -> str:
    """Every name that a module lists in `__all__`.

    Args:
        name: of the module.
    """
    module = importlib.import_module(name)
    return _directives(module, module.__all__)


def _directives(module: ModuleType, names: list[str]) -> str:
    found = [_directive(module.__name__, name, getattr(module, name)) for name in names]
    return "```{eval-rst}\n" + "\n\n".join(filter(None, found)) + "\n```"


def _directive(module: str, name: str, value: Any) -> str:
    if isinstance(value, type) and issubclass(value, BaseException):
        return f".. autoexception:: {module}.{name}\n   :show-inheritance:"
    if isinstance(value, type):
        return (
            f".. autoclass:: {module}.{name}\n   :members:\n"
            "   :exclude-members: model_config, model_post_init\n   :show-inheritance:"
        )
    if inspect.isroutine(value):
        return f".. autofunction:: {module}.{name}"
    return f".. autodata:: {module}.{name}"
