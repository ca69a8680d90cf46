"""Opening, migrating and closing the store's SQLite file, and transactions on it.

Promises: a store that opens is of the newest version; one that is damaged is set aside under another name, never
deleted, and an empty one begins; a newer program's store is left alone. A transaction is durable when its block ends.
Never: WAL or mmap, which vfat and the Kindle's FUSE do not carry (docs/adr/0004).
Called by: `device/worker.py`.
It uses `_sqlite3`, the C module below `sqlite3`, which would import `datetime` and more (docs/adr/0006).
"""

from __future__ import annotations

import _sqlite3

from device.store.migrations import MIGRATIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sqlite3 import Connection, Cursor
    from types import TracebackType

    from device.disk import Disk

    Value = None | int | float | str

LOCK_WAIT_S = 5.0  # only a person with a database browser can hold it: the worker itself runs once at a time
CACHE_KIB = 512  # SQLite's own default is 2 MiB; the store is small and the device too

_PRAGMAS = (
    "PRAGMA journal_mode = TRUNCATE",  # a journal that is kept and emptied: no creating and deleting on vfat
    "PRAGMA synchronous = FULL",
    "PRAGMA mmap_size = 0",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA foreign_keys = ON",
    f"PRAGMA cache_size = -{CACHE_KIB}",
)
_DAMAGE = ("malformed", "not a database", "file is encrypted")


Error = _sqlite3.Error  # whatever SQLite raises: full disk, read-only folder, damage met in mid-run


class NewerStore(Exception):
    """The store was written by a newer version of this program."""


class Store:
    """The open store. `transaction()` is the only way to change it."""

    __slots__ = ("connection", "set_aside")

    def __init__(self, connection: Connection, set_aside: str | None) -> None:
        self.connection = connection
        self.set_aside = set_aside  # where a damaged store was moved to, if that has just happened

    def execute(self, statement: str, values: tuple[Value, ...] = ()) -> Cursor:
        return self.connection.execute(statement, values)

    def transaction(self) -> Transaction:
        """`with store.transaction():` commits at the end of the block, or rolls back if it raises."""
        return Transaction(self.connection)

    def close(self) -> None:
        self.connection.close()


class Transaction:
    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._connection.execute("COMMIT")
        finally:
            # A failed statement or commit may have rolled back by itself (disk full) or not (disk busy).
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


def open_store(disk: Disk, path: str, now: int) -> Store:
    """Opens the store at `path`, making or migrating it as needed.

    Raises NewerStore, OSError, or `_sqlite3.Error` when it cannot be opened for another reason than damage.
    """
    try:
        return Store(_open(path), None)
    except _sqlite3.DatabaseError as problem:
        if not is_damage(problem):
            raise
    moved_to = set_aside(disk, path, now)
    return Store(_open(path), moved_to)


def is_damage(problem: _sqlite3.Error) -> bool:
    """Whether the file itself is broken, rather than its disk full or its folder read-only."""
    return any(word in str(problem) for word in _DAMAGE)


def set_aside(disk: Disk, path: str, now: int) -> str:
    """Moves a damaged store out of the way, so that the next run begins a new one; returns where it is now."""
    moved_to = f"{path}.damaged-{now}"
    disk.rename(path, moved_to)
    disk.remove(path + "-journal")  # it belongs to the damaged file and would be played back into the new one
    return moved_to


def _open(path: str) -> Connection:
    connection = _sqlite3.connect(path, LOCK_WAIT_S, 0, None)
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def migrate(connection: Connection) -> None:
    """Brings the store to the newest version, each step in a transaction of its own. Raises NewerStore."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise NewerStore(f"the store has version {version}, this program knows up to {len(MIGRATIONS)}")
    for number, statements in enumerate(MIGRATIONS[version:], version + 1):
        with Transaction(connection):
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
