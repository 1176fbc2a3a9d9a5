"""What the trackers share: how one is named, found and made, and refused where it can't work."""

import hashlib
import importlib.util
import math
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from coequal import lookup
from coequal.checkpoints import Measurement
from coequal.contract import Callback
from coequal.files import file_name

KIND = "trackers"

FOLDER = "callbacks"
"""In the folder of a run: a folder for each callback, and in it one for each trial."""


class Tracker(Callback):
    """A callback that comes with coequal and logs to one program.

    Attributes:
        PACKAGE: that it imports.
        EXTRA: of coequal, with which that package is installed.
        ARGUMENT: what stands behind its name, for messages: "tensorboard:FOLDER".
    """

    PACKAGE: ClassVar[str]
    EXTRA: ClassVar[str]
    ARGUMENT: ClassVar[str]

    def __init__(self, argument: str = "") -> None:
        self.argument = argument

    @classmethod
    def prepared(cls, argument: str) -> str:
        """Check an argument where a run begins.

        Args:
            argument: as the user wrote it; empty without one.

        Returns:
            The argument as a worker in another folder understands it.

        Raises:
            ValueError: the package is missing, or the argument can't be used; the message says what
                to do.
        """
        if importlib.util.find_spec(cls.PACKAGE) is None:
            raise ValueError(
                f"the tracker {cls.EXTRA} needs the package {cls.PACKAGE}, which is not installed: "
                f"pip install 'coequal[{cls.EXTRA}]'"
            )
        return argument


def prepared(given: str | Callback, *, in_this_process: bool) -> str | Callback:
    """Check a callback before any work, and bring it into the form that is sent to workers.

    Args:
        given: "tensorboard:FOLDER", a tracker of coequal with its argument; "my_lab.log:Mine", a
            class that extends `Callback`, with "my_lab.log:Mine:ARGUMENT" made of that text; or an
            object.
        in_this_process: whether the trials run in this process, so that nothing is sent.

    Raises:
        LookupError: nothing has this name, or it is no callback.
        ValueError: it can't be used here; the message says what to do.
    """
    if isinstance(given, Callback):
        if not in_this_process:
            _refuse_unsendable(given)
        return given
    if not isinstance(given, str):
        raise ValueError(
            f"a callback is a text, or an object of a class that extends Callback; got {given!r}"
        )
    name, _, argument = given.partition(":")
    if name in lookup.names(KIND):
        tracker: type[Tracker] = lookup.load(KIND, name)
        argument = tracker.prepared(argument)
        return f"{name}:{argument}" if argument else name
    _class_of(given)
    return given


def made(given: str | Callback) -> Callback:
    """The callback that `prepared` has checked; an object is returned as it is.

    Raises:
        LookupError: it can't be imported here.
    """
    if isinstance(given, Callback):
        return given
    kind, argument = _class_of(given)
    return kind(argument) if argument else kind()  # type: ignore[call-arg]


def name_of(given: str | Callback) -> str:
    """The name of a callback in messages: without its argument, which may hold a password."""
    if isinstance(given, Callback):
        return type(given).__qualname__
    name, _, argument = given.partition(":")
    return name if name in lookup.names(KIND) else f"{name}:{argument.partition(':')[0]}"


def callback_folder(run: Path, given: str | Callback) -> Path:
    """The folder of a callback in that of a run; the same name with another argument has another.

    Args:
        run: the folder of the run.
        given: as `prepared` returned it.
    """
    kind = type(given)
    text = given if isinstance(given, str) else f"{kind.__module__}:{kind.__qualname__}"
    short = hashlib.sha256(text.encode()).hexdigest()[:8]  # an argument may hold a password
    return run / FOLDER / f"{file_name(name_of(given))}-{short}"


def _class_of(given: str) -> tuple[type[Callback], str]:
    """The class of a callback that is given by its name, and its argument."""
    name, _, argument = given.partition(":")
    if name in lookup.names(KIND):
        return lookup.load(KIND, name), argument
    attribute, _, argument = argument.partition(":")
    if not attribute:
        raise LookupError(
            lookup.unknown(name, lookup.names(KIND), "trackers: ")
            + "; a callback of your own is module:Name"
        )
    try:
        return lookup.load_class(KIND, f"{name}:{attribute}", Callback), argument
    except LookupError as error:
        unknown = lookup.unknown(name, lookup.names(KIND), "trackers: ")
        if "did you mean" in unknown and "cannot import" in str(error):
            raise LookupError(unknown) from error
        raise


def _refuse_unsendable(given: Callback) -> None:
    """Refuse an object that a worker could not have.

    Raises:
        ValueError: it is so; the message says why.
    """
    kind = type(given)
    remedy = "or run in this process (workers=0)"
    if kind.__module__ == "__main__":
        raise ValueError(
            f"the callback {kind.__qualname__} is defined in the script or notebook itself, which "
            f"workers can't import: put it into a module of its own, {remedy}"
        )
    try:
        pickle.dumps(given)
    except Exception as error:
        raise ValueError(
            f"the callback {kind.__qualname__} can't be sent to a worker ({error}): give "
            f"'{kind.__module__}:{kind.__qualname__}', of which each trial makes its own, {remedy}"
        ) from error


def by_name(measurements: Sequence[Measurement]) -> dict[str, float]:
    """Measured numbers that are finite by "test/fd": the split, then the metric."""
    return {f"{m.split}/{m.metric}": m.value for m in measurements if math.isfinite(m.value)}


def grouped(values: Mapping[str, float]) -> dict[str, float]:
    """Signals by the names under which a tracker shows them: losses together, and the rest."""
    return {
        name.replace("loss_", "loss/") if name.startswith("loss_") else f"health/{name}": value
        for name, value in values.items()
    }
