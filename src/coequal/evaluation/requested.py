"""From the names that somebody asks for to the metrics that give these numbers."""

import difflib
import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

from coequal import lookup
from coequal.contract import Metric, MetricInfo
from coequal.published_names import PublishedName, name_of, published_names


class RequestedMetrics(NamedTuple):
    """The metrics to measure, and which of their numbers are wanted.

    Attributes:
        parts: the metrics, by name.
        outputs: by metric, the names of the numbers that are wanted.
        published: those of these names that only one encoder's features give a number.
    """

    parts: dict[str, Metric]
    outputs: dict[str, tuple[str, ...]]
    published: Mapping[str, PublishedName] = MappingProxyType({})

    def infos(self) -> dict[str, MetricInfo]:
        """Everything that is known of the metrics' numbers, of those too that are not wanted."""
        infos = {key: info for part in self.parts.values() for key, info in part.outputs.items()}
        return infos | {
            name: replace(infos[one.number], label=one.label)
            for name, one in self.published.items()
            if one.number in infos
        }

    def as_computed(self, number: str) -> str:
        """The name under which a metric computes a number: "fd" for "fid"."""
        return self.published[number].number if number in self.published else number

    def home(self, number: str) -> str:
        """The metric that gives a number."""
        return next(part for part, keys in self.outputs.items() if number in keys)

    def required(self, part: str) -> set[str]:
        """What a metric needs beyond features for the numbers that are wanted of it."""
        metric, wanted = self.parts[part], self.outputs[part]
        return {
            *metric.required,
            *(need for key in wanted if (need := metric.required_for.get(self.as_computed(key)))),
        }

    def required_of(self, role: str) -> set[str]:
        """What the metrics that see the images of a role ("real", "fake", "train", or a split of
        the real ones) need of them beyond features."""
        parts = (n for n, p in self.parts.items() if role != "train" or "train" in p.required)
        return {need for name in parts for need in self.required(name)}

    def taking_statistics(self) -> tuple[str, ...]:
        """The metrics for which statistics stand for features."""
        return tuple(name for name, part in self.parts.items() if part.takes_statistics)

    def sees_features(self, statistics: bool) -> bool:
        """Whether some metric looks at the features of a side.

        Args:
            statistics: whether that side has statistics, too.
        """
        return any(
            part.sees_features and not (statistics and part.takes_statistics)
            for part in self.parts.values()
        )

    def without(self, names: Collection[str]) -> "RequestedMetrics":
        """Leave out these metrics and numbers, and metrics of which no number is left."""
        outputs = {
            part: tuple(key for key in keys if key not in names)
            for part, keys in self.outputs.items()
            if part not in names
        }
        outputs = {part: keys for part, keys in outputs.items() if keys}
        return self._replace(parts={part: self.parts[part] for part in outputs}, outputs=outputs)

    def with_published_names(self, labels: Mapping[str, str]) -> "RequestedMetrics":
        """Call numbers what they are called with the features of an encoder: `fid`, not `fd`.

        Args:
            labels: `Encoder.published_names`.
        """
        names = {number: name_of(label) for number, label in labels.items()}
        outputs = {
            part: tuple(dict.fromkeys(names.get(key, key) for key in keys))
            for part, keys in self.outputs.items()
        }
        given = {
            names[number]: PublishedName(number, label, ()) for number, label in labels.items()
        }
        return self._replace(outputs=outputs, published={**given, **self.published})


def requested_metrics(
    names: Sequence[str] | str, settings: Mapping[str, Mapping[str, Any]] | None = None
) -> RequestedMetrics:
    """The metrics that give the numbers asked for.

    Args:
        names: "all", "recommended" (`MetricInfo.recommended`), or names of metrics or of their
            numbers, also as they are written in tables or in the literature (`Metric.aliases`), in
            capitals or with blanks around; "module:Class" is a metric from outside the package. The
            name of a metric asks for all of its numbers; those that only one encoder's features
            have (`fid`) must be named themselves.
        settings: by metric, those that are not to be its defaults; checked (see `study.check`).

    Raises:
        LookupError: nothing has this name.
    """
    given = settings or {}
    files = lookup.names("metrics")

    @functools.cache
    def loaded(name: str) -> Metric:
        part: Metric = lookup.load("metrics", name)(**given.get(name, {}))
        return part

    if names in GROUPS:
        every = {name: loaded(name) for name in files}
        numbers = {
            name: tuple(k for k, info in part.outputs.items() if names == "all" or info.recommended)
            for name, part in every.items()
        }
        return RequestedMetrics(every, numbers).without([k for k, v in numbers.items() if not v])
    known: dict[str, Metric] = {}
    parts: dict[str, Metric] = {}
    outputs: dict[str, dict[str, None]] = {}  # ordered sets
    asked = [name.strip() for name in ([names] if isinstance(names, str) else names)]
    if not any(asked):
        raise LookupError(f"name a metric; {_WHAT_THERE_IS}")
    for name in filter(None, asked):
        if name in GROUPS:
            raise LookupError(f"'{name}' can't be combined with other names; leave them out")
        if ":" in name:
            known[name] = lookup.load_class("metrics", name, Metric)(**given.get(name, {}))
        elif name in files:  # no other need be imported
            known[name] = loaded(name)
        else:
            known |= {file: loaded(file) for file in files}
        home, wanted = _named(name, known)
        parts[home] = known[home]
        outputs.setdefault(home, {}).update(dict.fromkeys(wanted))
    others = {key for home, keys in outputs.items() for key in keys} - {
        key for part in parts.values() for key in part.outputs
    }
    return RequestedMetrics(
        parts,
        {home: tuple(keys) for home, keys in outputs.items()},
        {name: published_names()[name] for name in sorted(others)},
    )


def _named(name: str, known: Mapping[str, Metric]) -> tuple[str, tuple[str, ...]]:
    """The metric that a name means, and its numbers.

    Raises:
        LookupError: nothing has this name.
    """
    for same in (str, _bare):
        for home, part in known.items():
            if same(name) == same(home):
                return home, tuple(part.outputs)
        for home, part in known.items():
            for key in part.outputs:
                if same(name) == same(key):
                    return home, (key,)
    for key, published in published_names().items():
        if _bare(name) == _bare(key):
            home = next(home for home, part in known.items() if published.number in part.outputs)
            return home, (key,)
    for home, part in known.items():
        labels = {info.label: (key,) for key, info in part.outputs.items() if info.label}
        for alias, keys in (labels | dict(part.aliases)).items():
            if _bare(name) == _bare(alias):
                return home, keys
    numbers = (key for part in known.values() for key in part.outputs)
    everything = sorted({*known, *numbers, *published_names()})
    near = difflib.get_close_matches(name.lower(), everything, n=1, cutoff=0.5)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise LookupError(f"no metric is called '{name}'{hint} {_WHAT_THERE_IS}")


GROUPS = ("all", "recommended")
"""Names that stand for many numbers: those that can't be had are left out, with the reason."""

_WHAT_THERE_IS = "`coequal list metrics` shows all"


def _bare(name: str) -> str:
    """A name without capitals, blanks and signs: "PRD F1/8" is `prd_f1_8`."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())
