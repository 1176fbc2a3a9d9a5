"""Are the verdicts right? Runs that are healthy or broken by construction, half of them held out.

python benchmarks/health.py table                       # the matrices, of runs made before
python benchmarks/health.py make --out runs/failing     # the runs anew: half an hour on two cores
python benchmarks/health.py pack --out runs/failing     # and into the file that `table` reads
"""

import argparse
import subprocess
import sys
from pathlib import Path

from failing.recipes import all_recipes
from failing.runs import data_of, make_all
from failing.table import CALIBRATION, HELD_OUT, judged, matrix, pack, ranges, summary, wrong


def main() -> None:
    """See the file's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["make", "part", "list", "pack", "table"])
    parser.add_argument("--out", type=Path, default=Path("failing"))
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--parts", type=int, default=2)
    given = parser.parse_args()
    recipes = all_recipes()
    if given.what == "list":
        for recipe in recipes:
            print(recipe.id, recipe.meant, recipe.onset, recipe.steps)
        print(len(recipes), sum(r.meant == "healthy" for r in recipes), "healthy")
    elif given.what == "pack":
        pack(given.out)
    elif given.what == "table":
        runs = list(judged())
        for name, half in (("Calibration half", CALIBRATION), ("Held-out half", HELD_OUT)):
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
