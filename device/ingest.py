"""Journal → store: finished readings become reading sessions with an outbox entry each, changed highlights marks.

Promises: a journal and everything that follows from it is one transaction; its file goes only after the commit, and a
copy of it stays until the server has everything (`evidence.py`); taking it twice changes nothing. A journal that cannot
be read is kept under another name, never deleted; one that ends within its first line holds no reading.
Called by: `device/worker.py`.
"""

from __future__ import annotations

from device import book_state_ingest, protocol
from device.core import history, journal, reading_session
from device.core import outbox as rules_of_outbox
from device.recovery import evidence
from device.store import books, outbox, reading_sessions
from device.store import history as stored_history
from device.ui import texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.journal import Reading
    from device.core.outbox import Uptime
    from device.core.preferences import Preferences
    from device.core.reading_session import ReadingSession
    from device.folder import Folder
    from device.protocol import Result
    from device.store.database import Store

SUFFIX = ".jsonl"
UNREADABLE = ".unreadable"
JOURNAL_MAX_BYTES = 4 * 1_048_576
FIRST_LINE_STARTS = b'{"v":'  # as the launcher writes it


def ingest(folder: Folder, store: Store, wanted: Preferences, result: Result, now: int, uptime: Uptime) -> list[int]:
    """Takes every finished journal; one that cannot be taken is named in the result and does not stop the others.

    Returns the books that were read in them.
    """
    closed: list[int] = []
    for name in folder.disk.names(folder.journal):
        id = name.removesuffix(SUFFIX)
        if id == name or not protocol.is_id(id):
            continue
        try:
            result.counts["recorded"] += _take(folder, store, wanted, id, now, uptime, closed)
        except journal.UnknownVersion:
            result.say(protocol.WARNING, texts.journal_of_newer_version(name))
        except Unreadable:
            result.say(protocol.WARNING, texts.journal_unreadable(name))
        except OSError as problem:
            result.say(protocol.WARNING, texts.journal_failed(str(problem)))
    return list(dict.fromkeys(closed))


class Unreadable(Exception):
    """Not even the first line of a journal is good; it has been set aside."""


def _take(
    folder: Folder, store: Store, wanted: Preferences, id: str, now: int, uptime: Uptime, closed: list[int]
) -> int:
    """Takes one journal and removes it; how many sessions it held. Raises UnknownVersion, Unreadable, OSError."""
    path = f"{folder.journal}/{id}{SUFFIX}"
    content = folder.disk.read(path, JOURNAL_MAX_BYTES) or b""
    lines = whole_lines(content)
    if not lines and (not content or content.startswith(FIRST_LINE_STARTS)):
        folder.disk.remove(path)  # the power failed while the book was being opened: no page of it was turned
        return 0
    reading = journal.read(lines)
    recorded = 0
    if not reading_sessions.journal_is_ingested(store, id):
        if reading is None:
            folder.disk.rename(path, path + UNREADABLE)
            raise Unreadable
        recorded = _record(store, id, reading, wanted, now, uptime, closed)
    if reading is not None:
        evidence.keep(folder, store, id, lines[: reading.lines])
    folder.disk.remove(path)
    return recorded


def whole_lines(content: bytes) -> list[bytes]:
    """The lines that were written to their end."""
    return content.split(b"\n")[:-1]


def _record(
    store: Store, id: str, reading: Reading, wanted: Preferences, now: int, uptime: Uptime, closed: list[int]
) -> int:
    """How many sessions were recorded; none of a book whose recording is switched off, whose journal is used up."""
    found = reading_session.sessions(reading, wanted.rules())
    with store.transaction():
        reading_sessions.add_journal(store, id, now, reading.lines)
        book_id = books.remember(store, reading.book)
        if not books.is_tracked(store, book_id):
            books.track(store, book_id, False)  # it may have been found under another path than it was switched off
            return 0
        for session in found:
            reading_session.place_by_boot_clock(session, uptime, now)
            find_place(store, session)
            session_id = reading_sessions.add(store, book_id, reading_sessions.JOURNAL, id, session)
            outbox.add_session(store, session_id, book_id, rules_of_outbox.NEW, False, now)
        note_its_time(store, book_id, reading)
        book_state_ingest.note(store, book_id, reading, wanted, now)
        note_marks(store, book_id, reading, wanted, now)
    closed.append(book_id)
    return len(found)


def note_marks(store: Store, book_id: int, reading: Reading, wanted: Preferences, now: int) -> None:
    """Most readings change no highlight or bookmark: then nothing of what knows about them is loaded."""
    if reading.marks and wanted.collects_marks():
        from device.annotation_ingest import take_lines

        take_lines(store, book_id, reading.marks, now)


def note_its_time(store: Store, book_id: int, reading: Reading) -> None:
    """Whatever KOReader's own statistics say of the time of a journal is in the journal already.

    Also of what was too short for a session, what a wrong clock put elsewhere, and what they count as read while the
    device slept: they move the beginning of a page by the length of the sleep.
    """
    for started_at, ended_at in history.wall_stretches(reading.moments):
        stored_history.add_journal_stretch(store, book_id, started_at, ended_at)
    if not reading.moments or not reading.moments[0].on_screen_ms:
        return
    # It goes on from another journal after a sleep: that lies between the two, and is where they would have the page.
    began_at = reading.moments[0].wall_s
    slept_from = stored_history.journals_cover_until(store, book_id, began_at)
    if slept_from is not None and slept_from < began_at:
        stored_history.add_journal_stretch(store, book_id, slept_from, began_at)


def find_place(store: Store, session: ReadingSession) -> None:
    """Moves a session behind those whose time it shares: nobody reads two books at once, so its clock was wrong."""
    started_at = reading_sessions.first_free_after(store, session.started_at, session.ended_at - session.started_at)
    if started_at != session.started_at:
        reading_session.move(session, started_at)
