"""Classes and functions of a notebook or a script, written into a module that workers can import.

Other processes must be able to import whatever a study names; so must `pack` and `verify`, later
on. They cannot import a class of `__main__`, so its source, with everything of `__main__` that it
uses, becomes a module in the cache. The module's name holds a hash of its text: a changed class is
a new part.
"""

import ast
import builtins
import hashlib
import importlib
import linecache
import symtable
import sys
import types
from collections.abc import Iterator
from typing import Any

from coequal import lookup
from coequal.files import atomic_write, cache_folder

FUTURE_ANNOTATIONS = 0x1000000  # the flag of code under `from __future__ import annotations`
HEAD = '"""Written by coequal from the source of a notebook or a script."""\n'
PLAIN = (bool, int, float, complex, str, bytes, type(None))
Definition = ast.ClassDef | ast.FunctionDef


def module_of_main(part: Any) -> str:
    """The name of a module that holds a class or function of `__main__`, written if needed.

    From here on, parts are also searched for in its folder.

    Args:
        part: defined at the top level of a script, or of a cell of a notebook.

    Raises:
        ValueError: its source is not available, or it uses something that can't be written as
            source; the message says how to solve this.
    """
    captured = _Captured(part.__name__)
    captured.define(part.__name__, part)
    text = captured.text()
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    name = f"{part.__name__.lower()}_{digest}"
    folder = cache_folder() / "captured_source"
    path = folder / f"{name}.py"
    if not path.exists():
        atomic_write(path, text.encode())
    if str(folder.resolve()) not in lookup.searched():
        lookup.search_also(*lookup.searched(), folder)
    importlib.invalidate_caches()
    return name


class _Captured:
    """The text of a module: imports, values and definitions, each before what uses it.

    Args:
        part: the name of the part, for messages.
    """

    def __init__(self, part: str) -> None:
        self._part = part
        self._namespace: dict[str, Any] = vars(sys.modules["__main__"])
        self._imports: set[str] = set()
        self._body: list[str] = []
        self._seen: set[str] = set()
        self._future = False

    def text(self) -> str:
        """The whole module."""
        future = ["from __future__ import annotations"] if self._future else []
        imports = "\n".join([*future, *sorted(self._imports)])
        return "\n\n".join(part for part in (HEAD.rstrip(), imports, *self._body) if part) + "\n"

    def define(self, name: str, part: Any) -> None:
        """Add a class or function of `__main__` under its own name, after all that it uses."""
        self._seen.add(name)
        node, text, future = _definition(part)
        self._future |= future
        for used in _global_names(node, text):
            self._add(used, f"{self._part} uses {used}")
        self._body.append(text)

    def _add(self, name: str, who: str) -> None:
        if name in self._seen or name not in self._namespace:
            return  # a name of Python's own, or one that there is not, which importing will tell
        self._seen.add(name)
        value = self._namespace[name]
        if isinstance(value, types.ModuleType):
            same = value.__name__ == name
            self._imports.add(f"import {name}" if same else f"import {value.__name__} as {name}")
        elif (place := _importable(name, value)) is not None:
            self._imports.add(place)
        elif isinstance(value, type | types.FunctionType):
            self._define_as(name, value, who)
        elif _is_plain(value):
            self._body.append(f"{name} = {value!r}")
        else:
            raise ValueError(
                f"{who}, a {type(value).__name__}, which can't be written into a module for the "
                f"worker processes; make it a field of the class, or move {self._part} and {name} "
                "into a file that Python can import"
            )

    def _define_as(self, name: str, value: Any, who: str) -> None:
        own = value.__name__
        if value.__module__ != "__main__" or (own != name and own in self._seen):
            text = f"{who} ({value.__module__}.{value.__qualname__}), which can't be imported; "
            raise ValueError(f"{text}move {self._part} into a file that Python can import")
        self.define(own, value)
        if own != name:
            self._body.append(f"{name} = {own}")


def _importable(name: str, value: Any) -> str | None:
    """The statement that imports an object under a name; None if there is none."""
    for module, attribute in (
        (getattr(value, "__module__", None), getattr(value, "__name__", name)),
        (type(value).__module__, getattr(value, "_name", None) or name),
    ):
        found = sys.modules.get(str(module))
        if module in (None, "__main__", "builtins") or found is None:
            continue
        if getattr(found, str(attribute), None) is value:
            alias = "" if attribute == name else f" as {name}"
            return f"from {module} import {attribute}{alias}"
    return None


def _is_plain(value: Any) -> bool:
    """Whether the text of a value gives the value again."""
    if isinstance(value, dict):
        return all(map(_is_plain, (*value.keys(), *value.values())))
    if type(value) in (list, tuple, set):
        return bool(value or type(value) is not set) and all(map(_is_plain, value))
    return type(value) in PLAIN and value == value and value not in (float("inf"), -float("inf"))


def _definition(part: Any) -> tuple[Definition, str, bool]:
    """The statement that defines a class or function of `__main__`, its text, and whether it stands
    under `from __future__ import annotations`.

    Raises:
        ValueError: it is defined inside a function, or its source is gone.
    """
    name = part.__name__
    if part.__qualname__ != name:
        raise ValueError(
            f"{part.__qualname__} is defined inside of something else, where no process can import "
            "it; define it at the top level"
        )
    codes = list(_codes(part))
    main = getattr(sys.modules["__main__"], "__file__", None)
    files = [*(code.co_filename for code in codes), *([main] if main else []), *_cells()]
    for file in dict.fromkeys(files):
        lines = linecache.getlines(file)
        for node in reversed(_parsed("".join(lines))):
            inside = [code for code in codes if code.co_filename == file]
            if node.name == name and all(_holds(node, code) for code in inside):
                first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
                text = "".join(lines[first - 1 : node.end_lineno]).rstrip()
                return node, text, any(code.co_flags & FUTURE_ANNOTATIONS for code in codes)
    raise ValueError(
        f"the source of {name} can't be had: it was typed into a console; put it into a notebook, "
        "a script or a file that Python can import"
    )


def _codes(part: Any) -> Iterator[types.CodeType]:
    """The code of a function, or of the functions in the body of a class."""
    if isinstance(part, types.FunctionType):
        yield part.__code__
        return
    for value in vars(part).values():
        function = getattr(value, "__func__", None) or getattr(value, "fget", None) or value
        function = getattr(function, "__wrapped__", function)
        own = isinstance(function, types.FunctionType) and function.__module__ == part.__module__
        if own and not function.__code__.co_filename.startswith("<"):  # made by `dataclass`
            yield function.__code__


def _cells() -> list[str]:
    """The cells of a notebook as the cache of lines names them, the last one first."""
    return [name for name in reversed(linecache.cache) if "ipykernel" in name or "ipython" in name]


def _parsed(text: str) -> list[Definition]:
    try:
        tree = ast.parse(text)
    except SyntaxError:  # a cell with commands of IPython
        return []
    return [node for node in tree.body if isinstance(node, Definition)]


def _holds(node: Definition, code: types.CodeType) -> bool:
    first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
    return first <= code.co_firstlineno <= (node.end_lineno or 0)


def _global_names(node: Definition, text: str) -> list[str]:
    """The names that a definition takes from around it, sorted."""
    found: set[str] = set()
    waiting = [symtable.symtable(text, "source", "exec")]
    while waiting:
        table = waiting.pop()
        waiting += table.get_children()
        outermost = table.get_type() == "module"
        for symbol in table.get_symbols():
            if symbol.is_global() or (outermost and not symbol.is_assigned()):
                found.add(symbol.get_name())
    annotations: list[ast.AST | None] = []
    for inner in ast.walk(node):
        if isinstance(inner, ast.arg | ast.AnnAssign):
            annotations.append(inner.annotation)
        elif isinstance(inner, ast.FunctionDef):
            annotations.append(inner.returns)
    for annotation in filter(None, annotations):
        found |= {each.id for each in ast.walk(annotation) if isinstance(each, ast.Name)}
    return sorted(found - {node.name} - vars(builtins).keys())
