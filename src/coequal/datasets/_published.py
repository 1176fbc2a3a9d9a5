"""Published files that are the same everywhere: looked for, else downloaded, checked by SHA-256."""

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

from coequal.files import atomic_write

DOWNLOAD_SECONDS = 900

Files = Mapping[str, bytes]
Log = Callable[[str], None]


class Download(NamedTuple):
    """A way to get the files.

    Attributes:
        way: in words.
        fetch: takes an empty folder to work in and a log, gives the folder in which the files lie.
    """

    way: str
    fetch: Callable[[Path, Log], Path]


class Found(NamedTuple):
    """The contents of all files, and what was wrong with others of their names."""

    files: Files
    wrong: list[str]

    def notes(self) -> list[str]:
        """The wrong files, for the data set's notes."""
        return [f"a wrong file was passed over: {wrong}" for wrong in self.wrong]


@dataclass(frozen=True)
class Published:
    """The files of one data set.

    Attributes:
        title: of the data set, for people.
        sha256: by file name; of the unpacked bytes, unless the name itself ends in .gz.
        places: folders to look into, in order; relative ones lie in the data folder.
        kept: the one of them in which downloads are kept.
        downloads: what is tried after the places, in order.
        source: where people can get the files; the end of the message if nothing worked.
    """

    title: str
    sha256: Mapping[str, str]
    places: tuple[Path, ...]
    kept: Path
    downloads: tuple[Download, ...]
    source: str

    def find(self, data_dir: Path, log: Log | None = None) -> Found:
        """The contents of all files, from the first place that has them all.

        What was downloaded is kept in the data folder.

        Raises:
            FileNotFoundError: no way worked; the message has every try, and where to put what.
        """
        say = log or say_nothing
        home = data_dir.expanduser().absolute()
        tries: list[str] = []
        wrong: list[str] = []
        for place in self.places:
            look = self._look_into(home / place)
            wrong += look.wrong
            if not look.absent:
                say(f"reading {self.title} from {home / place}")
                return Found(look.files, wrong)
            tries.append(f"{home / place}: {look.failure()}")
        for download in self.downloads:
            try:
                files = self._fetched(download, home, say)
                _keep(files, home / self.kept)
            except OSError as error:
                say(f"{self.title} can't be had by {download.way}: {error}")
                tries.append(f"download by {download.way}: {error}")
            else:
                say(f"{self.title} is now in {home / self.kept}")
                return Found(files, wrong)
        raise FileNotFoundError(self._remedy(tries, home / self.kept))

    def _remedy(self, tries: list[str], folder: Path) -> str:
        names = list(self.sha256)
        if len(names) == 1:
            put = f"Put {names[0]} into {folder}."
        else:
            put = f"Put these {len(names)} files, packed (.gz) or not, into {folder}: "
            put += f"{', '.join(names)}."
        listing = "".join(f"  - {attempt}\n" for attempt in tries)
        return f"{self.title} can't be had. Tried, in this order:\n{listing}{put} {self.source}"

    def _fetched(self, download: Download, home: Path, log: Log) -> Files:
        """The files, downloaded into a folder that is gone afterwards."""
        home.mkdir(parents=True, exist_ok=True)
        # In the data folder, because /tmp may be too small for it.
        with tempfile.TemporaryDirectory(dir=home, prefix=f".{self.kept.name}-") as name:
            look = self._look_into(download.fetch(Path(name), log))
            if look.absent:
                raise OSError(f"what came is not {self.title}: {look.failure()}")
            return look.files

    def _look_into(self, folder: Path) -> "_Look":
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
                found = hashlib.sha256(raw).hexdigest()
                if found == wanted:
                    files[name] = raw
                    break
                size = f"{len(raw)} bytes" + ("" if name.endswith(".gz") else " unpacked")
                problems.append(f"{path} has SHA-256 {found} ({size}), not {wanted}")
        return _Look(files, problems, [name for name in self.sha256 if name not in files])


class _Look(NamedTuple):
    """What a folder holds: which files are right, what is wrong with others, which are absent."""

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
        OSError: it failed or took too long; the message is its last exception.
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
        said = " ".join(lines[starts[-1] if starts else -1 :])
        raise OSError(said or f"torchvision's process ended with {done.returncode}")


def torchvision_download(what: str, md5: Mapping[str, str]) -> Download:
    """Single files, downloaded by torchvision.

    Args:
        what: The files, for the log.
        md5: The published MD5 by address; each file is checked by it.
    """
    calls = [f"download_url({url!r}, sys.argv[1], md5={found!r})" for url, found in md5.items()]
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


def say_nothing(message: str) -> None:
    """Progress for nobody."""
