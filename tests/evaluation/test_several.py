"""Several sets of generated images against the same real ones, and the floor of real images."""

import json

import numpy as np
import pytest

import coequal
from coequal.api import scores as scores_api
from coequal.evaluation.several import score_several
from coequal.metrics.fd import FrechetDistance

import typed

RNG = np.random.default_rng(5)
REAL = RNG.standard_normal((300, 8)).astype(np.float32)
NEAR = RNG.standard_normal((300, 8)).astype(np.float32) + 0.05
FAR = RNG.standard_normal((300, 8)).astype(np.float32) + 1


def made_up(value: float, sha256: str) -> dict:
    """A score of one number, `fd`, with the error 1 / sqrt(2): a difference has the error 1."""
    row = {"value": value, "standard_error": 0.5**0.5, "protocol": "p", "better": "lower"}
    return {
        "schema": 1,
        "encoder": {"id": "e"},
        "real": {"sha256": "r"},
        "fake": {"sha256": sha256, "count": 10},
        "seed": 0,
        "metrics": {"fd": {**row, "target": None}},
    }


def several(values: dict[str, float]) -> dict:
    fakes = {name: lambda name=name: name for name in values}
    return score_several(fakes, lambda fake, floor: made_up(values[fake], fake))


def test_p_values_are_corrected_for_the_number_of_pairs():
    # Differences of 1.97, 3.94 and 1.97 errors: p = 0.0488, 0.0000815 and 0.0488. Holm: the
    # smallest times 3 = 0.000244; the next times 2 = 0.0977; the last times 1, but not below that.
    found = several({"a": 0.0, "b": 1.97, "c": 3.94})
    rows = {pair["first"] + pair["second"]: pair["metrics"]["fd"] for pair in found["pairs"]}
    assert rows["ab"]["p_value"] == pytest.approx(0.0488, abs=1e-4)
    assert rows["ac"]["p_corrected"] == pytest.approx(3 * rows["ac"]["p_value"])
    assert rows["ab"]["p_corrected"] == rows["bc"]["p_corrected"] == pytest.approx(0.0977, abs=1e-4)
    # Each of the two alone would count as shown, with a p of less than 0.05.
    assert [rows[pair]["shown"] for pair in ("ab", "ac", "bc")] == [None, "first", None]


def test_two_sets_need_no_correction():
    (pair,) = several({"a": 0.0, "b": 1.97})["pairs"]
    assert pair["metrics"]["fd"]["p_corrected"] == pair["metrics"]["fd"]["p_value"]
    assert pair["metrics"]["fd"]["shown"] == "first"


def test_each_set_has_the_score_that_it_has_alone():
    found = coequal.score(real=REAL, fake={"near": NEAR, "far": FAR}, metrics=["fd", "precision"])
    assert list(found["scores"]) == ["near", "far"]
    for name, fake in (("near", NEAR), ("far", FAR)):
        alone = coequal.score(real=REAL, fake=fake, metrics=["fd", "precision"])
        assert found["scores"][name]["metrics"] == alone["metrics"]
    assert found["pairs"][0]["metrics"]["fd"]["shown"] == "first"
    assert json.loads(json.dumps(found)) == found


def test_what_is_known_of_the_real_images_is_computed_once(monkeypatch):
    seen = []
    original = FrechetDistance.compute_reference
    monkeypatch.setattr(
        FrechetDistance, "compute_reference", lambda *given: seen.append(1) or original(*given)
    )
    coequal.score(real=REAL, fake={"near": NEAR, "far": FAR}, metrics=["fd"])
    assert len(seen) == 1


def test_the_floor_is_the_other_held_out_split_where_there_is_one():
    found = coequal.score(
        real="digits:test", fake="digits:train", metrics=["fd", "kid"], floor=True
    )
    validation = coequal.score(real="digits:test", fake="digits:validation", metrics=["fd", "kid"])
    floor = found["floor"]
    assert floor["how"] == "355 images of digits:validation against digits:test"
    for name, row in floor["metrics"].items():
        assert row["value"] == pytest.approx(validation["metrics"][name]["value"], rel=1e-6)
    # 1,087 images were scored, 355 are in the floor: so as many of the generated ones are, too.
    assert floor["generated"].keys() == floor["metrics"].keys()


def test_elsewhere_the_real_images_stand_against_each_other():
    floor = coequal.score(real=REAL, fake=NEAR, metrics=["fd"], floor=True)["floor"]
    assert (floor["fake_count"], floor["real_count"]) == (150, 150)
    # Few generated images leave more real ones to compare with.
    few = coequal.score(real=REAL, fake=NEAR[:50], metrics=["fd"], floor=True)["floor"]
    assert (few["fake_count"], few["real_count"]) == (50, 250)
    # fd is biased upwards, the more so the fewer images: of one law the floor is what can be had.
    assert few["metrics"]["fd"]["value"] > floor["metrics"]["fd"]["value"]


def test_no_real_image_is_on_both_sides_of_the_floor():
    # One image that is far from all others moves the mean of its side alone: were it on both, the
    # distance of the means would not see it.
    outlier = REAL.copy()
    outlier[0] = 1000
    floor = coequal.score(real=outlier, fake=NEAR, metrics=["fd"], floor=True)["floor"]
    assert floor["metrics"]["fd"]["value"] > 100


def test_several_sets_share_a_floor(capsys):
    found = coequal.score(real=REAL, fake={"near": NEAR, "far": FAR}, metrics=["fd"], floor=True)
    alone = coequal.score(real=REAL, fake=FAR, metrics=["fd"], floor=True)
    assert found["floor"]["metrics"] == alone["floor"]["metrics"]
    assert found["floor"]["generated"]["far"] == alone["floor"]["generated"]
    assert "floor" not in found["scores"]["near"]


def test_what_can_not_be_compared_is_refused_before_anything_is_measured(tmp_path, monkeypatch):
    def never(**options):
        raise AssertionError("something was measured")

    monkeypatch.setattr(scores_api, "measure_scores", never)
    paths = {}
    for name, values in (("real", REAL), ("few", NEAR[:100]), ("many", FAR)):
        paths[name] = str(tmp_path / f"{name}.npy")
        np.save(paths[name], values)
    fakes = {name: paths[name] for name in ("few", "many")}
    with pytest.raises(ValueError, match=r"few: 100, many: 300\); give the same number of each"):
        coequal.score(real=paths["real"], fake=fakes)
    with pytest.raises(FileNotFoundError, match="gone"):
        coequal.score(real=paths["real"], fake=fakes | {"few": str(tmp_path / "gone.npy")})
    with pytest.raises(ValueError, match="a sheet or table is of one set"):
        coequal.score(real=paths["real"], fake=fakes, sheet=tmp_path / "s.png")
    with pytest.raises(ValueError, match="several sets"):
        coequal.score(real=paths["real"], fake={"few": paths["few"]})


def test_a_set_that_fails_is_named():
    with pytest.raises(ValueError, match=r"^far: "):
        coequal.score(real=REAL, fake={"near": NEAR, "far": FAR[:, :4]}, metrics=["fd"])


def test_the_screen_says_which_is_shown_to_be_better(tmp_path):
    for name, values in (("real", REAL), ("near", NEAR), ("far", FAR)):
        np.save(tmp_path / f"{name}.npy", values)
    text = typed.coequal(
        *("score", "--real", tmp_path / "real.npy", "--fake", f"near={tmp_path / 'near.npy'}"),
        *("--fake", tmp_path / "far.npy", "--metrics", "fd", "--floor"),
    ).stdout
    assert "> 2" in text.splitlines()[3]
    assert "1: near (300 images)" in text
    assert "floor: 150 of the real images against the other 150" in text


def test_files_that_are_no_scores_are_refused_by_name(tmp_path):
    np.save(tmp_path / "near.npy", NEAR)
    found = coequal.score(real=REAL, fake={"near": NEAR, "far": FAR}, metrics=["fd"])
    (tmp_path / "both.json").write_text(json.dumps(found))
    for name, words in (("near.npy", "near.npy is no JSON"), ("both.json", "is of several sets")):
        refused = typed.coequal("compare", tmp_path / name, tmp_path / "both.json")
        assert refused.returncode == 1
        assert words in refused.stderr


def test_a_name_is_given_once(tmp_path):
    np.save(tmp_path / "near.npy", NEAR)
    found = typed.coequal(
        *("score", "--real", tmp_path / "near.npy", "--fake", f"a={tmp_path / 'near.npy'}"),
        *("--fake", f"a={tmp_path / 'near.npy'}"),
    )
    assert found.returncode == 2
    assert "'a' is given twice" in found.stderr
