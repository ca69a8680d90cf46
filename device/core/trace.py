"""A trace of what a reader did, with all her books in one file, and the reading sessions in it.

One JSON object per line, in the order of time: `t` (epoch seconds), `ev` (`open`, `page`, `suspend`, `resume`, `close`;
anything else is passed over), and as far as they apply `file`, `page`, `pages`, `fraction`, `m`, `b` as in a journal
(docs/protocol.md). Sessions come out one by one, none of them at the same time as another.

Promises: memory is bounded by one reading; a broken line is passed over and counted.
Called by: `device/worker.py` (verb `sessions`), to check from outside what counts as reading.
"""

from __future__ import annotations

from device import json_text
from device.core import journal, reading_session
from device.core.journal import Book, Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from device.core.reading_session import ReadingSession, Rules
    from device.json_text import Json


class Trace:
    """`broken_lines` counts what could not be read so far."""

    def __init__(self, lines: Iterable[bytes], rules: Rules) -> None:
        self.broken_lines = 0
        self._lines = lines
        self._rules = rules
        self._free_from = 0

    def sessions(self) -> Iterator[tuple[Book, ReadingSession]]:
        reading: Reading | None = None
        for line in self._lines:
            fields = self._fields(line)
            if fields is None:
                continue
            event = fields.get("ev")
            if event == journal.OPEN and reading is not None:
                # KOReader died in the book before.
                yield from self._sessions_of(reading)
                reading = None
            if event == journal.OPEN:
                file = fields.get("file")
                name = file if isinstance(file, str) else ""
                reading = Reading(Book(name, name.rpartition(".")[2].lower(), "", [], [], None, None))
            if reading is None or len(reading.moments) >= journal.LINES_MAX:
                continue
            journal.add_moment(reading, fields)
            if event == journal.CLOSE:
                yield from self._sessions_of(reading)
                reading = None
        if reading is not None:
            yield from self._sessions_of(reading)

    def _fields(self, line: bytes) -> dict[str, Json] | None:
        if not line.strip():
            return None
        try:
            fields = json_text.decode(line) if len(line) <= journal.LINE_MAX_BYTES else None
        except ValueError:
            fields = None
        if isinstance(fields, dict):
            return fields
        self.broken_lines += 1
        return None

    def _sessions_of(self, reading: Reading) -> Iterator[tuple[Book, ReadingSession]]:
        for session in reading_session.sessions(reading, self._rules):
            if session.started_at < self._free_from:
                reading_session.move(session, self._free_from)
            self._free_from = session.ended_at
            yield reading.book, session


def session_fields(book: Book, session: ReadingSession) -> dict[str, Json]:
    """What is printed of a session. Instants in epoch seconds, fractions 0..1."""
    return {
        "file": book.file,
        "started_at": session.started_at,
        "ended_at": session.ended_at,
        "duration_s": session.duration_s,
        "start_page": session.start_page,
        "end_page": session.end_page,
        "pages_read": session.pages_read,
        "start_fraction": session.start_fraction,
        "end_fraction": session.end_fraction,
        "flags": list(session.flags),
    }
