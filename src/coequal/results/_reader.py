"""A process that reads results for the index: `python -m coequal.results._reader FOLDER`.

Not a `multiprocessing` worker, which would import the caller's script again, and run it where that
has no `if __name__ == "__main__":`. Ids come in on standard input, a line per portion; portions go
out in order. `marshal`, and not `pickle`, for nobody but this very Python reads it.
"""

import marshal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from coequal.results.folder import RunFolder
from coequal.results.packed_result import Packed, read_packed, stamp

PORTION = 100  # results; some megabytes of text are read, and one is handed over
FEW = 2000  # results: a process takes longer to start than to read so many

Read = tuple[str, Packed | None, tuple[int, int] | None, str]
"""A trial's id, its result if it has one that can be used, the stamp of its file, what is wrong."""


def read_results(folder: RunFolder, keys: Sequence[str], processes: int) -> Iterator[Read]:
    """The results of trials, in the order of their ids; read side by side where they are many."""
    if len(keys) <= FEW or processes < 2:
        yield from (read_result(folder, key) for key in keys)
        return
    portions = [keys[start : start + PORTION] for start in range(0, len(keys), PORTION)]
    with ExitStack() as stack:
        readers = [
            _start(stack, folder, portions[number::processes]) for number in range(processes)
        ]
        for number in range(len(portions)):
            reader = readers[number % processes]
            assert reader.stdout is not None
            try:
                found = marshal.load(reader.stdout)
            except (EOFError, ValueError, TypeError) as error:
                raise OSError(f"a process that reads results ended ({reader.wait()})") from error
            for key, packed, file, wrong in found:
                yield key, None if packed is None else Packed(*packed), file, wrong


def read_result(folder: RunFolder, key: str) -> Read:
    """The result of one trial, or what is wrong with it."""
    # The stamp first: whatever changes the file after it is seen the next time.
    file = stamp(folder.trial_folder(key) / "result.json")
    try:
        return key, read_packed(folder, key), file, ""
    except ValueError as error:
        return key, None, file, str(error)


def _start(
    stack: ExitStack, folder: RunFolder, portions: Sequence[Sequence[str]]
) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "coequal.results._reader", str(folder.path.resolve())]
    reader = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    stack.callback(reader.wait)
    assert reader.stdin is not None
    assert reader.stdout is not None
    stack.callback(reader.stdout.close)
    stack.callback(reader.terminate)
    # All of the input at once: it reads that before it writes anything.
    with reader.stdin as ids:
        ids.write("".join(" ".join(portion) + "\n" for portion in portions).encode())
    return reader


def main() -> None:
    """Read what standard input names, write it to standard output."""
    folder = RunFolder(Path(sys.argv[1]))
    for line in sys.stdin.read().splitlines():
        found = [read_result(folder, key) for key in line.split()]
        plain = [(key, p if p is None else tuple(p), file, wrong) for key, p, file, wrong in found]
        marshal.dump(plain, sys.stdout.buffer)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
