"""The search in numbers."""

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.formatting import NONE, amount
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.setting_text import authors_outcome
from coequal.reporting.table import EMPTY, Cell, Column, Table, model_column, tabulate, value_cell


def table(summary: DataSummary) -> Table | None:
    """The search in numbers: choices at last and best checkpoint, the middle, what it cost."""
    if not summary.ended:
        return None
    label = f"Test {summary.metric.label}"

    def mean(model: ModelSummary) -> float | None:
        """The expected best of one setting."""
        curve = summary.curves.get(model.name)
        return curve.points[0].expected if curve and curve.points else None

    columns = [
        model_column(summary),
        Column("settings_planned", lambda m: len(m.settings)),
        Column("settings_ended", lambda m: len(m.ended), "Settings", cell=_ended_cell),
        Column("chosen_setting", "chosen.number", "Chosen setting", cell=_chosen_cell),
        Column("chosen_validation", "chosen.validation"),
        Column("chosen_test_last", "chosen.last.test", label, "last checkpoint", cell=_last_cell),
        Column(
            *("chosen_test_best_validation", "chosen.best.test"),
            *(label, "best checkpoint by validation"),
            cell=_best_cell,
        ),
        Column("authors_test", "authors.test", "Authors' setting", cell=_authors_cell),
        Column("median_test", "median", "Median over random settings", "failures worst"),
        Column("mean_test_failures_at_cap", mean),
        Column("mean_gflops", "gflops", "GFLOPs per trial", show=amount),
        Column("mean_seconds", "seconds", "Seconds per trial", show=amount),
        Column("generator_steps_min", lambda m: m.generator_steps and m.generator_steps[0]),
        Column("generator_steps_max", lambda m: m.generator_steps and m.generator_steps[1]),
        Column("", "", "Generator steps", cell=_steps_cell),
    ]
    notes = ["A median is 'failed' if at least half of the settings failed."]
    return tabulate(columns, summary.ranked, summary=summary, notes=notes)


def _ended_cell(model: ModelSummary) -> Cell:
    total, ended = len(model.settings), len(model.ended)
    return Cell(f"{ended} of {total}" if ended < total else str(ended), sort=ended)


def _chosen_cell(model: ModelSummary) -> Cell:
    if model.chosen is None:
        return EMPTY
    number = model.chosen.number
    return Cell(str(number), "authors'" if number == 0 else "", sort=number)


def _last_cell(model: ModelSummary) -> Cell:
    if model.chosen is None:
        return Cell("failed" if model.tried else NONE)
    last = model.chosen.last
    return value_cell(last.test if last else None, error=model.score_error())


def _best_cell(model: ModelSummary) -> Cell:
    best = model.chosen and model.chosen.best
    return (
        value_cell(best.test, f"step {best.step:,}", error=model.score_error()) if best else EMPTY
    )


def _authors_cell(model: ModelSummary) -> Cell:
    authors = model.authors
    return Cell(authors_outcome(model), sort=authors.test if authors and not authors.failed else "")


def _steps_cell(model: ModelSummary) -> Cell:
    return Cell("–".join(f"{n:,}" for n in dict.fromkeys(model.generator_steps or ())) or NONE)


EVIDENCE = Evidence[DataSummary](
    name="search",
    group=Group.SEARCH,
    place=220,
    title="The search in numbers",
    how_to_read=(
        "Each search in numbers, from one run per setting. The columns give the chosen setting "
        "(which may be the authors') at its last checkpoint and at its best by validation, the "
        "authors' setting, the median of the random settings, and the mean cost of a trial, with "
        "failed trials charged for what they spent."
    ),
    table=table,
)
