"""A study from Python: `coequal run smoke --out runs/smoke`."""

import sys

import coequal

if __name__ == "__main__":  # the workers are processes of their own
    run = coequal.run("smoke", out=sys.argv[1] if len(sys.argv) > 1 else None)
    print(run)  # the verdict and a table; a notebook shows samples, too
