"""Why several pieces have nothing to show: one sentence each, which the page gives once for all."""

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.health import watched
from coequal.formatting import count

SETTINGS_OF_A_CURVE = 4
"""A curve ends at half of the settings, and a line takes two points."""


def one_setting(summary: DataSummary) -> str:
    """That no model has two settings whose scores can be compared; empty if one has."""
    most = _most_settings(summary)
    if most > 1:
        return ""
    return f"{_have_at_most(summary, most)}."


def no_curve(summary: DataSummary) -> str:
    """That no model has settings enough for a curve over n; empty if one has."""
    most = _most_settings(summary)
    if most >= SETTINGS_OF_A_CURVE:
        return ""
    return (
        f"{_have_at_most(summary, most)}; a curve over the number of settings needs "
        f"{SETTINGS_OF_A_CURVE}."
    )


def no_reruns(summary: DataSummary) -> str:
    """That no chosen setting was trained again; empty if one was."""
    if summary.rerun_phase is None:
        return "The study plans no re-runs."
    return "" if summary.rerun_phase.ended else "No re-run has ended yet."


def not_monitored(summary: DataSummary) -> str:
    """That nobody watched the training of any run; empty if somebody did."""
    return "" if watched(summary) else "No run was monitored."


def _most_settings(summary: DataSummary) -> int:
    return max(len(model.ended) for model in summary.models)


def _have_at_most(summary: DataSummary, most: int) -> str:
    ended = "" if summary.finished else " with a result"
    if most == 0:
        return f"No model has a drawn setting{ended}"
    least = min(len(model.ended) for model in summary.models)
    who = "Every model has" if least == most else "No model has more than"
    return f"{who} {count(most, 'drawn setting')}{ended}"
