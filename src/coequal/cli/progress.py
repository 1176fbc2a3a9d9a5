"""The display of a running study: live bars in a terminal, plain lines elsewhere."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from coequal.cli.printing import say
from coequal.formatting import duration
from coequal.health import FAILURES
from coequal.pace import Clock, Lines
from coequal.runner.progress import Observer, Progress

MAX_RUNNING_LINES = 8  # lines about single running trials


class PlainObserver:
    """Prints lines: news and each new activity at once, and how far the trials are as `pace.Lines`
    does: first and last, and in between at most one in half a minute and only what has changed."""

    def __init__(self, log: Callable[[str], None], clock: Clock = time.monotonic) -> None:
        """Nothing is printed yet.

        Args:
            log: is given each line.
            clock: seconds since any moment.
        """
        self._log = log
        self._lines = Lines(log, clock)
        self._activity = ""
        self._last: Progress | None = None

    def update(self, progress: Progress) -> None:
        """Print the news, and a line about the state if it is time."""
        for news in progress.news:
            self._log(news)
        if progress.text and progress.text != self._activity:
            self._activity = progress.text
            self._log(progress.text)
        if not progress.text:
            self._last = progress
            self._tell(last=False)

    def close(self) -> None:
        """Print the last state, unless it has been printed."""
        self._tell(last=True)

    def _tell(self, *, last: bool) -> None:
        if self._last is not None:
            running = tuple(sorted(self._last.running.items()))
            state = (self._last.finished, self._last.failed, running, failing(self._last))
            self._lines.tell(line(self._last), state, last=last)


class LiveObserver:
    """Shows a bar for the study, one for each model, and the running trials."""

    def __init__(self, live: Live) -> None:
        self.live = live

    def update(self, progress: Progress) -> None:
        """Draw the bars again; news stay above them."""
        for news in progress.news:
            say(news)
        if progress.text:
            self.live.update(Text(progress.text))
            return
        self.live.update(Group(*_bars(progress), *map(Text, _lines(progress))))


def _bars(progress: Progress) -> Iterator[Table | Text]:
    """A bar for the study and one for each model, as wide as the terminal leaves them."""
    bars = Table.grid(padding=(0, 1), expand=True)
    bars.add_column(overflow="fold")
    bars.add_column(ratio=1, min_width=8, max_width=40)
    bars.add_column(no_wrap=True)
    done = progress.finished + sum(progress.running.values())
    bars.add_row("study", ProgressBar(progress.total, done), _done(progress))
    for name, (known, ended, failed) in progress.models.items():
        text = f"{ended} of {known}" + (f", {failed} failed" if failed else "")
        bars.add_row(Text(name), ProgressBar(known, ended), text)
    yield bars
    if rates := _rates(progress):
        yield Text(", ".join(rates))


def _lines(progress: Progress) -> list[str]:
    """The running trials: each with what it does, or how they fare if there are many."""
    if 0 < len(progress.running) <= MAX_RUNNING_LINES:
        return [_trial(progress, name) for name in progress.running]
    return [f"{len(progress.running)} running{_health(progress)}"]


def _trial(progress: Progress, name: str) -> str:
    """`ns_gan 3 45 %, step 150: loss D 1.1, G 0.8; healthy`."""
    doing = progress.doing.get(name, "")
    return f"{name} {_percent(progress.running[name])}" + (doing and f", {doing}")


def line(progress: Progress) -> str:
    """The state of a run in a line: of a single running trial with its losses and health."""
    parts = [_done(progress)]
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    parts += _rates(progress)
    if len(progress.running) == 1:
        (name,) = progress.running
        return f"{', '.join(parts)}; running {_trial(progress, name)}"
    if not progress.running:
        return ", ".join(parts)
    shares = progress.running.values()
    spread = " to ".join(dict.fromkeys(map(_percent, (min(shares), max(shares)))))
    running = f"{len(shares)} running, at {spread} of their budget"
    return f"{', '.join(parts)}; {running}{_health(progress)}"


def _health(progress: Progress) -> str:
    failures = failing(progress)
    return f" (health: {failures})" if failures else ""


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def failing(progress: Progress) -> str:
    """The failures among the running trials, as in `2 collapsed, 1 oscillating`; empty if none."""
    counts = Counter(v for v in progress.verdicts.values() if v in FAILURES)
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())


def _done(progress: Progress) -> str:
    return f"{progress.finished} of {progress.total} trials done"


def _rates(progress: Progress) -> list[str]:
    """The rate and the time that is left, as in ["240 an hour", "about 3 min left"]; that they are
    being estimated, while neither is known."""
    if progress.finished >= progress.total:
        return []
    if progress.per_hour is None or progress.seconds_left is None:
        return ["estimating the time left"]
    per_hour = f"{progress.per_hour:,.{0 if progress.per_hour >= 10 else 1}f} an hour"
    return [per_hour, f"about {duration(progress.seconds_left)} left"]


@contextmanager
def observer(console: Console) -> Iterator[Observer]:
    """An observer that shows live bars in a terminal, and prints plain lines elsewhere."""
    if console.is_terminal:
        with Live(console=console, refresh_per_second=4, transient=True) as live:
            yield LiveObserver(live)
        return
    plain = PlainObserver(say)
    try:
        yield plain
    finally:
        plain.close()
