"""The display of a running study: live bars in a terminal, plain lines elsewhere."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from coequal.formatting import duration
from coequal.health import FAILURES
from coequal.runner.progress import Observer, Progress

PLAIN_SECONDS = 20.0  # between two plain lines, unless a trial ended
MAX_RUNNING_LINES = 8  # lines about single running trials


class PlainObserver:
    """Prints a line when trials end, at most one every two seconds, and one for each other
    activity."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.last, self.finished, self.text = 0.0, -1, ""

    def update(self, progress: Progress) -> None:
        """Print a line if there is news or one is due."""
        now = time.monotonic()
        for news in progress.news:
            self.console.print(news, highlight=False, markup=False, soft_wrap=True)
        if progress.text and progress.text != self.text:
            self.text = progress.text
            self.console.print(progress.text, highlight=False)
        elif progress.text:
            return
        elif self._due(progress, now - self.last):
            self._line(progress, now)

    def _due(self, progress: Progress, waited: float) -> bool:
        if progress.finished == self.finished:
            return waited >= PLAIN_SECONDS
        return waited >= 2 or progress.finished == progress.total

    def _line(self, progress: Progress, now: float) -> None:
        self.last, self.finished = now, progress.finished
        self.console.print(line(progress), highlight=False, markup=False, soft_wrap=True)


class LiveObserver:
    """Shows a bar for the study, one for each model, and the running trials."""

    def __init__(self, live: Live) -> None:
        self.live = live

    def update(self, progress: Progress) -> None:
        """Draw the bars again; news stay above them."""
        for news in progress.news:
            self.live.console.print(news, highlight=False, markup=False)
        if progress.text:
            self.live.update(Text(progress.text))
            return
        bars = Table.grid(padding=(0, 1))
        done = progress.finished + sum(progress.running.values())
        bars.add_row("study", ProgressBar(progress.total, done, width=40), summary(progress))
        for name, (known, ended, failed) in progress.models.items():
            text = f"{ended} of {known}" + (f", {failed} failed" if failed else "")
            bars.add_row(name, ProgressBar(known, ended, width=40), text)
        running = [f"{name} {part:.0%}" for name, part in progress.running.items()]
        if 0 < len(running) <= MAX_RUNNING_LINES:
            each = zip(running, progress.running, strict=True)
            lines = [f"{text}, {progress.doing.get(name, '')}".rstrip(", ") for text, name in each]
        else:
            lines = [f"running: {', '.join(running) or 'nothing yet'}"]
            lines += [f"of these {failures}"] if (failures := failing(progress)) else []
        self.live.update(Group(bars, *map(Text, lines)))


def line(progress: Progress) -> str:
    """The summary, and the state of the running trials: of a single one its losses and health, of
    several how many fail."""
    if len(progress.running) == 1:
        ((name, done),) = progress.running.items()
        return f"{summary(progress)}; {name} {done:.0%}, {progress.doing.get(name, '')}".rstrip(
            ", "
        )
    failures = failing(progress)
    return f"{summary(progress)}; of these {failures}" if failures else summary(progress)


def failing(progress: Progress) -> str:
    """The failures among the running trials, as in `2 collapsed, 1 oscillating`; empty if none."""
    counts = Counter(v for v in progress.verdicts.values() if v in FAILURES)
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())


def summary(progress: Progress) -> str:
    """The state of a run: `12 of 32 trials done, 1 failed, 2 running, 240 an hour, about 3 min
    left`."""
    parts = [f"{progress.finished} of {progress.total} trials done"]
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    parts.append(f"{len(progress.running)} running")
    if progress.per_hour is not None:
        parts.append(f"{progress.per_hour:,.{0 if progress.per_hour >= 10 else 1}f} an hour")
    if progress.seconds_left is not None and progress.finished < progress.total:
        parts.append(f"about {duration(progress.seconds_left)} left")
    return ", ".join(parts)


@contextmanager
def observer(console: Console) -> Iterator[Observer]:
    """An observer that shows live bars in a terminal, and prints plain lines elsewhere."""
    if console.is_terminal:
        with Live(console=console, refresh_per_second=4, transient=True) as live:
            yield LiveObserver(live)
    else:
        yield PlainObserver(console)
