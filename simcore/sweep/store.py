"""Results of points in an SQLite file, by content: what is done once is never done again.

Any number of sweeps, on any number of processes of one machine, may use one file at a time. SQLite
keeps it whole when a writer is killed; a transaction is one task of points.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from simcore.data import cache_folder
from simcore.errors import DataFileError
from simcore.sweep.evaluate import Failure, Outcome
from simcore.sweep.figures import FIGURES
from simcore.sweep.resolve import code_version

T = TypeVar("T")

FILE_NAME = "sweeps.sqlite"
_APPLICATION_ID = 0x44494D4D  # "DIMM"
_LAYOUT = 1
_BUSY_S = 60.0
_MOST_KEYS = 500
_TABLE = """
CREATE TABLE IF NOT EXISTS points (
    key TEXT PRIMARY KEY,
    code TEXT NOT NULL,
    failure TEXT NOT NULL,
    error TEXT NOT NULL,
    figures TEXT NOT NULL,
    wall_s REAL NOT NULL,
    stored_at REAL NOT NULL
) WITHOUT ROWID
"""
_INSERT = """
INSERT INTO points VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET
    failure = excluded.failure, error = excluded.error, figures = excluded.figures,
    wall_s = excluded.wall_s, stored_at = excluded.stored_at
WHERE points.failure <> ''
"""  # a result stays; a failure gives way


def default_store() -> Path:
    """The file of results used when none is named: in the user's cache folder."""
    return cache_folder() / FILE_NAME


class Store:
    """An open file of results; close it or use it in a ``with`` block."""

    def __init__(self, path: Path | str) -> None:
        """Open or create a file.

        Raises:
            DataFileError: if it cannot be opened, or is something else.
        """
        self.path = Path(path)
        self._lock = threading.Lock()
        self._damaged: set[str] = set()
        if self.path.is_dir():
            raise DataFileError(f"{self.path}: is a folder; give a file name for the results")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                self.path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.Error) as error:
            reason = getattr(error, "strerror", None) or error
            raise DataFileError(
                f"{self.path}: cannot be opened: {reason}; choose a file in a folder that exists "
                "and can be written"
            ) from error
        try:
            self._guard(self._set_up)
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _set_up(self) -> None:
        # In one transaction, or another process that is setting the file up could be seen half
        # done: no mark yet, but a table.
        self._db.execute("BEGIN")
        try:
            (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            (mark,) = self._db.execute("PRAGMA application_id").fetchone()
            (layout,) = self._db.execute("PRAGMA user_version").fetchone()
        finally:
            self._db.execute("ROLLBACK")
        if tables and mark != _APPLICATION_ID:
            raise DataFileError(
                f"{self.path}: a database of another program; give another file name"
            )
        if layout > _LAYOUT:
            raise DataFileError(
                f"{self.path}: written by a newer version; update the program or give another file"
            )
        self._write_ahead()
        # A killed process loses nothing in this mode; a machine that loses power may lose the
        # last tasks, which are then done again.
        self._db.execute("PRAGMA synchronous = NORMAL")
        if not tables:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(_TABLE)
            self._db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            self._db.execute(f"PRAGMA user_version = {_LAYOUT}")
            self._db.execute("COMMIT")

    def _write_ahead(self) -> None:
        """Switch to a write-ahead log; SQLite does not wait by itself for others that do so too."""
        end = time.monotonic() + _BUSY_S
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > end:
                    raise
                time.sleep(0.01)

    def get(self, keys: Sequence[str]) -> dict[str, Outcome]:
        """Outcomes by key, of those there are and that need not be tried again.

        A row that makes no sense counts as not there, and the next result replaces it.

        Raises:
            DataFileError: if the file cannot be read.
        """
        rows: list[tuple[Any, ...]] = []
        for first in range(0, len(keys), _MOST_KEYS):
            part = list(keys[first : first + _MOST_KEYS])
            rows += self._guard(partial(self._select, part))
        out = {}
        for key, failure, error, figures, wall_s in rows:
            found = _outcome(failure, error, figures, wall_s)
            if found is None:
                self._damaged.add(key)
            elif found.failure is None or found.failure.lasting:
                out[key] = found
        return out

    def _select(self, keys: Sequence[str]) -> list[tuple[Any, ...]]:
        marks = ",".join("?" * len(keys))
        return self._db.execute(
            f"SELECT key, failure, error, figures, wall_s FROM points WHERE key IN ({marks})",
            keys,
        ).fetchall()

    def put(self, outcomes: Mapping[str, Outcome] | Iterable[tuple[str, Outcome]]) -> None:
        """Store outcomes, all or none; a stored result is never overwritten.

        Raises:
            DataFileError: if the file cannot be written.
        """
        items = outcomes.items() if isinstance(outcomes, Mapping) else outcomes
        now = time.time()
        rows = [
            (
                key,
                code_version(),
                one.failure.value if one.failure else "",
                one.error,
                json.dumps(one.figures, ensure_ascii=False, separators=(",", ":")),
                one.wall_s,
                now,
            )
            for key, one in items
        ]
        self._guard(lambda: self._insert(rows))

    def _insert(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            damaged = [(row[0],) for row in rows if row[0] in self._damaged]
            self._db.executemany("DELETE FROM points WHERE key = ?", damaged)
            self._db.executemany(_INSERT, rows)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def __len__(self) -> int:
        (count,) = self._guard(lambda: self._db.execute("SELECT count(*) FROM points").fetchone())
        return int(count)

    def _guard(self, work: Callable[[], T]) -> T:
        try:
            with self._lock:
                return work()
        except (sqlite3.Error, UnicodeError) as error:
            raise DataFileError(
                f"{self.path}: cannot be used for results: {error}; give another file"
            ) from error


def _outcome(failure: Any, error: Any, figures: Any, wall_s: Any) -> Outcome | None:
    """The outcome of a row, None if the row is damaged."""
    try:
        kind = Failure(failure) if failure else None
        plain = dict(json.loads(figures))
        return Outcome(
            {name: _figure(name, plain[name]) for name in plain}, kind, str(error), float(wall_s)
        )
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def _figure(name: str, value: Any) -> Any:
    kinds = (int, float) if name in FIGURES else (int, float, str)
    if value is not None and not isinstance(value, kinds):
        raise TypeError(name)
    return value
