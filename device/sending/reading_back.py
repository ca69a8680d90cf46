"""Asking the server which of a book's unclear entries it has.

Promises: one list of a kind for all entries of a book; what the list does not show counts as missing only if the list
is known to be whole (`device/core/read_back.py`).
Called by: `device/sending/sender.py`, which has made sure that they have settled, and writes down what comes of it.
"""

from __future__ import annotations

from device.core import outbox as rules
from device.core.read_back import SessionsSought
from device.sending.changes import GONE, Change
from device.server import deliveries
from device.server.client import PAGE_SIZES
from device.server.errors import BookGone, ServerFailed

NOT_WHOLE = "the server's list of sessions changes while it is read"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from device.core.read_back import Span
    from device.json_text import Json
    from device.server.client import Client
    from device.store.outbox import BookToServe, Entry


def read_back(
    client: Client, book: BookToServe, entries: list[Entry], before_request: Callable[[], None]
) -> Iterator[list[Change]]:
    """What has become of them, list by list; about those that are not named nothing is known yet.

    Raises ServerError, but only after what was learned before is given. A list of sessions that the server fails to
    give is no error but a change, because sessions need not wait for it.
    """
    harmless = [entry for entry in entries if deliveries.KINDS[entry.kind].harmless]
    if harmless:
        yield [_undone(entry, rules.REPEAT) for entry in harmless]
    sessions = [entry for entry in entries if entry.session is not None]
    if sessions:
        yield _sessions(client, book, sessions, before_request)
    by_list: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.session is None and not deliveries.KINDS[entry.kind].harmless:
            try:
                by_list.setdefault(deliveries.listed_kind(entry), []).append(entry)
            except ValueError as problem:
                yield [Change(entry, rules.UNSENDABLE, str(problem))]
    for name, sought in by_list.items():
        before_request()
        yield _marks(client, book, deliveries.KINDS[name], sought)


def _sessions(
    client: Client, book: BookToServe, entries: list[Entry], before_request: Callable[[], None]
) -> list[Change]:
    sought = SessionsSought()
    for span, entry in sorted(((_span(entry), entry) for entry in entries), key=lambda pair: pair[0]):
        if entry.unproven:
            sought.seek_roughly(entry.id, span)
        else:
            sought.seek(entry.id, span)
    try:
        whole = _read_pages(client, book.server_id, sought, before_request)
    except BookGone:
        return [Change(entry, rules.BOOK_GONE, GONE) for entry in entries]
    except ServerFailed as problem:
        return _found_or(sought, entries, str(problem))
    return _found_or(sought, entries, None if whole else NOT_WHOLE)


def _span(entry: Entry) -> Span:
    session = entry.session
    assert session is not None
    return session.started_at, session.ended_at, session.duration_s


def _found_or(sought: SessionsSought, entries: list[Entry], problem: str | None) -> list[Change]:
    """What is found is found; of the rest a list that has a problem says nothing."""
    changes = []
    for entry in entries:
        if entry.id in sought.found:
            changes.append(Change(entry, rules.FOUND))
        elif problem is None:
            changes.append(_undone(entry, rules.MISSING))
        else:
            changes.append(Change(entry, rules.UNPROVABLE, problem))
    return changes


def _read_pages(client: Client, server_id: int, sought: SessionsSought, before_request: Callable[[], None]) -> bool:
    """Whether all were found, or every row was seen."""
    for size in PAGE_SIZES:
        sought.begin_reading()
        before_request()
        for page in client.session_pages(server_id, size):
            sought.begin_page(page.total)
            for id, span in page.rows:
                sought.see(id, span)
            if sought.all_found():
                return True
            if not page.is_last:
                before_request()
        if sought.is_complete():
            return True
    return False


def _marks(client: Client, book: BookToServe, kind: deliveries.Kind, entries: list[Entry]) -> list[Change]:
    changes: list[Change] = []
    by_key: dict[str, list[tuple[Entry, dict[str, Json]]]] = {}
    for entry in entries:
        try:
            fields = deliveries.fields_of(entry)
            for key in deliveries.keys_of_entry(entry, kind, fields):
                by_key.setdefault(key, []).append((entry, fields))
        except ValueError as problem:
            changes.append(Change(entry, rules.UNSENDABLE, str(problem)))
    there: dict[int, int | None] = {}
    for row in client.marks(kind, book.server_id):
        for key in deliveries.keys_of_row(kind, row):
            for entry, fields in by_key.get(key, ()):
                if entry.id not in there and deliveries.is_it(entry, kind, fields, row):
                    there[entry.id] = deliveries.created_id(row)
    unreadable = {change.entry.id for change in changes}
    return changes + [_looked_up(entry, there) for entry in entries if entry.id not in unreadable]


def _looked_up(entry: Entry, there: dict[int, int | None]) -> Change:
    """What should be there is done when it is; what should be deleted, when it is not."""
    if (entry.id in there) != (entry.kind == rules.DELETION):
        return Change(entry, rules.FOUND, None, there.get(entry.id))
    change = _undone(entry, rules.MISSING)
    change.remote_id = there.get(entry.id)
    return change


def _undone(entry: Entry, event: str) -> Change:
    """`event`, or the end of all trying."""
    server_failed = entry.begun_boot is None and not entry.unproven
    gives_way = entry.session is not None
    if rules.event_when_missing(entry.attempts, server_failed, gives_way) == rules.EXHAUSTED:
        return Change(entry, rules.EXHAUSTED, f"failed {entry.attempts} times, the last time with {entry.reason}")
    return Change(entry, event)
