"""Runs the code blocks of a page, in order, in a folder of its own."""

import io
import json
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from code_blocks import ROOT, Block
from documented_commands import coequal_commands, problem_of, simple_commands

from coequal import lookup
from coequal.study.check import checked

from typed import coequal

OTHER_PROGRAMS = ("cat", "cp", "head", "ls", "mkdir", "tar", "unzip")

# What a fragment of a study file lacks.
STUDY = {
    "data": ["digits"],
    "models": ["ns_gan"],
    "architecture": {"name": "infogan", "width": 0.03125},
    "search": {"settings": 1},
    "training": {"budget": {"discriminator_steps": 20}, "batch_size": 16, "checkpoints": 1},
    "evaluation": {"encoder": "pixels", "metrics": ["fd"], "samples": 50},
}


class PageRunner:
    """What the blocks of one page leave for those that follow.

    Attributes:
        folder: the current folder of all blocks.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._output = ""
        self._module = ModuleType("__main__")  # where dataclasses look for their module

    def run_all(self, blocks: list[Block]) -> None:
        """Run them, and forget what they imported.

        Raises:
            AssertionError: a block is not as its page says.
        """
        with pytest.MonkeyPatch.context() as patch, lookup.searching_also(self.folder):
            patch.chdir(self.folder)
            patch.setitem(sys.modules, "__main__", self._module)
            for block in blocks:
                try:
                    self._run(block)
                except AssertionError:
                    raise
                except Exception as error:
                    raise AssertionError(f"{block}: {error!r}") from error

    def _run(self, block: Block) -> None:
        if source := block.notes.get("from"):
            assert block.text in (ROOT / source).read_text(), f"{block}: not in {source}"
        if name := block.notes.get("file"):
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
        reason = block.notes.get("not run")
        assert reason is None or reason.strip(), f"{block}: why is it not run?"
        run: dict[str, Callable[[Block], None]] = {
            "python": self._python,
            "sh": self._sh,
            "yaml": self._yaml,
            "json": lambda block: json.loads(block.text),
            "text": self._text,
        }
        run[block.language](block)

    def _python(self, block: Block) -> None:
        lines = "\n" * (block.line - 1) + block.text  # so that tracebacks name the page's lines
        code = compile(lines, block.page, "exec")
        if "file" not in block.notes and "not run" not in block.notes:
            exec(code, self._module.__dict__)

    def _sh(self, block: Block) -> None:
        for arguments in coequal_commands(block.text):
            problem = problem_of(arguments)
            assert problem is None, f"{block}: coequal {' '.join(arguments)}: {problem}"
        if "not run" in block.notes:
            return
        self._output, code = "", 0
        for words in simple_commands(block.text):
            assert code == 0, f"{block}: exit code {code}: {self._output}"
            code = self._command(block, words)
        expected = int(block.notes.get("exit", 0))
        assert code == expected, f"{block}: exit code {code}: {self._output}"

    def _command(self, block: Block, words: list[str]) -> int:
        """Run one, and give its exit code."""
        program, *arguments = words
        if program == "coequal":
            if arguments[0] == "run" and "--workers" not in arguments:
                arguments += ["--workers", "0"]  # a process for each takes seconds to start
            done = coequal(*arguments, columns=80)
            self._output += done.stdout + done.stderr
            return done.returncode
        if program == "python":
            return self._script(arguments)
        assert program in OTHER_PROGRAMS, f"{block}: {program} is not run here: say so above it"
        ended = subprocess.run(words, capture_output=True, text=True, check=False)
        self._output += ended.stdout + ended.stderr
        return ended.returncode

    def _script(self, arguments: list[str]) -> int:
        """Run a Python file in this process, which has imported torch already."""
        out = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out):
            patch.setattr(sys, "argv", arguments)
            runpy.run_path(arguments[0], run_name="__main__")
        self._output += out.getvalue()
        return 0

    def _yaml(self, block: Block) -> None:
        documents = list(yaml.safe_load_all(block.text))
        if "not run" in block.notes:
            return
        (values,) = documents
        if not {"models", "data"} <= values.keys():
            values = {**STUDY, **(values if "objective" not in values else {"models": [values]})}
        path = self.folder / "study_of_the_page.yaml"
        path.write_text(yaml.safe_dump(values, sort_keys=False))
        checked(path)

    def _text(self, block: Block) -> None:
        """Compare it with what was printed, if it is said to be that: but for digits, spaces and
        rules, which differ between machines and screens. A line of three dots leaves some out."""
        if "output" not in block.notes:
            return
        rest = _without_digits(self._output)
        for line in filter(None, map(_without_digits, block.text.split("\n"))):
            if line.strip() != "...":
                before, found, rest = rest.partition(line)
                assert found, f"{block}: not printed: {line!r} in {before!r}"


def _without_digits(text: str) -> str:
    return re.sub(r"[\s─]+", " ", re.sub(r"[\d.,]*\d", "#", text)).strip()
