"""The verbs about ratings, read status and progress: what the reader says of a book, and what KOReader made of changes.

Promises: what the reader says counts from now on, here and on the server; it enters the outbox at once.
Called by: `device/verbs/`.
"""

from __future__ import annotations

import time

from device import protocol
from device.book_state_ingest import payload
from device.core import outbox as rules
from device.core import progress, shared_values
from device.core.preferences import OFF
from device.core.shared_values import PROGRESS, RATING, STATUS
from device.store import books, outbox, preferences, settings
from device.store import shared_values as stored
from device.ui import book_state_texts as texts
from device.ui.annotation_texts import not_placed_here
from device.verbs.annotation_results import is_of_marks
from device.verbs.annotations import take_report
from device.verbs.book_state_results import SWITCHES, book_and_field, change_id, left_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.shared_values import SharedValue
    from device.verbs.run import Run

ID_LIMIT = 2**53
NONE = "none"
MARKS = {
    "read": shared_values.READ,
    "reading": shared_values.READING,
    "paused": shared_values.PAUSED,
    "abandoned": shared_values.ABANDONED,
    "unread": shared_values.UNREAD,
}
DONE, OTHER, GONE = "done", "other", "gone"


def rate(run: Run) -> None:
    """1 to 10, or none; or the reader does not want to say, which is not asked again before the book's next end."""
    book_id, title = _book(run)
    if "dismissed" in run.job.arguments:
        _leave_open(run, book_id, RATING)
        return
    rating = _rating(run)
    _refuse_if_off(run, RATING, texts.RATINGS_ARE_OFF)
    with run.store.transaction():
        stored.set_rating_question(run.store, book_id, False)
        text = None if rating is None else str(rating)
        _say_so(run, book_id, RATING, text)
    if run.job.id is None:
        run.result.say(protocol.INFO, texts.rated(title, rating))
    send(run)


def mark(run: Run) -> None:
    """The read status, in the server's words or the command line's."""
    book_id, title = _book(run)
    if "dismissed" in run.job.arguments:
        _leave_open(run, book_id, STATUS)
        return
    word = str(run.job.arguments.get("status", ""))
    status = MARKS.get(word, word)
    if not shared_values.is_status(status):
        raise ValueError(texts.MARK_HOW)
    _refuse_if_off(run, STATUS, texts.STATUS_IS_OFF)
    with run.store.transaction():
        _say_so(run, book_id, STATUS, status)
    if run.job.id is None:
        run.result.say(protocol.INFO, texts.marked(title, status))
    send(run)


def _leave_open(run: Run, book_id: int, field: str) -> None:
    """The reader does not want to say: not asked again before something changes."""
    pair = run.job.arguments.get("dismissed")
    with run.store.transaction():
        if isinstance(pair, str):
            settings.put(run.store, left_key(book_id, field), pair)
        elif field == RATING:
            stored.set_rating_question(run.store, book_id, False)


def _refuse_if_off(run: Run, field: str, words: str) -> None:
    if preferences.load(run.store).get(SWITCHES[field]) == OFF:
        raise ValueError(words)


def position(run: Run) -> None:
    """Whether the reader went to where the book was read elsewhere."""
    book_id, _ = _book(run)
    goes = run.job.arguments.get("go") is True
    there = run.job.arguments.get("fraction")
    with run.store.transaction():
        row = stored.load(run.store, book_id, PROGRESS)
        if goes and isinstance(there, (int, float)) and not isinstance(there, bool) and 0 <= there <= 1:
            row.device = row.agreed = f"{there:.6f}"
            row.is_agreed = True
            row.device_at = int(time.time())
        row.offered, row.offered_at = None, 0
        stored.save(run.store, book_id, row)


def applied(run: Run) -> None:
    """What came of each change that KOReader was given."""
    now = int(time.time())
    missed: dict[str, int] = {}
    with run.store.transaction():
        for name, outcome in run.job.arguments.items():
            if is_of_marks(name):
                missed.update(take_report(run.store, name, str(outcome), now))
                continue
            found = book_and_field(name)
            if found is None or outcome not in (DONE, OTHER, GONE):
                continue
            row = stored.load(run.store, *found)
            if not row.offered_at or name != change_id(*found, row.offered):
                continue
            if outcome == DONE:
                _take(row, now)
            elif row.field != PROGRESS:
                row.drop_offered()
            elif outcome == OTHER:
                row.offered, row.offered_at = None, 0  # she is further on than that by now
            stored.save(run.store, found[0], row)
    for title, count in missed.items():
        run.result.say(protocol.INFO, not_placed_here(title, count))


def _take(row: SharedValue, now: int) -> None:
    place = progress.parse_place(row.offered)
    row.take_offered(now)
    if row.field == PROGRESS and place is not None:
        row.device = f"{place.fraction:.6f}"
        row.agree(row.device)


def _book(run: Run) -> tuple[int, str]:
    """(our number, title) of the book that is meant. Raises ValueError."""
    id = run.job.arguments.get("book_id")
    if not isinstance(id, int) or isinstance(id, bool) or not 0 < id < ID_LIMIT:
        id = books.with_file(run.store, run.job.book) if run.job.book else None
    found = None if id is None else stored.title_and_file(run.store, id)
    if id is None or found is None:
        raise ValueError(texts.ONLY_WITH_A_BOOK)
    return id, found[0]


def _rating(run: Run) -> int | None:
    said = run.job.arguments.get("rating")
    if said == NONE or (said == 0 and not isinstance(said, bool)):
        return None
    is_number = isinstance(said, str) and said.isascii() and said.isdigit() and len(said) < 4
    number = int(str(said)) if is_number else said
    if isinstance(number, float) and number == int(number):
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= shared_values.RATING_MOST:
        raise ValueError(texts.RATE_HOW)
    return number


def _say_so(run: Run, book_id: int, field: str, value: str | None) -> None:
    """`value` in the server's terms."""
    now = int(time.time())
    row = stored.load(run.store, book_id, field)
    if row.server_at:
        row.agree(row.server)  # what the server has is known: what counts is what is said now
    kind = rules.RATING if field == RATING else rules.STATUS
    entry = outbox.state_entry(run.store, kind, book_id)
    if row.is_agreed and row.agreed == value and (entry is None or entry.state != rules.INTENT):
        outbox.withdraw(run.store, kind, book_id, now)
    else:
        outbox.revise(run.store, kind, book_id, payload(field, value), now)
    row.offer(shared_values.said(field, value), now)
    stored.save(run.store, book_id, row)


def send(run: Run) -> None:
    """An answer that was given by hand goes out at once, where things go out by themselves."""
    if run.job.id is not None and not preferences.load(run.store).is_manual():
        from device.verbs.table import VERBS

        run.job.reason = protocol.UNKNOWN  # a reader who rates a book does not ask whether there is a network
        VERBS[protocol.SYNC](run)
