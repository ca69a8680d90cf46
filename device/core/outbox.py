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

`begin` is committed to disk before the first byte leaves. A run that is killed therefore leaves an `intent`, and an
intent is never sent blindly: it is read back first, and not before `SETTLE_S` have passed, because the server may still
be working on a request whose sender has died.

Called by: `device/sync.py`, which performs what is decided here. Never: sends, stores, waits.
"""

from __future__ import annotations

NEW, INTENT, ACKNOWLEDGED, REJECTED, WAITING = "new", "intent", "acknowledged", "rejected", "waiting"
STATES = (NEW, INTENT, ACKNOWLEDGED, REJECTED, WAITING)

BEGIN, ACCEPTED, REFUSED, NOT_SENT, UNCLEAR = "begin", "accepted", "refused", "not_sent", "unclear"
FOUND, MISSING, NO_BOOK, MATCHED = "found", "missing", "no_book", "matched"

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
}

SETTLE_S = 10  # a request whose sender died is taken as finished, one way or the other, after this long

RETRY_FIRST_S = 60
RETRY_MOST_S = 900  # an e-reader is online for minutes a day: waiting longer would only miss them


def after(state: str, event: str) -> str:
    """The state that `event` leads to. Raises ValueError for an event that cannot happen in `state`."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise ValueError(f"{event!r} cannot happen to an outbox entry that is {state!r}") from None


def event_for_status(status: int) -> str:
    """What an HTTP status says about a request that changes something. 401 and 429 never get here: they are the
    login's business (`device/server/account.py`), and a filter answers them before the server has done anything.

    A 5xx may come after the commit, so it proves nothing (these servers answer 500 for much that is not their fault).
    """
    if 200 <= status < 300:
        return ACCEPTED
    if status == 404:
        return NO_BOOK
    if 400 <= status < 500:
        return REFUSED
    return UNCLEAR


def settled(intent_at: int, now: int) -> bool:
    """Whether an intent may be read back. A clock that went backwards settles it: waiting for it could take years."""
    return now < intent_at or now - intent_at >= SETTLE_S


def retry_delay_s(failures: int, chance: float) -> int:
    """Seconds before the next unasked try after `failures` (≥ 1) in a row; `chance` (0..1) spreads them by ±25 %."""
    delay = RETRY_FIRST_S
    for _ in range(failures - 1):
        delay = min(delay * 2, RETRY_MOST_S)
    return int(delay * (0.75 + chance / 2))
