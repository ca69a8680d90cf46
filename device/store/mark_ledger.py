"""Highlights, notes and bookmarks of another program: what it says it has sent, and what it had still to send.

Called by: `device/importing/plugin_records.py`, which fills it; `device/importing/plugin_marks.py`, which makes marks
and links of it.
A mark is known here by its book, its kind (`device/core/outbox.py`) and KOReader's date and time of it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.store.database import Store


def key(book_id: int, made_at: str) -> str:
    """The outbox key of a mark, within its kind."""
    return f"{book_id} {made_at}"


def add_sent(store: Store, book_id: int, kind: str, made_at: str, remote_id: int | None) -> bool:
    """Whether it was new: a mark that is in the ledger already keeps what is known of it."""
    cursor = store.execute(
        "INSERT INTO mark_ledger (book_id, kind, made_at, remote_id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (book_id, kind, made_at, remote_id),
    )
    return cursor.rowcount == 1


def is_on_server(store: Store, book_id: int, kind: str, made_at: str) -> bool:
    """Whether the server itself has given it an id. That a program noted it as sent does not prove it was."""
    row = store.execute(
        "SELECT 1 FROM mark_ledger WHERE book_id = ? AND kind = ? AND made_at = ? AND remote_id IS NOT NULL",
        (book_id, kind, made_at),
    ).fetchone()
    return row is not None


def add_pending(store: Store, book_id: int, kind: str, made_at: str, payload: str) -> bool:
    """Whether it was new."""
    cursor = store.execute(
        "INSERT INTO pending_mark (book_id, kind, made_at, payload) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (book_id, kind, made_at, payload),
    )
    return cursor.rowcount == 1


class Sent:
    """What another program says it has sent. `remote_id`: the server's number of it, None if it did not say."""

    __slots__ = ("kind", "made_at", "remote_id")

    def __init__(self, kind: str, made_at: str, remote_id: int | None) -> None:
        self.kind = kind
        self.made_at = made_at
        self.remote_id = remote_id


def not_taken(store: Store, book_id: int) -> list[Sent]:
    """What no link of a mark has taken over."""
    rows = store.execute(
        "SELECT kind, made_at, remote_id FROM mark_ledger WHERE book_id = ? AND taken = 0 ORDER BY made_at, kind",
        (book_id,),
    )
    return [Sent(*row) for row in rows]


def has_taken(store: Store, book_id: int) -> bool:
    row = store.execute("SELECT 1 FROM mark_ledger WHERE book_id = ? AND taken = 1 LIMIT 1", (book_id,)).fetchone()
    return row is not None


def note_taken(store: Store, book_id: int, kind: str, made_at: str) -> None:
    store.execute(
        "UPDATE mark_ledger SET taken = 1 WHERE book_id = ? AND kind = ? AND made_at = ?", (book_id, kind, made_at)
    )
