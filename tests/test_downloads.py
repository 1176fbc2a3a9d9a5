"""Downloads, from a server on this machine."""

import hashlib
import stat

import pooch
import pytest

from coequal import downloads
from coequal.downloads import download, reachable

RAW = bytes(range(256)) * 20_000  # five reads
SHA256 = f"sha256:{hashlib.sha256(RAW).hexdigest()}"


@pytest.fixture
def address(served):
    folder, address = served
    (folder / "thing").write_bytes(RAW)
    return f"{address}/thing"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(pooch.core.time, "sleep", lambda seconds: None)


@pytest.mark.parametrize("known_hash", [SHA256, f"md5:{hashlib.md5(RAW).hexdigest()}"])
def test_a_file_is_brought_whole_and_told_of_at_first_and_last(address, tmp_path, known_hash):
    said = []
    path = tmp_path / "in" / "here"
    download(address, known_hash, path, said.append)
    assert path.read_bytes() == RAW
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert said[0] == f"Downloading file 'here' from '{address}' to '{path.parent}'."
    # 5.12 MB in reads of a MiB, which take less than half a minute.
    assert said[1:] == ["here: 1.0 of 5.1 MB", "here: 5.1 of 5.1 MB"]


def test_the_right_file_stays_and_a_wrong_one_is_replaced(address, served, tmp_path):
    path = tmp_path / "thing"
    path.write_bytes(b"wrong")
    download(address, SHA256, path, print)
    assert path.read_bytes() == RAW
    (served[0] / "thing").unlink()
    said = []
    download(address, SHA256, path, said.append)
    assert said == []


@pytest.mark.parametrize(
    ("other", "known_hash", "reason"),
    [
        ("thing", "md5:0", "MD5 hash of downloaded file .* does not match .* expected md5:0"),
        ("nothing", SHA256, "404"),
    ],
)
def test_a_failure_is_tried_again_then_refused(address, tmp_path, other, known_hash, reason):
    said = []
    with pytest.raises(OSError, match=reason):
        download(address.replace("thing", other), known_hash, tmp_path / "here", said.append)
    tries = [line for line in said if "Will attempt the download again" in line]
    assert len(tries) == downloads.RETRIES
    assert [path.name for path in tmp_path.iterdir()] == ["served"]


def test_offline_nothing_is_asked(address, tmp_path, monkeypatch):
    assert reachable(address)
    assert reachable(f"{address}/nothing")  # an answer, though not the wanted one
    monkeypatch.setenv("COEQUAL_OFFLINE", "1")
    assert not reachable(address)
    with pytest.raises(OSError, match="COEQUAL_OFFLINE is set"):
        download(address, SHA256, tmp_path / "here", print)


def test_a_server_that_is_not_there_is_not_reachable(served):
    assert not reachable("http://127.0.0.1:1")
