"""The stand-in's SQLite database: one connection, one transaction at a time.

Promises: what happens inside `transaction()` is committed as a whole before anything is answered, or not at all; a
file database survives the stand-in and is found again as it was.
Never: survives a power cut (it does not wait for the disk; the stand-in is a server's double, not a server).
Called by: `dispatch` around each handler, `StandIn` for the methods that tests use.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.sandbox.schema import SCHEMA

IN_MEMORY = ":memory:"


class Database:
    def __init__(self, location: str | Path) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(str(location), check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA synchronous = OFF")
        with self.transaction() as connection:
            is_new = connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None
            if is_new:
                for statement in SCHEMA.split(";"):
                    connection.execute(statement)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def changes(self) -> int:
        """Grows with every row that is changed."""
        with self._lock:
            return self._connection.total_changes

    def snapshot(self) -> bytes:
        with self._lock:
            return self._connection.serialize()

    def restore(self, snapshot: bytes) -> None:
        """Everything is as it was when the snapshot was taken."""
        with self._lock:
            self._connection.deserialize(snapshot)

    def close(self) -> None:
        with self._lock:
            self._connection.close()
