"""What it costs to watch a run: the same training with and without the monitor, in turns.

    python benchmarks/monitor.py            # prints a table: docs/explanation/health.md

Each round trains both for 100 steps (four probes), which goes first changes from round to round; a
ratio is the median [min, max] over rounds of the process's CPU seconds, one thread.
"""

import statistics
import time
from argparse import ArgumentParser

import torch
from failing.runs import data_of

from coequal.contract import Architecture
from coequal.lookup import load
from coequal.monitoring.monitor import Monitor
from coequal.monitoring.reference import RealReference
from coequal.training.batches import Batches
from coequal.training.loop import Trainer, build_players
from coequal.training.settings import Optimisation, Training

ROUND = 100  # steps


def trainer(objective: str, width: float, watched: RealReference | None) -> Trainer:
    """Fashion-MNIST, InfoGAN's nets."""
    data, _, _ = data_of("clothes")
    architecture: Architecture = load("architectures", "infogan")(width=width)
    part = load("objectives", objective)()
    players = build_players(architecture, data.shape, 10, part.requirements(), 1)
    batches = Batches(data.train, 64, 1, torch.device("cpu"))
    one = Trainer(part, players, batches, Optimisation(), Training(1e9), 1)
    if watched is not None:
        one.monitor = Monitor(watched, 1, one.generator)
    return one


def seconds(one: Trainer) -> float:
    """CPU time of a round."""
    begun = time.process_time()
    one.train_until(one.steps_done + ROUND)
    return time.process_time() - begun


def main() -> None:
    """See the file's docstring."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    data, encoder, _ = data_of("clothes")
    print("| objective | width | classifier | ms a step, alone | watched / alone |")
    print("|---|---|---|---|---|")
    for objective, width, seen in (
        ("non_saturating", 0.125, encoder),
        ("non_saturating", 0.125, None),
        ("wgan_gp", 0.125, encoder),
        ("non_saturating", 0.5, encoder),
    ):
        alone = trainer(objective, width, None)
        watched = trainer(objective, width, RealReference(data, seen))
        seconds(alone), seconds(watched)
        ratios, own = [], []
        for number in range(rounds):
            pair = (alone, watched) if number % 2 else (watched, alone)
            took = {id(one): seconds(one) for one in pair}
            ratios.append(took[id(watched)] / took[id(alone)])
            own.append(took[id(alone)])
        print(
            f"| {objective} | {width} | {'yes' if seen else 'no'} "
            f"| {1e3 * statistics.median(own) / ROUND:.1f} "
            f"| {statistics.median(ratios):.3f} [{min(ratios):.3f}, {max(ratios):.3f}] |",
            flush=True,
        )


if __name__ == "__main__":
    main()
