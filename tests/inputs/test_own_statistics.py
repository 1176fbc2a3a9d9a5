"""`coequal stats`: what it writes is what other programs read, and is read back with all that is
known of it."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import coequal
from coequal.cli.app import app
from coequal.encoders.pixels import Pixels
from coequal.inputs.load import load_input

REAL, FAKE = (
    np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
    for seed, count in ((1, 200), (2, 150))
)
FEATURES = Pixels().features(torch.from_numpy(REAL.transpose(0, 3, 1, 2))).double().numpy()


@pytest.fixture
def own(tmp_path: Path) -> Path:
    coequal.stats(REAL, tmp_path / "own.npz", encoder="pixels")
    return tmp_path / "own.npz"


def test_the_file_holds_mean_covariance_and_all_that_is_known(own):
    with np.load(own) as file:
        assert file["mu"].dtype == file["sigma"].dtype == np.float64
        np.testing.assert_allclose(file["mu"], FEATURES.mean(0), rtol=1e-12)
        np.testing.assert_allclose(file["sigma"], np.cov(FEATURES, rowvar=False), atol=1e-14)
        assert np.array_equal(file["sigma"], file["sigma"].T)
        facts = json.loads(str(file["coequal"]))
    assert facts["count"] == 200
    assert facts["features"] == 48
    assert facts["encoder"] == Pixels().id
    assert facts["encoder_name"] == "pixels"
    assert facts["preparation"] == Pixels().note
    assert facts["device"] == "cpu"
    images = load_input(REAL, role="real", data_dir=own.parent)
    assert facts["images"]["sha256"] == images.digest()


def test_fewer_images_than_features(tmp_path):
    coequal.stats(REAL[:30], tmp_path / "few.npz", encoder="pixels")
    with np.load(tmp_path / "few.npz") as file:
        wanted = np.cov(FEATURES[:30], rowvar=False)
        np.testing.assert_allclose(file["sigma"], wanted, atol=1e-14)


def test_it_is_read_back_with_count_and_encoder(own):
    wanted = coequal.score(real=REAL, fake=FAKE, metrics=["fd"], encoder="pixels")
    found = coequal.score(real=own, fake=FAKE)
    assert found["encoder"] == {"id": Pixels().id, "chosen": f"that of {own}"}
    for name in ("fd", "fd_unbiased"):
        value = wanted["metrics"][name]["value"]
        assert found["metrics"][name]["value"] == pytest.approx(value, rel=1e-10)
    assert found["real"]["count"] == 200
    assert not any("tells how its images were prepared" in text for text in found["warnings"])
    assert coequal.score(real=own, fake=own)["encoder"]["id"] == Pixels().id


def test_another_encoder_is_refused(own, tmp_path):
    with pytest.raises(ValueError, match=r"^real: .* is of 48 features, and encoder pixels"):
        coequal.score(real=own, fake=FAKE, encoder="toys:HalfPixels")
    with pytest.raises(
        ValueError, match=r"^real: .*own.npz is of features of encoder pixels.*, and the images go "
    ):
        coequal.score(real=own, fake=FAKE, encoder="toys:OtherPixels")


def test_features_have_statistics_too(tmp_path):
    coequal.stats(FEATURES.astype(np.float32), tmp_path / "a.npz")
    found = coequal.score(real=tmp_path / "a.npz", fake=FEATURES[:100].astype(np.float32))
    assert "fd_unbiased" in found["metrics"]


def test_what_can_not_be_written_is_said_first(own, tmp_path):
    with pytest.raises(ValueError, match=r"statistics are written into a \.npz, not a\.txt"):
        coequal.stats(REAL, tmp_path / "a.txt")
    with pytest.raises(ValueError, match=r"own\.npz holds statistics already"):
        coequal.stats(own, tmp_path / "a.npz")
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        coequal.stats(REAL, tmp_path / "file" / "a.npz")


def test_on_the_command_line(tmp_path):
    np.save(tmp_path / "real.npy", REAL)
    given = ["stats", str(tmp_path / "real.npy"), "--encoder", "pixels"]
    shown = CliRunner().invoke(app, [*given, "--out", str(tmp_path / "a.npz")])
    assert shown.exit_code == 0
    assert "mean and covariance of 48 features of 200 images" in shown.output
    told = CliRunner().invoke(app, [*given, "--out", str(tmp_path / "a.npz"), "--json"])
    assert json.loads(told.stdout)["count"] == 200


@pytest.mark.filterwarnings("ignore:The `disp` argument")  # of SciPy, as they call it
def test_pytorch_fid_reads_it(own, tmp_path):
    peer = pytest.importorskip("pytorch_fid.fid_score")
    fake = tmp_path / "fake.npz"
    coequal.stats(FAKE, fake, encoder="pixels")
    sides = [
        peer.compute_statistics_of_path(str(path), None, 50, 48, "cpu") for path in (own, fake)
    ]
    theirs = peer.calculate_frechet_distance(*sides[0], *sides[1])
    ours = coequal.score(real=own, fake=fake)["metrics"]["fd"]["value"]
    assert ours == pytest.approx(theirs, rel=1e-9)


def test_warnings_go_by_the_counts_of_the_statistics(own, tmp_path):
    found = coequal.score(real=own, fake=REAL, metrics=["fd"], encoder="pixels")
    assert not any("different counts" in text for text in found["warnings"])
    assert not any("samples for" in text for text in found["warnings"])
    coequal.stats(REAL[:30], tmp_path / "few.npz", encoder="pixels")
    few = coequal.score(real=tmp_path / "few.npz", fake=FAKE, metrics=["fd"], encoder="pixels")
    assert "different counts: 30 real and 150 fake" in few["warnings"]
    assert any(text.startswith("real: 30 samples for 48 features") for text in few["warnings"])


def test_several_sets_against_statistics_of_unknown_count(tmp_path, capsys):
    np.savez(tmp_path / "s.npz", mu=FEATURES.mean(0), sigma=np.cov(FEATURES, rowvar=False))
    sides = {"one": FEATURES[:100], "two": FEATURES[100:]}
    for name, rows in sides.items():
        np.save(tmp_path / f"{name}.npy", rows)
    fakes = [part for name in sides for part in ("--fake", str(tmp_path / f"{name}.npy"))]
    real = str(tmp_path / "s.npz")
    done = CliRunner().invoke(app, ["score", "--real", real, *fakes, "--metrics", "fd"])
    assert done.exit_code == 0
    assert "statistics of unknown many real images" in " ".join(done.output.split())
