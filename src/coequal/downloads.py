"""Files from an address, checked by a hash that is known beforehand; pooch does the work.

Nothing asks the network where COEQUAL_OFFLINE is set.
"""

import logging
import os
from pathlib import Path

import pooch

from coequal.contract import Log
from coequal.pace import Lines

RETRIES = 2

_BYTES_PER_READ = 1 << 20
_SECONDS_OF_SILENCE = 60
_SECONDS_OF_PROBE = 5


def reachable(url: str) -> bool:
    """Whether a server answers at an address, whatever it says.

    Args:
        url: http or https.
    """
    if os.environ.get("COEQUAL_OFFLINE"):
        return False
    try:
        pooch.HTTPDownloader(timeout=_SECONDS_OF_PROBE)(url, None, None, check_only=True)
    except OSError:
        return False
    return True


def download(url: str, known_hash: str, path: Path, log: Log) -> None:
    """Bring a file from an address; it is there whole and right, or not at all.

    A file that lies there already stays if it has the hash, and is replaced otherwise.

    Args:
        url: http or https.
        known_hash: "md5:..." or "sha256:..." of the bytes at that address.
        path: where to put them.
        log: is told of the start, of every tenth and of further attempts.

    Raises:
        OSError: no connection, another hash, no place on the disk, or COEQUAL_OFFLINE is set.
    """
    if os.environ.get("COEQUAL_OFFLINE"):
        raise OSError("COEQUAL_OFFLINE is set")
    pooch.get_logger().handlers = [_Handler(log)]
    source = pooch.create(
        path.parent,
        base_url="",
        registry={path.name: known_hash},
        urls={path.name: url},
        retry_if_failed=RETRIES,
    )
    downloader = pooch.HTTPDownloader(
        progressbar=_Megabytes(path.name, log),
        chunk_size=_BYTES_PER_READ,
        timeout=_SECONDS_OF_SILENCE,
    )
    try:
        source.fetch(path.name, downloader=downloader)
    except ValueError as error:  # another hash
        raise OSError(str(error)) from error
    path.chmod(0o644)  # pooch's are for their owner alone


class _Handler(logging.Handler):
    """Hands what pooch reports to a log: its own handler would write across a progress display."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self.log = log

    def emit(self, record: logging.LogRecord) -> None:
        self.log(record.getMessage())


class _Megabytes:
    """A progress bar as pooch wants it, of lines in a log."""

    def __init__(self, name: str, log: Log) -> None:
        self.name, self.lines = name, Lines(log)
        self.total = self.done = 0

    def update(self, count: int) -> None:
        """Count bytes; the last read may count for more than it brought."""
        self.done += count
        if self.total:
            done = min(self.done, self.total)
            line = f"{self.name}: {done / 1e6:.1f} of {self.total / 1e6:.1f} MB"
            self.lines.tell(line, last=done == self.total)

    def reset(self) -> None:
        """Begin to count anew."""
        self.done = 0

    def close(self) -> None:
        """Nothing is left to do."""
