"""`coequal new`: a study file to start from."""

import json
from pathlib import Path

import pytest

from coequal.study.check import checked

from typed import coequal


def test_the_template_is_a_good_study_with_every_part_of_it_explained(tmp_path):
    path = tmp_path / "mine" / "my_study.yaml"
    done = coequal("new", path, "--json")
    assert json.loads(done.stdout) == {"study": str(path)}
    study, text = checked(path)
    assert study.study == "my_study"
    assert [model.name for model in study.models] == ["ns_gan", "wgan_gp"]
    lines = text.splitlines()
    fields = [n for n, line in enumerate(lines) if line and line[0].isalpha() and n]
    explained = [n for n in fields if lines[n - 1].startswith("#")]
    assert len(fields) - len(explained) == 1  # the seed needs no words


def test_a_built_in_study_is_copied_and_no_file_is_overwritten(tmp_path):
    path = tmp_path / "copy.yaml"
    assert coequal("new", path, "--from", "smoke").returncode == 0
    assert path.read_bytes() == study_file("smoke").read_bytes()
    again = coequal("new", path)
    assert again.returncode != 0
    assert "exists already; name another file" in again.stderr
    assert path.read_bytes() == study_file("smoke").read_bytes()


def test_a_study_that_does_not_exist_is_refused_before_a_file_is_written(tmp_path):
    done = coequal("new", tmp_path / "x.yaml", "--from", "smok")
    assert done.returncode == 2
    assert "smoke" in done.stderr
    assert not (tmp_path / "x.yaml").exists()


@pytest.mark.parametrize("name", ["smoke", "_template"])
def test_the_template_is_no_built_in_study(name):
    from coequal import lookup

    assert (name in lookup.names("studies", ".yaml")) == (name == "smoke")


def study_file(name: str) -> Path:
    from coequal.study.document import study_path

    return study_path(name)
