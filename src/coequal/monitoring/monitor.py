"""Watch a run while it trains: a few numbers at each probe, and no bit of the training moved."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from coequal.contract import (
    Conditions,
    DensityGenerator,
    DiscriminatorOutput,
    Generator,
    GeneratorInput,
    Logits,
    Samples,
)
from coequal.health.signals import NAMES, Signals
from coequal.images import to_uint8
from coequal.monitoring.probe import as_in_training, auc, effective_classes, has_averages, realness
from coequal.monitoring.reference import IMAGES_PER_PROBE, RealReference, spread_and_nearest
from coequal.monitoring.transfer import numbers
from coequal.rng import Rng
from coequal.seeds import seed_for

Player = Literal["discriminator", "generator"]

MOVES_PER_RECORD = 5  # one of so many moves of a player is recorded
STEPS_PER_PROBE = 25  # at first
MAX_PROBES = 2000  # then every second row goes, and probes come half as often
MOVEMENT_PROBES = 4  # over which the movement of the images is measured
DRIFT_PROBES = 8  # over which the drift of the mean image is measured
CLASSIFIED_BATCHES = 2  # per probe, whose images the classifier is given
PROBES_PER_AVERAGES_CHECK = 4  # one of so many probes compares BatchNorm's averages
PROBES_PER_CLASSIFICATION = 2  # one of so many probes classifies images, which costs most
FEATURE_SIGNALS = ("feature_spread", "feature_gap", "modes")
COPY_DISTANCE = 0.02  # to the nearest image, relative to real ones, up to which it is a copy


class Monitor:
    """The signals of one run. It draws from no random stream of the training, and puts back every
    buffer.

    Args:
        reference: the real images.
        seed: of the fixed latents.
        generator: of the run; its images of the fixed latents are compared from probe to probe.

    Attributes:
        every: steps between two probes.
        rows: the signals of each probe, in the order of `NAMES`.
        counts: for each probe (classes,) how many generated images the classifier assigned to each
            class; zeros at a probe that classified none.
        pending: values recorded since the last probe, by signal.
        request: the fixed latents and labels; None for a generator whose images take too long.
    """

    def __init__(self, reference: RealReference, seed: int, generator: Generator) -> None:
        self.reference = reference
        rng = Rng(seed_for(seed, "health"), reference.device)
        self.every = STEPS_PER_PROBE
        self.rows: list[list[float]] = []
        self.counts: list[Tensor] = []
        self.pending: dict[str, list[Tensor]] = {}
        self.fresh: list[Tensor] = []  # generated images of the training since the last probe
        self.past: list[Tensor] = []  # images of the fixed latents at the last probes
        self.means: list[Tensor] = []  # mean images at the last probes
        self.request: GeneratorInput | None = None
        if not isinstance(generator, DensityGenerator):  # whose images take too long
            count = len(reference.classes)
            conditions = Conditions.in_turn(IMAGES_PER_PROBE, count).to(reference.device)
            self.request = GeneratorInput(generator.latents(IMAGES_PER_PROBE, rng), conditions)

    # ------------------------------------------------------------------------- during a move

    def record_due(self, move: int) -> bool:
        """Whether a player's move of this number (from 0) is recorded."""
        return move % MOVES_PER_RECORD == 0

    @torch.no_grad()
    def record_outputs(
        self,
        real: DiscriminatorOutput | None,
        fake: DiscriminatorOutput | None,
        exchanged: Tensor | None,
        images: Tensor,
    ) -> None:
        """Record the discriminator's outputs of its current move for the next probe.

        Args:
            real: its output on the real side; None if it was not asked.
            fake: its output on the generated side; None if it was not asked.
            exchanged: (n,) true for the rows that had changed sides; None if none had.
            images: (n, c, h, w) the generated images, in [0, 1].
        """
        if len(self.fresh) < CLASSIFIED_BATCHES:
            self.fresh.append(to_uint8(images))
        if not (isinstance(real, Logits) and isinstance(fake, Logits)):
            return  # an autoencoder may do better on either side
        ours, theirs = real.logits.float(), fake.logits.float()
        if exchanged is not None:
            ours, theirs = (
                torch.where(exchanged, theirs, ours),
                torch.where(exchanged, ours, theirs),
            )
        self._record("auc", auc(ours, theirs))
        self._record("accuracy_real", (ours > 0).float().mean())
        self._record("accuracy_fake", (theirs < 0).float().mean())
        self._record("logit", torch.cat([ours, theirs]).abs().median())

    @torch.no_grad()
    def record_gradients(self, player: Player, net: nn.Module) -> None:
        """Record the norm of a player's gradient, before it is clipped or averaged.

        Args:
            player: whose move it is.
            net: the player's net, after the backward pass.
        """
        gradients = [p.grad for p in net.parameters() if p.grad is not None]
        if gradients:
            self._record(f"gradient_{player}", nn.utils.get_total_norm(gradients))

    @torch.no_grad()
    def record_loss(self, player: Player, value: Tensor) -> None:
        """Record the loss of a player's current move.

        Args:
            player: whose move it is.
            value: scalar; it is detached here.
        """
        self._record(f"loss_{player}", value.detach().float())

    def _record(self, name: str, value: Tensor) -> None:
        self.pending.setdefault(name, []).append(value)

    # ------------------------------------------------------------------------- between two steps

    def probe_due(self, step: int) -> bool:
        """Whether a probe is due after so many steps."""
        return step % self.every == 0

    def steps_until_probe(self, step: int) -> int:
        """Steps from this one to the next probe; at least one."""
        return self.every - step % self.every

    @torch.no_grad()
    def probe(
        self, step: int, generator: Generator, discriminator: nn.Module | None, rate: float
    ) -> None:
        """Append a row of signals.

        Args:
            step: discriminator steps done.
            generator: of the run.
            discriminator: of the run; None if it has none.
            rate: the generator's learning rate, relative to its first.
        """
        # Measure both nets, and read the values together.
        signals = self._pending_signals()
        if self.request is not None:
            signals |= self._image_signals(generator)
        if discriminator is not None:
            signals |= self._held_out_signals(discriminator)
        row = dict(zip(signals, numbers(list(signals.values())), strict=True))
        row |= {"step": float(step), "rate": rate} | self._feature_signals()
        if "gap" in row:
            best = min([row["gap"], *(earlier[NAMES.index("gap")] for earlier in self.rows)])
            row["past_best"] = row["gap"] / max(best, 1e-6)
        self.rows.append([row.get(name, float("nan")) for name in NAMES])
        self.pending.clear()
        self.fresh.clear()
        if len(self.rows) >= MAX_PROBES:
            self._thin()

    def _pending_signals(self) -> dict[str, Tensor]:
        """The recorded moves since the last probe: means of losses, accuracies and AUC, medians of
        the rest."""
        signals = {}
        for name, values in self.pending.items():
            stacked = torch.stack(values)
            mean = name.startswith(("auc", "accuracy", "loss"))
            signals[name] = stacked.mean() if mean else stacked.median()
        return signals

    def _image_signals(self, generator: Generator) -> dict[str, Tensor]:
        """Signals of the images of the fixed latents, made as in training."""
        assert self.request is not None
        real = self.reference
        with as_in_training(generator):
            made = generator(self.request).images.flatten(1)
        spread, nearest = spread_and_nearest(made)
        mean = made.mean(0)
        signals = {
            "spread": spread / real.spread,
            "nearest": nearest.median() / real.nearest,
            "distinct": (nearest > COPY_DISTANCE * real.nearest).float().mean(),
            "gap": (mean - real.mean).norm() / real.spread,
            "saturated": ((made < 0.01) | (made > 0.99)).float().mean(),
        }
        if len(self.past) == MOVEMENT_PROBES:
            signals["movement"] = (made - self.past[0]).norm(dim=1).mean() / real.spread
        if self.means:
            signals["shift"] = (mean - self.means[-1]).norm() / real.spread
        if len(self.means) == DRIFT_PROBES:
            signals["drift"] = (mean - self.means[0]).norm() / real.spread
        if len(self.rows) % PROBES_PER_AVERAGES_CHECK == 0 and has_averages(generator):
            generator.eval()
            with_averages = generator(self.request).images.flatten(1)
            generator.train()
            signals["batch_norm"] = (with_averages - made).norm(dim=1).mean() / real.spread
        self.past = [*self.past, made][-MOVEMENT_PROBES:]
        self.means = [*self.means, mean][-DRIFT_PROBES:]
        return signals

    def _held_out_signals(self, discriminator: nn.Module) -> dict[str, Tensor]:
        """AUC between training and held-out images, judged in one batch: alone, a net with
        BatchNorm would know a small set by its statistics."""
        number = len(self.rows)
        seen, unseen = self.reference.train.batch(number), self.reference.held_out.batch(number)
        count = min(len(seen.images), len(unseen.images))
        both = Samples(
            torch.cat([seen.images[:count], unseen.images[:count]]),
            None
            if seen.labels is None or unseen.labels is None
            else torch.cat([seen.labels[:count], unseen.labels[:count]]),
        )
        with as_in_training(discriminator):
            scores = realness(discriminator(both))
        return {} if scores is None else {"held_out_auc": auc(scores[:count], scores[count:])}

    def _feature_signals(self) -> dict[str, float]:
        """Signals of fresh images in the classifier's features; those of the last probe if this one
        classifies none."""
        real = self.reference
        if real.encoder is None or not self.fresh or len(self.rows) % PROBES_PER_CLASSIFICATION:
            self.counts.append(torch.zeros(len(real.class_fractions)))
            last = self.rows[-1] if self.rows else [float("nan")] * len(NAMES)
            return {name: last[NAMES.index(name)] for name in FEATURE_SIGNALS}
        features = real.encoder.features(torch.cat(self.fresh))
        counts = real.class_counts(features)
        self.counts.append(torch.zeros(0) if counts is None else counts.cpu())
        spread, _ = spread_and_nearest(features[:IMAGES_PER_PROBE])
        gap = (features.mean(0) - real.feature_mean).norm()
        modes = [] if counts is None else [effective_classes(counts)]
        read = numbers([spread, gap, *modes])
        return {
            "feature_spread": read[0] / real.feature_spread,
            "feature_gap": read[1] / real.feature_spread,
            **dict(zip(["modes"], read[2:], strict=False)),
        }

    def _thin(self) -> None:
        """Keep every second row, the newest among them."""
        self.every *= 2
        pairs = list(zip(self.counts[0::2], self.counts[1::2], strict=True))
        self.rows, self.counts = self.rows[1::2], [one + other for one, other in pairs]

    @property
    def signals(self) -> Signals:
        """All rows so far."""
        real, width = self.reference, len(self.reference.class_fractions)
        return Signals(
            np.array(self.rows, dtype=np.float64).reshape(-1, len(NAMES)),
            np.array([row.tolist() for row in self.counts]).reshape(len(self.rows), width),
            np.array(real.class_fractions.tolist()),
            real.numbers,
            real.classes if width else (),
        )

    # ------------------------------------------------------------------------- checkpoint

    def state(self) -> dict[str, Tensor]:
        """The tensors of a checkpoint."""
        tensors = {
            "rows": torch.tensor(self.rows, dtype=torch.float64).reshape(-1, len(NAMES)),
            "counts": torch.stack(self.counts) if self.counts else torch.zeros(0),
            "every": torch.tensor(self.every),
        }
        tensors |= {f"notes/{name}": torch.stack(values) for name, values in self.pending.items()}
        for name, listed in (("fresh", self.fresh), ("past", self.past), ("means", self.means)):
            tensors |= {f"{name}/{index}": value for index, value in enumerate(listed)}
        return tensors

    def restore(self, saved: Mapping[str, Tensor]) -> None:
        """Continue from the tensors of `state()`."""
        device = self.reference.device

        def listed(name: str) -> list[Tensor]:
            count = sum(key.startswith(f"{name}/") for key in saved)
            return [saved[f"{name}/{index}"].to(device) for index in range(count)]

        self.rows, self.counts = saved["rows"].tolist(), list(saved["counts"])
        self.every = int(saved["every"])
        self.fresh, self.past, self.means = listed("fresh"), listed("past"), listed("means")
        self.pending = {
            key.removeprefix("notes/"): list(value.to(device))
            for key, value in saved.items()
            if key.startswith("notes/")
        }
