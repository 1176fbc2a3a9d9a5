"""What is said of a file that can't be read or written: plain words, before any work."""

import errno
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

from coequal.files import atomic_write, refuse_unwritable

from typed import coequal

STUDY = """\
data: [digits]
models: [vae]
architecture: {width: 0.03125}
search: {settings: 0}
training: {budget: {discriminator_steps: 2}, batch_size: 16, checkpoints: 1}
evaluation: {encoder: pixels, samples: 20}
"""
SCORE = "score --real real.npy --fake real.npy --metrics fd --encoder pixels"
MANIFOLD = "manifold --real triangles:test --fake real.npy"


@pytest.fixture
def home(tmp_path) -> Path:
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "afile").write_text("somebody's")
    (tmp_path / "folder.json").mkdir()
    np.save(tmp_path / "real.npy", np.arange(512, dtype=np.uint8).reshape(8, 8, 8, 1))
    return tmp_path


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("run study.yaml --workers 0 --out afile", "{home}/afile: exists and is a file"),
        ("run study.yaml --workers 0 --out afile/x", "{home}/afile is a file, not a folder"),
        ("train vae --data digits --steps 2 --out afile", "{home}/afile: exists and is a file"),
        (f"{SCORE} --out afile/x", "afile/x: afile is a file, not a folder"),
        (f"{SCORE} --out folder.json", "folder.json: exists and is a folder"),
        (f"{SCORE} --sheet afile/x.png", "afile/x.png: afile is a file, not a folder"),
        (f"{MANIFOLD} --out afile", "afile is a file, not a folder"),
        ("status afile", "afile"),
    ],
)
def test_a_file_where_a_folder_belongs(home, command, said):
    done = coequal(*command.split(), cwd=home)
    assert done.returncode in (1, 2)
    assert said.format(home=home) in done.stderr
    assert "Errno" not in done.stderr
    assert "measuring" not in done.stderr  # before any work
    assert (home / "afile").read_text() == "somebody's"


def no_files_in(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Let the system refuse new files in a folder; permissions alone don't stop root."""

    def refuse(*_: object, dir: Path, **more: object) -> None:  # the name is tempfile's
        assert Path(dir) == folder
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), f"{dir}/.draft.e4x0mhy8")

    patch.setattr(tempfile, "TemporaryFile", refuse)
    patch.setattr(tempfile, "mkstemp", refuse)


def test_a_folder_without_permission_is_named_by_what_was_asked_for(tmp_path, monkeypatch):
    no_files_in(tmp_path, monkeypatch)
    wanted = tmp_path / "scores.json"
    for write in (refuse_unwritable, lambda path: atomic_write(path, b"")):
        with pytest.raises(PermissionError) as found:
            write(wanted)
        assert found.value.filename == str(wanted)


def test_a_score_is_not_measured_for_a_file_that_can_not_be_written(home, monkeypatch):
    no_files_in(home, monkeypatch)
    done = coequal(*SCORE.split(), "--out", "scores.json", cwd=home)
    assert (done.returncode, done.stderr) == (1, "scores.json: permission denied\n")
