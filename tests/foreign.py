"""A device that is not the CPU, on any machine: what a GPU refuses, it refuses, and it computes.

Its tensors say that they are on torch's `meta` device and hold their values in a CPU tensor that
nobody else sees, on which every operation is done. So values can be compared with the CPU's bit for
bit, and yet

- an operation on tensors of both devices raises, as it does on a GPU (a CPU tensor without
  dimensions is allowed there and here);
- everything that makes the CPU wait for a GPU is counted: `.cpu()`, `.item()`, `float(tensor)`,
  `bool(tensor)`, and operations whose result has a shape that depends on values. It can be
  forbidden for a while.

    with ForeignDevice() as foreign:
        weights = torch.ones(3, device=foreign.device)
        with foreign.no_waiting():
            result = weights * 2
        assert foreign.waits == 0
        assert torch.equal(values_of(result), torch.full((3,), 2.0))

A random stream that is made for it draws the numbers of one of the CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, ClassVar
from unittest.mock import patch

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map

DEVICE = torch.device("meta")
"""Where the tensors say that they are."""

CPU = torch.device("cpu")

READING = {
    torch.ops.aten._local_scalar_dense.default: "a number",
    torch.ops.aten.equal.default: "whether two tensors are equal",
    torch.ops.aten.nonzero.default: "how many elements are not 0",
    torch.ops.aten.masked_select.default: "how many elements are chosen",
    torch.ops.aten.bincount.default: "the largest value",
    torch.ops.aten._unique2.default: "how many values there are",
    torch.ops.aten.unique_dim.default: "how many values there are",
    torch.ops.aten.unique_consecutive.default: "how many values there are",
    torch.ops.aten.repeat_interleave.Tensor: "the sum of the repeats",
}
"""Operations for which the CPU must know values that lie on the device, and what it must know."""


class Waiting(AssertionError):
    """Something made the CPU wait for the device where that was forbidden."""


class ForeignTensor(Tensor):
    """A tensor on the foreign device."""

    _values: Tensor
    is_meta = False  # its values are there: to copy into it is to do something

    @staticmethod
    def __new__(cls, values: Tensor) -> ForeignTensor:
        made: ForeignTensor = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls,
            values.shape,
            strides=values.stride(),
            storage_offset=values.storage_offset(),
            dtype=values.dtype,
            layout=values.layout,
            device=DEVICE,
            requires_grad=False,
        )
        made._values = values
        return made

    def __init__(self, values: Tensor) -> None:
        pass

    def __repr__(self) -> str:  # type: ignore[override]
        return f"ForeignTensor({self._values!r})"

    def tolist(self) -> Any:
        """torch refuses this for other kinds of tensors than its own."""
        return self.cpu().tolist()

    @classmethod
    def __torch_dispatch__(
        cls,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        return _computed(func, args, dict(kwargs or {}))

    __torch_function__ = torch._C._disabled_torch_function_impl


class _FromNumbers(TorchFunctionMode):
    """Tensors of given numbers are made on the CPU and moved: torch itself makes tensors without
    values of them for `meta`, below the reach of a dispatch mode."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func is Tensor.new_tensor and isinstance(args[0], ForeignTensor):
            wanted = kwargs.pop("device", None) or DEVICE
            own = args[0]._values.new_tensor(*args[1:], **kwargs)
            return own.to(wanted)
        if func in (torch.tensor, torch.as_tensor):
            wanted = kwargs.get("device")
            if wanted is not None and torch.device(wanted) == DEVICE:
                return func(*args, **kwargs | {"device": CPU}).to(DEVICE)
        return func(*args, **kwargs)


class ForeignDevice(TorchDispatchMode):
    """While it is entered, tensors can be made on the foreign device and moved there.

    Attributes:
        device: to be given to torch.
        waits: how often the CPU had to wait for the device.
    """

    entered: ClassVar[list[ForeignDevice]] = []
    device = DEVICE

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.waits = 0
        self._forbidden = False
        self._patches: list[Any] = []
        self._from_numbers: Any = _FromNumbers()

    def __enter__(self) -> ForeignDevice:
        state = torch.zeros(0, dtype=torch.uint8)
        module = SimpleNamespace(
            get_rng_state=lambda *_: state,
            set_rng_state=lambda *_: None,
            synchronize=lambda *_: None,
        )
        self._patches = [
            patch.object(torch, "Generator", _Generator),
            patch.object(torch, DEVICE.type, module, create=True),
        ]
        for each in self._patches:
            each.start()
        ForeignDevice.entered.append(self)
        self._from_numbers.__enter__()
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        self._from_numbers.__exit__(*error)
        ForeignDevice.entered.remove(self)
        for each in self._patches:
            each.stop()

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        return _computed(func, args, dict(kwargs or {}))

    @contextmanager
    def no_waiting(self) -> Iterator[None]:
        """Forbid whatever makes the CPU wait for the device.

        Raises:
            Waiting: something did; the traceback shows what.
        """
        before, self._forbidden = self._forbidden, True
        try:
            yield
        finally:
            self._forbidden = before

    def wait(self, what: str) -> None:
        """Note that the CPU must know something that lies on the device."""
        self.waits += 1
        if self._forbidden:
            raise Waiting(f"the CPU waits for the device, to know {what}")


def values_of(tensor: Tensor) -> Tensor:
    """A copy of the values of a tensor, on the CPU; it is not counted."""
    held = tensor.detach()
    return held._values.clone() if isinstance(held, ForeignTensor) else held.clone()


def _computed(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result of an operation, on the device on which it is."""
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    foreign = any(isinstance(tensor, ForeignTensor) for tensor in tensors)
    wanted = kwargs.get("device")
    wanted = None if wanted is None else torch.device(wanted)
    if not foreign and wanted != DEVICE and all(tensor.device != DEVICE for tensor in tensors):
        return func(*args, **kwargs)
    copies = func in (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)
    if not copies:
        _refuse_two_devices(func, tensors, foreign)
    _note_waiting(func, args, wanted, foreign)
    # Compute on the values, and put the result where it belongs.
    inner_args, inner_kwargs = tree_map(_inner, (args, kwargs))
    if wanted is not None:
        inner_kwargs["device"] = CPU
    result = func(*inner_args, **inner_kwargs)
    if func is torch.ops.aten.copy_.default:
        return args[0]
    if wanted is not None and wanted != DEVICE:
        return result
    # A view shares the count of changes of what it is a view of, which inference mode has none of.
    with torch.inference_mode(False):
        result = tree_map(
            lambda leaf: ForeignTensor(leaf) if type(leaf) is Tensor else leaf, result
        )
    return return_and_correct_aliasing(func, args, kwargs, result) if foreign else result


def _inner(leaf: Any) -> Any:
    return leaf._values if isinstance(leaf, ForeignTensor) else leaf


def _refuse_two_devices(func: Callable[..., Any], tensors: list[Tensor], foreign: bool) -> None:
    """Raise what torch raises on a GPU if a tensor of the CPU is among those of the device."""
    for tensor in tensors:
        if tensor.device == DEVICE and not isinstance(tensor, ForeignTensor):
            raise RuntimeError(f"torch made a tensor without values, of which {func} is asked")
        if foreign and not isinstance(tensor, ForeignTensor) and tensor.ndim:
            raise RuntimeError(
                "Expected all tensors to be on the same device, but found at least two devices, "
                f"{DEVICE} and {tensor.device}, in {func} (shape {tuple(tensor.shape)})"
            )


def _note_waiting(
    func: Callable[..., Any], args: tuple[Any, ...], wanted: torch.device | None, foreign: bool
) -> None:
    """Note an operation for which the CPU needs values that lie on the device."""
    what = READING.get(func, "")
    moved = func is torch.ops.aten._to_copy.default and wanted == CPU
    written = func is torch.ops.aten.copy_.default and not isinstance(args[0], ForeignTensor)
    if moved or written:
        what = "a copy of a tensor"
    elif func is torch.ops.aten.index.Tensor or (
        func is torch.ops.aten.index_put_.default and args[2].numel() > 1
    ):  # to write one number into masked places needs no count of them
        masks = (torch.bool, torch.uint8)
        if any(index is not None and index.dtype in masks for index in args[1]):
            what = "how many rows are chosen"
    if what and foreign:
        for device in ForeignDevice.entered[-1:]:
            device.wait(what)


class _Generator(torch.Generator):
    """torch makes no generator for `meta`: one of the CPU draws the same numbers."""

    def __new__(cls, device: Any = CPU) -> _Generator:
        return super().__new__(cls, CPU if torch.device(device) == DEVICE else device)
