"""What was measured of a run's instrument, by dataset: the same images, measured repeatedly."""

from collections.abc import Mapping
from typing import Any

from coequal.files import read_json, write_json
from coequal.results.folder import RunFolder

INSTRUMENT = "instrument.json"


def read_instrument(run: RunFolder) -> dict[str, Any]:
    """By dataset, the values of `coequal.evaluation.instrument_noise.RepeatedMeasurements`; empty
    of a run whose instrument was not measured."""
    return read_json(run.path / INSTRUMENT)


def write_instrument(run: RunFolder, data: str, values: Mapping[str, Any]) -> None:
    """Keep the repeated measurements of a dataset, in the place of earlier ones."""
    write_json(run.path / INSTRUMENT, {**read_instrument(run), data: values})
