"""Numbers that lie on a device, read together: each read makes the CPU wait for all that it was
given to do."""

from collections.abc import Sequence

import torch
from torch import Tensor


def numbers(scalars: Sequence[Tensor]) -> list[float]:
    """Read scalars in one transfer; on the CPU, where none is needed, one by one.

    Args:
        scalars: tensors without dimensions, all on one device.
    """
    if all(value.device.type == "cpu" for value in scalars):
        return [float(value) for value in scalars]
    read: list[float] = torch.stack([value.detach() for value in scalars]).tolist()
    return read
