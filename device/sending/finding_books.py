"""Looking for books without an id in the server's library, and what that changes for the entries that wait for it.

Promises: the library is read once, in bounded memory, and at most once an hour, unless the reader asks or a book is
new. Which book it is, `device/core/matching.py` decides.
Called by: `device/sending/sender.py`.
"""

from __future__ import annotations

from device.core import matching
from device.core import outbox as rules
from device.store import books, outbox, settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.server.client import Client
    from device.store.database import Store

LIBRARY_AGE_S = 3_600


def find_books(store: Store, client: Client, asked_for: bool, now: int, before_request: Callable[[], None]) -> None:
    """Raises ServerError when the library cannot be read."""
    unmatched = books.unmatched(store)
    age_s = now - settings.get_int(store, settings.LIBRARY_READ_AT)
    new_ones = any(not book.looked_for for book in unmatched)
    if not unmatched or not (asked_for or new_ones or not 0 <= age_s < LIBRARY_AGE_S):
        return
    wanted = [
        (book, matching.Wanted(book.title, book.authors, book.identifiers, book.file, book.size_bytes))
        for book in unmatched
    ]
    before_request()
    for candidate in client.books():
        for _, seeker in wanted:
            seeker.compare(candidate)
    with store.transaction():
        settings.put(store, settings.LIBRARY_READ_AT, str(now))
        for book, seeker in wanted:
            _settle(store, book.id, seeker.answer(), now)


def _settle(store: Store, book_id: int, answer: tuple[int, str] | str, now: int) -> None:
    if isinstance(answer, str):
        books.unmatch(store, book_id, answer)
        _move(store, book_id, rules.NEW, False, rules.NO_BOOK, now, answer)
        for unproven in (False, True):
            _move(store, book_id, rules.WAITING, unproven, rules.NO_BOOK, now, answer)
            _move(store, book_id, rules.INTENT, unproven, rules.BOOK_GONE, now, answer)
        return
    books.match(store, book_id, answer[0], answer[1])
    for unproven in (False, True):
        _move(store, book_id, rules.WAITING, unproven, rules.event_for_match(unproven), now, None)


def _move(store: Store, book_id: int, state: str, unproven: bool, event: str, now: int, reason: str | None) -> None:
    new = rules.after(state, event), rules.unproven_after(unproven, event)
    outbox.change_book(store, book_id, (state, unproven), new, now, reason)
