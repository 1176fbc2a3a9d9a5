"""Training a classifier and asking it, on any device; on the CPU with one thread, so that the bits
depend on nothing else."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.nn import functional

from coequal.classification import nets
from coequal.classification.recipes import Recipe
from coequal.contract import ImageRows, ImageShape, Log
from coequal.images import as_float
from coequal.pace import Pace
from coequal.rng import Rng
from coequal.seeds import seed_for

IMAGES_PER_PREDICTION = 250


@dataclass(frozen=True, eq=False)
class Classifier:
    """A trained net.

    Attributes:
        net: In evaluation mode; images to logits (n, classes).
        recipe: How it was trained, and so the scale of its input.
        classes: How many it tells apart.
    """

    net: nn.Module
    recipe: Recipe
    classes: int

    @property
    def device(self) -> torch.device:
        """Where the net lies and computes."""
        return _device_of(self.net)

    def weights(self) -> Mapping[str, Tensor]:
        """All that `loaded` wants, by name."""
        return self.net.state_dict()


def train(
    images: Tensor,
    labels: Int[Tensor, " n"],
    classes: int,
    recipe: Recipe,
    seed: int,
    log: Log | None = None,
    name: str = "classifier",
    device: torch.device | str = "cpu",
) -> Classifier:
    """A classifier of these images; on the CPU the same bits for the same arguments on any number
    of threads.

    Args:
        images: (n, c, h, w), uint8 or float32 in [0, 1], on the CPU; two at least, of 4x4 at least.
        labels: 0 .. classes - 1, on the CPU.
        classes: How many there are.
        recipe: See `classification.recipes`.
        seed: Of the initial weights and of all that is drawn on the way, the same on every device.
        log: Is told how far it is.
        name: For the log.
        device: What it is trained on, and stays on.

    Raises:
        ValueError: There are fewer than two images, or they are smaller than 4x4.
    """
    if len(images) < 2 or min(images.shape[2:]) < 4:
        raise ValueError(f"a classifier needs 2 images of 4x4 at least, not {tuple(images.shape)}")
    shape = ImageShape(*images.shape[1:])
    seeds = [seed_for("classification", what, recipe.net, seed) for what in ("weights", "order")]
    with torch.inference_mode(False):  # whoever measures may be in it, and it would reach in here
        net = _built(shape, classes, recipe, seeds[0]).to(device)
        fit(net, images, labels, recipe, Rng(seeds[1]), log or (lambda line: None), name)
    return Classifier(net.eval(), recipe, classes)


def loaded(
    weights: Mapping[str, Tensor],
    shape: ImageShape,
    classes: int,
    recipe: Recipe,
    device: torch.device | str = "cpu",
) -> Classifier:
    """The classifier with these weights.

    Args:
        weights: What `Classifier.weights` gave.
        shape: Of the images.
        classes: How many there are.
        recipe: How it was trained.
        device: Where it shall compute.
    """
    net = _built(shape, classes, recipe, 0).to(device)
    net.load_state_dict(dict(weights))
    return Classifier(net.eval(), recipe, classes)


@torch.inference_mode()
def predict(classifier: Classifier, images: Tensor, top: int = 1) -> Int[Tensor, "n top"]:
    """The most likely classes of all images, the likeliest first, on the CPU; without noise.

    Always in batches of one size, the last one filled up: no answer depends on the other images.

    Args:
        classifier: A trained one.
        images: (n, c, h, w), uint8 or float32 in [0, 1], on any device.
        top: How many classes for each image.
    """
    answers = []
    with single_thread():
        for start in range(0, len(images), IMAGES_PER_PREDICTION):
            part = images[start : start + IMAGES_PER_PREDICTION]
            full = part.new_zeros(IMAGES_PER_PREDICTION, *part.shape[1:])
            full[: len(part)] = part
            shown = scaled(full.to(classifier.device), classifier.recipe)
            logits = classifier.net(shown)[: len(part)]
            answers.append(logits.topk(top).indices if top > 1 else logits.argmax(1, keepdim=True))
    return torch.cat(answers).cpu()


@contextmanager
def single_thread() -> Iterator[None]:
    """More threads would add up in another order: other weights."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def fit(
    net: nn.Module,
    images: Tensor | ImageRows,
    labels: Int[Tensor, " n"],
    recipe: Recipe,
    rng: Rng,
    log: Log,
    name: str,
) -> None:
    """Train a net in place, on its device; it stays in training mode.

    Args:
        net: Images to logits (n, classes).
        images: (n, c, h, w), uint8 or float32 in [0, 1], on the CPU; batches of them are read.
        labels: 0 .. classes - 1, on the CPU.
        recipe: See `classification.recipes`.
        rng: The random stream of the order of the images, of augmentation and noise; of the CPU.
        log: Is told how far it is.
        name: For the log.
    """
    batch, steps = min(recipe.batch, len(images)), recipe.steps_for(len(images))
    optimiser, schedule = _optimiser(net, recipe, steps)
    order, position = rng.permutation(len(images)), 0
    device = _device_of(net)
    net.train()
    pace = Pace(f"training {name}", steps, log, unit="steps")
    with single_thread(), torch.enable_grad():
        for _ in range(steps):
            if position + batch > len(images):
                order, position = rng.permutation(len(images)), 0
            rows = order[position : position + batch]
            position += batch
            shown = _shown(images[rows], recipe, rng, device)
            loss = functional.cross_entropy(net(shown), labels[rows].to(device))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            pace.add(1)
    net.zero_grad()  # gradients take as much memory as weights


def scaled(images: Tensor, recipe: Recipe) -> Tensor:
    """Images in the scale that a recipe's net takes, float32.

    Args:
        images: uint8, or float32 in [0, 1].
        recipe: See `Recipe.scale`.
    """
    if recipe.scale == "unit":
        return as_float(images)
    levels = images * 255 if images.is_floating_point() else images.to(torch.float32)
    return levels / 128 - 1


def _shown(images: Tensor, recipe: Recipe, rng: Rng, device: torch.device) -> Tensor:
    """A batch as the net sees it in training, on its device."""
    if recipe.flip or recipe.pad:
        images = _moved(images, recipe, rng)
    values = scaled(images.to(device), recipe)
    if not recipe.noise:
        return values
    return values + rng.uniform(*values.shape, high=recipe.noise).to(device)


def _moved(images: Tensor, recipe: Recipe, rng: Rng) -> Tensor:
    """Mirrored at random, and a random window of each after padding with zeros."""
    count, channels, height, width = images.shape
    padded = functional.pad(images, [recipe.pad] * 4)
    down, across = rng.integers(2 * recipe.pad + 1, 2 * count).view(2, count, 1)
    rows, columns = down + torch.arange(height), across + torch.arange(width)
    if recipe.flip:
        mirrored = rng.integers(2, count).bool()[:, None]
        columns = torch.where(mirrored, columns.flip(1), columns)
    which = torch.arange(count)[:, None, None, None]
    plane = torch.arange(channels)[:, None, None]
    return padded[which, plane, rows[:, None, :, None], columns[:, None, None, :]]


def _optimiser(
    net: nn.Module, recipe: Recipe, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    parameters, rate, decay = net.parameters(), recipe.rate, recipe.weight_decay
    if recipe.optimiser == "adamw":
        fused = _device_of(net).type in ("cpu", "cuda")  # one kernel for all parameters
        adamw = torch.optim.AdamW(parameters, lr=rate, weight_decay=decay, fused=fused)
        return adamw, torch.optim.lr_scheduler.OneCycleLR(adamw, rate, total_steps=steps)
    sgd = torch.optim.SGD(parameters, lr=rate, momentum=0.9, weight_decay=decay)
    falls = [round(fraction * steps) for fraction in recipe.decays]
    return sgd, torch.optim.lr_scheduler.MultiStepLR(sgd, falls, gamma=0.1)


def _device_of(net: nn.Module) -> torch.device:
    return next(net.parameters()).device


def _built(shape: ImageShape, classes: int, recipe: Recipe, seed: int) -> nn.Module:
    build = {"small": nets.small, "resnet32": nets.resnet32}[recipe.net]
    net = nets.drawn(lambda: build(shape, classes), seed)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = recipe.averaging
    return net
