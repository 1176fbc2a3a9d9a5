"""Single remedies: each is a function of a run, and None if the run has it or cannot have it."""

from collections.abc import Callable
from typing import Any

from coequal.health._run_settings import RunSettings
from coequal.health.objective_facts import ObjectiveFacts
from coequal.health.verdict import Remedy

OURS = "our calibration runs, docs/explanation/health.md"

MAX_RATE_RATIO = 8.0  # between the players' rates; with two time scales 4 or 5 are usual
LARGE_RATE = 5e-3  # a learning rate that is rather too large than too small
MAX_PROPOSED_RATE = 1e-3
MIN_RAISED_RATE = 1e-4  # the least that a remedy proposes where the rate is to be larger
MIN_LOWERED_RATE = 5e-5  # the least that a remedy proposes where the rate is to be smaller
FEW_LATENTS = 32  # below which latents may be too few

Proposal = Callable[[RunSettings], Remedy | None]


def switch(what: str, source: str, name: str, value: Any) -> Proposal:
    """Turn on a trick that is off.

    Args:
        what: the change, with its reason.
        source: the publication that shows it.
        name: of the trick's setting; a trick that is on in any strength is not proposed.
        value: to set it to.
    """

    def propose(run: RunSettings) -> Remedy | None:
        if run.on(name) or not run.can(name):
            return None
        return Remedy(what, {name: value}, source)

    return propose


def _any(objective: ObjectiveFacts) -> bool:
    return True


def advice(what: str, source: str, *, fits: Callable[[ObjectiveFacts], bool] = _any) -> Proposal:
    """Advice that no setting stands for.

    Args:
        what: the change, with its reason.
        source: the publication or the runs that show it.
        fits: whether the advice is for a run with an objective like this; by default for all.
    """

    def propose(run: RunSettings) -> Remedy | None:
        return Remedy(what, {}, source) if fits(run.objective) else None

    return propose


def balance(run: RunSettings) -> Remedy | None:
    """Of two very different learning rates the one that is out of place becomes the other."""
    if len(run.players) < 2:
        return None
    low, high = sorted(run.players, key=run.rate)
    times = run.rate(high) / run.rate(low)
    if times < MAX_RATE_RATIO:
        return None
    changed, kept = (high, low) if run.rate(high) > LARGE_RATE else (low, high)
    what = (
        f"the {high} learns {times:.3g} times as fast as the {low} ({run.rate(high):g} and "
        f"{run.rate(low):g}): give the {changed} the {kept}'s rate"
    )
    source = "Heusel et al. 2017, arXiv:1706.08500: two rates, and not far apart"
    return Remedy(what, {f"{changed}_learning_rate": run.rate(kept)}, source)


def rates(times: float, why: str, source: str, player: str = "") -> Proposal:
    """Other learning rates.

    Args:
        times: factor on the rate that a run has. Above 1 the new rate is kept between
            `MIN_RAISED_RATE` and `MAX_PROPOSED_RATE`, below 1 between `MIN_LOWERED_RATE` and
            `MAX_PROPOSED_RATE`; a rate that is already beyond stays.
        why: the reason.
        source: the publication that shows it.
        player: whose rate; by default that of all players.
    """

    def propose(run: RunSettings) -> Remedy | None:
        own = tuple(known for known in run.players if player in ("", known))
        new = {known: _within(run.rate(known), times) for known in own}
        had = list(dict.fromkeys(run.rate(known) for known in own))
        size = "larger" if times > 1 else "smaller"
        name = f"learning rate of the {player}" if player else "learning rate"
        if not run.settings:  # nothing is known, and a number would be a guess
            return Remedy(f"use a {size} {name}: {why}", {}, source)
        if not own or list(dict.fromkeys(new.values())) == had:
            return None
        if own == run.players and not any(run.on(f"{known}_learning_rate") for known in own):
            settings = {"learning_rate": new[own[0]]}
        else:
            changed = {known: rate for known, rate in new.items() if rate != run.rate(known)}
            settings = {f"{known}_learning_rate": rate for known, rate in changed.items()}
        numbers = " and ".join(f"{rate:g}" for rate in had)
        return Remedy(f"use a {size} {name}: {why} (now {numbers})", settings, source)

    return propose


def _within(rate: float, times: float) -> float:
    """The rate times `times`, rounded to three digits, within the proposed range."""
    if times > 1:
        new = max(rate, min(max(rate * times, MIN_RAISED_RATE), MAX_PROPOSED_RATE))
    else:
        new = min(rate, max(min(rate * times, MAX_PROPOSED_RATE), MIN_LOWERED_RATE))
    return rate if new == rate else float(f"{new:.3g}")


def half_momentum(run: RunSettings) -> Remedy | None:
    """A beta1 of 0.5 instead of a larger one."""
    if run["beta1"] <= 0.5:
        return None
    what = (
        f"set beta1 to 0.5 (now {run['beta1']:g}): the players respond to each other, and momentum "
        "lags"
    )
    return Remedy(what, {"beta1": 0.5}, "Radford et al. 2016, arXiv:1511.06434, section 4")


def adam(run: RunSettings) -> Remedy | None:
    """Adam instead of plain gradient descent, at a rate that is one of Adam's."""
    if run["optimiser"] != "sgd":
        return None
    settings: dict[str, Any] = {"optimiser": "adamw" if run.on("weight_decay") else "adam"}
    names = ("learning_rate", "generator_learning_rate", "discriminator_learning_rate")
    settings |= {name: 2e-4 for name in names if run.on(name) and run[name] > LARGE_RATE}
    what = "use Adam instead of gradient descent: its steps don't grow with the gradient"
    return Remedy(what, settings, "Kingma and Ba 2015, arXiv:1412.6980")


def penalty_back(run: RunSettings) -> Remedy | None:
    """The penalty of an objective that has one, if it is all but off."""
    weight = run.settings.get("penalty_weight", 10.0)
    if not run.objective.gradient_penalty or weight >= 0.1:
        return None
    what = f"penalise the critic's slope more, to keep it near 1 (penalty weight now {weight:g})"
    return Remedy(what, {"penalty_weight": 10.0}, "Gulrajani et al. 2017, arXiv:1704.00028")


def bound_back(run: RunSettings) -> Remedy | None:
    """The paper's bound on a critic's weights, if the run's is far looser."""
    bound = run.settings.get("weight_bound", 0.01)
    if not run.objective.weight_bound or bound <= 0.1:
        return None
    what = f"bound the critic's weights more tightly (now {bound:g})"
    return Remedy(what, {"weight_bound": 0.01}, "Arjovsky et al. 2017, arXiv:1701.07875")


def batch_norm_back(run: RunSettings) -> Remedy | None:
    """BatchNorm in a discriminator with a logit, if nothing else bounds it."""
    penalised = run.objective.gradient_penalty or run.on("gradient_penalty")
    if run["batch_norm"] is not False or penalised or run.on("spectral_norm"):
        return None
    if not run.objective.logit:
        return None
    what = (
        "use BatchNorm in the discriminator: without it, large learning rates make the networks "
        "explode"
    )
    return Remedy(what, {"batch_norm": True}, "Radford et al. 2016, arXiv:1511.06434, section 3")


def fewer_steps(run: RunSettings) -> Remedy | None:
    """One step of D for one of G, unless the objective's D is meant to be ahead."""
    had = run["discriminator_per_generator"]
    if len(run.players) < 2 or had < 2 or run.objective.critic:
        return None
    what = f"take one discriminator step per generator step (now {had})"
    source = "Goodfellow 2016, arXiv:1701.00160, section 3"
    return Remedy(what, {"discriminator_per_generator": 1}, source)


def more_steps(run: RunSettings) -> Remedy | None:
    """Five steps of D for one of G."""
    if len(run.players) < 2 or run["discriminator_per_generator"] >= 5:
        return None
    what = "take five discriminator steps per generator step"
    source = "Goodfellow et al. 2014, arXiv:1406.2661, algorithm 1; Arjovsky et al. 2017"
    return Remedy(what, {"discriminator_per_generator": 5}, source)


def _too_strong(name: str, from_: float, value: Any, what: str, source: str) -> Proposal:
    def propose(run: RunSettings) -> Remedy | None:
        if not run.on(name) or run[name] < from_:
            return None
        return Remedy(f"{what} (now {run[name]:g})", {name: value}, source)

    return propose


no_flips = _too_strong(
    *("label_flips", 0.0, 0.0),
    "don't flip labels: it teaches the discriminator that both sides are the same",
    OURS,
)
less_smoothing = _too_strong(
    *("label_smoothing", 0.25, 0.1),
    "smooth labels less: near one half there is nothing left for the discriminator to learn",
    "Salimans et al. 2016, arXiv:1606.03498, section 3.4",
)
less_noise = _too_strong(
    *("instance_noise", 0.3, 0.1),
    "add less noise to what the discriminator sees: this much hides the images",
    "Sonderby et al. 2017, arXiv:1610.04490, section 3.1",
)
less_dropout = _too_strong(
    *("discriminator_dropout", 0.5, 0.2),
    "use less dropout in the discriminator",
    "Srivastava et al. 2014, JMLR 15, 1929-1958",
)


def no_decay(run: RunSettings) -> Remedy | None:
    """A constant learning rate instead of one that decays."""
    if not run.on("learning_rate_decay"):
        return None
    what = "keep the learning rate constant: it decayed before the images were good"
    source = "Loshchilov and Hutter 2017, arXiv:1608.03983: a decay is part of the budget"
    return Remedy(what, {"learning_rate_decay": "none"}, source)


def more_latents(run: RunSettings) -> Remedy | None:
    """More latent dimensions, if there are few."""
    latents = run.settings.get("latents", FEW_LATENTS)
    if latents >= FEW_LATENTS:
        return None
    what = f"use more latent dimensions (now {latents}): too few can't tell images apart"
    return Remedy(what, {"latents": 128}, "Radford et al. 2016, arXiv:1511.06434, section 4: 100")


def labels(run: RunSettings) -> Remedy | None:
    """A conditional model, if neither player is given the classes."""
    known = run.on("generator_labels") or run.on("discriminator_labels")
    if known or not run.can("generator_labels") or run.objective.density:
        return None
    settings = {"generator_labels": "one_hot", "discriminator_labels": "concatenated"}
    what = "use a conditional model: asked for every class, it can't leave one out unnoticed"
    return Remedy(what, settings, "Mirza and Osindero 2014, arXiv:1411.1784")


def discrimination(run: RunSettings) -> Remedy | None:
    """Minibatch discrimination, also if the weaker `stddev` is on."""
    if run["minibatch"] == "discrimination" or not run.can("minibatch"):
        return None
    what = (
        "use minibatch discrimination: the discriminator then sees how close the batch's images are"
    )
    source = "Salimans et al. 2016, arXiv:1606.03498, section 3.2"
    return Remedy(what, {"minibatch": "discrimination"}, source)


def one_sided(run: RunSettings) -> Remedy | None:
    """One-sided label smoothing, for objectives with a target for real images."""
    smooth = run.on("one_sided_smoothing") or run.on("label_smoothing")
    if not run.objective.real_targets or smooth:
        return None
    what = "smooth labels on one side: a discriminator that is never certain keeps its slope"
    source = "Salimans et al. 2016, arXiv:1606.03498, section 3.4"
    return Remedy(what, {"one_sided_smoothing": 0.1}, source)


def not_minimax(run: RunSettings) -> Remedy | None:
    """The non-saturating game instead of one that saturates."""
    if not run.objective.saturates:
        return None
    what = (
        "use the model ns_gan instead: minimax has no gradient where the discriminator is certain"
    )
    return Remedy(what, {}, "Goodfellow et al. 2014, arXiv:1406.2661, section 3")
