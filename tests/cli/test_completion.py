"""What the Tab key offers: the names that exist, in the time in which the program starts."""

import os
import subprocess
import sys

import pytest

from coequal import lookup
from coequal.results.folder import RunFolder

from typed import coequal

TINY = """\
study: tiny
data: [digits]
models: [ns_gan, vae]
architecture: {width: 0.03125}
search: {settings: 0}
training: {budget: {discriminator_steps: 1}, batch_size: 8, checkpoints: 1}
evaluation: {encoder: pixels, samples: 20}
"""


@pytest.fixture
def offered(monkeypatch, tmp_path):
    """What bash is given for a line that is being typed."""

    def complete(line: str) -> list[str]:
        words = line.split()
        count = len(words) if line.endswith(" ") else len(words) - 1
        monkeypatch.setenv("_COEQUAL_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(count))
        return coequal(cwd=tmp_path).stdout.split()

    return complete


def test_parts_are_offered_by_name(offered):
    assert offered("coequal train ") == lookup.names("models", ".yaml")
    assert offered("coequal train ns_g") == ["ns_gan"]
    assert "digits" in offered("coequal train vae --data ")
    assert offered("coequal score --encoder pix") == ["pixels"]
    assert "fashion_mnist" in offered("coequal score --real fash")
    assert offered("coequal list enc") == ["encoders"]
    assert "train" in offered("coequal tr")


def test_the_last_of_several_metrics_is_completed(offered):
    assert offered("coequal score --metrics reco") == ["recommended"]
    assert offered("coequal score --metrics fd,neigh") == ["fd,neighbours"]
    assert not {"fd,fd", "fd,all"} & set(offered("coequal score --metrics fd,"))


def test_studies_are_offered_built_in_and_in_files(offered, tmp_path):
    (tmp_path / "smile.yaml").write_text("")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.yml").write_text("")
    assert offered("coequal check sm") == ["smile.yaml", "smoke"]
    assert offered("coequal run mine/") == ["mine/a.yml"]


def test_runs_with_their_models_and_trials(offered, tmp_path, monkeypatch):
    (tmp_path / "tiny.yaml").write_text(TINY)
    assert coequal("run", "tiny.yaml", "--workers", 0, cwd=tmp_path).returncode == 0
    run = tmp_path / "runs" / "tiny"
    ids = [trial.id for trial in RunFolder(run).plan()]
    assert offered("coequal status ") == ["runs/tiny"]
    assert offered("coequal report run") == ["runs/tiny"]
    assert offered("coequal sample runs/tiny --model ") == ["ns_gan", "vae"]
    assert offered("coequal diagnose runs/tiny --trial ") == sorted(ids)
    (run / "study.json").write_text("broken")
    assert offered("coequal sample runs/tiny --model ") == []
    assert offered("coequal sample nowhere --model ") == []


def test_completing_a_name_imports_no_part():
    program = (
        "import sys\nfrom coequal.cli.app import main\n"
        "try:\n    main()\nfinally:\n"
        "    heavy = {'torch', 'numpy', 'ruamel'} & set(sys.modules)\n"
        "    print(sorted(heavy), file=sys.stderr)\n"
    )
    for line in ("coequal train ns_g", "coequal score --metrics f", "coequal run sm"):
        words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1)}
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            env={**os.environ, **words, "_COEQUAL_COMPLETE": "complete_bash"},
        )
        assert done.stdout.split()
        assert done.stderr.splitlines()[-1] == "[]"
