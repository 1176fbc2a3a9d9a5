"""Evidence on two models that may be looked at after every setting.

The i-th setting of A and the i-th of B are one draw. If A is as likely to have the better score as
to have the worse one, no bet on the signs can be expected to gain. The wealth of one who bets by
the mixture of Krichevsky and Trofimov is therefore above 1/level at any time, whenever one looks,
with a probability of at most `level` (Ville's inequality).

It is about one run of one random setting (n = 1), and exact for any number of settings.

Source: Ramdas et al. 2023, Statistical Science 38, 576-601, section 4; Krichevsky and Trofimov
1981, IEEE Trans. Inf. Theory 27, 199-207.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln

from coequal.statistics.search import Array, worst_last


@dataclass(frozen=True)
class SignEvidence:
    """How often A beat B on the same setting, and what that is worth.

    Attributes:
        wins: number of settings on which A scored better; ties count neither way.
        losses: number of settings on which B scored better.
        e_value: the largest wealth so far of one who bet 1 on their being unequal.
    """

    wins: int
    losses: int
    e_value: float

    def shown(self, level: float) -> bool:
        """Whether A and B differ, with an error of at most `level` however often one looks."""
        return self.e_value >= 1 / level


def sign_evidence(a: Array, b: Array) -> SignEvidence:
    """Return the evidence that one of two models is better on a random setting.

    Args:
        a: (settings,) scores of A in the order drawn, lower is better; failures as NaN or infinity.
        b: (settings,) scores of B on the same settings.
    """
    left, right = worst_last(a), worst_last(b)
    signs = (left < right).astype(int) - (left > right)
    signs = signs[signs != 0]
    if not len(signs):
        return SignEvidence(0, 0, 1.0)
    wins = np.cumsum(signs > 0)
    losses = np.cumsum(signs < 0)
    wealth = np.exp(
        betaln(wins + 0.5, losses + 0.5) - betaln(0.5, 0.5) + (wins + losses) * np.log(2)
    )
    return SignEvidence(int(wins[-1]), int(losses[-1]), float(max(1.0, wealth.max())))
