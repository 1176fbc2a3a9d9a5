"""Values of pytorch-fid, clean-fid and prdc, which are maintained no more, and what they are of.

They were computed once and lie in peer_values.json, with versions and date. To compute them anew:

    pip install --no-deps pytorch-fid==0.3.0 clean-fid==0.1.35 prdc==0.2 scikit-learn requests tqdm
    PYTHONPATH=src:tests python tests/peers.py

All inputs are uniform numbers straight from the bits of PCG64, which no version of NumPy changes.
"""

import json
import sys
import warnings
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from coequal.encoders import _inception_net
from coequal.encoders._resize import tf1_bilinear

VALUES = Path(__file__).parent / "peer_values.json"
PEERS = ("pytorch-fid", "clean-fid", "prdc")
SIZES = (32, 64, 299, 512)
EVERY = 8  # of the 2048 features so many are one that is stored
SEED = 7
K = 5  # neighbours of prdc's balls


def stored() -> dict[str, Any]:
    """The values, by what they are of."""
    return dict(json.loads(VALUES.read_text()))


def stored_features(kind: str, size: int) -> Tensor:
    """Those of the picture of this size, by pytorch-fid's net after a resize of some kind."""
    return torch.tensor([float(value) for value in stored()["inception"][kind][str(size)].split()])


def uniform(seed: int, *shape: int) -> NDArray[np.float32]:
    return np.random.Generator(np.random.PCG64(seed)).random(shape, dtype=np.float32)


def features() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Real ones (1200, 48) and fake ones (1000, 48): the positive part of what is correlated."""
    mix = 2 * uniform(SEED, 48, 48) - 1
    real, fake = (2 * uniform(SEED + 1 + k, n, 48) - 1 for k, n in enumerate((1200, 1000)))
    return np.maximum(real @ mix / 2, 0), np.maximum(fake @ mix / 2 + 0.1, 0)


def statistics(rows: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and covariance."""
    values = rows.astype(np.float64)
    return values.mean(0), np.cov(values, rowvar=False)


def picture(size: int, seed: int = 0) -> Tensor:
    """Noise on gradients, (1, 3, size, size) uint8."""
    noise = uniform(SEED + seed + size, 1, 3, size, size)
    slope = np.linspace(0, 1, size, dtype=np.float32) * uniform(seed, 1, 3, 1, 1)
    return torch.from_numpy(((0.4 * noise + 0.6 * slope) * 255).round().astype(np.uint8))


def inception_net() -> _inception_net.Inception:
    """With weights at random, and features that vary, about 1 in size."""
    with torch.device("meta"):
        net = _inception_net.Inception()
    net.to_empty(device="cpu")
    with torch.no_grad():
        for seed, weight in enumerate(net.parameters()):
            fan_in = weight[0].numel()
            values = torch.from_numpy(uniform(seed, *weight.shape))
            weight.copy_((2 * values - 1) / fan_in**0.5)
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):  # its statistics fit the images
                module.reset_parameters()
                module.bias.fill_(1)  # far from the kink: else rounding errors grow with each layer
                module.momentum = None  # the plain mean over batches
        images = [tf1_bilinear(picture(size, 1), 299, 299) for size in SIZES]
        net.train()(torch.cat(images) / 128 - 1)
    return net.eval()


def _frechet_distances() -> dict[str, float]:
    from cleanfid.fid import frechet_distance
    from pytorch_fid.fid_score import calculate_frechet_distance

    real, fake = map(statistics, features())
    peers = {"pytorch-fid": calculate_frechet_distance, "clean-fid": frechet_distance}
    return {name: float(peer(*real, *fake)) for name, peer in peers.items()}


def _density_and_coverage() -> dict[str, float]:
    from prdc import compute_prdc

    real, fake = (rows.astype(np.float64) for rows in features())
    found = compute_prdc(real_features=real, fake_features=fake, nearest_k=K)
    return {name: float(found[name]) for name in ("density", "coverage")}


def _inception_features() -> dict[str, dict[str, str]]:
    """Of pytorch-fid's net: with its own way to 299 pixels, and with clean-fid's."""
    from cleanfid.resize import build_resizer
    from pytorch_fid import inception

    weights = inception_net().state_dict()
    inception.load_state_dict_from_url = lambda url, **_: weights
    kinds = {"torch": {}, "clean": {"resize_input": False, "normalize_input": False}}
    nets = {kind: inception.InceptionV3([3], **given).eval() for kind, given in kinds.items()}
    resize = build_resizer("clean")
    found: dict[str, dict[str, str]] = {kind: {} for kind in kinds}
    for size in SIZES:
        image = picture(size)
        clean = torch.from_numpy(resize(image[0].permute(1, 2, 0).numpy())).permute(2, 0, 1)
        shown = {"torch": image / 255, "clean": (clean[None] - 128) / 128}
        for kind, net in nets.items():
            with torch.inference_mode():
                made = net(shown[kind])[0].flatten()[::EVERY]
            found[kind][str(size)] = " ".join(f"{value:.7g}" for value in made.tolist())
    return found


def main() -> None:
    packages = (*PEERS, "numpy", "scipy", "scikit-learn", "torch", "torchvision", "pillow")
    made = {"on": f"{date.today()}", "python": sys.version.split()[0], "seed": SEED}
    values = {
        "made": made | {"versions": {name: version(name) for name in packages}},
        "fd": _frechet_distances(),
        "prdc": _density_and_coverage(),
        "inception": _inception_features(),
    }
    VALUES.write_text(json.dumps(values, indent=1) + "\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
