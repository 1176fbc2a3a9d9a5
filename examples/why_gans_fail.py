"""Failures of a GAN on purpose, the verdict on each, and a remedy: the pictures and the table of
docs/tutorials/why_does_my_gan_fail.md. (No setting alone makes classes go missing at this size.)

    python examples/why_gans_fail.py runs/failures          # twenty minutes on two cores

A folder for the results, then, if you like, discriminator steps (800), a dataset and an encoder.
"""

import sys
from pathlib import Path
from typing import Any, NamedTuple

import coequal
from coequal.records import Result
from coequal.reporting.image_grids import square_sheet
from coequal.results.folder import RunFolder

ADAM = {"learning_rate": 2e-3, "beta1": 0.5}


class Case(NamedTuple):
    """A failure, and its remedy.

    Attributes:
        base: a model.
        settings: that make it fail.
        remedy: settings that replace some of them.
        few: whether it trains on a small part of the training images.
    """

    base: str
    settings: dict[str, Any]
    remedy: dict[str, Any]
    few: bool = False


CASES = {
    "healthy": Case("ns_gan", ADAM, {"spectral_norm": True}),
    "diverged": Case(
        "ns_gan",
        {"optimiser": "sgd", "learning_rate": 5.0, "beta1": 0.9},
        {"optimiser": "adam", **ADAM},
    ),
    "collapsed": Case(
        "lsgan",
        {"learning_rate": 0.3, "beta1": 0.5, "batch_norm": False},
        {"learning_rate": 2e-3},
    ),
    "discriminator_won": Case(
        "lsgan",
        {**ADAM, "generator_learning_rate": 2e-5},
        {"generator_learning_rate": 2e-3},
    ),
    "generator_won": Case(
        "ns_gan",
        {**ADAM, "discriminator_learning_rate": 1e-6},
        {"discriminator_learning_rate": 2e-3},
    ),
    "oscillating": Case(
        "lsgan", {"learning_rate": 0.05, "beta1": 0.9}, {"learning_rate": 1e-3, "beta1": 0.5}
    ),
    "stalled": Case("ns_gan", {**ADAM, "learning_rate": 1e-7}, {"learning_rate": 2e-3}),
    "overfitting": Case("ns_gan", ADAM, {"discriminator_dropout": 0.5}, few=True),
}


def study(data: str, steps: int, encoder: str, cases: dict[str, Case]) -> dict[str, Any]:
    """Every case with and without its remedy, on one dataset."""
    models = []
    for name, case in cases.items():
        for own, settings in (
            (name, case.settings),
            (f"{name}_cured", case.settings | case.remedy),
        ):
            models.append({"base": case.base, "name": own, "settings": settings})
    return {
        "study": f"failures on {data.replace('/', ' ')}",
        "data": [data],
        "models": models,
        "architecture": {"name": "infogan", "width": 0.125},
        "search": {"settings": 0},
        "training": {"budget": {"discriminator_steps": steps}, "checkpoints": 1},
        "evaluation": {"encoder": encoder, "samples": 2500},
    }


def row(name: str, results: dict[str, tuple[RunFolder, Result]]) -> str:
    """A line of the table."""
    cells = [name]
    for own in (name, f"{name}_cured"):
        folder, result = results[own]
        health = coequal.diagnose(folder.path, trial=result.trial.id)
        since = "" if health["step"] is None else f" since step {health['step']}"
        measured = result.checkpoints[-1:]
        fd = f"{measured[0].value('fd', 'test'):.0f}" if measured else "none"
        cells += [f"`{health['verdict']}`{since}: {health['evidence']}", fd]
    return f"| {' | '.join(cells)} |"


def main(out: Path, steps: int, data: str, encoder: str) -> None:
    """Run what is missing, and write pictures and table."""
    results: dict[str, tuple[RunFolder, Result]] = {}
    fraction = "0.2%" if data == "fashion_mnist" else "10%"  # at least one batch of images
    for few, where in ((False, data), (True, f"{data}@{fraction}")):
        own = {name: case for name, case in CASES.items() if case.few == few}
        folder = RunFolder(out / where.replace("@", "-").replace("%", "-percent"))
        run = coequal.run(study(where, steps, encoder, own), folder.path)
        results |= {result.trial.model: (folder, result) for result in run.trials.values()}
    for name, (folder, result) in results.items():
        step = result.checkpoints[-1].step if result.checkpoints else 0
        images = folder.samples(result.trial.id, step)
        if images is not None:
            (out / f"{name}.png").write_bytes(square_sheet(images))
    lines = ["| | verdict | FD | with the remedy | FD |", "|---|---|---|---|---|"]
    lines += [row(name, results) for name in CASES]
    (out / "failures.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":  # the workers are processes of their own
    given = sys.argv[1:]
    main(
        Path(given[0] if given else "runs/failures"),
        int(given[1]) if len(given) > 1 else 800,
        given[2] if len(given) > 2 else "fashion_mnist",
        given[3] if len(given) > 3 else "classifier",
    )
