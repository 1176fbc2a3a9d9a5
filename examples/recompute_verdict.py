"""The verdict of a finished study, computed again from results.csv with plain numpy.

Nothing of coequal is imported: a reviewer can read what is done here from top to bottom, and see
that it agrees with the report's own tables.

    python examples/recompute_verdict.py docs/results/one_hour
"""

import csv
import json
import math
import sys
from itertools import combinations
from pathlib import Path
from statistics import NormalDist

import numpy as np

FOLDER = Path(__file__).parent.parent / "docs" / "results" / "one_hour"


# ------------------------------------------------------------------ what the tuner of a model meets


def runs_of(rows, metric):
    """By model: arrays (validation, test, test of the run with a fresh seed) of settings 1, 2, ...

    The authors' setting, 0, is no random draw and takes no part. Failures are infinite; NaN means
    that a setting was not trained again.
    """
    scores = {}
    for row in rows:
        if row["last"] == "1" and row["repeat"] in ("0", "1"):
            done = row["status"] == "done"
            pair = [float(row[f"{metric}_{split}"]) for split in ("validation", "test")]
            key = (int(row["setting"]), int(row["repeat"]))
            scores.setdefault(row["model"], {})[key] = pair if done else [np.inf, np.inf]
    found = {}
    for model, known in scores.items():
        settings = 0
        while (settings + 1, 0) in known:
            settings += 1
        own = np.array([known[number, 0] for number in range(1, settings + 1)])
        again = [known.get((number, 1), (0, np.nan))[1] for number in range(1, settings + 1)]
        found[model] = (own[:, 0], own[:, 1], np.array(again))
    return found


def as_a_look_sees_it(runs, looks, share):
    """(validation, score, own): the best settings by validation count with the score of a fresh
    seed; `own` is then that of the search's own run, and NaN elsewhere."""
    validation, test, again = runs
    fresh = set()
    for count in looks:
        best = np.argsort(validation[:count], kind="stable")[: math.ceil(share * count - 1e-9)]
        fresh |= {int(i) for i in best if np.isfinite(validation[i])}
    count = looks[-1]
    retrained = np.array([i in fresh and not np.isnan(again[i]) for i in range(count)])
    score = np.where(retrained, again[:count], test[:count])
    return validation[:count], score, np.where(retrained, test[:count], np.nan)


def chances(validation, n, replacement=False):
    """(settings,) P(the best on validation of n settings is this one); ties share it equally."""
    size = len(validation)
    if replacement:
        rest = ((size - np.arange(size + 1)) / size) ** n
        ranked = rest[:-1] - rest[1:]
    else:
        ranked = np.array(
            [math.comb(size - i, n - 1) / math.comb(size, n) for i in range(1, size + 1)]
        )
    chance = np.empty(size)
    chance[np.argsort(validation, kind="stable")] = ranked
    for value in np.unique(validation):
        chance[validation == value] = chance[validation == value].mean()
    return chance


def influences(model, value, n):
    """(settings,) how each setting moves the expected value of the best of n on validation."""
    validation, score, own = model
    values = value(score)
    size = len(values)
    order = np.argsort(validation, kind="stable")
    group_means = np.array([values[validation == v].mean() for v in validation])
    rank = np.arange(1, size)
    steps = n * ((size - rank) / size) ** (n - 1) * np.diff(group_means[order])
    above = np.append(np.cumsum(steps[::-1])[::-1], 0.0)
    influence = np.empty(size)
    influence[order] = above.mean() - above
    influence += size * chances(validation, n, True) * (values - group_means)
    # One more good setting pushes another out of those that were trained again. The step at their
    # border is estimated from the worse half of them.
    retrained = ~np.isnan(own)
    part = retrained.mean()
    if not 0 < part < 1:
        return influence
    places = np.flatnonzero(retrained)
    worst = places[np.argsort(-validation[places], kind="stable")[: math.ceil(len(places) / 2)]]
    step = np.mean(value(own[worst]) - value(score[worst]))
    return influence + (retrained - part) * n * (1 - part) ** (n - 1) * step


# ------------------------------------------------------------------------------------ two models


def wins(a, b):
    """(settings of A, settings of B) 1 where A's score is lower, 1/2 where both are equal."""
    return (a[:, None] < b[None, :]) + 0.5 * (a[:, None] == b[None, :])


def probability(a, b, n):
    """P(the tuned A scores lower than the tuned B), and its standard error over settings.

    The i-th setting of both is one draw, so that their influences are added before being squared.
    """
    p = float(chances(a[0], n) @ wins(a[1], b[1]) @ chances(b[0], n))
    chosen_a, chosen_b = (chances(model[0], n, True) for model in (a, b))
    moved = influences(a, lambda score: wins(score, b[1]) @ chosen_b, n)
    moved += influences(b, lambda score: chosen_a @ wins(a[1], score), n)
    size = len(moved)
    return p, math.sqrt(moved @ moved / (size * (size - 1)))


def probability_interval(p, se, size, n, level):
    """Normal on the logit scale from 20 settings, if P was seen both ways; else Newcombe's."""
    z = -NormalDist().inv_cdf(level / 2)
    edge = 1 / (2 * size)
    if size >= 20 and n / size <= 0.2 and se > 1e-9 and edge < p < 1 - edge:
        middle, spread = math.log(p / (1 - p)), se / (p * (1 - p))
        return tuple(1 / (1 + math.exp(-(middle + side * z * spread))) for side in (-1, 1))
    pairs = size / n  # independent searches of n settings

    def outside(t):
        v = t * (1 - t) * (1 + (pairs - 1) * ((1 - t) / (2 - t) + t / (1 + t))) / pairs**2
        return abs(p - t) > z * math.sqrt(v)

    def end(inside, beyond):
        for _ in range(200):
            middle = (inside + beyond) / 2
            inside, beyond = (inside, middle) if outside(middle) else (middle, beyond)
        return inside

    return (0.0 if p == 0 else end(p, 0.0)), (1.0 if p == 1 else end(p, 1.0))


def p_value(a, b, p, se):
    """Two-sided p-value of P = 1/2, and from 20 settings the normal score of P's logit."""
    size = len(a[1])
    if size < 20:
        return swap_p_value(a[1], b[1]), None
    edge = 1 / (2 * size)
    inside = min(max(p, edge), 1 - edge)
    logit = math.log(inside / (1 - inside))
    if abs(logit) < 1e-12:
        z = 0.0
    elif se > 1e-9:
        z = logit * inside * (1 - inside) / se
    else:
        z = math.copysign(math.inf, logit)
    return max(math.erfc(abs(z) / math.sqrt(2)), 2.0 ** (1 - size)), z


def swap_p_value(a, b):
    """The proportion of all ways to swap two models within settings that are as clear as no swap.

    How clear a way is: P - 1/2 over its standard error. Beyond 14 settings, of 8,192 random ways.
    """
    size = len(a)
    if size <= 14:
        ways = (np.arange(2 ** (size - 1))[:, None] >> np.arange(size)) & 1 == 1
    else:
        ways = np.random.default_rng(0).random((8192, size)) < 0.5
        ways[0] = False
    clearness = []
    for way in ways:
        won = wins(np.where(way, b, a), np.where(way, a, b))
        of_setting = won.mean(axis=1) + won.mean(axis=0)
        ahead, error = of_setting.mean() / 2 - 0.5, of_setting.std(ddof=1) / math.sqrt(size)
        if error > 1e-9:
            clearness.append(abs(ahead) / error)
        else:
            clearness.append(0.0 if abs(ahead) < 1e-12 else math.inf)
    return float(np.mean(np.array(clearness) >= clearness[0] * (1 - 1e-9)))


def student(level, freedom):
    """The two-sided critical value of Student's t at a real number of degrees of freedom."""
    # With t = sqrt(freedom) tan(u), the density of u is in proportion to cos(u)^(freedom - 1).
    nodes, masses = np.polynomial.legendre.leggauss(100)
    gammas = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)
    scale = 2 * math.exp(gammas) / math.sqrt(math.pi)

    def within(u):
        return scale * u / 2 * (masses @ np.cos(u / 2 * (nodes + 1)) ** (freedom - 1))

    low, high = 0.0, math.pi / 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if within(middle) < 1 - level else (low, middle)
    return math.sqrt(freedom) * math.tan(low)


def ratio(a, b, n, cap, level):
    """Geometric mean of the tuned A's score over that of B's, and its interval.

    A failure counts as the cap, or as the worst score of a finished run where that is worse.
    """
    every = np.concatenate([a[1], b[1], a[2], b[2]])
    failed = max(cap, every[np.isfinite(every)].max())

    def log(score):
        return np.log(np.where(np.isfinite(score), score, failed))

    middle = chances(a[0], n) @ log(a[1]) - chances(b[0], n) @ log(b[1])
    moved = influences(a, log, n) - influences(b, log, n)
    size = len(moved)
    error = math.sqrt(moved @ moved / (size * (size - 1)))
    # About 2 B / (n + 1) of B settings count for the best of n.
    reach = student(level, max(1.0, 2 * size / (n + 1) - 1)) * error
    return tuple(math.exp(middle + side * reach) for side in (0, -1, 1))


# ------------------------------------------------------------------------------- look after look


def verdict(runs, looks, n, share, margin, cap, comparisons):
    """By pair: its numbers at the look that decided it, or at the last one it took part in."""
    pairs = list(combinations(runs, 2))
    comparisons = max(comparisons, len(pairs))
    found, beaten, training = {}, {}, set(runs)
    for index, (count, spent) in enumerate(looks):
        if not training:
            break
        if n > 1 and count < 10 * n:
            continue  # too few settings to judge this budget
        level = spent / comparisons
        seen = [settings for settings, _ in looks[: index + 1]]
        at = {m: as_a_look_sees_it(runs[m], seen, share) for m in training}
        for pair in pairs:
            known = found.get(pair)
            if (known and known["outcome"] != "undecided") or beaten.keys() & set(pair):
                continue
            a, b = (at[m] for m in pair)
            p, se = probability(a, b, n)
            interval = probability_interval(p, se, count, n, level)
            significance, z = p_value(a, b, p, se)
            times, low, high = ratio(a, b, n, cap, level)
            outcome = "undecided"
            if margin and 1 / margin <= low and high <= margin:
                outcome = "equivalent"
            elif significance <= level:
                outcome = "better" if p > 0.5 else "worse"
            found[pair] = {
                "look": index,
                "settings": count,
                "probability_better": p,
                "probability_better_low": interval[0],
                "probability_better_high": interval[1],
                "ratio": times,
                "ratio_low": low,
                "ratio_high": high,
                "p_value": significance,
                "z": z,
                "level": level,
                "outcome": outcome,
            }
        clearest = sorted(
            found.items(),
            key=lambda e: (e[1]["p_value"], -abs(e[1]["probability_better"] - 0.5)),
        )
        for (a, b), known in clearest:
            worse, better = (b, a) if known["outcome"] == "better" else (a, b)
            if known["outcome"] in ("better", "worse") and known["look"] == index:
                beaten.setdefault(worse, (better, index))
        undecided = [
            p for p in pairs if found[p]["outcome"] == "undecided" and not beaten.keys() & set(p)
        ]
        training = {model for pair in undecided for model in pair}
    return found, beaten


def turned(pair):
    """The numbers of a pair, seen from its other model."""
    outcomes = {"better": "worse", "worse": "better"}
    return pair | {
        "probability_better": 1 - pair["probability_better"],
        "probability_better_low": 1 - pair["probability_better_high"],
        "probability_better_high": 1 - pair["probability_better_low"],
        "ratio": 1 / pair["ratio"],
        "ratio_low": 1 / pair["ratio_high"],
        "ratio_high": 1 / pair["ratio_low"],
        "z": None if pair["z"] is None else -pair["z"],
        "outcome": outcomes.get(pair["outcome"], pair["outcome"]),
    }


def agrees(ours, theirs, column):
    """Compare a number with that of the report's table, where an empty cell is no number."""
    if ours is None:
        assert theirs[column] == "", (column, theirs)
    else:
        assert math.isclose(ours, float(theirs[column]), rel_tol=1e-8), (column, ours, theirs)


def main(folder):
    with (folder / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    stored = json.loads((folder / "study.json").read_text())
    study, (data,) = stored["study"], stored["study"]["data"]
    search, metric = study["search"], study["select"]["metric"]
    cap = json.loads((folder / "references.json").read_text())[data]["cap"][metric]
    margin = (study.get("equivalence") or {"ratio": 1.1})["ratio"]
    looks = [(int(settings), level) for settings, level in stored["looks"]]
    n = min(search["budget"], max(1, looks[-1][0] // 10))
    share = search["retrain"] if n > 1 else 0.0

    runs = runs_of(rows, metric)
    runs = {model["name"]: runs[model["name"]] for model in study["models"]}
    found, beaten = verdict(runs, looks, n, share, margin, cap, stored["comparisons"])

    print(f"the best of {n}, at looks after {', '.join(str(at) for at, _ in looks)} settings:")
    with (folder / "report" / "tables" / "pairs.csv").open() as file:
        theirs = {(row["model"], row["against"]): row for row in csv.DictReader(file)}
    assert len(theirs) == len(found)
    for (a, b), row in theirs.items():
        ours = found[a, b] if (a, b) in found else turned(found[b, a])
        assert row["outcome"] == ours["outcome"]
        assert int(row["look"]) == ours["look"] + 1
        for name in ("settings", "probability_better", "ratio", "z", "p_value", "level"):
            agrees(ours[name], row, name)
        for name in ("probability_better", "ratio"):
            for end in ("low", "high"):
                agrees(ours[f"{name}_{end}"], row, f"{name}_{end}")
        if ours["outcome"] != "undecided":
            print(
                f"{a} is {ours['outcome']}: {b}, at look {ours['look'] + 1}; "
                f"P {ours['probability_better']:.3f} ({ours['probability_better_low']:.2f} to "
                f"{ours['probability_better_high']:.2f}), ratio {ours['ratio']:.2f} "
                f"({ours['ratio_low']:.2f} to {ours['ratio_high']:.2f})"
            )
    undecided = sum(ours["outcome"] == "undecided" for ours in found.values())
    print(f"{undecided} of {len(found)} pairs are not decided")

    with (folder / "report" / "tables" / "verdict.csv").open() as file:
        for row in csv.DictReader(file):
            by, look = beaten.get(row["model"], ("", None))
            assert row["beaten_by"] == by
            assert row["unbeaten"] == str(int(not by))
            assert not by or int(row["beaten_at_look"]) == look + 1
    print("it agrees with the report")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
