"""The verdict of a finished study, computed again from results.csv with plain numpy.

Nothing of coequal is imported: a reviewer can read what is done here from top to bottom, and see
that it agrees with the report's own tables.

    python examples/recompute_verdict.py docs/results/one_hour
"""

import csv
import math
import sys
from itertools import combinations
from pathlib import Path
from statistics import NormalDist

import numpy as np

FOLDER = Path(__file__).parent.parent / "docs" / "results" / "one_hour"
LEVEL = 0.05


def searches(rows, metric="fd"):
    """By model: (validation, test) of every setting, in order of validation; failures infinite."""
    found = {}
    for row in rows:
        if row["last"] == "1" and row["repeat"] == "0":
            done = row["status"] == "done"
            pair = [float(row[f"{metric}_{split}"]) for split in ("validation", "test")]
            found.setdefault(row["model"], []).append(pair if done else [np.inf, np.inf])
    return {model: np.array(sorted(pairs)) for model, pairs in found.items()}


def chances(settings, n):
    """P(the i-th best on validation is the best of n drawn without replacement)."""
    return np.array(
        [math.comb(settings - i, n - 1) / math.comb(settings, n) for i in range(1, settings + 1)]
    )


def chances_with_replacement(settings, n):
    rest = ((settings - np.arange(settings + 1)) / settings) ** n
    return rest[:-1] - rest[1:]


def compare(a, b, n):
    """P(A's best of n beats B's), and its normal score on the logit scale."""
    wins = (a[:, None, 1] < b[None, :, 1]) + 0.5 * (a[:, None, 1] == b[None, :, 1])
    p = chances(len(a), n) @ wins @ chances(len(b), n)
    # The influence of each setting on P, the other side held fixed.
    against_b = wins @ chances_with_replacement(len(b), n)
    against_a = chances_with_replacement(len(a), n) @ wins
    variance = 0.0
    for h in (against_b, against_a):
        size = len(h)
        rank = np.arange(1, size)
        step = n * ((size - rank) / size) ** (n - 1) * np.diff(h)
        tail = np.append(np.cumsum(step[::-1])[::-1], 0.0)
        variance += np.sum((tail - tail.mean()) ** 2) / (size * (size - 1))
    edge = 1 / (2 * min(len(a), len(b)))
    inside = min(max(p, edge), 1 - edge)
    logit = math.log(inside / (1 - inside))
    error = math.sqrt(variance) / (inside * (1 - inside))
    return p, (logit / error if error > 0 else math.copysign(math.inf, logit))


def tier(models, n):
    """Remove the worse model of the clearest pair until no pair is clear; who left, and how."""
    left, removed = sorted(models), []
    while len(left) > 1:
        pairs = list(combinations(left, 2))
        clear = NormalDist().inv_cdf(1 - LEVEL / 2 / len(pairs))
        scores = {pair: compare(models[pair[0]], models[pair[1]], n) for pair in pairs}
        (a, b), (p, z) = max(scores.items(), key=lambda entry: abs(entry[1][1]))
        if abs(z) <= clear:
            break
        worse, better = (b, a) if z > 0 else (a, b)
        removed.append((worse, better, max(p, 1 - p), abs(z)))
        left.remove(worse)
    return left, removed


def interquartile_mean(values):
    """Of the middle half of the runs; a failure would have to be at the cap."""
    cut = len(values) // 4
    return float(np.mean(np.sort(values)[cut : len(values) - cut]))


def main(folder):
    with (folder / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    models = searches(rows)
    settings = min(len(found) for found in models.values())
    if settings < 20:
        sys.exit(f"{settings} settings: the report uses the exact permutation distribution instead")
    n = settings // 10
    left, removed = tier(models, n)
    print(f"first tier at the best of {n} of {settings}: {', '.join(left)}")
    for worse, better, p, z in removed:
        print(f"{worse} is beaten by {better}: P {p:.3f}, z {z:.2f}")

    with (folder / "report" / "tables" / "verdict.csv").open() as file:
        theirs = {row["model"]: row for row in csv.DictReader(file)}
    assert {name for name, row in theirs.items() if row["first_tier"] == "1"} == set(left)
    for worse, better, p, z in removed:
        assert theirs[worse]["beaten_by"] == better
        assert math.isclose(float(theirs[worse]["probability"]), p, rel_tol=1e-9)
        assert math.isclose(float(theirs[worse]["z"]), z, rel_tol=1e-9)

    print("\nfresh seeds of each chosen setting, test FD on the log scale:")
    again = {}
    for row in rows:
        if row["last"] == "1" and row["repeat"] != "0" and row["status"] == "done":
            again.setdefault(row["model"], []).append(math.log(float(row["fd_test"])))
    with (folder / "report" / "tables" / "best_and_reruns.csv").open() as file:
        reported = {row["model"]: float(row["rerun_iqm"]) for row in csv.DictReader(file)}
    for model, values in sorted(again.items(), key=lambda entry: interquartile_mean(entry[1])):
        middle = math.exp(interquartile_mean(values))
        assert math.isclose(reported[model], middle, rel_tol=1e-9)
        print(f"{model:8} {middle:7.1f} over {len(values)} seeds")
    print("\nit agrees with the report")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
