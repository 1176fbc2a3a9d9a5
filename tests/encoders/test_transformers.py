"""DINOv2 and CLIP: tiny nets with random weights, which the library itself saved."""

import hashlib
import importlib.util
import shutil
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from coequal import lookup
from coequal.contract import Dataset, Split
from coequal.encoders import _batches, _transformers
from coequal.encoders._resize import clean_bicubic
from coequal.encoders._transformers import VisionTransformer
from coequal.encoders.clip import Clip, ClipLarge
from coequal.encoders.dinov2 import Dinov2, Dinov2Base
from coequal.rng import Rng
from other_device import require_same_elsewhere

installed = importlib.util.find_spec("transformers") is not None
with_package = pytest.mark.skipif(not installed, reason="transformers is not installed")
KINDS = (Dinov2, Clip)


def say_nothing(line: str) -> None:
    pass


def noise(count: int, channels: int = 3, size: int = 32) -> Tensor:
    return (Rng(0).uniform(count, channels, size, size) * 255).round().to(torch.uint8)


def data(images: Tensor) -> Dataset:
    return Dataset("noise", Split(images), Split(images), Split(images))


def prepared(kind: type[VisionTransformer], cache: Path) -> VisionTransformer:
    return kind.prepare(data(noise(1)), cache, say_nothing)


def nets(seed: int = 0) -> dict[type[VisionTransformer], Any]:
    """A net of each kind; CLIP with its text half, as it is published."""
    import transformers

    small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    sides = {**small, "intermediate_size": 64, "projection_dim": 16}
    vision = {**sides, "image_size": 64, "patch_size": 16}
    text = {**sides, "vocab_size": 99, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        dinov2 = transformers.Dinov2Config(**small, image_size=56, patch_size=14)
        clip = transformers.CLIPConfig(vision_config=vision, text_config=text, projection_dim=16)
        return {Dinov2: transformers.Dinov2Model(dinov2), Clip: transformers.CLIPModel(clip)}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[type[VisionTransformer], Path]:
    if not installed:
        pytest.skip("transformers is not installed")
    found = {}
    for kind, net in nets().items():
        found[kind] = tmp_path_factory.mktemp(kind.family)
        net.save_pretrained(found[kind])
    return found


@pytest.fixture(autouse=True)
def _nothing_of_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in KINDS:
        monkeypatch.delenv(kind.variable, raising=False)
    monkeypatch.setenv("COEQUAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(_transformers, "BATCH", 2)


# ---------------------------------------------------------------------------------- without a net


def test_without_the_package_one_message_has_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(_transformers, "PACKAGE", "not_a_package")
    message = Dinov2.available() or ""
    assert 'pip install "coequal[transformers]"' in message
    with pytest.raises(FileNotFoundError) as error:
        prepared(Dinov2, tmp_path)
    assert str(error.value) == message


@with_package
@pytest.mark.parametrize("kind", [Dinov2, Dinov2Base, Clip, ClipLarge])
def test_without_weights_one_message_says_what_to_do(kind, tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        prepared(kind, tmp_path / "cache")
    for text in (kind.available() or "", str(error.value)):
        assert "\n" not in text
        place = tmp_path / "cache" / "encoders" / f"{kind.family}-{kind.variant}"
        for word in (place, kind.repository, kind.variable, "config.json", "model.safetensors"):
            assert str(word) in text
        assert "classifier, pixels, or efficientnet_lite0" in text


@with_package
@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_of_ones_own_must_be_complete(kind, tmp_path, monkeypatch):
    monkeypatch.setenv(kind.variable, str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(FileNotFoundError) as error:
        prepared(kind, tmp_path / "cache")
    assert str(error.value) == kind.available()
    assert kind.variable in str(error.value)


@pytest.mark.parametrize("kind", KINDS)
def test_only_grey_and_coloured_images(kind):
    assert kind.unsupported_reason(data(noise(1, channels=1))) is None
    assert "has 4" in (kind.unsupported_reason(data(noise(1, channels=4))) or "")


def test_variants_are_found_by_name():
    assert lookup.load("encoders", "dinov2") is lookup.load("encoders", "dinov2:large") is Dinov2
    assert lookup.load("encoders", "clip") is lookup.load("encoders", "clip:base") is Clip
    repositories = set()
    for family in ("dinov2", "clip"):
        for name in ("small", "base", "large", "giant", "large-336"):
            try:
                kind = lookup.load("encoders", f"{family}:{name}")
            except LookupError:
                continue
            assert (kind.family, kind.variant) == (family, name)
            repositories.add(kind.repository)
    assert len(repositories) == 7


def test_published_names_hang_on_the_size_of_the_net():
    digest = hashlib.sha256(b"1").hexdigest()
    published = {"hidden_size": 1024, "num_hidden_layers": 24, "patch_size": 14}
    large = Dinov2(SimpleNamespace(config=SimpleNamespace(**published)), digest, "here")
    assert large.published_names == Dinov2.published_names == {"fd": "FD-DINOv2"}
    other = SimpleNamespace(config=SimpleNamespace(**{**published, "num_hidden_layers": 12}))
    assert Dinov2(other, digest, "here").published_names == {}
    assert Dinov2Base(other, digest, "here").published_names == {}


# -------------------------------------------------------------------------------------- with a net


@pytest.mark.parametrize("kind", KINDS)
def test_features_are_the_librarys_own(kind, folders, tmp_path, monkeypatch):
    monkeypatch.setenv(kind.variable, str(folders[kind]))
    assert kind.available() is None
    before = torch.get_rng_state()
    encoder, images = prepared(kind, tmp_path), noise(3)
    assert torch.equal(before, torch.get_rng_state())
    net = nets()[kind].eval()
    side = 224 if kind is Dinov2 else 64  # CLIP's own size
    shown = clean_bicubic(images, side, side) / 255
    mean, deviation = (torch.tensor(x)[:, None, None] for x in (kind.mean, kind.deviation))
    with torch.inference_mode():
        normal = (shown - mean) / deviation
        if kind is Dinov2:
            wanted = net(normal).pooler_output
        else:
            wanted = net.visual_projection(net.vision_model(normal).pooler_output)
    found = encoder.features(images)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    # Grey is the same as three equal channels, and nobody changes a bit by asking for fewer.
    grey = noise(3, channels=1)
    features = encoder.features(grey)
    assert torch.equal(encoder.features(grey[:1].expand(-1, 3, -1, -1)), features[:1])
    assert encoder.probabilities(features) is None


@pytest.mark.parametrize("kind", KINDS)
def test_features_are_the_same_on_another_device(kind, folders, tmp_path, monkeypatch):
    monkeypatch.setenv(kind.variable, str(folders[kind]))
    monkeypatch.setattr(_batches, "LARGER_ON_A_GPU", 1)
    require_same_elsewhere(prepared(kind, tmp_path), noise(3), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_id_holds_weights_settings_and_preprocessing(kind, folders, tmp_path, monkeypatch):
    monkeypatch.setenv(kind.variable, str(folders[kind]))
    first = prepared(kind, tmp_path)
    assert first.id.startswith(f"{kind.family}:{kind.variant}:")
    moved = shutil.copytree(folders[kind], tmp_path / "moved")
    monkeypatch.setenv(kind.variable, str(moved))
    assert prepared(kind, tmp_path).id == first.id
    config = moved / "config.json"
    config.write_text(config.read_text().replace('"layer_norm_eps": 1e-', '"layer_norm_eps": 2e-'))
    assert prepared(kind, tmp_path).id != first.id
    nets(seed=1)[kind].save_pretrained(moved)
    assert prepared(kind, tmp_path).id != first.id
    digest = hashlib.sha256(b"1").hexdigest()
    config = SimpleNamespace(image_size=64)
    ids = {kind(SimpleNamespace(config=config), digest, "here").id}
    monkeypatch.setattr(kind, "mean", (0.5, 0.5, 0.5))
    ids.add(kind(SimpleNamespace(config=config), digest, "here").id)
    assert len(ids) == 2


def test_our_cache_and_old_files_of_weights_do(folders, tmp_path):
    place = tmp_path / "cache" / "encoders" / "clip-base"
    shutil.copytree(folders[Clip], place)
    assert Clip.available() is None
    new = prepared(Clip, tmp_path / "cache").features(noise(1))
    (place / "model.safetensors").unlink()
    torch.save(nets()[Clip].state_dict(), place / "pytorch_model.bin")
    assert torch.equal(prepared(Clip, tmp_path / "cache").features(noise(1)), new)


def test_another_kind_of_net_is_refused(folders, tmp_path, monkeypatch):
    monkeypatch.setenv(Dinov2.variable, str(folders[Clip]))
    with pytest.raises(ValueError, match="holds no Dinov2Model"):
        prepared(Dinov2, tmp_path)
    broken = shutil.copytree(folders[Clip], tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"not weights")
    monkeypatch.setenv(Clip.variable, str(broken))
    with pytest.raises(ValueError, match="holds no CLIPVisionModelWithProjection"):
        prepared(Clip, tmp_path)


def test_a_download_is_told_and_a_failed_one_says_what_to_do(folders, tmp_path, monkeypatch):
    import huggingface_hub

    there = ["config.json", "pytorch_model.bin"]

    def bring(repository: str, name: str, local_files_only: bool) -> str:
        if local_files_only:
            raise huggingface_hub.errors.LocalEntryNotFoundError("not here")
        if name not in there:
            raise huggingface_hub.errors.EntryNotFoundError(f"no {name}")
        asked.append(name)
        return str(folders[Clip] / name)

    asked: list[str] = []
    monkeypatch.setattr(_transformers, "_hub_in_reach", lambda repository: True)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", bring)
    assert Clip.available() is None
    assert not asked
    lines: list[str] = []
    encoder = Clip.prepare(data(noise(1)), tmp_path, lines.append)
    assert len(encoder.features(noise(1))) == 1
    assert asked == there
    assert "downloading huggingface.co/openai/clip-vit-base-patch32" in lines[0]
    assert str(folders[Clip]) in lines[1]
    there.pop()
    with pytest.raises(FileNotFoundError, match=r"the download failed: no pytorch_model.bin") as e:
        prepared(Clip, tmp_path)
    assert "COEQUAL_CLIP_WEIGHTS" in str(e.value)


def test_the_hubs_own_cache_does_if_it_is_complete(folders, tmp_path, monkeypatch):
    import huggingface_hub

    # As the hub lays it out: a commit by name, and the files of that commit.
    hub = tmp_path / "hub"
    repository = hub / f"models--{Clip.repository.replace('/', '--')}"
    snapshot = shutil.copytree(folders[Clip], repository / "snapshots" / ("0" * 40))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    plain = huggingface_hub.hf_hub_download
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", partial(plain, cache_dir=hub))
    assert Clip.available() is None
    assert str(snapshot) in prepared(Clip, tmp_path).note
    (snapshot / "model.safetensors").unlink()
    assert "no connection to huggingface.co" in (Clip.available() or "")
