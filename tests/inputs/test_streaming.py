"""Images and features that are read in parts: nothing is held, decoded or computed without need."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import coequal
from coequal.contract import Encoder, ImageSet
from coequal.contract.data import ImageRows, in_memory
from coequal.datasets import _decoding
from coequal.encoders.pixels import Pixels
from coequal.evaluation import feature_cache as extraction
from coequal.evaluation.feature_cache import cached_features
from coequal.inputs.arrays import read_array_file
from coequal.inputs.load import load_input
from coequal.metrics import _distances, _tiles
from coequal.metrics.fd import FrechetDistance
from coequal.rng import Rng


def images(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 1, 8, 8), dtype=np.uint8)


def normal(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, 6))


def folder(path: Path, pixels: np.ndarray) -> Path:
    path.mkdir(parents=True)
    for index, image in enumerate(pixels):
        Image.fromarray(image[0]).save(path / f"{index:04d}.png")
    return path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COEQUAL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


# --------------------------------------------------------------------------------------- pictures


def test_pictures_are_decoded_twice_and_then_never_again(tmp_path, cache, monkeypatch):
    decoded: list[str] = []
    original = _decoding.decoded

    def counting(path: Path) -> object:
        decoded.append(path.name)
        return original(path)

    monkeypatch.setattr(_decoding, "decoded", counting)
    real, fake = folder(tmp_path / "real", images(9, 1)), folder(tmp_path / "fake", images(7, 2))
    common = {"fake": str(fake), "metrics": ["fd"], "encoder": "pixels"}
    first = coequal.score(real=str(real), **common)
    assert len(decoded) == 2 * (9 + 7)  # for the digests, and for the features
    moved = real.rename(tmp_path / "moved")
    again = coequal.score(real=str(moved), **common)
    assert len(decoded) == 2 * (9 + 7)
    assert again["metrics"] == first["metrics"]
    assert again["real"]["sha256"] == first["real"]["sha256"]
    Image.fromarray(images(1, 3)[0, 0]).save(moved / "0003.png")  # one file holds another picture
    other = coequal.score(real=str(moved), **common)
    assert len(decoded) == 2 * (9 + 7) + 2 * 9
    assert other["real"]["sha256"] != first["real"]["sha256"]


def test_notes_come_from_the_cache_too(tmp_path, cache):
    place = folder(tmp_path / "odd", images(4, 1))
    Image.fromarray(images(1, 9)[0, 0]).convert("P").save(place / "palette.png")
    first, again = (
        load_input(place, role="real", data_dir=tmp_path, cache=cache) for _ in range(2)
    )
    assert "palette" in first.notes[0]
    assert again.notes == first.notes
    assert again.digest() == first.digest()
    assert again.images.shape == (5, 1, 8, 8)


def test_grey_pictures_among_colour_ones_have_the_digest_of_colour(tmp_path):
    grey = images(3, 1)
    place = folder(tmp_path / "mixed", grey)
    colour = np.random.default_rng(5).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(colour).save(place / "0003.png")
    array = np.concatenate([grey.repeat(3, 1), colour.transpose(2, 0, 1)[None]])
    found = load_input(place, role="real", data_dir=tmp_path)
    assert torch.equal(found.images.whole, torch.from_numpy(array))
    assert found.digest() == load_input(array, role="real", data_dir=tmp_path).digest()


def test_a_picture_that_changes_while_it_is_scored_is_noticed(tmp_path):
    place = folder(tmp_path / "real", images(5, 1))
    found = load_input(place, role="real", data_dir=tmp_path)
    Image.fromarray(images(1, 3)[0, 0]).save(place / "0002.png")
    found.images[:2]
    with pytest.raises(ValueError, match=r"0002\.png was changed while it was being read"):
        found.images[1:4]


def test_an_unpacked_zip_goes_with_the_images(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    plain = folder(tmp_path / "plain", images(4, 1))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in plain.iterdir():
            archive.write(path, path.name)
    found = load_input(tmp_path / "a.zip", role="real", data_dir=tmp_path)
    assert torch.equal(found.images[1:3], torch.from_numpy(images(4, 1)[1:3]))
    assert len(list((tmp_path / "temporary").iterdir())) == 1
    del found
    assert not list((tmp_path / "temporary").iterdir())


# --------------------------------------------------------------------------------------- features


class Counting(Pixels):
    """Counts what it is asked for, and dies once after some images."""

    def __init__(self, lives: int) -> None:
        self.seen: list[int] = []
        self.lives = lives

    def features(self, images: torch.Tensor) -> torch.Tensor:
        if sum(self.seen) + len(images) > self.lives:
            raise KeyboardInterrupt
        self.seen.append(len(images))
        return super().features(images)


def extracted(rows: ImageRows, encoder: Encoder, cache: Path) -> ImageRows:
    return cached_features(rows, "digest", encoder, cache, lambda line: None, "images")


def test_a_killed_extraction_goes_on_at_the_last_shard(cache, monkeypatch):
    monkeypatch.setattr(extraction, "SHARDS", (10,))
    rows = in_memory(torch.from_numpy(images(34, 1)))
    with pytest.raises(KeyboardInterrupt):
        extracted(rows, Counting(25), cache)
    encoder = Counting(1000)
    found = extracted(rows, encoder, cache)
    assert encoder.seen == [10, 4]
    assert torch.equal(found.whole, Pixels().features(rows.whole))
    assert torch.equal(found[7:23], found.whole[7:23])
    (file,) = cache.rglob("*.*")  # the shards are one file now
    assert file.name == "features.npy"
    assert extracted(rows, Counting(0), cache).shape == (34, 64)


@pytest.mark.parametrize(("side", "size"), [(8, 2000), (256, 500), (600, 80)])
def test_shards_of_large_images_are_small(side, size):
    # 2000 x 8 x 8 x 3 bytes are 0.4 MB; 500 of 256 x 256 98 MB (2000: 393), 500 of 600 x 600 540.
    rows = ImageRows((10**6, 3, side, side), torch.uint8, lambda index: torch.zeros(0))
    assert extraction._shard_size(rows) == size


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("kind", [np.float32, np.float64, ">f8", "fortran"])
def test_features_of_any_file_are_the_same_features(tmp_path, suffix, kind):
    values = normal(30, 1)
    array = np.asfortranarray(values) if kind == "fortran" else values.astype(kind)
    path = tmp_path / f"a{suffix}"
    if suffix == ".npy":
        np.save(path, array)
    else:
        np.savez_compressed(path, array)
    found = read_array_file(path, "x")[0].features
    assert torch.equal(found.whole, torch.from_numpy(values).float())
    assert torch.equal(found[20:40], found.whole[20:])
    found.whole.zero_()  # a map of one's own: the file stays as it is
    assert torch.equal(found[:30], torch.from_numpy(values).float())


def test_images_of_a_file_are_read_in_parts(tmp_path, monkeypatch):
    values = np.random.default_rng(0).random((20, 5, 4, 3))
    np.save(tmp_path / "a.npy", values)
    monkeypatch.setattr("coequal.contract.data.PART_BYTES", 4 * 60 * 7)
    found = read_array_file(tmp_path / "a.npy", "x")[0]
    assert [len(part) for part in found.images.parts()] == [7, 7, 6]
    wanted = np.rint(values * 255).astype(np.uint8).transpose(0, 3, 1, 2)
    assert np.array_equal(torch.cat(list(found.images.parts())).numpy(), wanted)
    assert found.notes == ("float images were rounded to 8 bits",)
    np.save(tmp_path / "b.npy", np.concatenate([values, values + 1]))
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\], found 0.* to 1\.9"):
        read_array_file(tmp_path / "b.npy", "x")


# ---------------------------------------------------------------------------------------- metrics


def test_fd_needs_no_more_than_parts_of_the_features():
    # What lies in `features` is not even looked at.
    real, fake = Rng(0).normal(5000, 6), Rng(1).normal(3000, 6) * 1.2
    asked: list[int] = []

    def streamed(rows: torch.Tensor) -> ImageSet:
        def read(some: slice) -> torch.Tensor:
            asked.append(some.stop - some.start)
            return rows[some]

        return ImageSet(torch.full_like(rows, float("nan")), read=read)

    metric = FrechetDistance()
    wanted = metric.values(real=metric.reference(ImageSet(real)), fake=ImageSet(fake), rng=Rng(0))
    found = metric.values(real=metric.reference(streamed(real)), fake=streamed(fake), rng=Rng(0))
    assert found == wanted
    assert max(asked) == 2000


def test_no_image_is_held_for_a_metric_of_features(tmp_path, cache, monkeypatch):
    def whole(rows: ImageRows) -> torch.Tensor:
        assert len(rows.shape) == 2, "images were read at once"
        return rows.mapped()

    monkeypatch.setattr(ImageRows, "whole", property(whole))
    real, fake = folder(tmp_path / "real", images(9, 1)), folder(tmp_path / "fake", images(9, 2))
    common = {"real": str(real), "fake": str(fake), "encoder": "pixels"}
    coequal.score(metrics=["fd", "kid", "precision"], sheet=tmp_path / "near.png", **common)
    with pytest.raises(AssertionError, match="images were read at once"):
        coequal.score(metrics=["ms_ssim"], **common)


def test_each_pair_of_sets_is_passed_over_once(tmp_path, cache, monkeypatch):
    # Counts are multiples of a group, 32, and less than a tile: so many pairs as are in a tile.
    pairs: list[int] = []

    def counting(left: torch.Tensor, right: torch.Tensor, buffer: torch.Tensor) -> torch.Tensor:
        pairs.append(len(left) * len(right))
        return _tiles.squared(left, right, buffer)

    monkeypatch.setattr(_distances, "squared", counting)
    common = {
        "real": images(64, 1),
        "fake": images(96, 2),
        "encoder": "pixels",
        "metrics": ["neighbours", "memorisation"],
        "sheet": tmp_path / "near.png",
    }
    coequal.score(train=images(128, 3), **common)
    within = 64 * 64 + 96 * 96 + 128 * 128
    assert sum(pairs) == within + 64 * 96 + 128 * (64 + 96)  # the sheet is of fakes and train
    pairs.clear()
    coequal.score(**{**common, "metrics": ["neighbours"]})
    assert sum(pairs) == 64 * 64 + 96 * 96 + 64 * 96  # and here of fakes and real
    pairs.clear()
    coequal.score(**{**common, "metrics": ["fd"]})
    assert sum(pairs) == 32 * 64  # 24 fakes are shown, in a group of 32
