"""Measure how much of a run's numbers is the instrument's own: `RUN/instrument.json`.

    python scripts/measure_instrument.py runs/mine --metrics fd

Images of the chosen settings' networks (those whose weights are in the folder) are measured by
encoders of the same recipe trained from other seeds, and against random halves of the test images.
"""

import argparse
from pathlib import Path

import torch

from coequal.datasets._loading import data_folder
from coequal.files import cache_folder
from coequal.inspection.instrument_noise import instrument_noise
from coequal.results.folder import RunFolder
from coequal.results.instrument_file import write_instrument


def main() -> None:
    """Measure every dataset of the run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--encoders", type=int, default=5, help="the study's own among them")
    parser.add_argument("--partitions", type=int, default=10, help="of the test images")
    parser.add_argument("--metrics", nargs="*", help="numbers; default: those of the study")
    parser.add_argument("--data-dir", help="the folder of the datasets")
    options = parser.parse_args()
    torch.set_num_threads(1)
    run = RunFolder(options.run)
    for data in run.references():
        measured = instrument_noise(
            run,
            data,
            encoders=options.encoders,
            partitions=options.partitions,
            metrics=options.metrics,
            data_dir=data_folder(options.data_dir),
            cache=cache_folder(),
            log=print,
        )
        write_instrument(run, data, measured.as_dict())


if __name__ == "__main__":
    main()
