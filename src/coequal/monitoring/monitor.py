"""What a run looks like while it trains: a few numbers at each probe, and none of them moves a bit
of the training."""

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
from coequal.monitoring.probe import as_in_training, auc, effective, has_averages, scores
from coequal.monitoring.reference import ROWS, RealReference, spread_and_nearest
from coequal.rng import Rng
from coequal.seeds import seed_for

Player = Literal["discriminator", "generator"]

NOTE = 5  # moves of a player between two looks at one
PROBE = 25  # steps between two probes, at first
MOST = 2000  # probes that are kept; then every second one goes, and they come half as often
BACK = 4  # probes over which movement is measured
FAR_BACK = 8  # and the drift of the mean image
TAKEN = 2  # batches of a probe whose images the classifier sees
SELDOM = 4  # probes between two looks at BatchNorm's averages
CLASSIFIED = 2  # probes between two looks of the classifier, whose images cost most
FEATURES = ("feature_spread", "feature_gap", "modes")
COPY = 0.02  # distance to the nearest image, relative to real ones, up to which it is a copy


class Monitor:
    """The signals of one run. It draws from no stream of the training, and puts back every buffer.

    Args:
        reality: the real images.
        seed: of the fixed latents.
        generator: of the run; at fixed latents its images are compared with themselves.
    """

    def __init__(self, reality: RealReference, seed: int, generator: Generator) -> None:
        self.reality = reality
        rng = Rng(seed_for(seed, "health"), reality.device)
        self.every = PROBE
        self.rows: list[list[float]] = []
        self.counts: list[Tensor] = []
        self.notes: dict[str, list[Tensor]] = {}
        self.fresh: list[Tensor] = []  # generated images of the training since the last probe
        self.past: list[Tensor] = []  # images of the fixed latents at the last probes
        self.means: list[Tensor] = []  # mean images at the last probes
        self.request: GeneratorInput | None = None
        if not isinstance(generator, DensityGenerator):  # whose images take too long
            asked = Conditions.in_turn(ROWS, len(reality.classes)).to(reality.device)
            self.request = GeneratorInput(generator.latents(ROWS, rng), asked)

    # ------------------------------------------------------------------------- during a move

    def due(self, move: int) -> bool:
        """Whether a player's move of this number (from 0) is looked at."""
        return move % NOTE == 0

    @torch.no_grad()
    def judged(
        self,
        real: DiscriminatorOutput | None,
        fake: DiscriminatorOutput | None,
        exchanged: Tensor | None,
        images: Tensor,
    ) -> None:
        """What the discriminator said in its move.

        Args:
            real, fake: of either side; None where it was not asked.
            exchanged: (n,) rows that had changed sides, or None.
            images: the generated ones.
        """
        if len(self.fresh) < TAKEN:
            self.fresh.append(to_uint8(images))
        if real is None or fake is None:
            return
        if not (
            isinstance(real, Logits) and isinstance(fake, Logits)
        ):  # an autoencoder may do better on either side
            return
        ours, theirs = real.logits.float(), fake.logits.float()
        if exchanged is not None:
            ours, theirs = (
                torch.where(exchanged, theirs, ours),
                torch.where(exchanged, ours, theirs),
            )
        self._note("auc", auc(ours, theirs))
        self._note("accuracy_real", (ours > 0).float().mean())
        self._note("accuracy_fake", (theirs < 0).float().mean())
        self._note("logit", torch.cat([ours, theirs]).abs().median())

    @torch.no_grad()
    def gradients(self, player: Player, net: nn.Module) -> None:
        """The norm of a player's gradient, before anything is done to it."""
        found = [p.grad for p in net.parameters() if p.grad is not None]
        if found:
            self._note(f"gradient_{player}", nn.utils.get_total_norm(found))

    @torch.no_grad()
    def lost(self, player: Player, value: Tensor) -> None:
        """A player's loss."""
        self._note(f"loss_{player}", value.detach().float())

    def _note(self, name: str, value: Tensor) -> None:
        self.notes.setdefault(name, []).append(value)

    # ------------------------------------------------------------------------- between two steps

    def wants_probe(self, step: int) -> bool:
        """Whether a probe is due after so many steps."""
        return step % self.every == 0

    @torch.no_grad()
    def probe(
        self, step: int, generator: Generator, discriminator: nn.Module | None, rate: float
    ) -> None:
        """Look at both nets after a step, and note a row."""
        found = self._noted()
        found |= {"step": float(step), "rate": rate}
        device_values: dict[str, Tensor] = {}
        if self.request is not None:
            device_values |= self._images(generator)
        if discriminator is not None:
            device_values |= self._held_out(discriminator)
        found |= {name: float(value) for name, value in device_values.items()}
        found |= self._features()
        if "gap" in found:
            best = min([found["gap"], *(row[NAMES.index("gap")] for row in self.rows)])
            found["past_best"] = found["gap"] / max(best, 1e-6)
        self.rows.append([found.get(name, float("nan")) for name in NAMES])
        self.notes.clear()
        self.fresh.clear()
        if len(self.rows) >= MOST:
            self._thin()

    def _noted(self) -> dict[str, float]:
        """Of the moves since the last probe: means of losses and AUC, medians of the rest."""
        found = {}
        for name, values in self.notes.items():
            stacked = torch.stack(values)
            mean = name.startswith(("auc", "accuracy", "loss"))
            found[name] = float(stacked.mean() if mean else stacked.median())
        return found

    def _images(self, generator: Generator) -> dict[str, Tensor]:
        """Signals of the images of the fixed latents, made as in training."""
        assert self.request is not None
        real = self.reality
        with as_in_training(generator):
            made = generator(self.request).images.flatten(1)
        spread, nearest = spread_and_nearest(made)
        mean = made.mean(0)
        found = {
            "spread": spread / real.spread,
            "nearest": nearest.median() / real.nearest,
            "distinct": (nearest > COPY * real.nearest).float().mean(),
            "gap": (mean - real.mean).norm() / real.spread,
            "saturated": ((made < 0.01) | (made > 0.99)).float().mean(),
        }
        if len(self.past) == BACK:
            found["movement"] = (made - self.past[0]).norm(dim=1).mean() / real.spread
        if self.means:
            found["shift"] = (mean - self.means[-1]).norm() / real.spread
        if len(self.means) == FAR_BACK:
            found["drift"] = (mean - self.means[0]).norm() / real.spread
        if len(self.rows) % SELDOM == 0 and has_averages(generator):
            generator.eval()
            with_averages = generator(self.request).images.flatten(1)
            generator.train()
            found["batch_norm"] = (with_averages - made).norm(dim=1).mean() / real.spread
        self.past = [*self.past, made][-BACK:]
        self.means = [*self.means, mean][-FAR_BACK:]
        return found

    def _held_out(self, discriminator: nn.Module) -> dict[str, Tensor]:
        """AUC between training and held-out images, judged in one batch: alone, a net with
        BatchNorm would know a small set by its statistics."""
        number = len(self.rows)
        seen, unseen = self.reality.train.turn(number), self.reality.held_out.turn(number)
        count = min(len(seen.images), len(unseen.images))
        both = Samples(
            torch.cat([seen.images[:count], unseen.images[:count]]),
            None
            if seen.labels is None or unseen.labels is None
            else torch.cat([seen.labels[:count], unseen.labels[:count]]),
        )
        with as_in_training(discriminator):
            said = scores(discriminator(both))
        return {} if said is None else {"held_out_auc": auc(said[:count], said[count:])}

    def _features(self) -> dict[str, float]:
        """Signals of fresh images in the classifier's features; between two looks the last ones."""
        real = self.reality
        if real.encoder is None or not self.fresh or len(self.rows) % CLASSIFIED:
            self.counts.append(torch.zeros(len(real.shares)))
            last = self.rows[-1] if self.rows else [float("nan")] * len(NAMES)
            return {name: last[NAMES.index(name)] for name in FEATURES}
        features = real.encoder.features(torch.cat(self.fresh))
        taken = real.taken_for(features)
        self.counts.append(torch.zeros(0) if taken is None else taken)
        spread, _ = spread_and_nearest(features[:ROWS])
        gap = (features.mean(0) - real.feature_mean).norm()
        return {
            "feature_spread": float(spread) / real.feature_spread,
            "feature_gap": float(gap) / real.feature_spread,
            **({} if taken is None else {"modes": float(effective(taken))}),
        }

    def _thin(self) -> None:
        """Keep every second row, the newest among them."""
        self.every *= 2
        pairs = list(zip(self.counts[0::2], self.counts[1::2], strict=True))
        self.rows, self.counts = self.rows[1::2], [one + other for one, other in pairs]

    @property
    def signals(self) -> Signals:
        """What was seen so far."""
        real, width = self.reality, len(self.reality.shares)
        return Signals(
            np.array(self.rows, dtype=np.float64).reshape(-1, len(NAMES)),
            np.array([row.tolist() for row in self.counts]).reshape(len(self.rows), width),
            np.array(real.shares.tolist()),
            real.numbers,
            real.classes if width else (),
        )

    # ------------------------------------------------------------------------- checkpoint

    def state(self) -> dict[str, Tensor]:
        """For a checkpoint."""
        found = {
            "rows": torch.tensor(self.rows, dtype=torch.float64).reshape(-1, len(NAMES)),
            "counts": torch.stack(self.counts) if self.counts else torch.zeros(0),
            "every": torch.tensor(self.every),
        }
        found |= {f"notes/{name}": torch.stack(values) for name, values in self.notes.items()}
        for name, listed in (("fresh", self.fresh), ("past", self.past), ("means", self.means)):
            found |= {f"{name}/{index}": value for index, value in enumerate(listed)}
        return found

    def restore(self, saved: Mapping[str, Tensor]) -> None:
        """Go on where `state()` was taken."""
        device = self.reality.device

        def listed(name: str) -> list[Tensor]:
            count = sum(key.startswith(f"{name}/") for key in saved)
            return [saved[f"{name}/{index}"].to(device) for index in range(count)]

        self.rows, self.counts = saved["rows"].tolist(), list(saved["counts"])
        self.every = int(saved["every"])
        self.fresh, self.past, self.means = listed("fresh"), listed("past"), listed("means")
        self.notes = {
            key.removeprefix("notes/"): list(value.to(device))
            for key, value in saved.items()
            if key.startswith("notes/")
        }
