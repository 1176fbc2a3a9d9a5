"""Made-up studies: a small realistic one to look at, and whole ones with every phase."""

import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coequal.results.folder import RunFolder

from fabricated_run import TITLES, Made, Run, build, made

LEVEL = dict(zip(TITLES, (60, 34, 36, 95, 48, 41, 130, 210), strict=True))
COST = dict(zip(TITLES, (2.0, 2.0, 2.0, 1.7, 3.9, 3.5, 2.6, 1.1), strict=True))


def realistic(path: Path, settings: int = 4, **changes: Any) -> RunFolder:
    """Eight models, some failures, one pathological model."""
    chance = random.Random(7)
    runs: dict[str, list[Run | None]] = {}
    for model in TITLES:
        runs[model] = []
        for number in range(settings):
            final = LEVEL[model] * math.exp(chance.gauss(0 if number == 0 else 0.5, 0.5))
            run = _made_up(model, final, chance)
            if (model, number) in {("wgan", 2), ("began", 1), ("began", 3), ("mm_gan", 3)}:
                reason = "step 412: the generator's loss is not finite (nan)"
                flops = run.flops // 3
                run = Run(run.values[:2], "diverged", reason, flops=flops, seconds=14.0)
            runs[model].append(run)
    runs["dragan"][1] = Run((), "timeout", "stopped after 600 s at step 1133")
    return build(path, runs, study="one_hour_demo", **changes)


def whole_study(
    *,
    models: Sequence[str] = tuple(TITLES),
    data: Sequence[str] = ("fashion_mnist", "digits"),
    settings: int = 20,
    seeds: int = 10,
    moved: int = 3,
    checkpoints: int = 5,
) -> Made:
    """A study with all its phases: search, re-runs of the best setting, transfer, F1."""
    chance = random.Random(11)
    levels = {model: LEVEL.get(model, 30 + 9 * k) for k, model in enumerate(models)}
    searched: dict[str, dict[str, list[Run | None]]] = {}
    finals: dict[tuple[str, str], list[float]] = {}
    for place, name in enumerate(data):
        searched[name] = {}
        for model in models:
            drawn = [levels[model] * (1 + 0.3 * place) * _factor(chance) for _ in range(settings)]
            finals[model, name] = drawn
            searched[name][model] = [_or_failed(model, x, chance, checkpoints) for x in drawn]
    again: dict[tuple[str, str, int], list[Run | None]] = {}
    best = {key: _best(searched[key[1]][key[0]]) for key in finals}
    for model in models:
        for name in data:
            wanted = {best[model, name]: seeds}
            for other in data:
                wanted.setdefault(best[model, other], moved if other != name else seeds)
            for setting, count in wanted.items():
                level = finals[model, name][setting] * 1.06
                again[model, name, setting] = [
                    _or_failed(model, level * math.exp(chance.gauss(0, 0.06)), chance, checkpoints)
                    for _ in range(count)
                ]
    return made(
        searched[data[0]],
        data=data,
        per_data=searched,
        again=again,
        study="everything",
        reruns={"best": 1, "seeds": seeds},
        transfer={"seeds": moved if len(data) > 1 else 0},
    )


def _factor(chance: random.Random) -> float:
    """A good cluster, a middle and a tail, as searches have them."""
    kind = chance.random()
    if kind < 0.15:
        return math.exp(chance.gauss(-0.5, 0.08))
    return math.exp(chance.gauss(0, 0.35) if kind < 0.75 else chance.gauss(1.2, 0.6))


def _or_failed(model: str, final: float, chance: random.Random, checkpoints: int) -> Run:
    run = _made_up(model, min(final, 780), chance, checkpoints, f1=True)
    if chance.random() < 0.06:
        reason = "step 412: the generator's loss is not finite (nan)"
        half = run.values[: checkpoints // 2]
        flops = run.flops // 3
        return Run(half, "diverged", reason, flops=flops, seconds=run.seconds / 3)
    return run


def _made_up(
    model: str, final: float, chance: random.Random, checkpoints: int = 5, *, f1: bool = False
) -> Run:
    values = []
    for place in range(checkpoints):
        rest = 0 if place == checkpoints - 1 else 3.5 * math.exp(-1.1 * place)
        test = final * (1 + rest) * math.exp(chance.gauss(0, 0.05))
        values.append((test * math.exp(chance.gauss(0, 0.03)), test))
    cost = COST.get(model, 2.0)
    return Run(
        values,
        flops=int(cost * 1e12),
        seconds=40 * cost,
        generator_steps=300 if model.startswith("wgan") else 1500,
        error=0.02 * final if f1 else None,
        f1=[30 / (30 + test) for _, test in values] if f1 else (),
    )


def _best(runs: Sequence[Run | None]) -> int:
    done = [k for k, run in enumerate(runs) if run is not None and run.status == "done"]
    return min(done, key=lambda k: runs[k].values[-1][0])  # type: ignore[union-attr]
