"""The server's library as it was when it was read last, and what books without a match could be in it.

Promises: a book that has not changed is not written again; what a list leaves out (the fingerprint, Hardcover's number)
stays. Reading it takes one book at a time.
Called by: `device/sending/reading_library.py`, `device/sending/finding_books.py`, `device/verbs/matching.py`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.core.matching import ServerBook
    from device.store.database import Store, Value

PLACE = "server"  # of candidates
_COLUMNS = "title, subtitle, authors, series, series_index, language, isbns, files, fingerprint, hardcover_id"


class StoredCandidate:
    """What a book could be. `label`: for the reader."""

    __slots__ = ("label", "score", "server_id")

    def __init__(self, server_id: int, label: str, score: float) -> None:
        self.server_id = server_id
        self.label = label
        self.score = score


class Row:
    """A book of the library as it is stored: what a search looks at first is cheap to have."""

    __slots__ = ("_values", "fingerprint", "server_id", "title")

    def __init__(self, values: tuple[Value, ...]) -> None:
        self._values = values
        self.server_id = int(values[0] or 0)
        self.title = f"{values[1]} {values[2]}" if values[2] else str(values[1])
        self.fingerprint = None if values[9] is None else str(values[9])

    def isbns(self) -> list[str]:
        return str(self._values[7]).split("\n") if self._values[7] else []

    def file_names(self) -> list[str]:
        return [line.partition("\t")[2] for line in str(self._values[8]).split("\n")]

    def book(self) -> ServerBook:
        from device.core.matching import ServerBook  # with all its rules; most runs look for no book

        _, title, subtitle, authors, series, index, language, _, files, fingerprint, hardcover_id = self._values
        book = ServerBook(self.server_id, str(title))
        book.subtitle = str(subtitle)
        book.authors = str(authors).split("\n") if authors else []
        book.series = str(series)
        book.series_index = None if index is None else float(index)
        book.language = str(language)
        book.isbns = self.isbns()
        for line in str(files).split("\n") if files else ():
            size_kb, _, name = line.partition("\t")
            book.files.append((name, int(size_kb)))
        book.fingerprint = None if fingerprint is None else str(fingerprint)
        book.hardcover_id = None if hardcover_id is None else int(hardcover_id)
        return book


def count(store: Store) -> int:
    return int(store.execute("SELECT COUNT(*) FROM server_book").fetchone()[0])


def take(store: Store, book: ServerBook) -> bool:
    """Stores a book of the server's; whether it was new."""
    values = _values(book)
    before = _stored(store, book.server_id)
    if before is None:
        _insert(store, book.server_id, values)
        return True
    if before[7] == values[7]:  # the same files: a list that tells no fingerprint leaves it as it was
        values = (*values[:8], values[8] or before[8], values[9])
    values = (*values[:9], before[9] if values[9] is None else values[9])
    if before != values:
        _update(store, book.server_id, values)
    return False


def _stored(store: Store, server_id: int) -> tuple[Value, ...] | None:
    row = store.execute(f"SELECT {_COLUMNS} FROM server_book WHERE server_id = ?", (server_id,)).fetchone()
    return None if row is None else tuple(row)


def _insert(store: Store, server_id: int, values: tuple[Value, ...]) -> None:
    store.execute(
        f"INSERT INTO server_book (server_id, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (server_id, *values),
    )


def _update(store: Store, server_id: int, values: tuple[Value, ...]) -> None:
    store.execute(
        "UPDATE server_book SET title = ?, subtitle = ?, authors = ?, series = ?, series_index = ?, language = ?,"
        " isbns = ?, files = ?, fingerprint = ?, hardcover_id = ? WHERE server_id = ?",
        (*values, server_id),
    )


def _values(book: ServerBook) -> tuple[Value, ...]:
    return (
        book.title,
        book.subtitle,
        "\n".join(book.authors),
        book.series,
        book.series_index,
        book.language,
        "\n".join(book.isbns),
        "\n".join(f"{size_kb}\t{name}" for name, size_kb in book.files),
        book.fingerprint,
        book.hardcover_id,
    )


def take_fingerprint(store: Store, server_id: int, fingerprint: str) -> None:
    """What the server tells of a book that it has listed; of others it is not kept."""
    store.execute(
        "UPDATE server_book SET fingerprint = ?1 WHERE server_id = ?2 AND fingerprint IS NOT ?1",
        (fingerprint, server_id),
    )


def ids(store: Store) -> Iterator[int]:
    for row in store.execute("SELECT server_id FROM server_book"):
        yield int(row[0])


def remove(store: Store, server_id: int) -> None:
    store.execute("DELETE FROM server_book WHERE server_id = ?", (server_id,))


def remove_match_of(store: Store, book_id: int) -> None:
    """The book that one of ours is matched with."""
    store.execute("DELETE FROM server_book WHERE server_id = (SELECT server_id FROM book WHERE id = ?)", (book_id,))


def rows(store: Store) -> Iterator[Row]:
    """The whole library, one book after the other."""
    for values in store.execute(f"SELECT server_id, {_COLUMNS} FROM server_book"):
        yield Row(values)


def one(store: Store, server_id: int) -> ServerBook | None:
    values = store.execute(
        f"SELECT server_id, {_COLUMNS} FROM server_book WHERE server_id = ?", (server_id,)
    ).fetchone()
    return None if values is None else Row(values).book()


def forget(store: Store) -> None:
    """For another server or account."""
    store.execute("DELETE FROM server_book")


def forget_all_candidates(store: Store) -> None:
    store.execute("DELETE FROM candidate WHERE place = ?", (PLACE,))


def put_candidates(store: Store, book_id: int, found: list[StoredCandidate]) -> None:
    """In place of those that a book had."""
    forget_candidates(store, book_id)
    for candidate in found:
        store.execute(
            "INSERT INTO candidate (book_id, place, remote_id, label, score) VALUES (?, ?, ?, ?, ?)",
            (book_id, PLACE, candidate.server_id, candidate.label, candidate.score),
        )


def forget_candidates(store: Store, book_id: int) -> None:
    store.execute("DELETE FROM candidate WHERE book_id = ? AND place = ?", (book_id, PLACE))


def candidates(store: Store, book_id: int) -> list[StoredCandidate]:
    """The best first."""
    found = store.execute(
        "SELECT remote_id, label, score FROM candidate WHERE book_id = ? AND place = ? ORDER BY score DESC, remote_id",
        (book_id, PLACE),
    )
    return [StoredCandidate(int(id), str(label), float(score)) for id, label, score in found]
