"""Streams of images: loaders and generators of Python, datasets of the hub, tars of webdataset,
LMDBs as of LSUN. All are the images that a folder of the same pictures would be."""

import io
import itertools
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, IterableDataset, TensorDataset
from typer.testing import CliRunner

import coequal
from coequal import pace
from coequal.cli.app import app
from coequal.inputs import growing_rows
from coequal.inputs.load import load_input
from coequal.value_range import SYMMETRIC

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 3, 8, 8), dtype=np.uint8)
LABELS = torch.arange(12) % 3
TENSOR = torch.from_numpy(PIXELS)


def loaded(given: object, **options: object) -> object:
    return load_input(given, role="fake", data_dir=Path("nowhere"), **options)


WANTED = loaded(TENSOR).digest()


def png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image.transpose(1, 2, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def pillow(images: np.ndarray = PIXELS) -> list[Image.Image]:
    return [Image.fromarray(image.transpose(1, 2, 0)) for image in images]


@pytest.fixture(params=["memory", "file"])
def place(request, tmp_path, monkeypatch):
    """Where the rows are kept; in the end nothing is left of a file."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    if request.param == "file":
        monkeypatch.setattr(growing_rows, "IN_MEMORY_BYTES", 500)  # of 12 x 192 bytes
    yield request.param
    assert not list((tmp_path / "temporary").iterdir())


# --------------------------------------------------------------------------- loaders and generators


def batches_of(size: int) -> Iterator[torch.Tensor]:
    yield from TENSOR.split(size)


STREAMS = {
    "loader": lambda: DataLoader(TensorDataset(TENSOR, LABELS), batch_size=5),
    "loader of dicts": lambda: DataLoader(
        [{"image": x, "label": k} for x, k in zip(TENSOR, LABELS, strict=True)], batch_size=5
    ),
    "generator of images": lambda: zip(iter(TENSOR), LABELS.tolist(), strict=True),
    "generator of batches": lambda: zip(TENSOR.split(5), LABELS.split(5), strict=True),
    "generator of arrays, channels last": lambda: zip(
        PIXELS.transpose(0, 2, 3, 1), LABELS.numpy(), strict=True
    ),
    "generator of pictures": lambda: zip(pillow(), LABELS, strict=True),
    "batches of pictures": lambda: iter([(pillow()[:7], LABELS[:7]), (pillow()[7:], LABELS[7:])]),
    "files": lambda: map(lambda x, k: {"image": png(x), "label": int(k)}, PIXELS, LABELS),
}


@pytest.mark.parametrize("stream", STREAMS)
def test_every_stream_gives_the_same_images(stream, place):
    found = loaded(STREAMS[stream]())
    assert found.digest() == WANTED
    assert torch.equal(found.images.whole, TENSOR)
    assert torch.equal(found.images[3:5], TENSOR[3:5])
    assert found.labels.tolist() == LABELS.tolist()
    assert found.images.loaded == (place == "memory")


def test_streams_without_labels_and_of_grey_batches_and_features(place):
    assert loaded(batches_of(5)).labels is None
    assert loaded(DataLoader(TENSOR, batch_size=5)).digest() == WANTED
    grey = DataLoader(TENSOR[:, 0], batch_size=5)  # (n, h, w)
    assert torch.equal(loaded(grey).images.whole, TENSOR[:, :1])
    rows = torch.randn(12, 6)
    for features in (DataLoader(rows, batch_size=5), iter(rows)):
        assert torch.equal(loaded(features).features.whole, rows)
    pooled = loaded(DataLoader(rows.view(12, 6, 1, 1), batch_size=5))
    assert torch.equal(pooled.features.whole, rows)
    assert pooled.notes == ("floats of shape (n, 6, 1, 1) were taken for features",)


def test_names_of_classes_of_a_loaders_data_set(place):
    data = TensorDataset(TENSOR, LABELS)
    data.classes = ["ant", "bee", "cow"]
    assert loaded(DataLoader(data, batch_size=5)).classes == ("ant", "bee", "cow")


def test_a_stream_is_converted_like_an_array(place):
    floats = TENSOR / 127.5 - 1
    for given in (floats, iter(floats), DataLoader(floats, batch_size=5)):
        found = loaded(given, value_range=SYMMETRIC, image_size=5)
        assert found.digest() == loaded(floats, value_range=SYMMETRIC, image_size=5).digest()
        assert len(found.notes) == 2
    with pytest.raises(ValueError, match=r"found -1 to 1 \(12 of 12 images do not\); if b"):
        loaded(DataLoader(floats, batch_size=5))


def test_grey_pictures_that_come_before_colour_become_rgb(place):
    pictures = pillow()
    grey = [image.convert("L") for image in pictures[:6]]
    found = loaded(iter(grey + pictures[6:]))
    assert found.shape == (3, 8, 8)
    assert found.notes[0].startswith("6 grey images were converted to RGB (others have colour)")
    coloured = [image.convert("RGB") for image in grey]
    assert found.digest() == loaded(coloured + pictures[6:]).digest()


class Endless(IterableDataset):
    """Never ends; presses Ctrl-C after some images."""

    def __init__(self, patience: int) -> None:
        self.patience = patience

    def __iter__(self) -> Iterator[torch.Tensor]:
        for count in itertools.count():
            if count == self.patience:
                raise KeyboardInterrupt
            yield TENSOR[count % 12]


@pytest.mark.parametrize("form", ["items", "batches"])
def test_a_stream_is_read_as_far_as_is_wanted(form, place):
    given = Endless(100)
    given = given if form == "items" else DataLoader(given, batch_size=5)
    found = loaded(given, max_images=12)
    assert found.digest() == WANTED
    assert found.notes == ("the first 12 images were read",)
    with pytest.raises(ValueError, match="max_images must be 2 or more, got 1"):
        loaded(given, max_images=1)


def test_an_endless_stream_can_be_stopped_and_says_how_to_limit_it(place, monkeypatch):
    monkeypatch.setattr(pace, "EVERY_SECONDS", 0.0)
    lines: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        loaded(Endless(9), log=lines.append)
    assert lines[-1] == (
        "read 9 images of Endless, which does not tell its length: press Ctrl-C to stop, or read "
        "the first N with --max-images N (in Python max_images=N)"
    )
    loaded(list(TENSOR), log=lines.append)
    assert lines[-1] == "read 12 images of list"


def fails() -> Iterator[torch.Tensor]:
    yield from TENSOR[:3]
    raise RuntimeError("the disk is gone")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (iter([]), "it is empty, and gave no images"),
        (DataLoader(TENSOR[:0], batch_size=2), "it is empty, and gave no images"),
        (iter([TENSOR[0], TENSOR[0, :, :4]]), "2 shapes ((3, 8, 8), and (3, 4, 8) from item 1 on)"),
        (iter([TENSOR[:2], TENSOR[2:] / 255]), "have 2 types"),
        (iter(pillow()[:1] + [image.resize((4, 4)) for image in pillow()]), "2 sizes"),
        (iter([torch.full((6,), float("nan"))] * 2), "the features hold NaN or infinity"),
        (iter([(TENSOR[:5], LABELS[:4])]), "item 0: 4 labels for 5 images"),
        (iter([{"picture": 1}]), "items hold picture; one must be `image`"),
        ({"train": [1], "test": [2]}, "can't score a dict; give one of its entries (train, test)"),
        (fails(), "generator failed after 3 items: RuntimeError: the disk is gone"),
        (5, "can't score a int: it has no length or no items"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_can_not_be_read_is_one_message(given, message):
    with pytest.raises(ValueError) as caught:
        loaded(given)
    assert str(caught.value).startswith("fake: ")
    assert message in str(caught.value)


def test_labels_that_are_no_whole_numbers_are_told():
    found = loaded(DataLoader(TensorDataset(TENSOR, torch.rand(12)), batch_size=5))
    assert found.labels is None
    assert found.notes[0].startswith("labels are not used: labels must be whole numbers from 0")
    hot = loaded(DataLoader(TensorDataset(TENSOR, torch.eye(12)), batch_size=5))
    assert hot.labels is None
    assert hot.digest() == WANTED


def test_pictures_that_can_not_be_read_do_not_go_on_for_ever():
    broken = ({"image": b"no picture"} for _ in itertools.count())
    with pytest.raises(ValueError, match="100 of 100 image files can't be read"):
        loaded(broken)


def test_a_stream_is_scored_like_its_images():
    options = {"metrics": ["fd"], "encoder": "pixels"}
    rng = np.random.default_rng(1)
    many = torch.from_numpy(rng.integers(0, 256, (300, 3, 4, 4), dtype=np.uint8))
    wanted = coequal.score(real=many[:200], fake=many[200:], **options)
    found = coequal.score(
        real=DataLoader(many[:200], batch_size=64), fake=iter(many[200:]), **options
    )
    assert found["metrics"] == wanted["metrics"]
    few = coequal.score(real=many, fake=iter(many[200:]), max_images=50, **options)
    assert (few["real"]["count"], few["fake"]["count"]) == (300, 50)


# ----------------------------------------------------------------------------- datasets of the hub


@pytest.mark.filterwarnings("ignore")  # of the package's own imports
@pytest.mark.parametrize("streaming", [False, True])
def test_data_sets_of_the_hub(streaming, place):
    pytest.importorskip("datasets.features")  # not the folder of tests of this name
    datasets = pytest.importorskip("datasets")
    names = datasets.ClassLabel(names=["ant", "bee", "cow"])
    features = datasets.Features({"image": datasets.Image(), "label": names})
    columns = {"image": pillow(), "label": LABELS.tolist()}
    data = datasets.Dataset.from_dict(columns, features=features)
    data = data.to_iterable_dataset() if streaming else data
    found = loaded(data)
    assert found.digest() == WANTED
    assert found.labels.tolist() == LABELS.tolist()
    assert found.classes == ("ant", "bee", "cow")
    assert loaded(data.with_format("torch"), max_images=5).images.shape == (5, 3, 8, 8)
    with pytest.raises(ValueError, match=r"can't score a DatasetDict; .* \(train, test\)"):
        loaded(datasets.DatasetDict({"train": columns, "test": columns}))


# ----------------------------------------------------------------------------- tars of webdataset


def tar(path: Path, rows: range, **more: object) -> Path:
    with tarfile.open(path, "w") as archive:
        for row in rows:
            files = {"png": png(PIXELS[row]), "cls": str(int(LABELS[row])).encode(), **more}
            for suffix, content in files.items():
                entry = tarfile.TarInfo(f"a/{row:04}.{suffix}")
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return path


def test_a_tar_is_read_with_its_labels(tmp_path, place):
    found = loaded(tar(tmp_path / "a.tar", range(12)))
    assert found.digest() == WANTED
    assert found.labels.tolist() == LABELS.tolist()
    assert found.kind == "tar"
    named = tmp_path / "named.tar"
    tar(named, range(12), cls=b"ant", json=b"{}")
    assert loaded(named).classes == ("ant",)
    assert loaded(named, max_images=4).images.shape[0] == 4


@pytest.mark.parametrize("pattern", ["s-{000..002}.tar", "s-{000,001,002}.tar", "s-*.tar"])
def test_a_pattern_names_several_tars(tmp_path, pattern):
    for shard in range(3):
        tar(tmp_path / f"s-{shard:03}.tar", range(4 * shard, 4 * shard + 4))
    assert loaded(str(tmp_path / pattern)).digest() == WANTED
    with pytest.raises(FileNotFoundError, match=r"fake: there is no file .*s-003\.tar"):
        loaded(str(tmp_path / "s-{000..004}.tar"))
    with pytest.raises(FileNotFoundError, match="no file is called"):
        loaded(str(tmp_path / "t-*.tar"))


def test_tars_that_can_not_be_read(tmp_path):
    whole = tar(tmp_path / "a.tar", range(12)).read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[:3000])
    (tmp_path / "none.tar").write_bytes(b"x" * 5000)
    for name in ("cut", "none"):
        with pytest.raises(
            ValueError, match=rf"{name}\.tar can't be read: it is damaged or not a tar file"
        ):
            loaded(tmp_path / f"{name}.tar")
    tar(tmp_path / "text.tar", range(3), png=b"", txt=b"caption")
    with pytest.raises(
        ValueError, match=r"3 of 3 image files can't be read: item 0 \(empty file\)"
    ):
        loaded(tmp_path / "text.tar")
    with tarfile.open(tmp_path / "other.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("a.txt"), io.BytesIO(b""))
    with pytest.raises(ValueError, match=r"other.tar has no images .* it holds \.txt: 1"):
        loaded(tmp_path / "other.tar")


@pytest.mark.filterwarnings("ignore")  # of the package's own imports
def test_pipelines_of_webdataset(tmp_path):
    webdataset = pytest.importorskip("webdataset")
    path = str(tar(tmp_path / "a.tar", range(12)))
    raw = webdataset.WebDataset(path, shardshuffle=False)
    for pipeline in (raw, raw.decode("pil"), raw.decode("pil").to_tuple("png", "cls")):
        found = loaded(pipeline)
        assert found.digest() == WANTED
        assert found.labels.tolist() == LABELS.tolist()


def test_a_tar_on_the_command_line(tmp_path):
    path = tar(tmp_path / "a.tar", range(12))
    given = ["stats", str(path), "--encoder", "pixels", "--out", str(tmp_path / "a.npz")]
    found = CliRunner().invoke(app, [*given, "--max-images", "10", "--json"])
    assert found.exit_code == 0
    assert '"count": 10' in found.stdout


# -------------------------------------------------------------------------------------------- LMDB


def database(path: Path, values: dict[bytes, bytes], **options: object) -> Path:
    lmdb = pytest.importorskip("lmdb")
    with lmdb.open(str(path), map_size=1 << 24, **options) as opened, opened.begin(write=True) as t:
        for key, value in values.items():
            t.put(key, value)
    return path


def test_an_lmdb_of_pictures_is_read_where_it_lies(tmp_path):
    values = {f"{row:03}".encode(): png(image) for row, image in enumerate(PIXELS)}
    path = database(tmp_path / "church_lmdb", {**values, b"length": b"12"})
    found = loaded(path)
    assert found.digest() == WANTED
    assert torch.equal(found.images[torch.tensor([3, 1])], TENSOR[[3, 1]])
    assert found.kind == "lmdb"
    few = loaded(path, max_images=5, image_size=4)
    assert few.images.shape == (5, 3, 4, 4)
    assert "the first 5 images were read" in few.notes
    assert loaded(database(tmp_path / "a.lmdb", values, subdir=False)).digest() == WANTED


def test_lmdbs_that_can_not_be_read(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="is an LMDB without entries"):
        loaded(database(tmp_path / "empty", {}))
    broken = database(tmp_path / "broken", {b"k": b"no picture", b"l": png(PIXELS[0])})
    with pytest.raises(ValueError, match=r"1 of 2 image files can't be read: k \(not an image"):
        loaded(broken)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "data.mdb").write_bytes(b"x" * 9999)
    with pytest.raises(ValueError, match="can't be read as an LMDB"):
        loaded(tmp_path / "other")


def test_without_its_package_an_lmdb_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "data.mdb").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(ValueError, match=r"to read it, pip install 'coequal\[lmdb\]'"):
        loaded(tmp_path)


def test_a_generator_may_use_one_buffer_for_all_batches(place):
    def reused() -> Iterator[torch.Tensor]:
        buffer = torch.empty(4, 3, 8, 8, dtype=torch.uint8)
        for batch in TENSOR.split(4):
            yield buffer.copy_(batch)

    assert loaded(reused()).digest() == loaded(list(TENSOR)).digest() == WANTED
    assert torch.equal(loaded(reused()).images.whole, TENSOR)
