"""Generators in PyTorch's files: programs of `torch.export` and TorchScript."""

import io
import json
import pickle
import warnings
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from coequal.generators.programs import InputSpec, Program, RowsInBatches

HOW_TO_EXPORT = """\
    n = torch.export.Dim("n")
    program = torch.export.export(net.eval(), (torch.randn(2, 128),), dynamic_shapes=({0: n},))
    torch.export.save(program, "g.pt2")                                     # --fake g.pt2"""
"""How a module that somebody holds becomes a file that is taken."""


def open_exported(path: Path, name: str) -> Program:
    """Open a program of `torch.export.save`.

    Args:
        path: of the file.
        name: what the user calls it, for messages.

    Raises:
        ValueError: parts of it are pickled, it holds compiled code, or it can't be read by this
            version of torch.
    """
    _refuse_pickled_parts(path, name)
    try:
        program = torch.export.load(path)
        net = _Exported(program)
    except Exception as error:
        raise ValueError(
            f"{name} can't be opened by torch {torch.__version__} ({_short(error)}); a file of "
            "another version must be exported again"
        ) from error
    _refuse_training_mode(program, name)
    values = {
        node.name: node.meta["val"] for node in program.graph.nodes if node.op == "placeholder"
    }
    given = [values[input_name] for input_name in program.graph_signature.user_inputs]
    if not given or not all(isinstance(value, Tensor) for value in given):
        raise ValueError(f"{name} takes other inputs than tensors; export a network of latents")
    inputs = tuple(
        InputSpec(str(input_name), tuple(_fixed(size) for size in value.shape[1:]), value.dtype)
        for input_name, value in zip(program.graph_signature.user_inputs, given, strict=True)
    )
    batch = _fixed(given[0].shape[0])
    if batch is None:
        batch = _largest(program, given[0].shape[0])
    return Program(RowsInBatches(net, inputs, batch, partial(_on, program)), inputs, batch)


def _refuse_training_mode(program: Any, name: str) -> None:
    """Refuse a program whose BatchNorm has moving averages and does not use them.

    Raises:
        ValueError: it was exported in training mode, so that each image depends on its batch.
    """
    for node in program.graph.nodes:
        if node.target != torch.ops.aten.batch_norm.default:
            continue
        *_, averages, _, training = node.args[:6]
        if training and averages is not None:
            raise ValueError(
                f"{name} was exported in training mode: its BatchNorm takes the averages of each "
                "batch; export it in evaluation mode:\n" + HOW_TO_EXPORT
            )


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _fixed(size: Any) -> int | None:
    return size if isinstance(size, int) else None


def _largest(program: Any, size: Any) -> int | None:
    """The largest number of rows, where one was declared."""
    allowed = program.range_constraints.get(size.node.expr)
    upper = str(allowed.upper) if allowed is not None else ""
    return int(upper) if upper.isdecimal() and int(upper) < 2**31 else None


class _Exported(nn.Module):
    """An exported program as a module: its mode is the one it was exported in."""

    def __init__(self, program: Any) -> None:
        super().__init__()
        self.program = program.module().requires_grad_(False)

    def forward(self, *given: Tensor) -> Any:
        return self.program(*given)

    def train(self, mode: bool = True) -> "_Exported":
        self.training = mode
        return self


def _on(program: Any, device: torch.device) -> _Exported:
    """The program on a device, with the tensors that it makes itself."""
    from torch.export.passes import move_to_device_pass

    return _Exported(move_to_device_pass(program, device))


def _refuse_pickled_parts(path: Path, name: str) -> None:
    """Refuse what `torch.export.load` would unpickle, or load as compiled code.

    Raises:
        ValueError: there is such a part.
    """
    with zipfile.ZipFile(path) as archive:
        inside = {one.partition("/")[2]: one for one in archive.namelist()}
        pickled = [one for one in inside if _is_pickled(one, archive, inside[one])]
    if native := [one for one in inside if "aotinductor" in one or one.endswith((".so", ".pyd"))]:
        raise ValueError(
            f"{name} holds compiled code ({native[0]}), which is not run; save the exported "
            "program alone:\n" + HOW_TO_EXPORT
        )
    if pickled:
        raise ValueError(
            f"{name} has pickled parts ({', '.join(sorted(pickled)[:3])}), which could "
            "run any code when they are opened; export a network of plain dense "
            "tensors, which needs none:\n" + HOW_TO_EXPORT
        )


def _is_pickled(part: str, archive: zipfile.ZipFile, member: str) -> bool:
    if part.endswith("_config.json"):
        entries = json.loads(archive.read(member)).get("config", {}).values()
        return any(
            entry.get("use_pickle") or "_obj_" in str(entry.get("path_name")) for entry in entries
        )
    if part.startswith("data/sample_inputs/"):
        content = archive.read(member)
        try:
            if content:
                torch.load(io.BytesIO(content), weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError):
            return True
        return False
    return part.endswith((".pt", ".pkl", ".pickle"))


def open_script(path: Path, name: str) -> Program:
    """Open a TorchScript module.

    Args:
        path: of the file.
        name: what the user calls it, for the message.

    Raises:
        ValueError: it can't be read by this version of torch.
    """
    try:
        with warnings.catch_warnings():
            # torch 2.14 advises to write other files; those that people hold are still read.
            warnings.filterwarnings("ignore", r".*torch\.jit\.load.* is deprecated", FutureWarning)
            module = torch.jit.load(path, map_location="cpu")
    except (RuntimeError, ValueError) as error:
        text = f"{name} can't be opened by torch {torch.__version__} ({_short(error)})"
        raise ValueError(text) from error
    return Program(module)
