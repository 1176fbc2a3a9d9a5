"""The source of parts from outside, kept with the results that it made.

code.json             the sets of source files, oldest first: the parts that need them, their hashes
code/1/my_lab/mine.py a file of the first set, where Python would import it from
code/2/...            the next one: a run went on with other source, or runs were joined

What is here is text. Only `importable` puts it where Python imports from.
"""

import hashlib
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from coequal import lookup
from coequal.files import atomic_write, write_json
from coequal.results.folder import RunFolder
from coequal.results.lock import lock

CODE = "code"


@dataclass(frozen=True)
class CodeSet:
    """Source files that belong together.

    Attributes:
        parts: from outside, that need them, as a study names them: "my_lab.losses:MyLoss".
        files: SHA-256 of each file, by its path from the folder that Python imports from.
        not_kept: modules that are not written in Python.
    """

    parts: tuple[str, ...]
    files: Mapping[str, str]
    not_kept: tuple[str, ...] = field(default=())


_MODULE = re.compile(r"(?:\w+/)*\w+\.py")
_SETS = TypeAdapter(tuple[CodeSet, ...])


def outside_parts(study: Mapping[str, Any]) -> tuple[str, ...]:
    """The parts that a study takes from outside the package, each once.

    Args:
        study: with every default filled in.
    """
    evaluation = study.get("evaluation") or {}
    named = {
        "objectives": [model.get("objective", "") for model in study.get("models") or ()],
        "architectures": [(study.get("architecture") or {}).get("name", "")],
        "datasets": [str(name).partition("@")[0] for name in study.get("data") or ()],
        "encoders": [evaluation.get("encoder", "")],
        "metrics": list(evaluation.get("metrics") or ()),
    }
    return tuple(
        dict.fromkeys(
            name
            for kind, names in named.items()
            for name in names
            if ":" in name and name.partition(":")[0] not in lookup.names(kind)
        )
    )


def code_sets(folder: RunFolder) -> tuple[CodeSet, ...]:
    """The sets of source files of a run, oldest first.

    Raises:
        ValueError: code.json can't be read.
    """
    path = folder.path / f"{CODE}.json"
    try:
        sets = _SETS.validate_json(path.read_bytes())
    except FileNotFoundError:
        return ()
    except ValidationError as error:
        raise ValueError(f"{path} can't be read: {error.errors()[0]['msg']}") from error
    for name in (name for each in sets for name in each.files):
        if not _MODULE.fullmatch(name):
            raise ValueError(f"{path} names {name!r}, which is no module")
    return sets


def add_code(
    folder: RunFolder, parts: Sequence[str], found: Mapping[str, bytes], **more: Any
) -> bool:
    """Keep source files, unless the last set holds the same.

    Args:
        folder: of the run; shards may do so at once.
        parts: that need them.
        found: the content of each file, by its path.
        more: further fields of the set.

    Returns:
        Whether an earlier set held other source of one of these parts.
    """
    new = CodeSet(
        tuple(parts),
        {name: hashlib.sha256(text).hexdigest() for name, text in found.items()},
        **more,
    )
    with (folder.path / ".code.lock").open("a+") as mine:
        lock(mine, wait=True)
        known = code_sets(folder)
        if new in known[-1:]:
            return False
        place = folder.path / CODE / str(len(known) + 1)
        for name, text in found.items():
            atomic_write(place / name, text)
        write_json(folder.path / f"{CODE}.json", [asdict(each) for each in (*known, new)])
    return any(set(each.parts) & set(parts) and each.files != new.files for each in known)


def code_files(folder: RunFolder) -> dict[Path, bytes]:
    """Every source file that a run keeps, in order, with its content.

    Raises:
        ValueError: one is missing or is not what code.json says.
    """
    files = {}
    for number, each in enumerate(code_sets(folder), 1):
        for name, digest in each.files.items():
            path = folder.path / CODE / str(number) / name
            text = path.read_bytes() if path.is_file() else b""
            if hashlib.sha256(text).hexdigest() != digest:
                raise ValueError(f"{path} is not the file that {CODE}.json says; it is not run")
            files[path] = text
    return files


def refuse_code(folder: RunFolder) -> None:
    """Refuse to import the parts of a pack's study from outside: nobody has said that they may run.

    Args:
        folder: of a run; in one that is no pack, parts are the user's own.

    Raises:
        ValueError: the study has such parts; the message says which, and where their source is.
    """
    parts = outside_parts(folder.study())
    if folder.pack is None or not parts:
        return
    files = [path.relative_to(folder.path).as_posix() for path in code_files(folder)]
    source = f"their source in it: {', '.join(files)}" if files else "it holds no source of them"
    raise ValueError(
        f"{folder.pack} needs code that came with it or is installed here ({', '.join(parts)}; "
        f"{source}); read it, then add --run-code"
    )


@contextmanager
def importable(folder: RunFolder) -> Iterator[list[Path]]:
    """Let Python import the source that a run keeps, the latest set before earlier ones.

    Args:
        folder: of a run whose code the user has allowed to run.

    Yields:
        The files, which the caller names to the user.

    Raises:
        ValueError: a file is not what code.json says.
    """
    files = code_files(folder)
    numbers = range(len(code_sets(folder)), 0, -1)
    with tempfile.TemporaryDirectory(prefix="coequal-code-") as temporary:
        for path, text in files.items():  # these and nothing that lies beside them
            place = Path(temporary) / path.relative_to(folder.path / CODE)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text)
        with lookup.searching_also(*(Path(temporary) / str(number) for number in numbers)):
            yield list(files)
