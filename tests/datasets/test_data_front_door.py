from dataclasses import replace
from pathlib import Path

import pytest
import torch

from coequal.contract import Dataset, Split
from coequal.datasets._loading import check_dataset, data_folder, fingerprint, load_dataset
from coequal.lookup import names


def small(**changes):
    images = torch.arange(3 * 2 * 28 * 28).remainder(251).to(torch.uint8).view(6, 1, 28, 28)
    labels = torch.tensor([0, 1, 0, 1, 0, 1])
    parts = [Split(images[row : row + 2], labels[row : row + 2]) for row in (0, 2, 4)]
    return replace(Dataset("small", *parts, classes=("a", "b")), **changes)


@pytest.fixture
def own(monkeypatch, tmp_path):
    """Write somebody's own module; returns the function that does it."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(module, body):
        (tmp_path / f"{module}.py").write_text(
            "import torch\nfrom coequal.contract import Dataset, Split\n" + body
        )

    return write


def test_the_given_folder_goes_before_the_environment_s(monkeypatch):
    monkeypatch.setenv("COEQUAL_DATA", "/from/environment")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert data_folder("/given") == Path("/given")
    assert data_folder() == Path("/from/environment")
    monkeypatch.delenv("COEQUAL_DATA")
    assert data_folder() == Path("/cache/coequal/data")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert data_folder() == Path.home() / ".cache/coequal/data"
    assert data_folder("~/here") == Path.home() / "here"


def test_every_part_says_what_it_is():
    plain = ["celeba", "cifar10", "cifar100", "digits", "fashion_mnist", "mnist"]
    plain += ["squares", "svhn", "triangles"]
    plain += ["colour_shapes", "gaussian_grid", "gaussian_ring", "spiral", "swiss_roll"]
    assert names("datasets") == sorted([*plain, "folder", "imagenet", "polygons"])
    for name in (*plain, "folder:/anywhere", "folder:C:/x", "polygons:5", "triangles:paper"):
        check_dataset(name)  # without a file of theirs


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "fashion_mnits",
            "is not one of celeba, cifar10, cifar100, colour_shapes, digits",
        ),
        ("fashion_mnits", "did you mean 'fashion_mnist'?"),
        ("folderr:/some/path", "did you mean 'folder'?"),
        ("folderr:pictures", "did you mean 'folder'?"),
        ("folder", "folder needs the path of a folder of images; write 'folder:...'"),
        ("folder:", "folder needs the path of a folder of images; write 'folder:...'"),
        ("polygons", "polygons needs the number of vertices, 3 to 8 (and :paper); write"),
        ("polygons:9", "'polygons:9': needs the number of vertices, 3 to 8"),
        ("triangles:clear", "triangles comes clean or paper"),
        ("digits:8", "digits takes nothing after a colon; write 'digits'"),
        ("cifar-10", "did you mean 'cifar10'?"),
        ("celeba:64", "celeba takes nothing after a colon; write 'celeba'"),
        ("", "'' is not one of celeba"),
        (":load", "'' is not one of celeba"),
        ("no_such_module:load", "cannot import no_such_module"),
        ("json:no_such_function", "module json has no no_such_function"),
        ("string:digits", "'string:digits' is a str, not a function"),
    ],
)
def test_a_wrong_name_gets_one_clear_message(name, said):
    with pytest.raises(LookupError) as caught:
        check_dataset(name)
    assert said in str(caught.value)
    with pytest.raises(LookupError):
        load_dataset(name, Path("unused"))


def test_somebody_s_own_function_gets_the_data_folder(own):
    own(
        "own_good",
        "def load(data_dir):\n"
        "    split = Split(torch.full((2, 3, 8, 8), len(str(data_dir)), dtype=torch.uint8))\n"
        "    return Dataset('x', split, split, split)\n",
    )
    data = load_dataset("own_good:load", Path("12345"), 32)
    assert data.name == "own_good:load"
    assert data.train.images.whole.unique().tolist() == [5]
    assert data.shape == (3, 32, 32)
    assert "8x8 images were resized to 32x32" in data.notes[-1]


@pytest.mark.parametrize(
    ("module", "returned", "said"),
    [
        ("own_none", "None", "returned a NoneType; it must return a Dataset"),
        (
            "own_double",
            "made(torch.rand(2, 1, 8, 8).double())",
            "must hold uint8 or float32 images",
        ),
        (
            "own_float",
            "made(2 * torch.ones(2, 1, 8, 8))",
            "has float images outside .*: 2 .. 2",
        ),
        ("own_nan", "made(torch.full((2, 1, 8, 8), torch.nan))", "outside .*: nan .. nan"),
        ("own_flat", "made(torch.zeros(2, 64).byte())", r"not torch.uint8 of shape \(2, 64\)"),
        ("own_empty", "made(torch.zeros(0, 1, 8, 8).byte())", "train split is empty"),
        ("own_int", "made(images, torch.zeros(2).int())", "one int64 label an image"),
        ("own_few", "made(images, torch.zeros(1).long())", "one int64 label an image"),
        ("own_high", "made(images, torch.tensor([0, 2]), ('a', 'b'))", r"labels 0 .. 2, outside"),
    ],
)
def test_what_it_returns_is_checked(own, module, returned, said):
    own(
        module,
        "images = torch.zeros(2, 1, 8, 8).byte()\n"
        "def made(images, labels=None, classes=None):\n"
        "    split = Split(images, labels)\n"
        "    return Dataset('x', split, split, split, classes)\n"
        f"def load(data_dir):\n    return {returned}\n",
    )
    with pytest.raises(ValueError, match=said):
        load_dataset(f"{module}:load", Path("unused"))


def test_splits_must_agree(own):
    own(
        "own_mixed",
        "def load(data_dir):\n"
        "    small, large = (Split(torch.zeros(2, 1, n, n).byte()) for n in (8, 9))\n"
        "    return Dataset('x', small, large, small)\n",
    )
    with pytest.raises(ValueError, match=r"the validation split has images of shape \(1, 9, 9\)"):
        load_dataset("own_mixed:load", Path("unused"))


def test_a_bad_size_is_refused_before_anything_is_loaded():
    with pytest.raises(ValueError, match="image size 30 is not one of"):
        load_dataset("folder:/does/not/exist", Path("unused"), 30)


def test_somebody_s_own_floats_keep_their_size(own):
    own(
        "own_floats",
        "def load(data_dir):\n"
        "    split = Split(torch.full((2, 1, 8, 8), 0.3))\n"
        "    return Dataset('x', split, split, split)\n",
    )
    assert load_dataset("own_floats:load", Path("unused")).train.images.dtype == torch.float32
    with pytest.raises(ValueError, match="float images can't be resized"):
        load_dataset("own_floats:load", Path("unused"), 28)


def test_the_fingerprint_is_of_content_only():
    same = small(name="other", notes=("a note",), classes=None)
    assert fingerprint(same) == fingerprint(small())
    assert len(fingerprint(small())) == 64


@pytest.mark.parametrize("part_bytes", [1, 4 * 64 * 100, 1 << 23])
def test_the_fingerprint_stays_what_it_was_and_hangs_on_no_size_of_parts(monkeypatch, part_bytes):
    # It stands in references.json of runs that were made long ago, and is a key of caches.
    monkeypatch.setattr("coequal.contract.data.PART_BYTES", part_bytes)
    digits = load_dataset("digits", Path("unused"))
    assert fingerprint(digits) == "8689712ae82ec9ff32ce1f37012244223f15406c156b99d0bdda890eba13357c"


@pytest.mark.parametrize("changed", ["pixel", "label", "no labels", "shape", "order of splits"])
def test_the_fingerprint_sees_every_change(changed):
    data = small()
    images, labels = data.test.images.whole.clone(), data.test.labels.clone()
    if changed == "pixel":
        images[1, 0, 27, 27] += 1
    elif changed == "label":
        labels[1] = 0
    elif changed == "no labels":
        labels = None
    elif changed == "shape":
        images = images.view(2, 1, 14, 56)
    other = replace(data, test=Split(images, labels))
    if changed == "order of splits":
        other = replace(data, validation=data.test, test=data.validation)
    assert fingerprint(other) != fingerprint(data)


def test_images_in_two_splits_of_somebody_s_own_data_are_told(own):
    own(
        "own_shared",
        "images = torch.arange(40 * 64).remainder(251).byte().view(40, 1, 8, 8)\n"
        "def load(folder):\n"
        "    return Dataset('x', Split(images[:30]), Split(images[30:]), Split(images[25:35]))\n",
    )
    lines = []
    data = load_dataset("own_shared:load", Path("unused"), log=lines.append)
    # Rows 25 to 29 are in train, 30 to 34 in validation.
    assert data.notes == (
        "warning: 5 of the 10 images of the test split are in the train split",
        "warning: 5 of the 10 images of the test split are in the validation split",
    )
    assert lines == [f"own_shared:load: {note}" for note in data.notes]
