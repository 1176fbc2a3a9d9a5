"""A score as plain values, ready for JSON."""

import math
from collections.abc import Mapping
from typing import Any

from coequal.contract import Encoder, Metric, MetricInfo
from coequal.evaluation.measure import Measured, Number
from coequal.evaluation.requested import RequestedMetrics
from coequal.evaluation.statistics_in_use import SIDES
from coequal.inputs.input import Input
from coequal.settings import setting_names


def encoder_name(encoder: Encoder | None, sources: Mapping[str, Input]) -> str:
    """The encoder's id, or why there is none."""
    if encoder is not None:
        return encoder.id
    known = {one.encoder for source in sources.values() for one in source.statistics}
    if sources["real"].images is None and sources["fake"].images is None and known - {None}:
        return str(max(filter(None, known)))
    kinds = {sources[side].kind for side in SIDES} & {"features", "statistics"}
    return f"{min(kinds)} as given" if kinds else "none"


def encoder_in_protocol(encoder: Encoder | None, sources: Mapping[str, Input]) -> str:
    """The encoder's id, or "given" for features and statistics that nothing is known of."""
    name = encoder_name(encoder, sources)
    return "given" if name.endswith(" as given") else name


def real_in_protocol(real: Input) -> str:
    """ "test:355" for a split of a dataset, "355" for any other images."""
    return f"{len(real)}" if real.split is None else f"{real.split}:{len(real)}"


def as_given(source: Input, note: str | None) -> dict[str, Any]:
    """A source as plain values, with what was found out of it since it was read."""
    given = source.as_dict()
    return given if note is None else {**given, "notes": [*given["notes"], note]}


def undefined_of(requested: RequestedMetrics, measured: Measured) -> dict[str, str]:
    """Why metrics, or single numbers of others, have no value for these images."""
    undefined, infos = dict(measured.undefined), requested.infos()
    undefined |= {k: v.found.undefined for k, v in measured.per_image.items() if v.found.undefined}
    for name in requested.parts:
        if name in undefined:
            continue
        reasons: dict[str, str] = {}
        for key in requested.outputs[name]:
            if key not in measured.numbers:
                reasons[key] = f"these images have none ({infos[key].unit})"
            elif reason := (measured.numbers[key].value.details or {}).get("undefined"):
                reasons[key] = reason
        alike = len(reasons) == len(requested.outputs[name]) and len({*reasons.values()}) == 1
        undefined |= {name: next(iter(reasons.values()))} if alike else reasons
    return undefined


def settings_of(metric: Metric) -> dict[str, Any]:
    """The settings with which a metric was measured, by name."""
    return {name: getattr(metric, name) for name in setting_names(type(metric))}


def number_record(info: MetricInfo, number: Number) -> dict[str, Any]:
    """A number as plain values."""
    value, metric = number.value, number.metric
    return {
        "value": finite(value.value),
        "standard_error": finite(value.standard_error),
        **({} if value.interval is None else {"interval": list(value.interval)}),
        **({} if metric.error_over == Metric.error_over else {"over": metric.error_over}),
        **({} if value.details is None else {"details": dict(value.details)}),
        "protocol": number.protocol,
        "better": info.better,
        "target": info.target if value.target is None else value.target,
        "unit": info.unit,
        **({} if info.label is None else {"label": info.label}),
        **({} if info.worst is None else {"worst": info.worst}),
        **({} if info.blind_to is None else {"blind_to": info.blind_to}),
        **({} if info.use is None else {"use": info.use}),
    }


def finite(value: float | None) -> float | None:
    """JSON has no NaN: a number that could not be had is null."""
    return None if value is None or not math.isfinite(value) else value
