"""Ratings, read status and progress as both sides have them. What follows from them: `device/core/shared_values.py`."""

from __future__ import annotations

from device.core.shared_values import SharedValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.store.database import Store

_COLUMNS = "field, agreed, is_agreed, device, device_at, server, server_at, offered, offered_at"


class BookValue:
    """A shared value and whose it is, for those who tell the reader about it."""

    __slots__ = ("book_id", "file", "title", "value")

    def __init__(self, book_id: int, file: str, title: str, value: SharedValue) -> None:
        self.book_id = book_id
        self.file = file
        self.title = title
        self.value = value


def load(store: Store, book_id: int, field: str) -> SharedValue:
    row = store.execute(
        f"SELECT {_COLUMNS} FROM shared_value WHERE book_id = ? AND field = ?", (book_id, field)
    ).fetchone()
    return SharedValue(field) if row is None else _value(row)


def _value(row: tuple[object, ...]) -> SharedValue:
    value = SharedValue(str(row[0]))
    value.agreed, is_agreed, value.device, value.device_at = row[1:5]  # type: ignore[assignment]
    value.is_agreed = bool(is_agreed)
    value.server, value.server_at, value.offered, value.offered_at = row[5:9]  # type: ignore[assignment]
    return value


def save(store: Store, book_id: int, value: SharedValue) -> None:
    store.execute(
        f"INSERT OR REPLACE INTO shared_value (book_id, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            book_id,
            value.field,
            value.agreed,
            int(value.is_agreed),
            value.device,
            value.device_at,
            value.server,
            value.server_at,
            value.offered,
            value.offered_at,
        ),
    )


def offered(store: Store) -> list[BookValue]:
    """What the device is to be given, the newest first."""
    return _of_books(store, "v.offered_at > 0 AND b.tracked = 1 AND b.file <> '' ORDER BY v.offered_at DESC, b.id")


def compared(store: Store) -> list[BookValue]:
    """Ratings and statuses of which the server's side is known."""
    return _of_books(
        store,
        "v.server_at > 0 AND v.field IN ('rating', 'status') AND b.tracked = 1 ORDER BY v.device_at DESC, b.id",
    )


def _of_books(store: Store, condition: str) -> list[BookValue]:
    columns = ", ".join(f"v.{name}" for name in _COLUMNS.split(", "))
    rows = store.execute(
        f"SELECT b.id, b.file, CASE b.title WHEN '' THEN b.file ELSE b.title END, {columns}"
        f" FROM shared_value v JOIN book b ON b.id = v.book_id WHERE {condition}"
    )
    return [BookValue(int(row[0]), str(row[1]), str(row[2]), _value(row[3:])) for row in rows]


class Place:
    """A book, its number on the server, and its file here."""

    __slots__ = ("book_id", "file", "format", "server_id")

    def __init__(self, book_id: int, server_id: int, file: str, format: str) -> None:
        self.book_id = book_id
        self.server_id = server_id
        self.file = file
        self.format = format


_PLACE = "SELECT b.id, b.server_id, b.file, b.format FROM book b WHERE b.tracked = 1 AND b.server_id IS NOT NULL"


def recently_read(store: Store, most: int) -> list[Place]:
    """Books that device and server both have, the last read first."""
    rows = store.execute(
        f"{_PLACE} AND b.id IN (SELECT book_id FROM shared_value)"
        " ORDER BY (SELECT MAX(device_at) FROM shared_value v WHERE v.book_id = b.id) DESC, b.id LIMIT ?",
        (most,),
    )
    return [Place(*row) for row in rows]


def longest_unheard(store: Store, most: int) -> list[Place]:
    """Those that the server has not been asked about for longest."""
    rows = store.execute(
        f"{_PLACE} AND b.id IN (SELECT book_id FROM shared_value)"
        " ORDER BY (SELECT MAX(server_at) FROM shared_value v WHERE v.book_id = b.id), b.id LIMIT ?",
        (most,),
    )
    return [Place(*row) for row in rows]


def matched_with_file(store: Store, file: str) -> list[Place]:
    """The book that lies there, if it is recorded and the server has it."""
    rows = store.execute(f"{_PLACE} AND b.file = ? ORDER BY b.id DESC LIMIT 1", (file,))
    return [Place(*row) for row in rows]


def forget_the_server(store: Store) -> None:
    """Another account: what was agreed on was agreed on with somebody else."""
    store.execute(
        "UPDATE shared_value SET agreed = NULL, is_agreed = 0, server = NULL, server_at = 0, offered = NULL,"
        " offered_at = 0"
    )


def forget_the_server_of(store: Store, book_id: int) -> None:
    """Another book of the server's: what was agreed on was agreed on about that one."""
    store.execute(
        "UPDATE shared_value SET agreed = NULL, is_agreed = 0, server = NULL, server_at = 0, offered = NULL,"
        " offered_at = 0 WHERE book_id = ?",
        (book_id,),
    )


# What a book has of its own


class Finish:
    """`at`: when the book was last read to its end; 0: never. `question`: whether the reader is to be asked."""

    __slots__ = ("at", "question")

    def __init__(self, at: int | None, question: int) -> None:
        self.at = at or 0
        self.question = bool(question)


def finish(store: Store, book_id: int) -> Finish:
    row = store.execute("SELECT finished_at, rating_question FROM book WHERE id = ?", (book_id,)).fetchone()
    return Finish(None, 0) if row is None else Finish(*row)


def set_finished_at(store: Store, book_id: int, at: int) -> None:
    store.execute("UPDATE book SET finished_at = ? WHERE id = ?", (at, book_id))


def set_rating_question(store: Store, book_id: int, is_open: bool) -> None:
    store.execute("UPDATE book SET rating_question = ? WHERE id = ?", (int(is_open), book_id))


def rating_questions(store: Store) -> list[tuple[int, str, int]]:
    """(book, title, when it was finished) of those that the reader is to be asked about; not what is rated by now."""
    rows = store.execute(
        "SELECT id, CASE title WHEN '' THEN file ELSE title END, COALESCE(finished_at, 0) FROM book"
        " WHERE rating_question = 1 AND tracked = 1 AND id NOT IN (SELECT book_id FROM shared_value"
        " WHERE field = 'rating' AND COALESCE(agreed, device, server, offered) IS NOT NULL)"
        " ORDER BY finished_at DESC, id"
    )
    return [(int(row[0]), str(row[1]), int(row[2])) for row in rows]


def title_and_file(store: Store, book_id: int) -> tuple[str, str] | None:
    row = store.execute(
        "SELECT CASE title WHEN '' THEN file ELSE title END, file FROM book WHERE id = ?", (book_id,)
    ).fetchone()
    return None if row is None else (str(row[0]), str(row[1]))


def size_bytes(store: Store, book_id: int) -> int | None:
    """Of the book's file, when it was last seen."""
    row = store.execute("SELECT size_bytes FROM book WHERE id = ?", (book_id,)).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def fingerprints(store: Store, book_id: int) -> list[str]:
    """Those that the book's file has had, that of today first."""
    rows = store.execute(
        "SELECT f.fingerprint FROM book_fingerprint f JOIN book b ON b.id = f.book_id WHERE b.id = ?"
        " ORDER BY f.fingerprint <> b.fingerprint, f.fingerprint LIMIT 3",
        (book_id,),
    )
    return [str(row[0]) for row in rows]
