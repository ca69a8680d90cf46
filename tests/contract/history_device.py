"""A KOReader folder with statistics and our data folder in it, used in the test's own process.

Called by: the tests of the history import.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from device.core.journal import Book
from device.core.preferences import Preferences
from device.core.reading_session import ReadingSession
from device.disk import Disk
from device.folder import Folder
from device.importing import history
from device.importing.history import Outcome
from device.koreader import snapshot as files
from device.store import books, database, reading_sessions
from tests.fixtures.make_statistics import sitting, statistics

NOW = 1_795_000_000
NOON = NOW - 30 * 86_400
FINGERPRINT = "0123456789abcdef0123456789abcdef"


class Device:
    """One KOReader folder. `imports` and `previews` are given the tests' own clock."""

    def __init__(self, root: Path) -> None:
        self.statistics = root / "settings" / files.STATISTICS
        self.statistics.parent.mkdir(parents=True)
        self.folder = Folder(Disk(), str(root / "bookloresync"))
        self.folder.make()
        self.store = database.open_store(self.folder.disk, self.folder.store, NOW)
        self.reports: list[tuple[int, int]] = []

    def imports(self, now: int = NOW, in_s: float = 600, preferences: dict[str, str] | None = None) -> Outcome:
        return self._read(history.import_history, now, in_s, preferences or {}, self.reports.append)

    def previews(self, now: int = NOW) -> Outcome:
        return self._read(history.preview, now, 600, {}, self.reports.append)

    def imports_while(self, report: Callable[[tuple[int, int]], None]) -> Outcome:
        return self._read(history.import_history, NOW, 600, {}, report)

    def _read(
        self,
        read: Callable[..., Outcome],
        now: int,
        in_s: float,
        preferences: dict[str, str],
        report: Callable[[tuple[int, int]], None],
    ) -> Outcome:
        return read(
            self.folder,
            self.store,
            history.statistics_path(self.folder, None),
            Preferences(preferences),
            now,
            time.monotonic() + in_s,
            lambda done, total: report((done, total)),
        )

    def sessions(self) -> list[tuple[str, int, int, int, int]]:
        """(title, start, end, duration, pages read) of what was imported."""
        return self.store.execute(
            "SELECT b.title, s.started_at, s.ended_at, s.duration_s, s.pages_read FROM reading_session s"
            " JOIN book b ON b.id = s.book_id WHERE s.source = 'statistics' ORDER BY s.started_at"
        ).fetchall()

    def adds_live(
        self, book_id: int, start: int, end: int, source: str = reading_sessions.JOURNAL, pauses_s: int = 0
    ) -> None:
        session = ReadingSession(start, end, end - start - pauses_s, 1, 2, 0.1, 0.2, 2, ())
        with self.store.transaction():
            reading_sessions.add(self.store, book_id, source, None, session)

    def has_book(self, title: str = "Moby Dick", fingerprint: str | None = FINGERPRINT) -> int:
        with self.store.transaction():
            return books.remember(self.store, Book("/b/m.epub", "epub", title, ["Herman Melville"], [], fingerprint, 1))


def two_books(path: Path, journal_mode: str = "WAL") -> None:
    with statistics(path, journal_mode) as file:
        moby = file.add_book("Moby Dick", "Herman Melville", FINGERPRINT, 600)
        emma = file.add_book("Emma", "Jane Austen\nSomebody Else", None, 300)
        file.add(sitting(moby, NOON, 20, of_pages=600))
        file.add(sitting(emma, NOON + 7_200, 10))
        file.add(sitting(moby, NOON + 86_400, 5, first_page=21, of_pages=600))


MOBY_AND_EMMA = [
    ("Moby Dick", NOON, NOON + 1_200, 1_200, 20),
    ("Emma", NOON + 7_200, NOON + 7_800, 600, 10),
    ("Moby Dick", NOON + 86_400, NOON + 86_700, 300, 5),
]


def sum_of_durations(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as read:
        return int(read.execute("SELECT SUM(duration) FROM page_stat_data").fetchone()[0])
