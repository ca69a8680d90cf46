"""What the server's answer to a batch of reading sessions says.

Promises: only the sessions that the answer names count as stored.
Called by: `device/sending/sender.py`.
"""

from __future__ import annotations

from device.core import outbox as rules
from device.core.instants import from_iso
from device.sending.changes import Change
from device.server import answers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json
    from device.server.http import Answer
    from device.store.outbox import Entry


def judge(entries: list[Entry], answer: Answer) -> list[Change]:
    """What an answer to a batch says of each session in it.

    A batch that is refused, or whose endpoint is not found, has stored nothing: its sessions are as before. One that
    names fewer sessions than were sent leaves the others open.
    """
    reply = answers.decoded(answer)
    event = rules.event_for_answer(answer.status, reply is not None, answers.is_own_error(answer), None, False)
    if event == rules.ACCEPTED:
        return _by_name(entries, _named(reply))
    if event in (rules.REFUSED, rules.NO_BOOK):
        event = rules.NOT_SENT
    return [Change(entry, event, f"HTTP {answer.status}: {answers.message(answer)}") for entry in entries]


def _by_name(entries: list[Entry], named: set[tuple[int, int]]) -> list[Change]:
    changes = []
    for entry in entries:
        session = entry.session
        assert session is not None
        if (session.started_at, session.ended_at) in named:
            changes.append(Change(entry, rules.ACCEPTED))
        else:
            changes.append(Change(entry, rules.FAILED, f"the server confirmed {len(named)} of {len(entries)} sessions"))
    return changes


def _named(reply: Json) -> set[tuple[int, int]]:
    """(start, end) of the sessions that the answer says are stored."""
    results = reply.get("results") if isinstance(reply, dict) else None
    named: set[tuple[int, int]] = set()
    for result in results if isinstance(results, list) else []:
        start = result.get("startTime") if isinstance(result, dict) else None
        end = result.get("endTime") if isinstance(result, dict) else None
        if isinstance(start, str) and isinstance(end, str):
            try:
                named.add((from_iso(start), from_iso(end)))
            except ValueError:
                continue
    return named
