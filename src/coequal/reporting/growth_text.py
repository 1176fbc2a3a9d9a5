"""What was changed of a study after it had begun, in sentences."""

from coequal.analysis.data_summary import DataSummary

QUESTION = ("search.budget", "equivalence", "select.", "search.spending", "search.retrain")
"""Fields of a study that say what is asked; a change of them after a look is a new question."""


def growth_sentences(summary: DataSummary) -> list[str]:
    """What each version of a study that has grown changed, after which look; empty for others."""
    lines = []
    for version in summary.facts.versions[1:]:
        looks = len(version.looks)
        when = (
            f"after look {looks}, at {version.looks[-1][0]} settings"
            if looks
            else "before any look"
        )
        lines.append(
            f"Version {version.number} of the study began {when}: {'; '.join(version.changes)}."
        )
    return [*lines, *changed_questions(summary)]


def changed_questions(summary: DataSummary) -> list[str]:
    """That the question itself was changed after a look; empty where it was not."""
    found = []
    for version in summary.facts.versions[1:]:
        asked = [c for c in version.changes if c.partition(":")[0].startswith(QUESTION)]
        if version.looks and asked:
            found.append(
                f"The question itself was changed after a look ({'; '.join(asked)}): the error "
                "rate of 5 % does not hold for decisions made with knowledge of earlier results."
            )
    return found
