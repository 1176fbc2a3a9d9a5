"""Vision transformers of the library `transformers`, with weights from a folder or from its hub.

A folder holds `config.json` and `model.safetensors` (or `pytorch_model.bin`, read as weights only)
in the form that `save_pretrained` writes.
"""

import hashlib
import importlib
import importlib.util
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from coequal.contract import Dataset, Encoder, Log
from coequal.downloads import reachable
from coequal.encoders._batches import in_batches
from coequal.encoders._offline import WITHOUT_NETWORK
from coequal.encoders._resize import clean_bicubic, coloured, refuse_channels
from coequal.files import cache_folder

PACKAGE = "transformers"
CONFIG = "config.json"
WEIGHTS = ("model.safetensors", "pytorch_model.bin")  # the first that is there
BATCH = 16


class VisionTransformer(Encoder, ABC):
    """A family of nets that differ in size: one final subclass for each."""

    family: ClassVar[str]
    variant: ClassVar[str]
    repository: ClassVar[str]
    kind: ClassVar[str]  # of net, as transformers calls it
    variable: ClassVar[str]  # of the environment: a folder
    mean: ClassVar[tuple[float, float, float]]
    deviation: ClassVar[tuple[float, float, float]]
    layout: ClassVar[Mapping[str, int]] = {}
    """What the settings of the net with the published weights say of its size, where a published
    name hangs on it; files of weights are not told apart by a checksum."""
    resizes = True
    batch = BATCH

    def __init__(self, net: Any, sha256: str, source: str) -> None:
        self.net = net
        if any(getattr(net.config, key, None) != value for key, value in self.layout.items()):
            self.published_names = {}
        self.size = self.side(net.config)
        shown = " ".join(f"{m:g}/{d:g}" for m, d in zip(self.mean, self.deviation, strict=True))
        words = (
            f"Pillow's antialiased bicubic resize to {self.size}x{self.size} in floats, mean and "
            f"deviation {shown}"
        )
        key = hashlib.sha256(f"v1 {sha256} {words}".encode()).hexdigest()[:12]
        self.id = f"{self.family}:{self.variant}:{key}"
        self.note = f"{self.kind} from {source}, weights {sha256[:12]}; {words}"

    @staticmethod
    @abstractmethod
    def side(config: Any) -> int:
        """Height and width, in pixels, of what the net is shown."""

    @staticmethod
    @abstractmethod
    def read(output: Any) -> Tensor:
        """The features (n, d) in what the net gives."""

    @classmethod
    def available(cls) -> str | None:
        """A package that is not installed, or weights that are neither here nor in reach."""
        if importlib.util.find_spec(PACKAGE) is None:
            return (
                f"encoder {cls.family} needs the package {PACKAGE}: "
                f'pip install "coequal[transformers]"; {WITHOUT_NETWORK}'
            )
        if given := os.environ.get(cls.variable):
            return None if _complete(_own(given)) else cls._bad_folder(given)
        cache = cache_folder()
        if cls._here(cache) or _hub_in_reach(cls.repository):
            return None
        return cls._advice(cache, "no connection to huggingface.co")

    @classmethod
    def unsupported_reason(cls, dataset: Dataset) -> str | None:
        """Images that are neither grey nor coloured."""
        return refuse_channels(cls.family, dataset.shape[0], dataset.name)

    @classmethod
    def prepare(cls, dataset: Dataset, cache: Path, log: Log) -> Self:
        """The net, with its weights read or downloaded (into the hub's own cache).

        Raises:
            FileNotFoundError: There are no weights; the message names which files to put where.
            ValueError: The weights are not of this kind of net.
        """
        if importlib.util.find_spec(PACKAGE) is None:
            raise FileNotFoundError(cls.available())
        folder = cls._folder(cache, log)
        return cls(_loaded(cls.kind, folder), _sha256(folder), str(folder))

    def features(self, images: Tensor) -> Tensor:
        """(n, d) float32."""
        return in_batches(self._run, images, BATCH, self.device)

    def _run(self, images: Tensor) -> Tensor:
        scaled = coloured(clean_bicubic(images, self.size, self.size).div_(255)).contiguous()
        mean, deviation = (
            torch.tensor(x).view(3, 1, 1).to(scaled.device) for x in (self.mean, self.deviation)
        )
        return self.read(self.net(pixel_values=scaled.sub_(mean).div_(deviation)))

    @classmethod
    def _folder(cls, cache: Path, log: Log) -> Path:
        if given := os.environ.get(cls.variable):
            if not _complete(_own(given)):
                raise FileNotFoundError(cls._bad_folder(given))
            return _own(given)
        if folder := cls._here(cache):
            return folder
        if not _hub_in_reach(cls.repository):
            raise FileNotFoundError(cls._advice(cache, "no connection to huggingface.co"))
        log(f"encoder {cls.family}: downloading huggingface.co/{cls.repository}")
        try:
            folder = _from_hub(cls.repository)
        except Exception as error:  # of many kinds: each leaves us without weights
            raise FileNotFoundError(cls._advice(cache, f"the download failed: {error}")) from error
        log(f"the weights of encoder {cls.family} are now in {folder}")
        return folder

    @classmethod
    def _here(cls, cache: Path) -> Path | None:
        """Our cache, then that of the hub."""
        own = cls._place(cache)
        if _complete(own):
            return own
        try:
            return _from_hub(cls.repository, local_files_only=True)
        except FileNotFoundError:
            return None

    @classmethod
    def _place(cls, cache: Path) -> Path:
        return cache / "encoders" / f"{cls.family}-{cls.variant}"

    @classmethod
    def _advice(cls, cache: Path, reason: str) -> str:
        return (
            f"encoder {cls.family} has no weights ({reason}): put {CONFIG} and {WEIGHTS[0]} of "
            f"huggingface.co/{cls.repository} into {cls._place(cache)}, or the path of a folder "
            f"with them into {cls.variable}; {WITHOUT_NETWORK}"
        )

    @classmethod
    def _bad_folder(cls, given: str) -> str:
        return f"{cls.variable} is '{given}', which is no folder with {CONFIG} and {WEIGHTS[0]}"


def _own(given: str) -> Path:
    return Path(given).expanduser()


def _weights(folder: Path) -> Path | None:
    return next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)


def _complete(folder: Path) -> bool:
    return (folder / CONFIG).is_file() and _weights(folder) is not None


def _sha256(folder: Path) -> str:
    """Of the weights' file, then the settings' (which tell what the weights mean)."""
    path = _weights(folder)
    assert path is not None
    digest = hashlib.sha256()
    for part in (path, folder / CONFIG):
        with part.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _hub_in_reach(repository: str) -> bool:
    if os.environ.get("HF_HUB_OFFLINE"):
        return False
    return reachable(f"https://huggingface.co/{repository}/resolve/main/{CONFIG}")


def _from_hub(repository: str, *, local_files_only: bool = False) -> Path:
    """The folder of the hub's own cache with the settings and the weights."""
    hub = importlib.import_module("huggingface_hub")
    look_up = partial(hub.hf_hub_download, repository, local_files_only=local_files_only)
    folder = Path(look_up(CONFIG)).parent
    try:
        look_up(WEIGHTS[0])
    except hub.errors.EntryNotFoundError:
        look_up(WEIGHTS[1])
    return folder


def _loaded(kind: str, folder: Path) -> Any:
    """The net in float32, ready to be asked."""
    transformers = importlib.import_module(PACKAGE)
    with _quiet(transformers.logging):
        try:
            net, report = getattr(transformers, kind).from_pretrained(
                folder,
                local_files_only=True,
                output_loading_info=True,
                dtype=torch.float32,
                attn_implementation="sdpa",
            )
        except Exception as error:  # of many kinds: each means that this is something else
            raise ValueError(f"{folder} holds no {kind}: {error}") from error
    missing = sorted(report["missing_keys"])
    if missing:
        raise ValueError(f"{folder} holds no {kind}: {missing[0]} and others are not in it")
    return net.eval().requires_grad_(False)


@contextmanager
def _quiet(logging: Any) -> Iterator[None]:
    """No report of the text half of CLIP, which is not loaded on purpose."""
    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()
