"""The documentation site: a link that leads nowhere fails its build."""

import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"

PAGE = """# Front

## Pages

- [Second](how_to/second.md)

"""


def build(folder: Path, front: str, second: str) -> subprocess.CompletedProcess[str]:
    """Builds a site of two pages as `make docs` builds the real one."""
    docs = folder / "docs"
    (docs / "how_to").mkdir(parents=True)
    (docs / "README.md").write_text(PAGE + front)
    (docs / "how_to" / "second.md").write_text(second)
    (docs / "picture.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / "code.py").write_text("pass\n")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-n"]
    return subprocess.run(
        [*command, "-c", str(DOCS), str(docs), str(folder / "site")],
        capture_output=True,
        text=True,
        check=False,
    )


GOOD = "# Second\n\n## A part of it\n\n[Back](../README.md), [file](../picture.svg)\n"


def test_links_to_pages_headings_and_files_work_and_code_outside_is_named(tmp_path: Path):
    front = "See [there](how_to/second.md#a-part-of-it) and [the code](../code.py).\n"
    done = build(tmp_path, front, GOOD)
    assert (done.returncode, done.stderr) == (0, "")
    page = (tmp_path / "site" / "README.html").read_text()
    assert 'href="how_to/second.html#a-part-of-it"' in page
    assert ">code.py</span>" in page
    assert (tmp_path / "site" / "picture.svg").exists()


@pytest.mark.parametrize(
    ("front", "second", "message"),
    [
        ("[x](how_to/absent.md)\n", GOOD, "no file for the link to how_to/absent.md"),
        ("[x](how_to/second.md#absent)\n", GOOD, "absent"),
        ("[x](../absent.py)\n", GOOD, "no file for the link to ../absent.py"),
        ("![x](https://example.org/badge.svg)\n", GOOD, "from the network"),
        ("[x](#absent)\n", GOOD, "absent"),
        ("<a href='how_to/second.html#gone'>x</a>\n", GOOD, "no anchor for the link"),
    ],
)
def test_a_broken_link_fails_the_build(tmp_path: Path, front: str, second: str, message: str):
    done = build(tmp_path, front, second)
    assert done.returncode != 0
    assert message in done.stderr


def test_a_page_that_the_front_page_does_not_list_fails_the_build(tmp_path: Path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "lost.md").write_text("# Lost\n")
    done = build(tmp_path, "", GOOD)
    assert done.returncode != 0
    assert "lost.md: WARNING: document isn't included in any toctree" in done.stderr
