"""A package of Debian or Ubuntu, fetched and unpacked without root and without installing it."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from coequal.contract import Log

_SECONDS_PER_COMMAND = 600


def fetch_package(package: str, folder: Path, log: Log) -> Path:
    """The folder in which the package's files lie, as if it were the root of the file system.

    Args:
        package: Its name; the version is the one that the machine's sources give.
        folder: An empty folder to work in.
        log: Is told what takes long.

    Raises:
        OSError: The tools, the network or the package is missing; the message names which.
    """
    for tool in ("apt-get", "dpkg"):
        if shutil.which(tool) is None:
            raise OSError(f"there is no {tool} on this machine")
    log(f"downloading the Debian package {package} (without root and without installing it)")
    try:
        _call(["apt-get", "download", package], folder)
    except OSError as error:
        log(f"reading Debian's package lists into {folder}")
        _download_with_private_lists(package, folder, str(error))
    packages = sorted(folder.glob(f"{package}_*.deb"))
    if not packages:
        raise OSError(f"apt-get download {package} wrote no package")
    root = folder / "root"
    _call(["dpkg", "-x", str(packages[0]), str(root)], folder)
    return root


def _download_with_private_lists(package: str, folder: Path, before: str) -> None:
    """Download with lists of our own: the machine's may be missing, old, or root's to write."""
    state, cache = folder / "state", folder / "cache"
    (state / "lists" / "partial").mkdir(parents=True)
    (cache / "archives" / "partial").mkdir(parents=True)
    apt = [
        "apt-get",
        *("-o", f"Dir::State={state}"),
        *("-o", f"Dir::State::lists={state / 'lists'}"),
        *("-o", f"Dir::Cache={cache}"),
        *("-o", "Debug::NoLocking=1"),
        # As root, apt would hand the work to a user who can't write into this folder.
        *("-o", "APT::Sandbox::User=root"),
    ]
    failures = [before]
    # An update fails if only one of many sources does: whether it was enough, the download tells.
    for command in ([*apt, "update"], [*apt, "download", package]):
        try:
            _call(command, folder)
        except OSError as error:
            failures.append(str(error))
            if command[-1] == package:
                raise OSError("; then, with lists of its own: ".join(failures)) from error


def _call(command: Sequence[str], folder: Path) -> None:
    shown = f"{command[0]} {' '.join(command[-2:])}"
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS_PER_COMMAND,
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{shown} took more than {_SECONDS_PER_COMMAND} seconds") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith(("E:", "dpkg"))]
        reason = " ".join(lines or done.stderr.splitlines()[-1:])
        raise OSError(f"{shown} ended with {done.returncode}: {reason}")
