"""Weights & Biases: a run for each trial, in a group for the study."""

import json
import math
import os
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from coequal.checkpoints import Measurement
from coequal.contract import TrialInfo, TrialOutcome
from coequal.contract.callbacks import is_picture
from coequal.files import write_json
from coequal.images import tile
from coequal.trackers._tracker import Tracker, by_name, grouped

PART = "WeightsAndBiases"

RUN = "run.json"
"""In the folder of a trial: the id of its run."""

UNSENT = ("offline", "disabled", "dryrun")
"""Values of WANDB_MODE with which nothing is sent, so that nobody has to log in."""


class WeightsAndBiases(Tracker):
    """Configuration, losses, signals of health, scores and sample images of each trial.

    The files of W&B lie in the run's folder unless WANDB_DIR names another. Which run belongs to
    which trial is kept in the callback's folder, so that a trial that goes on continues its run.
    """

    PACKAGE = EXTRA = "wandb"
    ARGUMENT = "wandb:PROJECT"

    run: Any = None

    @classmethod
    def prepared(cls, argument: str) -> str:
        """See `Tracker.prepared`; the argument is "PROJECT" or "ENTITY/PROJECT"."""
        super().prepared(argument)
        if argument.count("/") > 1 or not argument.replace("/", ""):
            raise ValueError(
                "the tracker wandb needs a project: wandb:PROJECT or wandb:ENTITY/PROJECT"
            )
        if os.environ.get("WANDB_MODE") not in UNSENT:
            import wandb

            if not wandb.login(prompt=False):
                raise ValueError(
                    "the tracker wandb is not logged in: run `wandb login`, set WANDB_API_KEY, or "
                    "keep the runs on this machine with WANDB_MODE=offline"
                )
        return argument

    def on_trial_begin(self, trial: TrialInfo, step: int) -> None:
        """Begin the trial's run, or continue that of an earlier attempt."""
        import wandb

        path = trial.folder / RUN
        if not path.exists():
            write_json(path, {"run": secrets.token_hex(8)})
        entity, _, project = self.argument.rpartition("/")
        own = None if "WANDB_DIR" in os.environ else str(trial.study.run)
        self.run = wandb.init(
            project=project,
            entity=entity or None,
            id=json.loads(path.read_text())["run"],
            resume="allow",
            name=trial.name,
            group=f"{trial.study.name} ({trial.study.run.name})",
            job_type=trial.model,
            config={"trial": trial.id, **trial.parameters},
            dir=own,
            settings=wandb.Settings(console="off", silent=True, disable_git=True),
        )

    def on_probe(self, step: int, values: Mapping[str, float]) -> None:
        """Log each signal."""
        self.run.log(grouped(values), step=step)

    def on_health(self, step: int, verdict: str, evidence: str) -> None:
        """Show the verdict in the run's summary."""
        self.run.summary["health"] = f"{verdict}: {evidence}"

    def on_checkpoint(
        self, step: int, measurements: Sequence[Measurement], images: NDArray[Any] | None
    ) -> None:
        """Log each number, and the images as one picture."""
        import wandb

        values: dict[str, Any] = dict(by_name(measurements))
        if images is not None and is_picture(images):
            picture = tile(images, math.isqrt(len(images) - 1) + 1)
            values["samples"] = wandb.Image(picture, caption=f"step {step:,}")
        self.run.log(values, step=step)

    def on_trial_pause(self, step: int) -> None:
        """Close the run; the trial continues it if it goes on."""
        self.run.finish(exit_code=255)

    def on_trial_end(self, outcome: TrialOutcome) -> None:
        """Show how the trial ended, and close its run."""
        text = f"{outcome.status}: {outcome.reason}" if outcome.reason else outcome.status
        self.run.summary["outcome"] = text
        self.run.finish(exit_code=0 if outcome.status in ("done", "stopped early") else 1)
