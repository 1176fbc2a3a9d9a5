"""Published files, the same everywhere: found or downloaded, and checked by their SHA-256."""

import gzip
import hashlib
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from coequal.contract import Log
from coequal.files import atomic_write

DOWNLOAD_SECONDS = 900

Files = Mapping[str, bytes]


class Download(NamedTuple):
    """A way to get the files.

    Attributes:
        way: Its name, for the log and for messages.
        fetch: Takes an empty folder to work in and a log, and returns the folder that holds the
            files; it raises OSError where it fails.
    """

    way: str
    fetch: Callable[[Path, Log], Path]


class Contents(NamedTuple):
    """The contents of all files of a data set.

    Attributes:
        files: By file name.
        wrong: What was wrong with other files of these names, which were passed over.
    """

    files: Files
    wrong: list[str]

    def notes(self) -> list[str]:
        """The wrong files, for the data set's notes."""
        return [f"a wrong file was passed over: {wrong}" for wrong in self.wrong]


@dataclass(frozen=True)
class Published:
    """The files of one data set.

    Attributes:
        title: Of the data set, for people.
        sha256: By file name; of the unpacked bytes, unless the name itself ends in .gz.
        places: Folders that are searched, in order; relative ones lie in the data folder.
        kept: The one of them in which downloads are kept.
        downloads: What is tried after the places, in order.
        source: Where people can get the files; the end of the message if no attempt succeeds.
    """

    title: str
    sha256: Mapping[str, str]
    places: tuple[Path, ...]
    kept: Path
    downloads: tuple[Download, ...]
    source: str

    def find(self, data_dir: Path, log: Log | None = None) -> Contents:
        """The contents of all files, from the first place that has them all.

        Downloaded files are kept in the data folder.

        Args:
            data_dir: The data folder.
            log: Is told what is read and downloaded.

        Raises:
            FileNotFoundError: No attempt succeeded; the message lists all of them, and which files
                to put where.
        """
        log = log or silent
        home = data_dir.expanduser().absolute()
        attempts: list[str] = []
        wrong: list[str] = []
        for place in self.places:
            contents = self._read(home / place)
            wrong += contents.wrong
            if not contents.absent:
                log(f"reading {self.title} from {home / place}")
                return Contents(contents.files, wrong)
            attempts.append(f"{home / place}: {contents.failure()}")
        for download in self.downloads:
            try:
                files = self._fetched(download, home, log)
                _keep(files, home / self.kept)
            except OSError as error:
                log(f"the download of {self.title} by {download.way} failed: {error}")
                attempts.append(f"download by {download.way}: {error}")
            else:
                log(f"{self.title} is now in {home / self.kept}")
                return Contents(files, wrong)
        raise FileNotFoundError(self._remedy(attempts, home / self.kept))

    def _remedy(self, attempts: list[str], folder: Path) -> str:
        names = list(self.sha256)
        if len(names) == 1:
            put = f"Put {names[0]} into {folder}."
        else:
            put = f"Put these {len(names)} files, packed (.gz) or not, into {folder}: "
            put += f"{', '.join(names)}."
        listing = "".join(f"  - {attempt}\n" for attempt in attempts)
        return f"{self.title} was not found. Tried, in this order:\n{listing}{put} {self.source}"

    def _fetched(self, download: Download, home: Path, log: Log) -> Files:
        """The files, downloaded into a folder that is gone afterwards."""
        home.mkdir(parents=True, exist_ok=True)
        # In the data folder, because /tmp may be too small for it.
        with tempfile.TemporaryDirectory(dir=home, prefix=f".{self.kept.name}-") as name:
            contents = self._read(download.fetch(Path(name), log))
            if contents.absent:
                raise OSError(f"the downloaded files are not {self.title}: {contents.failure()}")
            return contents.files

    def _read(self, folder: Path) -> "_FolderContents":
        files: dict[str, bytes] = {}
        problems: list[str] = []
        for name, wanted in self.sha256.items():
            for path in (folder / form for form in _forms(name)):
                if not path.is_file():
                    continue
                try:
                    raw = _content(path, name)
                except (OSError, EOFError, zlib.error) as error:
                    problems.append(f"{path} can't be read ({error})")
                    continue
                digest = hashlib.sha256(raw).hexdigest()
                if digest == wanted:
                    files[name] = raw
                    break
                size = f"{len(raw)} bytes" + ("" if name.endswith(".gz") else " unpacked")
                problems.append(f"{path} has SHA-256 {digest} ({size}), not {wanted}")
        absent = [name for name in self.sha256 if name not in files]
        return _FolderContents(files, problems, absent)


class _FolderContents(NamedTuple):
    """What a folder holds.

    Attributes:
        files: The contents of the right files, by name.
        wrong: What is wrong with other files of these names.
        absent: The names of which there is no right file.
    """

    files: Files
    wrong: list[str]
    absent: list[str]

    def failure(self) -> str:
        if not self.files and not self.wrong:
            return "none of the files" if len(self.absent) > 1 else f"no {self.absent[0]}"
        absent = [f"no {' or '.join(_forms(name))}" for name in self.absent]
        return "; ".join([*self.wrong, *absent])


def _forms(name: str) -> tuple[str, ...]:
    """The names under which a file may lie: every mirror packs single files anew."""
    return (name,) if name.endswith(".gz") else (name, f"{name}.gz")


def _content(path: Path, name: str) -> bytes:
    raw = path.read_bytes()
    return raw if path.name == name else gzip.decompress(raw)


def _keep(files: Files, folder: Path) -> None:
    """Write each file whole or not at all; two processes at once write the same bytes."""
    for name, raw in files.items():
        atomic_write(folder / name, raw)


def by_torchvision(statement: str, folder: Path) -> None:
    """Run one statement with torchvision, in a process of its own; `sys.argv[1]` is the folder.

    There torchvision may print, wait for a dead host (until the time is up), or fail to be imported
    beside some builds of torch.

    Raises:
        OSError: It failed or took too long; the message is its last exception.
    """
    code = f"import socket, sys\nsocket.setdefaulttimeout(60)\n{statement}\n"
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, str(folder)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=DOWNLOAD_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"not done after {DOWNLOAD_SECONDS} seconds") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        # The last exception, which may go over several lines.
        starts = [row for row, line in enumerate(lines) if line[:1].isalpha() and "Error" in line]
        reason = " ".join(lines[starts[-1] if starts else -1 :])
        raise OSError(reason or f"torchvision's process ended with {done.returncode}")


def torchvision_download(what: str, md5: Mapping[str, str]) -> Download:
    """Single files, downloaded by torchvision.

    Args:
        what: The files, for the log.
        md5: The published MD5 by address; each file is checked by it.
    """
    calls = [f"download_url({url!r}, sys.argv[1], md5={digest!r})" for url, digest in md5.items()]
    statement = "\n".join(["from torchvision.datasets.utils import download_url", *calls])

    def fetch(folder: Path, log: Log) -> Path:
        log(f"downloading {what} by torchvision")
        by_torchvision(statement, folder)
        return folder

    return Download("torchvision", fetch)


def torchvision_dataset(title: str, name: str) -> Download:
    """The files of one of torchvision's own data sets in MNIST's format.

    Args:
        title: Of the data set, for the log.
        name: Torchvision's class.
    """
    statement = f"from torchvision.datasets import {name}\n{name}(root=sys.argv[1], download=True)"

    def fetch(folder: Path, log: Log) -> Path:
        log(f"downloading {title} by torchvision")
        by_torchvision(statement, folder)
        return folder / name / "raw"

    return Download("torchvision", fetch)


def silent(message: str) -> None:
    """A log that drops every line."""
