"""Generators in files: one net makes the same images in every form; what is refused, and how."""

import hashlib
import io
import json
import re
import warnings
import zipfile
from importlib.util import find_spec

import pytest
import torch
from torch import nn

import coequal
from coequal.contract import GeneratorInput
from coequal.generators.drawing import drawn_images
from coequal.generators.load import deferred
from coequal.manifolds.inversion.invert import Effort, invert
from coequal.rng import Rng

needs_onnx = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("onnx", "onnxruntime")), reason="extra onnx"
)


class Net(nn.Module):
    """1x4x4 images of 6 latents; of a class if labels are given."""

    def __init__(self, classes=0):
        super().__init__()
        self.layer = nn.Linear(6, 16)
        self.norm = nn.BatchNorm1d(16)
        self.shades = nn.Embedding(classes, 16) if classes else None
        stream = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for value in (*self.parameters(), self.norm.running_mean):
                value.normal_(generator=stream)

    def forward(self, latents, labels=None):
        out = self.norm(self.layer(latents))
        if self.shades is not None:
            out = out + self.shades(labels)
        return torch.tanh(out).view(-1, 1, 4, 4)


def example(classes, rows=2):
    labels = (torch.zeros(rows, dtype=torch.int64),) if classes else ()
    return (torch.zeros(rows, 6), *labels)


def write_exported(net, path, classes=0, batch=None, largest=None):
    rows = torch.export.Dim("n", **({"max": largest} if largest else {}))
    dynamic = None if batch else ({0: rows},) * (2 if classes else 1)
    program = torch.export.export(net.eval(), example(classes, batch or 2), dynamic_shapes=dynamic)
    torch.export.save(program, path)


def write_script(net, path, classes=0, batch=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of torch 2.14, about the kind of file
        torch.jit.trace(net.eval(), example(classes)).save(path)


def write_onnx(net, path, classes=0, batch=None):
    """By onnx's own helpers: torch's exporter needs another package and seconds."""
    from onnx import TensorProto, helper, numpy_helper

    size = batch or "n"
    scale = net.norm.weight / (net.norm.running_var + net.norm.eps).sqrt()
    weight = (net.layer.weight * scale[:, None]).detach()  # BatchNorm folded into the layer
    bias = ((net.layer.bias - net.norm.running_mean) * scale + net.norm.bias).detach()
    constants = {"weight": weight, "bias": bias, "shape": torch.tensor([-1, 1, 4, 4])}
    inputs = [helper.make_tensor_value_info("z", TensorProto.FLOAT, [size, 6])]
    nodes = [helper.make_node("Gemm", ["z", "weight", "bias"], ["out"], transB=1)]
    if classes:
        constants["shades"] = net.shades.weight.detach()
        inputs.append(helper.make_tensor_value_info("labels", TensorProto.INT64, [size]))
        nodes.append(helper.make_node("Gather", ["shades", "labels"], ["shade"]))
        nodes.append(helper.make_node("Add", ["out", "shade"], ["sum"]))
    nodes.append(helper.make_node("Tanh", ["sum" if classes else "out"], ["flat"]))
    nodes.append(helper.make_node("Reshape", ["flat", "shape"], ["images"]))
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, [size, 1, 4, 4])
    weights = [numpy_helper.from_array(one.numpy(), name) for name, one in constants.items()]
    graph = helper.make_graph(nodes, "generator", inputs, [images], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())


FILES = {"g.pt2": write_exported, "g.ts": write_script, "g.onnx": write_onnx}
FORMS = [
    "module",
    "function",
    "g.pt2",
    "g.ts",
    pytest.param("g.onnx", marks=needs_onnx),
]


def in_form(form, folder, classes=0, batch=None):
    net = Net(classes)
    if form == "module":
        return net
    if form == "function":
        return lambda *given: net(*given)
    FILES[form](net, folder / form, classes, batch)
    return folder / form


def floats(generator, count=30, seed=3):
    drawn = drawn_images(generator, count, seed, torch.float32, lambda line: None)
    return drawn.images.whole, drawn


@pytest.mark.parametrize("classes", [0, 4])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_net_makes_the_same_images(form, classes, tmp_path):
    generator = coequal.generator(in_form(form, tmp_path, classes), latent=6, classes=classes)
    images, drawn = floats(generator)
    expected, _ = floats(coequal.generator(Net(classes), latent=6, classes=classes))
    assert images.shape == (30, 1, 4, 4)
    assert (images - expected).abs().max() < 1e-6
    assert expected.std() > 0.1
    labels = None if drawn.labels is None else drawn.labels.tolist()
    assert labels == ([k % 4 for k in range(30)] if classes else None)
    assert (generator.sha256 is None) == (form in ("module", "function"))
    assert drawn.made["file_sha256"] == generator.sha256


@pytest.mark.parametrize("form", ["g.pt2", pytest.param("g.onnx", marks=needs_onnx)])
def test_a_file_says_what_its_latents_are(form, tmp_path):
    generator = coequal.generator(in_form(form, tmp_path))
    assert str(generator.prior) == "normal:6"
    assert generator.batch == 64
    with pytest.raises(
        ValueError, match=r"takes other latents than normal:7: \w+ \(n, 6\) float32"
    ):
        coequal.generator(tmp_path / form, latent=7)
    with pytest.raises(ValueError, match=r"takes no labels \(\w+ \(n, 6\) float32\); leave out"):
        coequal.generator(tmp_path / form, classes=3)
    conditional = in_form(form, tmp_path, classes=4)
    with pytest.raises(ValueError, match=r"takes labels \(.*\); give their number"):
        coequal.generator(conditional)
    assert str(coequal.generator(conditional, classes=4).prior) == "normal:6"


@pytest.mark.parametrize("form", ["g.pt2", pytest.param("g.onnx", marks=needs_onnx)])
def test_a_fixed_number_of_rows_is_kept_to(form, tmp_path):
    generator = coequal.generator(in_form(form, tmp_path, batch=7), batch=64)
    assert generator.batch == 7
    images, _ = floats(generator)
    expected, _ = floats(coequal.generator(Net(), latent=6))
    assert (images - expected).abs().max() < 1e-6
    made = generator(GeneratorInput(generator.latents(10, Rng(0)))).images  # 7 and 3, filled up
    whole = Net().eval()(*generator.latents(10, Rng(0)))
    assert (made * 2 - 1 - whole).abs().max() < 1e-6


def test_a_largest_number_of_rows_is_kept_to(tmp_path):
    write_exported(Net(), tmp_path / "g.pt2", largest=5)
    generator = coequal.generator(tmp_path / "g.pt2")
    assert generator.batch == 5
    assert (floats(generator)[0] - floats(coequal.generator(Net(), latent=6))[0]).abs().max() < 1e-6


@pytest.mark.parametrize("batch", [None, 7])
@pytest.mark.parametrize("form", ["module", "function", "g.pt2", "g.ts"])
def test_forms_with_a_gradient_are_inverted(form, batch, tmp_path):
    """The images of latents are reached, by a search that starts elsewhere."""
    generator = coequal.generator(in_form(form, tmp_path, batch=batch), latent=6).eval()
    with torch.no_grad():
        targets = generator(GeneratorInput(generator.latents(3, Rng(9)))).images
    found = invert(generator, targets, Rng(0), Effort(delta=1e-4, samples=64))
    assert found.squared.max() <= 1e-4


@needs_onnx
def test_a_form_without_gradient_is_scored_and_not_inverted(tmp_path):
    images, drawn = floats(coequal.generator(in_form("g.onnx", tmp_path)))
    assert len(images) == 30
    assert drawn.generator is None
    assert "no gradient" in drawn.notes[-1]


@pytest.mark.parametrize("form", ["g.pt2", pytest.param("g.onnx", marks=needs_onnx)])
def test_a_file_is_named_like_images(form, tmp_path):
    path = in_form(form, tmp_path)
    real = torch.rand(40, 1, 4, 4)
    options = {"real": real, "metrics": ["fd"], "encoder": "pixels", "samples": 20}
    found = coequal.score(fake=str(path), **options)
    assert found["fake"]["source"] == str(path)
    assert len(found["fake"]["generator"]["file_sha256"]) == 64
    both = coequal.score(
        fake={"file": str(path), "net": coequal.generator(Net(), latent=6)}, **options
    )
    values = [both["scores"][name]["metrics"]["fd"]["value"] for name in ("file", "net")]
    assert values[0] == pytest.approx(values[1], rel=1e-6)
    assert coequal.diagnose(fake=path, samples=20)["numbers"]["images"] == 20


def test_a_program_in_training_mode_is_refused(tmp_path):
    rows = torch.export.Dim("n")
    program = torch.export.export(Net().train(), example(0), dynamic_shapes=({0: rows},))
    torch.export.save(program, tmp_path / "g.pt2")
    with pytest.raises(ValueError, match="was exported in training mode: its BatchNorm takes"):
        coequal.generator(tmp_path / "g.pt2")


@pytest.mark.parametrize("form", ["function", "g.pt2"])
def test_what_was_named_moves_to_a_device(form, tmp_path):
    generator = coequal.generator(in_form(form, tmp_path), latent=6)
    assert generator.movable == (form != "function")
    assert generator.device == torch.device("cpu")
    generator.move_to(torch.device("meta"))
    assert generator.device == torch.device("meta")
    images = generator.raw(GeneratorInput(generator.latents(3, Rng(0))))
    assert images.device == torch.device("meta")
    assert images.shape == (3, 1, 4, 4)
    again = coequal.generator(in_form("module", tmp_path), latent=6)
    deferred(again, 4, 0, print, torch.device("meta"))  # Python's own stays
    assert again.device == torch.device("cpu")
    deferred(again, 4, 0, print, torch.device("meta"), "lab:net")
    assert again.device == torch.device("meta")


@needs_onnx
def test_the_hash_is_also_of_weights_beside_an_onnx_file(tmp_path):
    import onnx

    model = onnx.load(in_form("g.onnx", tmp_path))
    path = tmp_path / "large.onnx"
    options = {"save_as_external_data": True, "location": "large.data", "size_threshold": 100}
    onnx.save_model(model, path, **options)
    (tmp_path / "other.txt").write_text("not named in it")
    first = coequal.generator(path)
    assert (floats(first)[0] - floats(coequal.generator(Net(), latent=6))[0]).abs().max() < 1e-6
    weights = (tmp_path / "large.data").read_bytes()
    (tmp_path / "large.data").write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    (tmp_path / "other.txt").write_text("something else")
    other = coequal.generator(path)
    assert first.sha256 != other.sha256
    (tmp_path / "large.data").write_bytes(weights)
    assert coequal.generator(path).sha256 == first.sha256
    plain = tmp_path / "g.onnx"
    assert coequal.generator(plain).sha256 == hashlib.sha256(plain.read_bytes()).hexdigest()


def test_script_needs_its_latents(tmp_path):
    path = in_form("g.ts", tmp_path)
    with pytest.raises(ValueError, match=r"give its latent distribution, as --latent normal:128"):
        coequal.generator(path)
    # Latents of another length: the message of torch, with the shapes.
    with pytest.raises(ValueError, match=r"g.ts failed, given tensors of shape \(64, 5\)"):
        floats(coequal.generator(path, latent=5))


def saved(folder, name, value):
    torch.save(value, folder / name)
    return folder / name


def test_pickles_and_weights_are_refused_with_what_to_do(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("it was unpickled",))

    import pickle

    plain = tmp_path / "stylegan.pkl"
    plain.write_bytes(pickle.dumps({"G_ema": Trap()}))
    old = tmp_path / "old.pth"
    torch.save(Net().state_dict(), old, _use_new_zipfile_serialization=False)
    tensors = tmp_path / "g.safetensors"
    tensors.write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00{}      ")
    for path, says in {
        plain: "is a pickle, which can run any code when it is opened",
        old: "is a pickle, which can run any code when it is opened",
        saved(tmp_path, "trap.pt", Trap()): "holds pickled objects (",
        saved(
            tmp_path, "net.pt", Net()
        ): "holds pickled objects (test_generator_files.Net, torch.nn",
        saved(tmp_path, "state.pt", Net().state_dict()): "holds only weights, without the network",
        tensors: "holds only weights, without the network",
    }.items():
        with pytest.raises(ValueError, match=re.escape(f"fake: {path} {says}")) as caught:
            coequal.score(real=torch.rand(5, 1, 4, 4), fake=str(path))
        message = str(caught.value)
        assert "torch.export.save(program, " in message
        assert "--fake my_lab.gen:net --latent normal:128" in message
        assert "coequal.generator(net, latent=128)" in message


def test_the_advice_works(tmp_path, monkeypatch):
    """The lines of the message, run as they are for a net of 128 latents."""
    from coequal.generators.torch_files import HOW_TO_EXPORT

    monkeypatch.chdir(tmp_path)
    net = nn.Sequential(nn.Linear(128, 16), nn.Tanh(), nn.Unflatten(1, (1, 4, 4)))
    exec(
        "\n".join(line.strip() for line in HOW_TO_EXPORT.splitlines()), {"torch": torch, "net": net}
    )
    assert str(coequal.generator("g.pt2").prior) == "normal:128"


def changed(path, change):
    """The same archive, each entry as `change(name, content)` says; None leaves it out."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, change(name, content))


def pickled_weight(name, content):
    if not name.endswith("weights_config.json"):
        return content
    config = json.loads(content)
    config["config"]["layer.weight"]["use_pickle"] = True
    return json.dumps(config)


def pickled_sample(name, content):
    if "sample_inputs" not in name:
        return content
    file = io.BytesIO()
    torch.save(nn.Linear(1, 1), file)
    return file.getvalue()


@pytest.mark.parametrize("change", [pickled_weight, pickled_sample])
def test_pickled_parts_of_a_program_are_refused(change, tmp_path):
    path = in_form("g.pt2", tmp_path)
    changed(path, change)
    with pytest.raises(ValueError, match=r"has pickled parts .*, which could run any code when"):
        coequal.generator(path)


def test_compiled_code_in_a_program_is_refused(tmp_path):
    path = in_form("g.pt2", tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("g/data/aotinductor/model/x.so", b"")
    with pytest.raises(ValueError, match="holds compiled code"):
        coequal.generator(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.pt2", None, "there is no file"),
        ("noise.pt2", b"12345", "is not a file that can be read here"),
        ("empty.pt", b"", "is not a file that can be read here"),
        pytest.param("noise.onnx", b"12345", "can't be opened by onnxruntime", marks=needs_onnx),
    ],
)
def test_damaged_and_missing_files_are_one_message(name, content, message, tmp_path):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises((ValueError, FileNotFoundError), match=f"^fake: .*{message}"):
        coequal.score(real=torch.rand(5, 1, 4, 4), fake=str(path))


@pytest.mark.parametrize("form", ["g.pt2", "g.ts"])
def test_a_file_cut_short_is_one_message(form, tmp_path):
    path = in_form(form, tmp_path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match=r"is damaged or cut short$|is not a file|can't be"):
        coequal.generator(path, latent=6)
    changed_path = in_form(form, tmp_path)
    changed(changed_path, lambda name, content: content[: len(content) // 2])
    with pytest.raises(ValueError):
        coequal.generator(changed_path, latent=6)


def test_without_onnxruntime_the_extra_is_named(tmp_path, monkeypatch):
    from coequal.generators import onnx_file

    monkeypatch.setattr(onnx_file, "find_spec", lambda name: None)
    (tmp_path / "g.onnx").write_bytes(b"")
    with pytest.raises(
        ValueError, match=r"need the extra `onnx` \(pip install 'coequal\[onnx\]'\)"
    ):
        coequal.generator(tmp_path / "g.onnx")
