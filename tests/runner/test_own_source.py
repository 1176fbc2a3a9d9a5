"""The source of parts from outside stays with the results that it made."""

import hashlib
import json
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from coequal import api, lookup
from coequal.code_places import library_folders
from coequal.results.folder import RunFolder
from coequal.results.own_code import (
    code_files,
    code_sets,
    importable,
    outside_parts,
    refuse_code,
)
from coequal.results.pack import opened
from coequal.runner.own_source import source_files
from coequal.study.spec import Study

from typed import coequal

LOSS = """
import json

import numpy as np

from coequal.objectives.non_saturating import NonSaturating
from {lab} import parts
from .deep.helper import FACTOR


class Mine(NonSaturating):
    \"\"\"A loss of my own.\"\"\"

    factor = FACTOR
"""


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A package of one's own, under a name that no other test has imported."""
    name = f"lab_{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:8]}"
    home = tmp_path / "home"
    package = home / name
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "losses.py").write_text(LOSS.format(lab=name))
    (package / "parts.py").write_text(f"def late():\n    import {name}_tool\n")
    (package / "deep" / "helper.py").write_text("FACTOR = 2\n")  # a folder without __init__.py
    (package / "unrelated.py").write_text("raise RuntimeError('nobody imports me')\n")
    (home / f"{name}_tool.py").write_text("raise RuntimeError('imported when it is not needed')\n")
    monkeypatch.syspath_prepend(home)
    yield package
    for module in [each for each in sys.modules if each.startswith(name)]:
        del sys.modules[module]


def study_of(lab: Path) -> Study:
    return Study.model_validate(
        {
            "study": "mine",
            "data": ["digits"],
            "models": [
                {
                    "name": "mine",
                    "objective": f"{lab.name}.losses:Mine",
                    "settings": {"learning_rate": 1e-4, "beta1": 0.5, "batch_norm": True},
                },
            ],
            "architecture": {"name": "infogan", "width": 1 / 32},
            "search": {"settings": 0},
            "training": {"budget": {"discriminator_steps": 2}, "batch_size": 16, "checkpoints": 1},
            "evaluation": {"encoder": "pixels", "samples": 40},
        }
    )


def kept_names(lab: Path) -> set[str]:
    inside = {"__init__.py", "losses.py", "parts.py", "deep/helper.py"}
    return {f"{lab.name}/{name}" for name in inside} | {f"{lab.name}_tool.py"}


def test_the_module_and_what_it_imports_of_its_author_are_found(lab):
    found, others = source_files([f"{lab.name}.losses"])
    assert found.keys() == kept_names(lab)
    assert found[f"{lab.name}/deep/helper.py"] == lab / "deep" / "helper.py"
    assert others == []
    alone, _ = source_files([f"{lab.name}.deep.helper"])  # it imports nothing itself
    assert alone.keys() == {f"{lab.name}/__init__.py", f"{lab.name}/deep/helper.py"}


def test_of_a_library_only_its_own_modules_are_kept(lab, monkeypatch):
    # Installed into a folder of libraries, the package is still kept, and the tool beside it not.
    folders = (*library_folders(), str(lab.parent))
    monkeypatch.setattr("coequal.runner.own_source.library_folders", lambda: folders)
    found, _ = source_files([f"{lab.name}.losses"])
    assert found.keys() == kept_names(lab) - {f"{lab.name}_tool.py"}


def test_a_module_that_is_no_python_is_named(lab):
    (lab / f"_fast{EXTENSION_SUFFIXES[0]}").write_bytes(b"machine code")
    (lab / "parts.py").write_text("def late():\n    from . import _fast\n")
    found, others = source_files([f"{lab.name}.losses"])
    assert others == [f"{lab.name}._fast"]
    assert not any("_fast" in name for name in found)


@pytest.mark.parametrize(
    ("study", "parts"),
    [
        ({"models": [{"objective": "wgan_gp"}], "data": ["folder:faces", "digits@5%"]}, ()),
        ({"models": [{"objective": "a.b:C"}, {"objective": "a.b:C"}]}, ("a.b:C",)),
        ({"architecture": {"name": "nets:Mine", "width": 1}}, ("nets:Mine",)),
        ({"data": ["sets.faces:load@5%", "triangles:paper"]}, ("sets.faces:load",)),
        (
            {"evaluation": {"encoder": "inception:clean", "metrics": ["fd", "m:Mine"]}},
            ("m:Mine",),
        ),
        ({"evaluation": {"encoder": "e:Mine"}}, ("e:Mine",)),
    ],
)
def test_parts_from_outside_are_those_that_no_part_of_ours_is(study, parts):
    assert outside_parts(study) == parts


def test_a_run_keeps_its_source_and_says_when_it_goes_on_with_other(lab, tmp_path):
    class Told:
        news: tuple[str, ...] = ()

        def update(self, progress):
            self.news += progress.news

    folder, told = RunFolder(tmp_path / "run"), Told()
    api.run(study_of(lab), folder.path, workers=0, observer=told)
    (kept,) = code_sets(folder)
    assert kept.parts == (f"{lab.name}.losses:Mine",)
    assert kept.files.keys() == kept_names(lab)
    copied = folder.path / "code" / "1" / lab.name / "losses.py"
    assert copied.read_bytes() == (lab / "losses.py").read_bytes()
    assert len(code_files(folder)) == 5
    api.run(study_of(lab), folder.path, workers=0, observer=told)  # nothing is left to do
    assert len(code_sets(folder)) == 1
    assert not any("source" in line for line in told.news)
    (lab / "deep" / "helper.py").write_text("FACTOR = 3\n")
    more = study_of(lab).model_copy(update={"seed": 1})
    with pytest.raises(FileExistsError):
        api.run(more, folder.path, workers=0)
    grown = Study.model_validate({**study_of(lab).as_dict(), "reruns": {"best": 1, "seeds": 1}})
    api.run(grown, folder.path, workers=0, observer=told)
    assert len(code_sets(folder)) == 2
    assert (folder.path / "code" / "2" / lab.name / "deep" / "helper.py").exists()
    (line,) = [line for line in told.news if "source" in line]
    assert f"{lab.name}.losses:Mine has changed since this run began" in line


def test_the_code_of_a_pack_is_run_on_demand_only_and_only_unchanged(lab, tmp_path, monkeypatch):
    api.run(study_of(lab), tmp_path / "run", workers=0)
    packed = api.pack(tmp_path / "run", tmp_path / "mine.zip")
    refuse_code(RunFolder(tmp_path / "run"))  # in a folder of one's own it is one's own
    for module in [each for each in sys.modules if each.startswith(lab.name)]:
        del sys.modules[module]
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(lab.parent)])
    name = f"{lab.name}.losses:Mine"
    refused = coequal("sample", packed.path, "--model", "mine", "--count", 4, "--out", "x.npy")
    assert f"code/1/{lab.name}/losses.py" in refused.stderr
    assert "add --run-code" in refused.stderr
    with opened(packed.path) as folder:
        with pytest.raises(ValueError, match=r"--run-code") as caught:
            refuse_code(folder)
        assert name in str(caught.value)
        assert f"code/1/{lab.name}/losses.py" in str(caught.value)
        with pytest.raises(LookupError, match="cannot import"):
            lookup.load("objectives", name)
        before = list(sys.path)
        with importable(folder) as files:
            assert {path.name for path in files} >= {"losses.py", "helper.py"}
            assert lookup.load("objectives", name).factor == 2
        assert sys.path == before
        (folder.path / "code" / "1" / lab.name / "losses.py").write_text("import os\n")
        with (
            pytest.raises(ValueError, match=r"is not the file that code\.json says"),
            importable(folder),
        ):
            pass
    with pytest.raises(ValueError, match="--run-code"):
        api.score(real="digits:test", fake=f"{packed.path}:mine", encoder="pixels", samples=20)
    sampled = ("sample", packed.path, "--model", "mine", "--count", 4, "--out", tmp_path / "x.npy")
    done = coequal(*sampled, "--run-code")
    assert done.returncode == 0, done.stderr
    assert f"code/1/{lab.name}/losses.py" in done.stderr
    assert json.loads((tmp_path / "run" / "code.json").read_text())[0]["parts"] == [name]
