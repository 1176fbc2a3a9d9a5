"""The script of `make data`, with stand-ins for apt-get and dpkg."""

import os
import subprocess

import pytest

APT = """#!/bin/sh
echo "apt-get $*" >> "$CALLS"
case "$*" in
  *" $FAILS"*) echo "E: no network" >&2; exit 100;;
  *Dir::State=*update | *Dir::State=*download*) ;;
  *download*) [ -z "$WITHOUT_LISTS" ] || exit 100;;
esac
case "$*" in *download*) touch dataset-fashion-mnist_1_all.deb;; esac
"""
DPKG = """#!/bin/sh
[ -f "$2" ] && mkdir -p "$3/usr/share/datasets/fashion-mnist" &&
echo pixels > "$3/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"
"""


@pytest.fixture
def script(repository, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in (("apt-get", APT), ("dpkg", DPKG)):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    calls = tmp_path / "calls"
    (tmp_path / "work").mkdir()

    def run(fails="nothing", without_lists=""):
        done = subprocess.run(
            ["sh", repository / "scripts/fashion_mnist_from_debian.sh", tmp_path / "data"],
            env={
                "PATH": f"{tools}:{os.environ['PATH']}",
                "TMPDIR": str(tmp_path / "work"),
                "CALLS": str(calls),
                "FAILS": fails,
                "WITHOUT_LISTS": without_lists,
            },
            capture_output=True,
            text=True,
        )
        kinds = [
            ("own " if "Dir::State=" in line else "") + line.split("User=root ")[1].split()[-1]
            for line in calls.read_text().splitlines()
        ]
        return done, [kind.replace("dataset-fashion-mnist", "download") for kind in kinds]

    return run


@pytest.mark.parametrize(
    ("without_lists", "calls"),
    [("", ["download"]), ("1", ["download", "own update", "own download"])],
)
def test_the_machines_lists_come_first_then_lists_of_its_own(
    script, tmp_path, without_lists, calls
):
    done, called = script(without_lists=without_lists)
    assert (done.returncode, called) == (0, calls), done.stderr
    kept = tmp_path / "data" / "train-images-idx3-ubyte.gz"
    assert kept.read_text() == "pixels\n"
    assert not list((tmp_path / "work").iterdir())


def test_an_update_that_fails_may_have_been_enough(script):
    done, called = script(fails="update", without_lists="1")
    assert (done.returncode, called) == (0, ["download", "own update", "own download"])


def test_without_the_package_it_fails_and_leaves_nothing(script, tmp_path):
    done, _ = script(fails="download")
    assert done.returncode == 100
    assert "E: no network" in done.stderr
    assert not (tmp_path / "data").exists()
    assert not list((tmp_path / "work").iterdir())
