"""What metrics know of the real images: made once and kept in the cache, by content."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from safetensors.torch import load_file, save
from torch import Tensor

from coequal.contract import ImageSet, Metric
from coequal.files import atomic_write, file_name

Sets = tuple[ImageSet, ImageSet | None]  # real, and train where it is wanted


def cached_reference(
    name: str, part: Metric, key: str, cache: Path, sets: Callable[[], Sets]
) -> Mapping[str, Tensor]:
    """`part.reference` of the sets; of a key that is known, from the cache.

    Args:
        name: of the metric.
        part: the metric, with its settings.
        key: of all images and of the encoder; fit for a file's name.
        cache: the folder of all caches.
        sets: gives the images, if they are needed.
    """
    path = cache / "references" / f"{key}-{_file_of(name, part)}.safetensors"
    if not path.exists():
        reference = part.reference(*sets())
        atomic_write(path, save({k: v.contiguous() for k, v in reference.items()}))
    return load_file(path)


def _file_of(name: str, part: Metric) -> str:
    """For the file of a part's reference: one that has other settings has another."""
    plain = file_name(name)  # of somebody's own: "my_lab.metrics:Mine"
    if part == type(part)():
        return f"{plain}-{part.version}"
    return f"{plain}-{part.version}-{hashlib.sha256(repr(part).encode()).hexdigest()[:8]}"
