"""What pyproject.toml, CITATION.cff and the page on installing say is true of the package.

`scripts/try_wheel.py` checks what is in the distributions, and runs a study with the wheel.
"""

import re
import tomllib
from typing import Any

import pytest
from ruamel.yaml import YAML

import coequal

SEMANTIC_VERSION = r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-?(a|b|rc|dev)\.?\d+)?"


@pytest.fixture
def project(repository) -> dict[str, Any]:
    return tomllib.loads((repository / "pyproject.toml").read_text())


@pytest.fixture
def citation(repository) -> dict[str, Any]:
    return YAML(typ="safe").load((repository / "CITATION.cff").read_text())


def test_the_version_has_one_home(project, citation):
    assert re.fullmatch(SEMANTIC_VERSION, coequal.__version__)
    assert project["tool"]["hatch"]["version"]["path"] == "src/coequal/__init__.py"
    assert "version" in project["project"]["dynamic"]
    assert citation["version"] == coequal.__version__


def test_the_changelog_begins_with_the_version(repository):
    headings = re.findall(r"^## (.+)$", (repository / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0].split()[0] == coequal.__version__


def test_the_citation_has_what_its_schema_requires(citation):
    # Citation File Format 1.2.0: four keys are required, an entity needs a name, no others exist.
    assert citation["cff-version"] == "1.2.0"
    required = {"authors", "cff-version", "message", "title"}
    optional = {"abstract", "keywords", "license", "type", "version"}
    assert required <= citation.keys() <= required | optional
    assert citation["type"] == "software"
    assert citation["authors"] == [{"name": "The coequal authors"}]
    assert len(set(citation["keywords"])) == len(citation["keywords"]) > 0
    assert all(isinstance(citation[key], str) for key in (required | {"version"}) - {"authors"})


def test_licence_and_versions_of_python_are_told_once_and_alike(project, citation, repository):
    about = project["project"]
    assert citation["license"] == about["license"].split(" AND ")[0]
    assert all((repository / name).is_file() for name in about["license-files"])
    # A licence expression takes the place of classifiers of licences (PEP 639).
    assert not [name for name in about["classifiers"] if name.startswith("License ::")]
    pythons = [
        tuple(map(int, version.groups()))
        for name in about["classifiers"]
        if (version := re.fullmatch(r"Programming Language :: Python :: (\d)\.(\d+)", name))
    ]
    assert pythons == sorted(pythons)
    assert about["requires-python"] == ">={}.{}".format(*pythons[0])


def test_the_page_on_installing_lists_every_extra(project, repository):
    page = (repository / "docs" / "how_to" / "install.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| .+ \|$", page, re.MULTILINE)
    listed = {extra: sorted(re.findall(r"`([\w.-]+)`", packages)) for extra, packages in rows}
    name = re.compile(r"[\w.-]+")
    assert listed == {
        extra: sorted(name.match(requirement)[0] for requirement in requirements)
        for extra, requirements in project["project"]["optional-dependencies"].items()
    }


def test_the_page_on_installing_names_the_lowest_versions(project, repository):
    page = (repository / "docs" / "how_to" / "install.md").read_text()
    lowest = dict(
        re.fullmatch(r"([\w.-]+)(?:\[\w+\])?>=(\S+)", requirement).groups()
        for requirement in project["project"]["dependencies"]
    )
    named = dict(re.findall(r"(torch|torchvision|numpy|scipy) ([\d.]+)", page))
    assert named == {name: lowest[name] for name in ("torch", "torchvision", "numpy", "scipy")}
