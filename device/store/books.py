"""Books: the files that were read, and which book on the server each of them is."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.journal import Book
    from device.store.database import Store, Value


class Known:
    """A book that the store has, for those who only know its name."""

    __slots__ = ("id", "server_id", "tracked", "unmatched_reason")

    def __init__(self, id: int, tracked: int, server_id: int | None, unmatched_reason: str | None) -> None:
        self.id = id
        self.tracked = bool(tracked)
        self.server_id = server_id
        self.unmatched_reason = unmatched_reason


class StoredBook:
    __slots__ = ("authors", "file", "id", "identifiers", "looked_for", "size_bytes", "title")

    def __init__(
        self,
        id: int,
        file: str,
        title: str,
        authors: list[str],
        identifiers: list[str],
        size_bytes: int | None,
        looked_for: bool,
    ) -> None:
        self.id = id
        self.file = file
        self.title = title
        self.authors = authors
        self.identifiers = identifiers
        self.size_bytes = size_bytes
        self.looked_for = looked_for  # in the server's library, without success


def remember(store: Store, book: Book) -> int:
    """The id of a book, found by its fingerprint, else by its path; what is known of it is brought up to date.

    The fingerprint comes first: a file that was moved or renamed stays the same book. But it is believed only where
    path or size agree: KOReader of 2026 gives a book that is first opened from within another the other's fingerprint.
    """
    row = None
    if book.fingerprint is not None:
        row = _with_fingerprint(store, book)
    if row is None:
        row = _with_file(store, book.file, book.fingerprint)
    if row is None:
        return _insert(store, book)
    _update(store, row, book)
    return row


def with_file(store: Store, file: str) -> int | None:
    """The book that lay under this path when it was last seen."""
    row = store.execute("SELECT id FROM book WHERE file = ? ORDER BY id DESC LIMIT 1", (file,)).fetchone()
    return None if row is None else int(row[0])


def _with_fingerprint(store: Store, book: Book) -> int | None:
    # A book without a file is known from elsewhere, by its fingerprint and title.
    row = store.execute(
        "SELECT id FROM book WHERE fingerprint = ? AND (file = ? OR (file = '' AND title IN ('', ?))"
        " OR (file <> '' AND (size_bytes IS NULL OR ? IS NULL OR size_bytes = ?))) ORDER BY file <> ?, id LIMIT 1",
        (book.fingerprint, book.file, book.title, book.size_bytes, book.size_bytes, book.file),
    ).fetchone()
    return None if row is None else int(row[0])


def _with_file(store: Store, file: str, fingerprint: str | None) -> int | None:
    # Another book may lie under the same name now: only where a fingerprint is missing does the path decide.
    row = store.execute(
        "SELECT id FROM book WHERE file = ? AND (fingerprint IS NULL OR ? IS NULL) ORDER BY id DESC LIMIT 1",
        (file, fingerprint),
    ).fetchone()
    return None if row is None else int(row[0])


def _insert(store: Store, book: Book) -> int:
    cursor = store.execute(
        "INSERT INTO book (file, fingerprint, size_bytes, format, title, authors, identifiers)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        _columns(book),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def _update(store: Store, id: int, book: Book) -> None:
    store.execute(
        "UPDATE book SET file = ?, fingerprint = COALESCE(?, fingerprint), size_bytes = COALESCE(?, size_bytes),"
        " format = ?, title = ?, authors = ?, identifiers = ? WHERE id = ?",
        (*_columns(book), id),
    )


def _columns(book: Book) -> tuple[Value, ...]:
    """What is stored of a book, in the order of the statements above."""
    return (
        book.file,
        book.fingerprint,
        book.size_bytes,
        book.format,
        book.title,
        "\n".join(book.authors),
        "\n".join(book.identifiers),
    )


def known(store: Store, fingerprint: str | None, title: str, authors: list[str]) -> Known | None:
    """The book with this fingerprint, else, where a fingerprint is missing, the one with this title and these authors.

    Two fingerprints are two files, and may be two volumes of one name.
    """
    row = None
    if fingerprint is not None:
        # Two books may have one fingerprint (`remember`): then the title decides.
        row = store.execute(
            "SELECT id, tracked, server_id, unmatched_reason FROM book WHERE fingerprint = ?"
            " ORDER BY title <> ?, id LIMIT 1",
            (fingerprint, title),
        ).fetchone()
    if row is None and title:
        row = _named(store, fingerprint, title, "\n".join(authors))
    return None if row is None else Known(*row)


def _named(store: Store, fingerprint: str | None, title: str, authors: str) -> tuple[int, int, int | None, str | None]:
    # Of several files of one book, the one that the server is known to have.
    row: tuple[int, int, int | None, str | None] = store.execute(
        "SELECT id, tracked, server_id, unmatched_reason FROM book WHERE title = ? AND authors = ?"
        " AND (fingerprint IS NULL OR ? IS NULL) ORDER BY server_id IS NULL, id LIMIT 1",
        (title, authors, fingerprint),
    ).fetchone()
    return row


def add_without_file(store: Store, fingerprint: str | None, title: str, authors: list[str]) -> int:
    """A book that is only known from KOReader's statistics; when it is opened, its fingerprint finds it."""
    cursor = store.execute(
        "INSERT INTO book (file, fingerprint, format, title, authors, identifiers) VALUES ('', ?, '', ?, ?, '')",
        (fingerprint, title, "\n".join(authors)),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def untracked_ids(store: Store) -> list[int]:
    return [int(row[0]) for row in store.execute("SELECT id FROM book WHERE tracked = 0 ORDER BY id")]


def is_tracked(store: Store, id: int) -> bool:
    """Whether the reader wants this book's reading recorded and sent: switched off is a file, where it lay or lies, and
    the same book under another path."""
    row = store.execute(
        "SELECT 1 FROM book b JOIN book u ON u.tracked = 0 WHERE b.id = ? AND (u.id = b.id"
        " OR (b.file <> '' AND u.file = b.file) OR (u.fingerprint = b.fingerprint"
        " AND (u.size_bytes IS NULL OR b.size_bytes IS NULL OR u.size_bytes = b.size_bytes))) LIMIT 1",
        (id,),
    ).fetchone()
    return row is None


def track(store: Store, id: int, tracked: bool) -> None:
    """For the book itself, whatever else has its file."""
    store.execute("UPDATE book SET tracked = ? WHERE id = ?", (int(tracked), id))


def track_file(store: Store, file: str, tracked: bool) -> None:
    """For every book that lay or lies under this path, and for the same book under other paths."""
    store.execute(
        "UPDATE book SET tracked = ? WHERE file = ? OR EXISTS (SELECT 1 FROM book o WHERE o.file = ?"
        " AND o.fingerprint = book.fingerprint"
        " AND (o.size_bytes IS NULL OR book.size_bytes IS NULL OR o.size_bytes = book.size_bytes))",
        (int(tracked), file, file),
    )


def are_none(store: Store) -> bool:
    """Whether the store knows no book: it has just been made."""
    return store.execute("SELECT 1 FROM book LIMIT 1").fetchone() is None


def untracked_files(store: Store) -> list[str]:
    """Where the books lie that are not to be recorded."""
    rows = store.execute("SELECT DISTINCT file FROM book WHERE tracked = 0 AND file <> '' ORDER BY file")
    return [str(row[0]) for row in rows]


def unmatched(store: Store) -> list[StoredBook]:
    """Books without an id on the server that something in the outbox waits for."""
    rows = store.execute(
        "SELECT id, file, title, authors, identifiers, size_bytes, unmatched_reason IS NOT NULL FROM book"
        " WHERE server_id IS NULL AND tracked = 1 AND id IN"
        " (SELECT book_id FROM outbox WHERE state IN ('new', 'intent', 'waiting') AND state <> 'acknowledged')"
        " ORDER BY id"
    )
    return [
        StoredBook(id, file, title, authors.split("\n"), identifiers.split("\n"), size_bytes, bool(looked_for))
        for id, file, title, authors, identifiers, size_bytes, looked_for in rows
    ]


def match(store: Store, id: int, server_id: int, matched_by: str) -> None:
    store.execute(
        "UPDATE book SET server_id = ?, matched_by = ?, unmatched_reason = NULL WHERE id = ?",
        (server_id, matched_by, id),
    )


def unmatch(store: Store, id: int, reason: str) -> None:
    store.execute(
        "UPDATE book SET server_id = NULL, matched_by = NULL, unmatched_reason = ? WHERE id = ?", (reason, id)
    )


def forget_matches(store: Store) -> None:
    """For another server or account: its ids mean other books."""
    store.execute("UPDATE book SET server_id = NULL, matched_by = NULL, unmatched_reason = NULL")
