"""A run put into one file: what a reviewer needs, and nothing that names a machine or a person."""

import hashlib
import io
import json
import stat
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO

from coequal.files import atomic_file
from coequal.records import Result
from coequal.results.anonymous import named, names_here, place_in, texts, without_places
from coequal.results.clean import kept_and_ended
from coequal.results.folder import RunFolder
from coequal.results.on_disk import result_files
from coequal.results.pack import (
    CHUNK,
    MANIFEST,
    NEEDED,
    PACKED_NS,
    Entry,
    is_pack,
    manifest_text,
    part_of_a_run,
)
from coequal.results.result_file import RESULT, result_text
from coequal.results.reuse import REUSED, reused_results
from coequal.results.stopped import STOPPED

DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip can name

_COMPRESSED = (".npz", ".png", ".pdf", ".safetensors")  # deflating them gains next to nothing
_OF_EVERY_TRIAL = (RESULT, "trial.json", "details.json", "health.json")
_WEIGHTS = ("generator.safetensors", "generators")
_WORDS = ("notes", "encoder_note")  # of references.json: what a program wrote for people
_SHOWN = 5  # places in a refusal


@dataclass(frozen=True)
class Packed:
    """A pack that was written.

    Attributes:
        path: of the file.
        entries: number of files in it, without the manifest.
        size: of the file, in bytes.
        digest: SHA-256 of its manifest, and so of all content, however a machine deflates.
        notes: what was left out or changed, in sentences.
    """

    path: Path
    entries: int
    size: int
    digest: str
    notes: tuple[str, ...]


def pack(
    folder: RunFolder,
    out: Path,
    *,
    weights: bool = True,
    keep_names: bool = False,
    log: Callable[[str], None] = lambda line: None,
) -> Packed:
    """Write a run into one zip file, the same bytes for the same run.

    In it are the study with its versions, plan, results, what the instrument was calibrated on and
    small encoders, the source of parts of one's own, tables and report; of the chosen trials, which
    `coequal clean` would keep, also samples, curves and weights. Nothing else of the folder is. In
    what programs wrote for people (reasons, notes), folders and addresses of machines are replaced;
    a report that quotes such a text is left out.

    Args:
        folder: of a run in which nobody works.
        out: the file; a pack that is there is replaced.
        weights: whether those of the chosen trials' generators go in.
        keep_names: pack although texts that can't be changed (names of datasets, settings, code)
            name a folder, or a note this machine or user.
        log: is told what is wrong with which file.

    Raises:
        FileNotFoundError: the folder holds no study.
        FileExistsError: `out` is there and is no pack.
        BlockingIOError: the run goes on.
        ValueError: a result can't be used, or a text names a place of this machine.
    """
    folder.study()
    if folder.busy():
        raise BlockingIOError(f"{folder.place} is in use by another process; wait until it ends")
    if out.exists() and not is_pack(out):
        raise FileExistsError(f"{out} already exists and is not a pack; name another file")
    if lacking := [name for name in NEEDED if not (folder.path / name).exists()]:
        raise FileNotFoundError(
            f"{folder.place} has no {lacking[0]}, which `coequal run` writes; run the "
            "command that made it again: it writes the file without training anything"
        )
    contents = _Contents(folder, weights, log)
    files = sorted(contents.files())
    if not keep_names and contents.naming:
        raise ValueError(_refusal(contents.naming))
    stated = [Entry(name, *_measured(source)) for name, source in files]
    manifest = manifest_text(stated)
    with atomic_file(out) as file, zipfile.ZipFile(file, "w") as written:
        written.writestr(_info(MANIFEST, len(manifest)), manifest)
        for entry, (_, source) in zip(stated, files, strict=True):
            _add(written, entry, source)
    digest = hashlib.sha256(manifest).hexdigest()
    return Packed(out, len(stated), out.stat().st_size, digest, tuple(contents.notes))


def _refusal(naming: Sequence[str]) -> str:
    shown = "".join(f"\n  {each}" for each in naming[:_SHOWN])
    more = f"\n  and {len(naming) - _SHOWN} more" if len(naming) > _SHOWN else ""
    return (
        "a pack must not name a machine or a person, and these texts can't be "
        f"changed:{shown}{more}\nuse relative paths in a new run, or pack it anyway "
        "with --keep-names"
    )


# ----------------------------------------------------------------------------------- what goes in

Source = Path | bytes


class _Contents:
    """The files of a pack, and what is to be said of them.

    Attributes:
        notes: what was changed or left out.
        naming: texts that name a place or a person and can't be changed.
    """

    def __init__(self, folder: RunFolder, weights: bool, log: Callable[[str], None]) -> None:
        self.folder, self.weights, self.log = folder, weights, log
        self.notes: list[str] = []
        self.naming: list[str] = []
        self._names = names_here()

    def files(self) -> Iterator[tuple[str, Source]]:
        """Every entry by its name, in any order."""
        changed = 0
        kept, _ = kept_and_ended(self.folder, self.log)
        for trial_id in result_files(self.folder, self.log):
            text, anonymous = self._result(trial_id)
            changed += anonymous
            yield f"trials/{trial_id[:2]}/{trial_id}/{RESULT}", text
            yield from self._of_trial(trial_id, chosen=trial_id in kept)
        references, stopped = self._references(), self._stopped()
        changed += (references is not None) + (stopped is not None)
        for name in self._files_of_the_run():
            path = self.folder.path / name
            if name == "references.json" and references is not None:
                yield name, references
            elif name == STOPPED and stopped is not None:
                yield name, stopped
            elif name == "study.yaml" or name.endswith(".yaml"):
                yield name, without_places(path.read_text("utf-8")).encode()
            elif name == REUSED:
                yield name, self._reused()
            elif not (changed and _quotes_results(name)):
                self._check(name, path)
                yield name, path
        if changed:
            self.notes.append(
                f"folders or addresses were replaced in {changed} texts, so that report and tables "
                "are left out: `coequal report` writes them again"
            )
        elif not (self.folder.path / "report" / "index.html").exists():
            self.notes.append("the run has no report: `coequal report` writes it")

    def _files_of_the_run(self) -> Iterator[str]:
        """Every file beside the trials that is part of a run, by its name in a pack."""
        for path in sorted(self.folder.path.rglob("*")):
            name = path.relative_to(self.folder.path).as_posix()
            if not name.startswith("trials/") and part_of_a_run(name) and path.is_file():
                yield name

    def _result(self, trial_id: str) -> tuple[bytes, bool]:
        """The text of a result, and whether something in it was replaced."""
        stored = self.folder.read_result(trial_id)
        assert stored is not None, f"{trial_id} was listed a moment ago"
        before = stored.result
        result = _anonymous(before)
        words = [result.reason or "", *result.notes, *result.environment.values()]
        self._check_names(words, f"the result of trial {trial_id}")
        return (stored.text, False) if result == before else (result_text(result), True)

    def _of_trial(self, trial_id: str, *, chosen: bool) -> Iterator[tuple[str, Source]]:
        """What a trial left beside its result."""
        place = self.folder.trial_folder(trial_id)
        for path in sorted(place.rglob("*")):
            inside = path.relative_to(place)
            name = path.relative_to(self.folder.path).as_posix()
            if inside.name == RESULT or not part_of_a_run(name) or not path.is_file():
                continue
            if inside.parts[0] in _WEIGHTS and not self.weights:
                continue
            if chosen or inside.name in _OF_EVERY_TRIAL:
                self._check(name, path)
                yield name, path

    def _stopped(self) -> bytes | None:
        """stopped.json without folders; None if there are none in it."""
        path = self.folder.path / STOPPED
        before = path.read_text("utf-8") if path.exists() else ""
        after = without_places(before)
        return None if after == before else after.encode()

    def _references(self) -> bytes | None:
        """references.json without names; None if there are none in it."""
        before = self.folder.references()
        after = {
            data: {key: _cleaned(value) if key in _WORDS else value for key, value in each.items()}
            for data, each in before.items()
        }
        self._check_names(
            texts([[each.get(key) for key in _WORDS] for each in after.values()]), "references.json"
        )
        if after == before:
            return None
        return (json.dumps(after, indent=1, allow_nan=False) + "\n").encode()

    def _reused(self) -> bytes:
        """reused.jsonl with names in place of paths, of results that are still what was taken."""
        lines = []
        for entry in reused_results(self.folder).values():
            source = Path(entry.source).name
            size = len(self._result(entry.trial)[0])
            anonymous = replace(entry, source=source, size=size, changed=PACKED_NS)
            lines.append(json.dumps(asdict(anonymous), separators=(",", ":")) + "\n")
        return "".join(lines).encode()

    def _check(self, name: str, path: Path) -> None:
        """Note a place in a file whose texts can't be changed."""
        if path.suffix in (".json", ".jsonl") and not name.startswith("report/"):
            found = filter(None, map(place_in, texts(_plain(path))))
        elif path.suffix == ".py":
            found = filter(None, [place_in(path.read_text("utf-8"))])
        else:
            return
        self.naming += [f"{name}: {place}" for place in dict.fromkeys(found)]

    def _check_names(self, words: Iterator[str] | list[str], where: str) -> None:
        for text in words:
            if found := named(text, self._names):
                self.naming.append(f"{where}: '{found}' in \"{text}\"")


def _quotes_results(name: str) -> bool:
    return name.startswith("report/") or name == "results.csv"


def _anonymous(result: Result) -> Result:
    health = result.health
    return replace(
        result,
        reason=None if result.reason is None else without_places(result.reason),
        environment={key: without_places(text) for key, text in result.environment.items()},
        notes=tuple(map(without_places, result.notes)),
        health=health and replace(health, evidence=without_places(health.evidence)),
    )


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return without_places(value)
    return [_cleaned(each) for each in value] if isinstance(value, list) else value


def _plain(path: Path) -> object:
    """The values of a JSON file; of one with a value a line (plan.json), those of all lines."""
    text = path.read_text("utf-8")
    try:
        return json.loads(text)
    except ValueError:
        return [json.loads(line) for line in text.splitlines()]


# -------------------------------------------------------------------------------------- the file


def _open(source: Source) -> IO[bytes]:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _measured(source: Source) -> tuple[int, str]:
    """Size and SHA-256 of an entry."""
    with _open(source) as file:
        digest, size = hashlib.sha256(), 0
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()


def _info(name: str, size: int) -> zipfile.ZipInfo:
    """The head of an entry: nothing in it depends on the machine or the day."""
    info = zipfile.ZipInfo(name, DATE)
    info.create_system = 3  # Unix, whatever this is
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    stored = Path(name).suffix in _COMPRESSED
    info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    info.file_size = size
    return info


def _add(written: zipfile.ZipFile, entry: Entry, source: Source) -> None:
    digest = hashlib.sha256()
    with _open(source) as file, written.open(_info(entry.path, entry.size), "w") as target:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            target.write(chunk)
    if digest.hexdigest() != entry.sha256:
        raise ValueError(f"{entry.path} was changed while it was packed; pack it again")
