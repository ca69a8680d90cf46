"""The outbox: what becomes of everything that must reach the server exactly once.

Rule 1: everything that affects the state of an outbox entry, and every transition, lives in this file.

Theory of operation. BookLore inserts every reading session it is sent, and every note: “send again to be sure” would
double it. Hence, for an entry of any kind:

    new ──begin──▶ intent ──accepted──▶ acknowledged
                     │ ├────refused───▶ rejected        shown to the reader, never sent again by itself
                     │ ├────not_sent──▶ new             nothing left the device, or nothing was done
                     │ ├────unclear───▶ intent          reply lost: only the server knows
                     │ ├────failed────▶ intent          the server says itself that it failed; before or after storing?
                     │ ├────found─────▶ acknowledged    read back: it is there
                     │ ├────missing───▶ new             read back: it is not there
                     │ ├────unprovable▶ intent          read back: the server's list cannot be had, or not whole
                     │ ├────repeat────▶ new             not asked: to send it again changes nothing
                     │ ├────exhausted─▶ rejected        failed too often, and not there
                     │ ├────no_book───▶ waiting         the answer: the server does not know the book (any more)
                     │ └────book_gone─▶ waiting         read back: no such book; what it had of it nobody can say now
    new ──no_book──▶ waiting ──matched──▶ new
                     waiting ──matched_in_doubt──▶ intent
    new or intent ──unsendable──▶ rejected              it cannot be put into a request
    rejected ──try_again──▶ new                         an exhausted session, when the reader asks for a run
    new, intent or waiting ──revised──▶ as before       a newer value takes the older one's place (see “State”)
    acknowledged or rejected ──revised──▶ new
    new, intent, waiting or rejected ──withdrawn──▶ acknowledged
    new, intent or rejected ──another_account──▶ intent
                    waiting ──another_account──▶ waiting

`begin` is committed to disk before the first byte leaves. A run that is killed therefore leaves an `intent`, and an
intent is never sent blindly: it is read back first.

Doubt. An entry may be on the server although this store never sent it: it was imported, or the store was lost and
rebuilt, or its book was gone when it should have been read back. Such an entry is `unproven`. It is never `new`: it
begins as an `intent`, or waits for its book and becomes one. To be found missing is what ends the doubt.

Marks. Each highlight, note and bookmark has entries of its own. A creation whose answer is lost is read back like a
session; an edit is sent again like a value of state, because what it says is the whole of it; a deletion is done when
the server's list does not show its object.

State. Of a rating, a read status, a position and the date of a book's end only the last value counts (`OF_STATE`): each
book has one entry for each. What changes before it is sent is revised; what the server has by itself, or has newer, is
withdrawn. Sending such a value twice changes nothing, so its intents are not read back but sent again.

Accounts. What is missing at one account may be at another: a reply was lost there, and then the reader changed the
account, perhaps for a day. So each change of account puts everything that is open in doubt, also what was refused,
because another server may take it. What was tried at the one is not counted at the other.

When to ask. Not before `SETTLE_S` have passed since `begin`, or since the reply was given up, because the server may
still be working on a request whose sender has died; after its own error it is done with it, and may be asked at once.
That time is counted on the clock that only a reboot sets back: the wall clock of an e-reader jumps exactly when the
network comes.

Order. The entries of one book go out in the order in which they happened, one clear answer after the other; an intent
holds back what comes behind it. After `TRIES_MOST` requests without a clear answer an entry that is found missing does
not hold it back any longer: it is exhausted. Reading sessions are treated better, because nothing on the server depends
on their order: one gives way (it goes last in a run, and nothing waits for it), and is exhausted only if the server
itself said that it failed. So a network that swallows requests never makes a session one that is not sent any more.

What this rests on, and cannot prove: what the server has not stored `SETTLE_S` after it was sent it will never store,
and no proxy delivers one request twice after the server has taken the first.

Called by: `device/sending/sender.py`, which performs what is decided here. Never: sends, stores, waits.
"""

from __future__ import annotations

READING_SESSION, RATING, STATUS, PROGRESS = "reading_session", "rating", "status", "progress"
HIGHLIGHT, IN_BOOK_NOTE, BOOK_NOTE, BOOKMARK = "highlight", "in_book_note", "book_note", "bookmark"
EDIT, DELETION = "edit", "deletion"
FINISH_DATE = "finish_date"
KINDS = (
    READING_SESSION, RATING, STATUS, PROGRESS, FINISH_DATE, HIGHLIGHT, IN_BOOK_NOTE, BOOK_NOTE, BOOKMARK, EDIT,
    DELETION,
)  # fmt: skip
# What is created at one place or page of a book, each of its own, and what becomes of that.
OF_MARKS = (HIGHLIGHT, IN_BOOK_NOTE, BOOK_NOTE, BOOKMARK, EDIT, DELETION)
AFTER_A_LOOK = (EDIT, DELETION)  # the server's list is read first: what they are to change may have been changed there
# In the order in which they go out: progress changes the read status by itself, a status the date.
OF_STATE = (RATING, PROGRESS, STATUS, FINISH_DATE)

NEW, INTENT, ACKNOWLEDGED, REJECTED, WAITING = "new", "intent", "acknowledged", "rejected", "waiting"
STATES = (NEW, INTENT, ACKNOWLEDGED, REJECTED, WAITING)
OPEN = (NEW, INTENT, REJECTED, WAITING)

BEGIN, ACCEPTED, REFUSED, NOT_SENT, UNCLEAR, FAILED = "begin", "accepted", "refused", "not_sent", "unclear", "failed"
FOUND, MISSING, UNPROVABLE, REPEAT, EXHAUSTED = "found", "missing", "unprovable", "repeat", "exhausted"
NO_BOOK, BOOK_GONE, MATCHED, MATCHED_IN_DOUBT = "no_book", "book_gone", "matched", "matched_in_doubt"
DOUBTED, UNSENDABLE = "doubted", "unsendable"
ANOTHER_ACCOUNT, TRY_AGAIN = "another_account", "try_again"
REVISED, WITHDRAWN = "revised", "withdrawn"

TRANSITIONS = {
    (NEW, BEGIN): INTENT,
    (NEW, NO_BOOK): WAITING,
    (NEW, DOUBTED): INTENT,
    (NEW, UNSENDABLE): REJECTED,
    (INTENT, ACCEPTED): ACKNOWLEDGED,
    (INTENT, REFUSED): REJECTED,
    (INTENT, NOT_SENT): NEW,
    (INTENT, UNCLEAR): INTENT,
    (INTENT, FAILED): INTENT,
    (INTENT, FOUND): ACKNOWLEDGED,
    (INTENT, MISSING): NEW,
    (INTENT, UNPROVABLE): INTENT,
    (INTENT, REPEAT): NEW,
    (INTENT, EXHAUSTED): REJECTED,
    (INTENT, NO_BOOK): WAITING,
    (INTENT, BOOK_GONE): WAITING,
    (INTENT, DOUBTED): INTENT,
    (INTENT, UNSENDABLE): REJECTED,
    (WAITING, NO_BOOK): WAITING,
    (WAITING, DOUBTED): WAITING,
    (WAITING, MATCHED): NEW,
    (WAITING, MATCHED_IN_DOUBT): INTENT,
    (NEW, ANOTHER_ACCOUNT): INTENT,
    (INTENT, ANOTHER_ACCOUNT): INTENT,
    (WAITING, ANOTHER_ACCOUNT): WAITING,
    (REJECTED, ANOTHER_ACCOUNT): INTENT,
    (REJECTED, TRY_AGAIN): NEW,
    (NEW, REVISED): NEW,
    (INTENT, REVISED): INTENT,
    (WAITING, REVISED): WAITING,
    (ACKNOWLEDGED, REVISED): NEW,
    (REJECTED, REVISED): NEW,
    (NEW, WITHDRAWN): ACKNOWLEDGED,
    (INTENT, WITHDRAWN): ACKNOWLEDGED,
    (WAITING, WITHDRAWN): ACKNOWLEDGED,
    (REJECTED, WITHDRAWN): ACKNOWLEDGED,
    (ACKNOWLEDGED, WITHDRAWN): ACKNOWLEDGED,
}

# Whether an entry is unproven after an event; the others leave that as it was.
UNPROVEN_AFTER = {
    BOOK_GONE: True,
    DOUBTED: True,
    ANOTHER_ACCOUNT: True,
    FOUND: False,
    MISSING: False,
    REPEAT: False,
    EXHAUSTED: False,
    WITHDRAWN: False,
}

COUNTED = (UNCLEAR, FAILED, UNPROVABLE)  # requests without a clear answer
TRIES_MOST = 5

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


def unproven_after(unproven: bool, event: str) -> bool:
    """Whether an entry may be on the server although it counts as not sent, once `event` has happened."""
    return UNPROVEN_AFTER.get(event, unproven)


_REFUSALS = (400, 403, 409, 413, 422)  # the server's own word on this entry; it would say the same again


def event_for_answer(
    status: int, is_json: bool, is_own_error: bool, empty_success: int | None, conflict_means_there: bool
) -> str:
    """What an answer says about a request that changes something.

    A kind that is answered without a body says with which status (`empty_success`), and no other is success; the others
    are answered with JSON (`is_json`: it can be read). Errors count only in the server's own words (`is_own_error`):
    what a proxy says proves nothing, and neither does a 5xx, which may come after the commit. A 401 never gets here: it
    is the login's business (`client.py`).
    """
    if status == empty_success or (empty_success is None and 200 <= status < 300 and status != 203 and is_json):
        return ACCEPTED
    if not is_own_error:
        return UNCLEAR
    if status == 409 and conflict_means_there:
        return ACCEPTED
    if status == 404:
        return NO_BOOK
    if status in _REFUSALS:
        return REFUSED
    return FAILED if status >= 500 else UNCLEAR


def event_when_missing(attempts: int, server_failed: bool, gives_way: bool) -> str:
    """What it means that the server does not have it; `server_failed`: the last request ended in its own error."""
    return EXHAUSTED if attempts >= TRIES_MOST and (server_failed or not gives_way) else MISSING


def event_for_match(unproven: bool) -> str:
    return MATCHED_IN_DOUBT if unproven else MATCHED


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
