"""How often `score` shows a difference between generators of one distribution: with several sets of
images, their p-values alone and corrected for the number of pairs.

    python benchmarks/several.py [STUDIES]        # 300 by default: some five minutes

Real and generated images are 400 Gaussians of 16 features each; every set is drawn anew, all from
one distribution, which is not that of the real images. Whatever is shown is an error: a share of at
most 0.05 is wanted of the corrected ones."""

import sys

import numpy as np

import coequal

COUNT, FEATURES, SETS = 400, 16, 4
METRICS = ("fd", "kid", "precision", "density", "coverage", "one_nn")


def smallest(rng: np.random.Generator) -> dict[str, tuple[float, float]]:
    """Of one study, by number: the smallest p-value of all pairs, alone and corrected."""

    def drawn(scale: float, shift: float) -> np.ndarray:
        values = scale * rng.standard_normal((COUNT, FEATURES)) + shift
        return values.astype(np.float32)

    fakes = {str(name): drawn(1.1, 0.1) for name in range(SETS)}
    pairs = coequal.score(real=drawn(1, 0), fake=fakes, metrics=METRICS)["pairs"]
    found = {}
    for name in pairs[0]["metrics"]:
        rows = [pair["metrics"][name] for pair in pairs]
        if all(row["p_value"] is not None for row in rows):
            found[name] = tuple(
                min(row[kind] for row in rows) for kind in ("p_value", "p_corrected")
            )
    return found


def main() -> None:
    studies = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    found = [smallest(np.random.default_rng(seed)) for seed in range(studies)]
    print(f"{studies} studies of {SETS} sets: share with any p of at most 0.05\n")
    print("| number | alone | corrected |\n| --- | --- | --- |")
    for name in found[0]:
        shares = np.mean([np.array(one[name]) <= 0.05 for one in found], axis=0)
        print(f"| {name} | {shares[0]:.3f} | {shares[1]:.3f} |")


if __name__ == "__main__":
    main()
