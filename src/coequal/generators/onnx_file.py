"""Generators in ONNX files, which onnxruntime computes (extra `onnx`)."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from coequal.generators.programs import InputSpec, Program, RowsInBatches

_TYPES = {
    "tensor(float)": torch.float32,
    "tensor(float16)": torch.float16,
    "tensor(double)": torch.float64,
    "tensor(int64)": torch.int64,
    "tensor(int32)": torch.int32,
}


class OnnxNet(nn.Module):
    """A session of onnxruntime; gradients end here.

    Attributes:
        session: it.
        names: of its inputs.
    """

    def __init__(self, session: Any) -> None:
        """Wrap a session."""
        super().__init__()
        self.session = session
        self.names = [one.name for one in session.get_inputs()]

    def __deepcopy__(self, memo: dict[int, Any]) -> "OnnxNet":
        return self  # a session can't be copied, and has no state

    def forward(self, *given: Tensor) -> Tensor:
        """Its first output."""
        feeds = {
            name: part.detach().cpu().contiguous().numpy()
            for name, part in zip(self.names, given, strict=True)
        }
        first = self.session.get_outputs()[0].name
        return torch.from_numpy(self.session.run([first], feeds)[0])


def open_onnx(path: Path, name: str) -> Program:
    """Open an ONNX file; it is computed on the CPU, with torch's number of threads.

    Args:
        path: of the file.
        name: what the user calls it, for messages.

    Raises:
        ValueError: onnxruntime is missing, or can't open it, or it takes other inputs than tensors
            of numbers.
    """
    if find_spec("onnxruntime") is None:
        raise ValueError(f"{name}: ONNX files need the extra `onnx` (pip install 'coequal[onnx]')")
    runtime: Any = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors, which are raised as well
    try:
        session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its classes have no common one of their own
        text = " ".join(str(error).split())[:300]
        raise ValueError(
            f"{name} can't be opened by onnxruntime {runtime.__version__} ({text})"
        ) from error
    given = session.get_inputs()
    if unknown := [one for one in given if one.type not in _TYPES or not one.shape]:
        first = unknown[0]
        raise ValueError(
            f"{name}: its input {first.name} is {first.type} of shape {first.shape}; it must take "
            "latents, and perhaps labels, a row for each image"
        )
    inputs = tuple(
        InputSpec(one.name, tuple(_fixed(size) for size in one.shape[1:]), _TYPES[one.type])
        for one in given
    )
    batch = _fixed(given[0].shape[0])
    net = RowsInBatches(OnnxNet(session), inputs, batch)
    return Program(net, inputs, batch, differentiable=False)


def _fixed(size: Any) -> int | None:
    return size if isinstance(size, int) and size > 0 else None
