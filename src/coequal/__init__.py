"""coequal: a neutral bench for generative adversarial networks.

import coequal as cq
run = cq.run("smoke")
print(run.verdict)
print(run.report())
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coequal.api import Run as Run
    from coequal.api import Study as Study
    from coequal.api import StudyError as StudyError
    from coequal.api import compare as compare
    from coequal.api import diagnose as diagnose
    from coequal.api import generator as generator
    from coequal.api import load as load
    from coequal.api import manifold as manifold
    from coequal.api import merge as merge
    from coequal.api import pack as pack
    from coequal.api import paper as paper
    from coequal.api import read_study as read_study
    from coequal.api import report as report
    from coequal.api import run as run
    from coequal.api import score as score
    from coequal.api import stats as stats
    from coequal.api import train as train
    from coequal.api import verify as verify

__version__ = "0.1.0"
__all__ = [
    "Run",
    "Study",
    "StudyError",
    "compare",
    "diagnose",
    "generator",
    "load",
    "manifold",
    "merge",
    "pack",
    "paper",
    "read_study",
    "report",
    "run",
    "score",
    "stats",
    "train",
    "verify",
]


def __getattr__(name: str) -> Any:
    """A public name, imported from `coequal.api` when it is first used: torch takes seconds."""
    if name in __all__:
        globals()[name] = getattr(import_module("coequal.api"), name)
        return globals()[name]
    raise AttributeError(f"module 'coequal' has no attribute '{name}'")


def __dir__() -> list[str]:
    """What completion offers: the public names, whether they have been used yet or not."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
