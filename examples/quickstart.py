"""A study from Python, in five lines: `coequal run smoke --out runs/smoke`."""

import sys

import coequal

if __name__ == "__main__":  # the workers are processes of their own
    study = coequal.read_study("smoke")
    results = coequal.run(study, out=sys.argv[1] if len(sys.argv) > 1 else "runs/smoke")
    best = min(
        results.values(), key=lambda result: result.checkpoints[-1].value("fd", "validation")
    )
    print(f"{best.trial.model}, setting {best.trial.setting}: test FD", end=" ")
    print(f"{best.checkpoints[-1].value('fd', 'test'):.2f}")
