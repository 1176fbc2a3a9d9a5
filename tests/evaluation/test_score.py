"""`coequal score`: its inputs, its JSON, its warnings, its refusals."""

import json
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import coequal
from coequal import lookup
from coequal.cli.score_text import print_scores
from coequal.evaluation.compare import compare
from coequal.inputs.load import from_array, load_input
from coequal.metrics.fd import FrechetDistance

import typed

RNG = np.random.default_rng(0)
REAL = RNG.standard_normal((200, 8)).astype(np.float32)
FAKE = RNG.standard_normal((200, 8)).astype(np.float32) + 0.2


def images(count: int, seed: int, size: int = 8, channels: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, channels, size, size), dtype=np.uint8)


def folder(path: Path, pixels: np.ndarray, suffix: str = ".png") -> Path:
    path.mkdir(parents=True)
    for index, image in enumerate(pixels):
        Image.fromarray(image[0]).save(path / f"{index:04d}{suffix}")
    return path


# ------------------------------------------------------------------------------------- the output


def test_the_json_is_frozen():
    found = coequal.score(real=REAL, fake=FAKE, metrics=["fd"])
    assert list(found) == [
        *("schema", "coequal", "torch", "date", "seconds", "real", "fake", "encoder", "device"),
        *("precision", "seed", "settings", "metrics", "not_measured", "warnings"),
    ]
    assert found["schema"] == 1
    assert found["real"].keys() == {"source", "kind", "count", "sha256", "notes"}
    assert found["encoder"] == {"id": "features as given", "chosen": "features were given"}
    assert list(found["metrics"]) == ["fd", "fd_unbiased"]
    assert found["settings"] == {"fd": {}}
    assert found["torch"] == torch.__version__
    assert 0 <= found["seconds"] < 60
    assert datetime.fromisoformat(found["date"]).utcoffset() == timedelta(0)
    keys = {"metric", "value", "standard_error", "protocol", "better", "target", "unit"}
    assert found["metrics"]["fd"].keys() == keys | {"use", "label"}
    assert found["metrics"]["fd"]["use"] == FrechetDistance.outputs["fd"].use
    assert json.loads(json.dumps(found)) == found


def test_all_metrics_of_features_and_the_reasons_of_the_rest():
    found = coequal.score(real=REAL, fake=FAKE, metrics="all")
    assert {"fd", "kid", "precision", "recall", "density", "coverage", "one_nn"} <= set(
        found["metrics"]
    )
    assert "images" in found["not_measured"]["ms_ssim"]
    assert "probabilities" in found["not_measured"]["inception_score"]
    assert "--train" in found["not_measured"]["memorisation"]
    assert all(np.isfinite(row["value"]) for row in found["metrics"].values())


def test_recommended_numbers_are_few_and_those_that_cannot_be_had_have_reasons():
    metrics = [lookup.load("metrics", name) for name in lookup.names("metrics")]
    few = {key for one in metrics for key, info in one.outputs.items() if info.recommended}
    assert 3 <= len(few) <= 8
    found = coequal.score(real=REAL, fake=FAKE, metrics="recommended")
    assert found["metrics"].keys() <= few
    assert "fd" in found["metrics"]
    assert found["not_measured"]["memorisation"].startswith("needs what the generator was trained")
    assert found["not_measured"]["fd_per_class"].startswith("needs labels")
    assert found["metrics"].keys() | {"authenticity_calibrated", "fd_per_class"} == few
    with pytest.raises(LookupError, match="'recommended' can't be combined"):
        coequal.score(real=REAL, fake=FAKE, metrics=["recommended", "kid"])


def test_the_same_call_gives_the_same_numbers_and_the_seed_moves_subsets_only():
    one, same = (coequal.score(real=REAL, fake=FAKE, metrics="all") for _ in range(2))
    for key in ("date", "seconds"):
        del one[key], same[key]
    assert one == same
    other = coequal.score(real=REAL, fake=FAKE, metrics="all", seed=1)
    assert other["metrics"]["fd"]["value"] == one["metrics"]["fd"]["value"]
    assert other["metrics"]["precision"]["value"] == one["metrics"]["precision"]["value"]


def test_one_metric_more_moves_no_other():
    alone = coequal.score(real=REAL, fake=FAKE, metrics=["kid"])["metrics"]["kid"]
    beside = coequal.score(real=REAL, fake=FAKE, metrics="all")["metrics"]["kid"]
    assert alone == beside


def test_a_single_number_of_a_metric_can_be_asked_for():
    found = coequal.score(real=REAL, fake=FAKE, metrics=["recall"])
    assert list(found["metrics"]) == ["recall"]


def test_a_folder_against_a_data_set_with_a_sheet(tmp_path):
    fakes = folder(tmp_path / "fakes", images(60, 1))
    found = coequal.score(
        real="digits:test",
        fake=str(fakes),
        metrics="all",
        encoder="classifier",
        sheet=tmp_path / "near.png",
    )
    assert found["encoder"]["id"].startswith("classifier:")
    assert found["train"]["source"] == "digits:train"
    assert {"fd", "is", "mode_score", "authenticity", "ms_ssim"} <= set(found["metrics"])
    with Image.open(tmp_path / "near.png") as sheet:
        assert sheet.height > 8 * 24
    # The folder has no classes; nothing is known of where digits lie.
    unknown = {"fd_per_class", "manifold", "modes", "curve", "bits_per_dimension"}
    unknown |= {"gan_train", "gan_test", "gan_train_curve", "augmentation"}
    unknown |= {"feature_diversity_class_ratio", "lpips"}  # no labels; no weights of AlexNet
    assert found["not_measured"].keys() == unknown


def test_copies_repeats_and_counts_are_warned_of():
    real = torch.from_numpy(images(60, 1))
    fake = torch.cat([real[:3], torch.from_numpy(images(20, 2)), torch.from_numpy(images(1, 2))])
    found = coequal.score(real=real, fake=fake, metrics=["fd"], encoder="pixels")
    said = "\n".join(found["warnings"])
    assert "3 of 24 fake images are exact copies of real images" in said
    assert "fake: 1 of 24 are exact repeats of another" in said
    assert "different counts: 60 real and 24 fake" in said
    assert "24 samples for 64 features" in said


def test_a_lossy_side_is_warned_of(tmp_path):
    real = folder(tmp_path / "real", images(20, 1))
    fake = folder(tmp_path / "fake", images(20, 2), ".jpg")
    found = coequal.score(real=str(real), fake=str(fake), metrics=["fd"], encoder="pixels")
    assert any("only the fake images were stored in a lossy format" in w for w in found["warnings"])


def test_features_are_cached_by_content_not_by_name(tmp_path, monkeypatch):
    from coequal.encoders.pixels import Pixels

    calls: list[int] = []
    original = Pixels.features

    def counting(self: Pixels, batch: torch.Tensor) -> torch.Tensor:
        calls.append(len(batch))
        return original(self, batch)

    monkeypatch.setattr(Pixels, "features", counting)
    monkeypatch.setenv("COEQUAL_CACHE", str(tmp_path / "cache"))
    one, two, other = images(30, 1), images(30, 2), images(30, 3)
    first = coequal.score(real=one, fake=two, metrics=["fd"], encoder="pixels")
    moved = folder(tmp_path / "moved", one)
    again = coequal.score(real=str(moved), fake=two, metrics=["fd"], encoder="pixels")
    assert calls == [30, 30]
    assert first["metrics"] == again["metrics"]
    coequal.score(real=one, fake=other, metrics=["fd"], encoder="pixels")
    assert calls == [30, 30, 30]


# ------------------------------------------------------------------------------------- the inputs


def test_every_form_of_the_same_images_has_the_same_digest(tmp_path):
    pixels = images(12, 5)
    np.save(tmp_path / "a.npy", pixels)
    np.save(tmp_path / "last.npy", pixels.transpose(0, 2, 3, 1))
    np.savez(tmp_path / "a.npz", images=pixels)
    plain = folder(tmp_path / "plain", pixels)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in plain.iterdir():
            archive.write(path, f"inside/{path.name}")
    forms = [pixels, torch.from_numpy(pixels), pixels.astype(np.float32) / 255, pixels[:, 0]]
    forms += [tmp_path / name for name in ("a.npy", "last.npy", "a.npz", "a.zip", "plain")]
    forms.append([(image, 3) for image in pixels])
    digests = {load_input(form, role="real", data_dir=tmp_path).digest() for form in forms}
    assert len(digests) == 1


def test_labels_come_from_class_folders_splits_and_datasets(tmp_path):
    folder(tmp_path / "both" / "cat", images(4, 1))
    folder(tmp_path / "both" / "dog", images(3, 2))
    found = load_input(str(tmp_path / "both"), role="real", data_dir=tmp_path)
    assert found.classes == ("cat", "dog")
    assert found.labels.tolist() == [0] * 4 + [1] * 3
    assert load_input("digits:validation", role="real", data_dir=tmp_path).labels.max() == 9


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("nowhere", "real: 'nowhere' is neither an existing folder, .zip, .npy or .npz"),
        ("nowhere.npy", "real: there is no file nowhere.npy"),
        ("digit:test", "did you mean 'digits'?"),
        (np.zeros((5, 3, 4), dtype=np.int64), "images must be uint8"),
        (np.zeros((5, 2, 4, 7), dtype=np.uint8), "has the shape (5, 2, 4, 7)"),
        (np.full((5, 1, 4, 4), 2.0), "must lie in [0, 1], found 2 to 2"),
        (np.full((5, 3), np.nan), "the features hold NaN or infinity"),
        (np.full((5, 1, 4, 4), np.nan), "must lie in [0, 1]"),
        (np.zeros((0, 1, 4, 4)), "has 0 images"),
        (np.zeros((5, 0)), "has no features"),
        (np.full((5, 3), 1e300), "NaN or infinity (as 32-bit floats)"),
        (np.array([["a", "b"]]), "neither images nor features"),
        (np.zeros((1, 3)), "has 1 images; scores need at least 2"),
        (np.zeros((0, 1, 4, 4), dtype=np.uint8), "has 0 images"),
        (5, "can't score a int"),
    ],
    ids=str,
)
def test_what_cannot_be_scored_is_one_message(given, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ValueError, LookupError, OSError)) as caught:
        coequal.score(real=given, fake=FAKE)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"real": REAL, "fake": FAKE[:, :5]}, "real has 8 features and fake 5"),
        ({"real": REAL, "fake": images(9, 1)}, "both must be alike"),
        ({"real": images(9, 1), "fake": images(9, 1, 12)}, "real images are 8x8 with 1 channel"),
        ({"real": REAL, "fake": FAKE, "encoder": "pixels"}, "features need no encoder"),
        ({"real": REAL, "fake": FAKE, "metrics": ["fdd"]}, "did you mean 'fd'?"),
        ({"real": REAL, "fake": FAKE, "metrics": ["is"]}, "needs an encoder with class"),
        ({"real": REAL, "fake": FAKE, "metrics": ["ms_ssim"]}, "needs images"),
        ({"real": images(9, 1), "fake": images(9, 2), "encoder": "classifier"}, "needs labels"),
        ({"real": REAL, "fake": FAKE, "sheet": Path("x.png")}, "a sheet needs images"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_does_not_go_together_is_refused(arguments, message):
    with pytest.raises((ValueError, LookupError)) as caught:
        coequal.score(**arguments)
    assert message in str(caught.value)


def test_arrays_with_the_channels_last_are_turned():
    pixels = images(4, 1, channels=3)
    turned = from_array(pixels.transpose(0, 2, 3, 1), "x")
    assert torch.equal(turned.images.whole, torch.from_numpy(pixels))


def test_hugging_faces_items_and_calls_can_be_scored():
    pixels = images(20, 4)
    rows = [{"image": Image.fromarray(image[0]), "label": i % 3} for i, image in enumerate(pixels)]
    found = load_input(rows, role="real", data_dir=Path())
    assert torch.equal(found.images.whole, torch.from_numpy(pixels))
    assert found.labels.tolist() == [i % 3 for i in range(20)]
    asked = []

    def generator(count: int) -> np.ndarray:
        asked.append(count)
        return images(count, 9)

    result = coequal.score(
        real=pixels, fake=generator, samples=15, metrics=["fd"], encoder="pixels"
    )
    assert asked == [15]
    assert result["fake"]["count"] == 15
    with pytest.raises(ValueError, match="one must be `image`"):
        load_input([{"x": 1}], role="real", data_dir=Path())


def test_a_net_for_photographs_is_warned_of(monkeypatch):
    from coequal.encoders.pixels import Pixels

    monkeypatch.setattr(Pixels, "resizes", True)
    tall = images(20, 1)[:, :, :, :6]
    result = coequal.score(real=tall, fake=tall, metrics=["fd"], encoder="pixels")
    said = "\n".join(result["warnings"])
    assert "grey images went through pixels" in said
    assert "8x6 with 1 channel were squashed" in said


# ----------------------------------------------------------------------------------- two of them


def test_compare_gives_difference_error_and_p_value():
    first = coequal.score(real=REAL, fake=FAKE, metrics=["fd", "recall"])
    second = coequal.score(real=REAL, fake=FAKE + 0.5, metrics=["fd"])
    compared = compare(first, second)
    assert list(compared) == ["schema", "over", "same_fakes", "notes", "metrics"]
    assert compared["schema"] == 1
    assert not compared["same_fakes"]
    assert "over new fake images on both sides" in compared["over"]
    assert json.loads(json.dumps(compared, allow_nan=False)) == compared
    assert list(compared["metrics"]) == ["fd", "fd_unbiased"]  # what both have
    row = compared["metrics"]["fd"]
    keys = ["first", "second", "difference", "standard_error", "p_value", "better", "shown"]
    assert list(row) == keys
    assert row["difference"] == row["second"] - row["first"] > 0
    assert row["better"] == row["shown"] == "first"
    errors = [score["metrics"]["fd"]["standard_error"] for score in (first, second)]
    assert row["standard_error"] == pytest.approx(np.hypot(*errors))
    assert row["p_value"] < 0.01


def test_compare_knows_what_is_better_on_both_sides_of_a_target():
    base = coequal.score(real=REAL, fake=FAKE, metrics=["one_nn", "recall"])
    other = json.loads(json.dumps(base))

    def better(first: dict, second: dict, name: str) -> str:
        return compare(first, second)["metrics"][name]["better"]

    for value, expected in ((0.5, "second"), (0.1, "first"), (0.9, "first")):
        other["metrics"]["one_nn"]["value"] = value
        assert better(base, other, "one_nn") == expected
    other["metrics"]["recall"]["value"] = 1.0
    assert better(base, other, "recall") == "second"
    assert better(base, base, "recall") == "equal"


def with_numbers(**numbers: tuple[float, float, float]) -> tuple[dict, dict]:
    """Two scores of different fakes; `fd=(3, 4, 1)`: FD is 3 and 4, with standard errors of 1."""
    first = coequal.score(real=REAL, fake=FAKE, metrics=["fd", "one_nn"])
    second = json.loads(json.dumps(first))
    second["fake"]["sha256"] = "another"
    for name, (value, other, error) in numbers.items():
        for score, number in ((first, value), (second, other)):
            score["metrics"][name] |= {"value": number, "standard_error": error}
    return first, second


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ((8.9, 9.0, 0.09), None),  # z = 0.1 / (0.09 sqrt 2) = 0.79, p = 0.43
        ((8.9, 9.2, 0.1), "first"),  # z = 2.12, p = 0.034
        ((9.2, 8.9, 0.1), "second"),
        ((8.9, 9.17, 0.1), None),  # z = 1.91, p = 0.056
    ],
)
def test_better_is_shown_from_p_005_on(values, shown):
    row = compare(*with_numbers(fd=values))["metrics"]["fd"]
    assert row["better"] == ("first" if values[0] < values[1] else "second")
    assert row["shown"] == shown
    assert (row["p_value"] <= 0.05) == (shown is not None)


def test_what_differs_by_rounding_is_equal():
    # The same images in another order give 0.1 and 0.1 - 2.3e-13; identical sets have fd -2.8e-14.
    for values in ((0.1, 0.1 - 2.3e-13, 1e-14), (0.0, -2.8e-14, 1e-16)):
        row = compare(*with_numbers(fd=values))["metrics"]["fd"]
        assert (row["better"], row["shown"], row["difference"]) == ("equal", None, 0)


def test_on_both_sides_of_a_target_only_the_distances_from_it_count():
    # 0.4 and 0.61 differ by 0.21, 15 standard errors, but by 0.01 in how far they are from 0.5.
    row = compare(*with_numbers(one_nn=(0.4, 0.61, 0.01)))["metrics"]["one_nn"]
    assert row["p_value"] < 1e-40
    assert (row["better"], row["shown"]) == ("first", None)


def test_the_comparison_on_the_screen_claims_no_more(tmp_path):
    for name, score in zip("ab", with_numbers(fd=(8.9, 9.0, 0.09)), strict=True):
        (tmp_path / f"{name}.json").write_text(json.dumps(score))
    done = typed.coequal("compare", "a.json", "b.json", cwd=tmp_path)
    (row,) = [line.split() for line in done.stdout.splitlines() if line.startswith("fd ")]
    assert row == ["fd", "8.90", "9.00", "0.10", "±", "0.13", "0.43"]  # and no name after p
    assert "first: a.json\nsecond: b.json\n" in done.stdout


def test_the_same_fakes_differ_by_nothing_and_have_no_p_value():
    one, again = (coequal.score(real=REAL, fake=FAKE, metrics="all") for _ in range(2))
    found = compare(one, again)
    assert found["same_fakes"]
    assert "the same fake images" in found["over"]
    for name, row in found["metrics"].items():
        numbers = (row["difference"], row["standard_error"], row["p_value"], row["better"])
        assert numbers[:3] == (0, 0, None), name
        assert numbers[3] in ("equal", None), name


def test_the_p_value_is_right_for_new_fakes_against_one_real_set():
    # Two sets of fakes of one law, 60 times: z^2 is 1 on average (give or take 0.18 over 60); with
    # the noise of the real images in the error it would be about a half.
    rng = np.random.default_rng(5)
    squares = []
    for _ in range(60):
        scores = [
            coequal.score(
                real=REAL, fake=rng.standard_normal((100, 8)) + 0.4, metrics=["fd", "swd"]
            )
            for _ in range(2)
        ]
        rows = compare(*scores)["metrics"].values()
        squares.append([(row["difference"] / row["standard_error"]) ** 2 for row in rows])
    assert all(0.6 < mean < 1.5 for mean in np.mean(squares, 0)), np.mean(squares, 0)


def test_compare_refuses_other_protocols_by_name():
    first = coequal.score(real=REAL, fake=FAKE, metrics=["fd"])
    second = coequal.score(real=FAKE, fake=FAKE[:50], metrics=["fd"])
    with pytest.raises(ValueError, match="not comparable") as caught:
        compare(first, second)
    assert "real images (sha256)" in str(caught.value)
    assert "number of fake images: 200 and 50" in str(caught.value)


def test_compare_refuses_another_train_set():
    common = {"real": REAL, "fake": FAKE, "metrics": ["memorisation"]}
    first, second = (coequal.score(train=train, **common) for train in (REAL + 1, REAL + 2))
    with pytest.raises(ValueError, match="training images"):
        compare(first, second)


def test_classes_are_paired_by_name(tmp_path):
    for name, order in (("real", "abc"), ("fake", "cab")):
        for letter in order:
            folder(tmp_path / name / letter, images(12, ord(letter)))
    (tmp_path / "other").mkdir()
    for letter in "ab":
        folder(tmp_path / "other" / letter, images(12, ord(letter)))
    common = {"real": str(tmp_path / "real"), "encoder": "pixels", "metrics": ["fd_per_class"]}
    same = coequal.score(fake=str(tmp_path / "fake"), **common)
    assert same["metrics"]["fd_per_class"]["value"] == pytest.approx(0, abs=1e-9)
    with pytest.raises(ValueError, match="class names differ: only real \\['c'\\]"):
        coequal.score(fake=str(tmp_path / "other"), **common)


def test_labels_are_brought_to_the_real_classes_order():
    from coequal.inputs.classes import with_classes_of
    from coequal.inputs.input import Input

    none = np.zeros((0, 32), np.uint8)
    real = Input("r", "x", none, classes=("cat", "dog"), labels=torch.tensor([0, 1]))
    fake = Input("f", "x", none, classes=("dog", "cat"), labels=torch.tensor([0, 0, 1]))
    found, wrong = with_classes_of(real, fake, "fake")
    assert wrong is None
    assert found.labels.tolist() == [1, 1, 0]


def test_a_number_that_cannot_be_had_is_null_in_the_json():
    constant = np.ones((20, 3), dtype=np.float32)
    found = coequal.score(real=constant, fake=constant, metrics="all")
    json.dumps(found, allow_nan=False)


def test_features_that_are_not_finite_are_told(capsys):
    real, fake = images(20, 1), images(20, 2)
    real[:, :, 0, 0] = fake[:, :, 0, 0] = 0
    fake[3, :, 0, 0] = fake[7, :, 0, 0] = 255
    metrics = ["fd", "ms_ssim"]
    found = coequal.score(real=real, fake=fake, metrics=metrics, encoder="toys:Dazzled")
    reason = "features of 2 of 20 generated images hold NaN or infinity"
    for name in ("fd", "fd_unbiased", "ms_ssim"):
        assert found["metrics"][name]["value"] is None
        assert found["metrics"][name]["details"] == {"undefined": reason}
    json.dumps(found, allow_nan=False)
    print_scores(found)
    assert f"ms_ssim: {reason}" in capsys.readouterr().out.replace("\n", " ")
    with pytest.raises(ValueError, match="fd: features of 2 of 20 real images hold NaN"):
        coequal.score(real=fake, fake=real, metrics=metrics, encoder="toys:Dazzled")


def test_a_sheet_of_another_kind_is_refused_before_anything_is_measured(tmp_path):
    with pytest.raises(ValueError, match=r"a sheet is a \.png, not x\.jpg; a page, .* --page"):
        coequal.score(real=images(9, 1), fake=images(9, 2), sheet=tmp_path / "x.jpg")


def test_a_classifier_is_no_default_for_images_that_it_would_train_on(tmp_path):
    for letter in "ab":
        folder(tmp_path / "real" / letter, images(6, ord(letter)))
    common = {"real": str(tmp_path / "real"), "fake": images(12, 3), "metrics": ["fd"]}
    assert not coequal.score(**common)["encoder"]["id"].startswith("classifier")
    said = coequal.score(encoder="classifier", **common)["warnings"]
    assert any("trained on the very images it judges" in warning for warning in said)
