"""One guarantee, what simulation measured of it, and whether that is what was wanted."""

from dataclasses import dataclass

BAND = (0.93, 0.97)  # where the coverage of a 95 % interval belongs


@dataclass(frozen=True)
class Row:
    """A row of docs/explanation/validation.md, as `rows(quick)` of every module of this folder "
    "yields them.

    Attributes:
        name: the interval, or the guarantee.
        setting: what was simulated: distributions, B, n.
        measured: fraction of studies; over several distributions, the mean of their fractions.
        low: smallest value that is wanted.
        high: largest value that is wanted.
        studies: number of simulated studies, of each distribution where there are several.
        declared: empty for an interval that is to cover 93 to 97 %; otherwise what its
            documentation declares it to be: "conservative", "approximate", "promise", "power".
        remark: a remark beside the number.
        worst: the distribution with the lowest fraction, and that fraction; None for a single one.
        worst_low: smallest value that is wanted of the worst distribution.
        claim: what is claimed to a reader: a key of its module's CLAIMS; empty where the module
            makes one claim only.
    """

    name: str
    setting: str
    measured: float
    low: float = BAND[0]
    high: float = BAND[1]
    studies: int = 0
    declared: str = ""
    remark: str = ""
    worst: tuple[str, float] | None = None
    worst_low: float = BAND[0]
    claim: str = ""

    def kept(self, errors: float = 0) -> bool:
        """Return whether the number is what was wanted, up to some standard errors.

        Args:
            errors: number of standard errors that are allowed for.
        """
        slack = errors * (0.95 * 0.05 / max(1, self.studies)) ** 0.5
        worst = self.worst is None or self.worst[1] >= self.worst_low - slack
        return self.low - slack <= self.measured <= self.high + slack and worst

    @property
    def verdict(self) -> str:
        """In words."""
        return (self.declared or "kept") if self.kept() else "**not kept**"


def over_distributions(
    name: str,
    setting: str,
    covered: dict[str, float],
    studies: int,
    *,
    low: float = BAND[0],
    worst: float = BAND[0],
    declared: str = "",
    remark: str = "",
    claim: str = "",
) -> Row:
    """Return a row for several distributions: their mean and the worst of them.

    Args:
        name: the interval, or the guarantee.
        setting: what was simulated.
        covered: coverage for each distribution, by name.
        studies: number of simulated studies of each distribution.
        low: smallest mean that is wanted.
        worst: smallest coverage that is wanted of the worst distribution.
        declared: what the documentation declares; "conservative" lifts the upper end.
        remark: a remark beside the number.
        claim: what is claimed to a reader, of several claims of a module.
    """
    mean = sum(covered.values()) / len(covered)
    distribution = min(covered, key=lambda name: covered[name])
    return Row(
        name,
        setting,
        mean,
        low,
        high=1.0 if declared == "conservative" else BAND[1],
        studies=studies,
        declared=declared,
        remark=remark,
        worst=(distribution, covered[distribution]),
        worst_low=worst,
        claim=claim,
    )
