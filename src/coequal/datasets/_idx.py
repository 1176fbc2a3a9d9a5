"""MNIST and its kin: four files in the IDX format (a magic number, the sizes, the bytes)."""

import math
import struct
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from coequal.contract import Dataset, Split
from coequal.datasets._published import Contents
from coequal.datasets._splits import hold_out

_UINT8 = 0x08
_TRAINING_PER_HELD_OUT = 6  # 10,000 of 60,000 are for validation


def read_idx_files(name: str, contents: Contents, classes: tuple[str, ...]) -> Dataset:
    """The dataset in `train-` and `t10k-` images and labels.

    A sixth of the official training images is held out for validation.

    Args:
        name: Of the dataset; the draw of the validation images depends on it.
        contents: The four files by their published names.
        classes: Names of the labels 0, 1, ...

    Raises:
        ValueError: A file is not in the IDX format.
    """
    arrays = {file: parse_idx(raw, file) for file, raw in contents.files.items()}
    official = _pair(arrays, "train")
    train, validation, note = hold_out(official, len(official) // _TRAINING_PER_HELD_OUT, name)
    return Dataset(
        name=name,
        train=train,
        validation=validation,
        test=_pair(arrays, "t10k"),
        classes=classes,
        notes=(note, *contents.notes()),
    )


def _pair(arrays: Mapping[str, Tensor], part: str) -> Split:
    images, labels = arrays[f"{part}-images-idx3-ubyte"], arrays[f"{part}-labels-idx1-ubyte"]
    return Split(images.unsqueeze(1), labels.long())


def parse_idx(raw: bytes, name: str) -> Tensor:
    """The uint8 array of an unpacked IDX file.

    Args:
        raw: The bytes of the file.
        name: Of the file, for the messages.

    Raises:
        ValueError: The file is not IDX, not of uint8, or not as long as its header announces.
    """
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[3] == 0:
        raise ValueError(f"{name} is not an IDX file: it begins with {raw[:4].hex() or 'nothing'}")
    if raw[2] != _UINT8:
        raise ValueError(f"{name} holds IDX type 0x{raw[2]:02x}; only 0x08 (uint8) is read")
    axes = raw[3]
    start = 4 + 4 * axes
    if len(raw) < start:
        raise ValueError(f"{name} ends within its header: {len(raw)} of {start} bytes")
    shape = struct.unpack(f">{axes}I", raw[4:start])
    wanted = start + math.prod(shape)
    if len(raw) != wanted:
        form = "x".join(map(str, shape))
        state = "truncated" if len(raw) < wanted else "too long"
        raise ValueError(f"{name} is {state}: {len(raw)} bytes, and {form} values need {wanted}")
    return torch.from_numpy(np.frombuffer(raw, np.uint8, offset=start).reshape(shape).copy())
