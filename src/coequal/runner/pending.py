"""The trials of a study that can be named by now, and the results that there are of them."""

from coequal.records import Result, Trial
from coequal.results.folder import RunFolder
from coequal.results.index import Index
from coequal.study.parts import rule_of
from coequal.study.plan import plan
from coequal.study.spec import Study


def known_trials(
    study: Study, folder: RunFolder, index: Index | None = None
) -> tuple[list[Trial], dict[str, Result]]:
    """List the trials of a study that can be named by now, and the results that there are of them.

    Args:
        study: one that has been checked.
        folder: of its run.
        index: an up-to-date one; None: the trial folders are read.

    Returns:
        The trials in the plan's order, and their results by trial id, each with no checkpoint but
        the one by which the study chooses.
    """
    rule = rule_of(study)
    results: dict[str, Result] = {}
    if index is not None:
        validation = index.results(
            metrics=[study.select.metric], splits=["validation"], unplanned=True
        )
        results = {r.trial.id: rule.with_chosen_checkpoint(r) for r in validation}
        trials = plan(study, results, rule)
        return trials, {trial.id: results[trial.id] for trial in trials if trial.id in results}
    # Without an index only results of named trials are read, and each phase names further trials.
    trials = []
    while (named := plan(study, results, rule)) != trials:
        new = (folder.result(trial.id) for trial in named if trial.id not in results)
        results |= {r.trial.id: rule.with_chosen_checkpoint(r) for r in new if r is not None}
        trials = named
    return trials, results
