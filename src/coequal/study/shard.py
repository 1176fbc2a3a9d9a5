"""A share of a study's trials, for job arrays that know nothing of each other."""

import re
from dataclasses import dataclass

from coequal.records import Trial


@dataclass(frozen=True)
class Shard:
    """The `index`-th of `count` shares, from 1.

    A trial belongs to the share that its id says, whatever else is planned: shares never overlap,
    together they are everything, and none moves when re-runs are added.
    """

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Of "3/16".

        Raises:
            ValueError: it is not of that form, or there is no such share.
        """
        found = re.fullmatch(r"(\d+)/(\d+)", text.strip())
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise ValueError(f"--shard takes I/N with I from 1 to N, as in 3/16; got '{text}'")
        return cls(int(found[1]), int(found[2]))

    @property
    def name(self) -> str:
        """For a file."""
        return f"shard-{self.index}-of-{self.count}"

    def owns(self, trial: Trial) -> bool:
        """Whether a trial belongs to this share."""
        return int(trial.id, 16) % self.count == self.index - 1
