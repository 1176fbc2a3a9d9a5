"""YAML with the line of every entry, and one message for every problem."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from coequal import lookup

Place = tuple[str | int, ...]  # keys and positions from the top: ("models", 2, "settings")


@dataclass(frozen=True)
class StudyProblem:
    """One thing that is wrong with a file.

    Attributes:
        message: what is wrong, and what would do.
        place: keys and positions from the top of the file.
        line: of the file; None if it is not known.
    """

    message: str
    place: Place = ()
    line: int | None = None

    def text(self, file: str) -> str:
        """`file:line: place: message`."""
        where = file if self.line is None else f"{file}:{self.line}"
        return ": ".join(part for part in (where, dotted(self.place), self.message) if part)


class StudyError(ValueError):
    """A study file can't be used.

    Attributes:
        file: its name.
        problems: everything that is wrong with it, by line.
    """

    def __init__(self, file: str, problems: Sequence[StudyProblem]) -> None:
        self.file, self.problems = file, sorted(problems, key=lambda problem: problem.line or 0)
        super().__init__("\n".join(problem.text(file) for problem in self.problems))


class PartsError(ValueError):
    """Parts of a study failed when they were tried, before anything was trained."""


@dataclass(frozen=True)
class Document:
    """The values of a file and where they stand.

    Attributes:
        values: plain values, as YAML gives them.
        lines: by place, the line of the entry.
        problems: keys that are given twice.
    """

    values: Any
    lines: Mapping[Place, int]
    problems: tuple[StudyProblem, ...]

    def line(self, place: Place) -> int | None:
        """The line of a place, or of the nearest entry around it."""
        for end in range(len(place), -1, -1):
            if place[:end] in self.lines:
                return self.lines[place[:end]]
        return None


def parse(text: str, file: str) -> Document:
    """Read YAML 1.2 (`1e-4` is a number, `no` is a word).

    Raises:
        StudyError: it is not YAML; one problem, with the line.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.allow_duplicate_keys = True
    try:
        node = yaml.compose(text)
        values = yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line = None if mark is None else mark.line + 1
        problem = f"not readable as YAML: {error.problem or error.context}"
        raise StudyError(file, [StudyProblem(problem, line=line)]) from error
    except (YAMLError, ValueError) as error:  # a date like 2020-13-45 is the latter
        raise StudyError(file, [StudyProblem(f"not readable as YAML: {error}")]) from error
    lines: dict[Place, int] = {}
    problems: list[StudyProblem] = []
    try:
        if node is not None:
            _walk(node, (), lines, problems)
    except RecursionError as error:
        raise StudyError(
            file, [StudyProblem("an anchor that holds itself can't be read")]
        ) from error
    return Document(values, lines, tuple(problems))


def study_path(given: str | Path) -> Path:
    """Find the file of a study.

    Args:
        given: the path of a file, or the name of a study that comes with coequal, as in "demo".

    Returns:
        The path of the file. A path with a suffix or a folder that names no file is returned as it
        is.

    Raises:
        StudyError: a single word is neither a file nor the name of a study.
    """
    path, known = Path(given), lookup.names("studies", ".yaml")
    if path.is_file():
        return path
    if str(given) in known:
        return Path(str(files("coequal") / "studies" / f"{given}.yaml"))
    if path.suffix or path.name != str(given) or path.exists():
        return path
    text = lookup.unknown(str(given), known, "no such file, and no built-in study of this name: ")
    raise StudyError(str(given), [StudyProblem(text)])


def read(path: Path) -> tuple[str, Document]:
    """The text of a file, and what it says.

    Raises:
        StudyError: it can't be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        inside = path / "study.yaml"
        why = f"is a folder; its study is {inside}" if inside.is_file() else error.strerror
        text = str(why) if inside.is_file() else f"can't be read: {why}"
        raise StudyError(str(path), [StudyProblem(text)]) from error
    except UnicodeDecodeError as error:
        raise StudyError(str(path), [StudyProblem("is not a text file in UTF-8")]) from error
    return text, parse(text, str(path))


def yaml_text(values: Mapping[str, Any]) -> str:
    """Plain values as the text of a YAML file."""
    text = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.dump(dict(values), text)
    return text.getvalue()


def dotted(place: Place) -> str:
    """`models.2.settings`."""
    return ".".join(str(part) for part in place)


def _walk(node: Node, place: Place, lines: dict[Place, int], problems: list[StudyProblem]) -> None:
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, ScalarNode) else str(key)
            line = key.start_mark.line + 1
            if name in seen:
                problems.append(
                    StudyProblem(
                        f"given twice, first on line {seen[name]}; keep one", (*place, name), line
                    )
                )
            seen[name] = line
            lines[(*place, name)] = line
            _walk(value, (*place, name), lines, problems)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            _walk(value, (*place, index), lines, problems)
