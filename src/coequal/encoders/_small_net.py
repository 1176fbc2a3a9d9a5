"""A small convolution net that is trained here to tell classes apart; its last hidden layer is the
feature of an image."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional

from coequal.contract import ImageShape, Log, Split
from coequal.files import write_whole
from coequal.images import unit
from coequal.rng import Rng
from coequal.seeds import seed_for

RECIPE = "v1: conv 16, conv 32, dense 128; AdamW one-cycle 3e-3, batch 128, 3 epochs or 600 steps"
FEATURES = 128
BATCH = 128
LEARNING_RATE = 3e-3
EPOCHS, LEAST_STEPS = 3, 600
ENCODING_BATCH = 500


def trained(
    path: Path,
    shape: ImageShape,
    classes: int,
    data: Callable[[], tuple[Split, Split]],
    seed: int,
    log: Log,
    name: str,
) -> tuple[nn.Sequential, str]:
    """The net with its weights, and its accuracy on the test split in words.

    Args:
        path: where the weights lie, or are put.
        shape: of the images; 4x4 at least.
        classes: how many.
        data: gives the training and the test split, if there are no weights yet.
        seed: of the order of the images.
        log: is told how far the training is.
        name: of the data, for the log.
    """
    net = _build(shape, classes)
    if not path.exists():
        train, test = data()
        before = torch.get_num_threads()
        torch.set_num_threads(1)  # more would add up in another order: other weights
        try:
            _train(net, train, seed, log, name)
        finally:
            torch.set_num_threads(before)
        weights = {name: value.contiguous() for name, value in net.state_dict().items()}
        accuracy = f"{_accuracy(net.eval(), test):.1%}"
        write_whole(path, save(weights, metadata={"test accuracy": accuracy}))
    with safe_open(path, "pt") as file:
        net.load_state_dict({name: file.get_tensor(name) for name in net.state_dict()})
        accuracy = file.metadata()["test accuracy"]
    return net.eval(), accuracy


@torch.inference_mode()
def features(net: nn.Sequential, images: Tensor) -> Tensor:
    """(n, 128) float32: after the ReLU of the last hidden layer."""
    body = net[:-1]
    return torch.cat([body(unit(chunk.cpu())) for chunk in images.split(ENCODING_BATCH)])


@torch.inference_mode()
def probabilities(net: nn.Sequential, features: Tensor) -> Tensor:
    """(n, classes) float32, from the last layer."""
    return torch.cat([net[-1](chunk).softmax(1) for chunk in features.split(ENCODING_BATCH)])


def _build(shape: ImageShape, classes: int) -> nn.Sequential:
    channels, height, width = shape
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_for("classifier", RECIPE))
        return nn.Sequential(
            *_block(channels, 16),
            *_block(16, 32),
            nn.Flatten(),
            nn.Linear(32 * (height // 4) * (width // 4), FEATURES),
            nn.ReLU(),
            nn.Linear(FEATURES, classes),
        )


def _block(channels_in: int, channels_out: int) -> list[nn.Module]:
    conv = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False)
    # Pooling comes before norm and ReLU, which then have a quarter of the work.
    return [conv, _MaxPool(), nn.BatchNorm2d(channels_out), nn.ReLU()]


class _MaxPool(nn.Module):
    """Largest of each 2x2; an odd last row or column is left out.

    Without a gradient by slices, at ten times torch's speed on a CPU; with one, torch's is faster.
    """

    def forward(self, images: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            return functional.max_pool2d(images, 2)
        height, width = images.shape[2] // 2 * 2, images.shape[3] // 2 * 2
        even = images[:, :, :height, :width]
        rows = torch.maximum(even[:, :, ::2], even[:, :, 1::2])
        return torch.maximum(rows[..., ::2], rows[..., 1::2])


def _train(net: nn.Sequential, split: Split, seed: int, log: Log, name: str) -> None:
    assert split.labels is not None
    batch = min(BATCH, len(split))
    steps = max(LEAST_STEPS, EPOCHS * len(split) // batch)
    optimiser = torch.optim.AdamW(net.parameters(), lr=LEARNING_RATE, weight_decay=1e-2, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    rng = Rng(seed_for("classifier", seed))
    order, position = rng.permutation(len(split)), 0
    net.train()
    for step in range(steps):
        if position + batch > len(split):
            order, position = rng.permutation(len(split)), 0
        rows = order[position : position + batch]
        position += batch
        loss = functional.cross_entropy(net(unit(split.images[rows])), split.labels[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % max(1, steps // 10) == 0:
            log(f"encoder classifier on {name}: {step / steps:.0%} trained")


@torch.inference_mode()
def _accuracy(net: nn.Sequential, split: Split) -> float:
    assert split.labels is not None
    images: Tensor = split.images
    pairs = zip(images.split(ENCODING_BATCH), split.labels.split(ENCODING_BATCH), strict=True)
    return sum(int((net(unit(x)).argmax(1) == y).sum()) for x, y in pairs) / len(split)


def weights_hash(net: nn.Sequential) -> str:
    """Twelve hexadecimal digits of the recipe and all weights."""
    digest = hashlib.sha256(RECIPE.encode())
    for name, value in net.state_dict().items():
        digest.update(name.encode())
        digest.update(value.contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]
