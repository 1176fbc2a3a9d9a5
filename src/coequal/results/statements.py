"""The statements of the index."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from coequal.records import Trial, canonical
from coequal.results.packed_result import Packed

_RESULTS = """
SELECT key, model, data, description, status, reason, spent, seconds, notes, health,
  environment.text, clock, layout.text, numbers
FROM trial JOIN measured ON measured.trial = trial.id JOIN layout ON layout.id = measured.layout
  JOIN environment ON environment.id = trial.environment
"""
_PUT_TRIAL = """
INSERT INTO trial (key, place, model, data, description) VALUES (?, NULL, ?, ?, ?)
ON CONFLICT (key) DO NOTHING
"""
_PUT_RESULT = """
UPDATE trial SET description = ?, status = ?, reason = ?, spent = ?, seconds = ?, notes = ?,
  health = ?, environment = (SELECT id FROM environment WHERE text = ?), size = ?, changed = ?
WHERE key = ?
"""
_PUT_MEASURED = """
INSERT OR REPLACE INTO measured (trial, clock, layout, numbers) VALUES (
  (SELECT id FROM trial WHERE key = ?), ?, (SELECT id FROM layout WHERE text = ?), ?)
"""
_PLAN = """
INSERT INTO trial (key, place, model, data, description) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET place = excluded.place
"""

Stamp = tuple[int, int]  # of a result.json: its size, and when it was written (ns)


@dataclass(frozen=True, slots=True)
class State:
    """How far one trial of the plan is."""

    key: str
    model: str
    status: str | None = None  # None: no result
    seconds: float = 0.0  # of training
    ended: float = 0.0  # seconds since 1970


class IndexStatements:
    """The statements of the index; errors are SQLite's own."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._known: set[str] = set()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._known.clear()
            if self.connection.in_transaction:  # a full disk has rolled it back already
                self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def put(self, results: Iterable[tuple[Packed, Stamp | None]]) -> None:
        """Add results, or replace what there was of their trials."""
        listed = list(results)
        if listed:
            self.forget("tables")
        for table, texts in (
            ("environment", {packed.environment for packed, _ in listed}),
            ("layout", {packed.layout for packed, _ in listed}),
        ):
            new = [(text,) for text in texts - self._known]
            insert = f"INSERT INTO {table} (text) VALUES (?) ON CONFLICT (text) DO NOTHING"
            self.connection.executemany(insert, new)
            self._known |= texts
        trials = [(p.key, p.model, p.data, p.description) for p, _ in listed]
        self.connection.executemany(_PUT_TRIAL, trials)
        results_of = [
            (p.description, p.status, p.reason, p.spent, p.seconds, p.notes, p.health)
            + (p.environment,)
            + (file or (None, None))
            + (p.key,)
            for p, file in listed
        ]
        self.connection.executemany(_PUT_RESULT, results_of)
        measured = [(p.key, p.clock, p.layout, p.numbers) for p, _ in listed]
        self.connection.executemany(_PUT_MEASURED, measured)

    def drop(self, keys: Iterable[str]) -> None:
        """Forget results; trials of the plan stay in it."""
        gone = [(key,) for key in keys]
        if gone:
            self.forget("tables")
        of = "(SELECT id FROM trial WHERE key = ?)"
        self.connection.executemany(f"DELETE FROM measured WHERE trial = {of}", gone)
        self.connection.executemany(
            "UPDATE trial SET status = NULL, reason = NULL, spent = NULL, seconds = NULL, "
            "notes = NULL, health = NULL, environment = NULL, size = NULL, changed = NULL "
            "WHERE key = ?",
            gone,
        )

    def plan(self, trials: Iterable[Trial], plan: Stamp | None) -> None:
        """The plan's trials, with the stamp of its file."""
        self.forget("tables")
        self.connection.execute("UPDATE trial SET place = NULL WHERE place IS NOT NULL")
        rows = (
            (trial.id, place, trial.model, trial.data, canonical(trial.as_dict()))
            for place, trial in enumerate(trials)
        )
        self.connection.executemany(_PLAN, rows)
        self.connection.execute("DELETE FROM trial WHERE place IS NULL AND status IS NULL")
        self.tell("plan", repr(plan))

    def damage(self) -> str:
        """What is wrong with the file, or nothing."""
        (found,) = self.connection.execute("PRAGMA quick_check(1)").fetchone()
        return "" if found == "ok" else str(found)

    def tell(self, name: str, value: str) -> None:
        """Note something about the index."""
        self.connection.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, value))

    def forget(self, name: str) -> None:
        """Take a note back."""
        self.connection.execute("DELETE FROM about WHERE name = ?", (name,))

    def about(self, name: str) -> str | None:
        """What was noted, or None."""
        found = self.connection.execute("SELECT value FROM about WHERE name = ?", (name,))
        row = found.fetchone()
        return None if row is None else str(row[0])

    def stamps(self) -> Mapping[str, Stamp | None]:
        """By trial id, the stamp of each result's file when it was read."""
        found = self.connection.execute(
            "SELECT key, size, changed FROM trial WHERE status IS NOT NULL"
        )
        return {key: None if size is None else (size, changed) for key, size, changed in found}

    def places(self) -> list[str]:
        """The ids of the plan's trials, in order."""
        ordered = "SELECT key FROM trial WHERE place IS NOT NULL ORDER BY place"
        return [key for (key,) in self.connection.execute(ordered)]

    def states(self) -> list[State]:
        """How far each trial of the plan is, in order."""
        rows = self.connection.execute(
            "SELECT key, model, status, coalesce(seconds, 0.0), coalesce(changed, 0) / 1e9 "
            "FROM trial WHERE place IS NOT NULL ORDER BY place"
        )
        return [State(*row) for row in rows]

    def packed(self, key: str) -> Packed | None:
        """One result, or None."""
        row = self.connection.execute(f"{_RESULTS} WHERE key = ?", (key,)).fetchone()
        return None if row is None else Packed(*row)

    def in_order(self, unplanned: bool) -> Iterator[Packed]:
        """The plan's results, in order; then the others, if they are wanted."""
        yield from map(Packed._make, self._of("place IS NOT NULL ORDER BY place"))
        if unplanned:
            yield from map(Packed._make, self._of("place IS NULL ORDER BY key"))

    def planned(self) -> Iterator[tuple[str, str, Packed | None]]:
        """Every trial of the plan, in order: its id, its description, and its result if any."""
        rows = self.connection.execute(
            f"{_RESULTS.replace('JOIN', 'LEFT JOIN')} WHERE place IS NOT NULL ORDER BY place"
        )
        for row in rows:
            packed = Packed(*row)
            yield packed.key, packed.description, packed if packed.status else None

    def layouts(self) -> Iterator[Packed]:
        """The first result of the plan for each data set and layout of measurements, in order."""
        rows = self.connection.execute(
            "SELECT min(place) FROM trial JOIN measured ON trial = trial.id "
            "WHERE place IS NOT NULL GROUP BY data, layout ORDER BY 1"
        )
        for (place,) in rows.fetchall():
            row = self.connection.execute(f"{_RESULTS} WHERE place = ?", (place,)).fetchone()
            yield Packed(*row)

    def _of(self, which: str) -> sqlite3.Cursor:
        return self.connection.execute(f"{_RESULTS} WHERE {which}")

    def heads(self) -> Iterator[Packed]:
        """See `Index.heads`."""
        first: dict[tuple[Any, ...], int] = {}
        rows = self.connection.execute(
            "SELECT place, layout, health IS NULL, (SELECT group_concat(key, '\n') FROM "
            "json_each(description, '$.settings')) FROM trial "
            "JOIN measured ON trial = trial.id WHERE place IS NOT NULL ORDER BY place"
        )
        for place, *form in rows:
            first.setdefault(tuple(form), place)
        for place in first.values():
            row = self.connection.execute(f"{_RESULTS} WHERE place = ?", (place,)).fetchone()
            yield Packed(*row)
