"""pdflatex, for tests that compile what is written for papers. Skipped where there is none."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

WIDEST = 5.0  # points that a line may be too wide
PROBLEMS = re.compile(
    r"^!.*|^.*?:\d+: .*|^LaTeX Warning: (?:Reference|Citation|There were undefined).*"
    r"|^Package natbib Warning: (?:Citation|There were undefined).*",
    re.MULTILINE,
)
TOO_WIDE = re.compile(r"^Overfull \\hbox \(([\d.]+)pt too wide\).*", re.MULTILINE)


def typeset(folder: Path, name: str, *, bibliography: bool = False) -> list[str]:
    """Compile a document as its author would, and give what its last log complains of: errors,
    undefined references and citations, lines more than 5 points too wide.

    Args:
        folder: of the document.
        name: of its file, without an ending.
        bibliography: whether bibtex runs, too; its warnings are given as well.
    """
    if shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex here")
    found = []
    _run(folder, "pdflatex", name)
    if bibliography:
        if shutil.which("bibtex") is None:
            pytest.skip("no bibtex here")
        found += re.findall(r"^(?:Warning|I ).*", _run(folder, "bibtex", name), re.MULTILINE)
        _run(folder, "pdflatex", name)
    _run(folder, "pdflatex", name)
    log = (folder / f"{name}.log").read_text(errors="replace")
    assert "Output written on" in log, log[-2000:]
    wide = [m[0] for m in TOO_WIDE.finditer(log) if float(m[1]) > WIDEST]
    return [*found, *PROBLEMS.findall(log), *wide]


def document(folder: Path, tables: Iterable[Path]) -> str:
    """Write an article that holds tables one after another; the name of its file."""
    inputs = (rf"\input{{{path}}}\clearpage" for path in tables)
    (folder / "tables.tex").write_text(
        r"\documentclass{article}\usepackage[letterpaper,margin=1in]{geometry}"
        r"\usepackage{array,booktabs,longtable}\begin{document}" + "\n"
        r"\the\textwidth" + "\n".join(inputs) + "\n" + r"\end{document}" + "\n"
    )
    return "tables"


def _run(folder: Path, program: str, name: str) -> str:
    options = [] if program == "bibtex" else ["-interaction=nonstopmode", "-file-line-error"]
    done = subprocess.run(
        [program, *options, name], cwd=folder, capture_output=True, timeout=120, check=False
    )
    return done.stdout.decode(errors="replace")
