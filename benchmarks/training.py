"""Measures our training loop against the textbook loop; README.md says how to read the tables.

Variants take turns within a round; a ratio is the median [min, max] of the ratios within rounds.
Images are synthetic, for what they show changes no amount of work."""

import json
import os
import random
import time
from argparse import ArgumentParser, Namespace
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from itertools import chain, product, repeat, starmap
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import DataLoader, Dataset

from coequal.architectures import _layers
from coequal.architectures.infogan import InfoGan
from coequal.bfloat16 import slow
from coequal.contract import GeneratorInput, ImageShape, Objective, Players, Samples, Split
from coequal.objectives.non_saturating import NonSaturating
from coequal.objectives.wgan_gp import WassersteinGradientPenalty
from coequal.training.batches import Batches
from coequal.training.flops import CountFlops
from coequal.training.loop import Trainer, build_players
from coequal.training.settings import Optimisation, Training
from coequal.trial.context import WorkerContext
from coequal.trial.environment import environment

BATCH, SHAPE, ADAM, PEAK_SIZE = 64, ImageShape(1, 28, 28), Optimisation(), 2048
CHANCE = torch.Generator().manual_seed(1)
IMAGES = torch.randint(256, (60_000, *SHAPE), generator=CHANCE, dtype=torch.uint8)  # as MNIST
LAYERS: tuple[Any, ...] = (_layers.Upsample, _layers.Downsample)
OURS = {layer: layer.forward for layer in LAYERS}
CHANNELS = [(64, 1), (8, 1), (64, 3), (16, 8)]  # of the map and of the image twice its size
OBJECTIVES: dict[str, Objective] = {"NS": NonSaturating(), "WGAN-GP": WassersteinGradientPenalty()}
Raw = dict[str, Any]  # every timing, by what was timed
Row = dict[str, str]  # of a table, by column
Run = Callable[[int], object]  # does so many steps
ARRANGEMENTS = {"1x1": (1, 1), "1x2": (1, 2), "2x1": (2, 1)}  # processes, threads of each
OWN: list[Any] = []  # the start barrier and the `Run` of a worker process


class Timing(NamedTuple):
    cpu: float  # seconds per step
    wall: float


class Variant(NamedTuple):
    run: Run
    steps: int
    native: bool  # torch's own layers in the nets
    flops: int  # per step


class Images(Dataset[Tensor]):
    def __getitem__(self, index: int) -> Tensor:
        return IMAGES[index].float() / 255

    def __len__(self) -> int:
        return len(IMAGES)


def textbook(objective: str, width: float, reuse: bool, device: torch.device) -> Run:
    """The tutorials' loop. `reuse` (PyTorch's DCGAN tutorial): G's step takes the fakes of D's."""
    players: Any = players_of(objective, width)
    generator, discriminator = players.generator.to(device), players.discriminator.to(device)
    adam = partial(torch.optim.Adam, lr=ADAM.learning_rate, betas=(ADAM.beta1, 0.999))
    adam_g, adam_d = adam(generator.parameters()), adam(discriminator.parameters())
    loader = DataLoader(Images(), BATCH, shuffle=True, drop_last=True, num_workers=0)
    batches, penalised = chain.from_iterable(repeat(loader)), objective == "WGAN-GP"

    def make() -> Any:
        latents = torch.rand(BATCH, InfoGan.latents, device=device) * 2 - 1
        return generator(GeneratorInput((latents,))).images

    def judge(images: Tensor) -> Any:
        # Without the view torch's dispatch modes refuse the leaf `mix` while FLOPs are counted.
        return discriminator(Samples(images.view_as(images))).logits

    def loss(logits: Tensor, label: int) -> Tensor:
        if penalised:
            return -logits.mean() if label else logits.mean()
        return binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))

    def run(steps: int) -> None:
        for _ in range(steps):
            real = next(batches).to(device)
            adam_d.zero_grad()
            loss(judge(real), 1).backward()
            fake = make()
            loss(judge(fake.detach()), 0).backward()
            if penalised:
                share = torch.rand(BATCH, 1, 1, 1, device=device)
                mix = (share * real + (1 - share) * fake.detach()).requires_grad_()
                out = judge(mix)
                (slope,) = torch.autograd.grad(out, mix, torch.ones_like(out), create_graph=True)
                (10 * ((slope.flatten(1).norm(2, dim=1) - 1) ** 2).mean()).backward()
            adam_d.step()
            adam_g.zero_grad()
            loss(judge(fake if reuse else make()), 1).backward()
            adam_g.step()

    return run


def players_of(objective: str, width: float) -> Players:
    """The nets of either loop; a gradient penalty wants no BatchNorm in the discriminator."""
    nets = InfoGan(width=width, batch_norm=objective == "NS")
    return build_players(nets, SHAPE, None, OBJECTIVES[objective].requirements(), seed=1)


def ours(objective: str, width: float, precision: str, device: torch.device) -> Run:
    players, batches = players_of(objective, width), Batches(Split(IMAGES), BATCH, 1, device)
    training = Training(100_000, BATCH, precision=precision)  # type: ignore[arg-type]
    trainer = Trainer(OBJECTIVES[objective], players, batches, ADAM, training, 1, device)
    return lambda steps: trainer.train_until(trainer.steps_done + steps)


def repeated(function: Callable[..., object], *arguments: Any) -> Run:
    return lambda steps: deque(starmap(function, repeat(arguments, steps)), maxlen=0)


def use_layers(*, native: bool) -> None:
    """Let the nets' layers be torch's own, or ours."""
    for layer in LAYERS:
        layer.forward = layer.__base__.forward if native else OURS[layer]


def counted(run: Run, steps: int, *, native: bool = False) -> Variant:
    use_layers(native=native)
    with CountFlops() as counter:
        run(1)
    return Variant(run, steps, native, counter.total)


def interleave(variants: dict[str, Variant], rounds: int) -> dict[str, list[Timing]]:
    """Every variant once a round, in random order, each after a warm-up."""
    times: dict[str, list[Timing]] = {name: [] for name in variants}
    for index in range(rounds):
        for name in random.Random(index).sample(list(variants), len(variants)):
            run, steps, native, _ = variants[name]
            use_layers(native=native)
            run(max(1, steps // 8))
            begin = now()
            run(steps)
            times[name].append(now(begin, steps))
    use_layers(native=False)
    return times


def now(since: Timing | None = None, steps: int = 1) -> Timing:
    """The clocks, or the time per step since then."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
    cpu, wall = since or (0.0, 0.0)
    return Timing((time.process_time() - cpu) / steps, (time.perf_counter() - wall) / steps)


def ratio(above: Iterable[float], below: Iterable[float]) -> str:
    values = [a / b for a, b in zip(above, below, strict=True)]
    return f"{median(values):.2f} [{min(values):.2f}, {max(values):.2f}]"


def loop_rows(objective: str, width: float, options: Namespace, raw: Raw) -> Iterator[Row]:
    """Table 1 for one objective and width: a row per precision."""
    steps, device = max(1, round(options.steps / width**1.25)), options.device
    game = {"textbook": counted(textbook(objective, width, False, device), steps, native=True)}
    game["reusing"] = counted(textbook(objective, width, True, device), steps, native=True)
    precisions = ("float32",) if slow(str(device)) else ("float32", "bfloat16")
    for name in precisions:
        game[name] = counted(ours(objective, width, name, device), steps)
        game[f"{name} native"] = counted(ours(objective, width, name, device), steps, native=True)
        square = torch.rand(PEAK_SIZE, PEAK_SIZE).to(device, getattr(torch, name))
        game[f"{name} peak"] = counted(repeated(torch.mm, square, square), 3)
    raw[f"loops {objective} {width:g}"] = timings = interleave(game, options.rounds)
    times = {k: [t.cpu if device.type == "cpu" else t.wall for t in timings[k]] for k in game}
    speed = {k: [game[k].flops / t / 1e9 for t in times[k]] for k in game}
    for name in precisions:
        row = {"instructions": torch.backends.cpu.get_cpu_capability(), "objective": objective}
        row |= {"width": f"{width:g}", "precision": name}
        row["ours / textbook"] = ratio(times["textbook"], times[name])
        row["ours / textbook reusing fakes"] = ratio(times["reusing"], times[name])
        row["layers alone"] = ratio(times[f"{name} native"], times[name])
        row["ours, steps/s"] = f"{1 / median(times[name]):.3g}"
        row["GFLOP/step"] = f"{game[name].flops / 1e9:.3g}"
        reached, peak = speed[name], speed[f"{name} peak"]
        row["GFLOP/s of matmul's"] = f"{median(reached):.3g} of {median(peak):.3g}"
        row["share of peak"] = ratio(reached, peak)
        row["textbook's, float32"] = ratio(speed["textbook"], speed["float32 peak"])
        yield row


def build(barrier: Any, threads: int, width: float) -> None:
    torch.set_num_threads(threads)
    OWN[:] = [barrier, ours("NS", width, "float32", torch.device("cpu"))]


def steady(seconds: float) -> Timing:
    """Train that long in a worker process, from the start barrier to the end of a step."""
    barrier, further = OWN
    further(2)
    barrier.wait(timeout=120)
    steps, begin = 0, now()
    while now().wall - begin.wall < seconds:
        further(1)
        steps += 1
    return now(begin, steps)


def process_row(width: float, options: Namespace, raw: Raw) -> Row:
    """Table 2 for one width. The barrier gives every process of a pool one task."""
    spawn, pools = get_context("spawn"), {}
    for name, (n, threads) in ARRANGEMENTS.items():
        pools[name] = ProcessPoolExecutor(n, spawn, build, (spawn.Barrier(n), threads, width))
    found: dict[str, list[list[Timing]]] = {name: [] for name in pools}
    for index in range(options.rounds):
        for name in random.Random(index).sample(list(pools), len(pools)):
            seconds = [0.6 * options.steps] * ARRANGEMENTS[name][0]
            found[name].append(list(pools[name].map(steady, seconds)))
    for pool in pools.values():
        pool.shutdown()
    raw[f"processes {width:g}"] = found
    rates = {name: [sum(1 / t.wall for t in ts) for ts in found[name]] for name in found}
    cores = {name: [sum(t.cpu / t.wall for t in ts) for ts in found[name]] for name in found}
    row = {"width": f"{width:g}"}
    row |= {f"{name}, steps/s": f"{median(values):.3g}" for name, values in rates.items()}
    row |= {f"cores of {name}": f"{median(values):.2f}" for name, values in cores.items()}
    return row | {f"2x1 / {name}": ratio(rates["2x1"], rates[name]) for name in ("1x1", "1x2")}


def differentiate(layer: Any, images: Tensor, towards: Tensor, double: bool) -> list[Tensor]:
    """Output and its gradients; or the images' gradient and the gradients of its square."""
    out = layer(images)
    if not double:
        return [out, *torch.autograd.grad(out, [images, *layer.parameters()], towards)]
    (slope,) = torch.autograd.grad(out, images, towards, create_graph=True)
    return [slope, *torch.autograd.grad(slope.square().sum(), [layer.weight, towards])]


def layer_of(kind: Any, channels: tuple[int, int]) -> Any:
    return kind(*channels if kind is _layers.Upsample else channels[::-1])


def layer_row(layer: Any, double: bool, options: Namespace, raw: Raw) -> Row:
    side = 28 if isinstance(layer, _layers.Downsample) else 14
    images = torch.rand(BATCH, layer.in_channels, side, side, requires_grad=True)
    towards = torch.randn_like(layer(images)).requires_grad_()
    results, both = [], {}
    for name in ("native", "ours"):
        run = repeated(differentiate, layer, images, towards, double)
        both[name] = counted(run, 8 * options.steps, native=name == "native")
        results.append([r.detach() for r in differentiate(layer, images, towards, double)])
    name = f"{type(layer).__name__} {layer.in_channels} to {layer.out_channels}"
    row = {"layer": name, "forward and": "double backward" if double else "backward"}
    raw[" ".join(row.values())] = timings = interleave(both, options.rounds)
    cpu = {name: [timing.cpu for timing in timings[name]] for name in timings}
    row |= {f"{name}, ms": f"{1e3 * median(times):.2f}" for name, times in cpu.items()}
    row["ours / native, speed"] = ratio(cpu["native"], cpu["ours"])
    apart = max(float((a - b).abs().max()) for a, b in zip(*results, strict=True))
    row["largest difference"] = f"{apart:.1e}"
    row["of values up to"] = f"{max(float(r.abs().max()) for r in results[0]):.1e}"
    return row


def table(title: str, rows: list[Row]) -> str:
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join([f"## {title}", "", *(f"| {' | '.join(line)} |" for line in lines), "\n"])


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=5, help="a round at width 1; more below")
    parser.add_argument("--width", type=float, nargs="+", default=[1.0, 0.125])
    parser.add_argument("--device", type=torch.device, default="cpu", help="of table 1")
    parser.add_argument("--quick", action="store_true", help="one short round: only a smoke check")
    parser.add_argument("--no-processes", dest="processes", action="store_false")
    parser.add_argument("--out", type=Path, help="also write the Markdown here")
    parser.add_argument("--json", type=Path, help="write every timing here")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.steps = 1, 1
    torch.set_num_threads(1)
    about = environment(WorkerContext("", "", "", str(options.device)))
    about |= {"date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "cores": str(os.cpu_count())}
    about |= {"rounds": str(options.rounds), "load before": f"{os.getloadavg()[0]:.1f}"}
    raw: Raw = {}
    games = product(OBJECTIVES, options.width)
    layers = product(starmap(layer_of, product(LAYERS, CHANNELS)), (False, True))
    first = [row for game in games for row in loop_rows(*game, options, raw)]
    processes = options.width if options.processes else []
    second = [process_row(width, options, raw) for width in processes]
    third = [layer_row(*layer, options, raw) for layer in layers]
    about["load after"] = f"{os.getloadavg()[0]:.1f}"
    facts = "".join(f"- {name}: {value}\n" for name, value in about.items())
    text = f"# Training loop, measured\n\n{facts}\n"
    text += table("1. The loops, one thread; CPU time (wall on a GPU); textbook in float32", first)
    if second:
        text += table("2. Processes x threads on the CPU; wall time; ours, NS, float32", second)
    text += table("3. Layers, one thread; CPU time; float32, batch 64, images of 28x28", third)
    print(text)
    for path, content in ((options.out, text), (options.json, json.dumps([about, raw]))):
        if path:
            path.write_text(content)


if __name__ == "__main__":
    main()
