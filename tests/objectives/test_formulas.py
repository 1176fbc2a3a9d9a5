"""Every objective against numbers worked out by hand."""

import math

import pytest
import torch

from coequal.contract import (
    Batch,
    ClassLogits,
    DensityGenerator,
    LatentVariableGenerator,
    Logits,
    RealBatch,
    Reconstruction,
    Samples,
)
from coequal.rng import Rng

from toys import ALL, Linear

LOG2 = math.log(2)


def images(*values: float) -> Samples:
    """One image of 1x1 pixel per value."""
    return Samples(torch.tensor(values, dtype=torch.float32).view(-1, 1, 1, 1))


def discriminate(samples: Samples) -> Logits:
    """The logit of an image is its one pixel."""
    return Logits(samples.images.flatten(), samples.images.flatten(1))


def both(name: str, *, real: Samples, fake: Samples, net=discriminate, **settings):  # type: ignore[no-untyped-def]
    objective = ALL[name](**settings)
    batch = Batch(real=real, fake=fake, state=objective.initial_state(), rng=Rng(0))
    of_d = objective.discriminator_loss(net, batch)
    return of_d, objective.generator_loss(None, net, batch)


def test_minimax_and_non_saturating_at_an_undecided_discriminator():
    # l = 0 everywhere: D = 1/2, so L_D = 2 log 2, L_G = -log 2 (minimax) and log 2
    # (non-saturating).
    for name, of_g in (("minimax", -LOG2), ("non_saturating", LOG2)):
        d, g = both(name, real=images(0, 0), fake=images(0, 0))
        assert d.value.item() == pytest.approx(2 * LOG2)
        assert g.value.item() == pytest.approx(of_g)


def test_minimax_and_non_saturating_at_known_logits():
    # l(x) = log 3: D = 3/4. l(g) = -log 3: D = 1/4. L_D = -log(3/4) - log(3/4).
    real, fake = images(math.log(3)), images(-math.log(3))
    d, g = both("minimax", real=real, fake=fake)
    assert d.value.item() == pytest.approx(2 * math.log(4 / 3))
    assert g.value.item() == pytest.approx(math.log(3 / 4))
    assert d.parts["real"].item() == pytest.approx(math.log(4 / 3))
    _, g = both("non_saturating", real=real, fake=fake)
    assert g.value.item() == pytest.approx(math.log(4))


def test_large_logits_keep_their_loss():
    # -log sigmoid(-30) = 30 + log(1 + e^-30); log(sigmoid + 1e-8) would stop at 18.4.
    _, g = both("non_saturating", real=images(0), fake=images(-30))
    assert g.value.item() == pytest.approx(30, abs=1e-5)


def test_least_squares_by_hand():
    # D: ((3-1)^2/2 + (1-1)^2/2)/2 + (2^2/2 + 0)/2 = 1 + 1 = 2. G: ((2-1)^2/2 + (0-1)^2/2)/2 = 1/2.
    d, g = both("least_squares", real=images(3, 1), fake=images(2, 0))
    assert d.value.item() == pytest.approx(2)
    assert g.value.item() == pytest.approx(0.5)


def test_one_sided_smoothing_by_hand():
    # l(x) = log 3: D = 3/4, and the target of real images is 0.9: -.9 log(3/4) - .1 log(1/4)
    # = 2 log 2 - .9 log 3. l(g) = 0: log 2, as without it. L_G is what it was.
    real, fake, settings = images(math.log(3)), images(0), {"one_sided_smoothing": 0.1}
    for name in ("minimax", "non_saturating"):
        d, g = both(name, real=real, fake=fake, **settings)
        assert d.parts["real"].item() == pytest.approx(2 * LOG2 - 0.9 * math.log(3))
        assert d.value.item() == pytest.approx(3 * LOG2 - 0.9 * math.log(3))
        assert g.value.item() == both(name, real=real, fake=fake)[1].value.item()
    # DRAGAN's penalty is 0, as the gradient is 1.
    d, _ = both("dragan", real=images(*[math.log(3)] * 2), fake=images(0, 0), **settings)
    assert d.value.item() == pytest.approx(3 * LOG2 - 0.9 * math.log(3))
    # Least squares: ((3 - .9)^2/2 + (1 - .9)^2/2)/2 = (2.205 + .005)/2; fake (2^2/2 + 0)/2 = 1.
    d, g = both("least_squares", real=images(3, 1), fake=images(2, 0), **settings)
    assert d.value.item() == pytest.approx(1.105 + 1)
    assert g.value.item() == pytest.approx(0.5)


TARGETS = {"acgan", "dragan", "least_squares", "minimax", "non_saturating"}


def test_objectives_with_a_target_have_one_sided_smoothing():
    assert {name for name, kind in ALL.items() if hasattr(kind, "one_sided_smoothing")} == TARGETS


def test_wasserstein_by_hand():
    # D: mean(2, 0) - mean(3, 1) = -1. G: -mean(2, 0) = -1.
    d, g = both("wasserstein", real=images(3, 1), fake=images(2, 0))
    assert (d.value.item(), g.value.item()) == (-1, -1)
    assert ALL["wasserstein"](weight_bound=0.5).requirements().weight_bound == 0.5


@pytest.mark.parametrize("norm", [0.0, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("name", ["wgan_gp", "dragan"])
def test_penalty_of_a_linear_discriminator(name, norm):
    # l(v) = <w, v> has the gradient w at every point: the penalty is (|w| - 1)^2, for any batch.
    weights = torch.tensor([3.0, 0.0, 4.0, 0.0]) / 5 * norm
    rng = Rng(4)
    real, fake = (Samples(rng.uniform(6, 1, 2, 2)) for _ in range(2))
    net = Linear(weights)
    d, _ = both(name, real=real, fake=fake, net=net, penalty_weight=7.0)
    assert d.parts["penalty"].item() == pytest.approx((norm - 1) ** 2, abs=1e-6)
    rest = {"wgan_gp": d.parts["fake"] - d.parts["real"]}.get(
        name, d.parts["fake"] + d.parts["real"]
    )
    assert d.value.item() == pytest.approx((rest + 7 * d.parts["penalty"]).item(), rel=1e-6)
    d.value.backward()
    assert torch.isfinite(net.weights.grad).all()


def test_dragan_penalises_the_probability_when_told():
    # sigmoid(l) has the gradient p (1 - p) w: at w = 0 it is 0, and the penalty 1.
    d, _ = both("dragan", real=images(0.2, 0.4), fake=images(0, 0), net=discriminate)
    assert d.parts["penalty"].item() == pytest.approx(0, abs=1e-12)  # logit: gradient 1 everywhere
    d, _ = both("dragan", real=images(0, 0), fake=images(0, 0), penalised="probability")
    # The pixels are all 0, so is their deviation: v = 0, p = 1/2, gradient 1/4, (1/4 - 1)^2 = 9/16.
    assert d.parts["penalty"].item() == pytest.approx(9 / 16)


def test_dragan_stays_near_real_images():
    seen = []

    def net(samples: Samples) -> Logits:
        seen.append(samples.images.detach().clone())
        return discriminate(samples)

    real = images(*torch.linspace(0, 1, 50).tolist())
    both("dragan", real=real, fake=images(*[0.0] * 50), net=net)
    step = (
        seen[-1] - real.images
    )  # the last batch that is asked for is the penalty's (G asks fakes)
    steps = [points - real.images for points in seen if not torch.equal(points, real.images)]
    half = 0.5 * real.images.std()
    assert any(float(s.min()) >= 0 and 0 < float(s.max()) <= float(half) for s in steps), step


def test_wgan_gp_looks_between_real_and_fake():
    seen = []

    def net(samples: Samples) -> Logits:
        seen.append(samples.images.detach().clone())
        return discriminate(samples)

    both("wgan_gp", real=images(*[1.0] * 40), fake=images(*[0.0] * 40), net=net)
    between = seen[2].flatten()
    assert 0 <= between.min() < 0.2
    assert 0.8 < between.max() <= 1
    assert len(set(between.tolist())) == 40  # one draw per image


def autoencode(samples: Samples) -> Reconstruction:
    """Reconstructs every image as black: the error is the mean pixel."""
    shown = samples.images
    return Reconstruction(shown, torch.zeros_like(shown), shown.flatten(1))


def test_began_by_hand():
    # R(x) = mean(.8, .4) = .6, R(g) = mean(.2, .2) = .2. k = 0: L_D = .6; L_G = .2.
    # k' = 0 + .1 (.5 .6 - .2) = .01. Convergence: .6 + |.3 - .2| = .7.
    objective = ALL["began"](gamma=0.5, balance_rate=0.1)
    given = {"real": images(0.8, 0.4), "fake": images(0.2, 0.2), "rng": Rng(0)}
    d = objective.discriminator_loss(autoencode, Batch(state=objective.initial_state(), **given))
    assert d.value.item() == pytest.approx(0.6)
    assert d.state["balance"].item() == pytest.approx(0.01)
    assert d.parts["convergence"].item() == pytest.approx(0.7)
    g = objective.generator_loss(None, autoencode, Batch(state=d.state, **given))
    assert g.value.item() == pytest.approx(0.2)
    assert g.state is d.state
    # With k = .5: L_D = .6 - .5 * .2 = .5.
    state = {"balance": torch.tensor(0.5)}
    assert objective.discriminator_loss(autoencode, Batch(state=state, **given)).value.item() == 0.5


@pytest.mark.parametrize(("start", "real", "end"), [(0.999, 1.0, 1.0), (0.001, 0.0, 0.0)])
def test_began_keeps_its_balance_within_0_and_1(start, real, end):
    objective = ALL["began"](gamma=1.0, balance_rate=0.5)
    given = {"real": images(real), "fake": images(1 - real), "rng": Rng(0)}
    state = {"balance": torch.tensor(start)}
    assert (
        objective.discriminator_loss(autoencode, Batch(state=state, **given)).state["balance"]
        == end
    )


class Known(LatentVariableGenerator):
    """Posterior N(m, s^2) and a decoder that always says p."""

    def __init__(self, mean: float, deviation: float, p: float) -> None:
        super().__init__()
        self.mean, self.deviation, self.p = mean, deviation, p

    def latents(self, count, rng):  # type: ignore[no-untyped-def]
        return (rng.normal(count, 3),)

    def forward(self, request):  # type: ignore[no-untyped-def]
        return Samples(self.decode(request.latents[0]))

    def encode(self, real):  # type: ignore[no-untyped-def]
        shape = (len(real.images), 3)
        return torch.full(shape, self.mean), torch.full(shape, self.deviation)

    def decode(self, latents, labels=None):  # type: ignore[no-untyped-def]
        return torch.full((len(latents), 2, 1, 2), self.p)


def test_vae_by_hand():
    # KL of N(1, 2^2) from N(0, 1), 3 latents: 3/2 (1 + 4 - log 4 - 1) = 3/2 (4 - log 4).
    # Reconstruction of 2 channels x 2 pixels, all .5 at p = .25: -4 (.5 log .25 + .5 log .75).
    real = Samples(torch.full((5, 2, 1, 2), 0.5))
    loss = ALL["vae"]().generator_loss(
        Known(1.0, 2.0, 0.25), RealBatch(real=real, state={}, rng=Rng(0))
    )
    assert loss.parts["kl"].item() == pytest.approx(1.5 * (4 - math.log(4)), rel=1e-6)
    missing = -2 * (math.log(0.25) + math.log(0.75))
    assert loss.parts["reconstruction"].item() == pytest.approx(missing, rel=1e-6)
    assert loss.value.item() == pytest.approx(missing + 1.5 * (4 - math.log(4)), rel=1e-6)


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_vae_survives_a_decoder_that_is_sure(p):
    real = Samples(torch.full((5, 2, 1, 2), 1 - p))
    loss = ALL["vae"]().generator_loss(
        Known(0.0, 1.0, p), RealBatch(real=real, state={}, rng=Rng(0))
    )
    assert 50 < loss.value.item() < 100  # 4 values x -log 1e-7 = 64


class Fair(DensityGenerator):
    """256^-4 for images of label 0, its square for those of label 1."""

    def latents(self, count: int, rng: Rng):  # type: ignore[no-untyped-def]
        return ()

    def forward(self, request):  # type: ignore[no-untyped-def]
        raise NotImplementedError

    def log_likelihood(self, real: Samples) -> torch.Tensor:
        return -4 * (real.labels + 1) * math.log(256)


def test_maximum_likelihood_by_hand():
    # Two images of 2 channels x 1 x 2: 256^-4 and 256^-8, so 8 and 16 bits per dimension: 12.
    real = Samples(torch.zeros(2, 2, 1, 2), torch.tensor([0, 1]))
    objective = ALL["maximum_likelihood"]()
    loss = objective.generator_loss(Fair(), RealBatch(real=real, state={}, rng=Rng(0)))
    assert loss.value.item() == pytest.approx(12, rel=1e-6)
    assert loss.parts["bits_per_dimension"].item() == loss.value.item()
    assert objective.requirements().output is None


def test_hinge_by_hand():
    # D: (max(0, 1 - 3) + max(0, 1 - 0.5))/2 + (max(0, 1 - 2) + max(0, 1 + 0))/2 = 1/4 + 1/2.
    d, g = both("hinge", real=images(3, 0.5), fake=images(-2, 0))
    assert d.value.item() == pytest.approx(0.75)
    assert g.value.item() == pytest.approx(1)  # -(-2 + 0)/2
    # With a margin of 2: (0 + 1.5)/2 + (0 + 2)/2.
    d, _ = both("hinge", real=images(3, 0.5), fake=images(-2, 0), margin=2.0)
    assert d.value.item() == pytest.approx(1.75)


def classify(samples: Samples) -> ClassLogits:
    """The logit of an image is its pixel; that of class 0 too, those of two others are 0."""
    pixel = samples.images.flatten()
    nothing = torch.zeros_like(pixel)
    return ClassLogits(pixel, samples.images.flatten(1), torch.stack([pixel, nothing, nothing], 1))


def labelled(value: float, label: int) -> Samples:
    return Samples(torch.full((1, 1, 1, 1), value), torch.tensor([label]))


def test_acgan_by_hand():
    # Pixels of log 2: P(class 0) = 2/4, P(class 1) = 1/4. D(x) = D(g) = 2/3.
    real, fake = labelled(LOG2, 0), labelled(LOG2, 1)
    given = {"class_weight": 2.0, "generator_class_weight": 0.5}
    d, g = both("acgan", real=real, fake=fake, net=classify, **given)
    game = math.log(3 / 2) + math.log(3)
    assert d.value.item() == pytest.approx(game + 2 * (LOG2 + 2 * LOG2))
    assert g.value.item() == pytest.approx(math.log(3 / 2) + 0.5 * 2 * LOG2)
    d, g = both("acgan", real=real, fake=fake, net=classify)  # the paper's weights are 1
    assert d.value.item() == pytest.approx(game + 3 * LOG2)
    # A target of 0.9: -.9 log(2/3) - .1 log(1/3) = log(3/2) + .1 log 2.
    d, _ = both("acgan", real=real, fake=fake, net=classify, one_sided_smoothing=0.1)
    assert d.value.item() == pytest.approx(game + 3.1 * LOG2)


def test_wgan_gp_with_classes_by_hand():
    # The gradient by the one pixel is 1: no penalty. D's classes are those of the real image alone.
    real, fake = labelled(LOG2, 0), labelled(0.0, 1)
    d, g = both("wgan_gp_acgan", real=real, fake=fake, net=classify)
    assert d.parts["penalty"].item() == pytest.approx(0, abs=1e-6)
    assert d.value.item() == pytest.approx(-LOG2 + LOG2)  # 0 - log 2, and CE = log 2
    assert g.value.item() == pytest.approx(0.1 * math.log(3))
    d, _ = both("wgan_gp_acgan", real=real, fake=fake, net=classify, class_weight=3.0)
    assert d.value.item() == pytest.approx(2 * LOG2)


def test_wgan_gp_with_classes_has_the_penalty_of_wgan_gp():
    weights = torch.tensor([3.0, 0.0, 0.0, 0.0])  # a gradient of length 3 everywhere

    def net(samples: Samples) -> ClassLogits:
        flat = samples.images.flatten(1)
        return ClassLogits(flat @ weights, flat, torch.zeros(len(flat), 2))

    batch = Samples(torch.zeros(2, 1, 2, 2), torch.tensor([0, 1]))
    settings = {"class_weight": 0.0, "penalty_weight": 5.0}
    d, _ = both("wgan_gp_acgan", real=batch, fake=batch, net=net, **settings)
    assert d.value.item() == pytest.approx(5 * (3 - 1) ** 2)


@pytest.mark.parametrize("name", ["acgan", "wgan_gp_acgan"])
def test_classes_need_labels(name):
    with pytest.raises(ValueError, match="needs labels"):
        both(name, real=images(0), fake=images(0), net=classify)
