"""What a study can decide, in words."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coequal.study.decidable import Change, Decidable, Reach
    from coequal.study.spec import Study


def decision_lines(study: "Study", found: "Decidable | None") -> Iterator[str]:
    """Say what a study can decide, and what would let it decide more.

    Args:
        study: one that has been checked.
        found: what it can decide; None: it compares no models.
    """
    if found is None:
        yield "can decide nothing between models: it has one"
        return
    settings = found.reach.settings
    if found.seeds is not None:
        yield (
            f"fresh seeds can decide: a change by a factor of {found.seeds:.2g} against its base "
            f"is shown with a probability of 80 % ({study.reruns.seeds} seeds of each change, "
            "corrected for all of them; standard deviation of log scores over seeds assumed)"
        )
        if not settings:
            return  # the authors' settings alone, compared on fresh seeds
    if not settings:
        yield f"no settings are drawn: the search compares nothing; {_impossible(found)}"
    elif not found.reach.possible:
        yield f"with {settings} settings {_impossible(found)}"
    else:
        at = f"at {settings} settings and a budget of {found.budget}"
        pairs = f"{_count(found.pairs, 'pair')}, each at a level of {found.reach.level:.2g}"
        yield f"can decide, {at} ({pairs}): {_shown(found, found.reach)}; {found.source}"
    if found.last is not None:
        yield f"at its last look, {found.last.settings} settings: {_shown(found, found.last)}"
    if found.budget < found.declared_budget and settings:
        yield (
            f"a budget of {found.declared_budget} can't be judged: that takes "
            f"{10 * found.declared_budget} settings; judged is a budget of {found.budget}"
        )
    if found.equivalent_from is not None and found.margin is not None:
        within = (
            f"{100 * (found.margin - 1):.3g} %" if found.scale == "log" else f"{found.margin:g}"
        )
        yield (
            f"two equal models are found equivalent within {within} with a probability of 80 % "
            f"from about {found.equivalent_from} settings"
        )
    if found.changes:
        more = "; ".join(_change(found, change) for change in found.changes)
        yield f"what would decide {'more' if found.reach.possible else 'something'}: {more}"


def _impossible(found: "Decidable") -> str:
    level = f"{found.reach.level * found.pairs:.2g}"
    return (
        f"none of {found.models} models can be shown to be better: {found.reach.fewest} are needed "
        f"(2^(1 - B) <= {level if found.pairs == 1 else f'{level}/{found.pairs}'})"
    )


def _shown(found: "Decidable", reach: "Reach") -> str:
    if not reach.possible:
        return f"nothing, {reach.fewest} settings are needed"
    if reach.smallest is None:
        return "any clear difference; which one is shown with a probability of 80 % is not known"
    size = "a factor" if found.scale == "log" else "a difference"
    return f"{size} of {reach.smallest:.2g} is shown with a probability of 80 %"


def _change(found: "Decidable", change: "Change") -> str:
    what = [f"`against: {change.against}` for the other models"] if change.against else []
    if change.spending:
        what.append(f"`spending: {change.spending}`")
    if change.settings != found.reach.settings:
        what.append(f"`settings: {change.settings}`")
    trials = f"up to {change.trials} trials more" if change.trials else "no trial more"
    return f"{' and '.join(what)} ({trials}): {_shown(found, change.reach)}"


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"
