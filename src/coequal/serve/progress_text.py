"""How far a run is, in words."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coequal.formatting import capital, count, duration
from coequal.reporting.setting_text import setting_text
from coequal.serve.live_page import LivePage
from coequal.serve.state import RunState

MAX_RUNNING_LINES = 6  # about single running trials
MAX_PROBLEMS = 3


@dataclass(frozen=True)
class StateText:
    """The state of a run, for the bar above its pages.

    Attributes:
        busy: whether a coordinator works in the folder.
        progress: a sentence: how far it is, and of when the page is.
        now: a line for each trial under way.
        problems: what can't be read or shown.
    """

    busy: bool
    progress: str
    now: Sequence[str]
    problems: Sequence[str]


def state_text(state: RunState, page: LivePage) -> StateText:
    """The bar's text.

    Args:
        state: of the run.
        page: that the bar stands above.
    """
    problems = list(state.problems[:MAX_PROBLEMS])
    if (more := len(state.problems) - MAX_PROBLEMS) > 0:
        problems.append(f"{count(more, 'more result')} can't be read.")
    if page.problem:
        what = "The page could not be rendered again" if page.rendered else "There is no page yet"
        problems.append(f"{what}: {page.problem}")
    sentences = [_whole(state), rendered_text(state, page)]
    return StateText(state.busy, " ".join(filter(None, sentences)), running_lines(state), problems)


def _whole(state: RunState) -> str:
    """How far the run is, in a sentence; of a training there is nothing to count."""
    if state.planned != 1:
        return f"{capital(progress(state))}, {activity(state)}."
    if state.busy:
        return "Training."
    return "Training has ended." if state.over else "Training was stopped early."


def progress(state: RunState) -> str:
    """ "12 of 40 trials ended, 2 of them failed"."""
    if not state.planned:
        return "no trials are planned yet"
    text = f"{state.ended:,} of {count(state.planned, 'trial')} ended"
    return f"{text}, {state.failed:,} of them failed" if state.failed else text


def activity(state: RunState) -> str:
    """Whether somebody works on the run."""
    if state.busy:
        return f"{len(state.running)} running" if state.running else "running"
    return "the run is over" if state.over else "it is not running now"


def rendered_text(state: RunState, page: LivePage) -> str:
    """Of when the page is."""
    rendered = page.rendered
    if rendered is None:
        return "The page is being rendered." if page.rendering else ""
    at = time.strftime("%H:%M:%S", time.localtime(rendered.at))
    text = f"Page of {at}, rendered in {duration(rendered.seconds, 1)}"
    if page.current(state):
        return f"{text}."
    return (
        f"{text}; "
        f"{'a newer one is being rendered' if page.rendering else 'there are newer results'}."
    )


def running_lines(state: RunState) -> list[str]:
    """A line for each of the first trials under way."""
    lines = [_running_line(row) for row in state.running[:MAX_RUNNING_LINES]]
    if (more := len(state.running) - MAX_RUNNING_LINES) > 0:
        lines.append(f"and {more} more")
    return lines


def _running_line(row: Mapping[str, Any]) -> str:
    again = f", seed {row['repeat']}" if row["repeat"] else ""
    share = f"{float(row['share'] or 0):.0%}"
    return f"{row['model']}, {setting_text(row['setting'])}{again}: {share}, {row['text']}"


def ago(seconds: float) -> str:
    """How long ago something was: "just now", "5 min ago", "3 days ago"."""
    if seconds < 10:
        return "just now"
    if seconds < 36 * 3600:
        return f"{duration(seconds)} ago"
    return f"{seconds / 86400:.0f} days ago"
