"""Published files, the same everywhere: found or downloaded, and checked by their SHA-256."""

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from coequal.contract import Log
from coequal.downloads import download

Files = Mapping[str, bytes]


class Contents(NamedTuple):
    """The contents of all files of a dataset.

    Attributes:
        files: By file name.
        wrong: What was wrong with other files of these names, which were passed over.
    """

    files: Files
    wrong: list[str]

    def notes(self) -> list[str]:
        """The wrong files, for the dataset's notes."""
        return [f"ignored a file with wrong content: {wrong}" for wrong in self.wrong]


@dataclass(frozen=True)
class Published:
    """The files of one dataset.

    Attributes:
        title: Of the dataset, for people.
        sha256: By file name; of the unpacked bytes, unless the name itself ends in .gz.
        places: Folders that are searched, in order; relative ones lie in the data folder.
        kept: The one of them in which downloads are kept, as they come.
        downloads: What is tried after the places: address by address the published hash of what is
            there, "md5:..." or "sha256:...". The last part of the address is the file's name.
        source: Where people can get the files; the end of the message if no attempt succeeds.
    """

    title: str
    sha256: Mapping[str, str]
    places: tuple[Path, ...]
    kept: Path
    downloads: Mapping[str, str]
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
        for folder in self._folders(home, attempts, log):
            contents = self._read(folder)
            wrong += [one for one in contents.wrong if one not in wrong]
            if not contents.absent:
                log(f"reading {self.title} from {folder}")
                return Contents(contents.files, wrong)
            attempts.append(f"{folder}: {contents.failure()}")
        raise FileNotFoundError(self._remedy(attempts, home / self.kept))

    def _folders(self, home: Path, attempts: list[str], log: Log) -> Iterator[Path]:
        """Where the files may lie: the places; then, asked for more, where they are downloaded to.

        Why a download failed is added to the attempts.
        """
        yield from (home / place for place in self.places)
        folder = home / self.kept
        for url, known_hash in self.downloads.items():
            try:
                download(url, known_hash, folder / url.rpartition("/")[2], log)
            except OSError as error:
                log(f"the download of {self.title} failed: {error}")
                attempts.append(f"download from {url}: {error}")
                return
        yield folder

    def _remedy(self, attempts: list[str], folder: Path) -> str:
        names = list(self.sha256)
        if len(names) == 1:
            put = f"Put {names[0]} into {folder}."
        else:
            put = f"Put these {len(names)} files, packed (.gz) or not, into {folder}: "
            put += f"{', '.join(names)}."
        listing = "".join(f"  - {attempt}\n" for attempt in attempts)
        return f"{self.title} was not found. Tried, in this order:\n{listing}{put} {self.source}"

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


def silent(message: str) -> None:
    """A log that drops every line."""
