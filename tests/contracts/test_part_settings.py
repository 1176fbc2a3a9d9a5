"""Settings of every part: ranges hold at their ends, strictly, wherever a value comes from.

Messages and JSON schemas come from the same declaration.
"""

import dataclasses
import json
import math
import pickle
from dataclasses import dataclass
from typing import Annotated

import pytest
from pydantic import Field

from coequal import lookup
from coequal.classification.recipes import small
from coequal.contract import Adversarial, Generator, Logits, Requirements
from coequal.settings import in_words, json_schema, setting_names, setting_problems
from coequal.study.check import checked
from coequal.study.document import StudyError
from coequal.study.spec import Study
from coequal.training.settings import Optimisation, Training
from coequal.training.tricks import Tricks

PARTS = {
    f"{kind}/{name}": lookup.load(kind, name)
    for kind in ("objectives", "architectures", "metrics", "encoders", "datasets")
    for name in lookup.names(kind)
}
MADE = {
    **{name: kind for name, kind in PARTS.items() if dataclasses.is_dataclass(kind)},
    "tricks": Tricks,
    "optimisation": Optimisation,
    "training": Training,
    "recipe": type(small()),
}
GIVEN = {
    "training": {"amount": 1000},
    "recipe": dataclasses.asdict(small()),
    "optimisation": {"optimiser": "adamw"},  # which has a weight decay
}
"""Beside the setting in question."""
NULLABLE = (
    *(("training", "ema"), ("recipe", "epochs")),
    *(("metrics/rke", "sigma"), ("metrics/ken", "sigma")),
)
"""Settings that may be None."""
ENDS = {"minimum": 1, "exclusiveMinimum": 1, "maximum": -1, "exclusiveMaximum": -1}  # way inside


def variants(schema):  # type: ignore[no-untyped-def]
    """The types that a setting may have."""
    return [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]


FIELDS = [
    (part, name, one)
    for part, kind in MADE.items()
    for name, schema in json_schema(kind)["properties"].items()
    for one in variants(schema)
]
RANGED = [
    (part, name, end, one)
    for part, name, one in FIELDS
    for end in ENDS
    if end in one  # an end of the range
]


def problems(part, name, value):  # type: ignore[no-untyped-def]
    """Of a value, which the check of a study and a direct call must judge alike."""
    kind, given = MADE[part], {**GIVEN.get(part, {}), name: value}
    found = setting_problems(kind, given)
    if found:
        with pytest.raises(ValueError) as caught:
            kind(**given)
        assert str(caught.value) == f"{kind.__name__}: {found[name]}"
        assert found.keys() == {name}
        assert found[name].startswith(f"{name} must be ")
        assert found[name].endswith(f", got {value!r}")
    else:
        assert getattr(kind(**given), name) is value
    return found.get(name, "")


def step(value, one, way):  # type: ignore[no-untyped-def]
    """The next value of the setting's type."""
    return value + way if one["type"] == "integer" else math.nextafter(value, way * math.inf)


@pytest.mark.parametrize(
    ("part", "name", "end", "one"), RANGED, ids=lambda value: value if type(value) is str else ""
)
def test_a_range_holds_at_its_ends(part, name, end, one):
    bound, way = one[end], ENDS[end]
    assert in_words(one) in problems(part, name, step(bound, one, -way))
    if end.startswith("exclusive"):
        assert in_words(one) in problems(part, name, bound)
        assert not problems(part, name, step(bound, one, way))
    else:
        assert not problems(part, name, bound)


@pytest.mark.parametrize(
    ("part", "name", "one"), FIELDS, ids=lambda value: value if type(value) is str else ""
)
def test_a_setting_is_of_its_type_and_no_other(part, name, one):
    wrong = {
        "number": (True, "1", math.nan, None),
        "integer": (True, 2.0, "2", math.inf),
        "boolean": (1, 0.0, "true"),
        "string": (1, True, ["none"]),
        "array": ("collapsed", 1),
    }[one["type"]]
    nullable = (part, name) in NULLABLE
    for value in wrong:
        if not (value is None and nullable):
            assert problems(part, name, value)
    if one["type"] == "number":
        whole = 1 if name not in ("beta1", "label_smoothing", "one_sided_smoothing") else 0
        inside = one.get("exclusiveMaximum", math.inf) > 1
        assert not problems(part, name, whole) or not inside  # a whole number is a number


def test_every_number_of_a_part_has_a_range():
    assert len(RANGED) > 80
    for part, name, one in FIELDS:
        if one["type"] in ("number", "integer") and part != "recipe":
            assert ENDS.keys() & one.keys(), (part, name)


@pytest.mark.parametrize(
    ("part", "name", "words"),
    [
        ("tricks", "label_smoothing", "a number of at least 0 and below 0.5"),
        ("tricks", "gradient_penalty_every", "a whole number of at least 1"),
        ("optimisation", "learning_rate", "a number above 0"),
        ("optimisation", "beta1", "a number of at least 0 and below 1"),
        ("objectives/began", "gamma", "a number of at least 0 and at most 1"),
        ("objectives/acgan", "one_sided_smoothing", "a number of at least 0 and below 0.5"),
        ("objectives/dragan", "noise", "'uniform' or 'normal'"),
        ("architectures/resnet", "norm_momentum", "a number above 0 and at most 1"),
        ("architectures/mlp", "generator_dropout", "a number of at least 0 and below 1"),
        ("architectures/mlp", "batch_norm", "true or false"),
        ("metrics/prd", "angles", "a whole number of at least 3"),
        ("metrics/gan_train", "images", "a whole number of at least 0"),
        ("optimisation", "discriminator_per_generator", "a whole number of at least 1"),
        ("optimisation", "generator_learning_rate", "a number of at least 0"),
        ("tricks", "label_flips", "a number of at least 0 and below 1"),
        ("tricks", "instance_noise", "a number of at least 0"),
        ("objectives/wasserstein", "weight_bound", "a number above 0"),
        ("objectives/wgan_gp", "penalty_weight", "a number of at least 0"),
        ("objectives/dragan", "penalty_weight", "a number of at least 0"),
        ("objectives/began", "balance_rate", "a number of at least 0"),
        ("objectives/hinge", "margin", "a number above 0"),
        ("objectives/acgan", "generator_class_weight", "a number of at least 0"),
        ("objectives/wgan_gp_acgan", "class_weight", "a number of at least 0"),
        ("training", "ema", "a number above 0 and below 1"),
    ],
)
def test_a_range_in_words(part, name, words):
    assert in_words(json_schema(MADE[part])["properties"][name]) == words


def test_an_order_of_infinity_is_the_one_value_that_need_not_be_finite():
    assert not problems("metrics/vendi", "order", math.inf)
    assert problems("metrics/vendi", "order", math.nan)
    assert problems("optimisation", "learning_rate", math.inf)


@pytest.mark.parametrize("part", PARTS)
def test_every_part_has_a_json_schema(part):
    schema = json.loads(json.dumps(json_schema(PARTS[part])))
    assert schema["title"] == PARTS[part].__name__
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert schema["properties"].keys() == set(setting_names(PARTS[part]))
    assert bool(schema["properties"]) <= (part in MADE)
    for name, entry in schema["properties"].items():
        assert len(entry["description"]) > 8, name
        assert entry["default"] == getattr(MADE[part](), name)


def test_a_study_file_has_a_json_schema():
    schema = json.loads(json.dumps(Study.model_json_schema()))
    batch = schema["$defs"]["TrainingSpec"]["properties"]["batch_size"]
    known = json_schema(Training)["properties"]["batch_size"]
    assert (batch["minimum"], batch["default"]) == (known["minimum"], known["default"]) == (2, 64)


@pytest.mark.parametrize("part", MADE)
def test_a_made_part_is_a_plain_dataclass(part):
    one = MADE[part](**GIVEN.get(part, {}))
    assert dataclasses.replace(one) == one == pickle.loads(pickle.dumps(one))
    assert type(one)(**dataclasses.asdict(one)) == one


def test_an_unknown_setting_is_told_the_nearest():
    found = setting_problems(MADE["objectives/hinge"], {"margn": 1.0})
    assert found["margn"].endswith("did you mean 'margin'?")


@dataclass(frozen=True)
class Outside(Adversarial[Generator, Logits]):
    """An objective from elsewhere.

    Attributes:
        copy: a name that pydantic's models have for themselves.
        rate: how much of it.
    """

    rate: Annotated[float, Field(ge=0, lt=1)]
    copy: Annotated[int, Field(multiple_of=8)] = 8

    def requirements(self):  # type: ignore[no-untyped-def]
        return Requirements(output=Logits)

    discriminator_loss = generator_loss = None  # never asked for here


@dataclass(frozen=True)
class Careful(Outside):
    def __post_init__(self) -> None:
        super().__post_init__()
        if self.copy > 8 and not self.rate:
            raise ValueError("copy above 8 needs a rate")


def test_a_part_from_outside_is_checked_where_it_is_called():
    assert json_schema(Outside)["required"] == ["rate"]
    with pytest.raises(ValueError, match="rate must be a number of at least 0 and below 1, got 1"):
        Outside(1)
    with pytest.raises(ValueError, match="copy should be a multiple of 8, got 7"):
        Outside(0.5, 7)
    with pytest.raises(ValueError, match=r"Careful: rate must be .* got -1"):
        Careful(-1, 16)
    with pytest.raises(ValueError, match="copy above 8 needs a rate"):
        Careful(0, 16)


def test_all_problems_of_a_study_file_with_parts_from_outside(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("""\
architecture: {width: 0, latents: 2.0}
tricks: {label_smoothing: 0.5, gradient_clip: true}
training: {batch_size: 2.0, checkpoints: true}
""")
    with pytest.raises(StudyError) as caught:
        checked(path)
    assert [problem.text("bad.yaml") for problem in caught.value.problems] == [
        "bad.yaml:3: training.batch_size: must be a whole number of at least 2, got 2.0",
        "bad.yaml:3: training.checkpoints: must be a whole number of at least 1, got True",
    ]
    path.write_text(f"""\
architecture: {{width: 0, latents: 2.0}}
tricks: {{label_smoothing: 0.5, gradient_clip: true}}
search: {{settings: 0}}
models:
  - {{name: a, objective: "{__name__}:Careful", settings: {{weight_decay: 0.1}}}}
  - {{name: b, objective: "{__name__}:Careful", settings: {{rate: 0, copy: 16, rat: 1}}}}
""")
    with pytest.raises(StudyError) as caught:
        checked(path)
    found = "\n".join(problem.text("bad.yaml") for problem in caught.value.problems)
    for message in (
        "bad.yaml:1: architecture.width: width must be a number above 0, got 0",
        "bad.yaml:1: architecture.latents: latents must be a whole number of at least 1, got 2.0",
        "bad.yaml:5: models.0: rate must be given",
        "bad.yaml:5: models.0: weight_decay does nothing with adam; take adamw or sgd",
        "label_smoothing must be a number of at least 0 and below 0.5, got 0.5",
        "gradient_clip must be a number of at least 0, got True",
        "bad.yaml:6: models.1: copy above 8 needs a rate",
        "bad.yaml:6: models.1: setting 'rat' is not one of",
        "did you mean 'rate'?",
    ):
        assert message in found, found
