"""A part of a study's trials, for job arrays whose jobs know nothing of each other."""

import re
from dataclasses import dataclass

from coequal.records import Trial


@dataclass(frozen=True)
class Shard:
    """One of `count` parts of a study's trials.

    A trial belongs to the shard that its id names, whatever else is planned: shards never overlap,
    together they are everything, and no trial moves when re-runs are added.

    Attributes:
        index: which one, from 1.
        count: how many there are.
    """

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read the shard that a text like "3/16" names.

        Raises:
            ValueError: it is not of that form, or there is no such shard.
        """
        numbers = re.fullmatch(r"(\d+)/(\d+)", text.strip())
        if not numbers or not 1 <= int(numbers[1]) <= int(numbers[2]):
            raise ValueError(f"--shard takes I/N with I from 1 to N, as in 3/16; got '{text}'")
        return cls(int(numbers[1]), int(numbers[2]))

    @property
    def name(self) -> str:
        """Its name as part of a file's name."""
        return f"shard-{self.index}-of-{self.count}"

    def owns(self, trial: Trial) -> bool:
        """Whether a trial belongs to this shard."""
        return int(trial.id, 16) % self.count == self.index - 1
