"""Generators from outside where images are scored: by name, on the command line, with recall."""

import json
import re
import sys

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

import coequal
from coequal import lookup
from coequal.cli.app import app
from coequal.datasets._loading import data_folder, load_dataset

SOURCE = """
import torch
from torch import nn
import coequal

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 64)
        stream = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.normal_(generator=stream)

    def forward(self, z):
        return torch.tanh(self.layer(z)).view(-1, 1, 8, 8)

net = Net()
generator = coequal.generator(net, latent=8)
def make(n):
    return torch.rand(n, 1, 8, 8)
def signed(n):
    return torch.rand(n, 1, 8, 8) * 2 - 1
def labelled(n):
    return torch.rand(n, 1, 8, 8), torch.arange(n) % 2
def of_latents(z):
    return net(z)
def of_class(z, labels):
    return net(z) * labels.view(-1, 1, 1, 1) / 2
def few(n):
    return torch.rand(n - 1, 1, 8, 8)
def broken(n):
    raise RuntimeError("the weights are gone")
number = 7
"""
OPTIONS = {"metrics": ["fd"], "encoder": "pixels", "samples": 40}


@pytest.fixture
def lab(tmp_path, monkeypatch):
    (tmp_path / "lab_of_generators.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    with lookup.searching_also(tmp_path):
        yield "lab_of_generators"
    sys.modules.pop("lab_of_generators", None)


def real():
    return torch.rand(50, 1, 8, 8, generator=torch.Generator().manual_seed(1))


def score(fake, **more):
    return coequal.score(real=real(), fake=fake, **OPTIONS | more)


def on_command_line(tmp_path, *arguments, command="score"):
    np.save(tmp_path / "real.npy", real().numpy())
    options = ["--metrics", "fd", "--encoder", "pixels", "--json"]
    options = options if command == "score" else []
    called = [command, "--real", "real.npy", "--samples", "40", *options, *arguments]
    return CliRunner().invoke(app, called)


def test_names_of_generators_and_functions_are_scored(lab):
    found = score(f"{lab}:generator")
    assert (found["fake"]["kind"], found["fake"]["count"]) == ("generator", 40)
    assert found["fake"]["source"] == "Net"
    assert found["fake"]["generator"]["latents"] == "normal:8"
    assert found["metrics"]["fd"]["protocol"].split()[:3] == [
        found["encoder"]["id"].join(["encoder=", ""]),
        "real=50",
        "fake=40",
    ]
    function = score(f"{lab}:make")
    assert (function["fake"]["kind"], function["fake"]["count"]) == ("images", 40)
    assert score(f"{lab}:labelled")["fake"]["count"] == 40


def test_a_seed_gives_the_same_images_of_a_function_that_draws(lab):
    digests = [score(f"{lab}:make", seed=k)["fake"]["sha256"] for k in (0, 0, 1)]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("net", "fake: {lab}:net: give its latent distribution, as --latent normal:128"),
        ("Net", "fake: {lab}:Net is a class; give an instance"),
        ("few", "fake: the call returned 39 images; it must return 40"),
        ("broken", "fake: {lab}:broken failed for 40 images: RuntimeError: the weights are gone"),
        ("nothing", "fake: '{lab}:nothing': module {lab} has no nothing"),
        ("signed", "fake: an array: float images must lie in [0, 1], found -1 to 1"),
    ],
)
def test_what_cannot_be_scored_is_one_message(lab, name, message):
    pattern = re.escape(message.format(lab=lab)).replace(r"\-1\ to\ 1", r"-\S+ to \S+")
    with pytest.raises((ValueError, LookupError), match=pattern):
        score(f"{lab}:{name}")


def test_no_such_module_and_typos_of_data_sets(lab):
    with pytest.raises(LookupError, match="fake: 'nolab:make': cannot import nolab"):
        score("nolab:make")
    with pytest.raises(
        FileNotFoundError, match="fake: 'fashion_mnist:tset' is neither an existing folder"
    ):
        score("fashion_mnist:tset")
    with pytest.raises((FileNotFoundError, LookupError), match="fashon_mnist"):
        score("fashon_mnist:test")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--fake", "{lab}:net", "--latent", "8"],
        ["--fake", "{lab}:of_latents", "--latent", "normal:8", "--value-range=-1,1"],
        ["--fake", "{lab}:net", "--latent", "8", "--batch", "40", "--value-range", "-1,1"],
        ["--fake", "{lab}:generator"],
    ],
)
def test_the_command_line_says_what_python_says(lab, tmp_path, arguments):
    done = on_command_line(tmp_path, *(one.format(lab=lab) for one in arguments))
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    expected = score(f"{lab}:generator")
    assert found["fake"]["sha256"] == expected["fake"]["sha256"]


def test_options_of_functions_of_a_number(lab, tmp_path):
    plain = json.loads(on_command_line(tmp_path, "--fake", f"{lab}:make").stdout)
    signed = ["--fake", f"{lab}:signed", "--value-range=-1,1"]
    mapped = json.loads(on_command_line(tmp_path, *signed).stdout)
    assert mapped["metrics"]["fd"]["value"] == pytest.approx(plain["metrics"]["fd"]["value"])
    of_class = ["--fake", f"{lab}:of_class", "--latent", "8", "--classes", "3"]
    found = json.loads(on_command_line(tmp_path, *of_class).stdout)
    assert found["fake"]["generator"]["classes"] == 3


def test_options_are_of_all_generators_among_several(lab, tmp_path):
    fakes = ["--fake", f"net={lab}:net", "--fake", f"function={lab}:of_latents"]
    done = on_command_line(tmp_path, *fakes, "--latent", "8")
    assert done.exit_code == 0, done.output
    alone = json.loads(on_command_line(tmp_path, *fakes[:2], "--latent", "8").stdout)
    assert alone["fake"]["source"] == f"{lab}:net"
    both = json.loads(done.stdout)["scores"]
    for name in ("net", "function"):  # a function that calls the same net
        assert both[name]["metrics"]["fd"]["value"] == alone["metrics"]["fd"]["value"]
    none = on_command_line(tmp_path, "--fake", "real.npy", "--fake", "real", "--latent", "8")
    assert "is not a generator" in str(none.exception)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fake", "real.npy", "--latent", "8"], "fake: real.npy is not a generator"),
        (["--fake", "{lab}:generator", "--batch", "8"], "leave out the options"),
        (["--fake", "{lab}:make", "--batch", "8"], "which is called once"),
        (["--fake", "{lab}:net", "--latent", "normal:x"], "fake: latents must be 128"),
        (["--fake", "{lab}:net", "--latent", "8", "--value-range", "1"], "fake: a value range is"),
    ],
)
def test_options_that_make_no_sense_are_refused(lab, tmp_path, arguments, message):
    done = on_command_line(tmp_path, *(one.format(lab=lab) for one in arguments))
    assert done.exit_code == 1
    assert message in str(done.exception)


def test_images_of_a_generator_are_diagnosed(lab, tmp_path):
    values = coequal.diagnose(fake=f"{lab}:generator", real=real(), samples=30)
    assert values["numbers"]["images"] == 30
    assert "30 images drawn: latents normal:8" in values["notes"][1]
    arguments = ["--fake", f"{lab}:net", "--latent", "8", "--json"]
    done = on_command_line(tmp_path, *arguments, command="diagnose")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["numbers"]["images"] == 40


def test_images_are_written_as_they_are_scored(lab, tmp_path):
    def sample(*arguments):
        return CliRunner().invoke(app, ["sample", *arguments])

    net = [f"{lab}:net", "--latent", "8"]
    done = sample(*net, "--out", "a.npy", "--count", "20", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["generator"]["latents"] == "normal:8"
    images = np.load(tmp_path / "a.npy")
    assert images.shape == (20, 1, 8, 8)
    again = score(f"{lab}:generator", samples=20)
    assert again["fake"]["sha256"] == score(images, samples=20)["fake"]["sha256"]
    assert sample(*net, "--out", "a.npy").exit_code == 1  # it is there already
    conditional = [f"{lab}:of_class", "--latent", "8", "--classes", "2", "--count", "5"]
    assert sample(*conditional, "--out", "pictures").exit_code == 0
    assert [len(list((tmp_path / "pictures" / name).iterdir())) for name in "01"] == [3, 2]
    assert sample(f"{lab}:make", "--out", "sheet.png", "--count", "4").exit_code == 0
    assert (tmp_path / "sheet.png").stat().st_size > 100
    assert sample(*net, "--out", "b.npy", "--model", "ns_gan").exit_code == 2
    assert sample("a_run", "--out", "b.npy", "--latent", "8").exit_code == 2


def test_a_typo_is_said_before_anything_is_drawn():
    def never(latents):
        raise AssertionError("drawn")

    with pytest.raises((ValueError, LookupError), match="presicion"):
        score(coequal.generator(never, latent=3), metrics=["presicion"])


@pytest.mark.slow
def test_recall_is_measured_by_inverting_a_module(tmp_path):
    """Of a net that makes one real image, whatever the latents: of 4 real images it reaches 1."""
    folder = data_folder(None)
    triangle = load_dataset("triangles", folder, None).split("test").images[:1]
    flat = triangle.flatten()
    net = nn.Sequential(nn.Linear(2, len(flat)), nn.Unflatten(1, triangle.shape[1:]))
    with torch.no_grad():
        net[0].weight.zero_()
        net[0].bias.copy_(flat)
    record = coequal.manifold(
        real="triangles:test",
        fake=coequal.generator(net, latent=2, value_range=(0, 1)),
        out=tmp_path / "page",
        count=4,
        train=False,
    )
    row = record["at_delta"]
    assert (row["precision"], row["recall"]) == (1, 0.25)
    assert net[0].weight.requires_grad
