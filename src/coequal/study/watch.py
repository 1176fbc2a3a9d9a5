"""Health of a trial: what is seen of it while it trains, and what is written of it."""

from pathlib import Path
from typing import Any

from coequal.contract import Dataset, Encoder
from coequal.files import write_json
from coequal.health import Health, judge
from coequal.health.signals import Signals
from coequal.records import Trial
from coequal.results.folder import HEALTH, SIGNALS
from coequal.seeds import seed_for
from coequal.training.loop import Trainer
from coequal.training.monitor import Monitor
from coequal.training.reality import Reality


class StoppedEarly(Exception):
    """The study says that a trial in this state is not to go on; the message says which."""


class Watch:
    """The monitor of a trial, and what it has said so far."""

    def __init__(self, trial: Trial, trainer: Trainer, dataset: Dataset, encoder: Encoder) -> None:
        self.trial, self.trainer = trial, trainer
        light = encoder if encoder.light else None
        reality = Reality(dataset, light, trainer.device)
        self.monitor = Monitor(reality, seed_for(trial.id, "health"), trainer.generator)
        trainer.monitor = self.monitor
        self.seen = 0  # probes that have been judged
        self.health: Health | None = None

    @property
    def signals(self) -> Signals:
        """What was seen so far."""
        return self.monitor.signals

    def look(self) -> Health | None:
        """The health by now; None before the first probe.

        Raises:
            StoppedEarly: it is one that the study stops trials for.
        """
        if len(self.monitor.rows) != self.seen:
            self.seen = len(self.monitor.rows)
            self.health = self._judge(None)
            if self.health.verdict in self.trainer.training.stop_on:
                raise StoppedEarly(
                    f"{self.health.verdict} since step {self.health.step}: {self.health.evidence}"
                )
        return self.health

    def finish(self, folder: Path, diverged: str | None) -> dict[str, Any]:
        """Write signals and health into the trial's folder.

        Args:
            folder: of the trial.
            diverged: what the training said when it could not go on.

        Returns:
            What a result holds of it.
        """
        signals = self.signals
        signals.save(folder / SIGNALS)
        health = self._judge(diverged)
        write_json(folder / HEALTH, health.as_dict())
        return {"verdict": health.verdict, "step": health.step, "evidence": health.evidence}

    def _judge(self, diverged: str | None) -> Health:
        return judge(self.signals, diverged=diverged, settings=settings_of(self.trial))


def settings_of(trial: Trial) -> dict[str, Any]:
    """What is on in a trial, by name: its hyper-parameters, its nets' settings, its average, its
    objective."""
    average = {"ema": trial.training["ema"]} if trial.training.get("ema") else {}
    return {**trial.architecture, **trial.settings, **average, "objective": trial.objective}
