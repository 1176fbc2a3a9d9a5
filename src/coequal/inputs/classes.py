"""The classes of images that are scored: paired by name, and none of them empty."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from coequal.datasets._decoding import listed
from coequal.datasets._listing import numbers_of
from coequal.files import folder_name
from coequal.inputs.input import Input

_NUMBERED = re.compile(r"^(\d+) - [a-z]+$")


def with_classes_of(real: Input, other: Input, role: str) -> tuple[Input, str | None]:
    """Images with labels by the names of the real classes, or why that can't be.

    Where one side has names and the other numbers, they are paired only if the names are numbers: a
    number says nothing of "zebra".

    Args:
        real: the real images.
        other: the images whose labels are to be paired.
        role: "fake" or "train", for the reason.
    """
    if real.labels is None or other.labels is None or not (real.classes or other.classes):
        return other, None
    if real.classes and other.classes:
        names = [_comparable(side.classes) for side in (real, other) if side.classes]
        only = [sorted(set(names[a]) - set(names[1 - a])) for a in (0, 1)]
        if any(only):
            return other, f"class names differ: only real {only[0]}, only {role} {only[1]}"
        places = torch.tensor([names[0].index(name) for name in names[1]])
        return replace(other, labels=places[other.labels], classes=real.classes), None
    sides = {"real": real, role: other}
    named, plain = sorted(sides, key=lambda side: not sides[side].classes)
    classes = sides[named].classes or ()
    numbers = numbers_of(_comparable(classes))
    if numbers is None:
        return other, (
            f"the {named} classes have names ({listed(classes)}) and the {plain} "
            "labels are numbers, so they can't be matched; name the classes of the "
            f"{plain} images, too (class folders, names as labels, or .classes)"
        )
    return _by_numbers(numbers, named == "real", other, role)


def _by_numbers(
    numbers: Sequence[int], real_is_named: bool, other: Input, role: str
) -> tuple[Input, str | None]:
    """Pair labels where the classes of one side are called by these numbers."""
    assert other.labels is not None
    if list(numbers) == list(range(len(numbers))):
        return other, None
    if not real_is_named:
        return replace(other, labels=torch.tensor(numbers)[other.labels], classes=None), None
    unknown = sorted(set(other.labels.unique().tolist()) - set(numbers))
    if unknown:
        return other, f"{role}: labels {unknown} are not among the real classes {list(numbers)}"
    place = {number: row for row, number in enumerate(numbers)}
    return replace(other, labels=torch.tensor([place[k] for k in other.labels.tolist()])), None


def _comparable(names: Sequence[str]) -> list[str]:
    """Names as they are compared: as folders have them (see `files.folder_name`), and without what
    datasets of the same images write differently, unless two names become one by that."""
    plain = [folder_name(name) for name in names]
    # The hub has "T - shirt / top", torchvision "3 - three".
    short = ["".join(_NUMBERED.sub(r"\1", name).split()) for name in plain]
    return short if len(set(short)) == len(set(plain)) else plain


def empty_classes(sources: Mapping[str, Input]) -> str | None:
    """Which classes have no image on a side, or aren't among the real ones; None if all is well.

    Args:
        sources: real, fake and train, all with labels.
    """
    labels = {role: source.labels for role, source in sources.items() if source.labels is not None}
    names = sources["real"].classes
    largest = max(int(labels[role].max()) for role in labels if role != "fake")
    classes = len(names) if names else largest + 1
    problems = []
    for role, of_role in labels.items():
        counts = of_role.bincount(minlength=classes).tolist()
        if len(counts) > classes:
            problems.append(f"{role}: labels up to {len(counts) - 1} for {classes} real classes")
        none = [names[k] if names else str(k) for k in range(classes) if not counts[k]]
        if none:
            problems.append(f"{role}: no images of class {', '.join(none)}")
    return "; ".join(problems) or None
