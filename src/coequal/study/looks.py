"""When a study looks at its results, and by which rules it then judges them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from coequal.design import rules_of, usable_cap
from coequal.results.study_file import StudyFile
from coequal.selection import SelectionRule
from coequal.study.spec import Study

if TYPE_CHECKING:
    from coequal.statistics.rules import Rules


def study_schedule(study: Study) -> tuple[tuple[tuple[int, float], ...], int]:
    """The looks of a study that has not begun.

    Returns:
        The looks, each with its number of settings and the error that it spends over all pairs of
        models, and the number of these pairs.
    """
    file = StudyFile.of(study.as_dict())
    return file.looks, file.comparisons


def study_rules(
    study: Study,
    rule: SelectionRule,
    looks: Sequence[tuple[int, float]],
    comparisons: int,
    references: Mapping[str, Mapping[str, Any]],
) -> "dict[str, Rules]":
    """The rules of the verdict on each dataset.

    Args:
        study: as its file says.
        rule: by which it chooses settings.
        looks: numbers of settings, and the error spent at each over all pairs.
        comparisons: number of pairs that the error is divided by, at least.
        references: by dataset, with the cap of each metric; as references.json holds them.
    """
    values = study.as_dict()
    caps = {
        name: usable_cap(references.get(name) or {}, rule.metric, rule.info) for name in study.data
    }
    return {
        name: rules_of(values, rule.info, cap=cap, looks=looks, comparisons=comparisons)
        for name, cap in caps.items()
    }


def to_the_last_look(study: Study) -> Study:
    """The study with as many settings as it looks at most at.

    Raises:
        ValueError: its settings are its only look, so that nothing could be added.
    """
    looks = study.search.looks
    if len(looks) < 2:
        settings = study.search.settings
        first = max(settings, 20)
        raise ValueError(
            "until every pair is decided, settings are added look by look, and this "
            f"study has no look after {settings} settings; add looks to the study "
            f"file, as in search: {{settings: {first}, looks: [{first}, {2 * first}]}}"
        )
    search = study.search.model_copy(update={"settings": looks[-1]})
    return study.model_copy(update={"search": search})


def default_rules(study: Study, rule: SelectionRule) -> "dict[str, Rules]":
    """The rules of a study that has not begun, on each dataset."""
    return study_rules(study, rule, *study_schedule(study), {})
