"""Published files: where they are looked for, what is refused, what is kept."""

import hashlib
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from coequal.datasets import _published
from coequal.datasets._published import Download, Published, by_torchvision

FILES = {"one": b"the first", "two": b"the second"}


def sums(files):
    return {name: hashlib.sha256(raw).hexdigest() for name, raw in files.items()}


def refused(reason):
    def fetch(folder, log):
        raise OSError(reason)

    return fetch


@pytest.fixture
def published(tmp_path):
    return Published(
        title="Things",
        sha256=sums(FILES),
        places=(Path("things"), Path("others"), tmp_path / "system"),
        kept=Path("things"),
        downloads=(
            Download("a mirror", refused("host unknown")),
            Download("a package", refused("there is no apt-get on this machine")),
        ),
        source="They are on the shelf.",
    )


def fetching(published, put, files, place=0, packed=False):
    """The same, with one download that brings these files."""
    downloads = list(published.downloads)
    way = downloads[place].way
    downloads[place] = Download(way, lambda folder, log: put(folder / "raw", files, packed))
    return replace(published, downloads=tuple(downloads))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("place", ["data/things", "data/others", "system"])
def test_files_are_found_in_every_place(published, put, tmp_path, place, packed):
    put(tmp_path / place, FILES, packed)
    said = []
    assert published.find(tmp_path / "data", said.append).files == FILES
    assert said == [f"reading Things from {tmp_path / place}"]


def test_an_archive_is_taken_as_it_is(published, put, tmp_path):
    archive = {"a.tar.gz": b"not unpacked"}
    single = replace(published, sha256=sums(archive))
    put(tmp_path / "things", archive)
    assert single.find(tmp_path).files == archive


def test_a_wrong_file_is_passed_over_and_named(published, put, tmp_path):
    put(tmp_path / "things", {**FILES, "two": b"other"})
    put(tmp_path / "others", FILES)
    found = published.find(tmp_path)
    assert found.files == FILES
    assert found.notes() == [
        f"a wrong file was passed over: {tmp_path / 'things' / 'two'} has SHA-256 "
        f"{hashlib.sha256(b'other').hexdigest()} (5 bytes unpacked), "
        f"not {published.sha256['two']}"
    ]


def test_a_download_is_kept_unpacked_and_found_the_next_time(published, put, tmp_path):
    data, said = tmp_path / "data", []
    fetching(published, put, FILES, packed=True).find(data, said.append)
    own = data / "things"
    assert {path.name: path.read_bytes() for path in own.iterdir()} == FILES
    assert {stat.S_IMODE(path.stat().st_mode) for path in own.iterdir()} == {0o644}
    assert [path.name for path in data.iterdir()] == ["things"]
    published.find(data, said.append)
    assert said == [f"Things is now in {own}", f"reading Things from {own}"]


def test_downloads_are_tried_in_order(published, put, tmp_path):
    said = []
    fetching(published, put, FILES, place=1).find(tmp_path, said.append)
    assert said[0] == "the download of Things by a mirror failed: host unknown"


def test_if_nothing_works_the_message_has_every_try_and_the_remedy(published, put, tmp_path):
    put(tmp_path / "data" / "others", {"two": b"other", "one.gz": b"no gzip"})
    with pytest.raises(FileNotFoundError) as caught:
        fetching(published, put, {"one": b"page of a proxy"}, place=1).find(tmp_path / "data")
    message = str(caught.value)
    for said in (
        "Things was not found. Tried, in this order:\n",
        f"  - {tmp_path / 'data' / 'things'}: none of the files\n",
        f"{tmp_path / 'data' / 'others' / 'two'} has SHA-256",
        "one.gz can't be read (Not a gzipped file",
        "no one or one.gz",
        f"  - {tmp_path / 'system'}: none of the files\n",
        "  - download by a mirror: host unknown\n",
        "  - download by a package: the downloaded files are not Things: ",
        f"Put these 2 files, packed (.gz) or not, into {tmp_path / 'data' / 'things'}: one, two. "
        "They are on the shelf.",
    ):
        assert said in message
    assert not (tmp_path / "data" / "things").exists()


def test_a_single_file_is_named_once(published, tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        replace(published, sha256={"a.tar.gz": "0"}).find(tmp_path)
    assert f"  - {tmp_path / 'things'}: no a.tar.gz\n" in str(caught.value)
    assert f"\nPut a.tar.gz into {tmp_path / 'things'}. They" in str(caught.value)


def test_a_download_that_can_not_be_kept_is_a_failed_try(published, put, tmp_path):
    (tmp_path / "things").write_text("a file in the way")
    with pytest.raises(FileNotFoundError, match=r"by a mirror: .*File exists"):
        fetching(published, put, FILES).find(tmp_path)


def test_torchvision_s_last_error_is_the_reason(tmp_path, monkeypatch):
    stderr = "Traceback ...\n  File x\nRuntimeError: Error downloading a:\nTried b, got:\nno name\n"
    ran = []

    def call(command, **how):
        ran.append(command)
        return subprocess.CompletedProcess(command, 1, "", stderr)

    monkeypatch.setattr(_published.subprocess, "run", call)
    with pytest.raises(
        OSError, match=r"^RuntimeError: Error downloading a: Tried b, got: no name$"
    ):
        by_torchvision("download()", tmp_path)
    assert ran[0][2].splitlines()[-1] == "download()"
    assert ran[0][3] == str(tmp_path)


def test_a_download_without_end_is_given_up(tmp_path, monkeypatch):
    def call(command, **how):
        raise subprocess.TimeoutExpired(command, how["timeout"])

    monkeypatch.setattr(_published.subprocess, "run", call)
    with pytest.raises(OSError, match="not done after 900 seconds"):
        by_torchvision("download()", tmp_path)
