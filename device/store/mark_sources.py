"""Which of KOReader's records of books have been read, and whose they are.

Called by: `device/collecting.py`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.store.database import Store


class BookOnDevice:
    """A recorded book that lies here, and the record of KOReader's that was read of it last.

    `sidecar`: the record's path, '' if there was none, None if it was never looked for. `stamp`: by which it is known
    to be the same still.
    """

    __slots__ = ("file", "id", "sidecar", "stamp", "title")

    def __init__(self, id: int, file: str, title: str, sidecar: str | None, stamp: str | None) -> None:
        self.id = id
        self.file = file
        self.title = title
        self.sidecar = sidecar
        self.stamp = stamp


_ON_DEVICE = (
    "SELECT b.id, b.file, b.title, s.sidecar, s.stamp FROM book b LEFT JOIN mark_source s ON s.book_id = b.id"
    " WHERE b.tracked = 1 AND b.file <> ''"
)


def book(store: Store, id: int) -> BookOnDevice | None:
    row = store.execute(f"{_ON_DEVICE} AND b.id = ?", (id,)).fetchone()
    return None if row is None else BookOnDevice(*row)


def has_marks(store: Store, book_id: int) -> bool:
    """Whether anything is known of highlights or bookmarks in a book."""
    row = store.execute(
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM mark WHERE book_id = ?1)"
        " OR EXISTS (SELECT 1 FROM mark_ledger WHERE book_id = ?1)",
        (book_id,),
    ).fetchone()
    return row is not None


def count_books(store: Store) -> int:
    return int(store.execute("SELECT COUNT(*) FROM book WHERE tracked = 1 AND file <> ''").fetchone()[0])


def books(store: Store, skip: int, most: int) -> list[BookOnDevice]:
    """Behind the first `skip`, in the order in which they were first known."""
    rows = store.execute(f"{_ON_DEVICE} ORDER BY b.id LIMIT ? OFFSET ?", (most, skip))
    return [BookOnDevice(*row) for row in rows]


def note(store: Store, book_id: int, sidecar: str, stamp: str, whole_at: int | None) -> None:
    """`whole_at`: when it was read; None if it was not, or is an older copy."""
    store.execute(
        "INSERT INTO mark_source (book_id, sidecar, stamp, seen_at) VALUES (?1, ?2, ?3, COALESCE(?4, 0))"
        " ON CONFLICT(book_id) DO UPDATE SET sidecar = ?2, stamp = ?3, seen_at = COALESCE(?4, seen_at)",
        (book_id, sidecar, stamp, whole_at),
    )


def forget(store: Store) -> None:
    """Every record is read anew."""
    store.execute("DELETE FROM mark_source")


def owners(store: Store, fingerprint: str) -> list[int]:
    """The books whose file has, or has had, this fingerprint."""
    rows = store.execute("SELECT book_id FROM book_fingerprint WHERE fingerprint = ? ORDER BY book_id", (fingerprint,))
    return [int(row[0]) for row in rows]
