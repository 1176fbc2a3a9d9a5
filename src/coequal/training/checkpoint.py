"""A training run on disk: safetensors for every tensor, JSON for every number. Nothing is ever
unpickled."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from safetensors.torch import save as as_bytes
from torch import Tensor

from coequal.checkpoints import Spent
from coequal.files import atomic_write
from coequal.training.loop import Trainer

FORMAT = 1
LATER = (
    "adam/",
    "curves/",
    "tricks/",
    "health/",
)  # keys that a trainer has only after its first step


def save(trainer: Trainer, folder: Path) -> None:
    """Write everything that `restore` needs to go on bit for bit; the folder appears whole or not
    at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        numbers: dict[str, Any] = {
            "format": FORMAT,
            "spent": asdict(trainer.spent),
            "epoch": trainer.batches.epoch,
            "position": trainer.batches.position,
            "flops_of_moves": trainer.flops_of_moves,
        }
        content = as_bytes(tensors(trainer))
        numbers["sha256"] = hashlib.sha256(content).hexdigest()
        atomic_write(draft / "state.safetensors", content)
        atomic_write(draft / "state.json", (json.dumps(numbers, indent=1) + "\n").encode())
        old = folder.with_name(f".{folder.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.rename(old)
        draft.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def restore(trainer: Trainer, folder: Path) -> None:
    """Put a freshly built trainer where `save` was called.

    Raises:
        FileNotFoundError: a file of it is missing.
        ValueError, KeyError, SafetensorError, RuntimeError: it is damaged, or was made for other
            nets or another objective, or by a newer version. The trainer may have been changed.
    """
    numbers = json.loads((folder / "state.json").read_text())
    if numbers["format"] != FORMAT:
        raise ValueError(f"{folder} has format {numbers['format']}; this version reads {FORMAT}")
    with (folder / "state.safetensors").open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if numbers.get("sha256", digest) != digest:  # checkpoints of older versions have none
        raise ValueError(f"{file.name} is not as it was written: its SHA-256 is another")
    saved = load_file(folder / "state.safetensors")
    wanted = {key for key in tensors(trainer) if not key.startswith(LATER)}
    found = {key for key in saved if not key.startswith(LATER)}
    if wanted != found:
        raise ValueError(f"{folder} is of another model: {', '.join(sorted(wanted ^ found)[:5])}")
    for player, net in trainer.nets().items():
        net.load_state_dict(_part(saved, f"nets/{player}/"))
        _restore_optimiser(trainer, player, _part(saved, f"adam/{player}/"))
    if trainer.average is not None:
        trainer.average.load_state_dict(_part(saved, "average/"))
    state = _part(saved, "objective/")
    trainer.state = {name: value.to(trainer.device) for name, value in state.items()}
    for name, stream in trainer.streams.items():
        stream.restore(saved[f"streams/{name}"])
    trainer.curves.restore(_part(saved, "curves/"))
    trainer.batches.restore(numbers["epoch"], numbers["position"])
    trainer.flops_of_moves = dict(numbers["flops_of_moves"])
    trainer.spent = Spent(**numbers["spent"])
    if trainer.monitor is not None and "health/rows" in saved:
        trainer.monitor.restore(_part(saved, "health/"))
    trainer.active_tricks.restore(_part(saved, "tricks/"), trainer.steps_done, trainer.device)


def tensors(trainer: Trainer) -> dict[str, Tensor]:
    """All tensors of a training run as a checkpoint holds them: copies on the CPU, by name."""
    found: dict[str, Tensor] = {}
    for player, net in trainer.nets().items():
        found |= {f"nets/{player}/{key}": value for key, value in net.state_dict().items()}
        moments = trainer.optimisers[player].state_dict()["state"]
        for index, values in moments.items():
            kept = {key: value for key, value in values.items() if value is not None}
            found |= {f"adam/{player}/{index}/{key}": value for key, value in kept.items()}
    if trainer.average is not None:
        found |= {f"average/{key}": value for key, value in trainer.average.state_dict().items()}
    found |= {f"objective/{key}": value for key, value in trainer.state.items()}
    found |= {f"streams/{name}": stream.state() for name, stream in trainer.streams.items()}
    found |= {f"curves/{key}": value for key, value in trainer.curves.state().items()}
    found |= {f"tricks/{key}": value for key, value in trainer.active_tricks.state().items()}
    if trainer.monitor is not None:
        found |= {f"health/{key}": value for key, value in trainer.monitor.state().items()}
    return {key: value.detach().contiguous().cpu().clone() for key, value in found.items()}


def _restore_optimiser(trainer: Trainer, player: str, saved: Mapping[str, Tensor]) -> None:
    optimiser = next(o for name, o in trainer.optimisers.items() if name == player)
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in saved.items():
        index, _, name = key.partition("/")
        state.setdefault(int(index), {})[name] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})


def _part(saved: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        key.removeprefix(prefix): value for key, value in saved.items() if key.startswith(prefix)
    }
