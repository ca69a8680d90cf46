"""Books: the files that were read, and which book on the server each of them is."""

from __future__ import annotations

from device.store import library, settings, shared_values

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
    """A book of ours that is looked for on the server.

    `looked_for`: it has been, without success. `hand_id`: the number that the reader chose, which the server did not
    have when it was asked; `refused_id`: the one that she said it is not.
    """

    __slots__ = (
        "authors", "file", "file_identifiers", "fingerprints", "format", "hand_id", "id", "identifiers", "language",
        "looked_for", "package_stamp", "refused_id", "series", "series_index", "size_bytes", "title",
    )  # fmt: skip

    def __init__(self, row: tuple[Value, ...], fingerprints: list[tuple[str, int | None]]) -> None:
        id, file, title, authors, identifiers, size_bytes, reason, format, series, index, language, *others = row
        of_file, stamp, hand_id, refused_id = others
        self.id = int(id or 0)
        self.file = str(file)
        self.title = str(title)
        self.authors = _lines(authors)
        self.identifiers = _lines(identifiers)
        self.size_bytes = None if size_bytes is None else int(size_bytes)
        self.looked_for = reason is not None
        self.format = str(format)
        self.series = str(series)
        self.series_index = None if index is None else float(index)
        self.language = str(language)
        self.file_identifiers = _lines(of_file)
        self.package_stamp = None if stamp is None else str(stamp)
        self.hand_id = None if hand_id is None else int(hand_id)
        self.refused_id = None if refused_id is None else int(refused_id)
        self.fingerprints = fingerprints  # with the size of the file that had it, the newest first


def _lines(value: Value) -> list[str]:
    return str(value).split("\n") if value else []


class MatchedBook:
    """What is known of one book and its match, for the reader."""

    __slots__ = (
        "file",
        "hand_id",
        "id",
        "matched_by",
        "server_id",
        "server_title",
        "title",
        "tracked",
        "unmatched_reason",
    )

    def __init__(
        self,
        id: int,
        file: str,
        title: str,
        server_id: int | None,
        matched_by: str | None,
        server_title: str | None,
        unmatched_reason: str | None,
        hand_id: int | None,
        tracked: int,
    ) -> None:
        self.id = id
        self.file = file
        self.title = title or file.rpartition("/")[2]
        self.server_id = server_id
        self.matched_by = matched_by
        self.server_title = server_title
        self.unmatched_reason = unmatched_reason
        self.hand_id = hand_id
        self.tracked = bool(tracked)


NOT_LOOKED_FOR = 0  # as a `hand_id`: the reader has undone a match, and it is not looked for until she asks
IDENTIFIER_LEAST_CHARS = 10  # to be a proof: `calibre:7` is on many books
FINGERPRINTS_MOST = 5  # of a book that are looked for: the newest


def remember(store: Store, book: Book) -> int:
    """The id of a book, found by its fingerprint, else by its path; what is known of it is brought up to date.

    The fingerprint comes first: a file that was moved or renamed stays the same book, and two copies are one. But it is
    believed only where path or size agree: KOReader of 2026 gives a book that is first opened from within another the
    other's fingerprint. A file that was changed where it lies (the server wrote its metadata into it) has another
    fingerprint and stays the same book if it is still called the same; both fingerprints are kept.
    """
    row = None
    if book.fingerprint is not None:
        row = _with_fingerprint(store, book)
    if row is None:
        row = _with_file(store, book.file, book.fingerprint)
    if row is None:
        row = _changed_in_place(store, book)
    if row is None:
        row = _insert(store, book)
    else:
        _update(store, row, book)
    note_fingerprint(store, row, book.fingerprint, book.size_bytes)
    return row


def note_fingerprint(store: Store, id: int, fingerprint: str | None, size_bytes: int | None) -> None:
    """Keeps a fingerprint that a book's file has, with the file's size."""
    if fingerprint is not None:
        store.execute(
            "INSERT INTO book_fingerprint (fingerprint, book_id, size_bytes) VALUES (?, ?, ?)"
            " ON CONFLICT (fingerprint, book_id) DO UPDATE SET"
            " size_bytes = COALESCE(excluded.size_bytes, size_bytes)",
            (fingerprint, id, size_bytes),
        )


def with_file(store: Store, file: str) -> int | None:
    """The book that lay under this path when it was last seen."""
    row = store.execute("SELECT id FROM book WHERE file = ? ORDER BY id DESC LIMIT 1", (file,)).fetchone()
    return None if row is None else int(row[0])


def _with_fingerprint(store: Store, book: Book) -> int | None:
    # A book without a file is known from elsewhere, by its fingerprint and title.
    row = store.execute(
        "SELECT b.id FROM book_fingerprint f JOIN book b ON b.id = f.book_id WHERE f.fingerprint = ?1 AND (b.file = ?2"
        " OR (b.file = '' AND b.title IN ('', ?3))"
        " OR (b.file <> '' AND (f.size_bytes IS NULL OR ?4 IS NULL OR f.size_bytes = ?4)))"
        " ORDER BY b.file <> ?2, b.fingerprint IS NOT ?1, b.id LIMIT 1",
        (book.fingerprint, book.file, book.title, book.size_bytes),
    ).fetchone()
    return None if row is None else int(row[0])


def _with_file(store: Store, file: str, fingerprint: str | None) -> int | None:
    # Another book may lie under the same name now: only where a fingerprint is missing does the path decide.
    row = store.execute(
        "SELECT id FROM book WHERE file = ? AND (fingerprint IS NULL OR ? IS NULL) ORDER BY id DESC LIMIT 1",
        (file, fingerprint),
    ).fetchone()
    return None if row is None else int(row[0])


def _changed_in_place(store: Store, book: Book) -> int | None:
    """The book under the same path, if it says of itself what it said before."""
    stem = book.file.rpartition("/")[2].rpartition(".")[0]
    for id, title, authors, known in store.execute(
        "SELECT id, title, authors, identifiers FROM book WHERE file = ? ORDER BY id DESC", (book.file,)
    ).fetchall():
        before, now = set(_lines(known)), set(book.identifiers)
        if any(len(identifier) >= IDENTIFIER_LEAST_CHARS for identifier in before & now):
            return int(id)
        # A title that is only the file's name, and no author: whatever lies there now would say the same.
        says_something = bool(book.authors) or book.title != stem
        is_called_the_same = book.title != "" and title == book.title and _lines(authors) == book.authors
        if is_called_the_same and says_something and (not before or not now):
            return int(id)
    return None


def _insert(store: Store, book: Book) -> int:
    cursor = store.execute(
        "INSERT INTO book (file, fingerprint, size_bytes, format, title, authors, identifiers, series, series_index,"
        " language) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        _columns(book),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def _update(store: Store, id: int, book: Book) -> None:
    """A book that says something else of itself than when it was looked for is looked for again."""
    store.execute(
        "UPDATE book SET unmatched_reason = CASE WHEN title = ?5 AND authors = ?6 AND identifiers = ?7"
        " AND (?2 IS NULL OR fingerprint IS ?2) THEN unmatched_reason END, file = ?1,"
        " fingerprint = COALESCE(?2, fingerprint), size_bytes = COALESCE(?3, size_bytes), format = ?4, title = ?5,"
        " authors = ?6, identifiers = ?7, series = CASE ?8 WHEN '' THEN series ELSE ?8 END,"
        " series_index = CASE ?8 WHEN '' THEN series_index ELSE ?9 END,"
        " language = CASE ?10 WHEN '' THEN language ELSE ?10 END WHERE id = ?11",
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
        book.series,
        book.series_index,
        book.language,
    )


def known(store: Store, fingerprint: str | None, title: str, authors: list[str]) -> Known | None:
    """The book with this fingerprint, else, where a fingerprint is missing, the one with this title and these authors.

    Two fingerprints are two files, and may be two volumes of one name.
    """
    row = None
    if fingerprint is not None:
        # Two books may have one fingerprint (`remember`): then the title decides.
        row = store.execute(
            "SELECT b.id, b.tracked, b.server_id, b.unmatched_reason FROM book_fingerprint f JOIN book b"
            " ON b.id = f.book_id WHERE f.fingerprint = ? ORDER BY b.title <> ?, b.id LIMIT 1",
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


def add_without_file(store: Store, fingerprint: str | None, title: str, authors: list[str], language: str = "") -> int:
    """A book that is only known from KOReader's statistics; when it is opened, its fingerprint finds it."""
    cursor = store.execute(
        "INSERT INTO book (file, fingerprint, format, title, authors, identifiers, language)"
        " VALUES ('', ?, '', ?, ?, '', ?)",
        (fingerprint, title, "\n".join(authors), language),
    )
    assert cursor.lastrowid is not None
    note_fingerprint(store, cursor.lastrowid, fingerprint, None)
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


# Books of which there is something to send. What is to be sent of highlights is decided once their book is known.
_WAITING = (
    "SELECT book_id FROM outbox WHERE state IN ('new', 'intent', 'waiting') AND state <> 'acknowledged'"
    " UNION ALL SELECT book_id FROM mark WHERE gone = 0"
)
_WANTED = (
    "SELECT id, file, title, authors, identifiers, size_bytes, unmatched_reason, format, series, series_index,"
    " language, file_identifiers, package_stamp, hand_id, refused_id FROM book"
)


def unmatched(store: Store) -> list[StoredBook]:
    """Books without an id on the server that something waits for."""
    rows = store.execute(
        f"{_WANTED} WHERE server_id IS NULL AND tracked = 1 AND hand_id IS NOT {NOT_LOOKED_FOR} AND id IN"
        f" ({_WAITING}) ORDER BY id"
    ).fetchall()
    return [_stored(store, row) for row in rows]


def wanted(store: Store, id: int) -> StoredBook | None:
    """One book, as it is looked for."""
    row = store.execute(f"{_WANTED} WHERE id = ?", (id,)).fetchone()
    return None if row is None else _stored(store, row)


def _stored(store: Store, row: tuple[Value, ...]) -> StoredBook:
    found = store.execute(
        "SELECT f.fingerprint, f.size_bytes FROM book_fingerprint f JOIN book b ON b.id = f.book_id"
        " WHERE f.book_id = ? ORDER BY f.fingerprint IS NOT b.fingerprint, f.fingerprint LIMIT ?",
        (row[0], FINGERPRINTS_MOST),
    ).fetchall()
    return StoredBook(row, [(str(fingerprint), size_bytes) for fingerprint, size_bytes in found])


def note_package(
    store: Store, id: int, stamp: str, identifiers: list[str], series: tuple[str, float | None], language: str
) -> None:
    """What a book's own package says; where KOReader has said something of the series or the language, that stays."""
    store.execute(
        "UPDATE book SET package_stamp = ?1, file_identifiers = ?2,"
        " series_index = CASE series WHEN '' THEN ?4 ELSE series_index END,"
        " series = CASE series WHEN '' THEN ?3 ELSE series END,"
        " language = CASE language WHEN '' THEN ?5 ELSE language END WHERE id = ?6",
        (stamp, "\n".join(identifiers), series[0], series[1], language, id),
    )


_MATCHED = (
    "SELECT b.id, b.file, b.title, b.server_id, b.matched_by, b.server_title, b.unmatched_reason, b.hand_id, b.tracked"
    " FROM book b"
)


def one(store: Store, id: int) -> MatchedBook | None:
    row = store.execute(f"{_MATCHED} WHERE b.id = ?", (id,)).fetchone()
    return None if row is None else MatchedBook(*row)


def waiting_unmatched(store: Store, most: int) -> list[MatchedBook]:
    """Books that something waits for and that the server is not known to have; those that can be chosen come first."""
    rows = store.execute(
        f"{_MATCHED} WHERE b.server_id IS NULL AND b.tracked = 1 AND b.unmatched_reason IS NOT NULL AND b.id IN"
        f" ({_WAITING})"
        " ORDER BY NOT EXISTS (SELECT 1 FROM candidate c WHERE c.book_id = b.id AND c.place = 'server'), b.title, b.id"
        " LIMIT ?",
        (most,),
    )
    return [MatchedBook(*row) for row in rows]


def count_waiting_unmatched(store: Store) -> int:
    row = store.execute(
        "SELECT COUNT(*) FROM book b WHERE b.server_id IS NULL AND b.tracked = 1 AND b.unmatched_reason IS NOT NULL"
        f" AND b.id IN ({_WAITING})"
    ).fetchone()
    return int(row[0])


def has_arrived(store: Store, id: int) -> bool:
    """Whether the server has anything of this book from us."""
    row = store.execute("SELECT 1 FROM outbox WHERE book_id = ? AND state = 'acknowledged' LIMIT 1", (id,)).fetchone()
    return row is not None


def match(store: Store, id: int, server_id: int, matched_by: str, server_title: str | None = None) -> None:
    store.execute(
        "UPDATE book SET server_id = ?, matched_by = ?, unmatched_reason = NULL, server_title = ? WHERE id = ?",
        (server_id, matched_by, server_title, id),
    )
    library.forget_candidates(store, id)


def match_by_hand(store: Store, id: int, server_id: int, matched_by: str, server_title: str | None) -> None:
    """The reader's word: it stands until she takes it back, also when the server does not have the book for a while."""
    match(store, id, server_id, matched_by, server_title)
    store.execute(
        "UPDATE book SET hand_id = ?1, refused_id = NULLIF(refused_id, ?1) WHERE id = ?2",
        (server_id, id),
    )


def undo_match(store: Store, id: int, reason: str) -> None:
    """The reader says that it is not this one: it is not looked for until she asks, and then not taken for that one."""
    store.execute(
        "UPDATE book SET refused_id = COALESCE(server_id, hand_id, refused_id), hand_id = ? WHERE id = ?",
        (NOT_LOOKED_FOR, id),
    )
    unmatch(store, id, reason)


def look_again(store: Store, id: int) -> None:
    """As if it had never been looked for, but for what the reader has ruled out."""
    store.execute(
        "UPDATE book SET server_id = NULL, matched_by = NULL, server_title = NULL, unmatched_reason = NULL,"
        " hand_id = NULL WHERE id = ?",
        (id,),
    )


def unmatch(store: Store, id: int, reason: str) -> None:
    store.execute(
        "UPDATE book SET server_id = NULL, matched_by = NULL, server_title = NULL, unmatched_reason = ? WHERE id = ?",
        (reason, id),
    )


def lose(store: Store, id: int, reason: str) -> None:
    """The server does not have the book it was matched with any more: neither has the library in the store.

    What was agreed on with the server was of that book; another one that it may be found to be has none of it.
    """
    library.remove_match_of(store, id)
    shared_values.forget_the_server_of(store, id)
    unmatch(store, id, reason)


def forget_matches(store: Store) -> None:
    """For another server or account: its ids mean other books."""
    store.execute(
        "UPDATE book SET server_id = NULL, matched_by = NULL, unmatched_reason = NULL, server_title = NULL,"
        " hand_id = NULL, refused_id = NULL"
    )
    library.forget_all_candidates(store)
    library.forget(store)
    settings.forget_library(store)
