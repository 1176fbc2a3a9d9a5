"""What a result records of the machine and the code that made it."""

import getpass
import platform
import subprocess
import sys

import pytest
import torch

from coequal.trial import environment as recorded
from coequal.trial.context import WorkerContext
from coequal.trial.environment import environment

HERE = WorkerContext("/some/run", "/some/data", "/some/cache", threads=3)


def test_the_record_holds_versions_code_processor_kernels_and_threads():
    found = environment(HERE)
    assert found["torch"] == torch.__version__
    assert found["cpu capability"] == torch.backends.cpu.get_cpu_capability()
    assert found["threads"] == "3"
    assert found["kernel variables"] == "none"
    wanted = {"coequal", "code", "commit", "python", "numpy", "scipy", "torchvision", "processor"}
    assert wanted < found.keys()
    assert "openblas" in found["blas"] or "mkl" in found["blas"] or "accelerate" in found["blas"]
    assert all(isinstance(value, str) and value for value in found.values())


def test_it_names_no_machine_person_or_folder():
    text = " ".join(environment(HERE).values())
    assert "/" not in text.replace(platform.platform(), "")
    for private in (platform.node(), getpass.getuser()):
        assert private not in text.split()


def test_chosen_kernels_are_recorded():
    """`ATEN_CPU_CAPABILITY=default` is read when torch starts."""
    program = (
        "from coequal.trial.context import WorkerContext\n"
        "from coequal.trial.environment import environment\n"
        "found = environment(WorkerContext('', '', ''))\n"
        "print(found['cpu capability'], found['kernel variables'])"
    )
    variables = {**recorded.os.environ, "ATEN_CPU_CAPABILITY": "default"}
    told = subprocess.run(
        [sys.executable, "-c", program], env=variables, capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == ["DEFAULT", "ATEN_CPU_CAPABILITY=default"]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package in a repository of its own, with one commit."""
    module = tmp_path / "src" / "coequal" / "trial" / "environment.py"
    module.parent.mkdir(parents=True)
    module.write_text("first = 1\n")
    monkeypatch.setattr(recorded, "__file__", str(module))
    for cached in (recorded._code, recorded._commit):
        monkeypatch.setattr(recorded, cached.__name__, cached.__wrapped__)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    return module


def git(folder, *words):
    names = ("-c", "user.name=somebody", "-c", "user.email=nobody@example.org")
    subprocess.run(["git", "-C", folder, *names, *words], check=True)


def test_a_change_of_the_code_changes_its_hash_and_is_marked(package):
    before, commit = recorded._code(), recorded._commit()
    assert len(commit) == 12
    package.write_text("first = 2\n")
    assert recorded._code() != before
    assert recorded._commit() == f"{commit} + changes"
    git(package.parent, "commit", "-qam", "second")
    assert len(recorded._commit()) == 12
    assert recorded._commit() != commit


def test_what_is_outside_the_package_changes_neither(package):
    before = recorded._code(), recorded._commit()
    root = package.parents[3]
    (root / "README.md").write_text("words\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "words")
    cache = package.parent / "__pycache__"
    cache.mkdir()
    (cache / "environment.pyc").write_bytes(b"compiled")
    (root / ".gitignore").write_text("__pycache__\n")
    assert (recorded._code(), recorded._commit()) == before


def test_a_package_that_no_repository_holds_says_its_version(tmp_path, monkeypatch):
    """As a wheel in a virtual environment, also where that lies within somebody's repository."""
    module = tmp_path / "venv" / "coequal" / "trial" / "environment.py"
    module.parent.mkdir(parents=True)
    module.write_text("")
    git(tmp_path, "init", "-q")
    monkeypatch.setattr(recorded, "__file__", str(module))
    assert recorded._commit.__wrapped__() == "not known, version 0.1.0"
