"""Images of modules and functions from outside: batches, seeds, modes, ranges, refusals."""

import random
import re

import numpy as np
import pytest
import torch
from torch import nn

import coequal
from coequal.contract import GeneratorInput
from coequal.generators.drawing import drawn_images
from coequal.generators.outside import OutsideGenerator
from coequal.inputs import growing_rows
from foreign import ForeignDevice


class Net(nn.Module):
    """3x4x4 images of 8 latents; `values` is its last layer."""

    def __init__(self, values=torch.tanh, channels=3):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(8, channels * 16), nn.BatchNorm1d(channels * 16))
        with torch.no_grad():
            stream = torch.Generator().manual_seed(3)
            for parameter in self.layers[0].parameters():
                parameter.normal_(generator=stream)
            self.layers[1].running_mean.normal_(generator=stream)
        self.values, self.shape, self.asked = values, (channels, 4, 4), []

    def forward(self, latents):
        self.asked.append((len(latents), self.training, torch.is_grad_enabled()))
        return self.values(self.layers(latents)).view(-1, *self.shape)


def drawn(net, count=20, seed=0, form=torch.uint8, log=lambda line: None, **options):
    generator = coequal.generator(net, **{"latent": 8, "batch": 8, **options})
    assert isinstance(generator, OutsideGenerator)
    return drawn_images(generator, count, seed, form, log)


def test_values_are_mapped_to_8_bits():
    # Values z are white or black: z > 0 gives 1, which is 255; else -1, which is 0.
    net = Net(torch.sign)
    images = drawn(net).images.whole
    assert images.dtype == torch.uint8
    assert images.shape == (20, 3, 4, 4)
    assert images.unique().tolist() == [0, 255]
    # 0.25 of [0, 1] is 63.75, rounded 64; of [-1, 1] it is 0.625 * 255 = 159.375
    quarter = lambda x: torch.full_like(x, 0.25)  # noqa: E731
    assert drawn(Net(quarter), value_range=(0, 1)).images.whole.unique().tolist() == [64]
    assert drawn(Net(quarter)).images.whole.unique().tolist() == [159]
    assert drawn(Net(quarter), value_range="-1,1").images.whole.unique().tolist() == [159]


def test_the_form_is_that_of_the_real_images():
    images = drawn(Net(torch.sigmoid), value_range=(0, 1), form=torch.float32).images.whole
    assert images.dtype == torch.float32
    assert 0 <= float(images.min()) < float(images.max()) <= 1
    eight_bits = drawn(Net(torch.sigmoid), value_range=(0, 1)).images.whole
    assert torch.equal(images.mul(255).round().byte(), eight_bits)


def test_every_batch_has_the_size_that_was_asked_for():
    net = Net()
    found = drawn(net, count=20)
    assert net.asked == [(8, False, False)] * 3  # 20 of 24 are used
    assert len(found) == 20


@pytest.mark.parametrize("mode", [True, False])
def test_modes_are_put_back_part_by_part(mode):
    net = Net().train(mode)
    net.layers[1].eval()
    drawn(net)
    assert [part.training for part in net.modules()] == [mode, mode, mode, False]
    assert net.layers[1].num_batches_tracked == 0
    assert all(parameter.grad is None for parameter in net.parameters())


@pytest.mark.parametrize("wrap", [lambda net: lambda z: net(z), lambda net: net.forward])
def test_modules_that_a_function_calls_are_evaluated_as_well(wrap):
    net = Net().train()
    assert torch.equal(drawn(wrap(net)).images.whole, drawn(net).images.whole)
    assert {training for _, training, _ in net.asked} == {False}
    assert net.training


def test_one_seed_gives_one_set_whatever_count_and_batch_are():
    net = Net(torch.sign)  # which rounding does not change
    images = drawn(net, count=70, batch=8).images.whole
    assert torch.equal(drawn(net, count=70, batch=8).images.whole, images)
    for count, batch in ((70, 64), (33, 5), (1, 100)):
        assert torch.equal(drawn(net, count=count, batch=batch).images.whole, images[:count])
    assert not torch.equal(drawn(net, count=70, seed=1).images.whole, images)
    assert len(images.flatten(1).unique(dim=0)) > 60


def test_what_a_net_draws_itself_follows_the_seed_and_leaves_no_trace():
    def noisy(latents):
        shade = torch.rand(1).item() + np.random.rand() + random.random()  # noqa: NPY002
        return torch.full((len(latents), 1, 2, 2), shade / 3)

    states = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002
    first, again, other = (drawn(noisy, value_range=(0, 1), seed=k).images.whole for k in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert len(first.unique()) == 3  # a batch, a shade
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.random.get_state()[1].tolist() == states[1]  # noqa: NPY002
    assert random.getstate() == states[2]


def test_labels_are_given_in_turn():
    asked = []

    def of_class(latents, labels):
        asked.append(labels)
        return (labels / 2).view(-1, 1, 1, 1).expand(-1, 1, 2, 2)

    found = drawn(of_class, count=10, batch=4, classes=3, value_range=(0, 1))
    assert [labels.tolist() for labels in asked] == [[0, 1, 2, 0], [1, 2, 0, 1], [2, 0, 1, 2]]
    assert found.labels.tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]
    assert found.images.whole[:3, 0, 0, 0].tolist() == [0, 128, 255]
    assert found.generator.conditional


def test_what_was_done_stands_in_the_record():
    record = drawn(Net(), batch=8, seed=5).as_dict()
    assert record["kind"] == "generator"
    assert record["source"] == "Net"
    assert record["generator"] == {
        "latents": "normal:8",
        "value_range": [-1.0, 1.0],
        "batch": 8,
        "classes": 0,
        "seed": 5,
        "file_sha256": None,
    }
    assert record["notes"] == [
        "20 images drawn: latents normal:8, values in [-1, 1], batches of 8, seed 5"
    ]


@pytest.mark.parametrize(
    ("returned", "same"),
    [
        (lambda x: x.permute(0, 2, 3, 1), True),
        (lambda x: (x, "more"), True),
        (lambda x: x.numpy(), True),
        (lambda x: x.double(), True),
        (lambda x: x.add(1).div(2).mul(255).round().byte(), True),
    ],
)
def test_other_ways_to_return_images(returned, same):
    net = Net()
    images = drawn(lambda z: returned(net(z))).images.whole
    assert torch.equal(images, drawn(net).images.whole) == same


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_is_mapped_in_full(kind):
    # -0.99609375 = -255 / 256 is exact in both: of [-1, 1] it is 1 / 512, and 255 times that 0.498,
    # which is 0; half precision would round 1 / 512 + errors of 2 ** -8 to 1 or more.
    value = -255 / 256
    images = drawn(lambda z: torch.full((len(z), 1, 2, 2), value, dtype=kind), form=torch.float32)
    assert images.images.whole.unique().tolist() == [1 / 512]


def test_grey_images_may_have_three_axes_and_points_stay_floats():
    assert drawn(lambda z: torch.tanh(z.view(-1, 2, 4))).images.shape == (20, 1, 2, 4)
    points = drawn(lambda z: torch.sigmoid(z[:, :2, None, None]), value_range=(0, 1))
    assert points.images.dtype == torch.float32


def raises(*args):
    raise KeyError("no such layer")


def on_a_gpu(*args):
    raise AssertionError("Torch not compiled with CUDA enabled")


shapes = iter([(8, 1, 2, 2), (8, 1, 3, 3)])


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (lambda z: torch.zeros(3, 1, 2, 2), "was asked for 8 images and returned 3"),
        (lambda z: torch.zeros(8, 5, 2, 2), "shape (8, 5, 2, 2); it must be images (n, c, h, w)"),
        (lambda z: torch.zeros(8, 12), "returned a tensor of shape (8, 12); it must be images"),
        (lambda z: None, "returned nothing; it must return a tensor of images"),
        (lambda z: {"images": z}, "returned a dict; it must return a tensor of images"),
        (lambda z: torch.zeros(8, 1, 2, 2).long(), "returned torch.int64; images are floats or"),
        (lambda z: torch.full((8, 1, 2, 2), torch.nan), "8 of 8 images hold NaN or infinity (in"),
        (lambda z: torch.zeros(next(shapes)), "shape (1, 2, 2) and then of (1, 3, 3); all must"),
        (raises, "raises failed, given tensors of shape (8, 8): KeyError: 'no such layer' (test_"),
        (on_a_gpu, "on_a_gpu needs a GPU, and torch sees none here (AssertionError: Torch not"),
        (
            lambda z: torch.linspace(0, 255, 32).view(8, 1, 2, 2),
            "of values lie outside [-1, 1], 97% far outside (found 0 to 255); they look like "
            "[0, 255]; give the values of black and white: --value-range=0,255, in Python "
            "value_range=(0, 255)",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_image_is_one_message(net, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        drawn(net)


def test_values_of_another_range_are_refused_with_the_range_they_look_like():
    # tanh gives as many values below 0 as above: about 40 % are below -0.25, far outside [0, 1].
    with pytest.raises(ValueError, match=r"look like \[-1, 1\]; .* --value-range=-1,1,"):
        drawn(Net(torch.tanh), value_range=(0, 1))
    found = drawn(Net(torch.sigmoid))
    assert (
        "if it gives [0, 1], say --value-range=0,1, in Python value_range=(0, 1)"
        in (found.warnings[0])
    )
    assert drawn(Net(torch.tanh)).warnings == ()
    assert drawn(Net(torch.sigmoid), value_range=(0, 1)).warnings == ()
    assert "all values lie in [-1, 1]" in drawn(Net(), value_range=(0, 255)).warnings[0]


def test_a_net_without_a_bounding_layer_is_clipped_and_said_so():
    # 0.1 of each 16 values is 1.2: outside [-1, 1] by a tenth of its width, which is not far.
    def clipped(latents):
        images = torch.zeros(len(latents), 1, 4, 4)
        images[:, :, 0, 0], images[:, :, 0, 1] = 1.2, -0.5
        return images

    found = drawn(clipped)
    assert found.notes[1] == (
        "6.25% of values lay outside [-1, 1] (found -0.5 to 1.2) and were clipped"  # 1 of 16
    )
    assert found.images.whole[0, 0, 0].tolist() == [255, 64, 128, 128]  # 0.25 * 255, 0.5 * 255


def test_tensors_of_the_user_are_not_written_to():
    kept = torch.full((8, 1, 2, 2), 1.2)
    drawn(lambda z: kept, value_range=(0, 1))
    assert kept.unique().tolist() == pytest.approx([1.2])


def test_images_that_would_fill_memory_go_to_a_file(monkeypatch):
    images = drawn(Net()).images
    assert images.loaded
    monkeypatch.setattr(growing_rows, "IN_MEMORY_BYTES", 0)
    mapped = drawn(Net()).images
    assert not mapped.loaded
    assert torch.equal(mapped.whole, images.whole)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"latent": None}, "Net: give its latent distribution, as --latent normal:128, in"),
        ({"batch": 0}, "batch must be a whole number from 1, got 0"),
        ({"classes": -1}, "classes must be a whole number from 0, got -1"),
        ({"value_range": (1, 0)}, "a value range is two numbers"),
        ({"latent": "gauss:4"}, "latents must be 128"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        drawn(Net(), **arguments)


def test_a_class_and_a_thing_are_no_generators():
    with pytest.raises(ValueError, match="Net is a class; give an instance of it with its"):
        coequal.generator(Net, latent=8)
    with pytest.raises(
        ValueError, match="list is neither a torch module nor a function of latents"
    ):
        coequal.generator([1], latent=8)


def test_it_is_a_generator_of_the_contract_with_gradients():
    generator = coequal.generator(Net().eval(), latent="uniform:8")
    assert generator.support == (-1, 1)
    latents = torch.zeros(4, 8, requires_grad=True)
    images = generator(GeneratorInput((latents,))).images
    (gradient,) = torch.autograd.grad(images.sum(), latents)
    assert gradient.abs().min() > 0
    assert images.min() >= 0
    assert images.max() <= 1
    detached = coequal.generator(lambda z: torch.tanh(z.detach()).view(-1, 1, 2, 4), latent=8)
    with pytest.raises(ValueError, match="gives no gradient by its latents, which a search"):
        detached(GeneratorInput((latents,)))


@pytest.mark.parametrize("labelled", [False, True])
def test_a_net_on_another_device_makes_the_same_images(labelled):
    class Conditional(Net):
        def forward(self, latents, labels=None):
            return super().forward(latents if labels is None else latents * labels[:, None])

    classes = 3 if labelled else 0
    expected = drawn(Conditional(), classes=classes, form=torch.float32).images.whole
    with ForeignDevice() as foreign:
        found = drawn(Conditional().to(foreign.device), classes=classes, form=torch.float32)
        assert found.generator.device == foreign.device
        assert found.images.whole.device == torch.device("cpu")
        assert torch.equal(found.images.whole, expected)
