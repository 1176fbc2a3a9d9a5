"""The runs: which are meant to go well, which to fail, and from when on.

What a run is meant to be is not its label: labels come from a second source (`labels.py`).
Deviations that are harmless here and look alarming (a discriminator fifty times too fast, label
noise) stand among the healthy ones on purpose.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from coequal.ranges import Value
from failing.changes import (
    Change,
    FewImages,
    FewLatents,
    Flipped,
    OnlyClasses,
    Rates,
)

Settings = Mapping[str, Value]

ADAM: Settings = {"beta1": 0.5}
NS: Settings = {**ADAM, "learning_rate": 2e-3}
SN: Settings = {**NS, "spectral_norm": True}
LS: Settings = {**ADAM, "learning_rate": 1e-3}
GP: Settings = {**ADAM, "learning_rate": 1e-3, "discriminator_per_generator": 1, "batch_norm": True}
HINGE: Settings = {**ADAM, "learning_rate": 2e-3, "spectral_norm": True}
BASES: Mapping[str, Settings] = {
    "ns_gan": NS,
    "lsgan": LS,
    "wgan_gp": GP,
    "hinge": HINGE,
}

STEPS, SHORT, ONSET = 800, 600, 300


@dataclass(frozen=True)
class Recipe:
    """One run.

    Attributes:
        name: of the run, without its data.
        data: "clothes" or "shapes".
        model: of `BASES`, or another model.
        settings: of the model.
        meant: a verdict; the label may be another.
        change: what goes wrong, and
        onset: after how many steps.
        steps: in all.
        seed: of the trial.
    """

    name: str
    data: str
    model: str
    settings: Settings
    meant: str = "healthy"
    change: Change | None = None
    onset: int = 0
    steps: int = STEPS
    seed: int = 0
    extra: Settings = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Fit for a file's name."""
        return f"{self.data}-{self.name}"


def healthy(data: str) -> Iterator[Recipe]:
    """Runs that should go well, among them those that look alarming."""

    def run(name: str, model: str, settings: Settings, change: Change | None = None, seed: int = 0):  # type: ignore[no-untyped-def]
        return Recipe(name, data, model, settings, change=change, onset=ONSET, seed=seed)

    for seed in range(4):
        for model, base in BASES.items():
            yield run(f"{model}-{seed}", model, base, seed=seed)
    for seed in range(4):
        yield run(f"ns_sn-{seed}", "ns_gan", SN, seed=seed)
    yield run("hinge-4", "hinge", HINGE, seed=4)
    yield run("hinge-5", "hinge", HINGE, seed=5)
    for model in ("ns_gan", "lsgan", "wgan_gp"):  # slow at this width, and not wrong
        yield run(f"{model}_authors", model, {})
    yield run("ns_authors_d_fast", "ns_gan", {"discriminator_learning_rate": 0.05})
    yield run("ls_slow", "lsgan", {**LS, "learning_rate": 5e-4, "spectral_norm": True})
    yield run("hinge_bn", "hinge", {**ADAM, "learning_rate": 1e-3})
    yield run("ns_1e-3", "ns_gan", {**NS, "learning_rate": 1e-3})
    yield run("ns_d_fast", "ns_gan", {**NS, "discriminator_learning_rate": 0.05})
    yield run("ns_d_faster", "ns_gan", NS, Rates(discriminator=0.1))
    yield run("ls_d_fast", "lsgan", {**LS, "discriminator_learning_rate": 0.05})
    yield run("ns_noisy_labels", "ns_gan", {**NS, "label_smoothing": 0.1})
    yield run("ns_noise", "ns_gan", {**NS, "instance_noise": 0.1})
    yield run("ns_augmented", "ns_gan", {**NS, "augment": "diffaugment"})
    yield run("ns_dropout", "ns_gan", {**NS, "discriminator_dropout": 0.2})
    yield run("gp_2_critic", "wgan_gp", {**GP, "discriminator_per_generator": 2})
    yield run("gp_no_bn", "wgan_gp", {**GP, "batch_norm": False})
    yield run("ls_no_bn", "lsgan", {**LS, "learning_rate": 2e-3, "batch_norm": False})
    yield run("ns_decay", "ns_gan", {**NS, "learning_rate_decay": "linear"})
    yield run("hinge_decay", "hinge", {**HINGE, "learning_rate_decay": "cosine"})
    yield run("ns_r1", "ns_gan", {**NS, "gradient_penalty": "r1", "gradient_penalty_weight": 1.0})


def failing(data: str) -> Iterator[Recipe]:
    """Runs that should fail, half of them in the middle."""

    def pair(  # type: ignore[no-untyped-def]
        name: str, meant: str, model: str, change: Change, settings: Settings | None = None
    ):
        base = settings or BASES[model]
        yield Recipe(f"{name}-start", data, model, base, meant, change, 0, SHORT)
        yield Recipe(f"{name}-middle", data, model, base, meant, change, ONSET, STEPS, seed=1)

    slow, fast = 1e-5, 2e-3
    yield from pair("one_image", "collapsed", "ns_gan", FewLatents(1))
    yield from pair("one_image_gp", "collapsed", "wgan_gp", FewLatents(1))
    yield from pair("four_images", "collapsed", "lsgan", FewLatents(4))
    yield from pair("sixteen_images", "collapsed", "hinge", FewLatents(16))
    yield from pair("d_ahead", "discriminator_won", "ns_gan", Rates(slow, fast))
    yield from pair("d_ahead_ls", "discriminator_won", "lsgan", Rates(slow, fast))
    yield from pair("d_ahead_hinge", "discriminator_won", "hinge", Rates(slow, fast))
    yield from pair("d_frozen", "generator_won", "ns_gan", Rates(discriminator=0.0))
    yield from pair("d_frozen_ls", "generator_won", "lsgan", Rates(discriminator=0.0))
    yield from pair("flipped", "generator_won", "hinge", Flipped())
    yield from pair("g_frozen", "stalled", "wgan_gp", Rates(generator=0.0))
    yield from pair("both_slow", "stalled", "ns_gan", Rates(1e-7, 1e-7))
    yield from pair("two_classes", "mode_dropping", "hinge", OnlyClasses(2))
    yield from pair("five_classes", "mode_dropping", "ns_gan", OnlyClasses(5))
    yield from pair("seven_classes", "mode_dropping", "lsgan", OnlyClasses(7))
    yield from pair(
        "missing_two", "mode_dropping", "hinge", OnlyClasses(8 if data == "clothes" else 7)
    )
    yield from pair("images_16", "overfitting", "ns_gan", FewImages(16))
    yield from pair("images_64", "overfitting", "lsgan", FewImages(64))
    yield from pair("images_200", "overfitting", "hinge", FewImages(200))
    sgd = {"optimiser": "sgd", "beta1": 0.9, "learning_rate": 5.0}
    yield Recipe("sgd_5", data, "ns_gan", {**NS, **sgd}, "diverged", None, 0, SHORT)
    free = {**GP, "learning_rate": 2e-3, "penalty_weight": 0.0, "batch_norm": False}
    yield Recipe("no_penalty", data, "wgan_gp", free, "diverged", None, 0, SHORT)
    yield from pair(
        "no_bn_raised",
        "diverged",
        "ns_gan",
        Rates(0.3, 0.3),
        {**NS, "learning_rate": 1e-3, "batch_norm": False},
    )
    yield from pair("gp_raised", "diverged", "wgan_gp", Rates(0.1, 0.1))
    yield from pair(
        "momentum",
        "oscillating",
        "ns_gan",
        Rates(5e-2, 5e-2),
        {**NS, "beta1": 0.9, "batch_norm": False},
    )
    yield from pair("momentum_ls", "oscillating", "lsgan", Rates(3e-2, 3e-2))


def all_recipes() -> list[Recipe]:
    """Every run, in an order that mixes the kinds."""
    found = [run for data in ("clothes", "shapes") for run in (*healthy(data), *failing(data))]
    return sorted(found, key=lambda run: hash_of(run.id))


def hash_of(text: str) -> int:
    """A number that depends on the text alone."""
    import hashlib

    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)
