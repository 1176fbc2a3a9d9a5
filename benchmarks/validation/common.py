"""One promise, what simulation measured of it, and whether that is what was wanted."""

from dataclasses import dataclass

BAND = (0.93, 0.97)  # where the coverage of a 95 % interval belongs


@dataclass(frozen=True)
class Row:
    """A row of docs/validation.md, as `rows(quick)` of every module of this folder yields them.

    Attributes:
        name: the interval, or the promise.
        setting: what was simulated: laws, B, n.
        measured: share of studies; over several laws, their mean.
        low, high: what is wanted of it, both ends included.
        studies: how many were simulated, of each law where there are several.
        declared: "" for an interval that is to cover 93 to 97 %; otherwise what its documentation
            declares it to be: "conservative", "approximate", "promise", "power".
        remark: what to know beside the number.
        worst: the law with the lowest share, and that share; None for a single law.
        worst_low: what is wanted of it.
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

    def kept(self, errors: float = 0) -> bool:
        """Whether the number is what was wanted, give or take so many standard errors."""
        slack = errors * (0.95 * 0.05 / max(1, self.studies)) ** 0.5
        worst = self.worst is None or self.worst[1] >= self.worst_low - slack
        return self.low - slack <= self.measured <= self.high + slack and worst

    @property
    def verdict(self) -> str:
        """In words."""
        return (self.declared or "kept") if self.kept() else "**not kept**"


def over_laws(
    name: str,
    setting: str,
    covered: dict[str, float],
    studies: int,
    *,
    low: float = BAND[0],
    worst: float = BAND[0],
    declared: str = "",
    remark: str = "",
) -> Row:
    """The mean over the laws, held to the band, and the worst law, held to what is declared.

    Args:
        covered: coverage for each law.
        low: the least that the mean may be.
        worst: the least that the worst law may cover.
        declared: "conservative" lifts the upper end.
    """
    mean = sum(covered.values()) / len(covered)
    law = min(covered, key=lambda name: covered[name])
    return Row(
        name,
        setting,
        mean,
        low,
        high=1.0 if declared == "conservative" else BAND[1],
        studies=studies,
        declared=declared,
        remark=remark,
        worst=(law, covered[law]),
        worst_low=worst,
    )
