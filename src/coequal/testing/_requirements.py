"""What the checks share: messages, global random numbers, settings."""

import pickle
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def require(holds: bool, part: object, message: str) -> None:
    """Raise AssertionError unless `holds`; the message begins with the name of the part."""
    if not holds:
        raise AssertionError(f"{name_of(part)}: {message}")


def name_of(part: object) -> str:
    """The name of a part's class, or of a class or function itself; a name is its own."""
    return part if isinstance(part, str) else str(getattr(part, "__name__", type(part).__name__))


@contextmanager
def no_global_draws(part: object, where: str) -> Iterator[None]:
    """Require that nothing inside draws from torch's, NumPy's or Python's global generator."""
    before, modules = _global_states(), len(sys.modules)
    yield
    after = _global_states()
    message = f"{where} drew from the global random generator of"
    require(torch.equal(before[0], after[0]), part, f"{message} torch")
    require(before[1] == after[1], part, f"{message} NumPy")
    if len(sys.modules) == modules:  # imports draw from it, for the names of temporary files
        require(before[2] == after[2], part, f"{message} Python")


def _global_states() -> tuple[torch.Tensor, list[object], object]:
    of_numpy = np.random.get_state()  # noqa: NPY002  (the global generator is what is watched)
    plain: list[object] = [
        part.tolist() if isinstance(part, np.ndarray) else part for part in of_numpy
    ]
    return torch.get_rng_state(), plain, random.getstate()


def check_settings(part: Any) -> None:
    """Require a frozen dataclass of plain settings, equal to its own copy in another process."""
    kind = type(part)
    options = getattr(kind, "__dataclass_params__", None)
    require(
        options is not None and options.frozen, part, "must be a frozen dataclass of its settings"
    )
    try:
        copy = pickle.loads(pickle.dumps(part))
    except Exception as error:
        raise AssertionError(f"{kind.__name__}: can't be pickled ({error})") from error
    require(copy == part, part, "is not equal to its own pickled copy")
