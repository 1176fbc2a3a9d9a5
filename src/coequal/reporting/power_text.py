"""What a study could show, and what it would take to decide more, in sentences."""

from coequal.analysis.data_summary import DataSummary
from coequal.formatting import capital, count, number, ratio_in_words, roughly
from coequal.statistics.power import fewest_settings
from coequal.statistics.rules import SETTINGS_PER_BUDGET
from coequal.statistics.verdict import Verdict, open_pairs

FAR = 100
"""A pair that would need more than so many times the settings of the study is given no number."""


def power(summary: DataSummary) -> str:
    """The smallest difference that the study could show, and what would decide the nearest pair."""
    parts = [text for text in (smallest_difference(summary), what_it_takes(summary)) if text]
    return f"{capital('; '.join(parts))}." if parts else ""


def smallest_difference(summary: DataSummary) -> str:
    """The smallest difference that the study could show, a clause; empty where it is not known."""
    verdict, contest = summary.verdict, summary.contest
    if verdict is None or contest is None or contest.smallest_difference is None:
        return ""
    size = contest.smallest_difference
    if verdict.rules.scale == "linear":
        difference = f"typical scores {number(size)} apart are"
    else:
        words = ratio_in_words(1 / size if summary.metric.higher else size)
        difference = f"a typical score {words} is"
    when = "" if verdict.finished else f" by the last look, at {contest.most_settings} settings,"
    return f"{difference} detected{when} with a probability of 80 %"


def what_it_takes(summary: DataSummary) -> str:
    """What it would take to decide the pair that is nearest to a decision, or any, a clause; empty
    where nothing is open, or looks are left that may decide it."""
    verdict, contest = summary.verdict, summary.contest
    if verdict is None or contest is None:
        return ""
    if not verdict.could_separate and not any(pair.decided for pair in verdict.pairs):
        return _least_settings(verdict)
    if not verdict.finished:
        return ""
    left = open_pairs(verdict.pairs, verdict.beaten, verdict.rules)
    if not left:
        return ""
    needed = {
        (pair.a, pair.b): settings
        for pair in left
        if (settings := contest.needed.get((pair.a, pair.b))) is not None
    }
    if not needed:
        return "no number of settings can be given that would decide the open pairs"
    a, b = min(needed, key=lambda key: needed[key])
    return (
        f"the pair closest to a decision, {summary.title(a)} and {summary.title(b)}, would need "
        f"{needed_text(needed[a, b], contest.most_settings)} settings each"
    )


def needed_text(settings: int, most: int) -> str:
    """How many settings of each model a pair needs: "about 70", "more than 2,400".

    Args:
        settings: of each model, that would decide the pair with a power of 80 %.
        most: settings that the study may train.
    """
    far = FAR * most  # more is an order of magnitude that nobody will train
    return f"about {roughly(settings)}" if settings <= far else f"more than {far:,}"


def budget_sentence(verdict: Verdict) -> str:
    """Why the declared budget is not the one that is judged; empty if it is."""
    declared, judged = verdict.rules.budget, verdict.budget
    if judged == declared:
        return ""
    most, enough = verdict.rules.looks[-1].settings, SETTINGS_PER_BUDGET * declared
    return (
        f"With {count(most, 'setting')}, the declared budget of {declared} cannot be judged: that "
        f"takes {enough} (search.settings: {enough}). Models are compared at a budget of {judged}."
    )


def _least_settings(verdict: Verdict) -> str:
    """How many settings a verdict takes at least."""
    if not verdict.threshold:
        return ""
    least = fewest_settings(verdict.threshold)
    return (
        f"no difference can be shown: a verdict needs at least {least} settings of each model "
        f"(search.settings: {least})"
    )
