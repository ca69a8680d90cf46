"""Whether the server takes reading sessions in batches, and what its answer to one says.

Promises: the server is asked only when there is something to batch, and its answer is remembered for a week; when the
endpoint disappoints, that is forgotten. Of a batch, only the sessions that the answer names count as stored.
Called by: `device/sending/sender.py`.
"""

from __future__ import annotations

from device.core import outbox as rules
from device.core.instants import from_iso
from device.sending.changes import Change
from device.server import answers
from device.server.errors import ReplyLost
from device.store import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.json_text import Json
    from device.sending.clock import Clock
    from device.server.client import Client
    from device.server.http import Answer
    from device.store.database import Store
    from device.store.outbox import Entry

REMEMBERED_S = 7 * 86_400  # servers are changed rarely
REMEMBERED_WITHOUT_ANSWER_S = 3_600  # the question itself made trouble: not again in the next runs
YES, NO = "yes", "no"


class Batches:
    """What is known of the server, for one run."""

    __slots__ = ("_client", "_clock", "_store", "_taken")

    def __init__(self, store: Store, client: Client, clock: Clock) -> None:
        self._store = store
        self._client = client
        self._clock = clock
        self._taken: bool | None = None

    def are_taken(self, before_request: Callable[[], None]) -> bool:
        """Asks the server if nobody knows. Raises ServerError."""
        if self._taken is None:
            self._taken = self._remembered()
        if self._taken is None:
            before_request()
            try:
                taken = self._client.takes_batches()
            except ReplyLost:
                self._remember(NO, REMEMBERED_WITHOUT_ANSWER_S)
                raise
            self._remember(YES if taken else NO, REMEMBERED_WITHOUT_ANSWER_S if taken is None else REMEMBERED_S)
            self._taken = bool(taken)
        return self._taken

    def disappointed(self) -> None:
        """No more batches in this run, and the next one asks again."""
        self._taken = False
        with self._store.transaction():
            settings.forget_dialect(self._store)

    def _remembered(self) -> bool | None:
        left_s = settings.get_int(self._store, settings.BATCHES_UNTIL) - self._clock.wall_s()
        if not 0 < left_s <= REMEMBERED_S:
            return None
        return settings.get(self._store, settings.BATCHES) == YES

    def _remember(self, answer: str, for_s: int) -> None:
        with self._store.transaction():
            settings.put(self._store, settings.BATCHES, answer)
            settings.put(self._store, settings.BATCHES_UNTIL, str(self._clock.wall_s() + for_s))


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
