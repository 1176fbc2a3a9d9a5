"""Every example runs, from the repository's root, as its first lines say."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
SMALLER = {"why_gans_fail": ["6", "digits", "pixels"]}  # which takes twenty minutes
READS = {"recompute_verdict"}  # what is in docs/results; the others write


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example(path, tmp_path, monkeypatch, capsys):
    """The first in a process of its own, as anybody starts it; the others in this one."""
    monkeypatch.chdir(ROOT)
    written = [] if path.stem in READS else [str(tmp_path / "out")]
    command = [str(path), *written, *SMALLER.get(path.stem, [])]
    if path.stem == "quickstart":
        done = subprocess.run(
            [sys.executable, *command], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip()
        return
    monkeypatch.setattr(sys, "argv", command)
    monkeypatch.syspath_prepend(path.parent)
    runpy.run_path(str(path), run_name="__main__")
    sys.modules.pop(path.stem, None)  # which a study may name: "my_loss:Hinge"
    assert capsys.readouterr().out.strip()
