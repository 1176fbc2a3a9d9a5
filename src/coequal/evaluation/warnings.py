"""Why the scores of these images might mislead: what goes into the warnings of the output."""

from collections.abc import Mapping

import numpy as np

from coequal.contract import Encoder, ImageSet
from coequal.contract.classes import equal_class_counts
from coequal.inputs.alike import describe_size
from coequal.inputs.input import Input
from coequal.inputs.overlap import image_keys, shared_images

_MUCH_DARKER = 10  # times: no two sets of one kind of images differ so much
_READ_AT_ONCE = 100  # images: those of most sets tell enough
_FEW = 0.01  # of images: so many may repeat by chance, as they do in published datasets


def warnings_about(
    sources: Mapping[str, Input], sets: Mapping[str, ImageSet], encoder: Encoder | None
) -> list[str]:
    """One sentence for each reason not to trust the scores."""
    real, fake = sources["real"], sources["fake"]
    warnings = []
    for role in ("real", "fake"):
        count, dimension = sources[role].count, _dimension(sets[role])
        if count is not None and count <= dimension:
            warnings.append(
                f"{role}: {count} samples for {dimension} features; "
                "distances of distributions are dominated by noise and bias"
            )
        repeats = len(sources[role]) - len(np.unique(image_keys(sources[role])))
        if repeats > _FEW * len(sources[role]):
            warnings.append(
                f"{role}: {repeats} of {len(sources[role])} are exact repeats of "
                "another, which add no information: errors and p-values are those of "
                "fewer images"
            )
    if None not in (real.count, fake.count) and real.count != fake.count:
        warnings.append(f"different counts: {real.count} real and {fake.count} fake")
    if (real.lossy > 0) != (fake.lossy > 0):
        side = "real" if real.lossy else "fake"
        warnings.append(f"only the {side} images were stored in a lossy format (JPEG, WebP)")
    copies = shared_images(fake, sources.get("train", real))
    if copies:
        where = "train" if "train" in sources else "real"
        warnings.append(f"{copies} of {len(fake)} fake images are exact copies of {where} images")
    return [
        *about_images(sources),
        *warnings,
        *_about_classes(sources),
        *_about_held_out_images(sources),
        *_about_resizing(sources["real"], encoder),
        *_about_training(sources, encoder),
        *([encoder.weak] if encoder is not None and encoder.weak else []),
    ]


def _dimension(images: ImageSet) -> int:
    """How many features an image has."""
    if images.statistics is not None and not len(images):
        return images.statistics.dimension
    return images.features.shape[1]


def _about_classes(sources: Mapping[str, Input]) -> list[str]:
    """What equal numbers of every class do to numbers that take images for independent draws."""
    counts = equal_class_counts(sources["fake"].labels)
    if counts is None:
        return []
    both = ", as in the real set" if equal_class_counts(sources["real"].labels) else ""
    return [
        f"fake: exactly {counts.images} images of each of {counts.classes} classes{both}: their "
        "numbers do not vary, so that fd_unbiased and kid of a perfect generator lie below 0, and "
        "errors but that of fd are too large"
    ]


def _about_resizing(real: Input, encoder: Encoder | None) -> list[str]:
    if encoder is None or not encoder.resizes or real.shape is None:
        return []
    warnings = []
    name = encoder.id.partition(":")[0]
    if real.shape.channels == 1:
        warnings.append(f"grey images went through {name}, a network for colour photographs")
    if real.shape.height != real.shape.width:
        warnings.append(f"images of {describe_size(real)} were squashed to a square by {name}")
    return warnings


def _about_training(sources: Mapping[str, Input], encoder: Encoder | None) -> list[str]:
    own = sources["real"].dataset is not None or "train" in sources
    if own or encoder is None or not encoder.id.startswith("classifier:"):
        return []
    return ["the classifier was trained on the very images it judges; give --train"]


def about_images(sources: Mapping[str, Input]) -> list[str]:
    """Why images may not be what they were meant to be, whatever is measured of them."""
    as_read = [f"{role}: {text}" for role, source in sources.items() for text in source.warnings]
    sides = {role: sources[role] for role in ("real", "fake") if role in sources}
    return as_read + [text for role in sides if (text := _about_brightness(sides, role))]


def _about_brightness(sides: Mapping[str, Input], role: str) -> str | None:
    """Whether somebody forgot to multiply images by 255, or scaled the two sides differently."""
    highest = _brightest(sides[role], 255 / _MUCH_DARKER)
    if highest is None or _MUCH_DARKER * highest > 255:
        return None
    if highest <= 1:
        return (
            f"{role}: no pixel value is above {highest} of 255; images in [0, 1] must be "
            "multiplied by 255 before they become 8 bits"
        )
    for other_role, other in sides.items():
        most = _brightest(other, _MUCH_DARKER * highest)
        if most is not None and most > _MUCH_DARKER * highest:
            return (
                f"{role}: no pixel value is above {highest} of 255, and {other_role} images have "
                f"{most}; were both scaled alike?"
            )
    return None


def _brightest(source: Input, enough: float) -> int | None:
    """The largest pixel value, or the first that is large enough: images as they usually are need
    not all be read. None for points and features."""
    if source.images is None or source.images.dtype.is_floating_point:
        return None
    if source.brightest is not None:
        return source.brightest
    highest = 0
    for part in source.images.parts(_READ_AT_ONCE):
        highest = max(highest, int(part.max()))
        if highest > enough:
            break
    return highest


def _about_held_out_images(sources: Mapping[str, Input]) -> list[str]:
    if "train" not in sources:
        return []
    real, train = sources["real"], sources["train"]
    shared = shared_images(real, train)
    if not shared:
        return []
    text = f"{shared} of {len(real)} real images are among the training images"
    if shared / len(real) < _FEW:
        return [text]
    return [f"{text}: comparisons with held-out images mean nothing then"]
