"""Statistics of features (mu, sigma) in the place of images: what is measured, what is refused.

The layouts are those of pytorch-fid and EDM (mu, sigma) and of guided-diffusion (arr_0, mu_s ...).
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import coequal
from coequal.cli.app import app
from coequal.encoders.pixels import Pixels
from coequal.evaluation import statistics_in_use as in_use
from coequal.evaluation.compare import compare
from coequal.inputs.load import load_input


def pictures(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)


def moments(pixels: np.ndarray) -> dict[str, np.ndarray]:
    """Mean and covariance of the features of encoder pixels, as numpy has them."""
    features = Pixels().features(torch.from_numpy(pixels.transpose(0, 3, 1, 2))).double().numpy()
    return {"mu": features.mean(0), "sigma": np.cov(features, rowvar=False)}


REAL, FAKE, FEW = pictures(200, 1), pictures(150, 2), pictures(30, 3)
D = 48  # features of pixels: 4 x 4 x 3
BATCHES = {"a.npz": {}, "b.npz": moments(FAKE)}  # of the same images


def saved(path: Path, **arrays: object) -> Path:
    np.savez(path, **arrays)
    return path


@pytest.fixture
def stats(tmp_path: Path) -> Path:
    return saved(tmp_path / "stats.npz", **moments(REAL))


def score(real: object, fake: object = FAKE, **options: object) -> dict:
    return coequal.score(real=real, fake=fake, **{"encoder": "pixels", **options})


def fd(scores: dict) -> float:
    return scores["metrics"]["fd"]["value"]


# ------------------------------------------------------------------------------ what is measured


def test_statistics_of_the_real_images_give_the_distance_to_them(stats):
    wanted, found = score(REAL, metrics=["fd"]), score(stats)
    assert fd(found) == pytest.approx(fd(wanted), rel=1e-9)
    error = wanted["metrics"]["fd"]["standard_error"]
    assert found["metrics"]["fd"]["standard_error"] == pytest.approx(error, rel=1e-6)
    assert list(found["metrics"]) == ["fd"]
    assert found["not_measured"] == {
        "fd_unbiased": "needs the number of images that the statistics are of (--real-count)",
        "neighbours": "needs images or their features; statistics (mu, sigma) were given",
    }
    assert found["metrics"]["fd"]["protocol"].split()[1:] == ["real=statistics", "fake=150"]
    assert found["real"]["kind"] == "statistics"
    assert found["real"]["count"] is None
    assert found["real"]["statistics"][0]["features"] == D
    json.dumps(found, allow_nan=False)


def test_a_count_brings_the_bias(stats):
    wanted, found = score(REAL, metrics=["fd"]), score(stats, real_count=200)
    unbiased = wanted["metrics"]["fd_unbiased"]["value"]
    assert found["metrics"]["fd_unbiased"]["value"] == pytest.approx(unbiased, rel=1e-9)
    assert "real=statistics:200" in found["metrics"]["fd"]["protocol"]
    assert found["real"]["count"] == 200
    assert any("bias of few images" in warning for warning in found["warnings"])
    more = score(stats, real_count=20_000)["metrics"]["fd_unbiased"]["value"]
    assert more > found["metrics"]["fd_unbiased"]["value"]  # less of it is bias


def test_statistics_on_both_sides_need_no_encoder(tmp_path, stats):
    fake = saved(tmp_path / "fake.npz", **moments(FAKE))
    found = coequal.score(real=stats, fake=fake)
    assert fd(found) == pytest.approx(fd(score(REAL, metrics=["fd"])), rel=1e-9)
    assert found["metrics"]["fd"]["standard_error"] is None
    assert found["encoder"] == {"id": "statistics as given", "chosen": "statistics were given"}
    assert "encoder=given real=statistics fake=statistics" in found["metrics"]["fd"]["protocol"]
    with pytest.raises(ValueError, match="statistics need no encoder; leave out --encoder pixels"):
        score(stats, fake)


def test_statistics_of_the_fakes_and_features(tmp_path, stats):
    fake = saved(tmp_path / "fake.npz", **moments(FAKE))
    wanted = fd(score(REAL, metrics=["fd"]))
    assert fd(score(REAL, fake)) == pytest.approx(wanted, rel=1e-9)
    rows = torch.from_numpy(FAKE.transpose(0, 3, 1, 2)).flatten(1).float() / 255
    assert fd(coequal.score(real=stats, fake=rows)) == pytest.approx(wanted, rel=1e-5)


def test_all_metrics_but_one_are_left_out_with_a_reason(stats):
    found = score(stats, metrics="all")
    assert list(found["metrics"]) == ["fd"]
    reasons = set(found["not_measured"].values())
    assert "needs images or their features; statistics (mu, sigma) were given" in reasons
    with pytest.raises(ValueError, match=r"^kid: needs images or their features; statistics"):
        score(stats, metrics=["fd", "kid"])
    with pytest.raises(ValueError, match=r"^fd_unbiased: needs the number of images"):
        score(stats, metrics=["fd_unbiased"])


def test_other_statistics_are_not_comparable(tmp_path, stats):
    other = saved(tmp_path / "other.npz", **moments(FEW.repeat(4, 0)))
    first, second = score(stats), score(other)
    with pytest.raises(ValueError, match=r"not comparable: real images \(sha256\)"):
        compare(first, second)
    beside = [score(batch(tmp_path / name, **more)) for name, more in BATCHES.items()]
    with pytest.raises(ValueError, match="not comparable: real statistics"):
        compare(*beside)


# --------------------------------------------------- reference batches of guided-diffusion (ADM)


def batch(path: Path, **more: object) -> Path:
    spatial = {"mu_s": np.zeros(7), "sigma_s": np.eye(7)}
    return saved(path, arr_0=FEW, **{**moments(REAL), **spatial, **more})


def test_a_reference_batch_is_statistics_for_fd_and_images_for_all_else(tmp_path):
    found = score(batch(tmp_path / "adm.npz"))
    assert fd(found) == pytest.approx(fd(score(REAL, metrics=["fd"])), rel=1e-9)
    images = score(FEW)
    assert abs(fd(found) / fd(images) - 1) > 0.05  # against the 30 images it is another number
    for name in ("precision", "recall"):
        assert found["metrics"][name] == images["metrics"][name]
    assert "real=statistics " in found["metrics"]["fd"]["protocol"]
    assert "real=30 " in found["metrics"]["precision"]["protocol"]
    assert found["real"]["notes"] == [
        f"fd compared with the statistics in {tmp_path / 'adm.npz'} (mu, sigma), all else with the "
        "30 images in it"
    ]


def test_the_images_of_a_reference_batch_are_encoded_only_if_a_metric_wants_them(
    tmp_path, monkeypatch
):
    seen: list[int] = []
    original = Pixels.features

    def counting(encoder: Pixels, images: torch.Tensor) -> torch.Tensor:
        seen.append(len(images))
        return original(encoder, images)

    path = batch(tmp_path / "adm.npz")
    monkeypatch.setattr(Pixels, "features", counting)
    monkeypatch.setenv("COEQUAL_CACHE", str(tmp_path / "cache"))
    score(path, metrics=["fd"])
    assert sum(seen) == 1 + len(FAKE)  # one image shows how many features the encoder has
    score(path, metrics=["fd", "precision"])
    assert sum(seen) == 2 + len(FAKE) + len(FEW)


def test_labels_of_a_batch_of_samples_are_read(tmp_path):
    found = load_input(
        saved(tmp_path / "samples.npz", arr_0=FEW, arr_1=np.arange(30) % 3),
        role="fake",
        data_dir=tmp_path,
    )
    assert found.labels.tolist() == [0, 1, 2] * 10
    assert found.statistics == ()


def test_the_spatial_statistics_go_with_an_encoder_of_as_many_features(tmp_path, monkeypatch):
    given, original = moments(REAL), Pixels.features
    path = batch(tmp_path / "adm.npz", mu_s=given["mu"][:7], sigma_s=given["sigma"][:7, :7])
    monkeypatch.setenv("COEQUAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(Pixels, "features", lambda self, images: original(self, images)[:, :7])
    wanted = score(REAL, metrics=["fd"])
    assert fd(score(path, metrics=["fd"])) == pytest.approx(fd(wanted), rel=1e-9)


def test_statistics_that_go_with_another_encoder_are_told_and_the_images_taken(tmp_path):
    path = batch(tmp_path / "adm.npz", mu=np.zeros(9), sigma=np.eye(9))
    found = score(path, metrics=["fd"])
    assert fd(found) == pytest.approx(fd(score(FEW, metrics=["fd"])), rel=1e-12)
    (warning,) = [text for text in found["warnings"] if "statistics not used" in text]
    assert "is of 9 and 7 features, and encoder pixels" in warning
    assert warning.endswith("has 48")


# ------------------------------------------------------------------------ which encoder they are of


def test_the_default_encoder_is_that_of_published_statistics_of_this_size(stats, monkeypatch):
    monkeypatch.setattr(Pixels, "statistics_dimension", D)
    monkeypatch.setattr(Pixels, "preparations", "three ways are known")
    found = coequal.score(real=stats, fake=FAKE)
    assert found["encoder"]["chosen"] == "default for statistics of 48 features"
    (warning,) = [text for text in found["warnings"] if "three ways" in text]
    assert warning.startswith(f"real: nothing in {stats} tells how its images were prepared")


def test_inception_and_its_spatial_layer_have_published_statistics():
    assert in_use._encoders_of(2048) == ["inception"]
    assert in_use._encoders_of(2023) == ["inception:spatial"]


def test_of_other_sizes_the_encoder_must_be_named(stats):
    with pytest.raises(
        ValueError,
        match=r"^real: .*stats.npz is of 48 features, and its encoder is not known; name it "
        r"with --encoder \(published statistics are of inception: 2,048, inception:spatial: 2,023",
    ):
        coequal.score(real=stats, fake=FAKE)


def test_statistics_of_another_number_of_features_are_refused(tmp_path):
    path = saved(tmp_path / "a.npz", mu=np.zeros(2048), sigma=np.eye(2048))
    with pytest.raises(
        ValueError,
        match=r"^real: .*a.npz is of 2,048 features \(--encoder inception has as many\), and "
        "encoder pixels.* has 48$",
    ):
        score(path)


# --------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"mu": np.zeros(4)}, "holds mu without sigma"),
        ({"mu": np.zeros(4), "sigma": np.eye(3)}, r"mu is of 4 features, .* has \(4, 4\)"),
        ({"mu": np.zeros((4, 2)), "sigma": np.eye(4)}, r"mu has the shape \(4, 2\)"),
        ({"mu": np.full(4, np.nan), "sigma": np.eye(4)}, "mu or sigma hold NaN or infinity"),
        ({"mu": np.zeros(2), "sigma": np.array([[1, 0.5], [0.4, 1]])}, "sigma is not symmetric"),
        ({"mu": np.zeros(2), "sigma": np.array([[1.0, 2], [2, 1]])}, "the eigenvalue -1"),
        ({"mu": np.zeros(2), "sigma": np.array(["a", "b"])}, "sigma holds <U1, no numbers"),
        ({"mu": np.zeros(2), "sigma": np.eye(2), "coequal": np.array("{}")}, "is damaged"),
    ],
)
def test_what_is_no_mean_and_covariance_is_refused_in_words(tmp_path, arrays, message):
    with pytest.raises(ValueError, match=rf"^real: a.npz:? .*{message}"):
        load_input(saved(tmp_path / "a.npz", **arrays), role="real", data_dir=tmp_path)


def test_float32_statistics_and_a_singular_covariance_are_taken(tmp_path):
    few = moments(FEW)  # of 30 images in 48 dimensions
    path = saved(tmp_path / "a.npz", **{k: v.astype(np.float32) for k, v in few.items()})
    assert fd(score(path)) == pytest.approx(fd(score(FEW, metrics=["fd"])), rel=1e-4)


def test_a_count_is_for_statistics_that_do_not_say_it(tmp_path, stats):
    with pytest.raises(ValueError, match="real: an array holds images, not statistics"):
        score(REAL, real_count=100)
    with pytest.raises(ValueError, match="at least 2 images, got a count of 1"):
        score(stats, real_count=1)
    known = json.dumps({"count": 200, "encoder": "x", "encoder_name": "pixels"})
    path = saved(tmp_path / "own.npz", **moments(REAL), coequal=np.array(known))
    with pytest.raises(ValueError, match="says that it describes 200 images, not 300"):
        score(path, real_count=300)


def test_statistics_can_not_be_what_needs_images(tmp_path, stats):
    with pytest.raises(ValueError, match=r"^train: metrics of memorisation need images"):
        score(REAL, train=stats)
    with pytest.raises(ValueError, match="a sheet needs images; statistics were given"):
        score(stats, sheet=tmp_path / "near.png")


@pytest.mark.parametrize("name", ["ffhq.pkl", "ffhq.pickle"])
def test_a_pickle_is_refused_with_what_to_do(tmp_path, name):
    with pytest.raises(ValueError, match=r"is a pickle, .* numpy.savez\('ffhq.npz', mu=mean"):
        score(tmp_path / name)


def test_on_the_command_line(stats, tmp_path, monkeypatch):
    np.save(tmp_path / "fake.npy", FAKE)
    given = ["score", "--real", str(stats), "--fake", str(tmp_path / "fake.npy")]
    found = CliRunner().invoke(app, [*given, "--encoder", "pixels", "--real-count", "200"])
    assert found.exit_code == 0
    assert "statistics of 200 real, 150 fake images" in found.output
    assert "fd_unbiased" in found.output


def test_what_is_told_of_single_images_needs_them(tmp_path, stats):
    fake = saved(tmp_path / "fake.npz", **moments(FAKE))
    with pytest.raises(ValueError, match="statistics have no numbers for single images"):
        score(REAL, fake, worst=3)
    with pytest.raises(ValueError, match="a floor needs real images or features; statistics were"):
        score(stats, floor=True)
    found = score(stats, worst=3, metrics=["fd"])
    wanted = score(REAL, worst=3, metrics=["fd"])
    rows = [one["images"]["fd_influence"]["worst"] for one in (found, wanted)]
    assert [row["row"] for row in rows[0]] == [row["row"] for row in rows[1]]


def test_several_sets_against_one_file_of_statistics(stats):
    found = score(stats, {"a": FAKE, "b": pictures(150, 9)}, real_count=200)
    for name, one in {"a": FAKE, "b": pictures(150, 9)}.items():
        alone = score(stats, one, real_count=200)
        assert found["scores"][name]["metrics"] == alone["metrics"]
    assert found["pairs"][0]["metrics"]["fd"]["p_value"] is not None
