"""Every check passes a good part and fails each of the wrong ones, with a message that says how."""

from unittest import SkipTest

import pytest
import wrong_parts as parts

from coequal.testing import (
    check_architecture,
    check_dataset,
    check_encoder,
    check_metric,
    check_objective,
)
from coequal.testing._requirements import check_settings


def wrong(parts):  # type: ignore[no-untyped-def]
    return pytest.mark.parametrize(
        ("part", "message"),
        list(parts.items()),
        ids=[getattr(part, "__name__", type(part).__name__) for part in parts],
    )


def test_good_parts_pass():
    check_objective(parts.Good())
    check_architecture(parts.Nets())
    check_metric(parts.Distance())
    check_encoder(parts.Means)
    check_dataset(parts.noise)
    check_dataset("wrong_parts:noise")


@wrong(parts.OBJECTIVES)
def test_a_wrong_objective_fails(part, message):
    with pytest.raises(AssertionError, match=f"{type(part).__name__}: .*{message}"):
        check_objective(part)


@wrong(parts.GENERATORS)
def test_a_wrong_architecture_fails(part, message):
    with pytest.raises(AssertionError, match=message):
        check_architecture(parts.Nets(part))


@wrong(parts.METRICS)
def test_a_wrong_metric_fails(part, message):
    with pytest.raises(AssertionError, match=f"{type(part).__name__}: .*{message}"):
        check_metric(part)


@wrong(parts.ENCODERS)
def test_a_wrong_encoder_fails(part, message):
    with pytest.raises(AssertionError, match=f"{part.__name__}: .*{message}"):
        check_encoder(part)


@wrong(parts.DATASETS)
def test_a_wrong_data_set_fails(part, message):
    with pytest.raises(AssertionError, match=message):
        check_dataset(part)


def test_settings_must_be_frozen():
    with pytest.raises(AssertionError, match="Thawed: must be a frozen dataclass"):
        check_settings(parts.Thawed())


def test_a_part_that_cannot_be_had_is_skipped():
    class Away(parts.Means):
        @classmethod
        def available(cls) -> str | None:
            return "its weights are missing"

    with pytest.raises(SkipTest, match="its weights are missing"):
        check_encoder(Away)


@pytest.mark.parametrize(
    "check", [check_objective, check_architecture, check_metric, check_encoder]
)
def test_something_else_is_refused_by_its_type(check):
    with pytest.raises(TypeError, match="object"):
        check(object)
