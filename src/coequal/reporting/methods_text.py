"""How it was done, in words: the texts under Methods, of `templates/methods.txt.jinja`."""

import re
from collections.abc import Mapping
from typing import Any

from coequal.analysis.data_summary import DataSummary
from coequal.formatting import count, listed, number, percent
from coequal.reporting.observed_text import flops
from coequal.reporting.pair_sentences import within
from coequal.reporting.templating import template
from coequal.statistics.orders import ORDERS, RESAMPLES
from coequal.statistics.search import MAX_EXACT_SETTINGS


def methods(summary: DataSummary, study: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Headings and what is to be known about each, for one dataset.

    Args:
        summary: the numbers.
        study: with every default filled in.
    """
    training = study["training"]
    text = template("methods.txt.jinja").render(
        summary=summary,
        study=study,
        budget=(training.get("budgets") or {}).get(summary.data) or training["budget"],
        seeds=planned_seeds(study, "reruns"),
        batch_norm=_batch_norm(summary),
        most_settings=max((len(model.ended) for model in summary.models), default=0),
        max_exact_settings=MAX_EXACT_SETTINGS,
        orders=ORDERS,
        resamples=RESAMPLES,
        margin=within(summary.verdict.rules) if summary.verdict else "",
        count=count,
        flops=flops,
        listed=listed,
        percent=percent,
        number=number,
    )
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    return [
        (heading, " ".join(rest.split()))
        for heading, _, rest in (section.partition("\n") for section in sections)
    ]


def planned_seeds(study: Mapping[str, Any], phase: str) -> int:
    """The fresh seeds that a study plans for each setting of a phase; 0 without the phase."""
    return int((study.get(phase) or {}).get("seeds", 0))


def _batch_norm(summary: DataSummary) -> str:
    """The mode that the protocols name; empty if they name none."""
    text = " ".join(summary.protocols[summary.metric.name].values())
    mode = re.search(r"\b(?:bn|batch[-_ ]?norm)\w*\s*[=: ]\s*([\w.-]+)", text, flags=re.IGNORECASE)
    return mode[1] if mode else ""
