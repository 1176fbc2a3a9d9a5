"""Whether every model of a study can be stopped early for the same reasons.

A verdict that can't be seen of one model would stop the others alone: they would fail where it goes
on.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from coequal.contract import DensityGenerator, Encoder, Logits
from coequal.study.document import Place
from coequal.study.parts import assemble
from coequal.study.plan import search_of
from coequal.study.spec import Study

PLACE: Place = ("training", "stop_on")
LEAVE_OUT = "leave the verdict out, or the model"


@dataclass(frozen=True)
class Observability:
    """What can be seen of a model while it trains.

    Attributes:
        images: whether its images can be judged; those of a density take too long.
        discriminator: whether it has one.
        logit: whether that gives a logit.
    """

    images: bool
    discriminator: bool
    logit: bool

    def unmet(self, verdict: str) -> str:
        """The reason why a verdict can't be reached; empty if it can."""
        if verdict == "diverged":
            return ""
        if not self.images:
            return "its images take too long to be judged in training"
        if verdict in ("discriminator_won", "generator_won") and not self.logit:
            return "no discriminator with a logit"
        # The classes of fresh images are counted while a discriminator learns from them.
        if verdict in ("overfitting", "mode_dropping") and not self.discriminator:
            return "no discriminator"
        return ""


def stop_problems(study: Study, encoder: type[Encoder] | None) -> list[tuple[Place, str]]:
    """Find verdicts to stop on that can't be seen of all models.

    Args:
        study: the whole study.
        encoder: the class of its encoder; None if there is none of its name, which is
            reported elsewhere.
    """
    verdicts = study.training.stop_on or ()
    if not verdicts:
        return []
    observable = _observabilities(study)
    messages: list[tuple[Place, str]] = []
    for verdict in verdicts:
        if verdict == "mode_dropping" and encoder and not (encoder.light and encoder.knows_classes):
            text = "needs an encoder that knows classes and is quick enough to be asked in training"
            name = study.evaluation.encoder
            messages.append(
                (PLACE, f"{verdict} {text}, and {name} is none; `encoder: classifier` is")
            )
        reasons: dict[str, list[str]] = {}
        for model, visible in observable.items():
            if reason := visible.unmet(verdict):
                reasons.setdefault(reason, []).append(model)
        who = "only the others" if sum(map(len, reasons.values())) < len(observable) else "nobody"
        for reason, models in reasons.items():
            names = " and ".join(models)
            text = f"{verdict} can't be detected for {names} ({reason}), so it would stop {who}"
            messages.append((PLACE, f"{text}; {LEAVE_OUT}"))
    return messages


def _observabilities(study: Study) -> Mapping[str, Observability]:
    """What can be seen of each model whose parts can be had; problems of the others are reported
    elsewhere."""
    observable = {}
    for trial in {trial.model: trial for trial in search_of(study)}.values():
        try:
            requirements = assemble(trial).objective.requirements()
        except (LookupError, ValueError):
            continue
        observable[trial.model] = Observability(
            images=not issubclass(requirements.generator, DensityGenerator),
            discriminator=requirements.output is not None,
            logit=requirements.output is not None and issubclass(requirements.output, Logits),
        )
    return observable
