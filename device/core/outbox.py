"""The outbox: what becomes of everything that must reach the server exactly once.

Rule 1: everything that affects the state of an outbox entry, and every transition, lives in this file.

Theory of operation. BookLore inserts every reading session it is sent: "send again to be sure" would double it. Hence:

    new ──begin──▶ intent ──accepted──▶ acknowledged
                     │ ├────refused───▶ rejected        shown to the reader, never sent again by itself
                     │ ├────not_sent──▶ new             nothing left the device
                     │ ├────unclear───▶ intent          reply lost: only the server knows
                     │ ├────found─────▶ acknowledged    read back: it is there
                     │ ├────missing───▶ new             read back: it is not there
                     │ └────no_book───▶ waiting         the server does not know the book (any more)
    new ──no_book──▶ waiting ──matched──▶ new
    rejected ──another_account──▶ new                   what one server refused another may take

`begin` is committed to disk before the first byte leaves. A run that is killed therefore leaves an `intent`, and an
intent is never sent blindly: it is read back first, and not before `SETTLE_S` have passed, because the server may still
be working on a request whose sender has died. That time is counted on the clock that only a reboot sets back: the wall
clock of an e-reader jumps exactly when the network comes.

Called by: `device/sync.py`, which performs what is decided here. Never: sends, stores, waits.
"""

from __future__ import annotations

NEW, INTENT, ACKNOWLEDGED, REJECTED, WAITING = "new", "intent", "acknowledged", "rejected", "waiting"
STATES = (NEW, INTENT, ACKNOWLEDGED, REJECTED, WAITING)

BEGIN, ACCEPTED, REFUSED, NOT_SENT, UNCLEAR = "begin", "accepted", "refused", "not_sent", "unclear"
FOUND, MISSING, NO_BOOK, MATCHED = "found", "missing", "no_book", "matched"
ANOTHER_ACCOUNT = "another_account"

TRANSITIONS = {
    (NEW, BEGIN): INTENT,
    (NEW, NO_BOOK): WAITING,
    (WAITING, MATCHED): NEW,
    (WAITING, NO_BOOK): WAITING,
    (INTENT, ACCEPTED): ACKNOWLEDGED,
    (INTENT, REFUSED): REJECTED,
    (INTENT, NOT_SENT): NEW,
    (INTENT, UNCLEAR): INTENT,
    (INTENT, FOUND): ACKNOWLEDGED,
    (INTENT, MISSING): NEW,
    (INTENT, NO_BOOK): WAITING,
    (REJECTED, ANOTHER_ACCOUNT): NEW,
}

SETTLE_S = (
    35  # longer than our own client would wait for a byte (`http.IDLE_S`): then the server is done with a request
)

RETRY_FIRST_S = 60
RETRY_MOST_S = 900  # an e-reader is online for minutes a day: waiting longer would only miss them


def after(state: str, event: str) -> str:
    """The state that `event` leads to. Raises ValueError for an event that cannot happen in `state`."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise ValueError(f"{event!r} cannot happen to an outbox entry that is {state!r}") from None


_REFUSALS = (400, 403, 409, 413, 422)  # the server's own word on this entry; it would say the same again


def event_for_answer(status: int, is_json: bool) -> str:
    """What an answer says about a request that changes something.

    BookLore accepts a session with 202 and an empty body; another 2xx without JSON is a portal's or a proxy's. Errors
    count only in the server's own JSON: what a proxy says proves nothing, and neither does a 5xx, which may come after
    the commit. A 401 never gets here: it is the login's business (`client.py`).
    """
    if status == 202 or (200 <= status < 300 and is_json):
        return ACCEPTED
    if status == 404 and is_json:
        return NO_BOOK
    if status in _REFUSALS and is_json:
        return REFUSED
    return UNCLEAR


class Uptime:
    """A point on the clock that runs through sleep and starts anew with each boot, in whole seconds."""

    __slots__ = ("boot_id", "seconds")

    def __init__(self, boot_id: str, seconds: int) -> None:
        self.boot_id = boot_id
        self.seconds = seconds


def settles_in_s(begun: Uptime, now: Uptime) -> int:
    """Seconds until an intent may be read back; 0 when it may. After a reboot the time since the boot counts."""
    if begun.boot_id != now.boot_id or now.seconds < begun.seconds:
        elapsed_s = now.seconds
    else:
        elapsed_s = now.seconds - begun.seconds
    return max(SETTLE_S - elapsed_s, 0)


def retry_delay_s(failures: int, chance: float) -> int:
    """Seconds before the next unasked try after `failures` (≥ 1) in a row; `chance` (0..1) spreads them by ±25 %."""
    delay = RETRY_FIRST_S
    for _ in range(failures - 1):
        delay = min(delay * 2, RETRY_MOST_S)
    return int(delay * (0.75 + chance / 2))
