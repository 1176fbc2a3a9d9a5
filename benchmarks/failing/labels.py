"""What became of each run, by the classifier's numbers and by looking at its final images.

Never by the recipe alone: a run that was meant to fail and made good images is not a failure, and
one that was meant to go well and did not is none of the healthy ones. Where two verdicts are true
(a net that is told nothing stalls; images that are all black have collapsed and have diverged) both
are accepted.
"""

from collections.abc import Mapping
from typing import Any

from coequal.health.verdict import EARLY, FAILURES, HEALTHY

UNFINISHED = "unfinished"  # neither good nor broken: it is counted apart, whatever is said of it

FINE = frozenset({HEALTHY, EARLY})
WILD = frozenset({"diverged", "oscillating", "generator_won", "discriminator_won"})
FEW = frozenset({"collapsed", "oscillating", "mode_dropping", "diverged", "discriminator_won"})

BY_MEANING: Mapping[str, frozenset[str]] = {
    HEALTHY: FINE,
    "collapsed": frozenset({"collapsed"}),
    "discriminator_won": frozenset({"discriminator_won", "stalled"}),
    "generator_won": frozenset({"generator_won"}),
    "stalled": frozenset({"stalled", "discriminator_won"}),
    "mode_dropping": frozenset({"mode_dropping"}),
    "overfitting": frozenset({"overfitting"}),
    "diverged": frozenset({"diverged"}),
}

GOOD_FD = {"clothes": 300.0, "shapes": 300.0}
"""Below it the sheets show clothes, or shapes at their places; looked at, not derived."""

KNOWS = 0.6
"""AUC between training and held-out images, in evaluation mode over a thousand of each, below which
a discriminator has not learned its few images by heart in so short a run."""

SEEN: Mapping[str, frozenset[str]] = {
    # noise in black and white, or over clothes
    "clothes-gp_raised-middle": WILD,
    "clothes-gp_raised-start": WILD,
    "shapes-gp_raised-start": WILD,
    "shapes-momentum-middle": WILD | FEW,
    # nearly one image, or a few pieces of clothes
    "clothes-momentum-middle": FEW,
    "clothes-momentum-start": FEW,
    "clothes-no_bn_raised-start": FEW,
    "shapes-no_bn_raised-middle": FEW,
    "shapes-momentum-start": FEW,
    # all black, or all white
    "clothes-no_bn_raised-middle": frozenset({"collapsed", "diverged", "stalled"}),
    "shapes-no_bn_raised-start": frozenset({"collapsed", "diverged", "stalled"}),
    "shapes-ls_no_bn": frozenset({"collapsed", "oscillating", "generator_won", "stalled"}),
    # smeared, of two or three forms
    "clothes-momentum_ls-middle": WILD | FEW,
    # recognisable, and restless
    "clothes-momentum_ls-start": FINE | {"oscillating"},
    "shapes-momentum_ls-start": FINE | {"oscillating"},
    "shapes-momentum_ls-middle": FINE | {"oscillating"},
}

NEITHER = {
    "clothes-no_penalty",  # blurred clothes, a critic that explodes slowly
    "shapes-no_penalty",
    "shapes-gp_raised-middle",  # shapes under speckle
    "shapes-missing_two-start",  # nothing to be seen yet
    "shapes-two_classes-start",
    "shapes-images_200-start",
}


def accepted(run: Mapping[str, Any], data: str) -> tuple[str, frozenset[str]]:
    """The row that a run belongs to, and the verdicts that are true of it.

    Args:
        run: what `runs.make` wrote.
        data: "clothes" or "shapes".
    """
    name, meant = run["name"], run["meant"]
    if run["stopped"]:
        return "diverged", frozenset({"diverged"})
    if name in NEITHER:
        return UNFINISHED, FINE | set(FAILURES)
    if name in SEEN:
        found = SEEN[name]
        row = HEALTHY if HEALTHY in found else meant if meant in found else sorted(found)[0]
        return row, found
    unknown = meant == "overfitting" and run["knows"] < KNOWS
    if meant == HEALTHY or unknown:
        if run["fd"] > GOOD_FD[data]:
            return UNFINISHED, FINE | set(FAILURES)
        return HEALTHY, FINE
    return meant, BY_MEANING[meant]
