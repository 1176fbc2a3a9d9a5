"""What a study may say about training, apart from the objective and the nets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat

from coequal.settings import Count, Settings

BatchSize = Annotated[int, Field(ge=2)]
Decay = Annotated[float, Field(gt=0, lt=1)]
Precision = Literal["float32", "tf32", "bfloat16"]
Unit = Literal["discriminator_steps", "images", "flops", "seconds"]


@dataclass(frozen=True)
class Optimisation(Settings):
    """The hyperparameters of training that belong to a model, and that a search may draw.

    Attributes:
        learning_rate: of both players.
        generator_learning_rate, discriminator_learning_rate: of one player, if not 0 (two time
            scales: Heusel et al. 2017, arXiv:1706.08500).
        learning_rate_decay: over the budget, from the rate to 0: `linear`, or `cosine` (Loshchilov
            and Hutter 2017, arXiv:1608.03983, eq. 5).
        optimiser: `adam` (Kingma and Ba 2015, arXiv:1412.6980), `adamw` (Loshchilov and Hutter
            2019, arXiv:1711.05101), `rmsprop` (Tieleman and Hinton 2012), `sgd`.
        beta1: of Adam, and the momentum of the others; beta2 is 0.999 (0.99 of RMSProp)
            and epsilon 1e-8.
        weight_decay: of AdamW (decoupled) and SGD.
        discriminator_per_generator: steps of the discriminator for one of the generator. A
            model without a discriminator has no use for it.
    """

    learning_rate: PositiveFloat = 2e-4
    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.5
    discriminator_per_generator: Count = 1
    generator_learning_rate: NonNegativeFloat = 0.0
    discriminator_learning_rate: NonNegativeFloat = 0.0
    learning_rate_decay: Literal["none", "linear", "cosine"] = "none"
    optimiser: Literal["adam", "adamw", "rmsprop", "sgd"] = "adam"
    weight_decay: NonNegativeFloat = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.weight_decay and self.optimiser not in ("adamw", "sgd"):
            raise ValueError(f"weight_decay does nothing with {self.optimiser}; take adamw or sgd")

    @property
    def follows_budget(self) -> bool:
        """Whether a step depends on how much of the budget is left, as it does while the learning
        rate falls: a longer budget is then another training from its first step on."""
        return self.learning_rate_decay != "none"

    def rate(self, player: str) -> float:
        """The learning rate of a player, before any decay."""
        own = {
            "generator": self.generator_learning_rate,
            "discriminator": self.discriminator_learning_rate,
        }
        return own[player] or self.learning_rate


@dataclass(frozen=True)
class Training(Settings):
    """What is the same for every model of a study.

    Attributes:
        amount: of the budget, in its unit; a trial ends with the first step that reaches it.
        batch_size: images per step and player.
        checkpoints: moments of measurement, evenly spaced in the budget, the last at its end.
        precision: "bfloat16" runs the nets under autocast; losses, parameters and evaluation stay
            float32. "tf32" (NVIDIA's GPUs alone) rounds the factors of matrix products and
            convolutions in training to 10 bits of mantissa; everything else stays float32.
        ema: decay of the moving average of the generator that is evaluated instead of it, or None.
        unit: what the budget counts, a field of `records.Spent`: "discriminator_steps" (those of
            the only player for a model without a discriminator), "images", "flops" or "seconds".
            Seconds, unlike the others, end at another step each time.
        keep: of which checkpoints the weights stay: "last", "schedule" (all of them, and the last),
            or "best:METRIC" (the best so far on validation, and the last).
        extendable: whether the state of nets, optimisers and random streams stays when the budget
            is spent, so that a longer one can go on from it.
        stop_on: verdicts (docs/explanation/health.md) at which a trial ends, the rest of its
            budget unspent.
        compile: whether nets are compiled by torch for training. A discriminator of whose gradient
            the loss takes the gradient is not, which torch can't compile.
        cuda_graphs: whether moves are recorded once and then launched as a whole (NVIDIA's GPUs
            alone), which spares small nets most of their time.
    """

    amount: PositiveFloat
    batch_size: BatchSize = 64
    checkpoints: Count = 5
    precision: Precision = "float32"
    ema: Decay | None = None
    unit: Unit = "discriminator_steps"
    keep: str = "last"
    extendable: bool = False
    stop_on: tuple[str, ...] = ()
    compile: bool = False
    cuda_graphs: bool = False

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Training":
        """What `Trial.training` says."""
        ((unit, amount),) = values["budget"].items()
        rest = {key: value for key, value in values.items() if key != "budget"}
        stop_on = tuple(rest.pop("stop_on", ()))
        return cls(amount=amount, unit=unit, stop_on=stop_on, **rest)

    def refuse_elsewhere(self, device: str) -> None:
        """Refuse what a device does not have.

        Args:
            device: as torch writes it.

        Raises:
            ValueError: it is so; the message says what would do.
        """
        if not device.startswith("cuda"):
            for name, asked, instead in (
                ("precision: tf32", self.precision == "tf32", "precision: float32"),
                ("cuda_graphs: true", self.cuda_graphs, "cuda_graphs: false"),
            ):
                if asked:
                    raise ValueError(
                        f"training.{name} is of NVIDIA GPUs, and this would train on {device}; "
                        f"what would do: {instead}, or --device cuda"
                    )
        if self.compile:
            from coequal.training.compiling import refuse_uncompilable

            refuse_uncompilable(device)

    def schedule(self) -> list[float]:
        """How much is spent at each measurement, rising, ending with `amount`; whole steps where
        steps are what is counted."""
        if self.unit == "discriminator_steps":
            count = min(self.checkpoints, int(self.amount))
            return [int(self.amount) * (i + 1) // count for i in range(count)]
        return [self.amount * (i + 1) / self.checkpoints for i in range(self.checkpoints)]
