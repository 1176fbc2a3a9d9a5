"""The index's file: where it lies, how it is opened, and when it can't be.

WAL lets any number of readers look on while the one writer works, but shares memory between them,
which no network file system can (sqlite.org/wal.html): there the file has a rollback journal.
"""

import hashlib
import os
import platform
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coequal.results.folder import RunFolder
from coequal.results.lock import lock

VERSION = 2  # of the schema, in `PRAGMA user_version`; an older index is made anew
PAGE = 32768  # bytes; some results of 400 numbers to a page
PATIENCE = 30.0  # seconds to wait for another process in the middle of a transaction
MOUNTS = Path("/proc/self/mountinfo")  # Linux alone has it
NETWORK = (
    *("nfs", "cifs", "smb", "9p", "afs", "lustre", "beegfs", "gpfs", "ceph", "glusterfs"),
    *("panfs", "orangefs", "virtiofs", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph"),
)

SCHEMA = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE environment (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE layout (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE trial (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  place INTEGER,                -- in the plan; NULL: the plan does not name it
  model TEXT NOT NULL,
  data TEXT NOT NULL,
  description TEXT NOT NULL,    -- JSON
  status TEXT,                  -- NULL: no result yet
  reason TEXT,
  spent TEXT,                   -- JSON
  seconds REAL,
  notes TEXT,                   -- JSON
  health TEXT,                  -- JSON: verdict, step, evidence; NULL: was not watched
  environment INTEGER REFERENCES environment (id),
  size INTEGER,                 -- of result.json, as it was read
  changed INTEGER               -- when it was written, ns since 1970
) STRICT;
CREATE TABLE measured (
  trial INTEGER PRIMARY KEY REFERENCES trial (id),
  clock TEXT NOT NULL,          -- JSON, by checkpoint: its step, then what was spent
  layout INTEGER NOT NULL REFERENCES layout (id),
  numbers BLOB NOT NULL         -- float64
) STRICT;
"""
INDEXES = """
CREATE INDEX trial_by_place ON trial (place, key, model, status, seconds, changed);
"""


def index_path(folder: RunFolder) -> Path:
    """Where the index of a run lies: in its folder, or in the folder COEQUAL_INDEX."""
    elsewhere = os.environ.get("COEQUAL_INDEX")
    if not elsewhere:
        return folder.path / "index.sqlite"
    place = folder.path.resolve()
    name = hashlib.sha256(str(place).encode()).hexdigest()[:12]
    return Path(elsewhere).expanduser() / f"{place.name}-{name}.sqlite"


def connect_to_read(path: Path) -> sqlite3.Connection:
    """A look at an index, which never changes it and holds up no writer for long.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it can't be read, or a newer version wrote it.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there; `coequal collect` makes it")
    with sqlite_errors(path):
        try:
            return _opened(path, "mode=ro")
        except sqlite3.OperationalError:
            # A folder that may not be written, in which a reader can't share its view with others.
            if path.with_name(f"{path.name}-wal").exists():
                raise
            return _opened(path, "mode=ro&immutable=1")


def connect_to_write(path: Path) -> sqlite3.Connection:
    """An index that is there, for its one writer (see `writer_lock`).

    Raises:
        FileNotFoundError: there is none.
        ValueError: it can't be read, or a newer version wrote it.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there; `coequal collect` makes it")
    with sqlite_errors(path):
        connection = _opened(path, "mode=rw")
        connection.execute(f"PRAGMA journal_mode = {journal(path)}")
        connection.execute("PRAGMA synchronous = FULL")
    return connection


def draft_path(path: Path) -> Path:
    """Where an index is made, before it takes its place whole."""
    return path.with_name(f".{path.name}.making")


def begin_draft(path: Path) -> sqlite3.Connection:
    """A new index beside the place that it will take; quick, and of no worth until it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_path(path)
    draft.unlink(missing_ok=True)
    connection = _connect(draft.resolve().as_uri())
    for pragma in ("journal_mode = OFF", "synchronous = OFF", f"page_size = {PAGE}"):
        connection.execute(f"PRAGMA {pragma}")
    connection.executescript(SCHEMA)
    connection.execute(f"PRAGMA user_version = {VERSION}")
    return connection


def finish_draft(connection: sqlite3.Connection, path: Path) -> None:
    """Put a draft in the place of what there was; its connection is closed.

    The writer's lock must be held. Whoever reads the file that was there goes on reading it.
    """
    draft = draft_path(path)
    connection.executescript(INDEXES)
    connection.execute(f"PRAGMA journal_mode = {journal(path)}")
    connection.close()
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    for suffix in ("-wal", "-shm", "-journal"):  # of the file that goes; never of the new one
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    os.replace(draft, path)


@contextmanager
def writer_lock(path: Path) -> Iterator[None]:
    """Only one process writes an index at a time.

    Raises:
        BlockingIOError: another one does; the message names it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".lock-{path.stem}").open("a+") as file:
        try:
            lock(file)
        except BlockingIOError as error:
            file.seek(0)
            who = file.read().strip() or "another process"
            raise BlockingIOError(f"{path} is being written by {who}") from error
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node()}")
        file.flush()
        yield


def _refuse_others(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse what this version can't read.

    Raises:
        ValueError: of another version, or no index at all.
    """
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found > VERSION:
        raise NewerIndexError(
            f"{path} was written by a newer version of coequal (index version {found}; this one "
            f"reads {VERSION}); use that one, or delete the file and `coequal collect`"
        )
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    if found < VERSION or not {"trial", "measured", "layout", "environment"} <= tables:
        raise ValueError(f"{path} is not an index of this version; `coequal collect` makes it anew")


class NewerIndexError(ValueError):
    """An index of a newer version, which is left as it is."""


def journal(path: Path) -> str:
    """How the file at a path keeps its transactions."""
    return "TRUNCATE" if network(path) else "WAL"


def network(path: Path) -> str | None:
    """The kind of network file system that a path lies on; None: a local disk, as far as is known.

    Only Linux says it; elsewhere set COEQUAL_INDEX if the run lies on a network disk.
    """
    if not MOUNTS.exists():
        return None
    best, kind = "", ""
    there = str(path.parent.resolve())
    for line in MOUNTS.read_text().splitlines():
        before, _, after = line.partition(" - ")
        point = before.split()[4].replace("\\040", " ")
        inside = point == "/" or there == point or there.startswith(f"{point}/")
        if inside and len(point) >= len(best):
            best, kind = point, after.split()[0]
    return kind if kind.startswith(NETWORK) else None


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Raise errors of SQLite as errors that name the file and what would do.

    Raises:
        OSError: the disk is full, or the file is held by another process.
        ValueError: it can't be read.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        text = str(error)
        if "full" in text or "readonly" in text or "disk I/O" in text:
            raise OSError(f"{path}: {text}") from error
        if "locked" in text:
            raise BlockingIOError(f"{path} is held by another process ({text})") from error
        raise ValueError(
            f"{path} can't be read ({text}); `coequal collect` makes it anew from the trial folders"
        ) from error


def _opened(path: Path, how: str) -> sqlite3.Connection:
    connection = _connect(f"{path.resolve().as_uri()}?{how}")
    try:
        _refuse_others(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=PATIENCE)
