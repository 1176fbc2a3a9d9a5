"""The health of a trial: watched while it trains, stored when it ends."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from coequal.contract import Dataset, DensityGenerator, Encoder, Logits, Requirements
from coequal.files import write_json
from coequal.health import Health, judge
from coequal.health.objective_facts import ObjectiveFacts
from coequal.health.signals import NAMES, Signals
from coequal.monitoring.monitor import Monitor
from coequal.monitoring.reference import RealReference
from coequal.records import Trial, TrialHealth
from coequal.results.folder import HEALTH, SIGNALS
from coequal.seeds import seed_for
from coequal.study.parts import assemble
from coequal.training.loop import Trainer


class StoppedEarly(Exception):
    """The study stops trials whose health has this verdict; the message names it."""


class HealthCallback:
    """The monitor of a trial, and the verdict on what it has measured so far.

    Attributes:
        monitor: measures the signals at each probe.
        health: the verdict after the last probe; None before the first.
    """

    def __init__(self, trial: Trial, trainer: Trainer, dataset: Dataset, encoder: Encoder) -> None:
        self.trial, self.trainer = trial, trainer
        self.objective = facts_of(trainer.requirements)
        light = encoder if encoder.light else None
        reference = RealReference(dataset, light, trainer.device)
        self.monitor = Monitor(reference, seed_for(trial.seed_id, "health"), trainer.generator)
        trainer.monitor = self.monitor
        self._judged = 0  # probes on which there is a verdict
        self.health: Health | None = None

    @property
    def signals(self) -> Signals:
        """The signals of all probes so far."""
        return self.monitor.signals

    def update(self) -> Health | None:
        """Judge the probes that are new; None before the first probe.

        Raises:
            StoppedEarly: the verdict is one at which the study stops trials.
        """
        if len(self.monitor.rows) != self._judged:
            self._judged = len(self.monitor.rows)
            self.health = self._judge(None)
            if self.health.verdict in self.trainer.training.stop_on:
                raise StoppedEarly(
                    f"{self.health.verdict} since step {self.health.step}: {self.health.evidence}"
                )
        return self.health

    def steps_until_update(self, limit: int) -> int:
        """How many steps may be taken until the next update, at most `limit`.

        A trial that may be stopped early is judged after every probe, so that it stops at the same
        step on a slow machine as on a fast one.
        """
        if not self.trainer.training.stop_on:
            return limit
        return min(limit, self.monitor.steps_until_probe(self.trainer.steps_done))

    @property
    def summary(self) -> str:
        """The state of the training in a line: `step 1,200: loss D 1.31, G 0.74; healthy`."""
        text = f"step {self.trainer.steps_done:,}"
        if self.health is None:
            return text
        row = dict(zip(NAMES, self.monitor.rows[-1], strict=True))
        losses = {"D": row["loss_discriminator"], "G": row["loss_generator"]}
        known = [f"{who} {loss:.3g}" for who, loss in losses.items() if not math.isnan(loss)]
        since = "" if self.health.step is None else f" since step {self.health.step:,}"
        return f"{text}: loss {', '.join(known)}; {self.health.verdict}{since}"

    def finish(self, folder: Path, diverged: str | None) -> TrialHealth:
        """Write signals and health into the trial's folder.

        Args:
            folder: of the trial.
            diverged: why the training could not go on; None if it could.

        Returns:
            What a result stores of it.
        """
        signals = self.signals
        signals.save(folder / SIGNALS)
        health = self._judge(diverged)
        write_json(folder / HEALTH, {**health.as_dict(), "objective": asdict(self.objective)})
        return TrialHealth(health.verdict, health.step, health.evidence)

    def _judge(self, diverged: str | None) -> Health:
        return judge(
            self.signals,
            diverged=diverged,
            at=self.trainer.steps_done,
            settings=settings_of(self.trial),
            objective=self.objective,
        )


def settings_of(trial: Trial) -> dict[str, Any]:
    """The settings of a trial by name: hyperparameters, settings of its nets, the decay of its
    moving average."""
    average = {"ema": trial.training["ema"]} if trial.training.get("ema") else {}
    return {**trial.architecture, **trial.settings, **average}


def facts_of(requirements: Requirements) -> ObjectiveFacts:
    """What health asks of an objective, from what the objective says of itself."""
    output = requirements.output
    return ObjectiveFacts(
        discriminator=output is not None,
        logit=output is not None and issubclass(output, Logits),
        density=issubclass(requirements.generator, DensityGenerator),
        real_targets=requirements.real_targets,
        gradient_penalty=requirements.gradient_penalty,
        critic=requirements.critic,
        saturates=requirements.saturates,
        weight_bound=requirements.weight_bound is not None,
    )


def recorded_facts(folder: Path, trial: Trial) -> ObjectiveFacts:
    """What health asks of a trial's objective, as its folder records it.

    A trial that is not at its end has no record yet, nor has one of an older version: the objective
    is asked then.

    Raises:
        LookupError: there is no record, and the objective cannot be imported.
    """
    if (folder / HEALTH).exists():
        recorded = json.loads((folder / HEALTH).read_text()).get("objective")
        if recorded is not None:
            return ObjectiveFacts(**recorded)
    return facts_of(assemble(trial).objective.requirements())
