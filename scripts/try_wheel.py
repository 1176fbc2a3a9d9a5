"""Build the distributions, check their contents, and run a study with the wheel alone.

    python scripts/try_wheel.py                       the wheel beside the torch of this environment
    python scripts/try_wheel.py --torch download      nothing but what the wheel asks for
    python scripts/try_wheel.py --python python3.13 --torch download

The wheel is installed by pip into a new virtual environment in a temporary folder, together with
the dependencies that its metadata names. torch and what belongs to it (5 GB with CUDA) are hard
links to the files of the environment that runs this script, unless they are to be downloaded. Then
the built-in study `smoke` runs there, offline and with an empty cache, and one of its trials is
verified.

Needs the package `build` and git; `make wheel` installs `build`.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterable
from email import message_from_bytes
from importlib.metadata import Distribution, distributions
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = "src/coequal/"
TORCH = re.compile(r"torch|torchvision|triton|nvidia[-_].*|cuda[-_].*")
"""Distributions that are linked: torch and the libraries of CUDA."""

WHEEL_LIMIT, SDIST_LIMIT = 8e6, 10e6  # bytes: 3.7 MB and 4.1 MB, most of it weights of encoders
BESIDES = {"METADATA", "RECORD", "WHEEL", "entry_points.txt"}
LICENCES = {"licenses/LICENSE", "licenses/src/coequal/datasets/digits.LICENSE"}


def main() -> None:
    """Build, look, install and run; the first thing that is wrong ends the script."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="coequal-wheel-") as text:
        folder = Path(text)
        wheel, sdist = build(folder / "dist")
        look_into_wheel(wheel)
        look_into_sdist(sdist)
        _say(f"{wheel.name}: {_megabytes(wheel)}; {sdist.name}: {_megabytes(sdist)}")
        python = install(wheel, folder / "environment", options.python, options.torch == "download")
        run(python, folder / "elsewhere")
    _say("The wheel runs the smoke study without the repository.")


def build(folder: Path) -> tuple[Path, Path]:
    """Build the sdist of the repository, and the wheel from that sdist, as an installer would.

    Returns:
        The paths of the wheel and of the sdist.
    """
    _call(sys.executable, "-m", "build", "--outdir", folder, REPOSITORY, quiet=True)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


def look_into_wheel(path: Path) -> None:
    """Refuse a wheel that lacks a file of the package, or that holds anything else."""
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        text = message_from_bytes(wheel.read(metadata))
    information = metadata.removesuffix("METADATA")
    tracked = {name.removeprefix("src/") for name in _tracked() if name.startswith(PACKAGE)}
    wanted = tracked | {information + name for name in BESIDES | LICENCES}
    _demand(names == wanted, f"{path.name} differs in {sorted(names ^ wanted)}")
    description = str(text.get_payload())
    links = re.findall(
        r"\]\((?!https?://)[^)]*\)|(?:src|href)=\"(?!https?://)[^\"]*\"", description
    )
    _demand(not links, f"the description has links that lead nowhere: {links}")
    _demand(text["Description-Content-Type"] == "text/markdown", "the description is no Markdown")
    _demand(path.stat().st_size < WHEEL_LIMIT, f"the wheel has {_megabytes(path)}")


def look_into_sdist(path: Path) -> None:
    """Refuse an sdist that lacks a file of the package or its tests, or holds published results."""
    with tarfile.open(path) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    texts = ("README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff")
    wanted = ("src/", "tests/", "examples/", *texts)
    missing = {name for name in _tracked() if name.startswith(wanted)} - names
    _demand(not missing, f"{path.name} lacks {sorted(missing)}")
    published = [name for name in names if name.startswith(("docs/results/", "docs/images/"))]
    _demand(not published, f"{path.name} holds {published[:3]}")
    _demand(path.stat().st_size < SDIST_LIMIT, f"the sdist has {_megabytes(path)}")


def install(wheel: Path, folder: Path, python: str, download: bool) -> Path:
    """Install the wheel and what it asks for into a new environment.

    Args:
        wheel: its path.
        folder: of the environment; it is made.
        python: the interpreter that makes the environment.
        download: whether torch comes from the package index, too, instead of from this environment.

    Returns:
        The interpreter of the environment.
    """
    _call(python, "-m", "venv", folder)
    new = folder / "bin" / "python"
    if not download:
        version = "import sys; print(*sys.version_info[:2])"
        same = _ask(new, "-c", version) == _ask(sys.executable, "-c", version)
        _demand(same, "torch of another version of Python can't be linked; use --torch download")
        site = Path(_ask(new, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"))
        link([one for one in distributions() if TORCH.fullmatch(one.name)], site)
    started = time.monotonic()
    _call(new, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
    _call(new, "-m", "pip", "check", "--disable-pip-version-check")
    _say(f"Installed in {time.monotonic() - started:.0f} s.")
    return new


def link(found: Iterable[Distribution], site: Path) -> None:
    """Link files of distributions into another environment; copy them to another file system."""
    for distribution in found:
        for file in distribution.files or ():
            source, target = Path(str(distribution.locate_file(file))), site / file
            if ".." in file.parts or not source.is_file():  # scripts, and caches that are gone
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(source, target)
            except OSError:
                shutil.copy2(source, target)


def run(python: Path, folder: Path) -> None:
    """Run the smoke study and verify one of its trials with the environment of an interpreter.

    Args:
        python: the interpreter.
        folder: where; it is made, and nothing of the repository is in it.
    """
    folder.mkdir()
    environment = {
        "PATH": f"{python.parent}{os.pathsep}{os.defpath}",
        "HOME": str(folder),
        "COEQUAL_CACHE": str(folder / "cache"),
        "COEQUAL_OFFLINE": "1",
    }
    inside = {"cwd": folder, "env": environment}
    where = _ask(python, "-c", "import coequal; print(coequal.__file__)", **inside)
    _demand(Path(where).is_relative_to(python.parent.parent), f"{where} is not of the wheel")
    coequal = python.parent / "coequal"
    _call(coequal, "run", "smoke", "--out", "smoke", **inside)
    _call(coequal, "verify", "smoke", "--trials", "1", **inside)
    wanted = [folder / "smoke" / name for name in ("results.csv", "report/index.html")]
    _demand(all(map(Path.is_file, wanted)), "the study left no results or no report")


def _tracked() -> list[str]:
    return _ask("git", "-C", REPOSITORY, "ls-files").splitlines()


def _ask(*words: object, **how: object) -> str:
    done = subprocess.run([*map(str, words)], check=True, capture_output=True, text=True, **how)
    return done.stdout.strip()


def _call(*words: object, quiet: bool = False, **how: object) -> None:
    _say("$ " + " ".join(map(str, words)))
    output = subprocess.DEVNULL if quiet else None
    subprocess.run([*map(str, words)], check=True, stdout=output, **how)


def _demand(true: bool, message: str) -> None:
    if not true:
        sys.exit(f"try_wheel: {message}")


def _say(text: str) -> None:
    print(text, flush=True)


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--python", default=sys.executable, help="interpreter of the environment")
    parser.add_argument(
        "--torch", choices=["link", "download"], default="link", help="where torch comes from"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
