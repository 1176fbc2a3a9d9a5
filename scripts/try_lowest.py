"""Run the tests with the lowest versions of all dependencies that pyproject.toml allows.

    python scripts/try_lowest.py            those folders of tests that use every dependency
    python scripts/try_lowest.py tests      all tests, or a selection, as for pytest

uv resolves the dependencies and all extras to their lowest versions, and installs them, with the
newest tools for testing, into the virtual environment `.venv-lowest`. Warnings are errors here,
too, but for those of libraries about other libraries, which nothing in coequal can change.

`make lowest` installs uv and runs this.
"""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
ENVIRONMENT = REPOSITORY / ".venv-lowest"
UV = (sys.executable, "-m", "uv", "--quiet")

FOLDERS = (
    *("datasets", "encoders", "execution", "generators", "inputs", "report"),
    *("results", "serve", "study", "trial", "verification"),
)
"""Between them they use every dependency and every extra."""

IGNORED = (
    # matplotlib 3.8 calls pyparsing by its old names.
    "ignore::pyparsing.warnings.PyparsingDeprecationWarning",
    # Typer before 0.27 imports names that click 8.5 deprecates.
    "ignore:'click.:DeprecationWarning",
    # torch 2.9 reads its own exported programs so, and asks for switches by their old names.
    "ignore:The given buffer is not writable:UserWarning",
    "ignore:Please use the new API settings to control TF32:UserWarning",
)

DESELECTED = (
    # The places from which torchvision downloads MNIST are those of its newest version.
    "tests/datasets/test_mnist.py::test_the_downloads_are_torchvisions",
    # Pillow before 13 can't read what it has written: refused by one message that says so.
    "tests/inputs/test_python_pictures.py::test_pictures_in_memory_are_those_of_their_files[YCbCr]",
)


def main() -> None:
    """Install, then run the tests; the exit code is pytest's."""
    python = install()
    tests = sys.argv[1:] or [f"tests/{name}" for name in FOLDERS]
    ignored = [word for text in IGNORED for word in ("-W", text)]
    left_out = [f"--deselect={name}" for name in DESELECTED]
    command = [python, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal", *ignored, *left_out]
    sys.exit(subprocess.run([*command, *tests], cwd=REPOSITORY, check=False).returncode)


def install() -> Path:
    """Install coequal, its dependencies and the tools for testing.

    Returns:
        The interpreter of the environment.
    """
    python = ENVIRONMENT / "bin" / "python"
    pins = ENVIRONMENT / "lowest.txt"
    if not python.is_file():
        _call(*UV, "venv", "--python", sys.executable, ENVIRONMENT)
    lowest = ("--resolution", "lowest-direct", "--all-extras", "--python", python)
    _call(*UV, "pip", "compile", "pyproject.toml", *lowest, "--output-file", pins)
    _call(*UV, "pip", "install", "--python", python, "--requirements", pins)
    _call(*UV, "pip", "install", "--python", python, "--constraints", pins, "--group", "dev")
    _call(*UV, "pip", "install", "--python", python, "--no-deps", "--editable", ".")
    return python


def _call(*words: object) -> None:
    subprocess.run([*map(str, words)], cwd=REPOSITORY, check=True)


if __name__ == "__main__":
    main()
