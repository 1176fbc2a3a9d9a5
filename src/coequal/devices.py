"""What torch computes on: "cpu", "cuda", "cuda:1", "mps"."""


def refuse_missing(device: str) -> None:
    """Refuse a device that torch does not know or this machine does not have.

    Args:
        device: as a user writes it.

    Raises:
        ValueError: it is so; the message says what would do.
    """
    import torch

    try:
        kind = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"device '{device}' is not one of cpu, cuda, cuda:0, mps") from error
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there.get(kind.type, False):
        raise ValueError(f"device '{device}': torch {torch.__version__} sees none here; use cpu")
    if kind.type == "cuda" and (kind.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"device '{device}': there are {torch.cuda.device_count()} GPUs")
