"""What can't be read is said to the reader of a page; any other exception is an error of ours."""

from collections.abc import Iterator
from contextlib import contextmanager


class Unreadable(Exception):
    """A run, or something in it, can't be read; the message says why."""


@contextmanager
def readable() -> Iterator[None]:
    """Say of what can't be read inside why.

    Raises:
        Unreadable: so it was.
    """
    try:
        yield
    except (OSError, ValueError, LookupError) as error:
        text = error.args[0] if isinstance(error, KeyError) and error.args else error
        raise Unreadable(str(text)) from error
