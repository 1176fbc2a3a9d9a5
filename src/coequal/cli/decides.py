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
        yield "It compares no models: it has only one."
        return
    settings = found.reach.settings
    if found.seeds is not None:
        yield (
            f"With fresh seeds, it detects a change by a factor of {found.seeds:.2g} "
            f"against its base with a probability of 80 % ({study.reruns.seeds} seeds "
            "of each change, corrected for multiple comparisons, and an assumed "
            "standard deviation of log scores over seeds)."
        )
        if not settings:
            return  # the authors' settings alone, compared on fresh seeds
    if not settings:
        yield f"It draws no settings, so the search compares nothing: {_impossible(found)}."
    elif not found.reach.possible:
        yield f"With {settings} settings, {_impossible(found)}."
    else:
        at = f"at {settings} settings and a budget of {found.budget}"
        pairs = f"{_count(found.pairs, 'pair')}, each at a level of {found.reach.level:.2g}"
        yield f"It can show, {at} ({pairs}): {_shown(found, found.reach)}; {found.source}."
    if found.last is not None:
        yield (
            f"At its last look, with {found.last.settings} settings: {_shown(found, found.last)}."
        )
    if found.budget < found.declared_budget and settings:
        yield (
            f"A budget of {found.declared_budget} can't be judged, because that takes "
            f"{10 * found.declared_budget} settings; a budget of {found.budget} is "
            "judged instead."
        )
    if found.equivalent_from is not None and found.margin is not None:
        within = (
            f"{100 * (found.margin - 1):.3g} %" if found.scale == "log" else f"{found.margin:g}"
        )
        yield (
            f"Two equal models are found equivalent within {within} with a probability "
            f"of 80 % from about {found.equivalent_from} settings on."
        )
    if found.changes:
        more = "; ".join(_change(found, change) for change in found.changes)
        yield f"To decide {'more' if found.reach.possible else 'something'}, use {more}."


def _impossible(found: "Decidable") -> str:
    level = f"{found.reach.level * found.pairs:.2g}"
    return (
        f"no model of {found.models} can be shown to be better; that takes at least "
        f"{found.reach.fewest} settings (2^(1 - B) <= "
        f"{level if found.pairs == 1 else f'{level}/{found.pairs}'})"
    )


def _shown(found: "Decidable", reach: "Reach") -> str:
    if not reach.possible:
        return f"nothing, because that takes {reach.fewest} settings"
    if reach.smallest is None:
        return (
            "any clear difference; the size that is shown with a probability of 80 % is not known"
        )
    size = "a factor" if found.scale == "log" else "a difference"
    return f"{size} of {reach.smallest:.2g} is shown with a probability of 80 %"


def _change(found: "Decidable", change: "Change") -> str:
    what = [f"`against: {change.against}` for the other models"] if change.against else []
    if change.spending:
        what.append(f"`spending: {change.spending}`")
    if change.settings != found.reach.settings:
        what.append(f"`settings: {change.settings}`")
    trials = f"up to {change.trials} more trials" if change.trials else "no more trials"
    return f"{' and '.join(what)} ({trials}): {_shown(found, change.reach)}"


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"
