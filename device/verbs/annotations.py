"""The verbs about highlights, notes and bookmarks: what KOReader made of changes, and what the reader answered.

Promises: what KOReader could not take is not lost on the server by that. An answer counts once, for the question that
was asked.
Called by: `device/verbs/`.
"""

from __future__ import annotations

from device import protocol
from device.annotation_ingest import leave_there
from device.core.annotations.holding import DELETED
from device.core.annotations.merge import GO_AHEAD, RESTORE
from device.store import books, holdings, mark_plans, settings
from device.store import shared_values as stored_books
from device.ui import annotation_texts as texts
from device.verbs.annotation_results import is_given_anew, reported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.store.database import Store
    from device.verbs.run import Run

ID_LIMIT = 2**53

DONE, MOVED = "done", "moved"
HAS_IT = (DONE, MOVED)  # where it was moved to, the journal or KOReader's record says next
NO_PLACE = ("unplaced", "unfit")  # added to no book; all else may be possible later, or is told by KOReader's record


def take_report(store: Store, change: str, outcomes: str, now: int) -> dict[str, int]:
    """What came of each item of a change, within the caller's transaction; how many had no place, by title."""
    account = settings.get(store, settings.MATCHES_OF) or ""
    missed: dict[str, int] = {}
    for mark, outcome in reported(store, change, outcomes):
        holding = holdings.of_mark(store, mark.id, account)
        if holding is None:
            continue
        if outcome in HAS_IT:
            if is_given_anew(mark):
                holding.gone = DELETED  # the old one is out; what is offered comes with the next result
            else:
                holding.took()
            holdings.save(store, holding, now)
        elif outcome in NO_PLACE and holding.on_device() is None:
            leave_there(store, mark.book_id, holding, outcome, account, now)
            found = stored_books.title_and_file(store, mark.book_id)
            if found is not None:
                missed[found[0]] = missed.get(found[0], 0) + 1
    return missed


def answer(run: Run) -> None:
    """Whether many marks that are gone on one side are to go on the other side, too, or to come back."""
    book_id = _book(run)
    word = run.job.arguments.get("answer")
    if word not in (RESTORE, GO_AHEAD):
        if run.job.id is None:
            raise ValueError(texts.ANSWER_HOW)
        return  # she does not want to say: it is asked again another day
    asked = settings.get(run.store, f"{settings.MARKS_ASK}{book_id}")
    if asked is None:
        run.result.say(protocol.INFO, texts.NOTHING_ASKED)
        return
    with run.store.transaction():
        settings.put(run.store, f"{settings.MARKS_ANSWER}{book_id}", f"{asked.partition(' ')[0]} {word}")
        settings.remove(run.store, f"{settings.MARKS_ASK}{book_id}")
        mark_plans.doubt(run.store, book_id)
    if run.job.id is not None:
        from device.verbs.book_states import send

        send(run)


def _book(run: Run) -> int:
    id = run.job.arguments.get("book_id")
    if not isinstance(id, int) or isinstance(id, bool) or not 0 < id < ID_LIMIT:
        id = books.with_file(run.store, run.job.book) if run.job.book else None
    if id is None:
        raise ValueError(texts.ANSWER_HOW)
    return id
