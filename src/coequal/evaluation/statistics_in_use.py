"""Which statistics from elsewhere stand for the features of a side, and what has to be said of
them."""

from collections.abc import Mapping
from typing import NamedTuple

from coequal import lookup
from coequal.contract import Encoder, Statistics
from coequal.inputs.input import Input

SIDES = ("real", "fake")


class StatisticsInUse(NamedTuple):
    """What stands for features where a metric takes statistics.

    Attributes:
        of: by side, for sides that have some.
        notes: by side, what is compared with what.
        warnings: why the distances may not be what they are taken for.
    """

    of: Mapping[str, Statistics]
    notes: Mapping[str, str]
    warnings: tuple[str, ...]


def encoder_of_statistics(sources: Mapping[str, Input]) -> tuple[str, str] | None:
    """The encoder whose features the statistics among the sources are of, and why it is this one;
    None if there are none.

    Raises:
        ValueError: nothing tells which encoder it is.
    """
    sides = (side for side in SIDES if side in sources)
    found = next(((side, sources[side]) for side in sides if sources[side].statistics), None)
    if found is None:
        return None
    side, source = found
    first = source.statistics[0]
    if first.encoder_name is not None:
        return first.encoder_name, f"that of {source.what}"
    if names := _encoders_of(first.dimension):
        return names[0], f"default for statistics of {first.dimension:,} features"
    raise ValueError(
        f"{side}: {source.what} is of {first.dimension:,} features, and its encoder is "
        "not known; name it with --encoder (published statistics are of "
        f"{_published()})"
    )


def statistics_in_use(
    sources: Mapping[str, Input], encoder: Encoder | None, metrics: tuple[str, ...]
) -> StatisticsInUse:
    """The statistics that go with the features of the other side.

    Args:
        sources: what is compared, by side.
        encoder: what gives the features of images; None if no images are encoded.
        metrics: names of those that take statistics, for notes.

    Raises:
        ValueError: a side has nothing but statistics, and they are of other features.
    """
    sides = {side: sources[side] for side in SIDES if sources[side].statistics}
    if not sides or not metrics:
        return StatisticsInUse({}, {}, ())
    width, features_of = _other_features(sources, encoder)
    chosen: dict[str, Statistics] = {}
    notes: dict[str, str] = {}
    warnings: list[str] = []
    for side, source in sides.items():
        fitting = [one for one in source.statistics if width in (None, one.dimension)]
        refusal = _refusal(source, fitting, width, features_of, encoder)
        if refusal is None:
            chosen[side] = fitting[0]
            notes[side] = _note(source, metrics)
        elif source.rows is None:
            raise ValueError(f"{side}: {refusal}")
        else:
            warnings.append(f"{side}: statistics not used: {refusal}")
    _refuse_two_encoders(chosen)
    warnings += _unknown_preparation(sides, chosen, encoder)
    return StatisticsInUse(chosen, {k: v for k, v in notes.items() if v}, tuple(warnings))


def _other_features(
    sources: Mapping[str, Input], encoder: Encoder | None
) -> tuple[int | None, str]:
    """How many features those have that are compared with statistics, and whose they are; None
    where there are statistics on both sides."""
    for side in SIDES:
        source = sources[side]
        if source.features is not None:
            return source.features.shape[1], f"the features in {source.what}"
        if source.images is not None and encoder is not None:
            return encoder.features(source.images[:1]).shape[1], f"encoder {encoder.id}"
    dimensions = [{one.dimension for one in sources[side].statistics} for side in SIDES]
    common = max(dimensions[0] & dimensions[1], default=max(dimensions[0]))
    return common, f"those in {sources['real'].what}"


def _refusal(
    source: Input,
    fitting: list[Statistics],
    width: int | None,
    features_of: str,
    encoder: Encoder | None,
) -> str | None:
    """Why statistics can't stand for features; None if they can."""
    if not fitting:
        sizes = " and ".join(f"{one.dimension:,}" for one in source.statistics)
        names = _encoders_of(source.statistics[0].dimension)
        hint = f" (--encoder {' or '.join(names)} has as many)" if names else ""
        return f"{source.what} is of {sizes} features{hint}, and {features_of} has {width:,}"
    known = fitting[0].encoder
    if known is not None and encoder is not None and known != encoder.id:
        return (
            f"{source.what} is of features of encoder {known}, and the images go through "
            f"{encoder.id}"
        )
    return None


def _refuse_two_encoders(chosen: Mapping[str, Statistics]) -> None:
    ids = {side: one.encoder for side, one in chosen.items() if one.encoder is not None}
    if len({*ids.values()}) > 1:
        raise ValueError(
            f"real statistics are of features of encoder {ids['real']}, fake ones of {ids['fake']}"
        )


def _note(source: Input, metrics: tuple[str, ...]) -> str:
    """What is compared with what, where there are statistics and images."""
    if source.rows is None:
        return ""
    return (
        f"{', '.join(metrics)} compared with the statistics in {source.what} (mu, sigma), all else "
        f"with the {len(source):,} images in it"
    )


def _unknown_preparation(
    sides: Mapping[str, Input], chosen: Mapping[str, Statistics], encoder: Encoder | None
) -> list[str]:
    """What to say of statistics of which nobody knows how the images were prepared."""
    if encoder is None or not encoder.preparations:
        return []
    return [
        f"{side}: nothing in {sides[side].what} tells how its images were prepared for the "
        f"encoder; {encoder.preparations}"
        for side, one in chosen.items()
        if one.encoder is None
    ]


def _encoders_of(dimension: int) -> list[str]:
    """Names of encoders of which statistics of so many features are published."""
    kinds = lookup.with_variants("encoders")
    return [name for name, kind in kinds.items() if kind.statistics_dimension == dimension]


def _published() -> str:
    kinds = lookup.with_variants("encoders")
    sizes = {name: kind.statistics_dimension for name, kind in kinds.items()}
    return ", ".join(f"{name}: {size:,}" for name, size in sizes.items() if size is not None)
