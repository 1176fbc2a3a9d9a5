"""The commands, out of the Typer application itself."""

from typing import Any

import typer
from plain_text import anchor, code, docstring, prose, table

from coequal.cli.app import app
from coequal.cli.exit_codes import ExitCode

OTHERS = "Commands"  # the group of commands that name none


def text() -> str:
    """Every command with its help, arguments, options, defaults and an example, in its group."""
    root = typer.main.get_command(app)
    context = root.make_context("coequal", [], resilient_parsing=True)
    groups: dict[str, list[str]] = {}
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        if not command.hidden:
            group = getattr(command, "rich_help_panel", None) or OTHERS
            groups.setdefault(group, []).append(name)
    sections = [_own(root, context), _contents(groups)]
    for group, names in groups.items():
        sections.append(f"## {group}")
        sections += [_command(root.get_command(context, name), name, context) for name in names]
    return "\n\n".join(filter(None, sections))


def exit_codes() -> str:
    """The meaning of every exit code."""
    return table(["code", "meaning"], [[f"{int(c)}", prose(c.meaning)] for c in ExitCode])


def _contents(groups: dict[str, list[str]]) -> str:
    rows = [
        [group, ", ".join(f"[`{name}`](#{anchor(f'coequal {name}')})" for name in names)]
        for group, names in groups.items()
    ]
    return table(["group", "commands"], rows)


def _own(root: Any, context: Any) -> str:
    """The options of `coequal` itself, before any command."""
    rows = _parameters(root, context, "option")
    return f"Options of `coequal` itself:\n\n{rows}" if rows else ""


def _command(command: Any, name: str, parent: Any) -> str:
    context = typer.Context(command, info_name=name, parent=parent)
    pieces = " ".join(command.collect_usage_pieces(context))
    sections = [f"### `coequal {name}`", f"```text\ncoequal {name} {pieces}\n```"]
    sections.append(docstring(command.help))
    sections.append(_parameters(command, context, "argument"))
    sections.append(_parameters(command, context, "option"))
    if command.epilog:
        words, _, example = command.epilog.partition(": ")
        sections.append(f"{words}:\n\n```sh\n{example}\n```")
    return "\n\n".join(filter(None, sections))


def _parameters(command: Any, context: Any, kind: str) -> str:
    """The arguments or options of a command, each as its help has it."""
    rows = []
    for parameter in command.params:
        record = parameter.get_help_record(context)  # None of what is hidden
        if parameter.param_type_name == kind and record is not None:
            name, words = record
            meaning = parameter.help or ""
            facts = words.removeprefix(meaning).strip().removeprefix("[").removesuffix("]")
            rows.append([code(name), prose(facts), prose(meaning)])
    return table([kind, "default, range", "meaning"], rows) if rows else ""
