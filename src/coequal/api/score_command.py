"""The command line that reproduces a score."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from coequal.evaluation.score_request import DEFAULT_METRICS, ScoreRequest
from coequal.inputs.input import Scorable
from coequal.value_range import UNIT


def score_command(
    request: ScoreRequest,
    real: Scorable,
    fake: Scorable | Mapping[str, Scorable],
    train: Scorable | None,
    samples: int,
    page: str | Path,
) -> str | None:
    """The shell command; None if images came from Python, which no command line can name.

    Args:
        request: what was measured.
        real: as `coequal.score` has it.
        fake: the same.
        train: the same.
        samples: number of images drawn from a generator.
        page: the page that it writes.
    """
    fakes = fake if isinstance(fake, Mapping) else {"": fake}
    sources = [real, *fakes.values(), *([] if train is None else [train])]
    if not all(isinstance(source, str | Path) for source in sources):
        return None
    words = ["coequal", "score", "--real", str(real)]
    for name, one in fakes.items():
        words += ["--fake", str(one) if name in ("", str(one)) else f"{name}={one}"]
    metrics = request.metrics if isinstance(request.metrics, str) else ",".join(request.metrics)
    low, high = request.value_range
    options = {
        "--train": train,
        "--metrics": None if metrics == ",".join(DEFAULT_METRICS) else metrics,
        "--encoder": request.encoder,
        "--image-size": request.image_size,
        "--value-range": None if request.value_range == UNIT else f"{low:g},{high:g}",
        "--real-count": request.real_count,
        "--max-images": request.max_images,
        "--seed": request.seed or None,
        "--samples": None if samples == DEFAULT_SAMPLES else samples,
        "--worst": request.per_image.worst,
        "--page": page,
    }
    words += [f"{option}={value}" for option, value in options.items() if value is not None]
    for metric, settings in request.settings.items():
        words += [f"--set={metric}.{name}={value}" for name, value in settings.items()]
    return shlex.join(words)


DEFAULT_SAMPLES = 10_000
"""Images drawn from a generator if no number is given."""
