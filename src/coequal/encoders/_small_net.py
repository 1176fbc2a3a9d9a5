"""The small net of `classification`, trained for an encoder; its last hidden layer is the feature
of an image."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from coequal.classification import nets
from coequal.classification.recipes import Recipe
from coequal.classification.training import fit
from coequal.contract import Encoder, ImageShape, Log, Split
from coequal.files import atomic_write, from_cache
from coequal.images import as_float
from coequal.rng import Rng
from coequal.seeds import seed_for

RECIPE = "v1: conv 16, conv 32, dense 128; AdamW one-cycle 3e-3, batch 128, 3 epochs or 600 steps"
HOW = Recipe("small", 128, 3, 600, "adamw", 3e-3, 1e-2)  # the same for `fit`
ENCODING_BATCH = 500


_ACCURACY = "test accuracy"  # the only metadata: several are written in an order of their own


def train_into(
    path: Path,
    shape: ImageShape,
    classes: int,
    data: Callable[[], tuple[Split, Split]],
    seed: int,
    log: Log,
    name: str,
    repeat: int = 0,
) -> None:
    """Train the net, unless its weights lie there already, and write them.

    Args:
        path: Of the file; it also holds the accuracy on the test split.
        shape: Of the images; 4x4 at least.
        classes: How many.
        data: Gives the training and the test split.
        seed: Of the order of the images.
        log: Is told how far the training is.
        name: Of the data, for the log.
        repeat: Other first weights and another order for each; 0 is the usual training.
    """

    def write() -> None:
        again = (repeat,) if repeat else ()
        net = _build(shape, classes, *again)
        train, test = data()
        _train(net, train, seed_for("classifier", seed, *again), log, name)
        weights = {name: value.contiguous() for name, value in net.state_dict().items()}
        accuracy = f"{_accuracy(net.eval(), test):.1%}"
        atomic_write(path, save(weights, metadata={_ACCURACY: accuracy}))

    from_cache(path, _open, write, log)


def _open(path: Path) -> None:
    """Read no more than what tells whether the file is whole."""
    with safe_open(path, "pt") as file:
        file.metadata()[_ACCURACY]


def read(path: Path, shape: ImageShape, classes: int) -> tuple[nn.Sequential, str]:
    """The net whose weights a file holds, and its accuracy on the test split as a text ("91.3%").

    Args:
        path: That `train_into` wrote.
        shape: Of the images that it was trained on.
        classes: How many there were.

    Raises:
        OSError: The file holds something else.
    """
    net = _build(shape, classes)
    try:
        with safe_open(path, "pt") as file:
            net.load_state_dict({name: file.get_tensor(name) for name in net.state_dict()})
            accuracy = file.metadata()[_ACCURACY]
    except (SafetensorError, RuntimeError, KeyError, TypeError) as error:
        raise OSError(f"{path} does not hold the weights of this encoder: {error}") from error
    return net.eval(), accuracy


class SmallNetEncoder(Encoder):
    """An encoder whose features are the last hidden layer of the small net: 128, after the ReLU.

    Args:
        net: In evaluation mode.
        id: See `Encoder`.
        note: See `Encoder`.
    """

    batch = ENCODING_BATCH

    def __init__(self, net: nn.Sequential, id: str, note: str) -> None:
        self.net, self.id, self.note = net, id, note

    @torch.inference_mode()
    def features(self, images: Tensor) -> Tensor:
        """(n, 128) float32."""
        body, parts = self.net[:-1], images.split(ENCODING_BATCH)
        return torch.cat([body(as_float(part.to(self.device))) for part in parts])


def _build(shape: ImageShape, classes: int, *repeat: int) -> nn.Sequential:
    seed = seed_for("classifier", RECIPE, *repeat)
    net = nets.drawn(lambda: nets.small(shape, classes), seed)
    assert isinstance(net, nn.Sequential)
    return net


def _train(net: nn.Sequential, split: Split, seed: int, log: Log, name: str) -> None:
    assert split.labels is not None
    rng = Rng(seed)
    fit(net, split.images, split.labels, HOW, rng, log, f"encoder classifier on {name}")


@torch.inference_mode()
def _accuracy(net: nn.Sequential, split: Split) -> float:
    assert split.labels is not None
    labels = split.labels.split(ENCODING_BATCH)
    pairs = zip(split.images.parts(ENCODING_BATCH), labels, strict=True)
    return sum(int((net(as_float(x)).argmax(1) == y).sum()) for x, y in pairs) / len(split)


def weights_hash(net: nn.Sequential) -> str:
    """Twelve hexadecimal digits of the recipe and all weights."""
    digest = hashlib.sha256(RECIPE.encode())
    for name, value in net.state_dict().items():
        digest.update(name.encode())
        digest.update(value.contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]
