"""coequal from Python: what the command line does, in a few calls.

Each call is imported when it is first used: importing what runs a study or draws its report takes
seconds, and a score needs neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coequal.api.comparisons import compare as compare
    from coequal.api.manifolds import manifold as manifold
    from coequal.api.runs import Run as Run
    from coequal.api.runs import load as load
    from coequal.api.scores import score as score
    from coequal.api.statistics import stats as stats
    from coequal.api.studies import CollectedRun as CollectedRun
    from coequal.api.studies import Forecast as Forecast
    from coequal.api.studies import Verification as Verification
    from coequal.api.studies import collect as collect
    from coequal.api.studies import merge as merge
    from coequal.api.studies import pack as pack
    from coequal.api.studies import paper as paper
    from coequal.api.studies import plan_of as plan_of
    from coequal.api.studies import read_study as read_study
    from coequal.api.studies import report as report
    from coequal.api.studies import run as run
    from coequal.api.studies import verify as verify
    from coequal.api.studies import verify_folder as verify_folder
    from coequal.api.study import Study as Study
    from coequal.api.training import train as train
    from coequal.generators.load import generator as generator
    from coequal.inspection.diagnosis import diagnose as diagnose
    from coequal.study.document import StudyError as StudyError

_ELSEWHERE = {
    "compare": "coequal.api.comparisons",
    "diagnose": "coequal.inspection.diagnosis",
    "generator": "coequal.generators.load",
    "manifold": "coequal.api.manifolds",
    "score": "coequal.api.scores",
    "stats": "coequal.api.statistics",
    "train": "coequal.api.training",
    "Run": "coequal.api.runs",
    "load": "coequal.api.runs",
    "Study": "coequal.api.study",
    "StudyError": "coequal.study.document",
}


def __getattr__(name: str) -> Any:
    """A call, imported now."""
    if name.startswith("_"):  # asked for by the import system
        raise AttributeError(name)
    value = getattr(import_module(_ELSEWHERE.get(name, "coequal.api.studies")), name)
    globals()[name] = value
    return value
