"""What metrics know of the real images: made once and kept in the cache, by content."""

import hashlib
import sys
import sysconfig
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

from safetensors.torch import load_file, save
from torch import Tensor

from coequal.contract import ImageSet, Log, Metric
from coequal.files import atomic_write, file_name, from_cache

Sets = tuple[ImageSet, ImageSet | None]  # real, and train where it is wanted


def cached_reference(
    name: str, part: Metric, key: str, cache: Path, sets: Callable[[], Sets], log: Log
) -> Mapping[str, Tensor]:
    """`part.reference` of the sets, on the CPU; of a key that is known, from the cache.

    A file of the cache that can't be read (a full disk, a copy that was cut) is made again.

    Args:
        name: of the metric.
        part: the metric, with its settings.
        key: of all images, of the encoder and of the device that isn't the CPU; fit for a file's
            name.
        cache: the folder of all caches.
        sets: gives the images, if they are needed.
        log: is told of a damaged file.
    """
    path = cache / "references" / f"{key}-{_file_of(name, part)}.safetensors"

    def write() -> None:
        reference = part.reference(*sets())
        atomic_write(path, save({k: v.cpu().contiguous() for k, v in reference.items()}))

    return from_cache(path, load_file, write, log)


def _file_of(name: str, part: Metric) -> str:
    """For the file of a part's reference: one that has other settings, or is written in another
    way, has another."""
    plain = file_name(name)  # of somebody's own: "my_lab.metrics:Mine"
    told = "" if part == type(part)() else repr(part)
    if not type(part).__module__.startswith("coequal."):  # a change may have kept its version
        told += source_digest(type(part))
    digest = f"-{hashlib.sha256(told.encode()).hexdigest()[:8]}" if told else ""
    return f"{plain}-{part.version}{digest}"


def source_digest(kind: type) -> str:
    """SHA-256 of the files that a class from outside the package is written in: its module, those
    of the classes that it extends, and all that these have imported from beside them."""
    pending = [sys.modules[base.__module__] for base in kind.__mro__ if _is_outside(base)]
    found: dict[str, Path] = {}
    while pending:
        module = pending.pop()
        path = getattr(module, "__file__", None)
        if path is None or module.__name__ in found:
            continue
        found[module.__name__] = Path(path)
        names = {
            one.__name__ if isinstance(one, ModuleType) else getattr(one, "__module__", None)
            for one in vars(module).values()
        }
        others = (
            sys.modules[name] for name in names if isinstance(name, str) and name in sys.modules
        )
        pending += [other for other in others if _beside(module, other)]
    digest = hashlib.sha256()
    for name, path in sorted(found.items()):
        digest.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _is_outside(base: type) -> bool:
    """Whether somebody's own module defines a class: not the package, Python or a library."""
    path = getattr(sys.modules.get(base.__module__), "__file__", None)
    package = base.__module__.partition(".")[0]
    return path is not None and package not in ("coequal", "pydantic", *sys.stdlib_module_names)


def _beside(module: ModuleType, other: ModuleType) -> bool:
    """Whether a module belongs to the same package as another, or lies in the same folder, which
    isn't the one that all installed packages lie in."""
    if module.__name__.partition(".")[0] == other.__name__.partition(".")[0]:
        return True
    here, there = module.__file__, getattr(other, "__file__", None)
    if here is None or there is None:
        return False
    folder = Path(here).parent
    return folder == Path(there).parent and str(folder) not in sysconfig.get_paths().values()
