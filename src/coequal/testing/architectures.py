"""The contract of an architecture."""

import torch
from torch import nn

from coequal.contract import (
    Architecture,
    ClassLogits,
    Conditions,
    DensityGenerator,
    Discriminate,
    DiscriminatorOutput,
    Generator,
    GeneratorInput,
    ImageShape,
    LatentVariableGenerator,
    Logits,
    Players,
    Reconstruction,
    Requirements,
    Samples,
    StochasticLayer,
)
from coequal.rng import Rng
from coequal.testing._requirements import (
    check_settings,
    contract_kept,
    name_of,
    no_global_draws,
    require,
)
from coequal.training.loop import build_players
from coequal.training.part_calls import checked_output

SHAPES = (
    *(ImageShape(1, size, size) for size in (8, 16, 28)),
    *(ImageShape(3, size, size) for size in (16, 32, 64)),
    ImageShape(2, 1, 1),
)
ODD_SHAPES = (ImageShape(1, 27, 27), ImageShape(2, 28, 28))
CLASSES = 3
IMAGES = 6
PARTS_TOLERANCE = 1e-5  # of an image in [0, 1] that is made in a batch of another size


def check_architecture(
    architecture: Architecture,
    *,
    shape: tuple[int, int, int] | None = None,
    requirements: Requirements | None = None,
) -> None:
    """Check that an architecture keeps the contract.

    It builds the kinds of nets that it declares, or gives a reason why it can't, in words. Its
    generator makes images in [0, 1] of the right shape, with the labels and sources that were asked
    for; they follow from the latents and the conditions alone, one by one, and labels change them
    if and only if the generator says so (`conditional`). Its discriminator gives an output of the
    kind required, a row for each image, with a gradient to the images. Nothing draws from a global
    generator in `forward`, and the seed decides the parameters.

    Args:
        architecture: with the settings that are to be checked; narrow ones are quicker.
        shape: channels, height and width of the images; by default the first that it can build of
            grey images of 8, 16 and 28, colour images of 16, 32 and 64, and points.
        requirements: those of one objective; by default of every kind of objective that the
            architecture can serve.

    Raises:
        AssertionError: the contract is broken; the message says how.
        TypeError: this is no instance of a class that extends `Architecture`.
    """
    if not isinstance(architecture, Architecture):
        raise TypeError(f"{name_of(architecture)} is no instance of Architecture")
    check_settings(architecture)
    known = frozenset({"generator", "discriminator"})
    message = f"uses_labels must be some of {sorted(known)}"
    require(architecture.uses_labels <= known, architecture, message)
    form = _shape(architecture, shape)
    served = [requirements] if requirements else _served(architecture)
    require(bool(served), architecture, "serves no objective: see `capabilities` and `unmet`")
    for each in served:
        unmet = architecture.unmet(each)
        require(not unmet, architecture, f"does not serve the objective: {unmet}")
        _check_seed(architecture, form, each)
        players = _built(architecture, form, each, 1)
        _check_generator(architecture, players.generator, form)
        if players.discriminator is not None and each.output is not None:
            _check_discriminator(architecture, players.discriminator, form, each.output)


def _shape(architecture: Architecture, shape: tuple[int, int, int] | None) -> ImageShape:
    """The shape to check on; every other one must be refused in words, or built."""
    for odd in (*SHAPES, *ODD_SHAPES):
        reason = architecture.unsupported_reason(odd)
        message = f"unsupported_reason({odd}) must be None or a sentence, not {reason!r}"
        require(reason is None or bool(reason), architecture, message)
    candidates = [ImageShape(*shape)] if shape else SHAPES
    supported = [each for each in candidates if architecture.unsupported_reason(each) is None]
    require(bool(supported), architecture, f"builds none of {', '.join(map(str, candidates))}")
    return supported[0]


def _served(architecture: Architecture) -> list[Requirements]:
    """Requirements of every kind of objective that an architecture can serve."""
    outputs: dict[type[DiscriminatorOutput], None] = dict.fromkeys(
        (Logits, ClassLogits, Reconstruction, *architecture.capabilities.outputs)
    )
    alone = [LatentVariableGenerator, DensityGenerator]
    kinds: list[type[Generator]] = [*alone, *architecture.capabilities.generators]
    candidates = [Requirements(output=output) for output in outputs]
    candidates += [
        Requirements(generator=kind) for kind in dict.fromkeys(kinds) if kind is not Generator
    ]
    return [each for each in candidates if not architecture.unmet(each)]


def _built(
    architecture: Architecture, shape: ImageShape, requirements: Requirements, seed: int
) -> Players:
    with contract_kept(architecture):
        players = build_players(architecture, shape, CLASSES, requirements, seed)
    for net in (players.generator, players.discriminator):
        for layer in net.modules() if net is not None else ():
            if isinstance(layer, StochasticLayer):
                layer.rng = Rng(0)
    return players


def _check_seed(architecture: Architecture, shape: ImageShape, requirements: Requirements) -> None:
    with no_global_draws(architecture, "build, outside the fork of torch's generator,"):
        one, same, other = (
            _built(architecture, shape, requirements, seed).generator.state_dict()
            for seed in (1, 1, 2)
        )
    equal = all(torch.equal(one[key], same[key]) for key in one)
    require(equal, architecture, "one seed built two different generators")
    differ = any(not torch.equal(one[key], other[key]) for key in one)
    require(differ, architecture, "two seeds built the same generator")


def _check_generator(architecture: Architecture, generator: Generator, shape: ImageShape) -> None:
    """A deterministic map from latents and conditions to images in [0, 1]."""
    _perturb(generator)
    latents, again = (generator.latents(IMAGES, Rng(5)) for _ in range(2))
    right = all(len(part) == IMAGES for part in latents)
    require(right, architecture, "latents(count, rng) must have `count` rows in every tensor")
    right = all(torch.equal(*pair) for pair in zip(latents, again, strict=True))
    require(right, architecture, "latents must follow from the random stream that they are given")
    if generator.support is not None:
        low, high = generator.support
        right = all(low <= part.min() and part.max() <= high for part in latents)
        require(right, architecture, f"latents lie outside the support {generator.support}")
    asked = Conditions(torch.arange(IMAGES) % CLASSES, torch.zeros(IMAGES, *shape))
    generator.eval()
    for mode in (True, False):
        with no_global_draws(architecture, "the generator"), torch.no_grad():
            samples = generator.train(mode)(GeneratorInput(latents, asked))
        _check_images(architecture, samples, shape, asked)
    _check_one_by_one(architecture, generator, latents, asked, samples)
    with torch.no_grad():
        others = Conditions((torch.arange(IMAGES) + 1) % CLASSES, asked.sources)
        turned = generator(GeneratorInput(latents, others)).images
    changed = not torch.equal(turned, samples.images)
    message = f"says conditional={generator.conditional}, and labels "
    message += "change its images" if changed else "change no image"
    require(changed == generator.conditional, architecture, f"the generator {message}")
    check_posterior_and_density(architecture, generator, samples)


def check_posterior_and_density(
    architecture: Architecture, generator: Generator, samples: Samples
) -> None:
    """What generators of the kinds that a likelihood needs give beside images."""
    if isinstance(generator, LatentVariableGenerator):
        mean, deviation = generator.encode(samples)
        right = mean.shape == deviation.shape and bool((deviation > 0).all())
        message = "encode must give means and, of the same shape, deviations above 0"
        require(right, architecture, message)
        right = generator.decode(mean, samples.labels).shape == samples.images.shape
        require(right, architecture, "decode must give images of the data's shape")
    if isinstance(generator, DensityGenerator):
        values = generator.log_likelihood(samples)
        right = values.shape == (len(samples.images),) and bool((values <= 0).all())
        require(
            right, architecture, "log_likelihood must give a number of at most 0 for each image"
        )


def _perturb(net: nn.Module) -> None:
    """Move every parameter a little: at the start some are 0, and with them what they scale."""
    rng = Rng(9)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(rng.normal(*parameter.shape), alpha=0.1)


def _check_images(
    architecture: Architecture, samples: Samples, shape: ImageShape, asked: Conditions
) -> None:
    images, form = samples.images, tuple(samples.images.shape)
    require(form == (IMAGES, *shape), architecture, f"the generator made images of shape {form}")
    right = bool(((images >= 0) & (images <= 1)).all())
    message = f"the generator made values outside [0, 1]: {images.min():g} to {images.max():g}"
    require(right, architecture, message)
    pairs = ((samples.labels, asked.labels), (samples.sources, asked.sources))
    right = all(
        one is not None and other is not None and torch.equal(one, other) for one, other in pairs
    )
    require(right, architecture, "the generator must hand on the labels and sources asked for")


def _check_one_by_one(
    architecture: Architecture,
    generator: Generator,
    latents: tuple[torch.Tensor, ...],
    asked: Conditions,
    samples: Samples,
) -> None:
    """In evaluation an image follows from its own latents, whatever else is in the batch."""
    halves = []
    for rows in (slice(0, IMAGES // 2), slice(IMAGES // 2, IMAGES)):
        with torch.no_grad():
            part = GeneratorInput(tuple(z[rows] for z in latents), asked[rows])
            halves.append(generator(part).images)
    distance = float((torch.cat(halves) - samples.images).abs().max())
    message = f"an image depends on the others of its batch in evaluation, by {distance:.2g}"
    require(distance <= PARTS_TOLERANCE, architecture, message)
    differ = not torch.equal(samples.images[0], samples.images[CLASSES])  # of one class
    require(differ, architecture, "different latents give the same image")


def _check_discriminator(
    architecture: Architecture,
    discriminator: nn.Module,
    shape: ImageShape,
    kind: type[DiscriminatorOutput],
) -> None:
    """An output of the kind required, a row for each image, with a gradient to the images."""
    images = Rng(3).uniform(IMAGES, *shape).requires_grad_()
    samples = Samples(images.view_as(images), torch.arange(IMAGES) % CLASSES)
    discriminate: Discriminate[DiscriminatorOutput] = discriminator
    with no_global_draws(architecture, "the discriminator"):
        output = discriminate(samples)
    with contract_kept(architecture):
        checked_output(discriminator, output, kind, samples, CLASSES)
    tensors = {key: value for key, value in vars(output).items() if torch.is_tensor(value)}
    total = torch.stack([value.float().sum() for value in tensors.values()]).sum()
    (gradient,) = torch.autograd.grad(total, images, allow_unused=True)
    right = gradient is not None and bool((gradient != 0).any())
    require(right, architecture, "the discriminator has no gradient to its images")
