"""Loss curves: every step is seen, at most a thousand points are kept."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

POINTS = 1000


class Curves:
    """Means of named values over equal runs of steps; fixed size however long the training.

    A run is one step long at first; whenever all points are taken, two runs become one.
    """

    def __init__(self) -> None:
        self.bucket = 1  # steps in a run
        self.used = 0  # runs that have begun
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, Tensor] = {}

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Note values of a step (from 0)."""
        while step // self.bucket >= POINTS:
            self._halve()
        place = step // self.bucket
        self.used = max(self.used, place + 1)
        for name, value in values.items():
            if name not in self.sums:
                self.sums[name] = torch.zeros(POINTS, dtype=torch.float64)
                self.counts[name] = torch.zeros(POINTS, dtype=torch.float64)
            self.sums[name][place] += value
            self.counts[name][place] += 1

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """`step` (the last of each run of steps, from 1), and a mean per name; NaN where there was
        none."""
        means = {
            name: (self.sums[name] / self.counts[name])[: self.used] for name in sorted(self.sums)
        }
        steps = np.arange(1, self.used + 1, dtype=np.float32) * self.bucket
        return {"step": steps} | {
            name: mean.numpy().astype(np.float32) for name, mean in means.items()
        }

    def state(self) -> dict[str, Tensor]:
        """For a checkpoint."""
        parts = {f"sum/{name}": value for name, value in self.sums.items()}
        parts |= {f"count/{name}": value for name, value in self.counts.items()}
        return parts | {"shape": torch.tensor([self.bucket, self.used])}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on where `state()` was taken."""
        self.bucket, self.used = (int(number) for number in state["shape"])
        for key, value in state.items():
            kind, _, name = key.partition("/")
            if kind == "shape":
                continue
            (self.sums if kind == "sum" else self.counts)[name] = value.clone()

    def _halve(self) -> None:
        for values in (self.sums, self.counts):
            for name, value in values.items():
                pairs = value.view(-1, 2).sum(1)
                values[name] = torch.cat([pairs, torch.zeros_like(pairs)])
        self.bucket *= 2
        self.used = -(-self.used // 2)
