"""The page of one training run: `index.html` in its folder. Self-contained, no network."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup
from matplotlib.figure import Figure

from coequal.checkpoints import Checkpoint, Spent
from coequal.files import atomic_write
from coequal.formatting import capital, number, plain
from coequal.health import Health
from coequal.health.remedies import LONGER
from coequal.health.signals import MEANING as SIGNALS_IN_WORDS
from coequal.health.signals import Signals, load
from coequal.health.verdict import HEALTHY
from coequal.records import Result, Trial
from coequal.reporting.style import COLOURS, ON_DARK, as_svg, house_style, inline, variables
from coequal.reporting.templating import template
from coequal.reporting.trial_page import figures
from coequal.reporting.trial_page.animation import Frame, frames_of, real_sheet, write_animation
from coequal.reporting.trial_page.quality import Quality, quality_of, score_text
from coequal.results.folder import HEALTH, SIGNALS, RunFolder
from coequal.results.result_file import measured_so_far

PAGE = "index.html"
STILL_IMPROVING = "train longer: the score was still improving, by more than its error"
HOW_OFTEN = (
    "This advice was right for 75 to 87 % of recorded runs; without it, 53 to 75 % improved as "
    "well (docs/how_to/train.md)"
)
ANIMATION = "progress.gif"


@dataclass(frozen=True)
class Command:
    """The command that a run was begun with, and what it becomes with other settings.

    Attributes:
        text: ready to paste.
        having: gives the command with more settings, for another folder.
    """

    text: str
    having: Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True)
class Attempt:
    """A remedy that may be tried next.

    Attributes:
        what: the remedy in words.
        source: where it comes from.
        command: that tries it; empty if no option does.
    """

    what: str
    source: str
    command: str


@dataclass(frozen=True)
class TrialReport:
    """Everything that the page of a run shows.

    Attributes:
        trial: the run's only trial.
        result: of the trial; None while it trains.
        spent: by the training so far.
        checkpoints: at which it was measured so far.
        health: None before the first verdict, or if the process died before it was written.
        signals: measured while it trained; None if there are none.
        frames: samples over time.
        attempts: remedies, the most promising first.
        quality: the scores at the checkpoints; None before the first.
    """

    trial: Trial
    result: Result | None
    spent: Spent
    checkpoints: Sequence[Checkpoint]
    health: Health | None
    signals: Signals | None
    frames: Sequence[Frame]
    attempts: Sequence[Attempt]
    quality: Quality | None

    @property
    def verdict(self) -> str:
        """The verdict, since when, and how the training ended if not at its end."""
        if self.health is None:
            return "training" if self.result is None else self.result.status
        since = "" if self.health.step is None else f" since step {self.health.step:,}"
        return f"{self.health.verdict.replace('_', ' ')}{since}"

    @property
    def headline(self) -> str:
        """The state of the training, and the score between its references."""
        healthy = self.health is not None and self.health.verdict == HEALTHY
        state = capital(self.verdict)
        if healthy:
            state = f"Training is healthy{' so far' if self.result is None else ''}"
        return f"{state}; {self.quality.in_words}" if self.quality else state

    @property
    def summary(self) -> str:
        """The one sentence below the headline; empty where there is nothing to add."""
        if self.health is None:
            return ""
        if self.longer:
            assert self.quality is not None
            return f"Still improving, train longer: {self.quality.improvement}."
        if self.health.verdict != HEALTHY:
            return f"{capital(self.health.evidence)}."
        if not self.sound:
            return ""
        return "No problem at the end of training." if self.passed else "No problems detected."

    @property
    def longer(self) -> bool:
        """Whether a longer training is advised because the score was still improving."""
        ended = self.result is not None and self.result.finished
        return ended and improving(self.health, self.quality)

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong with a training that has ended: it is healthy, and its images
        are better than noise."""
        ended = self.result is not None and self.result.finished
        healthy = self.health is not None and self.health.verdict == HEALTHY
        return ended and healthy and (self.quality is None or not self.quality.as_noise)

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Value and what it is."""
        facts = [(f"{self.spent.discriminator_steps:,}", "discriminator steps done")]
        if self.checkpoints and self.quality:
            last, metric = self.checkpoints[-1], self.quality.metric
            facts += [
                (
                    score_text(m.value, m.standard_error or 0.0),
                    f"{metric.label} on {m.split} at step {last.step:,}",
                )
                for m in last.measurements
                if m.metric == metric.name
            ]
        return [*facts, (f"{self.spent.seconds:,.0f} s", "of training, excluding evaluation")]

    @property
    def passed(self) -> list[str]:
        """Alarms that did not last, in words."""
        if self.health is None or self.signals is None or not len(self.signals):
            return []
        last = int(self.signals["step"][-1])
        return [
            f"{alarm.verdict.replace('_', ' ')} from step {alarm.since:,} to {alarm.until:,}"
            for alarm in self.health.alarms
            if alarm.until < last
        ]


def read_run(
    folder: RunFolder,
    trial: Trial,
    metric: str,
    command: Command | None,
    watched: tuple[Health | None, Signals | None] = (None, None),
) -> TrialReport:
    """What the folder of a run with one trial holds.

    Args:
        folder: of the run.
        trial: its trial; its budget counts discriminator steps.
        metric: that the page names.
        command: that it was begun with; None if that is not known.
        watched: health and signals so far of a trial that still trains.

    Raises:
        ValueError: a file is there and can't be read; the message names it.
    """
    place = folder.trial_folder(trial.id)
    result = folder.result(trial.id)
    checkpoints = measured_so_far(place) if result is None else result.checkpoints
    spent = result.spent if result else checkpoints[-1].spent if checkpoints else Spent()
    health, signals = watched
    if (place / HEALTH).exists():
        health = Health.from_dict(json.loads((place / HEALTH).read_text()))
    if (place / SIGNALS).exists():
        signals = load(place / SIGNALS)
    quality = quality_of(
        checkpoints, metric, folder.metrics()[metric], folder.references().get(trial.data) or {}
    )
    ended = result is not None and result.finished
    longer = quality if ended and quality and improving(health, quality) else None
    attempts = _attempts(trial, health, longer, command)
    frames = frames_of(folder, trial.id, trial.data)
    return TrialReport(
        trial, result, spent, checkpoints, health, signals, frames, attempts, quality
    )


def improving(health: Health | None, quality: Quality | None) -> bool:
    """Whether the score was still improving in a training whose health is no failure."""
    fine = health is not None and not health.failed
    return fine and quality is not None and quality.improving is not None


def _attempts(
    trial: Trial, health: Health | None, longer: Quality | None, command: Command | None
) -> list[Attempt]:
    """What may be tried: a longer training where that is advised, then the remedies of the health.

    Args:
        trial: that was trained.
        health: of it.
        longer: the scores, if they advise a longer training.
        command: that the run was begun with.
    """
    steps = {"steps": 2 * int(trial.training["budget"]["discriminator_steps"])}

    def begun(settings: Mapping[str, Any]) -> str:
        return command.having(settings) if command and settings else ""

    found = [Attempt(STILL_IMPROVING, HOW_OFTEN, begun(steps))] if longer else []
    for remedy in health.remedies if health else ():
        again = remedy.what.startswith(LONGER)
        if not (again and longer):
            text = begun(steps if again else remedy.settings)
            found.append(Attempt(remedy.what, remedy.source, text))
    return found


def write_training_page(folder: RunFolder, run: TrialReport, command: Command | None) -> Path:
    """Write the animation and the page; returns the page."""
    animation = folder.path / ANIMATION
    animation.unlink(missing_ok=True)  # of an earlier call
    if len(run.frames) > 1:
        write_animation(run.frames, animation)
    atomic_write(folder.path / PAGE, training_page(folder, run, command).encode())
    return folder.path / PAGE


def training_page(folder: RunFolder, run: TrialReport, command: Command | None) -> str:
    """The page as HTML; nothing is written.

    Args:
        folder: of the run.
        run: what `read_run` found there.
        command: that it was begun with; None if that is not known.
    """
    links = {
        "the full report": "report/index.html",
        "the animation (GIF)": ANIMATION,
        "a sheet of samples": "samples.png",
        "every number (CSV)": "results.csv",
    }
    return template("training.html.jinja").render(
        run=run,
        command="" if command is None else command.text,
        real=real_sheet(folder.real_samples(run.trial.data), run.frames),
        signals=SIGNALS_IN_WORDS,
        links={name: to for name, to in links.items() if (folder.path / to).exists()},
        number=number,
        plain=plain,
        on_light=Markup(variables(COLOURS)),
        on_dark=Markup(variables(ON_DARK)),
        **_pictures(folder, run),
    )


def _pictures(folder: RunFolder, run: TrialReport) -> dict[str, Markup | None]:
    with house_style():
        drawn = {
            "scores": run.quality and figures.scores(run.quality),
            "losses": figures.losses(folder.curves(run.trial.id), run.health),
            "rules": run.signals and figures.rules(run.signals, run.health),
            "everything": run.signals and figures.everything(run.signals),
        }
        return {name: _inline(figure or None, name) for name, figure in drawn.items()}


def _inline(figure: Figure | None, name: str) -> Markup | None:
    return None if figure is None else Markup(inline(as_svg(figure), name))
