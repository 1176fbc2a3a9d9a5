"""Files of the cache that are damaged are made anew; a cache that can't be written says so."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import coequal
from coequal.contract import Encoder
from coequal.datasets.folder import load_folder
from coequal.evaluation import feature_cache
from coequal.evaluation.feature_cache import cached_features
from coequal.inputs.load import load_input
from coequal.results.folder import RunFolder

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 8, 8), dtype=np.uint8)
SPOILED = {"empty": lambda raw: b"", "cut": lambda raw: raw[:-40], "garbage": lambda raw: b"x" * 99}


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for row, image in enumerate(PIXELS):
        Image.fromarray(image).save(folder / f"{row:02}.png")
    return folder


def score(pictures: Path, lines: list[str]) -> dict:
    fake = 255 - PIXELS[:, None]
    options = {"metrics": ["fd", "precision"], "encoder": "pixels"}
    found = coequal.score(real=str(pictures), fake=fake, log=lines.append, **options)
    return {key: value for key, value in found.items() if key not in ("date", "seconds")}


@pytest.mark.parametrize("spoil", SPOILED)
@pytest.mark.parametrize("pattern", ["features/*/features.npy", "pictures/*.safetensors"])
def test_a_damaged_file_is_made_anew(pictures, tmp_path, monkeypatch, spoil, pattern):
    cache = tmp_path / "cache"
    monkeypatch.setenv("COEQUAL_CACHE", str(cache))
    wanted = score(pictures, [])
    files = sorted(cache.glob(pattern))
    assert files
    whole = [path.read_bytes() for path in files]
    for path, raw in zip(files, whole, strict=True):
        path.write_bytes(SPOILED[spoil](raw))
    lines: list[str] = []
    assert score(pictures, lines) == wanted
    for path in files:
        assert any(f"{path} in the cache is damaged" in line for line in lines)
    assert [path.read_bytes() for path in files] == whole
    score(pictures, lines := [])
    assert not any("damaged" in line for line in lines)


def test_features_of_other_images_in_the_cache_are_made_anew(tmp_path):
    encoder = _encoder()
    rows = load_input(PIXELS[:, None], role="x", data_dir=tmp_path).images
    wanted = cached_features(rows, "a", encoder, tmp_path, lambda line: None, "x").whole.clone()
    (path,) = tmp_path.glob("features/*/features.npy")
    np.save(path, wanted[:5].numpy())
    lines: list[str] = []
    assert torch.equal(
        cached_features(rows, "a", encoder, tmp_path, lines.append, "x").whole, wanted
    )
    assert "5 rows for 12 images" in lines[0]


def _encoder() -> Encoder:
    from coequal.encoders.pixels import Pixels
    from coequal.inputs.dataset import as_dataset

    source = load_input(PIXELS[:, None], role="x", data_dir=Path())
    return Pixels.prepare(as_dataset(source), Path(), lambda line: None)


def test_a_damaged_shard_of_a_killed_extraction_is_made_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(feature_cache, "SHARDS", (5,))
    encoder = _encoder()
    rows = load_input(PIXELS[:, None], role="x", data_dir=tmp_path).images
    wanted = cached_features(rows, "a", encoder, tmp_path, lambda line: None, "x").whole.clone()
    (path,) = tmp_path.glob("features/*/features.npy")
    path.unlink()
    shard = path.parent / "000000005-000000010.safetensors"
    shard.write_bytes(b"x" * 50)
    lines: list[str] = []
    assert torch.equal(
        cached_features(rows, "a", encoder, tmp_path, lines.append, "x").whole, wanted
    )
    assert any(f"{shard} in the cache is damaged" in line for line in lines)


@pytest.mark.parametrize("spoil", SPOILED)
def test_damaged_weights_of_a_classifier_are_trained_anew(tmp_path, spoil):
    from coequal.datasets._loading import load_dataset
    from coequal.encoders import _small_net

    data = load_dataset("digits", tmp_path).train
    path, lines = tmp_path / "weights.safetensors", []
    arguments = (path, (1, 8, 8), 10, lambda: (data, data), 0, lines.append, "digits")
    _small_net.train_into(*arguments)
    whole = path.read_bytes()
    path.write_bytes(SPOILED[spoil](whole))
    _small_net.train_into(*arguments)
    assert path.read_bytes() == whole
    assert any("is damaged" in line for line in lines)


@pytest.mark.parametrize("spoil", SPOILED)
@pytest.mark.parametrize("suffix", ["npy", "json"])
def test_decoded_pictures_of_a_folder_are_decoded_anew(pictures, tmp_path, spoil, suffix):
    wanted = load_folder(str(pictures), tmp_path).train.images.whole.clone()
    (path,) = (tmp_path / "folders").glob(f"*.{suffix}")
    whole = path.read_bytes()
    path.write_bytes(SPOILED[spoil](whole))
    lines: list[str] = []
    found = load_folder(str(pictures), tmp_path, log=lines.append)
    assert torch.equal(found.train.images.whole, wanted)
    assert path.read_bytes() == whole
    assert any("is damaged" in line and "decoded again" in line for line in lines)


@pytest.mark.parametrize("which", ["the cache", "a folder in it"])
def test_a_cache_that_can_not_be_written_is_called_the_cache(
    pictures, tmp_path, monkeypatch, which
):
    cache = tmp_path / "cache"
    monkeypatch.setenv("COEQUAL_CACHE", str(cache))
    if which == "the cache":
        cache.write_text("a file")
    else:
        cache.mkdir()
        (cache / "features").write_text("a file")
    with pytest.raises(OSError, match="the cache can't be written: ") as caught:
        score(pictures, [])
    assert str(cache) in str(caught.value)
    assert "COEQUAL_CACHE=FOLDER" in str(caught.value)
    assert caught.value.errno is None  # or the sentence would be replaced by that of the number


def test_errors_of_files_keep_their_number_and_name(monkeypatch, tmp_path):
    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/x/a.png")

    monkeypatch.setattr("coequal.inputs.folders.read_folder", refuse)
    with pytest.raises(PermissionError, match=r"real: Permission denied: '/x/a.png'") as caught:
        load_input(str(tmp_path), role="real", data_dir=tmp_path)
    assert caught.value.errno == errno.EACCES
    assert caught.value.filename == "/x/a.png"


def test_errors_of_any_kind_name_the_role(monkeypatch, tmp_path):
    def refuse(*arguments: object, **options: object) -> None:
        b"\xff".decode()

    monkeypatch.setattr("coequal.inputs.folders.read_folder", refuse)
    with pytest.raises(ValueError, match="real: "):
        load_input(str(tmp_path), role="real", data_dir=tmp_path)


def test_damaged_references_of_a_run_are_named(tmp_path):
    folder = RunFolder(tmp_path)
    assert folder.references() == {}
    for content in ("", "[1", "3"):
        (tmp_path / "references.json").write_text(content)
        with pytest.raises(ValueError, match=r"references\.json is damaged .*restore it"):
            folder.references()
