"""coequal: a neutral bench for generative adversarial networks.

import coequal
study = coequal.read_study("studies/smoke.yaml")
coequal.run(study, out="runs/smoke")
print(coequal.report("runs/smoke"))
"""

from typing import Any

__version__ = "0.1.0"
__all__ = [
    "StudyError",
    "diagnose",
    "manifold",
    "merge",
    "pack",
    "read_study",
    "report",
    "run",
    "score",
    "verify",
]


def __getattr__(name: str) -> Any:
    """The calls of `coequal.api`, imported when first used: torch takes seconds."""
    if name in __all__:
        from coequal import (
            api,  # which imports the package `report`: the call of this name comes after
        )

        globals().update({known: getattr(api, known) for known in __all__})
        return globals()[name]
    raise AttributeError(f"module 'coequal' has no attribute '{name}'")
