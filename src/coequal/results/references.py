"""What an instrument was calibrated on, compared between runs: values of references.json."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from coequal.records import canonical

# Words, with paths of one machine in them; and the file that holds the encoder, which has an id.
_REMARKS = ("notes", "encoder_note", "encoder_file")
_ROUNDING = 1e-6  # of caps and floors, which another processor computes in another order
_NOTHING = "nothing"
_DECISIVE = ("encoder", "counts")  # what every version has written


def differences_of(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Every field in which the references of two instruments differ, with both values; what another
    processor rounds differently, and words, don't count.

    Args:
        one: of one dataset, as references.json holds it.
        other: that of another run.
    """
    return list(differences(_measured(one), _measured(other), rounding=_ROUNDING))


def other_instrument(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """What makes two instruments different, in words; empty if they measure the same.

    Fields that one version of coequal writes and another does not, and metrics that one study has
    and another does not, make no difference: a trial says what is measured of it.

    Args:
        one: of one dataset, as references.json holds it.
        other: that of another run.
    """
    first, second = _both(_measured(one), _measured(other))
    missing = [name for name in _DECISIVE if name not in first]
    found = [*differences(first, second, rounding=_ROUNDING), *(f"no {name}" for name in missing)]
    return "; ".join(found)


def _both(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """Two mappings with the fields that both have, also within caps and floors."""
    first, second = {}, {}
    for key in one:
        if key in other:
            first[key], second[key] = one[key], other[key]
            if key in ("cap", "floor"):
                first[key], second[key] = _both(one[key], other[key])
    return first, second


def _measured(reference: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in reference.items() if key not in _REMARKS}


def differences(
    one: Mapping[str, Any], other: Mapping[str, Any], path: str = "", rounding: float = 0.0
) -> Iterator[str]:
    """Every field in which two mappings differ, by its dotted path, with both values.

    Floating-point numbers may differ by the relative `rounding`.
    """
    for key in dict.fromkeys((*one, *other)):
        a, b = one.get(key), other.get(key)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            yield from differences(a, b, f"{path}{key}.", rounding)
        elif not _same(a, b, rounding):
            yield f"{path}{key}: {_shown(a)} and {_shown(b)}"


def _same(a: Any, b: Any, rounding: float) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=rounding)
    return canonical(a) == canonical(b)


def _shown(value: Any) -> str:
    return _NOTHING if value is None else str(value)
