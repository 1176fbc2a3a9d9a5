"""What a result may depend on besides its trial: versions, code and processor, as plain words.

Two machines are "the same" for coequal if every field is: then the same trial gives the same bits.
"""

import hashlib
import os
import platform
import re
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import scipy.linalg  # noqa: F401  (so that its BLAS is there to be asked)
import torch
from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

from coequal import __version__
from coequal.devices import Precision, precision_on
from coequal.trial.context import WorkerContext

NUMERIC = ("torch", "torchvision", "numpy", "scipy", "pillow", "safetensors")
"""Distributions whose versions may change a number."""

OPTIONAL = ("transformers", "efficientnet-lite-pytorch")
"""The same, recorded where they are installed."""

KERNEL_VARIABLES = (
    *("ATEN_CPU_CAPABILITY", "MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "ONEDNN_MAX_CPU_ISA"),
    *("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES", "CUBLAS_WORKSPACE_CONFIG"),
)
"""Variables of a shell by which somebody chooses other kernels of the numeric libraries."""

UNKNOWN = "unknown"


def environment(context: WorkerContext) -> dict[str, str]:
    """Versions, code and hardware on which a result may depend besides its trial.

    Nothing in it names a machine, a person or a folder.

    Args:
        context: of the worker, for its device and its threads.
    """
    return {
        "coequal": __version__,
        "code": _code(),
        "commit": _commit(),
        "python": platform.python_version(),
        **_versions(),
        "system": platform.platform(),
        "processor": _processor(),
        "cpu capability": torch.backends.cpu.get_cpu_capability(),
        "blas": _blas(),
        "kernels": os.environ.get("COEQUAL_KERNELS", "own"),
        "kernel variables": _kernel_variables(),
        **_device(context.device),
        "threads": str(context.threads),
    }


@cache
def _versions() -> dict[str, str]:
    """Versions of the numeric libraries, and of those that are built into torch and numpy."""
    found = {name: _version(name) for name in (*NUMERIC, *OPTIONAL)}
    versions = {name: text or UNKNOWN for name, text in found.items() if text or name in NUMERIC}
    versions["torch"] = torch.__version__  # names its build, too: 2.14.1+cu130
    inside = torch.__config__.show()
    for name, pattern in (
        ("MKL", r"Math Kernel Library Version (\S+?)-"),
        ("oneDNN", r"DNN v(\S+)"),
    ):
        if match := re.search(pattern, inside):
            versions[name] = match[1]
    return versions


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


@cache
def _code() -> str:
    """The start of a SHA-256 over every file of the package: equal for a wheel and a checkout of
    one state of the code."""
    package = Path(__file__).parent.parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(package).as_posix()} {content}\n".encode())
    return digest.hexdigest()[:16]


@cache
def _commit() -> str:
    """The last commit that changed the package, with "+ changes" where there are some that are not
    committed; of a package in no repository its version."""
    package = Path(__file__).parent.parent
    last = _git(package, "log", "-1", "--format=%H", "--", ".")
    if not last:
        return f"not known, version {__version__}"
    changed = _git(package, "status", "--porcelain", "--", ".")
    return f"{last[:12]} + changes" if changed else last[:12]


def _git(folder: Path, *words: str) -> str:
    """What git says in a folder; empty where there is no git, or no repository."""
    try:
        told = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return told.stdout.strip()


def _processor() -> str:
    """The processor's name, and what tells its generation where the name does not."""
    fields = _cpuinfo()
    name = fields.get("model name") or platform.processor() or platform.machine()
    known = [fields[key] for key in ("cpu family", "model", "stepping") if key in fields]
    return f"{name} ({'.'.join(known)})" if known else name


@cache
def _cpuinfo() -> dict[str, str]:
    """What Linux says of the first processor; empty elsewhere."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return {}
    first = text.strip().split("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _blas() -> str:
    """The BLAS libraries of numpy and scipy with the kernels that they chose for the processor, and
    the instructions that numpy uses; their threads are always one where numbers are computed."""
    libraries = {
        " ".join(filter(None, map(library.get, ("internal_api", "version", "architecture"))))
        for library in threadpool_info()
        if library["user_api"] == "blas"
    }
    simd = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    return "; ".join([*sorted(libraries), f"numpy with {' '.join(simd) or 'its baseline'}"])


def _kernel_variables() -> str:
    given = [f"{name}={os.environ[name]}" for name in KERNEL_VARIABLES if name in os.environ]
    return " ".join(given) or "none"


def _device(device: str) -> dict[str, str]:
    """The device's name; of a GPU also what computes on it."""
    if not device.startswith("cuda"):
        return {"device": device}
    try:
        name = torch.cuda.get_device_name(device)
    except (RuntimeError, AssertionError):  # a coordinator without a GPU speaks for a dead trial
        return {"device": device}
    return {
        "device": name,
        "cuda": str(torch.version.cuda),
        "cudnn": str(torch.backends.cudnn.version()),
        "tf32": str(precision_on(torch.device(device)) == Precision.tf32),
    }
