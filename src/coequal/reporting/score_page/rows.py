"""A row for each number: its value, and where it lies between real data and noise."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from coequal.analysis.score_scale import Scale, interval_of, on_the_scale, scale_of
from coequal.formatting import NONE, interval_with_error, number, with_error
from coequal.reporting.style import variable

LEFT, WIDTH = 6.0, 88.0  # of the line between both ends, in per cent of its box
BEYOND = 0.04  # how far beyond the ends a value is drawn, at most
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Dot:
    """The value of one set of generated images.

    Attributes:
        name: of the set.
        text: the value with its error; a dash where there is none.
        interval: its 95 % interval; empty if it is not known.
        colour: CSS.
        left: place on the line in per cent; None without a scale.
        low: of the interval.
        high: the same, on the right.
        same_counts: the value at the counts of the floor, where these are not the score's.
        sentence: all of this in words.
    """

    name: str
    text: str
    interval: str
    colour: str
    left: float | None
    low: float | None
    high: float | None
    same_counts: str
    sentence: str


@dataclass(frozen=True)
class MetricRow:
    """A number of all sets.

    Attributes:
        name: by which it is asked for.
        label: its name for people.
        better: in words.
        use: what it is good for.
        unit: its unit.
        protocol: how it was measured, where other sets were measured otherwise.
        dots: a value for each set.
        real: what real data score.
        end: what stands at the other end.
        end_name: what that is.
        noise_left: place of noise, where it is not the end.
        noise: what it scores.
        log: whether the line is logarithmic.
        reason: why there is no line; empty if there is.
    """

    name: str
    label: str
    better: str
    use: str
    unit: str
    protocol: str
    dots: Sequence[Dot]
    real: str = ""
    end: str = ""
    end_name: str = ""
    noise_left: float | None = None
    noise: str = ""
    log: bool = False
    reason: str = ""


def metric_rows(sets: Mapping[str, Record], floors: Mapping[str, Record]) -> list[MetricRow]:
    """The rows of a page: one for each number, or one for each way that it was measured in.

    Args:
        sets: the record of each set of generated images, by name.
        floors: what real data and noise score, by name of the set; empty where it is not known.
    """
    ways: dict[str, dict[str, list[str]]] = {}
    for key, record in sets.items():
        for name, row in record["metrics"].items():
            ways.setdefault(name, {}).setdefault(but_device(row["protocol"]), []).append(key)
    colours = {key: variable(place) for place, key in enumerate(sets)}
    rows = []
    for name, by_protocol in ways.items():
        for protocol, keys in by_protocol.items():
            some = {key: sets[key]["metrics"][name] for key in keys}
            told = protocol if len(by_protocol) > 1 else ""
            rows.append(_row(name, some, floors, colours, told))
    return rows


def but_device(protocol: str) -> str:
    """A protocol without the device, by which numbers differ no more than by rounding."""
    return re.sub(r" device=\w+", "", protocol)


def _row(
    name: str,
    sets: Mapping[str, Record],
    floors: Mapping[str, Record],
    colours: Mapping[str, str],
    protocol: str,
) -> MetricRow:
    """A number of sets that were measured alike, on one line."""
    scales = {key: scale_of(name, row, floors.get(key)) for key, row in sets.items()}
    # All were measured alike, so that the ends of one serve the others.
    first = next((k for k, scale in scales.items() if isinstance(scale, Scale)), next(iter(sets)))
    info, scale, floor = sets[first], scales[first], floors.get(first, {})
    label = info.get("label") or name.replace("_", " ")
    row = MetricRow(
        name=name,
        label=label,
        better=better_in_words(info),
        use=info.get("use", ""),
        unit=info["unit"],
        protocol=protocol,
        dots=[
            _dot(key, colours[key], name, label, one, scale, floors.get(key, floor))
            for key, one in sets.items()
        ],
        real=_told(floor.get("metrics", {}), name),
        noise=_told(floor.get("noise", {}), name),
    )
    if isinstance(scale, str):
        return replace(row, reason=scale)
    by_noise = scale.end_is == "noise"
    apart = not by_noise and scale.noise is not None and scale.noise != scale.end
    worst = "worst possible" if apart or scale.noise is None else "worst possible, and noise,"
    return replace(
        row,
        end=row.noise if by_noise else number(scale.end),
        end_name="noise" if by_noise else worst,
        noise_left=_left(scale, scale.noise) if apart and scale.noise is not None else None,
        log=scale.log,
    )


def _told(numbers: Mapping[str, Record], name: str) -> str:
    return value_alone(numbers[name]) if name in numbers else ""


def _dot(
    key: str,
    tint: str,
    name: str,
    label: str,
    row: Record,
    scale: Scale | str,
    floor: Record,
) -> Dot:
    if row["value"] is None:
        return Dot(key, NONE, "", tint, None, None, None, "", f"{label}: not measured.")
    ends = interval_of(row)
    shown = on_the_scale(name, row, floor or None)
    elsewhere = shown is not row
    same = with_error(shown["value"], shown["standard_error"]) if elsewhere else ""
    text = with_error(row["value"], row["standard_error"])
    interval = "" if ends is None else interval_with_error(ends, row["standard_error"])
    sentence = sentence_of(label, text, same, scale, name, floor)
    if isinstance(scale, str):
        return Dot(key, text, interval, tint, None, None, None, same, sentence)
    sides = interval_of(shown) if shown["value"] is not None else None
    left = None if shown["value"] is None else _left(scale, shown["value"])
    low, high = (None, None) if sides is None else sorted(_left(scale, end) for end in sides)
    return Dot(key, text, interval, tint, left, low, high, same, sentence)


def sentence_of(
    label: str, text: str, same: str, scale: Scale | str, name: str, floor: Record
) -> str:
    """A value in plain words: "FD 21.3 ± 0.4: real data against itself scores 1.3, noise 453."

    Args:
        label: name of the number.
        text: its value with error.
        same: its value at the counts of the floor, where they are not the score's.
        scale: between real data and noise, or why there is none.
        name: by which the number is asked for.
        floor: what real data and noise score.
    """
    here = f"{label} {text}" + (f" ({same} at the counts of the floor)" if same else "")
    real, noise = (_told(floor.get(end, {}), name) for end in ("metrics", "noise"))
    told = [f"real data against itself scores {real}"] if real else []
    if isinstance(scale, str):
        return f"{here}: {'; '.join([*told, scale])}."
    told += [f"noise {noise}"] if noise else []
    told += [f"the worst possible is {number(scale.end)}"] if scale.end_is == "worst" else []
    return f"{here}: {', '.join(told)}."


def better_in_words(info: Record) -> str:
    """In which direction a number is better."""
    if info["better"] != "target":
        return f"{info['better']} is better"
    return "best at its target" if info["target"] is None else f"best at {number(info['target'])}"


def value_alone(row: Record) -> str:
    """A number without its error, to the figures that this allows."""
    return number(row["value"], row["standard_error"])


def _left(scale: Scale, value: float) -> float:
    """A value's place in its box, in per cent."""
    return LEFT + WIDTH * min(1 + BEYOND, max(-BEYOND, scale.place(value)))
