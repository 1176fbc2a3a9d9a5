"""MLflow: a run for the study, and in it a run for each trial."""

import importlib.util
import json
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from numpy.typing import NDArray

from coequal.checkpoints import Measurement
from coequal.contract import StudyInfo, TrialInfo, TrialOutcome
from coequal.contract.callbacks import is_picture
from coequal.files import write_json
from coequal.images import tile
from coequal.trackers._tracker import Tracker, by_name, grouped

PART = "MLflow"

DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
"""Schemes of the stores for which MLflow needs more than its smallest package."""

RUN = "run.json"
"""In the folder of the study or of a trial: the id of its run, and of the experiment."""

ENDS = {"done": "FINISHED", "stopped early": "FINISHED"}
"""The status of a run of MLflow by how the trial ended; of all others "FAILED"."""

BATCH = 100  # parameters that a store takes at once
LENGTH = 500  # letters of a parameter that every store takes


class MLflow(Tracker):
    """Parameters, losses, signals of health, scores and sample images of each trial.

    The experiment has the study's name. Which run belongs to what is kept in the callback's
    folders, so that a trial that goes on continues its run.
    """

    PACKAGE = EXTRA = "mlflow"
    ARGUMENT = "mlflow:URI"

    client: Any = None
    run: str = ""

    @classmethod
    def prepared(cls, argument: str) -> str:
        """See `Tracker.prepared`; the argument is a folder or the address of a store or a server,
        and without one it is what MLFLOW_TRACKING_URI says."""
        super().prepared(argument)
        address = argument or os.environ.get("MLFLOW_TRACKING_URI", "")
        if not address:
            raise ValueError(
                "the tracker mlflow needs a place: mlflow:FOLDER, mlflow:sqlite:///FILE, "
                "mlflow:http://HOST:5000, or the environment variable MLFLOW_TRACKING_URI"
            )
        scheme, _, rest = address.partition(":///")
        if scheme == "sqlite":
            address = f"sqlite:///{Path(rest).expanduser().resolve()}"
        if scheme.partition("+")[0] in DATABASES and importlib.util.find_spec("sqlalchemy") is None:
            raise ValueError(
                f"the tracker mlflow needs the whole of MLflow for a database ({scheme}), and this "
                "is mlflow-skinny: pip install mlflow, or name a folder, mlflow:FOLDER"
            )
        if _is_folder(address):
            address = Path(address.removeprefix("file://")).expanduser().resolve().as_uri()
        return address

    def on_study_begin(self, study: StudyInfo) -> None:
        """Make the experiment and the study's run, or open those of an earlier call."""
        self._open()
        path = study.folder / RUN
        if not path.exists():
            found = self.client.get_experiment_by_name(study.name)
            experiment = found.experiment_id if found else self.client.create_experiment(study.name)
            tags = {"mlflow.runName": study.run.name, "coequal": "study"}
            made = self.client.create_run(experiment, tags=tags)
            text = json.dumps(study.values, indent=1)
            self.client.log_text(made.info.run_id, text, "study.json")
            write_json(path, {"experiment": experiment, "run": made.info.run_id})
        self.run = str(json.loads(path.read_text())["run"])
        self.client.update_run(self.run, "RUNNING")

    def on_study_end(self, study: StudyInfo) -> None:
        """Mark the study's run as finished."""
        self.client.set_terminated(self.run, "FINISHED")

    def on_trial_begin(self, trial: TrialInfo, step: int) -> None:
        """Make the trial's run with its parameters, or open that of an earlier attempt."""
        self._open()
        path = trial.folder / RUN
        if not path.exists():
            write_json(path, {"run": self._made(trial)})
        self.run = str(json.loads(path.read_text())["run"])
        self.client.update_run(self.run, "RUNNING")

    def _made(self, trial: TrialInfo) -> str:
        """The id of a new run for a trial."""
        from mlflow.entities import Param

        parent = json.loads((trial.study.folder / RUN).read_text())
        tags = {
            "mlflow.runName": trial.name,
            "mlflow.parentRunId": parent["run"],
            "coequal": "trial",
            "coequal.trial": trial.id,
            "coequal.model": trial.model,
            "coequal.data": trial.data,
        }
        run = str(self.client.create_run(parent["experiment"], tags=tags).info.run_id)
        parameters = [
            Param(name.replace(":", "."), str(value)[:LENGTH])
            for name, value in trial.parameters.items()
        ]
        for start in range(0, len(parameters), BATCH):
            self.client.log_batch(run, params=parameters[start : start + BATCH])
        return run

    def on_probe(self, step: int, values: Mapping[str, float]) -> None:
        """Log each signal."""
        self._log(step, grouped(values))

    def on_health(self, step: int, verdict: str, evidence: str) -> None:
        """Tag the run with the verdict."""
        self.client.set_tag(self.run, "health", f"{verdict}: {evidence}")

    def on_checkpoint(
        self, step: int, measurements: Sequence[Measurement], images: NDArray[Any] | None
    ) -> None:
        """Log each number, and the images as one picture."""
        self._log(step, by_name(measurements))
        if images is not None and is_picture(images):
            picture = tile(images, math.isqrt(len(images) - 1) + 1)
            place = f"samples/step-{step:07d}.png"
            self.client.log_image(self.run, picture, artifact_file=place)

    def on_trial_pause(self, step: int) -> None:
        """Mark the run as one that goes on later."""
        self.client.update_run(self.run, "SCHEDULED")

    def on_trial_end(self, outcome: TrialOutcome) -> None:
        """Tag how the trial ended, and close its run."""
        text = f"{outcome.status}: {outcome.reason}" if outcome.reason else outcome.status
        self.client.set_tag(self.run, "outcome", text)
        self.client.set_terminated(self.run, ENDS.get(outcome.status, "FAILED"))

    def _open(self) -> None:
        from mlflow import MlflowClient  # an extra, and slow to import

        with _folders_allowed(self.argument):
            self.client = MlflowClient(tracking_uri=self.argument)

    def _log(self, step: int, values: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now = round(time.time() * 1000)
        metrics = [Metric(name, value, now, step) for name, value in values.items()]
        self.client.log_batch(self.run, metrics=metrics)


def _is_folder(address: str) -> bool:
    """Whether the address of a store is a folder: "mlruns", "file:///tmp/mlruns"."""
    return urlsplit(address).scheme in ("", "file") or "://" not in address


@contextmanager
def _folders_allowed(address: str) -> Iterator[None]:
    """Let MLflow keep runs in a folder where the user has named one: it asks for a variable."""
    name = "MLFLOW_ALLOW_FILE_STORE"
    if name in os.environ or not _is_folder(address):
        yield
        return
    os.environ[name] = "true"
    try:
        yield
    finally:
        del os.environ[name]
