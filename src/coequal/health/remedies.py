"""What to try, for each verdict: the first remedy first, without those that a run has already."""

import json
from collections.abc import Mapping
from typing import Any

import coequal.health._proposals as of
from coequal.health._proposals import OURS, Proposal, advice, rates, switch
from coequal.health._run_settings import RunSettings
from coequal.health.objective_facts import ASSUMED, ObjectiveFacts
from coequal.health.verdict import EARLY, Remedy

SPECTRAL = switch(
    "use spectral normalisation: it bounds the discriminator's slope, so the generator keeps a "
    "gradient",
    "Miyato et al. 2018, arXiv:1802.05957",
    *("spectral_norm", True),
)
NOISE = switch(
    "add noise to all that the discriminator sees: it can't be certain while both sides overlap",
    "Sonderby et al. 2017, arXiv:1610.04490, section 3.1; Arjovsky and Bottou 2017,"
    " arXiv:1701.04862",
    *("instance_noise", 0.1),
)
R1 = switch(
    "add R1, a penalty on the discriminator's slope at real images: near them the game converges",
    "Mescheder et al. 2018, arXiv:1801.04406",
    *("gradient_penalty", "r1"),
)
STDDEV = switch(
    "show the discriminator the deviation over the batch: equal images give themselves away",
    "Karras et al. 2018, arXiv:1710.10196, section 3",
    *("minibatch", "stddev"),
)
MATCHING = switch(
    "match features: the generator aims at the real images' mean features, not at one weakness",
    "Salimans et al. 2016, arXiv:1606.03498, section 3.1",
    *("feature_matching", 1.0),
)
CLIP = switch(
    "clip gradients to a maximum norm: one bad batch then can't ruin the networks",
    "Pascanu et al. 2013, arXiv:1211.5063",
    *("gradient_clip", 1.0),
)
AVERAGE = switch(
    "average the generator's weights over time: the centre of the circle instead of a point on it",
    "Yazici et al. 2019, arXiv:1806.04498",
    *("ema", 0.999),
)
DECAY = switch(
    "decay the learning rate to 0 over the budget: circles shrink with the step size",
    "Gulrajani et al. 2017, arXiv:1704.00028, whose ResNets are trained so",
    *("learning_rate_decay", "linear"),
)
DIFFAUGMENT = switch(
    "augment all that the discriminator sees, real and generated alike, from the first step on",
    "Zhao et al. 2020, arXiv:2006.10738",
    *("augment", "diffaugment"),
)
DROPOUT = switch(
    "use dropout in the discriminator: a network that keeps changing can't memorise images",
    "Srivastava et al. 2014, JMLR 15, 1929-1958",
    *("discriminator_dropout", 0.3),
)
WGAN_GP = advice(
    "use the model wgan_gp instead: its critic estimates a distance, so neither side can win",
    "Gulrajani et al. 2017, arXiv:1704.00028",
    fits=lambda objective: objective.discriminator and not objective.gradient_penalty,
)
MORE_DATA = advice(
    "use more training images: the discriminator needs longer to memorise them",
    "Karras et al. 2020, arXiv:2006.06676, section 2",
)
BEST = advice(
    "use the best checkpoint by validation instead of the last (select: {checkpoint: best})",
    OURS,
)
LONGER = "train longer"
TRAIN_LONGER = advice(f"{LONGER}: early in training, healthy runs look like failed ones", OURS)
DCGAN = "Radford et al. 2016, arXiv:1511.06434, section 4"
TWO_RATES = "Heusel et al. 2017, arXiv:1706.08500 (a rate for each player)"


def _ada(run: RunSettings) -> Remedy | None:
    """Adaptive augmentation, whose strength follows the logits."""
    if run.on("augment") or not run.objective.logit:
        return None
    what = (
        "augment adaptively, once the discriminator overfits and as much as needed (slow: 500,000 "
        "real images)"
    )
    return Remedy(what, {"augment": "ada"}, "Karras et al. 2020, arXiv:2006.06676")


REMEDIES: Mapping[str, tuple[Proposal, ...]] = {
    "diverged": (
        *(of.penalty_back, of.bound_back, of.adam),
        rates(0.1, "overshooting steps grow", DCGAN),
        *(of.half_momentum, CLIP, SPECTRAL, R1, of.batch_norm_back),
    ),
    "collapsed": (
        *(of.balance, STDDEV),
        rates(
            0.25,
            "the generator can't run away between two responses of the discriminator",
            TWO_RATES,
        ),
        *(of.half_momentum, of.discrimination, of.more_latents, R1, WGAN_GP, SPECTRAL),
    ),
    "mode_dropping": (
        *(of.discrimination, STDDEV, of.labels, of.more_latents, TRAIN_LONGER, R1, WGAN_GP),
    ),
    "discriminator_won": (
        *(of.not_minimax, of.balance, of.fewer_steps, SPECTRAL, NOISE, R1, of.one_sided),
        rates(0.25, "the generator gets time to catch up", TWO_RATES, "discriminator"),
    ),
    "generator_won": (
        *(of.no_flips, of.less_smoothing, of.less_noise, of.less_dropout, of.balance),
        rates(4, "it can't keep up with the generator", TWO_RATES, "discriminator"),
        *(of.more_steps, MATCHING),
    ),
    "oscillating": (
        *(of.balance, AVERAGE),
        rates(0.25, "circles shrink with the step", "Mescheder et al. 2018, arXiv:1801.04406"),
        *(DECAY, of.half_momentum, R1),
    ),
    "stalled": (
        *(of.not_minimax, of.balance, of.no_decay),
        rates(10, "its images no longer change", TWO_RATES, "generator"),
        *(SPECTRAL, NOISE),
    ),
    "overfitting": (DIFFAUGMENT, _ada, DROPOUT, NOISE, R1, MORE_DATA, BEST),
    EARLY: (TRAIN_LONGER, of.no_decay, rates(5, "it reaches the same images in fewer steps", OURS)),
}
"""For each verdict the remedies in the order in which to try them."""


def remedies_for(
    verdict: str, settings: Mapping[str, Any], objective: ObjectiveFacts = ASSUMED
) -> tuple[Remedy, ...]:
    """The remedies that a run does not have yet and can have; the first to try first.

    Args:
        verdict: one of `VERDICTS`; a healthy run needs none.
        settings: of the run, by name: hyperparameters, tricks, the nets' with their "name", "ema".
        objective: what its objective is; by default a discriminator with a logit is assumed.
    """
    run = RunSettings(settings, objective)
    proposals = (propose(run) for propose in REMEDIES.get(verdict, ()))
    return tuple(remedy for remedy in proposals if remedy is not None)


def in_options(settings: Mapping[str, Any]) -> str:
    """The options of `coequal train` for a remedy's settings: `--set beta1=0.5 --ema 0.999`."""
    written = []
    for name, value in settings.items():
        text = value if isinstance(value, str) else json.dumps(value)
        written.append(f"--ema {text}" if name == "ema" else f"--set {name}={text}")
    return " ".join(written)
