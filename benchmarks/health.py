"""Are the verdicts right? Runs that are healthy or broken by construction, half of them held out.

python benchmarks/health.py make --out /tmp/failing     # two processes, about an hour
python benchmarks/health.py table --out /tmp/failing    # the confusion matrix
"""

import argparse
import subprocess
import sys
from pathlib import Path

from failing.recipes import all_recipes
from failing.runs import data_of, make_all
from failing.table import CALIBRATION, HELD_OUT, judged, matrix, ranges, summary, wrong


def main() -> None:
    """See the file's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["make", "part", "list", "table"])
    parser.add_argument("--out", type=Path, default=Path("failing"))
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--parts", type=int, default=2)
    parser.add_argument("--held-out", action="store_true", help="show the held-out half, too")
    given = parser.parse_args()
    recipes = all_recipes()
    if given.what == "list":
        for recipe in recipes:
            print(recipe.id, recipe.meant, recipe.onset, recipe.steps)
        print(len(recipes), sum(r.meant == "healthy" for r in recipes), "healthy")
    elif given.what == "table":
        runs = list(judged(given.out))
        for name, half in (("Calibration half", CALIBRATION), ("Held-out half", HELD_OUT)):
            if half == HELD_OUT and not given.held_out:
                continue
            own = [run for run in runs if run.half == half]
            print(f"\n## {name}: {len(own)} runs\n\n{matrix(own)}\n\n{summary(own)}\n")
            print(f"Wrong, or with a false alarm on the way:\n\n{wrong(own)}")
        print(f"\n{ranges(runs)}")
    elif given.what == "part":
        make_all(recipes, given.out, given.part, given.parts)
    elif given.what == "make":
        for name in ("clothes", "shapes"):
            data_of(name)
        own = [sys.executable, __file__, "part", "--out", str(given.out)]
        own += ["--parts", str(given.parts)]
        running = [subprocess.Popen([*own, "--part", str(k)]) for k in range(given.parts)]
        sys.exit(max(process.wait() for process in running))


if __name__ == "__main__":
    main()
