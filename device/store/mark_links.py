"""What a highlight or bookmark is on the server, per account and per book there, and what both sides agreed on.

A link is only good for the account and the server's book that it was made with: the functions here see no others. So
what was agreed on with an earlier account, or about a book that was matched wrongly, is out of the way without being
lost; it counts again when the account or the match comes back.

Called by: `device/sending/annotations.py`, `device/sending/changes.py`, `device/verbs/`.
"""

from __future__ import annotations

from device.core.annotations.marks import DeviceMark, ServerMark
from device.store.marks import device_mark
from device.store.shared_values import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.store.database import Store

MAIN, COPY = "main", "copy"  # `role`: the mark itself; the book note that goes beside it

_COLUMNS = (
    "l.mark_id, l.account, l.server_book, l.role, l.kind, l.remote_id, l.agreed_device, l.agreed_server, l.server,"
    " l.server_at, l.closed, l.tombstone_at, l.sent_device, l.sent_server"
)
_OF_NOW = "l.account = ? AND l.server_book = (SELECT b.server_id FROM book b WHERE b.id = m.book_id)"


class Link:
    """One mark, or the copy of its note, as one account has it in one book of the server's.

    `kind`: in which of the server's lists. `remote_id`: its number there, None if it is not known. `agreed_device` and
    `agreed_server`: what both had when they agreed last, the base of every merge; None: nothing, or never. `sent_*`:
    what is agreed on if the server has taken what it was sent last, as long as no answer says it. `server`: what its
    list said last, None if it was not in it; `server_at`: when, 0 if it was never read. `closed`: nothing
    follows from the server's side any more. `tombstone_at`: since when a deletion there waits to be confirmed.
    """

    __slots__ = (
        "account", "agreed_device", "agreed_server", "closed", "kind", "mark_id", "remote_id", "role", "sent_device",
        "sent_server", "server", "server_at", "server_book", "tombstone_at",
    )  # fmt: skip

    def __init__(self, mark_id: int, account: str, server_book: int, role: str, kind: str) -> None:
        self.mark_id = mark_id
        self.account = account
        self.server_book = server_book
        self.role = role
        self.kind = kind
        self.remote_id: int | None = None
        self.agreed_device: DeviceMark | None = None
        self.agreed_server: ServerMark | None = None
        self.sent_device: DeviceMark | None = None
        self.sent_server: ServerMark | None = None
        self.server: ServerMark | None = None
        self.server_at = 0
        self.closed = False
        self.tombstone_at = 0


def server_mark(text: str | None) -> ServerMark | None:
    """A mark in its JSON form; None for none, and for what a damaged store made of one."""
    try:
        return None if text is None else ServerMark.from_json(text)
    except ValueError:
        return None


def _link(row: tuple[object, ...]) -> Link:
    link = Link(*row[:5])  # type: ignore[arg-type]
    link.remote_id = row[5]  # type: ignore[assignment]
    link.agreed_device = device_mark(row[6])  # type: ignore[arg-type]
    link.agreed_server, link.server = server_mark(row[7]), server_mark(row[8])  # type: ignore[arg-type]
    link.server_at, link.tombstone_at = row[9], row[11]  # type: ignore[assignment]
    link.closed = bool(row[10])
    link.sent_device, link.sent_server = device_mark(row[12]), server_mark(row[13])  # type: ignore[arg-type]
    return link


def of_book(store: Store, book_id: int, account: str) -> list[Link]:
    rows = store.execute(
        f"SELECT {_COLUMNS} FROM mark m JOIN mark_link l ON l.mark_id = m.id WHERE m.book_id = ? AND {_OF_NOW}"
        " ORDER BY l.mark_id, l.role DESC",
        (book_id, account),
    )
    return [_link(row) for row in rows]


def of_mark(store: Store, mark_id: int, account: str) -> list[Link]:
    """The main link first."""
    rows = store.execute(
        f"SELECT {_COLUMNS} FROM mark m JOIN mark_link l ON l.mark_id = m.id WHERE m.id = ? AND {_OF_NOW}"
        " ORDER BY l.role DESC",
        (mark_id, account),
    )
    return [_link(row) for row in rows]


def save(store: Store, link: Link) -> None:
    """A new link, or an old one as it is now."""
    store.execute(
        "INSERT INTO mark_link (mark_id, account, server_book, role, kind, remote_id, agreed_device, agreed_server,"
        " server, server_at, closed, tombstone_at, sent_device, sent_server)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (mark_id, account, server_book, role) DO UPDATE SET kind = excluded.kind,"
        " remote_id = excluded.remote_id, agreed_device = excluded.agreed_device,"
        " agreed_server = excluded.agreed_server, server = excluded.server, server_at = excluded.server_at,"
        " closed = excluded.closed, tombstone_at = excluded.tombstone_at, sent_device = excluded.sent_device,"
        " sent_server = excluded.sent_server",
        (
            link.mark_id,
            link.account,
            link.server_book,
            link.role,
            link.kind,
            link.remote_id,
            None if link.agreed_device is None else link.agreed_device.to_json(),
            None if link.agreed_server is None else link.agreed_server.to_json(),
            None if link.server is None else link.server.to_json(),
            link.server_at,
            int(link.closed),
            link.tombstone_at,
            None if link.sent_device is None else link.sent_device.to_json(),
            None if link.sent_server is None else link.sent_server.to_json(),
        ),
    )


def remove(store: Store, link: Link) -> None:
    store.execute(
        "DELETE FROM mark_link WHERE mark_id = ? AND account = ? AND server_book = ? AND role = ?",
        (link.mark_id, link.account, link.server_book, link.role),
    )


def has_kind(store: Store, book_id: int, account: str, kind: str) -> bool:
    """Whether anything of a book's stands in the server's list of this kind, or is to."""
    row = store.execute(
        f"SELECT 1 FROM mark m JOIN mark_link l ON l.mark_id = m.id WHERE m.book_id = ? AND l.kind = ? AND {_OF_NOW}"
        " LIMIT 1",
        (book_id, kind, account),
    ).fetchone()
    return row is not None


# When the server's lists were read


def pulled_at(store: Store, book_id: int, account: str) -> int:
    """When the lists of the server's book that this one is now were read last; 0: never."""
    row = store.execute(
        "SELECT p.pulled_at FROM mark_pull p JOIN book b ON b.id = p.book_id WHERE p.book_id = ? AND p.account = ?"
        " AND p.server_book = b.server_id",
        (book_id, account),
    ).fetchone()
    return 0 if row is None else int(row[0])


def note_pull(store: Store, book_id: int, account: str, server_book: int, at: int) -> None:
    store.execute(
        "INSERT OR REPLACE INTO mark_pull (book_id, account, server_book, pulled_at) VALUES (?, ?, ?, ?)",
        (book_id, account, server_book, at),
    )


def longest_unpulled(store: Store, account: str, before: int, most: int) -> list[Place]:
    """Recorded books with marks that the server has too, whose lists were not read since `before`."""
    rows = store.execute(
        "SELECT b.id, b.server_id, b.file, b.format FROM book b LEFT JOIN mark_pull p ON p.book_id = b.id"
        " AND p.account = ? AND p.server_book = b.server_id WHERE b.tracked = 1 AND b.server_id IS NOT NULL"
        " AND COALESCE(p.pulled_at, 0) < ? AND EXISTS (SELECT 1 FROM mark m WHERE m.book_id = b.id)"
        " ORDER BY COALESCE(p.pulled_at, 0), b.id LIMIT ?",
        (account, before, most),
    )
    return [Place(*row) for row in rows]
