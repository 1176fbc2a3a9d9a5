"""The trials of a study that can be named by now, and the results that there are of them."""

from collections.abc import Mapping

from coequal.records import Result, Trial
from coequal.study.parts import rule_of
from coequal.study.plan import plan
from coequal.study.spec import Study


def known_trials(
    study: Study, results: Mapping[str, Result]
) -> tuple[list[Trial], dict[str, Result]]:
    """List the trials of a study that can be named by now, and the results that there are of them.

    Args:
        study: one that has been checked.
        results: by trial id; only those of trials that are named are read, each once.

    Returns:
        The trials in the plan's order, and their results by trial id, each with no number but the
        one by which the study chooses.
    """
    rule = rule_of(study)
    known: dict[str, Result] = {}
    trials: list[Trial] = []
    while (named := plan(study, known, rule)) != trials:  # each phase names further trials
        new = (results[t.id] for t in named if t.id in results and t.id not in known)
        known |= {result.trial.id: rule.summary(result) for result in new}
        trials = named
    return trials, known
