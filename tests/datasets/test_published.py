"""Published files: where they are looked for, what is refused, what is kept."""

import gzip
import hashlib
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from coequal.datasets._published import Published

FILES = {"one": b"the first", "two": b"the second"}


def sums(files):
    return {name: hashlib.sha256(raw).hexdigest() for name, raw in files.items()}


@pytest.fixture
def published(tmp_path):
    return Published(
        title="Things",
        sha256=sums(FILES),
        places=(Path("things"), Path("others"), tmp_path / "system"),
        kept=Path("things"),
        downloads={"http://127.0.0.1:1/one": "md5:0"},
        source="They are on the shelf.",
    )


@pytest.fixture
def offered(published, put, served):
    """The same with a server that has these files, packed."""

    def offered(files):
        folder, address = served
        put(folder, files, packed=True)
        md5 = {f"{address}/{path.name}": path.read_bytes() for path in folder.iterdir()}
        known = {url: f"md5:{hashlib.md5(raw).hexdigest()}" for url, raw in md5.items()}
        return replace(published, downloads=known)

    return offered


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
        f"ignored a file with wrong content: {tmp_path / 'things' / 'two'} has SHA-256 "
        f"{hashlib.sha256(b'other').hexdigest()} (5 bytes unpacked), "
        f"not {published.sha256['two']}"
    ]


def test_a_download_is_kept_as_it_comes_and_found_the_next_time(offered, tmp_path):
    data, said = tmp_path / "data", []
    published, own = offered(FILES), data / "things"
    assert published.find(data, said.append).files == FILES
    kept = {path.name: gzip.decompress(path.read_bytes()) for path in own.iterdir()}
    assert kept == {f"{name}.gz": raw for name, raw in FILES.items()}
    assert {stat.S_IMODE(path.stat().st_mode) for path in own.iterdir()} == {0o644}
    assert [path.name for path in data.iterdir()] == ["things"]
    assert len([line for line in said if line.startswith("Downloading file")]) == 2
    again = []
    assert published.find(data, again.append).files == FILES
    assert again == [said[-1]] == [f"reading Things from {own}"]


def test_a_wrong_file_in_the_way_of_a_download_is_named_once(offered, put, tmp_path):
    put(tmp_path / "things", {"one": b"other"})
    found = offered(FILES).find(tmp_path)
    assert found.files == FILES
    assert len(found.wrong) == 1


def test_if_nothing_works_the_message_has_every_try_and_the_remedy(published, put, tmp_path):
    put(tmp_path / "data" / "others", {"two": b"other", "one.gz": b"no gzip"})
    said = []
    with pytest.raises(FileNotFoundError) as caught:
        published.find(tmp_path / "data", said.append)
    message = str(caught.value)
    for part in (
        "Things was not found. Tried, in this order:\n",
        f"  - {tmp_path / 'data' / 'things'}: none of the files\n",
        f"{tmp_path / 'data' / 'others' / 'two'} has SHA-256",
        "one.gz can't be read (Not a gzipped file",
        "no one or one.gz",
        f"  - {tmp_path / 'system'}: none of the files\n",
        "  - download from http://127.0.0.1:1/one: COEQUAL_OFFLINE is set\n",
        f"Put these 2 files, packed (.gz) or not, into {tmp_path / 'data' / 'things'}: one, two. "
        "They are on the shelf.",
    ):
        assert part in message
    assert said == ["the download of Things failed: COEQUAL_OFFLINE is set"]
    assert not (tmp_path / "data" / "things").exists()


def test_a_download_of_other_files_is_refused(offered, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"things: .*one.gz has SHA-256 .* not "):
        offered({**FILES, "one": b"another edition"}).find(tmp_path)


def test_a_single_file_is_named_once(published, tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        replace(published, sha256={"a.tar.gz": "0"}).find(tmp_path)
    assert f"  - {tmp_path / 'things'}: no a.tar.gz\n" in str(caught.value)
    assert f"\nPut a.tar.gz into {tmp_path / 'things'}. They" in str(caught.value)


def test_a_download_that_can_not_be_kept_is_a_failed_try(offered, tmp_path):
    (tmp_path / "things").write_text("a file in the way")
    with pytest.raises(FileNotFoundError, match=r"download from http.*: .*Not a directory"):
        offered(FILES).find(tmp_path)
