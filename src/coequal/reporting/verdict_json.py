"""The verdict for programs: its sentence, its rules, every pair and every model."""

import json
import math
from typing import Any

from coequal.analysis.across_datasets import StudySummary
from coequal.analysis.data_summary import DataSummary
from coequal.formatting import significant
from coequal.reporting.evidence import overall_pairs, pairs, verdict
from coequal.reporting.rerun_text import tuned_sentence
from coequal.reporting.sure_text import how_sure, more_on_how_sure
from coequal.reporting.table import Table
from coequal.reporting.verdict_text import joint_sentence, verdict_sentence


def verdict_json(study: StudySummary) -> str:
    """The content of verdict.json.

    Args:
        study: all datasets.
    """
    values = verdict_values(study)
    return json.dumps(values, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def verdict_values(study: StudySummary) -> dict[str, Any]:
    """The same as plain values: no number is infinite or not a number.

    Args:
        study: all datasets.
    """
    values = {
        "data_sets": [_of_data(summary) for summary in study.datasets],
        "over_data_sets": {
            "sentence": joint_sentence(study.datasets),
            "pairs": _rows(overall_pairs.table(study)),
        },
    }
    rounded: dict[str, Any] = _rounded(values)
    return rounded


def _of_data(summary: DataSummary) -> dict[str, Any]:
    found = summary.verdict
    judged: dict[str, Any] = {}
    if found is not None:
        rules = found.rules
        judged = {
            "finished": found.finished,
            "budget": found.budget,
            "declared_budget": rules.budget,
            "retrained_share": rules.retrained_share,
            "scale": rules.scale,
            "margin": rules.margin,
            "looks": [{"settings": look.settings, "level": look.level} for look in rules.looks],
            "looks_done": found.looks_done,
            "method": found.method,
        }
    return {
        "data": summary.data,
        "metric": summary.metric.name,
        "sentence": verdict_sentence(summary),
        "as_tuned": tuned_sentence(summary),
        "how_sure": [*map(str, how_sure(summary)), *more_on_how_sure(summary)],
        **judged,
        "pairs": _rows(pairs.table(summary)),
        "models": _rows(verdict.table(summary)),
    }


def _rows(table: Table | None) -> list[dict[str, Any]]:
    """Records without what every one of them repeats."""
    about = {"data", "metric", "budget", "method"}
    return [
        {name: value for name, value in record.items() if name not in about}
        for record in (table.records if table else ())
    ]


def _rounded(value: Any) -> Any:
    """Plain values with their numbers as in the CSV files; one that is not finite is null."""
    if isinstance(value, dict):
        return {name: _rounded(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(entry) for entry in value]
    if not isinstance(value, float):
        return value
    return significant(value) if math.isfinite(value) else None
