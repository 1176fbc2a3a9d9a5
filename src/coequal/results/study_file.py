"""study.json: a study with every default filled in, its looks, and the comparisons they are for.

The form has a version of its own, so that a change of it changes no trial's id.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coequal.design import named_pairs

STUDY = "study.json"

STUDY_SCHEMA = 3
LAST_OF_OLD = 2
"""The form of studies that counted the authors' setting among the drawn ones, judged a budget of
two settings at one look, and trained no setting a second time."""


@dataclass(frozen=True)
class StudyFile:
    """What study.json says.

    Attributes:
        study: with every default filled in.
        looks: at how many settings the study is judged, and the error that is spent there over all
            comparisons.
        comparisons: pairs of models among which the error of a look is divided.
    """

    study: Mapping[str, Any]
    looks: tuple[tuple[int, float], ...]
    comparisons: int

    @classmethod
    def of(
        cls,
        study: Mapping[str, Any],
        looks: Sequence[tuple[int, float]] | None = None,
        comparisons: int | None = None,
    ) -> "StudyFile":
        """Fill in what is not given: the looks of the study, and the pairs of its models.

        Args:
            study: with every default filled in.
            looks: numbers of settings, and the error spent at each.
            comparisons: number of pairs.
        """
        if looks is None:
            looks = planned_looks(study)
        if comparisons is None:
            comparisons = compared_pairs(study)
        return cls(study, tuple((int(at), float(level)) for at, level in looks), comparisons)

    def text(self) -> str:
        """The content of study.json."""
        values = {
            "schema": STUDY_SCHEMA,
            "study": self.study,
            "looks": self.looks,
            "comparisons": self.comparisons,
        }
        return json.dumps(values, indent=1, sort_keys=True, allow_nan=False) + "\n"


def planned_looks(
    study: Mapping[str, Any], done: Sequence[tuple[int, float]] = ()
) -> tuple[tuple[int, float], ...]:
    """The looks of a study: one at all of its settings unless it declares more.

    Args:
        study: with every default filled in.
        done: looks that were taken under an earlier version; they keep the error that they spent.
    """
    from coequal.statistics.looks import Look, spend  # SciPy takes half a second to import

    search = study.get("search") or {}
    settings = list(search.get("looks") or filter(None, [int(search.get("settings", 0))]))
    if not settings:
        return tuple(done)
    taken = [Look(*look) for look in done]
    spending = search.get("spending", "obrien_fleming")
    looks = spend(settings, spending=spending, done=taken)
    return tuple((look.settings, look.level) for look in looks)


def compared_pairs(study: Mapping[str, Any]) -> int:
    """The number of pairs of models that a study compares: all, or, if any model names the one that
    it is compared with (`against`), only those."""
    pairs = named_pairs(study)
    return math.comb(len(study.get("models") or ()), 2) if pairs is None else len(pairs)


def read_study_file(run: Path) -> StudyFile:
    """Read the study.json of a run's folder, in the present form or the one before.

    Raises:
        FileNotFoundError: this folder holds no study.
        ValueError: written by a newer version, or not readable.
    """
    path = run / STUDY
    if not path.exists():
        raise FileNotFoundError(f"{run} holds no study (no {STUDY} in it)")
    try:
        values = json.loads(path.read_text())
        schema, study = values["schema"], dict(values["study"])
        if schema == STUDY_SCHEMA:
            return StudyFile.of(study, values["looks"], values["comparisons"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} can't be read ({error})") from error
    if schema == LAST_OF_OLD:
        return StudyFile.of(converted(study))
    raise ValueError(
        f"{path} has schema {schema}; this version reads {LAST_OF_OLD} and {STUDY_SCHEMA}"
    )


def converted(study: Mapping[str, Any]) -> dict[str, Any]:
    """A study of the form before in the words of the present one: the same trials, and the same
    question.

    It said `settings: 20` for the authors' setting and 19 drawn ones; it judged a budget of two
    settings, once, and re-ran every model with as many seeds.

    Args:
        study: as a study.json of schema 2 holds it.
    """
    search, reruns = dict(study.get("search") or {}), dict(study.get("reruns") or {})
    if "settings" in search:
        drawn = int(search["settings"]) - 1
        search |= {"settings": drawn, "budget": 2, "retrain": 0.0}
        search |= {"looks": [drawn] if drawn else [], "spending": "obrien_fleming"}
    if "seeds" in reruns:
        reruns["base_seeds"] = reruns["seeds"]
    changed = {"search": search, "reruns": reruns}
    return {**study, **{key: value for key, value in changed.items() if key in study}}
