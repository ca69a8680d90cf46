"""Highlights, notes and bookmarks of all books that KOReader has opened, at the reader's wish.

    known books                     their records, wherever they are by now
    others in KOReader's history    become known if there is a highlight or a bookmark in them

Promises: stops in time, and can be done again, which then costs one look at each book that it has read. A second copy
of a known book is not taken for it: the marks of the one would count as lost in the other.
Called by: `device/verbs/collecting.py`.
"""

from __future__ import annotations

import time

from device.collecting import Collected, Collector
from device.core.journal import Book
from device.koreader import history
from device.store import books, mark_sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.folder import Folder
    from device.koreader.sidecars import Record
    from device.protocol import Job
    from device.store.database import Store
    from device.store.mark_sources import BookOnDevice

AT_ONCE = 20  # books in one transaction: what a run that is cut off loses
KNOWN_MOST = 20_000
ENTRIES_MOST = 50  # authors or identifiers of one book
TEXT_MAX_CHARS = 1_000  # as of what a journal says
SERIES_INDEX_MOST = 100_000


class Everything:
    """One such collecting. `until`: on the monotonic clock. `is_complete`: it was not the time that ended it."""

    __slots__ = ("_collector", "_folder", "_now", "_store", "_until", "is_complete")

    def __init__(self, folder: Folder, store: Store, job: Job, now: int, until: float) -> None:
        self._folder = folder
        self._store = store
        self._now = now
        self._until = until
        self._collector = Collector(folder, store, job, now)
        self.is_complete = True

    def collect(self, report: Callable[[int, int], None]) -> Collected:
        """`report` is told how many books of how many have been looked at."""
        known = mark_sources.books(self._store, 0, KNOWN_MOST)
        files = {book.file for book in known}
        koreader = self._folder.path.rpartition("/")[0]
        others = [file for file in history.files(self._folder.disk, koreader) if file not in files]
        work: list[BookOnDevice | str] = [*known, *others]
        for first in range(0, len(work), AT_ONCE):
            report(first, len(work))
            with self._store.transaction():
                for one in work[first : first + AT_ONCE]:
                    if time.monotonic() >= self._until:
                        self.is_complete = False
                        return self._collector.collected
                    self._look_at(one)
        report(len(work), len(work))
        return self._collector.collected

    def _look_at(self, one: BookOnDevice | str) -> None:
        if isinstance(one, str):
            self._meet(one)
        elif self._collector.may_be_read(one.file):
            self._collector.take(one)

    def _meet(self, file: str) -> None:
        """A book of KOReader's history that is not known under this path."""
        if not self._collector.may_be_read(file):
            return
        found = self._collector.sidecars().find(file, [])
        record = None if found is None else self._collector.read(found, file)
        if found is None or record is None or not self._is_new(record):
            return
        from device.core.annotations.koreader_forms import from_record

        if not from_record(record.table).marks:
            return
        id = books.remember(self._store, book_of(record, file, self._size_bytes(file)))
        if books.is_tracked(self._store, id):
            self._collector.take_record(record, id, found)
        else:
            books.track(self._store, id, False)  # switched off under another path

    def _is_new(self, record: Record) -> bool:
        """Whether no known book that still lies where it lay is this one."""
        checksum = record.checksum()
        for id in () if checksum is None else mark_sources.owners(self._store, checksum):
            owner = mark_sources.book(self._store, id)
            if owner is not None and self._size_bytes(owner.file) is not None:
                return False
        return True

    def _size_bytes(self, file: str) -> int | None:
        try:
            return self._folder.disk.size_bytes(file)
        except (OSError, ValueError):
            return None


def book_of(record: Record, file: str, size_bytes: int | None) -> Book:
    """A book by what KOReader keeps of it, as the launcher would tell it."""
    found = record.table.get("doc_props")
    properties = found if isinstance(found, dict) else {}
    name = file.rpartition("/")[2]
    stem, dot, suffix = name.rpartition(".")
    book = Book(
        file=file,
        format=suffix.lower() if dot else "",
        title=_text(properties.get("title")) or (stem if dot else name),
        authors=_lines(properties.get("authors")),
        identifiers=_lines(properties.get("identifiers")),
        fingerprint=record.checksum(),
        size_bytes=size_bytes,
    )
    book.series = _text(properties.get("series"))
    book.language = _text(properties.get("language"))
    index = properties.get("series_index")
    if isinstance(index, (int, float)) and not isinstance(index, bool) and abs(index) <= SERIES_INDEX_MOST:
        book.series_index = float(index)
    return book


def _text(value: object) -> str:
    return value[:TEXT_MAX_CHARS].strip() if isinstance(value, str) else ""


def _lines(value: object) -> list[str]:
    if not isinstance(value, str):
        return []
    found = (_text(line) for line in value.replace("\r", "\n").split("\n", ENTRIES_MOST)[:ENTRIES_MOST])
    return [line for line in found if line]
