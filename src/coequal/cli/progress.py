"""What a person sees while a study runs: a live line in a terminal, plain lines elsewhere."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from coequal.health import FAILURES
from coequal.runner.progress import Observer, Progress

PLAIN_EVERY = 20.0  # seconds between two plain lines, unless something ended
SPELLED = 8  # trials at a time that have a line of their own


class Plain:
    """A line when trials end, at most one every few seconds; and one when something else goes
    on."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.last, self.finished, self.text = 0.0, -1, ""

    def update(self, progress: Progress) -> None:
        """Print a line if there is something to say."""
        now = time.monotonic()
        for news in progress.news:
            self.console.print(news, highlight=False, markup=False)
        if progress.text and progress.text != self.text:
            self.text = progress.text
            self.console.print(progress.text, highlight=False)
        elif progress.text:
            return
        elif self._due(progress, now - self.last):
            self._line(progress, now)

    def _due(self, progress: Progress, waited: float) -> bool:
        if progress.finished == self.finished:
            return waited >= PLAIN_EVERY
        return waited >= 2 or progress.finished == progress.total

    def _line(self, progress: Progress, now: float) -> None:
        self.last, self.finished = now, progress.finished
        self.console.print(line(progress), highlight=False, markup=False, soft_wrap=True)


class Lively:
    """A bar for the study, one for each model, and what runs."""

    def __init__(self, live: Live) -> None:
        self.live = live

    def update(self, progress: Progress) -> None:
        """Draw anew; news stay above."""
        for news in progress.news:
            self.live.console.print(news, highlight=False, markup=False)
        if progress.text:
            self.live.update(Text(progress.text))
            return
        bars = Table.grid(padding=(0, 1))
        share = progress.finished + sum(progress.running.values())
        bars.add_row("study", ProgressBar(progress.total, share, width=40), summary(progress))
        for name, (known, ended, failed) in progress.models.items():
            text = f"{ended} of {known}" + (f", {failed} failed" if failed else "")
            bars.add_row(name, ProgressBar(known, ended, width=40), text)
        running = [f"{name} {done:.0%}" for name, done in progress.running.items()]
        if 0 < len(running) <= SPELLED:
            each = zip(running, progress.running, strict=True)
            lines = [f"{text}, {progress.doing.get(name, '')}".rstrip(", ") for text, name in each]
        else:
            lines = [f"running: {', '.join(running) or 'nothing yet'}"]
            lines += [f"of these {ailing}"] if (ailing := failing(progress)) else []
        self.live.update(Group(bars, *map(Text, lines)))


def line(progress: Progress) -> str:
    """The summary, and how what runs is: of a single trial in its own words, of several how many
    fail."""
    if len(progress.running) == 1:
        ((name, done),) = progress.running.items()
        return f"{summary(progress)}; {name} {done:.0%}, {progress.doing.get(name, '')}".rstrip(
            ", "
        )
    ailing = failing(progress)
    return f"{summary(progress)}; of these {ailing}" if ailing else summary(progress)


def failing(progress: Progress) -> str:
    """`2 collapsed, 1 oscillating`: of the trials that run; empty if none fails."""
    counts = Counter(v for v in progress.verdicts.values() if v in FAILURES)
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())


def summary(progress: Progress) -> str:
    """`12 of 32 trials done, 1 failed, 2 running, 240 an hour, about 3 min left`."""
    parts = [f"{progress.finished} of {progress.total} trials done"]
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    parts.append(f"{len(progress.running)} running")
    if progress.per_hour is not None:
        parts.append(f"{progress.per_hour:,.{0 if progress.per_hour >= 10 else 1}f} an hour")
    if progress.seconds_left is not None and progress.finished < progress.total:
        parts.append(f"about {duration(progress.seconds_left)} left")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@contextmanager
def observer(console: Console) -> Iterator[Observer]:
    """The observer that suits where the output goes."""
    if console.is_terminal:
        with Live(console=console, refresh_per_second=4, transient=True) as live:
            yield Lively(live)
    else:
        yield Plain(console)
