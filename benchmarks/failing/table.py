"""The confusion matrix: what the rules say of runs whose state is known, half of them held out."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from coequal.files import write_npz
from coequal.health.judge import judge, verdicts
from coequal.health.rules import RULES
from coequal.health.signals import NAMES, Signals, load, of_arrays
from coequal.health.verdict import FAILURES, HEALTHY
from coequal.statistics.rates import wilson
from failing.changes import Rates
from failing.labels import UNFINISHED, accepted
from failing.recipes import Recipe, all_recipes, hash_of

CALIBRATION, HELD_OUT = 0, 1


@dataclass(frozen=True)
class Judged:
    """A run with its label and what the rules say."""

    recipe: Recipe
    half: int
    row: str
    accepted: frozenset[str]
    verdict: str  # at the end
    spoken: tuple[str | None, ...]  # at each probe
    signals: Signals

    @property
    def right(self) -> bool:
        """Whether the verdict at the end is true."""
        return self.verdict in self.accepted

    @property
    def false_alarm(self) -> bool:
        """Whether a failure that is none was spoken of at any time."""
        return any(name is not None and name not in self.accepted for name in self.spoken)

    @property
    def delay(self) -> float:
        """Share of the steps after the onset until a true failure was spoken of; NaN: never."""
        steps = self.signals["step"]
        begun, rest = self.recipe.onset, self.recipe.steps - self.recipe.onset
        for step, name in zip(steps, self.spoken, strict=True):
            if step > begun and name in self.accepted and name in FAILURES:
                return float(step - begun) / rest
        return float("nan")


def halves() -> dict[str, int]:
    """By run: 0, rules are set on it; 1, it is held out. Every other one of a kind and dataset, in
    an order that depends on the names alone."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for recipe in all_recipes():
        kinds.setdefault((recipe.data, recipe.meant), []).append(recipe.id)
    return {
        name: place % 2
        for names in kinds.values()
        for place, name in enumerate(sorted(names, key=lambda name: hash_of(f"half {name}")))
    }


SEEN = Path(__file__).with_name("seen.npz")
"""What was seen of every run, in one file: the rules can be tried without training anything."""


def pack(folder: Path) -> None:
    """Put what `make` has written into that file."""
    runs: list[dict[str, Any]] = []
    arrays: dict[str, Any] = {}
    for recipe in all_recipes():
        runs.append(json.loads((folder / f"{recipe.id}.json").read_text()))
        found = load(folder / f"{recipe.id}.npz").arrays()
        arrays |= {f"{recipe.id}/{name}": values for name, values in found.items()}
    write_npz(SEEN, {"runs": np.array(json.dumps(runs)), **arrays})


def judged() -> Iterator[Judged]:
    """Every run, judged by the present rules."""
    half = halves()
    recipes = {recipe.id: recipe for recipe in all_recipes()}
    with np.load(SEEN, allow_pickle=False) as file:
        seen = dict(file)
    for run in json.loads(str(seen["runs"])):
        recipe, start = recipes[run["name"]], f"{run['name']}/"
        own = {key.removeprefix(start): seen[key] for key in seen if key.startswith(start)}
        signals = of_arrays(own)
        if isinstance(recipe.change, Rates):  # which is no schedule, and excuses no standstill
            values = signals.values.copy()
            values[:, NAMES.index("rate")] = 1
            signals = replace(signals, values=values)
        row, true = accepted(run, recipe.data)
        found = judge(signals, diverged=run["stopped"])
        spoken = tuple(verdicts(signals))
        yield Judged(recipe, half[recipe.id], row, true, found.verdict, spoken, signals)


def matrix(runs: Sequence[Judged]) -> str:
    """Rows: what is true; columns: the verdict at the end."""
    rows = [HEALTHY, UNFINISHED, *FAILURES]
    verdicts = sorted(
        {run.verdict for run in runs}, key=[HEALTHY, "too early to tell", *FAILURES].index
    )
    lines = [
        f"| true \\ verdict | {' | '.join(verdicts)} | right | 95 % |",
        "|---" * (len(verdicts) + 3) + "|",
    ]
    for row in rows:
        own = [run for run in runs if run.row == row]
        if not own:
            continue
        counts = Counter(run.verdict for run in own)
        cells = [str(counts[name] or "") for name in verdicts]
        if row == UNFINISHED:
            lines.append(f"| {row} ({len(own)}) | {' | '.join(cells)} | | |")
            continue
        lines.append(f"| {row} ({len(own)}) | {' | '.join(cells)} | {rate(own)} |")
    return "\n".join(lines)


def rate(runs: Sequence[Judged]) -> str:
    """Right of all, with Wilson's interval."""
    return share(sum(run.right for run in runs), len(runs))


def share(part: int, whole: int) -> str:
    """ "9 of 10 | 60-98 %"."""
    low, high = wilson(part, whole)
    return f"{part} of {whole} | {100 * low:.0f}-{100 * high:.0f} %"


def summary(runs: Sequence[Judged]) -> str:
    """The sentences under a matrix."""
    failures = [run for run in runs if run.row in FAILURES]
    healthy = [run for run in runs if run.row == HEALTHY]
    dropping = [run for run in failures if run.row == "mode_dropping"]
    others = [run for run in failures if run.row != "mode_dropping"]
    alarms = sum(run.verdict not in run.accepted for run in healthy)
    ever = sum(run.false_alarm for run in healthy)
    delays = [run.delay for run in failures if run.right and np.isfinite(run.delay)]
    late = [run.delay * (run.recipe.steps - run.recipe.onset) for run in failures if run.right]
    late = [steps for steps in late if np.isfinite(steps)]
    soon = sum(delay <= 0.2 for delay in delays)
    middle = [run for run in failures if run.recipe.onset]
    lines = [
        ("failures found", share(sum(r.right for r in failures), len(failures))),
        ("without mode dropping", share(sum(r.right for r in others), len(others))),
        ("mode dropping", share(sum(r.right for r in dropping), len(dropping))),
        ("begun in the middle", share(sum(r.right for r in middle), len(middle))),
        ("false alarms on healthy runs at the end", share(alarms, len(healthy))),
        ("at any time", share(ever, len(healthy))),
        ("found within a fifth of the time after onset", share(soon, len(delays))),
        ("median delay, fraction of that time", f"{np.median(delays):.2f} | |"),
        ("median delay, steps", f"{np.median(late):.0f} | |"),
        ("nine in ten within, steps", f"{np.quantile(late, 0.9):.0f} | |"),
    ]
    return "\n".join(["| | | 95 % |", "|---|---|---|", *(f"| {a} | {b} |" for a, b in lines)])


def ranges(runs: Sequence[Judged]) -> str:
    """For `THRESHOLDS`: lowest and highest value of each rule in healthy runs of the calibration
    half, where it may speak."""
    healthy = [r for r in runs if r.row == HEALTHY and r.half == CALIBRATION]
    lines = []
    for rule in RULES:
        found = np.concatenate(
            [
                rule.value(r.signals)[rule.first :][rule.may(r.signals)[rule.first :]]
                for r in healthy
            ]
        )
        found = found[np.isfinite(found)]
        text = f"{found.min():.3g} .. {found.max():.3g}" if len(found) else "never may"
        lines.append(f"{rule.name}: {rule.threshold.side} {rule.threshold.at}: {text}")
    return "\n".join(lines)


def wrong(runs: Sequence[Judged]) -> str:
    """Every run that was judged wrongly, or in which a false alarm passed."""
    lines = []
    for run in sorted(runs, key=lambda run: run.recipe.id):
        if run.row == UNFINISHED or (run.right and not (run.row == HEALTHY and run.false_alarm)):
            continue
        alarms = sorted({name for name in run.spoken if name})
        remark = f"verdict {run.verdict}" + (f"; on the way {', '.join(alarms)}" if alarms else "")
        lines.append(f"- {run.recipe.id}: {run.row}, {remark}")
    return "\n".join(lines)
