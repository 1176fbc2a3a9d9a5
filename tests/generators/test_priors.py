"""Latents of generators from outside: how they are written, drawn and portioned."""

import pytest
import torch

from coequal.generators.latents import BLOCK, LatentStream, latent_prior
from coequal.rng import Rng


@pytest.mark.parametrize(
    ("given", "text", "shape"),
    [
        (128, "normal:128", (128,)),
        ("128", "normal:128", (128,)),
        ("normal:128", "normal:128", (128,)),
        ("uniform:64", "uniform:64", (64,)),
        ("normal:4x8x8", "normal:4x8x8", (4, 8, 8)),
        ((4, 8, 8), "normal:4x8x8", (4, 8, 8)),
        ([2, 3], "normal:2x3", (2, 3)),
    ],
)
def test_ways_to_write_a_prior(given, text, shape):
    prior = latent_prior(given)
    assert str(prior) == text
    (latents,) = prior.draw(5, Rng(0))
    assert latents.shape == (5, *shape)
    assert latents.dtype == torch.float32


@pytest.mark.parametrize(
    "given",
    ["", "normal", "normal:", "gauss:3", "normal:0", "3,4", 0, -1, 2.5, (), (4, 0), True, {}],
)
def test_what_is_no_prior_is_refused(given):
    with pytest.raises(ValueError, match=r'latents must be 128, "normal:128", "uniform:64"'):
        latent_prior(given)


def test_normal_latents_are_standard_and_uniform_ones_from_minus_1_to_1():
    (normal,) = latent_prior(1000).draw(100, Rng(0))
    # Of 100,000 numbers the mean has the error 0.003 (uniform 0.002), the variance 0.0045.
    assert abs(float(normal.mean())) < 0.02
    assert abs(float(normal.var()) - 1) < 0.03
    (uniform,) = latent_prior("uniform:1000").draw(100, Rng(0))
    assert -1 <= float(uniform.min()) < -0.999
    assert 0.999 < float(uniform.max()) < 1
    assert abs(float(uniform.mean())) < 0.01
    assert latent_prior("uniform:9").support == (-1, 1)
    assert latent_prior(9).support is None


def test_a_function_draws_from_the_stream_that_it_is_given():
    def two(count, generator):
        return torch.randn(count, 3, generator=generator), torch.ones(count, 2)

    prior = latent_prior(two)
    assert str(prior) == "function:two"
    first, again = prior.draw(4, Rng(7)), prior.draw(4, Rng(7))
    assert [part.shape for part in first] == [(4, 3), (4, 2)]
    assert torch.equal(first[0], again[0])
    assert not torch.equal(first[0], prior.draw(4, Rng(8))[0])


@pytest.mark.parametrize(
    ("returned", "got"), [(torch.zeros(3, 2), r"\(3, 2\)"), (None, "NoneType"), (5, "int")]
)
def test_a_function_that_returns_something_else_is_refused(returned, got):
    prior = latent_prior(lambda count, generator: returned)
    with pytest.raises(ValueError, match=f"was asked for 4 rows and returned {got}; it must"):
        prior.draw(4, Rng(0))


@pytest.mark.parametrize("given", [3, "uniform:2", "normal:2x2"])
def test_rows_are_the_same_however_they_are_portioned(given):
    total = 3 * BLOCK + 5
    (whole,) = LatentStream(latent_prior(given), Rng(1)).take(total)
    for portion in (1, 7, BLOCK, 2 * BLOCK + 1):
        stream, rows = LatentStream(latent_prior(given), Rng(1)), []
        for start in range(0, total, portion):
            rows.append(stream.take(min(portion, total - start))[0])
        assert torch.equal(torch.cat(rows), whole)
    assert len(whole.unique(dim=0)) == total  # no block is drawn twice
