"""coequal: a neutral bench for generative adversarial networks.

import coequal
study = coequal.read_study("studies/smoke.yaml")
coequal.run(study, out="runs/smoke")
print(coequal.report("runs/smoke"))
"""

import importlib
from typing import Any

__version__ = "0.1.0"
__all__ = [
    "StudyError",
    "compare",
    "diagnose",
    "generator",
    "manifold",
    "merge",
    "pack",
    "paper",
    "read_study",
    "report",
    "run",
    "score",
    "stats",
    "verify",
]


# The package `report` has the name of a call. It is imported here, empty as it is, and its name
# given free: imported later, it would take the place of the call.
importlib.import_module("coequal.report")
del globals()["report"]


def __getattr__(name: str) -> Any:
    """The calls of `coequal.api`, each imported when first used: torch takes seconds."""
    if name in __all__:
        from coequal import api

        globals()[name] = getattr(api, name)
        return globals()[name]
    raise AttributeError(f"module 'coequal' has no attribute '{name}'")
