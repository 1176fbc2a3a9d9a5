"""The classes of images that are scored: paired by name, and none of them empty."""

from collections.abc import Mapping
from dataclasses import replace

import torch

from coequal.files import folder_name
from coequal.inputs.load import Input


def with_classes_of(real: Input, other: Input, role: str) -> tuple[Input, str | None]:
    """Images with labels by the names of the real classes, or why that can't be.

    Names are compared as folders have them (see `files.folder_name`).
    """
    if not (real.classes and other.classes and other.labels is not None):
        return other, None
    names = [[folder_name(name) for name in side.classes or ()] for side in (real, other)]
    only = [sorted(set(names[a]) - set(names[1 - a])) for a in (0, 1)]
    if any(only):
        return other, f"class names differ: only real {only[0]}, only {role} {only[1]}"
    places = torch.tensor([names[0].index(name) for name in names[1]])
    return replace(other, labels=places[other.labels], classes=real.classes), None


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
