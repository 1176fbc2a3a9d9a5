"""Commands in the documentation, parsed against the command line without being run."""

import inspect
import re
import shlex
from collections.abc import Iterator
from typing import Any

import typer
import typer.main

from coequal.cli.app import app

_GROUP: Any = typer.main.get_command(app)
_SEPARATORS = {"&", "&&", "|", "||", ";", "(", ")", "\n", ">"}
_UsageError = typer.BadParameter.__mro__[1]  # typer has its own click, or uses click itself
_INLINE = re.compile(r"`coequal ([a-z][^`]*)`")


def simple_commands(text: str) -> list[list[str]]:
    """Divide a shell script into its commands, as lists of words.

    Args:
        text: with comments, continued lines and assignments before a command.
    """
    commands: list[list[str]] = [[]]
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;()>")
        lexer.whitespace_split, lexer.commenters = True, "#"
        for word in [*lexer, "\n"]:
            if word in _SEPARATORS:
                commands.append([])
            elif commands[-1] or not re.match(r"\w+=", word):
                commands[-1].append(word)
    return [command for command in commands if command]


def coequal_commands(text: str) -> list[list[str]]:
    """The arguments of every `coequal` in a shell script."""
    found = [
        [word for word in words if word not in ("uv", "do", "then")]
        for words in simple_commands(text)
    ]
    found = [words[1:] if words[:1] == ["run"] else words for words in found]
    return [words[1:] for words in found if words[:1] == ["coequal"]]


def inline_commands(page: str) -> Iterator[list[str]]:
    """The arguments of every command that a page names within a sentence or a table."""
    prose = re.sub(r"^ *```.*?^ *```$", "", page, flags=re.DOTALL | re.MULTILINE)
    for match in _INLINE.finditer(prose):
        words = shlex.split(match[1].replace("\n", " "))
        yield [word for word in words if word != "..."]


def problem_of(arguments: list[str], *, values: bool = True) -> str | None:
    """What the command line would refuse of a command's form; None if nothing.

    Args:
        arguments: after `coequal`.
        values: whether values of options that are numbers are looked at, too.
    """
    name, *rest = arguments
    top = _GROUP.make_context("coequal", [], resilient_parsing=True)
    if name.startswith("-"):
        command, rest = _GROUP, arguments
    elif (command := _GROUP.get_command(top, name)) is None:
        return f"there is no command {name}"
    context = command.make_context(name, [], resilient_parsing=True)
    try:
        given, left, _ = command.make_parser(context).parse_args(list(rest))
        if left:
            return f"unexpected argument {left[0]}"
    except _UsageError as error:
        return error.format_message()
    return _no_number(command, given) if values else None


def _no_number(command: Any, given: dict[str, Any]) -> str | None:
    """The first option whose value should be a number, and is none."""
    parameters = inspect.signature(command.callback).parameters
    for name, value in given.items():
        of = parameters[name].annotation if name in parameters else None
        if isinstance(value, str) and re.search(r"\b(int|float)\b", str(of)):
            try:
                float(value)
            except ValueError:
                return f"{name} is no number: {value}"
    return None
