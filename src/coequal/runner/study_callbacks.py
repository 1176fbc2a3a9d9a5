"""What the callbacks of a run are told of its study, in the process that runs it."""

from collections.abc import Sequence

from coequal.code_places import described
from coequal.contract import Callback
from coequal.results.folder import RunFolder
from coequal.rng import global_states_kept
from coequal.trackers._tracker import made, name_of
from coequal.trial.delivery import study_info


class StudyCallbacks:
    """The callbacks of a run that has trials to train.

    Args:
        folder: of the run, which holds the study.
        given: the callbacks, as `prepared` returned them.
    """

    def __init__(self, folder: RunFolder, given: Sequence[str | Callback]) -> None:
        self.folder, self.given = folder, tuple(given)
        self.made: list[tuple[str | Callback, Callback]] = []

    def begin(self) -> None:
        """Make the callbacks, and tell them that the run begins or goes on.

        Raises:
            ValueError: one of them failed; nothing has been trained.
        """
        for given in self.given:
            try:
                with global_states_kept():
                    callback = made(given)
                    callback.on_study_begin(study_info(self.folder, given))
            except Exception as error:
                reason = str(error) if isinstance(error, ValueError) else described(error)
                raise ValueError(
                    f"the callback {name_of(given)} can't begin: {reason}; mend it, or run without "
                    "it: nothing has been trained"
                ) from error
            self.made.append((given, callback))

    def end(self) -> list[str]:
        """Tell them that every trial has a result; returns what they failed by, in sentences."""
        failed = []
        for given, callback in self.made:
            try:
                with global_states_kept():
                    callback.on_study_end(study_info(self.folder, given))
            except Exception as error:
                failed.append(f"the callback {name_of(given)} failed: {described(error)}")
        return failed
