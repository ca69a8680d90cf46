"""Highlights and bookmarks as the device has them, and what the device is to be given.

A row of `mark` outlives the highlight it stands for: `gone` says that the device does not have it any more, and how
that came. What a mark is on the server stands in `mark_links.py`.

Called by: `device/annotation_ingest.py`, which collects; `device/sending/annotations.py`, which compares and sends;
`device/verbs/`, which tell the launcher what is offered. Which mark is which is decided in `device/core/annotations/`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.annotations.marks import DeviceMark
    from device.store.database import Store

THERE, DELETED, MISSING = 0, 1, 2  # `gone`: on the device; deleted by the reader; not there, and nobody saw it go

_COLUMNS = (
    "m.id, m.book_id, m.kind, m.made_at, m.device, m.device_at, m.gone, m.cfi, m.position, m.position_reason,"
    " m.converter, m.offered, m.offered_at"
)


class StoredMark:
    """`device`: as the device has it, or had it last; None if it never had it. `cfi`, `position`, `position_reason` and
    `converter`: its place in the book's file (`device/epub/positions.py`), None before it was looked for. `offered`:
    what the device is to be given, in the words of `device/sending/annotations.py`; None while nothing is offered.
    """

    __slots__ = (
        "book_id", "cfi", "converter", "device", "device_at", "gone", "id", "kind", "made_at", "offered", "offered_at",
        "position", "position_reason",
    )  # fmt: skip

    def __init__(
        self,
        id: int,
        book_id: int,
        kind: str,
        made_at: str,
        device: str | None,
        device_at: int,
        gone: int,
        cfi: str | None,
        position: str | None,
        position_reason: str | None,
        converter: int | None,
        offered: str | None,
        offered_at: int,
    ) -> None:
        self.id = id
        self.book_id = book_id
        self.kind = kind
        self.made_at = made_at
        self.device = device_mark(device)
        self.device_at = device_at
        self.gone = gone
        self.cfi = cfi
        self.position = position
        self.position_reason = position_reason
        self.converter = converter
        self.offered = offered
        self.offered_at = offered_at

    def on_device(self) -> DeviceMark | None:
        """As the device has it now; None if it does not."""
        return self.device if self.gone == THERE else None


def device_mark(text: str | None) -> DeviceMark | None:
    """A mark in its JSON form; None for none, and for what a damaged store made of one."""
    if text is None:
        return None
    from device.core.annotations.marks import DeviceMark  # counting marks needs none of it

    try:
        return DeviceMark.from_json(text)
    except ValueError:
        return None


def of_book(store: Store, book_id: int) -> list[StoredMark]:
    rows = store.execute(f"SELECT {_COLUMNS} FROM mark m WHERE m.book_id = ? ORDER BY m.id", (book_id,))
    return [StoredMark(*row) for row in rows]


def made_at(store: Store, book_id: int, made: str) -> list[StoredMark]:
    """Those of a book that KOReader says were made then."""
    rows = store.execute(
        f"SELECT {_COLUMNS} FROM mark m WHERE m.book_id = ? AND m.made_at = ? ORDER BY m.id", (book_id, made)
    )
    return [StoredMark(*row) for row in rows]


def beyond_record(store: Store, book_id: int, at: int) -> dict[int, bool]:
    """Those that were not deleted if a record of `at` does not have them, as `identity.take_seen` wants them: False,
    only another program has seen it on the device; True, it was seen later, or no whole record was read since."""
    rows = store.execute(
        "SELECT m.id, m.device_at > 0 FROM mark m LEFT JOIN mark_source s ON s.book_id = m.book_id"
        " WHERE m.book_id = ?1 AND m.device IS NOT NULL"
        " AND (m.device_at = 0 OR m.device_at > MIN(?2, COALESCE(s.seen_at, 0)))",
        (book_id, at),
    )
    return {int(id): bool(is_newer) for id, is_newer in rows}


def newest_dom(store: Store, book_id: int) -> int | None:
    """The version of the rules by which KOReader spells places in this book, as far as a mark tells it."""
    found = [mark.device.dom for mark in of_book(store, book_id) if mark.device is not None]
    return max((dom for dom in found if dom is not None), default=None)


def one(store: Store, id: int) -> StoredMark | None:
    row = store.execute(f"SELECT {_COLUMNS} FROM mark m WHERE m.id = ?", (id,)).fetchone()
    return None if row is None else StoredMark(*row)


def add(store: Store, book_id: int, mark: DeviceMark, at: int) -> int:
    """A mark that the device has; its id. `at`: when that was seen."""
    cursor = store.execute(
        "INSERT INTO mark (book_id, kind, made_at, device, device_at) VALUES (?, ?, ?, ?, ?)",
        (book_id, mark.kind, mark.made_at, mark.to_json(), at),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def add_without_device(store: Store, book_id: int, kind: str) -> int:
    """A mark that the device has never had: the server's, or one that another program left; its id."""
    cursor = store.execute("INSERT INTO mark (book_id, kind, made_at) VALUES (?, ?, '')", (book_id, kind))
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def add_deleted(store: Store, book_id: int, kind: str, made_at: str, at: int) -> int:
    """A mark that the reader deleted before anything of it was known here; its id."""
    cursor = store.execute(
        "INSERT INTO mark (book_id, kind, made_at, device_at, gone) VALUES (?, ?, ?, ?, 1)",
        (book_id, kind, made_at, at),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def save_device(store: Store, id: int, mark: DeviceMark, at: int) -> None:
    """The device has it, and has it so."""
    store.execute(
        "UPDATE mark SET kind = ?, made_at = ?, device = ?, device_at = ?, gone = 0 WHERE id = ?",
        (mark.kind, mark.made_at, mark.to_json(), at, id),
    )


def set_gone(store: Store, id: int, gone: int, at: int) -> None:
    """The device does not have it any more. `gone`: DELETED or MISSING."""
    store.execute("UPDATE mark SET gone = ?, device_at = ? WHERE id = ?", (gone, at, id))


def set_position(
    store: Store, id: int, cfi: str | None, position: str | None, reason: str | None, converter: int | None
) -> None:
    """What was found of its place in the book's file; nothing but None: it is to be looked for anew."""
    store.execute(
        "UPDATE mark SET cfi = ?, position = ?, position_reason = ?, converter = ? WHERE id = ?",
        (cfi, position, reason, converter, id),
    )


def remove(store: Store, id: int) -> None:
    """Forgets a mark that neither side has, and with it all links of it."""
    store.execute("DELETE FROM mark WHERE id = ?", (id,))


# What the device is to be given


class Offered:
    """A mark that the device is to be given, and where its book lies."""

    __slots__ = ("file", "mark", "title")

    def __init__(self, file: str, title: str, mark: StoredMark) -> None:
        self.file = file
        self.title = title
        self.mark = mark


def offer(store: Store, id: int, offered: str, at: int) -> None:
    store.execute("UPDATE mark SET offered = ?, offered_at = ? WHERE id = ?", (offered, max(at, 1), id))


def withdraw_offer(store: Store, id: int) -> None:
    """The device has been given it, or is not to have it."""
    store.execute("UPDATE mark SET offered = NULL, offered_at = 0 WHERE id = ?", (id,))


def offered(store: Store, most: int, most_of_book: int) -> list[Offered]:
    """What is offered for books that lie here and are recorded, book by book, of each the oldest offer first.

    The book with the newest offer comes first, so that those which KOReader cannot take now keep no others waiting.
    """
    rows = store.execute(
        f"SELECT file, title, {_COLUMNS} FROM (SELECT b.file AS file,"
        " CASE b.title WHEN '' THEN b.file ELSE b.title END AS title, o.*,"
        " MAX(o.offered_at) OVER (PARTITION BY o.book_id) AS newest_at,"
        " ROW_NUMBER() OVER (PARTITION BY o.book_id ORDER BY o.offered_at, o.id) AS number"
        " FROM mark o JOIN book b ON b.id = o.book_id WHERE o.offered_at > 0 AND b.tracked = 1 AND b.file <> '') m"
        " WHERE number <= ?2 ORDER BY newest_at DESC, book_id, offered_at, id LIMIT ?1",
        (most, most_of_book),
    )
    return [Offered(str(row[0]), str(row[1]), StoredMark(*row[2:])) for row in rows]


def count_on_device(store: Store) -> tuple[int, int, int]:
    """(highlights, bookmarks, books with any) that the device has, of recorded books."""
    row = store.execute(
        "SELECT COALESCE(SUM(m.kind = 'highlight'), 0), COALESCE(SUM(m.kind = 'bookmark'), 0),"
        " COUNT(DISTINCT m.book_id) FROM mark m JOIN book b ON b.id = m.book_id"
        " WHERE m.device IS NOT NULL AND m.gone = 0 AND b.tracked = 1"
    ).fetchone()
    return int(row[0]), int(row[1]), int(row[2])
