"""The search in numbers."""

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.report.evidence._evidence import Evidence
from coequal.report.formatting import NONE, amount, full, outcome
from coequal.report.table import (
    EMPTY,
    Cell,
    Heading,
    Record,
    Table,
    name_cell,
    start,
    value_cell,
)


def table(summary: DataSummary) -> Table | None:
    """The search in numbers: choices at last and best checkpoint, the middle, what it cost."""
    if not summary.ended:
        return None
    label = summary.metric.label
    return Table(
        headings=[
            Heading("Model"),
            Heading("Settings"),
            Heading("Chosen setting"),
            Heading(f"Test {label}", "last checkpoint"),
            Heading(f"Test {label}", "best checkpoint by validation"),
            Heading("Authors' setting"),
            Heading("Median over settings", "failures worst"),
            Heading("GFLOPs per trial"),
            Heading("Seconds per trial"),
            Heading("Generator steps"),
        ],
        rows=[_search_row(model) for model in summary.ranked],
        records=[_search_record(summary, model) for model in summary.ranked],
        notes=["A median is 'failed' where half of the settings or more failed."],
    )


def _search_row(model: ModelSummary) -> list[Cell]:
    chosen, authors = model.chosen, model.authors
    total, ended = len(model.settings), len(model.ended)
    cells = [
        name_cell(model),
        Cell(f"{ended} of {total}" if ended < total else str(ended), sort=ended),
    ]
    if chosen is None:
        cells += [EMPTY, Cell("failed" if ended else NONE), EMPTY]
    else:
        small = "authors'" if chosen.number == 0 else ""
        cells.append(Cell(str(chosen.number), small, sort=chosen.number))
        cells.append(value_cell(chosen.last.test if chosen.last else None))
        best = chosen.best
        cells.append(value_cell(best.test, f"step {best.step:,}") if best else EMPTY)
    steps = model.generator_steps
    low_high = f"{steps[0]:,}–{steps[1]:,}" if steps else NONE
    return [
        *cells,
        Cell(outcome(authors), sort=authors.test if authors and not authors.failed else ""),
        value_cell(model.median),
        Cell(amount(model.gflops), sort=model.gflops),
        Cell(amount(model.seconds), sort=model.seconds),
        Cell(low_high if steps and steps[0] != steps[1] else low_high.split("–")[0] or NONE),
    ]


def _search_record(summary: DataSummary, model: ModelSummary) -> Record:
    chosen, authors = model.chosen, model.authors
    steps = model.generator_steps or ("", "")
    curve = summary.curves.get(model.name)
    mean = curve.points[0].expected if curve and curve.points else None
    return start(summary, model) | {
        "settings_planned": len(model.settings),
        "settings_ended": len(model.ended),
        "chosen_setting": chosen.number if chosen else "",
        "chosen_validation": full(chosen.validation) if chosen else "",
        "chosen_test_last": full(chosen.last.test if chosen and chosen.last else None),
        "chosen_test_best_validation": full(chosen.best.test if chosen and chosen.best else None),
        "authors_test": full(authors.test) if authors else "",
        "median_test": full(model.median),
        "mean_test_failures_at_cap": full(mean),
        "mean_gflops": full(model.gflops),
        "mean_seconds": full(model.seconds),
        "generator_steps_min": steps[0],
        "generator_steps_max": steps[1],
    }


EVIDENCE = Evidence[DataSummary](
    name="search",
    place=220,
    title="The search in numbers",
    how_to_read=(
        "Results of one run of each setting: the chosen setting at its last checkpoint and at "
        "its best by validation, the authors' setting, the median of all, and the mean cost of a "
        "trial, with failed ones charged for what they spent."
    ),
    table=table,
)
