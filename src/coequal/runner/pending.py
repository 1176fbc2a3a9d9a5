"""The trials of a study that can be named by now, and the results that there are of them."""

from collections.abc import Iterator, Mapping

from coequal.records import Result
from coequal.results.folder import RunFolder
from coequal.selection import SelectionRule
from coequal.study.looks import study_rules
from coequal.study.parts import rule_of
from coequal.study.plan import StudyPlan, study_plan
from coequal.study.spec import Study


def known_trials(
    study: Study, results: Mapping[str, Result], folder: RunFolder
) -> tuple[StudyPlan, dict[str, Result]]:
    """Plan a study as far as its results allow, and take the results that there are.

    Args:
        study: one that has been checked.
        results: by trial id; only those of trials that are named are read, each once.
        folder: of the run. What it says of looks and references counts; it need not exist.

    Returns:
        The plan, and the results of its trials by trial id, each with no numbers but those of the
        metric by which the study chooses.
    """
    rule = rule_of(study)
    known = _Summaries(results, rule)
    file = folder.next_version(study.as_dict())
    rules = study_rules(study, rule, file.looks, file.comparisons, folder.references())
    planned = study_plan(study, known, rule, rules)
    return planned, {trial.id: known[trial.id] for trial in planned.trials if trial.id in known}


class _Summaries(Mapping[str, Result]):
    """Results by trial id, each read once, when it is asked for, and kept as its summary."""

    def __init__(self, results: Mapping[str, Result], rule: SelectionRule) -> None:
        self._results, self._rule = results, rule
        self._read: dict[str, Result] = {}

    def __getitem__(self, trial_id: str) -> Result:
        if trial_id not in self._read:
            self._read[trial_id] = self._rule.summary(self._results[trial_id])
        return self._read[trial_id]

    def __contains__(self, trial_id: object) -> bool:
        return trial_id in self._results

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)
