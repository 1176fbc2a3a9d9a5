"""Files that people hold generators in: which kind they are, by what is in them."""

import hashlib
import pickletools
import zipfile
from pathlib import Path

from coequal.generators.onnx_file import open_onnx
from coequal.generators.programs import Program
from coequal.generators.torch_files import HOW_TO_EXPORT, open_exported, open_script

TAKEN = (".pt2", ".pt", ".pth", ".ts", ".jit", ".torchscript", ".onnx")
REFUSED = (".pkl", ".pickle", ".safetensors", ".ckpt", ".bin")
"""How the names of files end that people hold generators in."""

_INSTEAD = (
    "Where you trust the file, load it yourself and export the generator once:\n"
    + HOW_TO_EXPORT
    + "\nor name the module, --fake my_lab.gen:net --latent normal:128; in Python "
    "coequal.generator(net, latent=128)."
)
_WEIGHTS = (
    "only weights, without the network. Load them into their module and export it once:\n"
    + HOW_TO_EXPORT
    + "\nor name the module, --fake my_lab.gen:net --latent normal:128; in Python "
    "coequal.generator(net, latent=128)."
)
_OF_TENSORS = ("torch", "collections", "numpy", "_codecs")
"""Where all that a state dict is pickled of comes from."""


def is_file(given: str) -> bool:
    """Whether a text names a file like those of generators."""
    return Path(given).suffix.lower() in TAKEN + REFUSED


def open_program(path: Path, name: str) -> Program:
    """Open the file of a generator.

    Args:
        path: of it.
        name: what the user calls it, for messages.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is a pickle, or weights alone, or it can't be read; the message says what
            would do.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    if path.suffix.lower() == ".onnx":
        return open_onnx(path, name)
    if path.suffix.lower() == ".safetensors":
        raise ValueError(f"{name} holds {_WEIGHTS}")
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            start = file.read(2)
        if start[:1] == b"\x80":
            raise ValueError(
                f"{name} is a pickle, which can run any code when it is opened. {_INSTEAD}"
            )
        raise ValueError(
            f"{name} is not a file that can be read here: programs of torch.export "
            "(.pt2), TorchScript or ONNX"
        )
    with zipfile.ZipFile(path) as archive:
        if min((one.header_offset for one in archive.infolist()), default=1):
            raise ValueError(f"{name} is damaged or cut short")  # what is found is a part of it
        inside = [member.partition("/")[2] for member in archive.namelist()]
        if any(member.startswith("models/") for member in inside):
            return open_exported(path, name)
        if any(member.startswith("code/") for member in inside):
            return open_script(path, name)
        if "data.pkl" in inside:
            top = archive.namelist()[inside.index("data.pkl")]
            _refuse_pickle(name, archive.read(top))
    raise ValueError(f"{name} is a zip, and holds neither an exported program nor TorchScript")


def _refuse_pickle(name: str, content: bytes) -> None:
    """Refuse what `torch.save` wrote.

    Raises:
        ValueError: always; the message tells weights from pickled objects.
    """
    classes: set[str] = set()
    texts: list[str] = []
    for operation, argument, _ in pickletools.genops(content):
        if operation.name == "GLOBAL":
            classes.add(str(argument).replace(" ", "."))
        elif operation.name == "STACK_GLOBAL" and len(texts) >= 2:
            classes.add(".".join(texts[-2:]))
        elif isinstance(argument, str):
            texts.append(argument)
    objects = [
        one
        for one in sorted(classes, key=lambda one: (one.startswith("__builtin__"), one))
        if one.partition(".")[0] not in _OF_TENSORS or one.startswith("torch.nn.modules")
    ]
    if not objects:
        raise ValueError(f"{name} holds {_WEIGHTS}")
    raise ValueError(
        f"{name} holds pickled objects ({', '.join(objects[:3])}), which can run any code when "
        f"they are opened. {_INSTEAD}"
    )


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, and of the files beside it that an ONNX file names: its weights may lie in
    them."""
    content = path.read_bytes()
    hashed = hashlib.sha256(content)
    if path.suffix.lower() == ".onnx":
        beside = (one for one in sorted(path.parent.iterdir()) if one != path and one.is_file())
        for one in beside:
            if one.name.encode() in content:
                with one.open("rb") as file:
                    hashed.update(hashlib.file_digest(file, "sha256").digest())
    return hashed.hexdigest()
