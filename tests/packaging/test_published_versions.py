"""docs/results/requirements.lock has the versions that the published trials recorded."""

import json
import re
import tarfile
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from coequal.trial.environment import NUMERIC

STUDIES = ("do_tricks_help", "how_good_is_my_gan", "one_hour", "triangles_one_hour")


@pytest.fixture
def lock(repository) -> str:
    return (repository / "docs" / "results" / "requirements.lock").read_text()


def pins(lock: str) -> dict[str, str]:
    lines = [line for line in lock.splitlines() if not line.startswith("#")]
    return dict(line.split("==") for line in lines)


def recorded(folder: Path) -> list[dict[str, str]]:
    """The environment of every trial of a published study."""
    with tarfile.open(folder / "trials.tar.xz") as archive:
        results = [member for member in archive if member.name.endswith("/result.json")]
        return [json.load(archive.extractfile(one))["environment"] for one in results]


@pytest.mark.parametrize("study", STUDIES)
def test_published_trials_were_made_with_the_locked_versions(repository, lock, study):
    environments = recorded(repository / "docs" / "results" / study)
    assert environments
    python, torch = re.search(r"Python (\S+), torch (\S+), numpy", lock).groups()
    for environment in environments:
        assert environment["python"] == python
        assert environment["torch"] == torch
        versions = {
            name: environment[name].split("+")[0] for name in NUMERIC if name in environment
        }
        assert {"torch", "numpy"} <= versions.keys()
        assert versions.items() <= pins(lock).items()


def test_the_lock_is_of_every_published_study(repository):
    found = (path.parent.name for path in (repository / "docs" / "results").glob("*/study.json"))
    assert sorted(found) == sorted(STUDIES)


def test_every_dependency_is_locked_at_a_version_that_is_allowed(repository, lock):
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    locked = {canonicalize_name(name): version for name, version in pins(lock).items()}
    for text in project["dependencies"]:
        requirement = Requirement(text)
        assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)])


def test_the_lock_names_no_place_to_download_from(lock):
    assert "://" not in lock
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in pins(lock))
