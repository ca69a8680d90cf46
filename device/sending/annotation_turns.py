"""Whose turn it is: about which books' highlights something is to be decided, and whose lists on the server are read.

    read when     the book has just been opened; it was closed within the hour; the reader asks; once a day a few of the
                  others, for what is not opened. Each at most hourly, or once a minute where the reader asks
    decided when  its marks, or what else a decision depends on, are not what they were when it was decided last

Promises: a run that has nothing else to do and is not asked for reads lists once a day at most.
Called by: `annotations.py`, `sync.py`. Never: asks, decides, sends.
"""

from __future__ import annotations

from device import protocol
from device.core import preferences
from device.core.outbox import BOOKMARK, HIGHLIGHT
from device.epub.outcomes import CONVERTER
from device.store import mark_links, mark_plans, settings
from device.store import shared_values as stored_books

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.preferences import Preferences
    from device.protocol import Job
    from device.store.database import Store
    from device.store.shared_values import Place

PULL_EVERY_S, PULL_ASKED_EVERY_S = 3_600, 60  # of one book
JUST_CLOSED_S = 3_600  # what was read before that is not read any more
CLOSED_MOST = 5  # books that somebody closes within that time
TURN_EVERY_S = 86_400  # for the books that are not being read: when one is opened its lists are read anyway
TURN_BOOKS = 3
BOOKS_AT_ONCE = 1_000  # that are due; more than an e-reader holds books with highlights

SWITCHES = {HIGHLIGHT: preferences.HIGHLIGHTS, BOOKMARK: preferences.BOOKMARKS}
_OF_DECISIONS = (
    preferences.HIGHLIGHTS,
    preferences.BOOKMARKS,
    preferences.NOTES_TO,
    preferences.NOTES_IN_BOOK,
    preferences.MARKS_UPLOAD,
)


def are_of_interest(store: Store, wanted: Preferences, job: Job, now: int) -> bool:
    """Whether a run has something to do for highlights, although nothing else waits."""
    account = settings.get(store, settings.MATCHES_OF) or ""
    return bool(
        due(store, wanted, account, job.asked_for())
        or to_pull(store, wanted, job, now, account)
        or (is_on(wanted) and mark_plans.are_any_unmatched(store, job.asked_for()))
    )


def due(store: Store, wanted: Preferences, account: str, asked_for: bool) -> list[Place]:
    """Books about whose marks something is to be decided; where one could not be read, only if the reader asks."""
    if not is_on(wanted) or not mark_plans.are_any(store):
        return []
    found = mark_plans.due(store, account, basis(wanted), BOOKS_AT_ONCE)
    return [*found, *mark_plans.stuck(store, account, BOOKS_AT_ONCE)] if asked_for else found


def to_pull(store: Store, wanted: Preferences, job: Job, now: int, account: str) -> list[Place]:
    """The books whose lists are to be read now."""
    if not is_on(wanted):
        return []
    is_open = bool(job.book) and (job.reason == protocol.OPEN or job.asked_for())
    places = stored_books.matched_with_file(store, job.book) if is_open else []
    if job.reason != protocol.OPEN:
        places.extend(mark_plans.read_since(store, now - JUST_CLOSED_S, now, CLOSED_MOST))
        if is_turn(store, now):
            places.extend(mark_links.longest_unpulled(store, account, now - TURN_EVERY_S, TURN_BOOKS))
    every_s = PULL_ASKED_EVERY_S if job.asked_for() else PULL_EVERY_S
    found: dict[int, Place] = {}
    for place in places:
        age_s = now - mark_links.pulled_at(store, place.book_id, account)
        if not 0 <= age_s < every_s:
            found[place.book_id] = place
    return list(found.values())


def is_turn(store: Store, now: int) -> bool:
    """Whether it is time for the books that are not being read. The first time is a day after the first run."""
    turn_at = settings.get(store, settings.MARKS_TURN_AT)
    return turn_at is not None and not 0 <= now - settings.get_int(store, settings.MARKS_TURN_AT) < TURN_EVERY_S


def is_wanted(wanted: Preferences, kind: str) -> bool:
    return wanted.get(SWITCHES[kind]) == preferences.ON


def is_on(wanted: Preferences) -> bool:
    return any(is_wanted(wanted, kind) for kind in SWITCHES)


def basis(wanted: Preferences) -> str:
    """What a decision depends on besides the marks themselves."""
    return " ".join([str(CONVERTER), *[str(wanted.get(key)) for key in _OF_DECISIONS]])
