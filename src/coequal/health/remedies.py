"""What would do: for each verdict, what to try first, unless it is on already."""

from collections.abc import Mapping
from typing import Any

from coequal.health.verdict import Remedy

SPECTRAL = Remedy(
    "spectral norm in the discriminator bounds its slope, so that the generator keeps a gradient",
    {"spectral_norm": True},
    "Miyato et al. 2018, arXiv:1802.05957",
)
REMEDIES: Mapping[str, tuple[Remedy, ...]] = {
    "discriminator_won": (SPECTRAL,),
}


def remedies_for(verdict: str, settings: Mapping[str, Any]) -> tuple[Remedy, ...]:
    """Those of a verdict whose settings are not what the run has."""
    return tuple(
        remedy
        for remedy in REMEDIES.get(verdict, ())
        if any(settings.get(name) != value for name, value in remedy.settings.items())
    )
