import math

import pytest
import torch
from scipy.optimize import lsq_linear
from torch import nn

from coequal import lookup
from coequal.contract import Generator, GeneratorInput, ImageShape, Samples
from coequal.manifolds.inversion import invert as inversion
from coequal.manifolds.inversion.invert import Effort, folded, invert
from coequal.manifolds.inversion.latents import Ball, Box, joined, split, support_of
from coequal.rng import Rng

WHOLE = Effort(stop=False, samples=64, hopeless=math.inf, near=math.inf)


def targets(count: int, side: int) -> torch.Tensor:
    return Rng(1).uniform(count, 1, side, side)


def test_a_linear_generator_has_a_closed_form(affine):
    # The nearest point of the plane A z + b: the squared distance is |(I - A A+) (x - b)|^2. The
    # ball of radius sqrt(6) + 2 = 4.4 holds every solution here (asserted), so it binds nothing.
    generator = affine(6, 4, None)
    images = 0.5 + 0.1 * (targets(40, 4) - 0.5)
    found = invert(generator, images, Rng(2), WHOLE)
    matrix = generator.matrix.detach().double()
    rest = images.flatten(1).double() - 0.5
    best = rest @ torch.linalg.pinv(matrix).T
    assert best.norm(dim=1).max() < 4
    expected = (rest - best @ matrix.T).square().sum(1)
    torch.testing.assert_close(found.squared.double(), expected, rtol=1e-4, atol=1e-7)


def test_in_a_box_the_answer_is_that_of_bounded_least_squares(affine):
    generator = affine(6, 4, (-1.0, 1.0))
    images = targets(20, 4)  # far outside: many latents end on a face
    found = invert(generator, images, Rng(2), WHOLE)
    assert found.latents.abs().max() <= 1
    matrix = generator.matrix.detach().double().numpy()
    for image, squared in zip(images.flatten(1).double().numpy(), found.squared, strict=True):
        exact = 2 * lsq_linear(matrix, image - 0.5, (-1, 1), tol=1e-12).cost
        assert float(squared) == pytest.approx(exact, rel=2e-3)


def infogan(width: float, latents: int) -> Generator:
    nets = lookup.load("architectures", "infogan")(width=width, latents=latents, norm_momentum=1.0)
    objective = lookup.load("objectives", "non_saturating")()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        generator: Generator = nets.build(
            ImageShape(1, 8, 8), None, objective.requirements()
        ).generator
    generator(
        GeneratorInput(generator.latents(256, Rng(0)))
    )  # moves BatchNorm's averages to this batch's
    return generator


def test_what_the_generator_can_make_is_found():
    generator = infogan(1 / 8, 64).eval()
    *_, last = (m for m in generator.modules() if isinstance(m, nn.ConvTranspose2d))
    last.weight.data *= 30  # or all images would be nearly one
    with torch.no_grad():
        images = generator(GeneratorInput(generator.latents(100, Rng(5)))).images
    assert (images[:50] - images[50:]).square().flatten(1).sum(1).mean() > 3
    found = invert(generator, images, Rng(6), Effort(delta=0.1, samples=2048))
    assert (found.squared <= 0.1).float().mean() >= 0.99


def test_early_stop_finds_the_same_images_with_less_work(affine):
    generator = affine(6, 4, (-1.0, 1.0))
    images = targets(60, 4)
    delta = float(invert(generator, images, Rng(2), WHOLE).squared.median()) * 1.001
    whole = invert(generator, images, Rng(2), Effort(delta=delta, stop=False, samples=64))
    stopped = invert(generator, images, Rng(2), Effort(delta=delta, samples=64))
    assert torch.equal(whole.squared <= delta, stopped.squared <= delta)
    assert stopped.evaluations.sum() < whole.evaluations.sum()
    assert (
        stopped.squared[stopped.squared <= delta] >= whole.squared[whole.squared <= delta]
    ).all()


def test_effort_that_runs_out_is_said(affine):
    generator = affine(6, 4, (-1.0, 1.0))
    images = targets(60, 4)
    best = invert(generator, images, Rng(2), WHOLE).squared
    delta = float(best.min()) * 0.75  # nothing can be found; all between delta and 2 delta is open
    short = Effort(delta=delta, samples=4, ticks=2, more=3)
    found = invert(generator, images, Rng(2), short)
    assert found.evaluations.max() <= 3
    inside = (found.squared > delta) & (found.squared <= 2 * delta)
    assert torch.equal(found.undecided, inside)
    assert inside.any()
    patient = invert(generator, images, Rng(2), Effort(delta=delta, samples=4))
    assert not patient.undecided.any()  # every search ended by itself


def test_hopeless_and_far_searches_end_early(affine):
    generator = affine(6, 4, (-1.0, 1.0))
    images = targets(30, 4)
    least = float(invert(generator, images, Rng(2), WHOLE).squared.min())
    never = Effort(delta=least / 100, ticks=300, samples=4)
    # All are beyond 20 delta, so none goes on after round one; with hope, they do.
    counts = invert(generator, images, Rng(2), never).evaluations
    hopeful = Effort(delta=least / 100, ticks=300, samples=4, hopeless=math.inf)
    assert counts.max() <= inversion.HOPELESS_AFTER
    assert invert(generator, images, Rng(2), hopeful).evaluations.sum() >= counts.sum()


def test_an_image_s_answer_does_not_depend_on_its_neighbours(affine):
    generator = affine(6, 4, (-1.0, 1.0))
    images = targets(300, 4)  # three batches
    found = invert(generator, images, Rng(2), WHOLE)
    alone = invert(generator, images[130:140], Rng(2), WHOLE)
    torch.testing.assert_close(found.squared[130:140], alone.squared, rtol=1e-5, atol=1e-6)


def test_the_generator_is_left_as_it_was(affine):
    generator = infogan(1 / 32, 4).train()
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    state = torch.get_rng_state()
    invert(generator, targets(3, 8), Rng(2), Effort(samples=8, ticks=3, more=3))
    assert generator.training
    assert all(p.requires_grad and p.grad is None for p in generator.parameters())
    assert torch.equal(state, torch.get_rng_state())
    for name, value in generator.state_dict().items():
        assert torch.equal(value, before[name]), name


class Broken(Generator):
    def latents(self, count, rng):
        return (rng.normal(count, 2),)

    def forward(self, request):
        images = request.latents[0].sum(1).view(-1, 1, 1, 1).expand(-1, 1, 4, 4)
        return Samples(torch.where(images > 2, torch.nan, images))


def test_a_generator_that_gives_nan_has_no_recall_and_the_reason_is_said():
    # The sum of two normal numbers is above 2 in 8 % of draws.
    with pytest.raises(FloatingPointError, match=r"recall is undefined: \d+ of 512 images"):
        invert(Broken(), targets(3, 4), Rng(0), Effort(samples=512))


def test_folding_changes_no_image():
    generator = infogan(1 / 8, 64).eval()
    net = folded(generator)
    assert not [m for m in net.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    request = GeneratorInput(generator.latents(32, Rng(1)))
    torch.testing.assert_close(net(request).images, generator(request).images, atol=1e-5, rtol=0)


@pytest.mark.parametrize("support", [Box(-1.0, 1.0), Box(0.0, 3.0), Ball(4.0)])
def test_every_number_is_mapped_into_the_support_and_back(support):
    free = 5 * Rng(0).normal(200, 6)
    latents = support.inside(free)
    if isinstance(support, Box):
        assert latents.min() >= support.low
        assert latents.max() <= support.high
    else:
        assert latents.norm(dim=1).max() < support.radius
    within = support.inside(0.3 * free)
    again = support.inside(support.free(within))
    assert (again - within).abs().max() < 5e-3  # starts are moved inside by a thousandth


def test_the_support_is_the_generator_s_own(affine):
    assert support_of(affine(6, 4, (-1.0, 1.0)), 6) == Box(-1.0, 1.0)
    assert support_of(affine(6, 4, None), 64) == Ball(10.0)  # sqrt(64) + 2
    assert "[-1, 1]" in Box(-1.0, 1.0).description
    assert "10.0" in Ball(10.0).description


def test_latents_of_several_tensors_are_rows_of_numbers():
    parts = (torch.arange(6.0).view(2, 3), torch.arange(8.0).view(2, 2, 2))
    rows = joined(parts)
    assert rows.tolist() == [[0, 1, 2, 0, 1, 2, 3], [3, 4, 5, 4, 5, 6, 7]]
    again = split(rows, parts)
    assert all(torch.equal(a, b) for a, b in zip(again, parts, strict=True))
