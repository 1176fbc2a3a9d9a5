"""Made-up files in the published formats."""

import gzip
import hashlib
import io
import struct
import tarfile
from dataclasses import replace

import pytest

TRAIN, TEST = 12, 5


@pytest.fixture
def idx_files():
    """Image i of the training part is all i, with label i % 10; of the test part all 100 + i."""
    files = {}
    for part, count, first in (("train", TRAIN, 0), ("t10k", TEST, 100)):
        pixels = b"".join(bytes([first + row]) * 28 * 28 for row in range(count))
        labels = bytes(row % 10 for row in range(count))
        files[f"{part}-images-idx3-ubyte"] = struct.pack(">4I", 0x803, count, 28, 28) + pixels
        files[f"{part}-labels-idx1-ubyte"] = struct.pack(">2I", 0x801, count) + labels
    return files


@pytest.fixture
def publish(monkeypatch):
    """Publish made-up files in a dataset's module, with no way to a network or to /usr."""

    def publish(module, files, **changes):
        sums = {name: hashlib.sha256(raw).hexdigest() for name, raw in files.items()}
        made = replace(module.FILES, sha256=sums, downloads={}, **changes)
        monkeypatch.setattr(module, "FILES", made)

    return publish


@pytest.fixture
def put():
    """Write files into a folder, packed or not."""

    def put(folder, files, packed=False):
        folder.mkdir(parents=True, exist_ok=True)
        for name, raw in files.items():
            if packed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(raw))
            else:
                (folder / name).write_bytes(raw)
        return folder

    return put


@pytest.fixture
def tar_gz():
    """Pack members, contents by name, into a .tar.gz."""

    def tar_gz(members):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            for name, raw in members.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(raw)
                tar.addfile(entry, io.BytesIO(raw))
        return buffer.getvalue()

    return tar_gz
