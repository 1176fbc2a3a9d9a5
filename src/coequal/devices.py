"""What torch computes on, "cpu", "cuda", "cuda:1" or "mps", and how exactly it multiplies there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

AUTO = "auto"
"""For `chosen`: an NVIDIA GPU where there is one, else the CPU."""

_OLDER = "allow_tf32"  # of two names of one switch


class Precision(StrEnum):
    """How float32 numbers are multiplied in convolutions and matrix products: as they are, or with
    10 bits of the mantissa (NVIDIA's TF32), which is faster and has 1e-3 of relative error."""

    float32 = "float32"
    tf32 = "tf32"


def present() -> list[str]:
    """The devices that this machine has: "cpu", "cuda:0", ..., "mps"."""
    import torch

    gpus = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    return ["cpu", *gpus, *(["mps"] if torch.backends.mps.is_available() else [])]


def refuse_missing(device: str) -> None:
    """Refuse a device that torch does not know or this machine does not have.

    Args:
        device: as a user writes it.

    Raises:
        ValueError: it is so; the message says what would do.
    """
    import torch

    try:
        kind = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"device '{device}' is not one of cpu, cuda, cuda:0, mps") from error
    here = present()
    name = f"cuda:{kind.index or 0}" if kind.type == "cuda" else kind.type
    if name not in here:
        reason = f"torch {torch.__version__} has none here"
        if kind.type == "cuda" and len(here) > 1:
            reason = "there is no GPU of this number"
        raise ValueError(f"device '{device}': {reason}; use {' or '.join(here)}")


def chosen(device: str) -> str:
    """The device that is meant, which this machine has.

    Args:
        device: as a user writes it; `AUTO` is "cuda" where there is an NVIDIA GPU, else "cpu".

    Raises:
        ValueError: it isn't here; the message says what would do.
    """
    if device == AUTO:
        return "cuda" if "cuda:0" in present() else "cpu"
    refuse_missing(device)
    return device


@contextmanager
def computing_on(device: str, precision: str = Precision.float32) -> Iterator[torch.device]:
    """Compute on a device, with float32 products in full unless TF32 is asked for.

    torch lets cuDNN's convolutions use TF32 by default, so every command and every worker computes
    inside this. What was set before is set again afterwards.

    Args:
        device: as a user writes it; see `chosen`.
        precision: "float32", or "tf32" on an NVIDIA GPU.

    Yields:
        The device.

    Raises:
        ValueError: the device isn't here, or has no such precision; the message says what would do.
    """
    import torch

    found = torch.device(chosen(device))
    if precision not in [*Precision]:
        raise ValueError(f"precision '{precision}' is not one of {', '.join(Precision)}")
    if precision == Precision.tf32 and found.type != "cuda":
        raise ValueError(
            f"precision tf32 needs an NVIDIA GPU, and this would run on {found}; use "
            "precision float32, or device cuda"
        )
    with _tf32(precision == Precision.tf32):
        yield found


@contextmanager
def full_products() -> Iterator[None]:
    """Multiply float32 matrices in full, whatever is set: for what relies on a bound of rounding
    errors. What was set before is set again afterwards."""
    with _tf32(False):
        yield


@contextmanager
def _tf32(wanted: bool) -> Iterator[None]:
    """Let float32 products and convolutions use TF32 or not; set as before afterwards."""
    before = _tf32_switches()
    for library, name, _ in before:
        setattr(library, name, wanted if name == _OLDER else ("tf32" if wanted else "ieee"))
    try:
        yield
    finally:
        for library, name, value in before:
            setattr(library, name, value)


def _tf32_switches() -> list[tuple[Any, str, bool | str]]:
    """torch's libraries, the names of what decides there on TF32, and how it is set now.

    torch has an older and a newer name. It refuses to read a library by the older one where
    somebody has set it by the newer, and what is set by both can't be read by the older any more:
    each library is read, and set again, by the name that it is used by.
    """
    import torch

    products: Any = torch.backends.cuda.matmul
    convolutions: Any = torch.backends.cudnn
    found: list[tuple[Any, str, bool | str]] = []
    for library in (products, convolutions):
        try:
            found.append((library, _OLDER, library.allow_tf32))
        except RuntimeError:
            parts = (library,) if library is products else (library.conv, library.rnn)
            found += [(each, "fp32_precision", each.fp32_precision) for each in parts]
    return found


def exact_on(device: torch.device) -> torch.device:
    """Where float64 numbers are computed for what lies on a device: there, or on the CPU for one
    that has no float64 ("mps")."""
    import torch

    return torch.device("cpu") if device.type == "mps" else device


def precision_on(device: torch.device) -> Precision:
    """The precision of float32 products on a device as torch is set now."""
    tf32 = any(value in (True, Precision.tf32) for _, _, value in _tf32_switches())
    return Precision.tf32 if tf32 and device.type == "cuda" else Precision.float32


def protocol_of(device: torch.device) -> str:
    """What a protocol says of where numbers were computed: nothing on the CPU, else "device=cuda",
    with " precision=tf32" where torch is set to it."""
    if device.type == "cpu":
        return ""
    precision = precision_on(device)
    shown = "" if precision == Precision.float32 else f" precision={precision}"
    return f"device={device.type}{shown}"
