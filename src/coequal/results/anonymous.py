"""Texts of a run without the names of the machine, and of the person, that made it.

What a program writes into a failure's reason or a note may hold a folder ("/home/anna/lab/mine.py")
or the address of a worker. These are found by their form, never by what this machine is called, so
that a text becomes the same wherever that is done.
"""

import getpass
import platform
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_LETTER = r"[^\s/'\"<>|*?,;:()\[\]{}=\\]"
_PLACE = re.compile(
    rf"""
    (?P<address> \b (?:tcp|tls|ucx|ipc|wss?)://[^\s'",;)\]]+ )        # of a cluster
    | (?: file:/+ | (?<![\w.~/<-])~(?:[A-Za-z][\w.-]*)?/ | (?<![\w.~/<-])/ )
      (?: (?:home|Users)/[^/'"\n]+ | {_LETTER}+ ) (?: /{_LETTER}* )+   # names of users have spaces
    | (?<!\w) [A-Za-z]:[\\/]+ (?: Users[\\/]+[^\\/'"\n]+ )? [^\s'"<>|*?,;()]*
    | (?<![\w\\]) \\\\[\w.-]+\\ [^\s'"<>|*?,;()]*
    | (?<![\w.~/<-]) ~/{_LETTER}+
    """,
    re.VERBOSE,
)
_FILE = re.compile(r"[\w-]+\.(?:py|so|json|ya?ml|csv|npy|npz|png|jpe?g|zip|gz|safetensors)\Z")


def without_places(text: str) -> str:
    """Replace folders by `[folder]`, of which the name of a file stays, and addresses of workers by
    `[address]`."""
    return _PLACE.sub(_shortened, text)


def _shortened(found: re.Match[str]) -> str:
    if found["address"]:
        return "[address]"
    file = _FILE.search(found[0])
    return f"[folder]/{file[0]}" if file else "[folder]"


def place_in(text: str) -> str:
    """The first folder or address in a text; empty if there is none."""
    found = _PLACE.search(text)
    return found[0] if found else ""


def texts(values: Any) -> Iterator[str]:
    """Every text in plain values, keys too."""
    if isinstance(values, str):
        yield values
    elif isinstance(values, Mapping):
        for key, value in values.items():
            yield from texts(key)
            yield from texts(value)
    elif isinstance(values, list | tuple):
        for value in values:
            yield from texts(value)


def names_here() -> list[str]:
    """What this machine and its user are called, as far as they say."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name
        user = ""
    return [name for name in (platform.node(), user) if name]


def named(text: str, names: Iterable[str]) -> str:
    """The first of the names that stands in a text as a word; empty if none does."""
    for name in names:
        if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE):
            return name
    return ""
