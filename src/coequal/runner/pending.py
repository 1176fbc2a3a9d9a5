"""Which trials of a study can be named by now, and which of them have a result."""

from coequal.records import Result, Trial
from coequal.results.folder import RunFolder
from coequal.results.index import Index
from coequal.study.parts import rule_of
from coequal.study.plan import plan
from coequal.study.spec import Study


def planned(
    study: Study, folder: RunFolder, index: Index | None = None
) -> tuple[list[Trial], dict[str, Result]]:
    """Every trial of a study that can be named by now, and the results that there are of them.

    Args:
        study: as its file says.
        folder: of its run.
        index: an up-to-date one; None: the trial folders are read.

    Returns:
        The trials, and their results with nothing but what the study chooses by.
    """
    trials: list[Trial] = []
    results: dict[str, Result] = {}
    rule = rule_of(study)
    if index is not None:
        chosen_by = index.results(
            metrics=[study.select.metric], splits=["validation"], unplanned=True
        )
        results = {result.trial.id: rule.judged(result) for result in chosen_by}
        trials = plan(study, results, rule)
        return trials, {trial.id: results[trial.id] for trial in trials if trial.id in results}
    while (more := plan(study, results, rule)) != trials:
        read = (folder.result(trial.id) for trial in more if trial.id not in results)
        found = {one.trial.id: rule.judged(one) for one in read if one is not None}
        results |= found
        trials = more
    return trials, results


def unfinished(study: Study, folder: RunFolder, index: Index | None = None) -> list[Trial]:
    """Trials of a study without a result in a folder; `index` as in `planned`."""
    trials, results = planned(study, folder, index)
    return [trial for trial in trials if trial.id not in results]
