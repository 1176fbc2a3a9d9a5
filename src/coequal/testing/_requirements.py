"""What the checks share: messages, global random numbers, settings."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from coequal.code_places import located, place_of
from coequal.contract import ContractError
from coequal.rng import GlobalStates


def require(holds: bool, part: object, message: str) -> None:
    """Raise AssertionError unless `holds`; the message begins with the name of the part, and ends
    with the place of one from outside."""
    if not holds:
        raise AssertionError(located(f"{name_of(part)}: {message}", place_of(part)))


def name_of(part: object) -> str:
    """The name of a part's class, or of a class or function itself; a name is its own."""
    return part if isinstance(part, str) else str(getattr(part, "__name__", type(part).__name__))


@contextmanager
def no_global_draws(part: object, where: str) -> Iterator[None]:
    """Require that nothing inside draws from torch's, NumPy's or Python's global generator."""
    before = GlobalStates()
    yield
    names = " and ".join(before.moved())
    require(not names, part, f"{where} drew from the global random generator of {names}")


@contextmanager
def contract_kept(part: object) -> Iterator[None]:
    """Turn what the loop refuses into an AssertionError that begins with the name of the part."""
    try:
        yield
    except ContractError as error:
        raise AssertionError(f"{name_of(part)}: {error}") from error


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
