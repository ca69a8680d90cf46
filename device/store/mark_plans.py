"""Which books have highlights, notes or bookmarks about which something is still to be decided, and how many wait.

A book's marks are decided about together (`device/sending/annotations.py`). What they were then is kept as a short
text: how many there are, when they changed, and the `basis`, which is whatever else a decision depends on. Where it is
another now, the book is due.

Called by: `device/sending/annotations.py`, `device/verbs/`.
"""

from __future__ import annotations

from device.store.shared_values import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.store.database import Store

# Answered from the index `mark_by_book` alone.
_SEEN = (
    "(SELECT COUNT(*) || ' ' || SUM(m.device_at) || ' ' || SUM(m.gone) FROM mark m WHERE m.book_id = b.id)"
    " || ' ' || (b.finished_at IS NOT NULL)"
)
_WITH_PLAN = (
    "FROM book b LEFT JOIN mark_pull p ON p.book_id = b.id AND p.account = ?1 AND p.server_book = b.server_id"
    " WHERE b.tracked = 1 AND b.server_id IS NOT NULL AND b.id IN (SELECT book_id FROM mark)"
)
_IS_DUE = f"p.planned_as IS NOT (?2 || ' ' || {_SEEN})"
STUCK = "stuck "  # before a state of which all was decided that could be: the book itself could not be read


def are_any(store: Store) -> bool:
    """Whether there are any marks at all."""
    return store.execute("SELECT 1 FROM mark LIMIT 1").fetchone() is not None


def are_any_unmatched(store: Store, looked_for_too: bool) -> bool:
    """Whether a book with marks has not been looked for on the server; or, `looked_for_too`, not been found there."""
    row = store.execute(
        "SELECT 1 FROM book WHERE server_id IS NULL AND tracked = 1 AND (?1 OR unmatched_reason IS NULL)"
        " AND hand_id IS NULL AND id IN (SELECT book_id FROM mark WHERE gone = 0) LIMIT 1",
        (int(looked_for_too),),
    ).fetchone()
    return row is not None


def read_since(store: Store, since: int, until: int, most: int) -> list[Place]:
    """Recorded books on the server of which a reading ended in that time."""
    rows = store.execute(
        "SELECT b.id, b.server_id, b.file, b.format FROM book b WHERE b.tracked = 1 AND b.server_id IS NOT NULL"
        " AND b.file <> '' AND b.id IN (SELECT book_id FROM reading_session WHERE ended_at BETWEEN ? AND ?)"
        " ORDER BY b.id DESC LIMIT ?",
        (since, until, most),
    )
    return [Place(*row) for row in rows]


def due(store: Store, account: str, basis: str, most: int) -> list[Place]:
    """Recorded books on the server whose marks are not as they were when they were decided about; the last changed
    first."""
    rows = store.execute(
        f"SELECT b.id, b.server_id, b.file, b.format {_WITH_PLAN} AND {_IS_DUE}"
        f" AND p.planned_as IS NOT ('{STUCK}' || ?2 || ' ' || {_SEEN})"
        " ORDER BY (SELECT MAX(m.device_at) FROM mark m WHERE m.book_id = b.id) DESC, b.id LIMIT ?3",
        (account, basis, most),
    )
    return [Place(*row) for row in rows]


def stuck(store: Store, account: str, most: int) -> list[Place]:
    """Those whose file could not be read."""
    rows = store.execute(
        f"SELECT b.id, b.server_id, b.file, b.format {_WITH_PLAN} AND p.planned_as LIKE '{STUCK}%'"
        " ORDER BY b.id LIMIT ?2",
        (account, most),
    )
    return [Place(*row) for row in rows]


def note(store: Store, place: Place, account: str, basis: str, is_stuck: bool) -> None:
    """All that follows from the marks as they are is decided."""
    store.execute(
        "INSERT INTO mark_pull (book_id, account, server_book, pulled_at, planned_as)"
        f" SELECT b.id, ?1, ?2, 0, ?3 || ?4 || ' ' || {_SEEN} FROM book b WHERE b.id = ?5"
        " ON CONFLICT (book_id, account, server_book) DO UPDATE SET planned_as = excluded.planned_as",
        (account, place.server_id, STUCK if is_stuck else "", basis, place.book_id),
    )


def doubt(store: Store, book_id: int) -> None:
    """Something has happened to one of a book's marks: they are to be looked at again."""
    store.execute("UPDATE mark_pull SET planned_as = NULL WHERE book_id = ?", (book_id,))


def unheard(store: Store, account: str) -> None:
    """Of this account it is not known any more what its lists have: it was another one's turn for a while."""
    store.execute("UPDATE mark_pull SET pulled_at = 0, planned_as = NULL WHERE account = ?", (account,))


def server_book(store: Store, book_id: int) -> int | None:
    """The server's number of a book."""
    row = store.execute("SELECT server_id FROM book WHERE id = ?", (book_id,)).fetchone()
    return None if row is None or row[0] is None else int(row[0])


class Undecided:
    """Marks of one kind of one book about which nothing is decided yet. `reason`: why, if there is one besides that no
    run has come to it; `is_matched`: whether the book is known to be on the server."""

    __slots__ = ("count", "is_matched", "kind", "reason", "since", "title")

    def __init__(self, title: str, kind: str, count: int, since: int, reason: str | None, is_matched: int) -> None:
        self.title = title
        self.kind = kind
        self.count = count
        self.since = since
        self.reason = reason
        self.is_matched = bool(is_matched)


def undecided(store: Store, account: str) -> list[Undecided]:
    """By book; what has a link already is not among them."""
    rows = store.execute(
        "SELECT CASE b.title WHEN '' THEN b.file ELSE b.title END, m.kind, COUNT(*), MIN(m.device_at),"
        " b.unmatched_reason, b.server_id IS NOT NULL FROM mark m JOIN book b ON b.id = m.book_id"
        " LEFT JOIN mark_pull p ON p.book_id = b.id AND p.account = ?1 AND p.server_book = b.server_id"
        " WHERE m.gone = 0 AND m.device_at > 0 AND b.tracked = 1"
        f" AND (p.planned_as IS NULL OR p.planned_as LIKE '{STUCK}%' OR p.planned_as NOT LIKE '% ' || {_SEEN})"
        " AND NOT EXISTS (SELECT 1 FROM mark_link l WHERE l.mark_id = m.id AND l.account = ?1"
        " AND l.server_book = b.server_id) GROUP BY b.id, m.kind ORDER BY 4, 1",
        (account,),
    )
    return [Undecided(*row) for row in rows]


def count_not_exact(store: Store, account: str) -> int:
    """Highlights that went to the page of their book because their place could not be found for certain."""
    row = store.execute(
        "SELECT COUNT(*) FROM mark m JOIN mark_link l ON l.mark_id = m.id WHERE m.position = 'approximate'"
        " AND m.gone = 0 AND m.kind = 'highlight' AND l.account = ? AND l.role = 'stand_in'"
        " AND l.remote_id IS NOT NULL",
        (account,),
    ).fetchone()
    return int(row[0])
