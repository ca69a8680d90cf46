"""Journal → store: finished readings become reading sessions with an outbox entry each.

Promises: a journal and everything that follows from it is one transaction; its file is deleted only after the commit;
taking it twice changes nothing. A journal that cannot be read is kept under another name, never deleted.
Called by: `device/worker.py`.
"""

from __future__ import annotations

from device import protocol
from device.core import journal, reading_session
from device.store import books, outbox, reading_sessions
from device.ui import texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.journal import Reading
    from device.core.reading_session import Rules
    from device.folder import Folder
    from device.protocol import Result
    from device.store.database import Store

SUFFIX = ".jsonl"
UNREADABLE = ".unreadable"
JOURNAL_MAX_BYTES = 16 * 1_048_576


def ingest(folder: Folder, store: Store, rules: Rules, result: Result, now: int) -> None:
    """Takes every finished journal; one that cannot be taken is named in the result and does not stop the others."""
    for name in folder.disk.names(folder.journal):
        id = name.removesuffix(SUFFIX)
        if id == name or not protocol.is_id(id):
            continue
        path = f"{folder.journal}/{name}"
        if not reading_sessions.journal_is_ingested(store, id):
            content = folder.disk.read(path, JOURNAL_MAX_BYTES) or b""
            try:
                reading = journal.read(whole_lines(content))
            except journal.UnknownVersion:
                result.say(protocol.WARNING, texts.journal_of_newer_version(name))
                continue
            if reading is None:
                folder.disk.rename(path, path + UNREADABLE)
                result.say(protocol.WARNING, texts.journal_unreadable(name))
                continue
            result.counts["recorded"] += _record(store, id, reading, rules, now)
        folder.disk.remove(path)


def whole_lines(content: bytes) -> list[bytes]:
    """The lines that were written to their end."""
    return content.split(b"\n")[:-1]


def _record(store: Store, id: str, reading: Reading, rules: Rules, now: int) -> int:
    added = 0
    found = reading_session.sessions(reading, rules)
    with store.transaction():
        reading_sessions.add_journal(store, id, now, reading.lines)
        book_id = books.remember(store, reading.book)
        for session in found:
            session_id = reading_sessions.add(store, book_id, id, session)
            if session_id is not None:
                outbox.add(store, outbox.READING_SESSION, session_id, book_id, now)
                added += 1
    return added
