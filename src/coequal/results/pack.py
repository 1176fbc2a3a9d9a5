"""A run in one zip file: its form, and how it is opened.

study.zip
  manifest.json   first: path, size and SHA-256 of every other entry
  study.json, plan.json, trials/..., report/...   as in the folder of a run

A pack may come from a stranger. It is unpacked as a whole or refused in one sentence: nothing is
written outside of a new temporary folder, nothing beyond the sizes that the manifest states, and
nothing that is not part of a run. What is unpacked is data: code in it stays text until somebody
asks for it to be run (`coequal.results.own_code`).
"""

import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from coequal.results.archived_trials import has_archived_trials, unpack_trials
from coequal.results.folder import RunFolder

MANIFEST = "manifest.json"
FORM = "coequal pack"
VERSION = 1

NEEDED = ("study.json", "study.yaml", "plan.json", "metrics.json")
"""Without them something would have to be computed, or imported, to read a run."""

MANIFEST_BYTES = 64 * 2**20  # most that a manifest may have
GENEROUS_BYTES = 2**30  # so much may always come out of a pack
GAIN = 200  # beyond that, so many times the bytes of the pack; the JSON of runs shrinks to a tenth
CHUNK = 2**20

PACKED_NS = 315_532_800 * 10**9
"""When the files of every pack were written, in nanoseconds since 1970: on 1 January 1980, the
first day that a zip can name."""

_TRIAL = r"""
    (?: result | trial | details | health )\.json | (?: curves | signals | frames )\.npz
    | neighbours\.npy | samples/step-\d+\.npy
    | generator\.safetensors | generators/step-\d+\.safetensors
"""
_PART_OF_A_RUN = re.compile(
    rf"""
    study\.yaml | (?: study | plan | metrics | references | instrument | merged | code
        | stopped )\.json
    | (?: versions | reused )\.jsonl | versions/[\w.-]+\.(?: yaml | json )
    | (?: results | timings )\.csv
    | references/[\w.-]+\.npy | encoders/[\w.-]+\.safetensors
    | code/\d+/(?: \w+/ )*\w+\.py
    | trials/(?P<head> [0-9a-f]{{2}})/(?P=head)[0-9a-f]{{14}}/(?: {_TRIAL} )
    | report/(?: index\.html | report\.md | verdict\.json
        | figures/[\w.-]+\.(?: svg | pdf | png ) | tables/[\w.-]+\.(?: csv | tex ) )
    """,
    re.VERBOSE,
)
_DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{kind}{n}" for kind in ("com", "lpt") for n in "123456789"),
}


@dataclass(frozen=True)
class Entry:
    """A file of a pack, as its manifest states it."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class _Manifest:
    form: str
    version: int
    entries: tuple[Entry, ...]


_MANIFEST = TypeAdapter(_Manifest)


def manifest_text(entries: Sequence[Entry]) -> bytes:
    """The content of manifest.json."""
    values = {
        "form": FORM,
        "version": VERSION,
        "entries": [{"path": e.path, "size": e.size, "sha256": e.sha256} for e in entries],
    }
    return (json.dumps(values, indent=0, ensure_ascii=False) + "\n").encode()


def part_of_a_run(name: str) -> bool:
    """Whether an entry of this name is something that a pack holds."""
    return bool(_PART_OF_A_RUN.fullmatch(name)) and not any(
        part.partition(".")[0].casefold() in _DEVICES or part.startswith(".")
        for part in name.split("/")
    )


def is_pack(path: Path) -> bool:
    """Whether a file begins as a pack does; it may still be refused when it is opened."""
    try:
        with zipfile.ZipFile(path) as file:
            return file.namelist()[:1] == [MANIFEST]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


@contextmanager
def opened(path: Path) -> Iterator[RunFolder]:
    """Open the folder of a run, or a pack, which is checked and unpacked for as long as it is used.

    So is a folder whose trials are in an archive, as in docs/results: it is only read.

    Args:
        path: of the folder or the file.

    Raises:
        FileNotFoundError: there is neither, or it holds no study.
        ValueError: the file is no pack, is damaged, or holds what no pack may hold.
    """
    if path.is_dir() and not has_archived_trials(path):
        folder = RunFolder(path)
        folder.study()
        yield folder
        return
    if not path.exists():
        raise FileNotFoundError(f"there is no folder or pack {path}")
    with tempfile.TemporaryDirectory(prefix="coequal-") as temporary:
        run = Path(temporary) / (path.stem or "run")
        if path.is_dir():
            unpack_trials(path, run)
        else:
            unpack(path, run)
        folder = RunFolder(run, pack=path)
        folder.study()
        _refuse_plan_of_others(folder)
        yield folder


def unpack(path: Path, target: Path) -> None:
    """Check a pack and write its files into a new folder.

    Args:
        path: of the pack.
        target: a folder that does not exist; what was written before a refusal stays there.

    Raises:
        ValueError: see `opened`.
    """
    try:
        with zipfile.ZipFile(path) as file:
            stated = _checked(file, path)
            target.mkdir(parents=True)
            for entry in stated:
                _extract(file, entry, path, target)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        known = path.suffix in (".yaml", ".yml")
        what = (
            "is a study file; name the folder of its run"
            if known
            else "is not a pack, or is damaged"
        )
        raise ValueError(f"{path} {what if known else f'{what}: {error}'}") from error


# ------------------------------------------------------------------------------------- the checks


def _checked(file: zipfile.ZipFile, path: Path) -> tuple[Entry, ...]:
    """The entries that a pack's manifest states, all of which are there; nothing is read yet."""
    stated = _manifest(file, path)
    by_name = {entry.path: entry for entry in stated}
    _refuse_twins([entry.path for entry in stated], f"{path}: the manifest")
    present = file.infolist()[1:]
    _refuse_twins([info.orig_filename for info in present], str(path))
    for info in present:
        name = info.orig_filename
        if reason := _not_a_file_of_a_run(info) or _not_as_stated(info, by_name.get(name)):
            raise ValueError(f"{path}: entry {name!r} {reason}")
    if lacking := [name for name in NEEDED if name not in by_name]:
        raise ValueError(f"{path} is not the whole of a run: it has no {lacking[0]}")
    if missing := sorted(by_name.keys() - {info.orig_filename for info in present}):
        raise ValueError(f"{path}: the manifest lists {missing[0]!r}, which is not there")
    _refuse_too_much(sum(entry.size for entry in stated), present, path)
    return stated


def _manifest(file: zipfile.ZipFile, path: Path) -> tuple[Entry, ...]:
    first = next(iter(file.infolist()), None)
    if first is None or first.orig_filename != MANIFEST:
        raise ValueError(f"{path} is not a pack of a run: its first entry is not {MANIFEST}")
    if first.file_size > MANIFEST_BYTES or first.flag_bits & 1:
        raise ValueError(f"{path}: {MANIFEST} can't be read: it is too large, or encrypted")
    with file.open(first) as opened_manifest:
        text = opened_manifest.read(MANIFEST_BYTES + 1)
    try:
        manifest = _MANIFEST.validate_json(text, strict=True)
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        raise ValueError(f"{path}: {MANIFEST} can't be read: {wrong['msg']}") from error
    if (manifest.form, manifest.version) != (FORM, VERSION):
        raise ValueError(
            f"{path}: {MANIFEST} says '{manifest.form}' {manifest.version}; this version of "
            f"coequal reads '{FORM}' {VERSION}"
        )
    return manifest.entries


def _refuse_twins(names: Sequence[str], where: str) -> None:
    """Refuse names that are one on some disk, and a file that is also a folder of another."""
    known: dict[str, str] = {}
    for name in names:
        folded = unicodedata.normalize("NFC", name).casefold()
        if folded in known:
            how = (
                "twice" if known[folded] == name else f"beside {known[folded]!r}, in other letters"
            )
            raise ValueError(f"{where} has {name!r} {how}")
        known[folded] = name
    for name in names:
        folded = unicodedata.normalize("NFC", name).casefold()
        for end, letter in enumerate(folded):
            if letter == "/" and folded[:end] in known:
                raise ValueError(f"{where} has {known[folded[:end]]!r} as a file and as a folder")


def _not_a_file_of_a_run(info: zipfile.ZipInfo) -> str:
    """Why an entry is refused before its content is looked at; empty if it is not."""
    name = info.orig_filename
    kind = stat.S_IFMT(info.external_attr >> 16)
    if "\\" in name:
        return "has a backslash in its name"
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return "is an absolute path"
    if ".." in name.split("/"):
        return "climbs out of its folder"
    if kind == stat.S_IFLNK:
        return "is a link"
    if kind not in (0, stat.S_IFREG) or info.is_dir():
        return "is no file"
    if not part_of_a_run(name):
        return "is nothing that a pack of a run holds"
    if info.flag_bits & 1:
        return "is encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"is compressed by method {info.compress_type}, which packs don't use"
    return ""


def _not_as_stated(info: zipfile.ZipInfo, entry: Entry | None) -> str:
    if entry is None:
        return f"is not in {MANIFEST}"
    if info.file_size != entry.size:
        return f"has {info.file_size:,} bytes; {MANIFEST} says {entry.size:,}"
    return ""


def _refuse_too_much(total: int, present: Sequence[zipfile.ZipInfo], path: Path) -> None:
    """Refuse what no run packs: bytes that several entries share, a gain as only bombs have, more
    than the disk can take."""
    size = path.stat().st_size
    if sum(info.compress_size for info in present) > size:
        raise ValueError(f"{path}: its entries overlap")
    if total > max(GENEROUS_BYTES, GAIN * size):
        raise ValueError(
            f"{path} has {size:,} bytes and would unpack to {total:,}: more than any run does"
        )
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if total > free:
        raise ValueError(
            f"{path} unpacks to {total:,} bytes, and {tempfile.gettempdir()} has {free:,} left; "
            "name a larger disk by TMPDIR"
        )


def _extract(file: zipfile.ZipFile, entry: Entry, path: Path, target: Path) -> None:
    """Write an entry, of which at most the stated bytes are read."""
    place = target.joinpath(*entry.path.split("/"))
    place.parent.mkdir(parents=True, exist_ok=True)
    digest, left = hashlib.sha256(), entry.size
    with file.open(entry.path) as source, place.open("xb") as written:
        while left and (chunk := source.read(min(CHUNK, left))):
            digest.update(chunk)
            written.write(chunk)
            left -= len(chunk)
        more = bool(source.read(1))
    if left or more or digest.hexdigest() != entry.sha256:
        raise ValueError(
            f"{path}: the content of {entry.path!r} is not what {MANIFEST} says; the file is "
            "damaged, or was changed after it was packed"
        )
    if place.suffix == ".npz":
        _refuse_inner_bomb(place, entry, path)
    os.utime(place, ns=(PACKED_NS, PACKED_NS))


def _refuse_plan_of_others(folder: RunFolder) -> None:
    """Refuse a plan that calls a trial by the id of another one; ids name folders and results."""
    for trial in folder.iterate_plan():
        if (told := trial.id) != (real := replace(trial).id):
            raise ValueError(f"{folder.pack}: plan.json calls trial {real} by the id {told}")


def _refuse_inner_bomb(place: Path, entry: Entry, path: Path) -> None:
    """Refuse an .npz, which is a zip itself, that grows as no array of a run does."""
    with zipfile.ZipFile(place) as arrays:
        inside = sum(info.file_size for info in arrays.infolist())
    if inside > max(GENEROUS_BYTES // 16, GAIN * entry.size):
        raise ValueError(
            f"{path}: {entry.path!r} has {entry.size:,} bytes and would unpack to {inside:,}: "
            "more than any run does"
        )
