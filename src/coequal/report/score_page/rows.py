"""A row for each number: its value, and where it lies between real data and noise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coequal.analysis.score_scale import Scale, interval_of, on_the_scale, scale_of
from coequal.formatting import interval_with_error, number, with_error
from coequal.report.style import variable

LEFT, WIDTH = 6.0, 88.0  # of the line between both ends, in per cent of its box
BEYOND = 0.05  # how far beyond the ends a value is drawn, at most
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
    dots: Sequence[Dot]
    real: str = ""
    end: str = ""
    end_name: str = ""
    noise_left: float | None = None
    noise: str = ""
    log: bool = False
    reason: str = ""


def metric_rows(sets: Mapping[str, Record], floors: Mapping[str, Record]) -> list[MetricRow]:
    """The rows of a page.

    Args:
        sets: the record of each set of generated images, by name.
        floors: what real data and noise score, by name of the set; empty where it is not known.
    """
    names = dict.fromkeys(name for record in sets.values() for name in record["metrics"])
    return [_row(name, sets, floors) for name in names]


def _row(name: str, sets: Mapping[str, Record], floors: Mapping[str, Record]) -> MetricRow:
    info = next(one["metrics"][name] for one in sets.values() if name in one["metrics"])
    label = info.get("label") or name.replace("_", " ")
    # One line for all: the scale of the first set that has one.
    scale: Scale | str = "what real data and noise score was not measured"
    floor: Record = {}
    for key, record in sets.items():
        if name in record["metrics"]:
            floor = floors.get(key, {})
            scale = scale_of(name, record["metrics"][name], floor or None)
            break
    dots = [
        _dot(key, place, name, label, record["metrics"].get(name), scale, floors.get(key, {}))
        for place, (key, record) in enumerate(sets.items())
    ]
    common = {
        "name": name,
        "label": label,
        "better": better_in_words(info),
        "use": info.get("use", ""),
        "unit": info["unit"],
        "dots": dots,
    }
    known = floor.get("metrics", {}).get(name)
    real = "" if known is None else value_alone(known)
    if isinstance(scale, str):
        noise = floor.get("noise", {}).get(name)
        told = "" if noise is None else value_alone(noise)
        return MetricRow(**common, real=real, noise=told, reason=scale)
    end = value_alone(floor["noise"][name]) if scale.end_is == "noise" else number(scale.end)
    noise_here = scale.end_is == "worst" and scale.noise is not None
    return MetricRow(
        **common,
        real=real,
        end=end,
        end_name="noise" if scale.end_is == "noise" else "worst possible",
        noise_left=_left(scale, scale.noise) if noise_here and scale.noise is not None else None,
        noise=value_alone(floor["noise"][name]) if noise_here else "",
        log=scale.log,
    )


def _dot(
    key: str,
    place: int,
    name: str,
    label: str,
    row: Record | None,
    scale: Scale | str,
    floor: Record,
) -> Dot:
    if row is None or row["value"] is None:
        return Dot(key, "–", "", variable(place), None, None, None, "", f"{label}: not measured.")
    ends = interval_of(row)
    shown = on_the_scale(name, row, floor or None)
    elsewhere = shown is not row
    same = value_with_error(shown) if elsewhere else ""
    text = value_with_error(row)
    interval = "" if ends is None else interval_with_error(ends, row["standard_error"])
    sentence = sentence_of(label, text, same, scale, name, floor)
    if isinstance(scale, str):
        return Dot(key, text, interval, variable(place), None, None, None, same, sentence)
    sides = interval_of(shown) if shown["value"] is not None else None
    left = None if shown["value"] is None else _left(scale, shown["value"])
    low, high = (None, None) if sides is None else sorted(_left(scale, end) for end in sides)
    return Dot(key, text, interval, variable(place), left, low, high, same, sentence)


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
    if isinstance(scale, str):
        real = floor.get("metrics", {}).get(name)
        told = "" if real is None else f"real data against itself scores {value_alone(real)}; "
        return f"{here}: {told}{scale}."
    parts = [f"real data against itself scores {value_alone(floor['metrics'][name])}"]
    if scale.noise is not None:
        parts.append(f"noise {value_alone(floor['noise'][name])}")
    if scale.end_is == "worst":
        parts.append(f"the worst possible is {number(scale.end)}")
    return f"{here}: {', '.join(parts)}."


def better_in_words(info: Record) -> str:
    """In which direction a number is better."""
    if info["better"] != "target":
        return f"{info['better']} is better"
    return "best at a target" if info["target"] is None else f"best at {number(info['target'])}"


def value_with_error(row: Record) -> str:
    """A number with its error; to three figures where none is known."""
    text = with_error(row["value"], row["standard_error"])
    return text if " ± " in text else value_alone(row)


def value_alone(row: Record) -> str:
    """A number to the figures that its error allows, without the error; three if none is known."""
    value, error = row["value"], row["standard_error"]
    if value is None:
        return "–"
    return number(value, error)


def _left(scale: Scale, value: float) -> float:
    """A value's place in its box, in per cent."""
    return LEFT + WIDTH * min(1 + BEYOND, max(-BEYOND, scale.place(value)))
