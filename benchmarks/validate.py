"""Check the guarantees of the statistics by simulation, and write docs/validation.md.

    python benchmarks/validate.py [--quick] [--only MODULE] [--machine TEXT]

Every module of benchmarks/validation/ gives rows: an interval or a guarantee, what was simulated,
the fraction measured and the fraction wanted. The exit code is 1 if a row is not what was wanted.
--only renews one module's section of the document. --quick simulates few studies, allows for three
standard errors, and writes nothing.
"""

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

import numpy as np
import scipy
import validation
from validation.common import Row

HELP = {"common", "distributions"}
DOC = Path(__file__).parents[1] / "docs" / "validation.md"
COLUMNS = ("", "simulated", "measured", "wanted", "worst distribution", "wanted", "studies", "", "")
HEAD = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"
INTRO = """# The guarantees of the statistics, simulated

Written by `benchmarks/validate.py` (`make validate`), which draws searches from known distributions
and counts how often an interval contains the truth, or a guarantee is kept. A 95 % interval should
cover in 93 to 97 % of studies. One that covers more is *conservative*, and is called so wherever it
is printed. One that covers less for some distributions is *approximate*; what is wanted of its
worst distribution is what was measured when the method was chosen. Every interval beyond half of
the measured settings is refused: no method covers there. B is the number of settings measured, n
the budget. "Studies" counts those of each distribution; with 1,000 studies, a fraction near 95 %
has a standard error of 0.7 points.

The distributions are log-normal mixtures with up to 50 % failures and 2 % of evaluation noise: six
like real searches (`plain`, `good`, `rare`, `good30`, `rare50`, `heavy10`) and five that are meant
to break methods (`needle`, `tight`, `wide`, `fail50`, `two-good`); see
`benchmarks/validation/distributions.py`.
"""


@dataclass(frozen=True)
class Section:
    """A module's rows, under its docstring."""

    module: ModuleType
    rows: tuple[Row, ...]
    seconds: float  # of CPU time

    def text(self, machine: str) -> str:
        """As Markdown."""
        title, _, about = (self.module.__doc__ or self.module.__name__).strip().partition("\n\n")
        made = (
            f"{datetime.now(UTC).date()}; {machine}; Python {platform.python_version()}, numpy "
            f"{np.__version__}, scipy {scipy.__version__}; {self.seconds:.0f} s of one core. "
            f"{sum(row.kept() for row in self.rows)} of {len(self.rows)} rows are as wanted."
        )
        table = "\n".join([HEAD, *map(line, self.rows)])
        parts = (f"## {title.strip().rstrip('.')}", about.strip(), made, table)
        return "\n\n".join(part for part in parts if part)


def main() -> int:
    """The whole run."""
    args = _arguments()
    names = [found.name for found in iter_modules(validation.__path__) if found.name not in HELP]
    if args.only and args.only not in names:
        print(f"no module '{args.only}' in benchmarks/validation; there are: {', '.join(names)}")
        return 2
    rows: list[Row] = []
    for name in [args.only] if args.only else names:
        section = _section(import_module(f"validation.{name}"), args.quick)
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
    kept = [f"<!-- {known} -->\n{sections[known]}\n" for known in names if known in sections]
    DOC.write_text("\n".join([INTRO, *kept]), encoding="utf-8")


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
