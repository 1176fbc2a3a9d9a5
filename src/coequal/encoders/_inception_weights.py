"""The weights of the FID Inception: where they may lie, and how they are downloaded and checked."""

import hashlib
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from coequal.contract import Log
from coequal.downloads import download, reachable
from coequal.encoders._offline import WITHOUT_NETWORK
from coequal.files import cache_folder

VARIABLE = "COEQUAL_INCEPTION_WEIGHTS"
NAME = "pt_inception-2015-12-05-6726825d.pth"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
URL = f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/{NAME}"
# The same bytes under the name that another project gave them.
OTHER_NAME = "weights-inception-2015-12-05-6726825d.pth"

_BYTES = 95_628_359


class Weights(NamedTuple):
    """The weights of the net.

    Attributes:
        values: The state dict.
        sha256: Of the file.
        official: Whether that is the SHA-256 of the official file.
    """

    values: Mapping[str, Tensor]
    sha256: str
    official: bool


def missing() -> str | None:
    """What to do if the weights are neither here nor can be downloaded; else None."""
    if given := os.environ.get(VARIABLE):
        return None if Path(given).expanduser().is_file() else _no_such_file(given)
    cache = cache_folder()
    if any(path.is_file() for path in _places(cache)) or reachable(URL):
        return None
    return advice(cache, "no connection to github.com")


def find_weights(cache: Path, log: Log) -> Weights:
    """The weights that the user names, else the official ones, which are downloaded if need be.

    Args:
        cache: The folder of all caches.
        log: Is told how far the download is.

    Raises:
        FileNotFoundError: They are nowhere, and can't be downloaded.
        ValueError: A file has the right name and other contents.
    """
    given = os.environ.get(VARIABLE)
    path = _own(given) if given else _official(cache, log)
    raw = path.read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    if not given and digest != SHA256:
        wrong = f"SHA-256 {digest} ({len(raw):,} bytes), not {SHA256}"
        raise ValueError(f"{path} is not {NAME}: {wrong}; delete it, or put the right one")
    return Weights(_parsed(raw, path), digest, digest == SHA256)


def _own(given: str) -> Path:
    path = Path(given).expanduser()
    if not path.is_file():
        raise FileNotFoundError(_no_such_file(given))
    return path


def _official(cache: Path, log: Log) -> Path:
    """The file that is there, not read yet, else the downloaded one."""
    places = _places(cache)
    if here := next((path for path in places if path.is_file()), None):
        return here
    log(f"encoder inception: downloading {_BYTES / 1e6:.0f} MB of weights")
    try:
        download(URL, f"sha256:{SHA256}", places[0], log)
    except OSError as error:
        raise FileNotFoundError(advice(cache, f"the download failed: {error}")) from error
    return places[0]


def advice(cache: Path, reason: str) -> str:
    """Which file to put where, and which encoders need none.

    Args:
        cache: The folder of all caches.
        reason: Why there are no weights.
    """
    return (
        f"encoder inception has no weights ({reason}): put {NAME} ({_BYTES:,} bytes, from {URL}) "
        f"into {cache / 'encoders'}, or its path into {VARIABLE}; {WITHOUT_NETWORK}"
    )


def _no_such_file(given: str) -> str:
    return f"{VARIABLE} is '{given}', and there is no such file"


def _places(cache: Path) -> tuple[Path, ...]:
    """Our cache, then torch hub's, where pytorch-fid and torch-fidelity keep theirs."""
    hub = Path(torch.hub.get_dir()) / "checkpoints"
    return cache / "encoders" / NAME, hub / NAME, hub / OTHER_NAME


def _parsed(raw: bytes, path: Path) -> Mapping[str, Tensor]:
    try:
        values = torch.load(io.BytesIO(raw), map_location="cpu", weights_only=True)
    except Exception as error:  # of many kinds: each means that these bytes are something else
        raise ValueError(f"{path} is not a file of weights: {error}") from error
    if not isinstance(values, Mapping):
        raise ValueError(f"{path} holds a {type(values).__name__}, not weights by name")
    return values
