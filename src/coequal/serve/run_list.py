"""The list of runs: a row for each, found by words, sorted by a column."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from coequal.formatting import capital
from coequal.results.folder import HEALTH
from coequal.serve.closed_runs import closed_counts, closed_study, file_text
from coequal.serve.progress_text import activity, ago, progress
from coequal.serve.run import ServedRun
from coequal.serve.state import RunState

DEFAULT_SORT = "-changed"
VERDICT = "report/verdict.json"


@dataclass(frozen=True)
class RunRow:
    """One run of the list.

    Attributes:
        address: its path below the served folder.
        to: the address of its page.
        study: the study's name.
        question: that the study asks.
        progress: how far it is, in a few words.
        counts: of its trials, in a few words.
        share: of its trials that have ended, from 0 to 1; None if that is not known.
        busy: whether it runs now.
        verdict: one sentence; empty before there is one.
        changed: when it changed last, in seconds since 1970; 0 if that is not known.
        words: what a search looks at.
    """

    address: str
    to: str
    study: str
    question: str
    progress: str
    counts: str
    share: float | None
    busy: bool
    verdict: str
    changed: float
    words: str

    @property
    def changed_text(self) -> str:
        """How long ago it changed."""
        return ago(time.time() - self.changed) if self.changed else ""


@dataclass(frozen=True)
class SortedColumn:
    """The head of a column.

    Attributes:
        name: as it stands there.
        to: the address of the list sorted by it; empty if it can't be.
        sorted: "ascending" or "descending" if the list is sorted by it; else empty.
        words: whether its cells are text.
    """

    name: str
    to: str = ""
    sorted: str = ""
    words: bool = True


KEYS = {
    "study": lambda row: (row.study.casefold(), row.address),
    "progress": lambda row: (-1.0 if row.share is None else row.share, row.address),
    "changed": lambda row: (row.changed, row.address),
}
"""By what rows are sorted, by the name in the address."""


def run_row(run: ServedRun) -> RunRow:
    """The row of a run.

    Raises:
        Unreadable: it can't be read; the message says why.
    """
    closed = run.closed and not run.unpacked
    study = closed_study(run.path) if closed else run.study()
    state = None if closed else run.state()
    name, question = str(study.get("study", "")), str(study.get("question") or "")
    verdict = _verdict(run, state)
    models = [str(model.get("title") or model.get("name")) for model in study.get("models", ())]
    words = [run.address, name, question, verdict, *models, *map(str, study.get("data", ()))]
    done, failed, planned = closed_counts(run.path) if state is None else _counts(state)
    return RunRow(
        address=run.address,
        to=f"/{quote(run.address)}/",
        study=name,
        question=question,
        progress=f"{done + failed:,} of {planned:,}" if planned else "",
        counts=_counts_text(run, state, failed),
        share=(done + failed) / planned if planned else None,
        busy=state is not None and state.busy,
        verdict=verdict,
        changed=run.path.stat().st_mtime if state is None else state.changed,
        words=" ".join(words).casefold(),
    )


def _counts(state: RunState) -> tuple[int, int, int]:
    return state.done, state.failed, state.planned


def _counts_text(run: ServedRun, state: RunState | None, failed: int) -> str:
    if state is None:
        text = "a pack" if run.path.is_file() else "an archive"
        return f"{text}, {failed:,} failed" if failed else text
    text = capital(progress(state)).partition(" ended, ")[2]
    return ", ".join(filter(None, [text.replace(" of them", ""), activity(state)]))


def select_rows(rows: Sequence[RunRow], query: str, sort: str) -> list[RunRow]:
    """The rows that hold every word of a query, in the order asked for.

    Args:
        rows: of all runs.
        query: words, in any order and in any letters; empty for all rows.
        sort: a key of `KEYS`, with "-" in front for the reverse order; anything else is the
            default.
    """
    wanted = query.casefold().split()
    found = [row for row in rows if all(word in row.words for word in wanted)]
    name = sort.removeprefix("-")
    if name not in KEYS:
        sort, name = DEFAULT_SORT, DEFAULT_SORT.removeprefix("-")
    return sorted(found, key=KEYS[name], reverse=sort.startswith("-"))


def columns(query: str, sort: str) -> list[SortedColumn]:
    """The heads of the list: those that sort it have an address that does.

    Args:
        query: that the list answers.
        sort: as it is sorted now.
    """

    def sortable(name: str, key: str, words: bool = True) -> SortedColumn:
        now = {key: "ascending", f"-{key}": "descending"}.get(sort, "")
        first = key if key == "study" else f"-{key}"
        other = f"-{key}" if sort == key else key
        wanted = {"sort": other if now else first, **({"q": query} if query else {})}
        return SortedColumn(name, f"/?{urlencode(wanted)}", now, words)

    return [
        sortable("Study", "study"),
        SortedColumn("Question"),
        sortable("Trials", "progress", words=False),
        SortedColumn("Verdict"),
        sortable("Changed", "changed", words=False),
    ]


def _verdict(run: ServedRun, state: RunState | None) -> str:
    """What was found: of a training its health; of a study the sentence of its verdict, by the page
    that was rendered last, or else by the report that lies in its folder."""
    rendered = run.rendered_report()
    try:
        if state is not None and run.is_training(state):
            (trial,) = run.folder().planned()
            health = json.loads((run.folder().trial_folder(trial) / HEALTH).read_text())
            return capital(str(health["verdict"]).replace("_", " ")) + "."
        text = (rendered / "verdict.json").read_text() if rendered else file_text(run.path, VERDICT)
        found = json.loads(text)
    except (OSError, ValueError, LookupError):
        return ""  # none was written yet, or an older version wrote it
    sentences = [found["over_data_sets"]["sentence"]]
    sentences += [str(one["sentence"]) for one in found["data_sets"][:1]]
    return next(filter(None, sentences), "")
