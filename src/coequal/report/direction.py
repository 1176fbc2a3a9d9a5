"""The study's metric: which way is better, how far it can go, and what a reader calls it."""

from dataclasses import dataclass

from coequal.selection import HIGHER, cost

ABBREVIATIONS = frozenset({"fd", "fid", "kid", "kd", "cmmd", "is", "fld", "swd", "emd", "f1"})

NAMES = {"gan train": "GAN-train", "gan test": "GAN-test", "one nn": "1-NN"}
"""What is written otherwise than its words."""

SHARES = frozenset(
    {
        *("precision", "recall", "f1", "coverage", "prd_f8", "prd_f1_8"),
        *("manifold_precision", "manifold_recall", "manifold_f1"),
        *("modes_quality", "curve_quality", "curve_coverage"),
        *("gan_train", "gan_train_top5"),
    }
)
"""Metrics that are shares: 1 is the best that any model can have, 0 the worst."""

TARGETS = frozenset(
    {
        *("one_nn", "one_nn_real", "one_nn_fake"),
        *("authenticity", "authenticity_calibrated", "c_t"),
        *("gan_test", "gan_test_gap"),
    }
)
"""Metrics of which held-out real images have the best score, and one beyond it is worse: none can
choose."""

DISTANCES = frozenset(
    {
        *("fd", "fid", "fd_per_class", "emd", "swd", "swd_patches"),
        *("manifold_distance", "modes_kl"),
    }
)
"""Metrics that are never below 0, which is the best that any model can have."""


@dataclass(frozen=True)
class Metric:
    """A metric and its direction."""

    name: str

    @property
    def label(self) -> str:
        """What a reader calls it: "FD", "GAN-train", "manifold F1"."""
        words = [
            word.upper() if word.lower() in ABBREVIATIONS else word for word in self.name.split("_")
        ]
        text = " ".join(words)
        for ours, readers in NAMES.items():
            text = text.replace(ours, readers)
        return text

    @property
    def higher(self) -> bool:
        """Whether more is better."""
        return self.name in HIGHER

    @property
    def best(self) -> str:
        """The superlative of a good value: "lowest"."""
        return "highest" if self.higher else "lowest"

    @property
    def better(self) -> str:
        """The direction in words: "lower is better"."""
        if self.name in TARGETS:
            return "best at a target, neither low nor high"
        return f"{'higher' if self.higher else 'lower'} is better"

    @property
    def bound(self) -> float | None:
        """The value that no model can better, whatever it does; None where none is known."""
        if self.name in SHARES:
            return 1.0
        return 0.0 if self.name in DISTANCES else None

    def cost(self, value: float) -> float:
        """A number of which less is better, as `coequal.statistics` wants it; its own inverse."""
        return cost(self.name, value)
