"""`coequal verify`: does a run's report, and do some of its trials, come out again?"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coequal.execution.choose import ExecutionOptions
from coequal.results.folder import RunFolder
from coequal.runner.progress import Observer
from coequal.trial.context import WorkerContext
from coequal.verification.report_again import ReportAgreement, compare_report
from coequal.verification.trials_again import TrialAgreement, chosen_trials, train_again


@dataclass(frozen=True)
class Verification:
    """What came out again of a run.

    Attributes:
        report: the report and the tables, written again; None if the run has no report.
        trials: those that were trained again.
        chosen_from: of how many trials they were chosen; 0 if none was asked for.
    """

    report: ReportAgreement | None
    trials: tuple[TrialAgreement, ...] = ()
    chosen_from: int = 0

    @property
    def different(self) -> bool:
        """Whether a file of the report is another one, or a trial's result is beyond the error of
        the evaluation."""
        report = self.report is not None and bool(self.report.differences)
        return report or any(each.agreement.verdict == "different" for each in self.trials)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "different": self.different,
            "report": None if self.report is None else self.report.as_dict(),
            "trials": [each.as_dict() for each in self.trials],
            "chosen_from": self.chosen_from,
        }


def verify(
    folder: RunFolder,
    *,
    trials: int,
    seed: int,
    context: WorkerContext,
    options: ExecutionOptions,
    observer: Observer | None = None,
    log: Callable[[str], None] = lambda line: None,
) -> Verification:
    """Write a run's report again and compare; train some of its trials again and compare.

    Nothing in the run's folder is changed.

    Args:
        folder: of the run.
        trials: how many to train again; 0: none.
        seed: of the choice among all that have a result.
        context: of the workers, for data, cache, device and import path.
        options: what the trials run on.
        observer: is told how far the trials are.
        log: is told what is being done.

    Raises:
        ValueError, OSError: a result can't be used, or data or encoder of the run can't be had
            here; the comparison of the report has been told to `log` by then.
        KeyboardInterrupt: stopped.
    """
    with tempfile.TemporaryDirectory(prefix="coequal-verify-") as name:
        scratch = Path(name).resolve()
        log("writing the report again")
        report = compare_report(folder, scratch / "again", log)
        if not trials:
            return Verification(report)
        log(report_line(report))
        chosen, among = chosen_trials(folder, trials, seed)
        seconds = sum(result.spent.seconds for result in chosen)
        log(
            f"training {len(chosen)} of {among} trials again, chosen at random (seed {seed}); they "
            f"took {seconds:.0f} s of training"
        )
        again = train_again(folder, chosen, scratch / "run", context, options, observer)
        return Verification(report, tuple(again), among)


def report_line(report: ReportAgreement | None) -> str:
    """What came out of the comparison of a report, in a line."""
    if report is None:
        return "there is no report to compare"
    if not report.differences:
        return f"report: all {report.files} files are the same to the byte"
    return f"report: {len(report.differences)} of {report.files} files differ"
