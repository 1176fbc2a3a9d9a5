"""`coequal score` with metrics that train classifiers."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import coequal
from coequal.cli.score_options import metric_settings
from coequal.cli.score_text import print_scores
from coequal.datasets._loading import load_dataset
from coequal.evaluation.compare import compare
from coequal.files import folder_name
from coequal.metrics import _classifiers


def quick(*names: str) -> dict[str, dict[str, float]]:
    return {name: {"epochs": 0.2, "seeds": 1} for name in names}


BOTH = {"metrics": ["gan_train", "gan_test"], "settings": quick("gan_train", "gan_test")}


def pictures(path: Path, seed: int, names: tuple[str, ...] = ("top", "trouser")) -> str:
    """Twenty pictures of each class: the k-th is the brighter the greater k is."""
    rng = np.random.default_rng(seed)
    for place, name in enumerate(names):
        (path / name).mkdir(parents=True)
        for index in range(20):
            image = rng.integers(0, 40, (8, 8)) + 100 * place
            Image.fromarray(image.astype(np.uint8)).save(path / name / f"{index}.png")
    return str(path)


@pytest.fixture
def sides(tmp_path, monkeypatch) -> dict[str, str]:
    monkeypatch.setenv("COEQUAL_CACHE", str(tmp_path / "cache"))
    return {
        role: pictures(tmp_path / role, seed) for seed, role in enumerate(("real", "fake", "train"))
    }


@pytest.fixture
def trainings(monkeypatch) -> list[int]:
    """How many images each classifier was trained on."""
    calls: list[int] = []
    original = _classifiers.train

    def counting(*arguments, **where):  # type: ignore[no-untyped-def]
        calls.append(len(arguments[0]))
        return original(*arguments, **where)

    monkeypatch.setattr(_classifiers, "train", counting)
    return calls


def test_folders_with_classes_have_both_numbers_details_and_no_encoder(sides):
    found = coequal.score(**sides, **BOTH)
    assert list(found["metrics"]) == ["gan_train", "gan_train_gap", "gan_test", "gan_test_gap"]
    assert found["encoder"] == {"id": "none", "chosen": "no metric uses features"}
    assert found["real"]["classes"] == ["top", "trouser"]
    row = found["metrics"]["gan_train"]
    assert row["value"] == 1
    assert row["details"]["confusion"] == [[20, 0], [0, 20]]
    assert row["protocol"].startswith("encoder=none real=40 fake=40 GanTrain(")
    assert "epochs=0.2" in row["protocol"]
    assert "more than 20 classes" in found["not_measured"]["gan_train_top5"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_reference_is_trained_once_for_the_same_images_and_settings(sides, trainings):
    first = coequal.score(**sides, **BOTH)
    assert trainings == [40, 40]  # real for both; generated for gan_train
    again = coequal.score(**sides, **BOTH)
    assert trainings == [40, 40, 40]
    for key in ("date", "seconds"):
        del first[key], again[key]
    assert first == again
    other = {"metrics": ["gan_test"], "settings": {"gan_test": {"epochs": 0.3, "seeds": 1}}}
    coequal.score(**sides, **other)
    assert len(trainings) == 4
    # Other labels are another reference, though the images are the same.
    moved = Path(sides["train"])
    for name, target in (("top", "x"), ("trouser", "top"), ("x", "trouser")):
        (moved / name).rename(moved / target)
    changed = coequal.score(**sides, metrics=["gan_test"], settings=quick("gan_test"))
    assert changed["metrics"]["gan_test"]["value"] == 0


def test_compare_gives_no_p_value_where_the_error_is_not_over_new_fakes(sides, tmp_path):
    row = {"value": 0.5, "standard_error": 0.01, "protocol": "p", "better": "higher"}
    scores = []
    for kind in ("gan_train", "gan_test"):
        for role in ("fake", "other"):
            path = sides["fake"] if role == "fake" else pictures(tmp_path / kind, 9)
            scores.append(
                coequal.score(**{**sides, "fake": path}, metrics=[kind], settings=quick(kind))
            )
    for score in scores:
        for name in score["metrics"]:
            score["metrics"][name] |= row
    scores[1]["metrics"]["gan_train"]["value"] = scores[3]["metrics"]["gan_test"]["value"] = 0.6
    trained = compare(scores[0], scores[1])["metrics"]["gan_train"]
    asked = compare(scores[2], scores[3])["metrics"]["gan_test"]
    assert trained["difference"] == asked["difference"] == pytest.approx(0.1)
    assert trained["p_value"] is None
    assert asked["p_value"] < 0.001


def test_all_leaves_out_what_trains_classifiers(sides):
    found = coequal.score(**sides, metrics="all", encoder="pixels")
    for name in ("gan_train", "gan_test", "gan_train_curve", "augmentation"):
        assert "request it by name" in found["not_measured"][name]


def test_class_names_are_compared_as_folders_have_them(tmp_path):
    assert folder_name("T-shirt/top") == "T-shirt_top"
    assert folder_name("C+") != folder_name("C#")
    from coequal.inputs.classes import with_classes_of
    from coequal.inputs.load import load_input

    real = load_input("digits:test", role="real", data_dir=tmp_path)
    object.__setattr__(real, "classes", ("Trouser", "T-shirt/top"))
    path = pictures(tmp_path / "fake", 0, ("T-shirt_top", "Trouser"))
    fake, wrong = with_classes_of(real, load_input(path, role="fake", data_dir=tmp_path), "fake")
    assert wrong is None
    assert fake.labels.tolist() == [1] * 20 + [0] * 20


def test_what_cannot_be_trained_is_one_message_before_any_training(sides, tmp_path, trainings):
    bare = tmp_path / "bare"
    bare.mkdir()
    for index, image in enumerate(Path(sides["fake"]).rglob("*.png")):
        image.rename(bare / f"{index}.png")
    third = pictures(tmp_path / "third", 3, ("top", "trouser", "bag"))
    good = pictures(tmp_path / "good", 4)
    for changed, message in (
        ({"fake": str(bare)}, "gan_train: needs labels on both sides"),
        ({"fake": good, "train": str(bare)}, "needs labels of the training images, too"),
        ({"fake": third}, "class names differ: only real [], only fake ['bag']"),
        ({"fake": good, "train": third}, "only real [], only train ['bag']"),
        ({"real": third, "train": third, "fake": good}, "only real ['bag'], only fake []"),
        ({"fake": good, "train": None}, "needs what the generator was trained on (--train)"),
        (
            {"fake": good, "settings": {"gan_train": {"images": 41}}},
            "gan_train: 40 generated images, and images: 41 were asked for",
        ),
        ({"fake": good, "settings": {"gan_train": {"epoch": 1}}}, "did you mean 'epochs'?"),
        ({"fake": good, "settings": {"gan_train": {"seeds": 0.5}}}, "must be a whole number"),
    ):
        with pytest.raises((ValueError, LookupError)) as caught:
            coequal.score(**{**sides, "metrics": ["gan_train"], **changed})
        assert message in str(caught.value)
    assert not trainings


def test_a_class_without_images_is_named(tmp_path, trainings):
    digits = load_dataset("digits", tmp_path)
    kept = digits.test.labels != 3
    pairs = [
        (image.numpy(), int(label))
        for image, label in zip(digits.test.images[kept], digits.test.labels[kept], strict=True)
    ]
    with pytest.raises(ValueError, match="gan_test: fake: no images of class 3"):
        coequal.score(real="digits:validation", fake=pairs, data_dir=tmp_path, metrics=["gan_test"])
    beyond = [(image, label + 1) for image, label in pairs]
    with pytest.raises(ValueError, match="fake: labels up to 10 for 10 real classes"):
        coequal.score(
            real="digits:validation", fake=beyond, data_dir=tmp_path, metrics=["gan_test"]
        )
    assert not trainings


def test_the_table_says_a_flag_in_a_line_and_no_details(sides, capsys):
    found = coequal.score(**sides, **BOTH)
    found["metrics"]["gan_test"]["details"]["flag"] = "memorisation?"
    found["metrics"]["gan_train"]["details"]["counts"] = "trained on 40 generated and 50 real"
    print_scores(found)
    said = capsys.readouterr().out
    assert "gan_test: memorisation?" in said
    assert "gan_train: trained on 40 generated and 50 real" in said
    assert "confusion" not in said


def test_settings_are_read_from_the_command_line():
    found = metric_settings(["gan_train.seeds=5", "gan_train.classifier=resnet32", "kid.x=0.5"])
    assert found == {"gan_train": {"seeds": 5, "classifier": "resnet32"}, "kid": {"x": 0.5}}
    with pytest.raises(ValueError, match="METRIC"):
        metric_settings(["seeds=5"])


def test_a_split_of_a_data_set_brings_its_own_training_images(tmp_path):
    digits = load_dataset("digits", tmp_path)
    rows = torch.arange(0, 355, 2)
    fake = [
        (digits.validation.images.whole[k].numpy(), int(digits.validation.labels[k])) for k in rows
    ]
    found = coequal.score(real="digits:test", fake=fake, data_dir=tmp_path, **BOTH)
    assert found["train"]["source"] == "digits:train"
    assert found["metrics"]["gan_test"]["details"]["trained_on"] == 1087


def test_other_labels_of_the_same_images_are_another_key():
    from dataclasses import replace

    from coequal.contract.data import in_memory
    from coequal.evaluation.score_sides import key_of
    from coequal.inputs.input import Input
    from coequal.inputs.rows import digests_of

    images = torch.zeros(4, 1, 4, 4, dtype=torch.uint8)
    one = Input("x", "images", digests_of([images]), in_memory(images), labels=torch.arange(4))
    other = replace(one, labels=one.labels.flip(0))
    assert key_of([one], None) == key_of([replace(one, what="y")], None) != key_of([other], None)


def test_settings_of_a_metric_that_is_not_asked_for_are_said(tmp_path):
    images = torch.zeros(4, 1, 8, 8, dtype=torch.uint8)
    with pytest.raises(ValueError, match="settings of gan_train, which is not among the requested"):
        coequal.score(
            real=images, fake=images, metrics=["fd"], settings={"gan_train": {"seeds": 1}}
        )
