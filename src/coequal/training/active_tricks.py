"""The tricks of one training run at work: their streams, what they remember, where they act."""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from coequal.contract import DiscriminatorOutput, LazyRegulariser, Logits, Samples, StochasticLayer
from coequal.rng import Rng
from coequal.seeds import seed_for
from coequal.training.augment import augmented
from coequal.training.penalties import FeatureMatching, GradientPenalty
from coequal.training.tricks import Tricks

Player = Literal["discriminator", "generator"]

ADA_EVERY = 4  # discriminator steps between two looks of ADA
ADA_IMAGES = 500_000  # real images over which its probability can go from 0 to 1

STREAMS = ("label_smoothing", "label_flips", "instance_noise", "gradient_penalty", "augment")
"""Of tricks that draw: each has its own, so that switching one on moves no draw of another."""

DROPOUT = "dropout"  # the stream of layers that draw
ON_THE_CPU = frozenset({"label_flips"})  # streams whose draws decide what the loop does next


class DiscriminatorView:
    """The discriminator as an objective sees it, for one move.

    It hides the net's parameters, and judges one `Samples` object once: an objective and a lazy
    loss that ask for the same batch share the answer. It is where noise and augmentation act, on
    real, generated and penalised images alike. It dies with the move, or it would keep a whole
    graph alive.
    """

    def __init__(
        self, discriminator: nn.Module, active_tricks: "ActiveTricks | None" = None
    ) -> None:
        self._discriminator = discriminator
        self._active_tricks = active_tricks
        self._known: dict[int, tuple[Samples, DiscriminatorOutput]] = {}

    def __call__(self, samples: Samples, /) -> Any:
        """The output for a batch."""
        if id(samples) not in self._known:
            shown = samples if self._active_tricks is None else self._active_tricks.shown(samples)
            self._known[id(samples)] = (samples, self._discriminator(shown))
        return self._known[id(samples)][1]

    def known(self, samples: Samples) -> Any:
        """The output for a batch that was judged; None for one that was not."""
        return self._known.get(id(samples), (samples, None))[1]


class ActiveTricks:
    """Every trick that is on. Of one that is off nothing is drawn, kept or computed."""

    def __init__(
        self,
        tricks: Tricks,
        seed: int,
        device: torch.device,
        discriminator: nn.Module | None = None,
    ) -> None:
        self.tricks = tricks
        layers = () if discriminator is None else discriminator.modules()
        drawing = [layer for layer in layers if isinstance(layer, StochasticLayer)]
        names = [*(name for name in STREAMS if name in tricks.on), *([DROPOUT] if drawing else [])]
        self.streams: Mapping[str, Rng] = {
            name: Rng(seed_for(seed, name), "cpu" if name in ON_THE_CPU else device)
            for name in names
        }
        for layer in drawing:
            layer.rng = self.streams[DROPOUT]
        self.past: dict[str, list[Tensor]] = {}  # mean of past parameters, by player
        self.seen: dict[str, int] = {}
        # Of ADA: the sum of signs and the images since it looked, and its probability.
        self.certainty = torch.zeros(2, device=device)
        self.ada_probability = torch.zeros((), dtype=_exact(device), device=device)
        self.exchanged: Tensor | None = None  # rows that changed sides in the last move
        self.step = 0  # of the discriminator

    @property
    def vary(self) -> bool:
        """Whether the moves of a player differ in more than the values of tensors."""
        falls = self.tricks.instance_noise and self.tricks.instance_noise_steps
        return bool(self.tricks.label_flips or falls)

    def lazy(self, player: Player) -> tuple[LazyRegulariser, ...]:
        """The losses that are added to a player's."""
        own = self.tricks
        if player == "discriminator" and own.gradient_penalty != "none":
            stream = self.streams["gradient_penalty"]
            loss = GradientPenalty(own.gradient_penalty, own.gradient_penalty_weight, stream)
            return (LazyRegulariser(own.gradient_penalty_every, loss),)
        if player == "generator" and own.feature_matching:
            return (LazyRegulariser(1, FeatureMatching(own.feature_matching)),)
        return ()

    def sides(self, real: Samples, fake: Samples) -> tuple[Samples, Samples]:
        """Both batches of a discriminator's move, some images on the other side."""
        self.exchanged = None
        if self.tricks.label_smoothing:
            drawn = self.streams["label_smoothing"].uniform(len(real.images))
            self.exchanged = drawn < self.tricks.label_smoothing
            real, fake = _exchanged(real, fake, self.exchanged)
        if self.tricks.label_flips:
            flip = self.streams["label_flips"].uniform(1) < self.tricks.label_flips
            if bool(flip):  # drawn on the CPU, which need not wait for it
                real, fake = fake, real
                before, there = self.exchanged, real.images.device
                rows = flip.to(there).expand(len(real.images))
                self.exchanged = rows if before is None else ~before
        return real, fake

    def shown(self, samples: Samples) -> Samples:
        """A batch as the discriminator sees it."""
        images = samples.images
        if self.tricks.augment == "diffaugment":
            images = augmented(images, self.streams["augment"])
        elif self.tricks.augment == "ada":
            images = augmented(images, self.streams["augment"], self.ada_probability)
        if deviation := self._noise():
            images = images + deviation * self.streams["instance_noise"].normal(*images.shape)
        return samples if images is samples.images else samples.at(images)

    def _noise(self) -> float:
        """The deviation of the noise at this step."""
        full, steps = self.tricks.instance_noise, self.tricks.instance_noise_steps
        return full * max(0.0, 1 - self.step / steps) if steps else full

    @torch.no_grad()
    def gradients(self, player: Player, net: nn.Module) -> None:
        """What is done to a player's gradients before its step."""
        if weight := self.tricks.historical_averaging:
            self._toward_the_past(player, net, weight)
        if self.tricks.gradient_clip:
            nn.utils.clip_grad_norm_(net.parameters(), self.tricks.gradient_clip)

    def _toward_the_past(self, player: Player, net: nn.Module, weight: float) -> None:
        """Add the gradient of w |p - mean of past p|^2, and take p into the mean."""
        own = list(net.parameters())
        if player not in self.past:
            self.past[player] = [value.detach().clone() for value in own]
            self.seen[player] = 1
            return  # its own past, so far
        self.seen[player] += 1
        for value, mean in zip(own, self.past[player], strict=True):
            if value.grad is not None:
                value.grad.add_(value - mean, alpha=2 * weight)
            mean.lerp_(value, 1 / self.seen[player])

    @torch.no_grad()
    def after_discriminator(self, on_real: DiscriminatorOutput | None) -> None:
        """Count the step, and let ADA look at what the discriminator said of real images.

        ADA (Karras et al. 2020, arXiv:2006.06676, section 3): r = E sign(l(x)); above the target
        the probability grows, else it falls.

        Args:
            on_real: its output on the real side; None if it was not asked, as it is for ADA.
        """
        self.step += 1
        if self.tricks.augment != "ada":
            return
        signs = _certainty(on_real)
        self.certainty += torch.stack([signs.sum(), signs.new_full((), float(len(signs)))])
        if self.step % ADA_EVERY == 0:
            total, count = self.certainty.to(self.ada_probability.dtype)
            grows = total / count > self.tricks.ada_target
            direction = 2 * grows.to(self.ada_probability.dtype) - 1
            self.ada_probability += direction * (ADA_EVERY * len(signs) / ADA_IMAGES)
            self.ada_probability.clamp_(0, 1)
            self.certainty.zero_()

    # ---------------------------------------------------------------------------------- checkpoint

    def state(self) -> dict[str, Tensor]:
        """For a checkpoint; empty if nothing is on."""
        found = {f"streams/{name}": stream.state() for name, stream in self.streams.items()}
        for player, means in self.past.items():
            found |= {f"past/{player}/{index}": mean for index, mean in enumerate(means)}
            found[f"seen/{player}"] = torch.tensor(self.seen[player])
        if self.tricks.augment == "ada":
            probability = self.ada_probability
            found["ada"] = torch.cat([probability[None], self.certainty.to(probability.dtype)])
        return found

    def restore(self, saved: Mapping[str, Tensor], step: int, device: torch.device) -> None:
        """Go on where `state()` was taken, at this step of the discriminator."""
        self.step = step
        for name, stream in self.streams.items():
            stream.restore(saved[f"streams/{name}"])
        for key in saved:
            if key.startswith("seen/"):
                player = key.removeprefix("seen/")
                self.seen[player] = int(saved[key])
                count = sum(other.startswith(f"past/{player}/") for other in saved)
                self.past[player] = [
                    saved[f"past/{player}/{index}"].to(device) for index in range(count)
                ]
        if "ada" in saved:
            self.ada_probability.copy_(saved["ada"][0])  # in place, as a recorded move reads it
            self.certainty.copy_(saved["ada"][1:])


def _exact(device: torch.device) -> torch.dtype:
    """The longest floating-point numbers that a device has."""
    return torch.float32 if device.type == "mps" else torch.float64


def _certainty(output: DiscriminatorOutput | None) -> Tensor:
    """The signs of the logits of real images."""
    assert isinstance(output, Logits)  # `Tricks.unmet` has seen to it
    return output.logits.sign()


def _exchanged(real: Samples, fake: Samples, chosen: Tensor) -> tuple[Samples, Samples]:
    """Both batches with the chosen rows exchanged, labels and sources included."""

    def mixed(one: Tensor | None, other: Tensor | None) -> Tensor | None:
        if one is None or other is None:
            return one
        return torch.where(chosen.view(-1, *(1,) * (one.dim() - 1)), other, one)

    def batch(one: Samples, other: Samples) -> Samples:
        images = torch.where(chosen[:, None, None, None], other.images, one.images)
        return Samples(images, mixed(one.labels, other.labels), mixed(one.sources, other.sources))

    return batch(real, fake), batch(fake, real)
