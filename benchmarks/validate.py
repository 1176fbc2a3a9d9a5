"""Check the guarantees of the statistics by simulation, and write docs/explanation/validation.md.

    python benchmarks/validate.py [--quick] [--only MODULE] [--machine TEXT]

Every module of benchmarks/validation/ gives rows: an interval or a guarantee, what was simulated,
the fraction measured and the fraction wanted. CLAIMS of a module, where it has that, says what its
rows are about, and PLACE where it stands; the document begins with a table of all claims. The exit
code is 1 if a row is not what was wanted. --only renews one module's section of the document.
--quick simulates few studies, allows for three standard errors, and writes nothing.
"""

import math
import os
import platform
import re
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import NamedTuple

import numpy as np
import scipy
import validation
from validation.common import Row

HELP = {"common", "distributions", "simulated"}
DOC = Path(__file__).parents[1] / "docs" / "explanation" / "validation.md"
COLUMNS = ("", "simulated", "measured", "wanted", "worst distribution", "wanted", "studies", "", "")
HEAD = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"
CLAIM_COLUMNS = ("claimed", "simulated", "measured", "wanted", "", "")
CLAIM_HEAD = f"| {' | '.join(CLAIM_COLUMNS)} |\n|{'---|' * len(CLAIM_COLUMNS)}"
INTRO = """# The guarantees of the statistics, simulated

This page shows which statistical guarantees hold in simulations, and which hold only approximately.

`benchmarks/validate.py` (`make validate`) writes it: the script draws searches from known
distributions and counts how often an interval contains the truth, or an error is made. The first
table has a row for each claim, with what was simulated, the smallest and the largest value measured
over all cases, and the value wanted; details follow below. An error of "at most 5 %" is allowed two
standard errors of its simulation. A 95 % interval should cover in 93 to 97 % of studies. One that
covers more is *conservative*; one that covers less somewhere is *approximate*, and is called so
here and where it is printed. B is the number of settings measured, n the budget. "Studies" is the
number of studies for each distribution; with 1,000 studies, a fraction near 95 % has a standard
error of 0.7 points.

These guarantees are not kept, or only approximately:

- P is off by up to 0.02, and by up to 0.07 if two models differ much in the luck of their seeds,
  because settings outside the best quarter report the run that placed them there
  (`search.retrain: 1` retrains all settings and is free of this).
- For the same reason, the typical score of one model is up to 15 % too good if at least a fifth of
  its training runs collapse (the ratio of two such models is not).
- The interval of one model's typical score covers as little as 80 % if one setting in thirty is far
  better than the rest.
- Intervals near P = 0 and 1, and of ratios to a model with one lucky setting in thirty, cover less
  than 93 %.
- A model with 2 % of collapses that no run has shown yet is called equivalent too often at the
  margin.
"""
MODELS = """The verdict is simulated with the models of `benchmarks/independent_verdict.py`:
log-normal, bimodal, heavy-tailed, narrow and other distributions over settings, shared draws, seed
noise, collapses, failures, ties. Other sections use log-normal mixtures with up to 50 % failures
and 2 % of evaluation noise: six like real searches (`plain`, `good`, `rare`, `good30`, `rare50`,
`heavy10`) and five that are meant to break methods (`needle`, `tight`, `wide`, `fail50`,
`two-good`); see `benchmarks/validation/distributions.py`.
"""


@dataclass(frozen=True)
class Section:
    """A module's rows, under its docstring."""

    module: ModuleType
    rows: tuple[Row, ...]
    seconds: float  # of CPU time

    def text(self, machine: str) -> str:
        """As Markdown: a table for each of the module's claims."""
        title, about = title_of(self.module), (self.module.__doc__ or "").partition("\n\n")[2]
        made = (
            f"{datetime.now(UTC).date()}; {machine}; Python {platform.python_version()}, numpy "
            f"{np.__version__}, scipy {scipy.__version__}; {self.seconds:.0f} s of one core. "
            f"{sum(row.kept() for row in self.rows)} of {len(self.rows)} rows are as wanted."
        )
        parts = [f"## {title}", about.strip(), made]
        for claim, simulated in claims_of(self.module).items():
            rows = [row for row in self.rows if (row.claim or claim) == claim]
            parts += [f"### {claim}", simulated, "\n".join([HEAD, *map(line, rows)])]
        return "\n\n".join(part for part in parts if part)


def title_of(module: ModuleType) -> str:
    """The heading of its section."""
    return (module.__doc__ or module.__name__).strip().partition("\n\n")[0].rstrip(".:")


def claims_of(module: ModuleType) -> dict[str, str]:
    """What its rows are about: claim, and what was simulated."""
    return getattr(module, "CLAIMS", {title_of(module): ""})


def main() -> int:
    """The whole run."""
    args = _arguments()
    modules = {
        found.name: import_module(f"validation.{found.name}")
        for found in iter_modules(validation.__path__)
        if found.name not in HELP
    }
    names = sorted(modules, key=lambda name: (getattr(modules[name], "PLACE", math.inf), name))
    if args.only and args.only not in names:
        print(f"no module '{args.only}' in benchmarks/validation; there are: {', '.join(names)}")
        return 2
    rows: list[Row] = []
    for name in [args.only] if args.only else names:
        section = _section(modules[name], args.quick)
        rows += section.rows
        if not args.quick:
            write(names, name, section.text(args.machine))
            print(f"written: {DOC}")
    broken = [row for row in rows if not row.kept(3 if args.quick else 0)]
    print(f"\n{len(rows) - len(broken)} of {len(rows)} as wanted")
    for row in broken:
        print(line(row))
    return 1 if broken else 0


def write(names: list[str], name: str, text: str) -> None:
    """Renew one module's section of the document; those of modules that are no more go."""
    old = DOC.read_text(encoding="utf-8") if DOC.exists() else ""
    pieces = re.split(r"^<!-- (\w+) -->\n", old, flags=re.MULTILINE)
    sections = dict(zip(pieces[1::2], map(str.strip, pieces[2::2]), strict=True)) | {name: text}
    kept = {known: sections[known] for known in names if known in sections}
    claims = "\n".join([CLAIM_HEAD, *(row for known in kept.values() for row in summary(known))])
    parts = [f"<!-- {known} -->\n{section}\n" for known, section in kept.items()]
    DOC.write_text("\n".join([INTRO, claims, "", MODELS, *parts]), encoding="utf-8")


def summary(section: str) -> list[str]:
    """A section's rows of the table of claims, from its text."""
    title, *claims = re.split(r"^##+ (.*)\n", section, flags=re.MULTILINE)[1::2]
    link = re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
    texts = re.split(r"^### .*\n", section, flags=re.MULTILINE)[1:]
    found = []
    for claim, text in zip(claims, texts, strict=True):
        simulated = "" if text.lstrip().startswith("|") else text.strip().partition("\n\n")[0]
        rows = [row.strip("| ").split(" | ") for row in text.splitlines() if row.startswith("| ")]
        cells = [Cells(row[2], row[3], row[7]) for row in rows[1:]]
        alike = {kind: [c for c in cells if c.kind == kind] for kind in (c.kind for c in cells)}
        row = (
            claim,
            simulated,
            "; ".join(map(_measured, alike.values())),
            "; ".join(map(_wanted, alike.values())),
            _words(cells),
            f"[{len(cells)} case{'s' * (len(cells) > 1)}](#{link})",
        )
        found.append(f"| {' | '.join(row)} |")
    return found


class Cells(NamedTuple):
    """What a row of a section says."""

    measured: str
    wanted: str  # "at most 0.05", "at least 0.93" or "0.93 to 0.97"
    verdict: str

    @property
    def kind(self) -> str:
        """What sort of limit it has."""
        return self.wanted[:8] if self.wanted.startswith("at ") else "between"


def _measured(cells: list[Cells]) -> str:
    numbers = sorted(float(cell.measured) for cell in cells)
    least, most = f"{numbers[0]:.3f}", f"{numbers[-1]:.3f}"
    return least if least == most else f"{least} to {most}"


def _wanted(cells: list[Cells]) -> str:
    """The least strict of their limits."""
    numbers = [float(word) for cell in cells for word in re.findall(r"-?\d[\d.e-]*", cell.wanted)]
    low, high = f"{min(numbers):.3g}", f"{max(numbers):.3g}"
    kind = cells[0].kind.strip()
    return {"at most": f"at most {high}", "at least": f"at least {low}"}.get(
        kind, f"{low} to {high}"
    )


def _words(cells: list[Cells]) -> str:
    """Whether all are kept, and what they are declared to be."""
    broken = sum("not kept" in cell.verdict for cell in cells)
    kept = f"**{len(cells) - broken} of {len(cells)} kept**" if broken else "kept"
    declared = (
        w for w in ("approximate", "conservative") for c in cells if c.verdict.startswith(w)
    )
    return ", ".join([kept, *dict.fromkeys(declared)])


def line(row: Row) -> str:
    """A row of the table."""
    distribution, least = row.worst or ("", 0.0)
    cells = (
        row.name,
        row.setting,
        f"{row.measured:.3f}",
        _range(row.low, row.high),
        f"{least:.3f} {distribution}" if row.worst else "",
        _range(row.worst_low, 1) if row.worst else "",
        f"{row.studies:,}" if row.studies else "exact",
        row.verdict,
        row.remark,
    )
    return f"| {' | '.join(cells)} |"


def _range(low: float, high: float) -> str:
    if high >= 1:
        return f"at least {low:.3g}"
    return f"at most {high:.3g}" if low <= 0 else f"{low:.3g} to {high:.3g}"


def _section(module: ModuleType, quick: bool) -> Section:
    print(f"\n{module.__name__}\n{HEAD}", flush=True)
    start = time.process_time()
    found = tuple(_printed(module, quick))
    seconds = time.process_time() - start
    print(f"{seconds:.0f} s of CPU time", flush=True)
    return Section(module, found, seconds)


def _printed(module: ModuleType, quick: bool) -> Iterator[Row]:
    for row in module.rows(quick):
        print(line(row), flush=True)
        yield row


def _arguments() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few studies, no document")
    parser.add_argument("--only", metavar="MODULE", help="one module")
    parser.add_argument("--machine", default=_machine(), help="how the document names the machine")
    return parser.parse_args()


def _machine() -> str:
    """As in the other documents: cores and processor."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except FileNotFoundError:
        text = ""
    names = [s.partition(":")[2].strip() for s in text.splitlines() if s.startswith("model name")]
    return f"{cores} cores of an {names[0] if names else platform.machine()}"


if __name__ == "__main__":
    sys.exit(main())
