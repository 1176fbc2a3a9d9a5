"""Whether a device has arithmetic for bfloat16, and what the type costs where it has none.

Where torch knows the answer, no clock is asked. A processor without such instructions computes
each number by several of its own: a study takes many times as long as in float32, for nothing.
"""

import os
import time
from collections.abc import Mapping
from typing import NamedTuple

SIZE = 512  # of the square matrices of the measurement
ROUNDS = 3
INSTRUCTIONS = ("avx512_bf16", "amx_bf16")  # as `torch.cpu.get_capabilities` calls them
LIMITS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
"""Variables of a shell that keep oneDNN from using a processor's instructions."""


class Speeds(NamedTuple):
    """What a device reaches in a matrix product, in GFLOP/s."""

    float32: float
    bfloat16: float

    @property
    def ratio(self) -> float:
        """How many times as long as in float32 the product takes in bfloat16."""
        return self.float32 / self.bfloat16


def is_native(device: str = "cpu") -> bool | None:
    """Whether a device has instructions for bfloat16 and torch's libraries use them.

    Args:
        device: as torch writes it: "cpu", "cuda:1".

    Returns:
        None where torch can't tell.
    """
    import torch

    kind = torch.device(device)
    if kind.type == "cuda":
        with torch.cuda.device(kind):
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if kind.type != "cpu":
        return None
    # oneDNN computes torch's products and convolutions in bfloat16. It supports the type on any
    # AVX-512, where it emulates the instructions that a processor lacks.
    supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    if supported is None:
        return None
    if not supported():
        return False
    there: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    limited = any(name in os.environ for name in LIMITS)
    return True if not limited and any(there.get(name) for name in INSTRUCTIONS) else None


def measure(device: str = "cpu") -> Speeds:
    """Time a matrix product in both types in turns, on one thread as trials are trained: well below
    a second where bfloat16 is fast, and about two where it is slow.

    Args:
        device: as torch writes it.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        square = torch.full((SIZE, SIZE), 0.5, device=device)
        sides = {kind: square.to(kind) for kind in (torch.float32, torch.bfloat16)}
        seconds: dict[torch.dtype, list[float]] = {kind: [] for kind in sides}
        for turn in range(ROUNDS + 1):  # the first warms up
            for kind, side in sides.items():
                begin = time.perf_counter()
                float((side @ side)[0, 0])  # waits for a device that computes on its own
                if turn:
                    seconds[kind].append(time.perf_counter() - begin)
    finally:
        torch.set_num_threads(threads)
    operations = 2 * SIZE**3 / 1e9
    return Speeds(*(operations / min(seconds[kind]) for kind in sides))


def slow(device: str = "cpu") -> Speeds | None:
    """What a device measures if bfloat16 is slow on it; None if it is not.

    Only where torch knows nothing of the device does the measurement decide.

    Args:
        device: as torch writes it.
    """
    native = is_native(device)
    if native:
        return None
    speeds = measure(device)
    return speeds if native is False or speeds.ratio > 1 else None


def refuse_slow(device: str = "cpu") -> None:
    """Refuse to train in bfloat16 where that is slow.

    Args:
        device: as torch writes it.

    Raises:
        ValueError: it is so; the message has the measured ratio, and what would do.
    """
    if speeds := slow(device):
        raise ValueError(
            f"training.precision is bfloat16, for which device '{device}' has no arithmetic: a "
            f"matrix product takes {speeds.ratio:.3g} times as long as in float32 "
            f"({speeds.bfloat16:.3g} against {speeds.float32:.3g} GFLOP/s, measured now); what "
            "would do: precision: float32, another machine, or --force-bfloat16 (from Python: "
            "force_bfloat16=True)"
        )
