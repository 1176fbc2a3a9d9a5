"""From the names that somebody asks for to the metrics that give these numbers."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from coequal import lookup
from coequal.contract import Metric, MetricInfo


class RequestedMetrics(NamedTuple):
    """The metrics to measure, and which of their numbers are wanted."""

    parts: dict[str, Metric]
    outputs: dict[str, tuple[str, ...]]  # by part; all of them where the part itself was named

    def has(self, name: str) -> bool:
        """Whether this is one of the parts, or of their numbers that are wanted."""
        return name in self.parts or any(name in keys for keys in self.outputs.values())

    def infos(self) -> dict[str, MetricInfo]:
        """What the parts say of their numbers, of those too that are not asked for."""
        return {key: info for part in self.parts.values() for key, info in part.outputs.items()}

    def required(self, part: str) -> set[str]:
        """What a part wants beyond features for the numbers that are asked for."""
        metric, asked = self.parts[part], self.outputs[part]
        return {
            *metric.required,
            *(metric.required_for[key] for key in asked if key in metric.required_for),
        }


def requested_metrics(
    names: Sequence[str] | str, settings: Mapping[str, Mapping[str, Any]] | None = None
) -> RequestedMetrics:
    """The parts that give the numbers asked for; a name is a part's or one of its numbers'.

    Args:
        names: "all", or names; "module:Class" is a metric of somebody's own.
        settings: by part, those that are not to be its defaults; checked (see `study.check`).

    Raises:
        LookupError: nothing has this name.
    """
    own = settings or {}
    known: dict[str, Metric] = {
        name: lookup.load("metrics", name)(**own.get(name, {})) for name in lookup.names("metrics")
    }
    if names == "all":
        return RequestedMetrics(known, {name: tuple(part.outputs) for name, part in known.items()})
    parts: dict[str, Metric] = {}
    outputs: dict[str, list[str]] = {}
    for name in [names] if isinstance(names, str) else names:
        if ":" in name:
            known[name] = lookup.load("metrics", name)(**own.get(name, {}))
        homes = [home for home, part in known.items() if name == home or name in part.outputs]
        if not homes:
            all_names = {*known, *(key for part in known.values() for key in part.outputs)}
            raise LookupError(lookup.unknown(name, sorted(all_names), "metric "))
        home = homes[0]
        parts[home] = known[home]
        more = parts[home].outputs if name == home else [name]
        wanted = outputs.setdefault(home, [])
        wanted += [key for key in more if key not in wanted]
    return RequestedMetrics(parts, {home: tuple(found) for home, found in outputs.items()})
