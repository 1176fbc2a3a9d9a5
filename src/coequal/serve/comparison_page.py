"""The page of two trials of a run, with the form that chooses them."""

from collections.abc import Iterator
from itertools import islice

from markupsafe import Markup

from coequal.formatting import capital, number
from coequal.records import Trial
from coequal.reporting.setting_text import setting_text
from coequal.results.folder import RunFolder
from coequal.results.result_log import LogReader, read_entries
from coequal.serve.comparison import Comparison, compare
from coequal.serve.comparison_figure import comparison_figure
from coequal.serve.live_page import drawing
from coequal.serve.rendering import render
from coequal.serve.run import ServedRun
from coequal.serve.side import find_trials
from coequal.serve.unreadable import readable

MAX_CHOICES = 2000  # trials that the form offers while somebody types


def comparison_page(run: ServedRun, a: str, b: str) -> str:
    """The page as HTML: the form alone until two trials are chosen.

    Args:
        run: that the trials belong to.
        a: the beginning of a trial's id, as it was typed; empty for none.
        b: the beginning of the other one.

    Raises:
        Unreadable: the run, or what one of the trials left, can't be read.
    """
    with readable():
        folder = run.folder()
        study, rule, planned = folder.study(), folder.rule(), len(folder.planned())
        offered = list(islice(choices(folder), MAX_CHOICES))
        found, problem = _compared(folder, a, b) if a or b else (None, "")
    figure: Markup | None = None
    if found is not None:
        label = rule.info.label or rule.metric.replace("_", " ")
        with drawing:
            figure = comparison_figure(found.sides, rule.metric, label)
    return render(
        "compare.html.jinja",
        study=study.get("study"),
        asked=(a, b) if found is None else [side.trial.id for side in found.sides],
        problem=problem,
        found=found,
        figure=figure,
        choices=offered,
        planned=planned,
    )


def _compared(folder: RunFolder, a: str, b: str) -> tuple[Comparison | None, str]:
    """Two trials side by side, or why there are none."""
    try:
        first, second = find_trials(folder, (a, b))
    except LookupError as error:
        return None, f"{capital(str(error))}."
    return compare(folder, first, second), ""


def choices(folder: RunFolder) -> Iterator[tuple[str, str]]:
    """The id of every trial of the plan, with what it is and how it did: "NS GAN, setting 3: FD
    34.1"."""
    study, rule = folder.study(), folder.rule()
    titles = {m["name"]: str(m.get("title") or m["name"]) for m in study.get("models", ())}
    several = len(study.get("data", ())) > 1
    entries, log = read_entries(folder), LogReader(folder)

    def name(trial: Trial) -> str:
        parts = [titles.get(trial.model, trial.model), setting_text(trial.setting)]
        parts += [f"seed {trial.repeat}"] if trial.repeat else []
        return ", ".join([*parts, *([trial.data] if several else [])])

    for trial in folder.iterate_plan():
        entry = entries.get(trial.id)
        result = log.result(entry) if entry else folder.result(trial.id)
        if result is None:
            yield trial.id, name(trial)
            continue
        place = rule.chosen_index(result)
        outcome = str(result.status)
        if result.finished and place is not None:
            tested = result.checkpoints.values(rule.metric, "test")[place]
            outcome = f"{rule.info.label or rule.metric} {number(tested)}"
        yield trial.id, f"{name(trial)}: {outcome}"
