"""A torch module or a function of latents as a generator of the contract."""

import inspect
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from coequal.code_places import described
from coequal.contract import Generator, GeneratorInput, Samples
from coequal.generators.latents import Prior
from coequal.generators.programs import RowsInBatches
from coequal.images import as_float
from coequal.records import POINT
from coequal.rng import Rng, global_states_kept
from coequal.value_range import ValueRange

_OF_NO_GPU = (
    "not compiled with CUDA",
    "no CUDA GPUs",
    "no NVIDIA driver",
    "torch.cuda.is_available() is False",
    "CUDA-capable device",
    "from the 'CUDA' backend",
)
_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


class OutsideGenerator(Generator):
    """A generator that was not trained by coequal.

    Attributes:
        name: what the user calls it, for messages and records.
        prior: of its latents.
        value_range: the values that its images have for black and white.
        batch: how many images it is asked for at a time, always.
        classes: how many classes its labels have; 0 of a generator that takes none.
        sha256: of the file that it comes from; None of one that comes from Python.
        differentiable: whether its images have a gradient by the latents, as far as is known.
        movable: whether it was found by its name, so that it may be moved to a device that was
            asked for; a module that Python gave stays where it is.
    """

    def __init__(
        self,
        net: Callable[..., Any],
        prior: Prior,
        *,
        name: str,
        value_range: ValueRange,
        batch: int,
        classes: int = 0,
        sha256: str | None = None,
        differentiable: bool = True,
        movable: bool = False,
    ) -> None:
        """Wrap a net.

        Args:
            net: is called with the latents, and then with labels (n,) int64 if `classes` is not 0;
                returns images (n, c, h, w) or (n, h, w, c), floats in `value_range` or uint8.
            prior: see the attributes, as for all others.
            name: of it.
            value_range: of its images.
            batch: of a call.
            classes: of its labels.
            sha256: of its file.
            differentiable: whether there is a gradient.
            movable: whether it may be moved.
        """
        super().__init__()
        self.net = net if _is_plain(net) else NetFunction(net)
        self.prior, self.name, self.value_range = prior, name, value_range
        self.batch, self.classes, self.sha256 = batch, classes, sha256
        self.differentiable, self.movable = differentiable, movable
        self.support, self.conditional = prior.support, classes > 0

    def __str__(self) -> str:
        return self.name

    @property
    def device(self) -> torch.device:
        """The device of its parameters and buffers; the CPU if it has none."""
        nets = self.net.nets if isinstance(self.net, NetFunction) else [self]
        tensors = (one for net in nets for one in (*net.parameters(), *net.buffers()))
        return next((one.device for one in tensors), torch.device("cpu"))

    def move_to(self, device: torch.device) -> None:
        """Move its modules, also those that a function calls.

        Args:
            device: to compute on from now on; ONNX stays on the CPU.
        """
        if isinstance(self.net, RowsInBatches):
            self.net.move_to(device)
            return
        nets = self.net.nets if isinstance(self.net, NetFunction) else [self]
        for net in nets:
            net.to(device)

    def latents(self, count: int, rng: Rng) -> tuple[Tensor, ...]:
        """Fresh latents for `count` images."""
        return self.prior.draw(count, rng)

    def forward(self, request: GeneratorInput) -> Samples:
        """The images in [0, 1]; a net that leaves its range leaves [0, 1] as well.

        Raises:
            ValueError: the net failed, or returned something else than images; or no gradient
                reaches the latents, and one is asked for.
        """
        wanted = torch.is_grad_enabled() and any(z.requires_grad for z in request.latents)
        images = self.in_unit_range(self.raw(request)).to(request.latents[0].device)
        if wanted and not images.requires_grad:
            raise ValueError(
                f"{self.name} gives no gradient by its latents, which a search for its nearest "
                "images needs (it detaches, or computes outside of torch); to have it scored "
                "without such a search, write its images to a folder or an array"
            )
        labels = request.conditions.labels if self.conditional else None
        return Samples(images, labels, request.conditions.sources)

    def raw(self, request: GeneratorInput) -> Tensor:
        """The images as the net gives them, (n, c, h, w), uint8 or floats in `value_range`.

        Raises:
            ValueError: the net failed, or returned something else than images.
        """
        labels = request.conditions.labels if self.conditional else None
        given = (*request.latents, *(() if labels is None else (labels,)))
        try:
            images = self.net(*(part.to(self.device) for part in given))
        except Exception as error:
            raise ValueError(self._failure(error, given)) from error
        return self._checked(images, len(request.latents[0]))

    def in_unit_range(self, raw: Tensor) -> Tensor:
        """Images as `raw` gives them, as float32 in [0, 1]; not clipped."""
        return self.value_range.to_unit(raw.float()) if raw.is_floating_point() else as_float(raw)

    def _checked(self, returned: Any, count: int) -> Tensor:
        """Images (n, c, h, w) out of what the net returned."""
        images = _tensor_in(returned)
        if images is None:
            kind = "nothing" if returned is None else f"a {type(returned).__name__}"
            raise ValueError(
                f"{self.name} returned {kind}; it must return a tensor of images, or a tuple "
                "whose first entry is one"
            )
        shape = tuple(images.shape)
        images = images.unsqueeze(1) if images.ndim == 3 else images
        channels_last = images.ndim == 4 and images.shape[1] not in (1, 3)
        if channels_last and images.shape[3] in (1, 3) and images.shape[1:] != POINT:
            images = images.permute(0, 3, 1, 2)
        fits = images.ndim == 4 and (images.shape[1] in (1, 3) or images.shape[1:] == POINT)
        if not fits:
            raise ValueError(
                f"{self.name} returned a tensor of shape {shape}; it must be images (n, c, h, w) "
                "or (n, h, w, c) with 1 or 3 channels"
            )
        if len(images) != count:
            raise ValueError(f"{self.name} was asked for {count} images and returned {len(images)}")
        if not images.is_floating_point() and images.dtype != torch.uint8:
            raise ValueError(f"{self.name} returned {images.dtype}; images are floats or uint8")
        return images

    def _failure(self, error: Exception, inputs: tuple[Tensor, ...]) -> str:
        """What to say of a net that raised an error."""
        text = str(error)
        if any(sign in text for sign in _OF_NO_GPU) and not torch.cuda.is_available():
            return (
                f"{self.name} needs a GPU, and torch sees none here ({described(error)}); use a "
                "machine with one, or make it for the CPU: module.cpu(), and no .cuda() in it"
            )
        shapes = " and ".join(str(tuple(part.shape)) for part in inputs)
        memory = isinstance(error, MemoryError) or any(sign in text for sign in _OF_MEMORY)
        hint = "; a smaller batch takes less memory" if memory else ""
        return f"{self.name} failed, given tensors of shape {shapes}: {described(error)}{hint}"


class NetFunction:
    """A function that calls torch modules, or a module of TorchScript, of which copies have no
    parameters of their own: the modules are in evaluation mode while it runs.

    Attributes:
        function: of the user.
        nets: the modules that it names: those of its closure, its global ones, or its object.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        known = [function] if isinstance(function, nn.Module) else _named_by(function)
        self.nets = [value for value in known if isinstance(value, nn.Module)]

    def __call__(self, *given: Any) -> Any:
        """What the function returns."""
        with in_evaluation_mode(*self.nets):
            return self.function(*given)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # a copy of the modules would not be what the function calls


def _is_plain(net: Callable[..., Any]) -> bool:
    return isinstance(net, nn.Module) and not isinstance(net, torch.jit.ScriptModule)


def _named_by(function: Callable[..., Any]) -> Iterable[Any]:
    if inspect.ismethod(function):
        return [function.__self__, *_named_by(function.__func__)]
    if isinstance(function, partial):
        return [*function.args, *function.keywords.values(), *_named_by(function.func)]
    if not inspect.isfunction(function):
        return vars(function).values() if hasattr(function, "__dict__") else ()
    names = inspect.getclosurevars(function)
    return [*names.nonlocals.values(), *names.globals.values()]


def _tensor_in(returned: Any) -> Tensor | None:
    """The tensor of images, which many nets return with latents or features behind it."""
    first = returned[0] if isinstance(returned, tuple | list) and returned else returned
    if isinstance(first, np.ndarray):
        return torch.from_numpy(first)
    return first if isinstance(first, Tensor) else None


@contextmanager
def in_evaluation_mode(*nets: nn.Module) -> Iterator[None]:
    """Modules in evaluation mode; each of their parts gets its own mode back."""
    modes = {part: part.training for net in nets for part in net.modules()}
    for net in nets:
        net.eval()
    try:
        yield
    finally:
        for part, training in modes.items():
            part.training = training


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed the global generators of torch, NumPy and Python, for code that is not ours and may draw
    from them; their states are put back.

    Args:
        seed: any.
        device: on which that code computes.
    """
    with global_states_kept(device):
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        yield
