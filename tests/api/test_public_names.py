"""`import coequal as cq` as an editor, a notebook and a type checker see it."""

import ast
import pkgutil
import rlcompleter
import subprocess
import sys
from pathlib import Path

import pytest

import coequal


def static_names() -> set[str]:
    """The names that a type checker and an editor find without running anything."""
    tree = ast.parse(Path(coequal.__file__).read_text())
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return {alias.asname for node in imports for alias in node.names if alias.asname}


def test_every_public_name_is_there_for_type_checkers_for_dir_and_at_run_time():
    assert static_names() == {*coequal.__all__}
    public = {name for name in dir(coequal) if not name.startswith("_")}
    assert public == {*coequal.__all__}
    assert all(getattr(coequal, name).__doc__ for name in coequal.__all__)


def test_names_complete_at_a_prompt_before_they_are_used():
    code = "import coequal as cq, rlcompleter; c = rlcompleter.Completer({'cq': cq}); "
    code += "print(c.complete('cq.re', 0), c.complete('cq.re', 1))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # rlcompleter asks each attribute for its value, to add "(" to a call.
    assert "cq.read_study(" in done.stdout
    assert "cq.report(" in done.stdout
    assert rlcompleter.Completer({"cq": coequal}).complete("cq.sco", 0) == "cq.score("


def test_no_public_name_is_that_of_a_package():
    """Of two of one name, that imported last would hide the other."""
    packages = {module.name for module in pkgutil.iter_modules(coequal.__path__)}
    assert not packages & {*coequal.__all__}


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'coequal' has no attribute 'scroe'"):
        _ = coequal.scroe


def test_importing_coequal_imports_nothing_heavy():
    code = "import sys, coequal; dir(coequal); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ours = {name for name in done.stdout.split() if name.partition(".")[0] == "coequal"}
    assert ours == {"coequal"}
    assert not {"torch", "numpy", "scipy", "pydantic", "matplotlib"} & {*done.stdout.split()}


def test_an_editor_completes_names_and_their_arguments():
    jedi = pytest.importorskip("jedi")  # comes with IPython
    script = jedi.Script("import coequal as cq\ncq.st")
    assert "stats" in {found.name for found in script.complete(2, 5)}
    script = jedi.Script("import coequal as cq\ncq.Study(que")
    assert "question=" in {found.name_with_symbols for found in script.complete(2, 12)}


USES_EVERY_NAME = "import coequal as cq\n" + "".join(
    f"reveal_type(cq.{name})\n" for name in coequal.__all__
)


@pytest.mark.slow
def test_a_type_checker_knows_every_public_name(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(USES_EVERY_NAME)
    source = str(Path(coequal.__file__).parent.parent)
    command = [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={tmp_path}", str(script)]
    done = subprocess.run(
        command, capture_output=True, text=True, env={"MYPYPATH": source, "PATH": ""}, check=False
    )
    revealed = [line for line in done.stdout.splitlines() if "Revealed type" in line]
    assert len(revealed) == len(coequal.__all__), done.stdout + done.stderr
    assert not [line for line in revealed if line.endswith('"Any"')]
    assert "error" not in done.stdout
