"""What a page says of a score beside its numbers."""

from collections.abc import Mapping
from typing import Any

from coequal.formatting import capital

Record = Mapping[str, Any]


def about_set(record: Record) -> list[tuple[str, str]]:
    """What was scored against what, as value and what it is."""
    fake, real, encoder = record["fake"], record["real"], record["encoder"]
    facts = [
        (_counted(fake, "generated"), f"({fake['source']})"),
        (_counted(real, "real"), f"({real['source']})"),
        (f"encoder {encoder['id']}", f"({encoder['chosen']})"),
    ]
    if "shape" in fake:
        channels, height, width = fake["shape"]
        colours = "grey" if channels == 1 else "in colour"
        facts.append((f"{width} x {height} pixels", colours))
    if "train" in record:
        train = record["train"]
        facts.append((_counted(train, "training"), f"({train['source']})"))
    if record.get("device", "cpu") != "cpu":
        facts.append((f"device {record['device']}", f"(precision {record['precision']})"))
    return facts


def _counted(source: Record, side: str) -> str:
    count = "unknown many" if source["count"] is None else f"{source['count']:,}"
    kind = source["kind"]
    if kind == "statistics":
        return f"statistics of {count} {side} images"
    return f"features of {count} {side} images" if kind == "features" else f"{count} {side} images"


def short_name(source: str) -> str:
    """A source without the folders that it lies in, and a run's model without its trial."""
    return source.partition(" (trial ")[0].rstrip("/").rpartition("/")[2] or source


def warnings_of(sets: Mapping[str, Record]) -> list[str]:
    """Why the numbers may mislead; what is said of all sets stands once."""
    found: dict[str, list[str]] = {}
    for name, record in sets.items():
        for warning in record["warnings"]:
            found.setdefault(warning, []).append(name)
    names_of_numbers = {name for record in sets.values() for name in record["metrics"]}

    def sentence(text: str) -> str:
        about = text.partition(": ")[0].split(", ")
        return text if names_of_numbers.issuperset(about) else capital(text)

    return [
        f"{sentence(text)}." if len(names) == len(sets) else f"{', '.join(names)}: {text}."
        for text, names in found.items()
    ]


def protocols(sets: Mapping[str, Record]) -> list[tuple[str, str]]:
    """How numbers were measured: all numbers of one protocol, and it once."""
    found: dict[str, dict[str, None]] = {}
    for record in sets.values():
        for name, row in record["metrics"].items():
            found.setdefault(row["protocol"], {})[name] = None
    return [(", ".join(names), protocol) for protocol, names in found.items()]
