"""`coequal.Study` from keyword arguments, mappings, files, classes and objects."""

import subprocess
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

import coequal as cq
from coequal.api import captured_source
from coequal.contract import Dataset
from coequal.metrics.fd import FrechetDistance
from coequal.objectives.non_saturating import NonSaturating
from coequal.results.folder import RunFolder
from coequal.results.own_code import code_sets


@dataclass(frozen=True)
class Scaled(NonSaturating):
    """A loss with a setting."""

    factor: Annotated[float, Field(gt=0)] = 1.0


def photographs(data_dir: Path) -> Dataset:
    raise AssertionError("no study is run here")


FIELDS = {"study": "mine", "models": ["ns_gan", "vae"], "data": "digits", "seed": 3}


def test_arguments_mapping_and_file_give_the_same_study(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("# my study\nmodels: [ns_gan, vae]\ndata: digits\nseed: 3\n")
    studies = [cq.Study(**FIELDS), cq.Study(FIELDS), cq.Study(file), cq.Study(str(file))]
    studies += [cq.read_study(file), cq.Study(studies[0])]
    assert all(study == studies[0] for study in studies)
    assert studies[2].yaml() == file.read_text()  # with its comments
    again = cq.Study(studies[0].save(tmp_path / "again.yaml"))
    assert again == studies[0]
    assert repr(again) == "Study 'mine': ns_gan and vae on digits, 20 random settings each"


def test_arguments_replace_fields_of_a_file_or_a_mapping():
    study = cq.Study(FIELDS, seed=4, search={"settings": 3})
    assert (study.seed, study.search.settings, study.study) == (4, 3, "mine")
    smoke = cq.Study("smoke")
    other = cq.Study("smoke", seed=smoke.seed + 1)
    assert other.seed == smoke.seed + 1
    assert other.models == smoke.models
    assert "seed" in other.yaml()  # no longer the text of its file


def test_a_study_that_is_changed_has_another_text():
    study = cq.Study("smoke")
    assert study.yaml().startswith("#")
    assert "seed: 77" in study.model_copy(update={"seed": 77}).yaml()


def test_every_problem_is_listed_at_once():
    with pytest.raises(cq.StudyError) as caught:
        cq.Study(models=["nsgan"], data="digit", serch={}, search={"setings": 3})
    text = str(caught.value)
    for part in ("did you mean 'ns_gan'", "did you mean 'digits'", "did you mean 'search'"):
        assert part in text
    assert "search.setings: unknown key; did you mean 'settings'?" in text
    assert len(caught.value.problems) == 4


def test_the_checks_beyond_the_form_are_made_too():
    with pytest.raises(cq.StudyError, match="factor"):
        cq.Study(models=[{"objective": Scaled, "settings": {"factor": -1.0}}], data="digits")


def test_classes_and_objects_become_names_and_settings():
    study = cq.Study(
        models=[
            "ns_gan",
            Scaled,
            {"name": "twice", "objective": Scaled(factor=2.0), "settings": {"beta1": 0.5}},
            {"base": "ns_gan", "name": "based", "objective": NonSaturating},
        ],
        data=["digits", photographs, Path("faces")],
        evaluation={"encoder": "pixels", "metrics": [FrechetDistance, "kid"]},
        tricks=None,
    )
    _, plain, twice, based = study.models
    assert (plain.name, plain.objective) == ("Scaled", f"{__name__}:Scaled")
    assert twice.settings == {"factor": 2.0, "beta1": 0.5}
    assert based.objective == "non_saturating"  # a part of the package has its short name
    assert study.data == ("digits", f"{__name__}:photographs", "folder:faces")
    assert study.evaluation.metrics == ("fd", "kid")


def test_what_is_defined_inside_a_function_is_refused():
    class Inner(NonSaturating):
        """No process can import it."""

    with pytest.raises(cq.StudyError, match="define it at the top level"):
        cq.Study(models=[Inner], data="digits")


def test_something_else_is_no_study():
    with pytest.raises(TypeError, match="from a file, a mapping or keyword arguments, not from 3"):
        cq.Study(3)  # type: ignore[arg-type]


# ------------------------------------------------------- classes of scripts and notebooks

SCRIPT = """
import sys
from dataclasses import dataclass
from torch import Tensor
from torch.nn import functional as F
import coequal as cq
from coequal.contract import Adversarial, Generator, Logits, Loss, Requirements

FACTORS = {"real": 1.0, "fake": FACTOR}
loss = "a global of the name of a local"
net = object()

def push(logits: Tensor, factor: float) -> Tensor:
    return factor * F.softplus(logits).mean()

@dataclass(frozen=True)
class MyLoss(Adversarial[Generator, Logits]):
    '''A loss of this script.'''

    weight: float = 1.0

    def requirements(self):
        return Requirements(output=Logits)

    def discriminator_loss(self, discriminate, batch):
        real = push(-discriminate(batch.real).logits, FACTORS["real"])
        loss = real + push(discriminate(batch.fake).logits, FACTORS["fake"])
        return Loss(self.weight * loss, {}, {})

    def generator_loss(self, generator, discriminate, batch):
        return Loss(push(-discriminate(batch.fake).logits, 1.0), {}, {})

if __name__ == "__main__":
    study = cq.Study(
        study="script",
        models=["ns_gan", MyLoss(weight=0.5)],
        data="digits",
        architecture={"name": "infogan", "width": 0.0625},
        search={"settings": 0},
        training={"budget": {"discriminator_steps": 4}, "checkpoints": 1},
        evaluation={"encoder": "pixels", "samples": 64},
    )
    if len(sys.argv) > 1:
        run = cq.run(study, workers=int(sys.argv[1]))
        print(run.path, {result.status for result in run.trials.values()})
        print(cq.pack(run.path, "script.zip").path)
        print(cq.verify("script.zip", run_code=True, trials=2).different)
    print(study.models[1].objective)
"""


def run_script(folder: Path, factor: float, *arguments: str) -> list[str]:
    script = folder / "script.py"
    script.write_text(SCRIPT.replace("FACTOR}", f"{factor}}}"))
    done = subprocess.run(
        [sys.executable, "script.py", *arguments], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
def test_a_class_of_a_script_is_trained_by_workers_packed_and_verified(tmp_path):
    path, pack, different, objective = run_script(tmp_path, 1.0, "2")
    folder = RunFolder(tmp_path / "runs" / "script")
    assert path == f"{folder.path} {{'done'}}"
    module, _, name = objective.partition(":")
    assert module.startswith("myloss_")
    assert name == "MyLoss"
    (kept,) = code_sets(folder)
    assert [*kept.files] == [f"{module}.py"]
    source = (folder.path / "code" / "1" / f"{module}.py").read_text()
    assert "def push(" in source
    assert "FACTORS = {'real': 1.0, 'fake': 1.0}" in source
    assert "net" not in source.split()  # a global that it does not use
    assert pack == str(tmp_path / "script.zip")
    assert different == "False"
    (changed,) = run_script(tmp_path, 2.0)  # what it uses has another value: it is another part
    assert changed != objective


@pytest.fixture
def main(monkeypatch, tmp_path):
    """A script that this process seems to run; gives what defines things in it."""
    module = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)

    def define(text: str) -> dict[str, object]:
        path = tmp_path / "main.py"
        path.write_text(text)
        module.__file__ = str(path)
        captured_source.linecache.checkcache()
        exec(compile(text, str(path), "exec"), vars(module))
        return vars(module)

    return define


def text_of(part: object) -> str:
    name = captured_source.module_of_main(part)
    return (captured_source.cache_folder() / "captured_source" / f"{name}.py").read_text()


def test_the_source_of_a_class_comes_with_what_it_uses_and_nothing_else(main):
    found = main(
        "from __future__ import annotations\n"
        "import math as m\n"
        "from pathlib import Path\n"
        "LIMIT = [1, 2.5]\n"
        "UNUSED = open\n"
        "def helper(x: Path):\n    return m.sqrt(x)\n"
        "class Base:\n    limit = LIMIT\n"
        "@property\ndef other(self): pass\n"
        "class Part(Base):\n"
        "    def call(self, given):\n        UNUSED = given\n        return helper(UNUSED)\n"
    )
    text = text_of(found["Part"])
    assert text.index("class Base") < text.index("class Part")
    for line in ("from __future__ import annotations", "import math as m", "LIMIT = [1, 2.5]"):
        assert line in text
    assert "from pathlib import Path" in text
    assert "open" not in text
    space: dict[str, object] = {}
    exec(text, space)
    assert space["Part"]().call(4.0) == 2.0  # type: ignore[operator]


def test_what_cannot_be_written_down_is_refused(main):
    found = main("table = object()\nclass Part:\n    def call(self):\n        return table\n")
    with pytest.raises(ValueError, match="Part uses table, a object, which can't be written"):
        captured_source.module_of_main(found["Part"])


def test_a_class_without_source_is_refused(main):
    found = main("")
    exec("class Typed:\n    def call(self): pass\n", found)
    with pytest.raises(ValueError, match="the source of Typed can't be had"):
        captured_source.module_of_main(found["Typed"])
