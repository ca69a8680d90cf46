"""What a book is to have at Hardcover, what it has there, and which book it is there.

Rule 1: a wish is kept whether or not there is a token, so that a token that comes later finds what was agreed on.
What is wanted and what was sent stand side by side: sending twice changes nothing, so a lost answer is repeated.

Called by: whoever agrees on a rating or status with the server calls `want`; `device/sending/hardcover.py` and
`device/hardcover.py` call the rest.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.store.database import Store

RATING, STATUS = "rating", "status"
PLACE = "hardcover"  # in table candidate
NOT_THERE = "-"  # in book.hardcover_looked_for: the reader says that Hardcover does not have it

# Keys of small facts in table setting.
TOKEN_MARK = "hardcover_token_mark"  # of the token that was used last
TOKEN_REFUSED = "hardcover_token_refused"  # "1": no unasked try until there is another one
USER = "hardcover_user"  # whose library `sent` speaks of
PROBLEM = "hardcover_problem"  # what the last run that failed had to say
FAILURES = "hardcover_failures"  # such runs in a row
RETRY_AT = "hardcover_retry_at"  # no unasked try before this instant
ANCHOR = "hardcover_anchor"  # the authority that vouched for the server last time, as PEM
SERVER = "hardcover_server"  # another address of the API, for tests
PROBLEMS = (TOKEN_REFUSED, PROBLEM, FAILURES, RETRY_AT)

ROWS_MOST = 1_000  # wishes in memory, half a kilobyte each; what is more comes with the next run


class Subject:
    """A book as far as Hardcover is concerned. `known_id`: what we know, or the server's metadata, that it is there."""

    __slots__ = ("authors", "id", "isbns", "known_id", "looked_for", "title", "was_read")

    def __init__(
        self,
        id: int,
        title: str,
        authors: list[str],
        isbns: list[str],
        known_id: int | None,
        looked_for: str | None,
        was_read: bool,
    ) -> None:
        self.id = id
        self.title = title
        self.authors = authors
        self.isbns = isbns  # identifiers of any kind, from KOReader, the file and the server
        self.known_id = known_id
        self.looked_for = looked_for
        self.was_read = was_read  # to its end, on this device


class Wish:
    """What a book is to have there and has not been confirmed to have."""

    __slots__ = ("attempts", "field", "reason", "sent", "subject", "wanted")

    def __init__(
        self, subject: Subject, field: str, wanted: str | None, sent: str | None, attempts: int, reason: str | None
    ) -> None:
        self.subject = subject
        self.field = field
        self.wanted = wanted
        self.sent = sent
        self.attempts = attempts
        self.reason = reason


class Candidate:
    __slots__ = ("label", "remote_id")

    def __init__(self, remote_id: int, label: str) -> None:
        self.remote_id = remote_id
        self.label = label


def want(store: Store, book_id: int, field: str, value: str | int | None, now: int) -> None:
    """What `book_id` is to have at Hardcover from now on: a rating 1..10 or a status in BookLore's words; None: none.

    Inside a transaction. Wanting the same again changes nothing; a removal of what was never sent is no wish.
    """
    text = None if value is None else str(value)
    _insert_or_change(store, book_id, field, text, now)
    _drop_if_never_there(store, book_id, field)


def _insert_or_change(store: Store, book_id: int, field: str, text: str | None, now: int) -> None:
    store.execute(
        "INSERT INTO hardcover_value (book_id, field, wanted, changed_at) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (book_id, field) DO UPDATE SET wanted = ?3, changed_at = ?4, is_sent = 0, attempts = 0,"
        " reason = NULL WHERE wanted IS NOT ?3",
        (book_id, field, text, now),
    )


def _drop_if_never_there(store: Store, book_id: int, field: str) -> None:
    store.execute(
        "DELETE FROM hardcover_value WHERE book_id = ? AND field = ? AND wanted IS NULL AND sent IS NULL"
        " AND attempts = 0",
        (book_id, field),
    )


_SUBJECT = (
    "SELECT b.id, b.title, b.authors, b.identifiers || char(10) || b.file_identifiers || char(10)"
    " || COALESCE(s.isbns, ''), CASE WHEN b.hardcover_looked_for IS '-' THEN NULL"
    " ELSE COALESCE(b.hardcover_id, s.hardcover_id) END, b.hardcover_looked_for, b.finished_at IS NOT NULL"
)


def subject(store: Store, book_id: int) -> Subject | None:
    row = store.execute(
        f"{_SUBJECT} FROM book b LEFT JOIN server_book s ON s.server_id = b.server_id WHERE b.id = ?", (book_id,)
    ).fetchone()
    return None if row is None else _subject(*row)


def wishes(store: Store) -> list[Wish]:
    """What is not confirmed, of books that the reader has neither switched off nor declared not to be there.

    What can be sent comes first, then what has not been looked for, then what was not found: it may wait for years.
    """
    rows = store.execute(
        f"{_SUBJECT}, v.field, v.wanted, v.sent, v.attempts, v.reason FROM hardcover_value v"
        " JOIN book b ON b.id = v.book_id LEFT JOIN server_book s ON s.server_id = b.server_id"
        " WHERE v.is_sent = 0 AND b.tracked = 1 AND b.hardcover_looked_for IS NOT '-'"
        " ORDER BY CASE WHEN COALESCE(b.hardcover_id, s.hardcover_id) IS NOT NULL THEN 0"
        " WHEN b.hardcover_looked_for IS NULL THEN 1 ELSE 2 END, v.attempts, v.changed_at, b.id, v.field LIMIT ?",
        (ROWS_MOST,),
    )
    subjects: dict[int, Subject] = {}
    found = []
    for id, title, authors, isbns, known_id, looked_for, was_read, field, wanted, sent, attempts, reason in rows:
        if id not in subjects:
            subjects[id] = _subject(id, title, authors, isbns, known_id, looked_for, was_read)
        found.append(Wish(subjects[id], field, wanted, sent, attempts, reason))
    return found


def _subject(
    id: int, title: str, authors: str, isbns: str, known_id: int | None, looked_for: str | None, was_read: int
) -> Subject:
    return Subject(id, title, authors.split("\n"), isbns.split("\n"), known_id, looked_for, bool(was_read))


def confirm(store: Store, book_id: int, field: str, value: str | None) -> None:
    """Hardcover has `value`; it is what is wanted, unless the reader has changed her mind since."""
    store.execute(
        "UPDATE hardcover_value SET sent = ?3, is_sent = wanted IS ?3, attempts = 0, reason = NULL"
        " WHERE book_id = ?1 AND field = ?2",
        (book_id, field, value),
    )


def fail(store: Store, book_id: int, field: str, reason: str) -> None:
    store.execute(
        "UPDATE hardcover_value SET attempts = attempts + 1, reason = ? WHERE book_id = ? AND field = ?",
        (reason, book_id, field),
    )


def want_all_again(store: Store) -> None:
    """For another account at Hardcover, which has none of it."""
    store.execute("UPDATE hardcover_value SET sent = NULL, is_sent = 0, attempts = 0, reason = NULL")


def retry(store: Store, book_id: int) -> None:
    """The reader has chosen another book for it: what was refused is tried anew, and nothing of it is there yet."""
    store.execute(
        "UPDATE hardcover_value SET sent = NULL, is_sent = 0, attempts = 0, reason = NULL WHERE book_id = ?", (book_id,)
    )


def identify(store: Store, book_id: int, hardcover_id: int | None, looked_for: str | None) -> None:
    """Which book it is there; without an id, by what it was looked for, or `NOT_THERE`."""
    store.execute(
        "UPDATE book SET hardcover_id = ?, hardcover_looked_for = ? WHERE id = ?", (hardcover_id, looked_for, book_id)
    )


def learn_id(store: Store, book_id: int, hardcover_id: int) -> None:
    """What the server's metadata say, unless more is known: the reader's own choice, or that it is not there."""
    store.execute(
        "UPDATE book SET hardcover_id = ? WHERE id = ? AND hardcover_id IS NULL AND hardcover_looked_for IS NOT '-'",
        (hardcover_id, book_id),
    )


def forget_candidates(store: Store, book_id: int) -> None:
    store.execute("DELETE FROM candidate WHERE book_id = ? AND place = 'hardcover'", (book_id,))


def add_candidate(store: Store, book_id: int, remote_id: int, label: str, score: float) -> None:
    store.execute(
        "INSERT OR REPLACE INTO candidate (book_id, place, remote_id, label, score) VALUES (?, 'hardcover', ?, ?, ?)",
        (book_id, remote_id, label, score),
    )


def candidates(store: Store, book_id: int) -> list[Candidate]:
    """The best first; of a book that is known, what it is called there."""
    rows = store.execute(
        "SELECT remote_id, label FROM candidate WHERE book_id = ? AND place = 'hardcover'"
        " ORDER BY score DESC, remote_id",
        (book_id,),
    )
    return [Candidate(remote_id, label) for remote_id, label in rows]
