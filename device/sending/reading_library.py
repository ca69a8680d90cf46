"""The server's library brought into the store, in pieces and as little of it as is needed.

Promises: a run that is cut off leaves what it has read; a book is taken for vanished only after a reading that came to
its end. Where the server gives its library by pages, the newest are read until one brings nothing new and the numbers
agree; all of it is read once a week, for what was changed there. Memory does not grow with the library, but for one
number a book.
Called by: `device/sending/finding_books.py`, `device/verbs/matching.py`.
"""

from __future__ import annotations

from device.server import library as server
from device.store import library, settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.core.matching import ServerBook
    from device.server.client import Client
    from device.store.database import Store

    Report = Callable[[int, int], None]

AT_ONCE = 200  # books in one transaction: each costs a flush of the disk
BOOKS_MOST = 200_000  # what comes behind is not looked at; the largest libraries seen have a tenth of it
WHOLE_AGE_S = 7 * 86_400
PAGES_MOST = 20  # of new books; for more the whole list is cheaper


def is_whole(store: Store) -> bool:
    """Whether the store has what was read last: a store that was built anew has not."""
    return library.count(store) == settings.get_int(store, settings.LIBRARY_COUNT)


def read(
    store: Store, client: Client, has_pages: bool, now: int, before_request: Callable[[], None], report: Report
) -> None:
    """Raises ServerError; what was read before stays."""
    whole_age_s = now - settings.get_int(store, settings.LIBRARY_WHOLE_AT)
    if not (has_pages and is_whole(store) and 0 <= whole_age_s < WHOLE_AGE_S) or not _read_newest(
        store, client, before_request
    ):
        before_request()
        _read_all(store, client, report)
        with store.transaction():
            settings.put(store, settings.LIBRARY_WHOLE_AT, str(now))
    with store.transaction():
        settings.put(store, settings.LIBRARY_COUNT, str(library.count(store)))
        settings.put(store, settings.LIBRARY_READ_AT, str(now))


def _read_newest(store: Store, client: Client, before_request: Callable[[], None]) -> bool:
    """Whether the store has the whole library now."""
    for number in range(PAGES_MOST):
        before_request()
        page = server.newest(client, number)
        if page is None:
            return False
        with store.transaction():
            new = [book.server_id for book in page.books if library.take(store, book)]
        if len(new) < len(page.books) or len(page.books) < server.PAGE_SIZE:
            return library.count(store) == page.total
    return False


def _read_all(store: Store, client: Client, report: Report) -> None:
    expected = library.count(store)
    seen: set[int] = set()
    pending: list[ServerBook] = []
    for book in server.all_books(client):
        if len(seen) == BOOKS_MOST:
            break
        seen.add(book.server_id)
        pending.append(book)
        if len(pending) == AT_ONCE:
            _take(store, pending)
            pending = []
            report(len(seen), expected)
    _take(store, pending)
    vanished = [server_id for server_id in library.ids(store) if server_id not in seen]
    for start in range(0, len(vanished), AT_ONCE):
        with store.transaction():
            for server_id in vanished[start : start + AT_ONCE]:
                library.remove(store, server_id)


def _take(store: Store, books: list[ServerBook]) -> None:
    with store.transaction():
        for book in books:
            library.take(store, book)
