"""What an encoder must do on a device that is not the CPU."""

import torch
from torch import Tensor

from coequal.contract import Encoder
from foreign import ForeignDevice, values_of


def require_same_elsewhere(encoder: Encoder, images: Tensor, atol: float = 0.0) -> None:
    """Require that an encoder computes on another device what it computes on the CPU; it stays
    there.

    Args:
        encoder: on the CPU, with batches of one size on all devices.
        images: on the CPU.
        atol: by how much numbers may differ where another filter resizes the images.
    """
    wanted, id = encoder.features(images), encoder.id
    classes = encoder.probabilities(wanted)
    with ForeignDevice() as foreign:
        moved = encoder.to(foreign.device)
        assert moved is encoder
        assert (moved.id, moved.device) == (id, foreign.device)
        for given in (images, images.to(foreign.device)):
            with foreign.no_waiting():
                found = moved.features(given)
            same(found, wanted, atol)
        for features in (found, wanted):  # those of a file lie on the CPU
            with foreign.no_waiting():
                probabilities = moved.probabilities(features)
            assert (probabilities is None) == (classes is None)
            if probabilities is not None and classes is not None:
                same(probabilities, classes, atol)


def same(found: Tensor, wanted: Tensor, atol: float) -> None:
    assert found.device == torch.device("meta")
    assert found.dtype == torch.float32
    torch.testing.assert_close(values_of(found), wanted, atol=atol, rtol=0)
