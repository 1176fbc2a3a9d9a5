"""Arrows between the rooms run one way (docs/explanation/architecture.md)."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "coequal"

ARCHITECTURE = SOURCE.parent.parent / "docs" / "explanation" / "architecture.md"

MAY_IMPORT = dict(
    re.findall(r"^\| `(\w+)` \| [^|]+ \|([\w ]*)\|$", ARCHITECTURE.read_text(), flags=re.MULTILINE)
)
"""What each package imports, from the ground floor up: the table at the end of the page."""

CHOOSES = "execution/choose.py"
"""Knows the parts of its own room; everything else finds parts by their names."""


@cache
def files() -> list[tuple[Path, str, ast.Module]]:
    return [
        (path, path.relative_to(SOURCE).parts[0].removesuffix(".py"), ast.parse(path.read_text()))
        for path in sorted(SOURCE.rglob("*.py"))
    ]


def imports(tree: ast.Module) -> Iterator[str]:
    """Every module of ours that a file imports, wherever in the file, and what of it:
    `objectives.wgan_gp`, `objectives.wgan_gp.WassersteinGradientPenalty`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module == "coequal":
                names = (alias.name for alias in node.names)
                yield from (name for name in names if name != "__version__")  # of the package
            elif node.module.startswith("coequal."):
                name = node.module.removeprefix("coequal.")
                yield name
                yield from (f"{name}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("coequal."):
                    yield alias.name.removeprefix("coequal.")


def test_rooms_import_only_what_they_may():
    wrong = [
        f"{path.relative_to(SOURCE)} imports {name}"
        for path, room, tree in files()
        for name in imports(tree)
        if (other := name.split(".")[0]) != room and other not in MAY_IMPORT[room].split()
    ]
    assert not wrong


def test_every_permission_is_used():
    used: dict[str, set[str]] = {}
    for _, room, tree in files():
        used.setdefault(room, set()).update(name.split(".")[0] for name in imports(tree))
    idle = [
        f"{room} imports no {other}"
        for room, others in MAY_IMPORT.items()
        for other in others.split()
        if other not in used.get(room, ())
    ]
    assert not idle
    assert MAY_IMPORT.keys() == used.keys()


def test_rooms_stand_on_those_above_them_in_the_list():
    floor = {room: number for number, room in enumerate(MAY_IMPORT)}
    wrong = [
        f"{room} imports {other}, which comes after it"
        for room, others in MAY_IMPORT.items()
        for other in others.split()
        if floor[other] >= floor[room]
    ]
    assert not wrong


def test_parts_never_import_each_other():
    rooms = ("objectives", "architectures", "datasets", "encoders", "metrics", "execution")
    wrong = [
        f"{path.relative_to(SOURCE)} imports {name}"
        for path, room, tree in files()
        if room in rooms and path.relative_to(SOURCE).as_posix() != CHOOSES
        for name in imports(tree)
        if name.startswith(f"{room}.") and not name.split(".")[1].startswith("_")
    ]
    assert not wrong


def test_there_is_no_cycle_between_modules():
    graph = {}
    known = {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        for path, _, _ in files()
    }
    for path, _, tree in files():
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        graph[name] = {other for other in imports(tree) if other in known}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail, name])
        if name not in done:
            for other in graph[name]:
                visit(other, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


LIGHT = ("settings.py", "training/settings.py", "study/plan.py", "study/spec.py", "study/model.py")


@pytest.mark.parametrize("module", LIGHT)
def test_the_plan_is_free_of_torch(module):
    tree = ast.parse((SOURCE / module).read_text())
    at_import = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {getattr(node, "module", None) or node.names[0].name for node in at_import}
    heavy = ("torch", "coequal.contract", "coequal.datasets", "coequal.training", "coequal.rng")
    heavy_ones = {name for name in names if name.startswith(heavy)}
    assert heavy_ones <= {"coequal.training.settings"}  # itself among `LIGHT`
