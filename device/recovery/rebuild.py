"""A new store in place of a damaged one, from everything that can still be read.

    damaged file ──salvage──▶ new store ◀──restore── kept journals, untracked.txt
    new store whole and flushed ──▶ damaged file set aside ──▶ new store in its place

Promises: the damaged file stays where it is until the new store is whole, and is set aside, not deleted
(`database.replace_damaged`). A kept journal is believed before a row of the damaged file. What the server may have is
looked for there before it is sent (`device/store/rebuild.py`).
Never: asks the server; touches the journals.
Called by: `device/recovery/soundness.py`.
"""

from __future__ import annotations

from device import ingest, protocol
from device.core import journal, kept_journal, reading_session
from device.recovery import evidence
from device.store import books, check, database, preferences, reading_sessions, salvage, settings
from device.store import rebuild as rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.journal import Reading
    from device.core.outbox import Uptime
    from device.core.reading_session import ReadingSession
    from device.folder import Folder
    from device.store.database import Store

UNTRACKED_MAX_BYTES = 1_048_576  # thousands of paths


class Outcome:
    """What came of it: sessions in the new store, how many of them only the kept journals knew, how many at most are
    lost, which tables could not be read whole, and where the damaged file lies."""

    __slots__ = ("from_journals", "incomplete", "lost", "moved_to", "sessions")

    def __init__(self, sessions: int, from_journals: int, lost: int, incomplete: list[str]) -> None:
        self.sessions = sessions
        self.from_journals = from_journals
        self.lost = lost
        self.incomplete = incomplete
        self.moved_to = ""


def rebuild(folder: Folder, now: int, uptime: Uptime) -> Outcome:
    """Raises OSError or database.Error when the new store cannot be written; then the damaged one is where it was."""
    building = folder.store + database.REBUILT
    database.remove(folder.disk, building)
    try:
        store = database.open_store(folder.disk, building, now)
        try:
            with store.transaction():
                outcome = _fill(folder, store, now, uptime)
                check.remember(store, uptime.boot_id, now)
                settings.put(store, settings.REBUILT_AT, str(max(now, 0)))  # with this commit it is whole
        finally:
            store.close()
    except (OSError, database.Error):
        database.remove(folder.disk, building)  # on a full disk it would be in the way
        raise
    folder.disk.sync_folder(folder.path)
    outcome.moved_to = database.replace_damaged(folder.disk, folder.store, now)
    return outcome


def _fill(folder: Folder, store: Store, now: int, uptime: Uptime) -> Outcome:
    salvaged = rows.Salvage(store, now)
    damaged = salvage.open_damaged(folder.store)
    try:
        salvaged.copy(damaged)
    finally:
        damaged.close()
    switch_off(folder, store)
    from_journals = restore(folder, store, evidence.ids(folder), now, uptime)
    from_journals += _restore_finished(folder, store, now, uptime)
    rows.add_missing_entries(store, now)
    sessions = rows.count_sessions(store)
    lost = max(salvaged.last_session_id - sessions, 0) if salvaged.has_lost_sessions() else 0
    return Outcome(sessions, from_journals, lost, salvaged.incomplete)


def switch_off(folder: Folder, store: Store) -> None:
    """The list that the launcher reads says which books are not to be recorded, whatever could be read of the store."""
    content = folder.disk.read(folder.untracked, UNTRACKED_MAX_BYTES) or b""
    for line in ingest.whole_lines(content):
        file = line.decode("utf-8", "replace")
        if books.with_file(store, file) is None:
            books.remember(store, journal.Book(file, file.rpartition(".")[2].lower(), "", [], [], None, None))
        books.track_file(store, file, False)


def restore(folder: Folder, store: Store, ids: list[str], now: int, uptime: Uptime) -> int:
    """Puts what kept journals tell of into the store where it is not there; how many sessions that were.

    Within a transaction. A journal that cannot be read is left alone.
    """
    restored = 0
    for id in ids:
        restored += _restore(store, id, evidence.lines_of(folder, id), now, uptime)
    return restored


def _restore_finished(folder: Folder, store: Store, now: int, uptime: Uptime) -> int:
    """Journals that could not be removed after they had been taken may be on the server too."""
    restored = 0
    for name in folder.disk.names(folder.journal):
        id = name.removesuffix(ingest.SUFFIX)
        if id != name and protocol.is_id(id):
            content = folder.disk.read(f"{folder.journal}/{name}", ingest.JOURNAL_MAX_BYTES)
            restored += _restore(store, id, ingest.whole_lines(content or b""), now, uptime)
    return restored


def _restore(store: Store, id: str, lines: list[bytes], now: int, uptime: Uptime) -> int:
    try:
        reading = journal.read(lines)
    except journal.UnknownVersion:
        return 0
    if reading is None:
        return 0
    is_news = not reading_sessions.journal_is_ingested(store, id)
    if is_news:
        reading_sessions.add_journal(store, id, now, reading.lines)
    book_id = books.remember(store, reading.book)
    if is_news and books.is_tracked(store, book_id):
        # Else the store has had it since, and perhaps what was changed later. What neither knows, KOReader's own
        # records still have: they are read anew, because which of them had been read is not salvaged.
        ingest.note_marks(store, book_id, reading, preferences.load(store), now)
    recorded = kept_journal.sessions(lines)
    if recorded is None:
        restored = _count_again(store, id, book_id, reading, now, uptime)
    else:
        restored = _put_recorded(store, id, book_id, recorded)
    ingest.note_its_time(store, book_id, reading)
    return len(restored)


def _put_recorded(store: Store, id: str, book_id: int, recorded: list[ReadingSession]) -> list[ReadingSession]:
    """The sessions exactly as they were recorded. What was read otherwise from the damaged file was read wrongly."""
    keys = {kept_journal.key(session) for session in recorded}
    for known in rows.of_journal(store, id):
        if known.book_id != book_id or known.key not in keys:
            reading_sessions.remove(store, known.id)
    restored = []
    for session in recorded:
        there = rows.at(store, book_id, session.started_at)
        if there is not None and (there.journal_id, there.key) == (id, kept_journal.key(session)):
            continue
        if there is not None:
            reading_sessions.remove(store, there.id)
        reading_sessions.add(store, book_id, reading_sessions.JOURNAL, id, session)
        restored.append(session)
    return restored


def _count_again(
    store: Store, id: str, book_id: int, reading: Reading, now: int, uptime: Uptime
) -> list[ReadingSession]:
    """For a journal that does not say what was recorded from it: it was not taken yet, or the disk was full."""
    if not books.is_tracked(store, book_id):
        return []
    known = [session.key for session in rows.of_journal(store, id)]
    counted = []
    for session in reading_session.sessions(reading, preferences.load(store).rules()):
        reading_session.place_by_boot_clock(session, uptime, now)
        if any(start < session.ended_at and session.started_at < end for start, end, _ in known):
            continue
        ingest.find_place(store, session)
        reading_sessions.add(store, book_id, reading_sessions.JOURNAL, id, session)
        counted.append(session)
    return counted
