"""Highlights, notes and bookmarks of another program: what it says it has sent, and what it had still to send.

Called by: `device/importing/plugin_records.py`, which fills it; `device/annotation_ingest.py`, which makes marks of it.
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
