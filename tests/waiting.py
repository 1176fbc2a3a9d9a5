"""Wait for what another process does, however busy the machine is."""

import subprocess
import time
from collections.abc import Callable

HANGS = 900  # seconds after which a test that waits for what never comes is ended
HOUR = 3600  # seconds that a call sleeps which something else is to end: longer than any wait


def until(there: Callable[[], bool], what: str, of: subprocess.Popen[bytes] | None = None) -> None:
    """Return as soon as a condition holds; fail if the process `of` that is to fulfil it ends
    without it."""
    end = time.monotonic() + HANGS
    while not there():
        ended = of is not None and of.poll() is not None
        assert there() or not ended, f"the process ended without {what}"
        assert time.monotonic() < end, f"still waiting for {what}"
        time.sleep(0.02)
