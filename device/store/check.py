"""Is the store sound? SQLite notices damage only where it happens to read; this reads everything.

When there is reason to doubt: a transaction was cut off, the device was started anew (after a power cut it was), or a
day has passed (a cable or another computer may have been at the files). It costs 14 million instructions, and 32,000
for each session: less than a second for 10,000 of them on a slow device; otherwise two look-ups.

Promises: raises `database.Damaged` for a file whose pages, indices, references or schema are not as they should be.
Never: mends anything (`device/recovery/rebuild.py` does).
Called by: `device/recovery/soundness.py`, when a run begins, and when one failed for no other reason.
"""

from __future__ import annotations

import _sqlite3

from device.core.instants import DAY_S
from device.store import database, settings
from device.store.migrations import MIGRATIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sqlite3 import Connection

    from device.store.database import Store

CHECKED_AT = "checked_at"  # when the store was found sound, by the wall clock
CHECKED_BOOT = "checked_boot"  # and in which boot

SCHEMA_ITEMS_MOST = 1_000  # tables and indices; there are about twenty


def is_due(store: Store, boot_id: str, now: int) -> bool:
    """Whether there is reason to doubt."""
    if store.was_interrupted or settings.get(store, CHECKED_BOOT) != boot_id:
        return True
    return not 0 <= now - settings.get_int(store, CHECKED_AT) < DAY_S


def remember(store: Store, boot_id: str, now: int) -> None:
    """The store was found sound. Within a transaction."""
    settings.put(store, CHECKED_AT, str(max(now, 0)))
    settings.put(store, CHECKED_BOOT, boot_id)


def check(connection: Connection) -> None:
    """Raises Damaged, or what SQLite raises when it cannot even be asked."""
    for found in (_fault_of_pages(connection), _fault_of_references(connection), _fault_of_schema(connection)):
        if found is not None:
            raise database.Damaged(found)


def _fault_of_pages(connection: Connection) -> str | None:
    """`quick_check` would leave out whether the indices agree with their tables."""
    found = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
    return None if found == "ok" else found


def _fault_of_references(connection: Connection) -> str | None:
    row = connection.execute("PRAGMA foreign_key_check").fetchone()
    return None if row is None else f"a row of {row[0]} refers to a row of {row[2]} that is not there"


def _fault_of_schema(connection: Connection) -> str | None:
    """A byte that is wrong in the schema makes right statements fail, or a wrong version number the migrations."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if not 0 <= version <= len(MIGRATIONS):
        return None  # `database.migrate` says what is to be said
    expected = _sqlite3.connect(":memory:", 0, 0, None)
    try:
        for statements in MIGRATIONS[:version]:
            for statement in statements:
                expected.execute(statement)
        return None if _schema(connection) == _schema(expected) else f"its tables are not those of version {version}"
    finally:
        expected.close()


def _schema(connection: Connection) -> list[tuple[str, str, str]]:
    rows = connection.execute(
        "SELECT type, name, COALESCE(sql, '') FROM sqlite_master ORDER BY type, name LIMIT ?", (SCHEMA_ITEMS_MOST,)
    )
    return [(str(kind), str(name), without_comments(str(sql))) for kind, name, sql in rows]


def without_comments(sql: str) -> str:
    """So that a comment can be put better, or SQLite quote otherwise, without every store counting as broken."""
    return " ".join(" ".join(line.partition("--")[0] for line in sql.split("\n")).replace('"', "").split())
