"""Opening, migrating and closing the store's SQLite file, and transactions on it.

Promises: a store that opens is of the newest version; a newer program's store is left alone. A transaction is durable
when its block ends. A store that was built anew (`device/recovery/rebuild.py`) takes the damaged one's place in one
direction: whatever interrupts it, the next opening goes on.
Never: WAL or mmap, which vfat and the Kindle's FUSE do not carry (docs/adr/0004); a rename over a file that is there;
deletes a damaged store, unless there are more than `SET_ASIDE_MOST`.
Called by: `device/worker.py`, `device/recovery/rebuild.py`.
It uses `_sqlite3`, the C module below `sqlite3`, which would import `datetime` and more (docs/adr/0006).
"""

from __future__ import annotations

import _sqlite3

from device.store import settings
from device.store.migrations import MIGRATIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sqlite3 import Connection, Cursor
    from types import TracebackType

    from device.disk import Disk

    Value = None | int | float | str

LOCK_WAIT_S = 5.0  # only a person with a database browser can hold it: the worker itself runs once at a time
CACHE_KIB = 512  # SQLite's own default is 2 MiB; the store is small and the device too
VERSION_MOST = 65_535  # a header that says more was not written by a newer program: it is broken
SET_ASIDE_MOST = 3  # damaged stores that are kept; each may be as big as the store
SET_ASIDE = ".damaged-"
REBUILT = ".rebuilt"  # a new store that is to take the damaged one's place once it is whole
HEADER_BYTES = 100  # of an SQLite file: with page count and change counter
JOURNAL = "-journal"  # SQLite's own, beside each of its files

_PRAGMAS = (
    "PRAGMA journal_mode = TRUNCATE",  # a journal that is kept and emptied: no creating and deleting on vfat
    "PRAGMA synchronous = FULL",
    "PRAGMA mmap_size = 0",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA foreign_keys = ON",
    f"PRAGMA cache_size = -{CACHE_KIB}",
)

# Primary result codes of SQLite (https://sqlite.org/rescode.html), and of the extended ones those that mean damage.
_ERROR, _BUSY, _LOCKED, _NOMEM, _READONLY, _INTERRUPT, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _PERM, _NOTADB = (
    1, 5, 6, 7, 8, 9, 10, 11, 13, 14, 3, 26
)  # fmt: skip
_UNREADABLE_SECTOR = (_IOERR | 1 << 8, _IOERR | 2 << 8, _IOERR | 32 << 8, _IOERR | 33 << 8)  # READ .. CORRUPTFS
_NOT_OF_THE_FILE = (_BUSY, _LOCKED, _NOMEM, _READONLY, _INTERRUPT, _IOERR, _FULL, _CANTOPEN, _PERM)

Error = _sqlite3.Error  # whatever SQLite raises: full disk, read-only folder, damage met in mid-run


class NewerStore(Exception):
    """The store was written by a newer version of this program."""


class Store:
    """The open store. `transaction()` is the only way to change it."""

    __slots__ = ("connection", "set_aside", "was_interrupted")

    def __init__(self, connection: Connection, set_aside: str | None = None, was_interrupted: bool = False) -> None:
        self.connection = connection
        self.set_aside = set_aside  # where a damaged store lies whose place a new one took when this was opened
        self.was_interrupted = was_interrupted  # a transaction was cut off; SQLite has rolled it back

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
    """Opens the store at `path`, making or migrating it as needed. Raises NewerStore, Error, OSError."""
    moved_to = None
    if disk.size_bytes(path + REBUILT) is not None:
        moved_to = _finish_rebuild(disk, path, now)
    was_interrupted = bool(disk.size_bytes(path + JOURNAL))
    return Store(_open(path), moved_to, was_interrupted)


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


def open_read_only(path: str) -> Connection:
    """A second connection that only reads, and takes neither locks nor SQLite's journal into account."""
    quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return _sqlite3.connect(f"file:{quoted}?mode=ro&immutable=1", LOCK_WAIT_S, 0, None, uri=True)


def migrate(connection: Connection) -> None:
    """Brings the store to the newest version, each step in a transaction of its own. Raises NewerStore."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if not 0 <= version <= VERSION_MOST:
        raise Damaged(f"the store says that it has version {version}")
    if version > len(MIGRATIONS):
        raise NewerStore(f"the store has version {version}, this program knows up to {len(MIGRATIONS)}")
    for number, statements in enumerate(MIGRATIONS[version:], version + 1):
        with Transaction(connection):
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")


class Damaged(_sqlite3.DatabaseError):
    """What SQLite itself does not call damage, and we do."""


def is_damage(problem: Exception) -> bool:
    """Whether the file itself is certainly broken."""
    code = _code(problem)
    return isinstance(problem, Damaged) or code & 0xFF in (_CORRUPT, _NOTADB) or code in _UNREADABLE_SECTOR


def may_be_damage(problem: Exception) -> bool:
    """Whether a broken file could be the reason: also a statement that fails although it is right, or a value that is
    none, but not a full disk, a folder that is read-only, or another program that holds the store."""
    return is_damage(problem) or _code(problem) & 0xFF not in _NOT_OF_THE_FILE


def is_full(problem: Exception) -> bool:
    return _code(problem) & 0xFF == _FULL


def is_read_only(problem: Exception) -> bool:
    return _code(problem) & 0xFF == _READONLY


def _code(problem: Exception) -> int:
    """SQLite's extended result code; 0 for what SQLite did not raise."""
    code = getattr(problem, "sqlite_errorcode", 0)
    return code if isinstance(code, int) else 0


def _finish_rebuild(disk: Disk, path: str, now: int) -> str | None:
    """After a rebuild that was cut off: where the damaged store lies now, or None if the new one was not whole yet."""
    if _is_whole(path + REBUILT):
        return replace_damaged(disk, path, now)
    remove(disk, path + REBUILT)
    return None


def _is_whole(path: str) -> bool:
    try:
        connection = _open(path)
    except Error as problem:
        if not may_be_damage(problem):
            raise
        return False
    try:
        return settings.get(Store(connection), settings.REBUILT_AT) is not None
    finally:
        connection.close()


def remove(disk: Disk, path: str) -> None:
    """A database and SQLite's journal of it."""
    for suffix in (JOURNAL, ""):
        disk.remove(path + suffix)


def replace_damaged(disk: Disk, path: str, now: int) -> str:
    """Puts the whole new store, which lies at `path` + REBUILT, in the damaged one's place.

    Returns where the damaged one lies now. SQLite's journal of the damaged one goes with it: it would be played back
    into the new one. A rename that is cut off may leave both names (vfat).
    """
    folder, _, name = path.rpartition("/")
    disk.remove(path + REBUILT + JOURNAL)
    numbers = _set_aside_numbers(disk, folder, name)
    if disk.size_bytes(path) is not None and not _are_one(disk, path, path + REBUILT):
        number = max([now, *(number + 1 for number in numbers)])  # the clock may be wrong; the newest has the highest
        disk.rename(path, f"{path}{SET_ASIDE}{number}")
        numbers.append(number)
    moved_to = f"{path}{SET_ASIDE}{max(numbers, default=now)}"
    if disk.size_bytes(path + JOURNAL):
        disk.rename(path + JOURNAL, moved_to + JOURNAL)
    else:
        disk.remove(path + JOURNAL)
    disk.sync_folder(folder)
    disk.rename(path + REBUILT, path)
    disk.sync_folder(folder)
    for number in sorted(numbers)[:-SET_ASIDE_MOST]:
        remove(disk, f"{path}{SET_ASIDE}{number}")
    return moved_to


def _are_one(disk: Disk, one: str, other: str) -> bool:
    """Whether two names are the new store's. If this is mistaken, the damaged one stays, and is met again."""
    return disk.size_bytes(one) == disk.size_bytes(other) and disk.read(one, HEADER_BYTES) == disk.read(
        other, HEADER_BYTES
    )


def _set_aside_numbers(disk: Disk, folder: str, name: str) -> list[int]:
    numbers = []
    for other in disk.names(folder):
        digits = other.removeprefix(name + SET_ASIDE)
        if digits != other and digits.isascii() and digits.isdigit():
            numbers.append(int(digits))
    return numbers
