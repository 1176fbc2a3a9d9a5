"""Arrows between the rooms run one way (DESIGN.md, "The house")."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "coequal"

WORDS = {"seeds", "lookup", "search", "records", "selection", "files", "images", "rng", "contract"}
"""Single modules that everyone may use."""

MAY_IMPORT = {
    "seeds": set(),
    "search": set(),
    "lookup": set(),
    "files": set(),
    "statistics": set(),
    "execution": set(),
    "images": set(),
    "rng": {"seeds"},
    "records": {"search"},
    "selection": {"records", "lookup"},
    "contract": {"rng", "records"},
    "objectives": {"contract", "rng"},
    "architectures": {"contract", "rng"},
    "manifolds": {"contract", "rng", "seeds"},
    "classification": {"contract", "rng", "seeds", "files", "images", "statistics"},
    "metrics": {"contract", "rng", "images", "manifolds", "statistics", "classification"},
    "datasets": {"contract", "seeds", "files", "rng", "manifolds"},
    "data": {"contract", "lookup", "datasets"},
    "encoders": {
        *("contract", "rng", "seeds", "files", "data", "images", "manifolds", "classification")
    },
    "health": {"files"},
    "training": {"contract", "rng", "seeds", "records", "images", "files", "health"},
    "evaluation": WORDS | {"data", "datasets", "metrics", "manifolds"},
    "results": {"records", "files", "selection", "lookup"},
    "report": {"records", "results", "statistics", "search", "selection", "files", "health"},
    "study": WORDS | {"data", "training", "evaluation", "results", "health"},
    "cli_options": {"results", "report"},
    "cli_study": WORDS | {"cli_options", "api", "executors", "study"},
    "cli_run": WORDS | {"cli_options", "api", "data", "progress", "results", "samples", "study"},
    "cli_command": {"study"},
    "cli_train": WORDS
    | {"cli_command", "cli_options", "cli_run", "api", "data", "report", "results", "samples"}
    | {"study"},
    "cli_health": {"cli_options", "api", "health"},
    "cli_results": WORDS | {"cli_options", "api", "overview", "results", "samples"},
    "cli_score": WORDS | {"api", "evaluation"},
    "api": WORDS
    | {"manifolds", "samples", "evaluation", "data", "study", "results", "report", "executors"}
    | {"diagnosis"},
    "diagnosis": WORDS | {"data", "evaluation", "health", "results", "samples", "study"},
    "executors": {"execution"},
    "progress": {"study", "health"},
    "samples": WORDS | {"evaluation", "results", "report", "study"},
    "overview": WORDS | {"results", "study"},
    "cli": WORDS
    | {
        "cli_options",
        "cli_health",
        "cli_results",
        "cli_run",
        "cli_score",
        "cli_study",
        "cli_train",
        "overview",
        "study",
    },
    "models": set(),
    "__init__": {"api"},
}


def files() -> Iterator[tuple[Path, str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        room = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        yield path, room, ast.parse(path.read_text())


def imports(tree: ast.Module) -> Iterator[str]:
    """Every module of ours that a file imports, wherever in the file: `objectives.wgan_gp`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module == "coequal":
                yield from (alias.name for alias in node.names)
            elif node.module.startswith("coequal."):
                yield node.module.removeprefix("coequal.")
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("coequal."):
                    yield alias.name.removeprefix("coequal.")


def test_rooms_import_only_what_they_may():
    wrong = [
        f"{path.relative_to(SOURCE)} imports {name}"
        for path, room, tree in files()
        for name in imports(tree)
        if (other := name.split(".")[0]) != room and other not in MAY_IMPORT[room]
    ]
    assert not wrong


def test_parts_never_import_each_other():
    rooms = ("objectives", "architectures", "datasets", "encoders", "metrics", "execution")
    wrong = [
        f"{path.relative_to(SOURCE)} imports {name}"
        for path, room, tree in files()
        if room in rooms
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


@pytest.mark.parametrize("module", ["study/plan.py", "study/spec.py", "study/model.py"])
def test_the_plan_is_free_of_torch(module):
    tree = ast.parse((SOURCE / module).read_text())
    at_import = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {getattr(node, "module", None) or node.names[0].name for node in at_import}
    heavy = ("torch", "coequal.contract", "coequal.data", "coequal.training", "coequal.rng")
    assert not {name for name in names if name.startswith(heavy)}
