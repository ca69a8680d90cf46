"""What the server's answer to a single delivery says about its entry.

Called by: `device/sending/sender.py`. The rules are in `device/core/outbox.py`, what differs between kinds in
`device/server/deliveries.py`; here the two meet, and the book itself is asked for where an answer leaves that open.
"""

from __future__ import annotations

from device.core import outbox as rules
from device.sending.changes import GONE, Change
from device.server import answers, deliveries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.server.client import Client
    from device.server.deliveries import Kind, Request
    from device.server.http import Answer
    from device.store.outbox import BookToServe, Entry


def judge(client: Client, book: BookToServe, entry: Entry, request: Request, answer: Answer) -> Change:
    """May ask the server whether the book exists, and raise what `Client.has_book` raises."""
    kind = deliveries.KINDS[entry.kind]
    event = rules.event_for_answer(
        answer.status,
        answers.decoded(answer) is not None,
        answers.is_own_error(answer),
        kind.empty_success,
        kind.conflict_means_there,
    )
    if event == rules.NO_BOOK and kind.gone_is_done:
        event = rules.ACCEPTED
    if answer.status in kind.ask_for_book and event in (rules.REFUSED, rules.FAILED, rules.NO_BOOK):
        event = _with_the_book(client.has_book(book.server_id), event)
    if event == rules.ACCEPTED:
        return _accepted(kind, entry, request, answer)
    if event == rules.NO_BOOK:
        return Change(entry, event, GONE)
    return Change(entry, event, f"HTTP {answer.status}: {answers.message(answer)}")


def _with_the_book(is_there: bool | None, event: str) -> str:
    """What an answer that may or may not mean “no such book” says, once it is known whether there is the book."""
    if is_there is False:
        return rules.NO_BOOK
    if is_there is None:
        return rules.FAILED  # so that it is tried again
    return rules.REFUSED if event == rules.NO_BOOK else event


def _accepted(kind: Kind, entry: Entry, request: Request, answer: Answer) -> Change:
    reply = answers.decoded(answer)
    if deliveries.contradicts(kind, request.fields, reply):
        return Change(entry, rules.REFUSED, "the server took it for something else")
    return Change(entry, rules.ACCEPTED, None, deliveries.created_id(reply))
