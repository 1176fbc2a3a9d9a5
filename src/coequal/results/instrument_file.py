"""What was measured of a run's instrument, by data set: the same images, measured repeatedly."""

import json
from collections.abc import Mapping
from typing import Any

from coequal.files import write_json
from coequal.results.folder import RunFolder

INSTRUMENT = "instrument.json"


def read_instrument(run: RunFolder) -> dict[str, Any]:
    """By data set, the values of `coequal.evaluation.instrument_noise.RepeatedMeasurements`; empty
    of a run whose instrument was not measured."""
    path = run.path / INSTRUMENT
    return dict(json.loads(path.read_text())) if path.exists() else {}


def write_instrument(run: RunFolder, data: str, values: Mapping[str, Any]) -> None:
    """Keep the repeated measurements of a data set, in the place of earlier ones."""
    write_json(run.path / INSTRUMENT, {**read_instrument(run), data: values})
