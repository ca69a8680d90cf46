"""KOReader's records of books → store: highlights, notes and bookmarks of books that are closed.

    just closed    looked for in all places, for its journal says that it was written
    in turn        the other books that are known: one look at each, and what has changed is read

Promises: a record that has not changed costs one look and is not read; what is read in one run is bounded. The record
of the book that is open is not read: KOReader may be writing it. A record of another book (a copied folder, a file that
took another's name) is not taken. One that cannot be read is left until it changes.
Never: writes to KOReader's files.
Called by: `device/verbs/collecting.py`, `device/recovery/rebuild.py`; `collecting_all.py`, for all books.
"""

from __future__ import annotations

from device.store import mark_sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.annotation_ingest import Taken
    from device.core.annotations.koreader_forms import Found as FoundMarks
    from device.folder import Folder
    from device.koreader.sidecars import Found, Record, Sidecars
    from device.protocol import Job
    from device.store.database import Store
    from device.store.mark_sources import BookOnDevice

LOOKS_MOST = 200  # in turn, of one run
TURN_S = 600  # after which the next ones have their turn, where there are more books
READ_MOST_BYTES = 2 * 1_048_576  # in turn, of one run: 1,500 highlights; a second on a slow device
CLOSED_BY = ("close", "exit")  # reasons of runs at which no book is open


UNREADABLE, FOREIGN = "unreadable", "foreign"


class Collected:
    """What came of it, for the reader. `books`: with marks; `left`: (file, why) of records that were not taken."""

    __slots__ = ("books", "left", "looked_at", "lost", "marks", "new")

    def __init__(self) -> None:
        self.looked_at = 0
        self.books = 0
        self.marks = 0
        self.new = 0
        self.lost = 0
        self.left: list[tuple[str, str]] = []

    def add(self, taken: Taken) -> None:
        self.books += taken.there > 0
        self.marks += taken.there
        self.new += taken.new
        self.lost += taken.lost


class Collector:
    """One run's collecting. Where there is no news, nothing of what reads records is loaded."""

    __slots__ = ("_folder", "_looker", "_now", "_open_file", "_store", "collected")

    def __init__(self, folder: Folder, store: Store, job: Job | None, now: int) -> None:
        self._folder = folder
        self._store = store
        self._now = now
        self._open_file = "" if job is None or job.reason in CLOSED_BY else job.book
        self._looker: Sidecars | None = None
        self.collected = Collected()

    def of_closed(self, ids: list[int]) -> None:
        """Books of which a journal was just taken."""
        found = (mark_sources.book(self._store, id) for id in ids)
        self._take_all([book for book in found if book is not None and self.may_be_read(book.file)], READ_MOST_BYTES)

    def in_turn(self) -> None:
        """Known books whose record has changed: by a reading without us, on another device, by another program."""
        total = mark_sources.count_books(self._store)
        skip = self._now // TURN_S * LOOKS_MOST % total if total > LOOKS_MOST else 0
        books = mark_sources.books(self._store, skip, LOOKS_MOST)
        books += mark_sources.books(self._store, 0, min(LOOKS_MOST - len(books), skip))
        self._take_all([book for book in books if self._may_have_news(book)], READ_MOST_BYTES)

    def _take_all(self, books: list[BookOnDevice], most_bytes: int) -> None:
        """In one transaction: each costs the card a second write of what it changes. The last may go beyond."""
        if not books:
            return
        with self._store.transaction():
            for book in books:
                most_bytes -= self.take(book)
                if most_bytes <= 0:
                    return

    def may_be_read(self, file: str) -> bool:
        """Not while it is open. Where the book is not, its card may be out: nothing can be said of its record."""
        return file != self._open_file and self._stamp(file) is not None

    def _may_have_news(self, book: BookOnDevice) -> bool:
        """One look, where its record is known and has not changed."""
        stamp = self._stamp(book.sidecar) if book.sidecar else None
        if stamp is not None and f"{stamp[0]} {stamp[1]}" == book.stamp:
            return False
        return self.may_be_read(book.file) and (book.sidecar != "" or self._find(book) is not None)

    def _stamp(self, path: str) -> tuple[int, int] | None:
        try:
            return self._folder.disk.stamp(path)
        except (OSError, ValueError):
            return None

    def take(self, book: BookOnDevice) -> int:
        """Takes a book's record if it has changed; how many bytes were read. Within a transaction."""
        found = self._find(book)
        self.collected.looked_at += 1
        if found is None:
            self._note_none(book)
            return 0
        if (found.path, found.stamp) == (book.sidecar, book.stamp):
            return 0
        record = self.read(found, book.file)
        if record is not None and self._is_foreign(record, book):
            record = None
        self.take_record(record, book.id, found)
        return found.size_bytes

    def take_record(self, record: Record | None, book_id: int, found: Found) -> None:
        """What a record says, if it can be read; `found`: where it was. Within a transaction."""
        whole_at = None
        if record is not None:
            from device.core.annotations.koreader_forms import from_record

            marks = from_record(record.table)
            whole_at = self._now if marks.says and not record.is_copy else None
            if marks.marks or marks.broken or mark_sources.has_marks(self._store, book_id):
                self._take_marks(marks, record, book_id)
        mark_sources.note(self._store, book_id, found.path, found.stamp, whole_at)

    def _note_none(self, book: BookOnDevice) -> None:
        if book.sidecar == "":
            return
        if book.sidecar:
            from device.annotation_ingest import lose_record

            self.collected.lost += lose_record(self._store, book.id, self._now)
        mark_sources.note(self._store, book.id, "", "", None)

    def _take_marks(self, found: FoundMarks, record: Record, book_id: int) -> None:
        from device.annotation_ingest import plausible, take_record

        at = plausible(record.modified_at, self._now)
        taken = take_record(self._store, book_id, found, at, record.is_copy)
        if taken.broken:
            self._folder.log(f"{taken.broken} marks in a record of KOReader's cannot be read (book {book_id})")
        self.collected.add(taken)

    def _find(self, book: BookOnDevice) -> Found | None:
        from device.store.shared_values import fingerprints

        return self.sidecars().find(book.file, fingerprints(self._store, book.id))

    def read(self, found: Found, file: str) -> Record | None:
        from device.koreader.sidecars import Unreadable

        try:
            return self.sidecars().read(found)
        except Unreadable as problem:
            self.collected.left.append((file, UNREADABLE))
            self._folder.log(f"a record of KOReader's cannot be read: {problem}")
            return None

    def sidecars(self) -> Sidecars:
        if self._looker is None:
            from device.koreader.sidecars import Sidecars

            # Our folder lies in KOReader's.
            self._looker = Sidecars(self._folder.disk, self._folder.path.rpartition("/")[0])
        return self._looker

    def _is_foreign(self, record: Record, book: BookOnDevice) -> bool:
        """Whether it is another book's. KOReader keeps in it the fingerprint that its book had when it was first
        opened, and the launcher tells us the same; only a book that we know from elsewhere has none of it."""
        checksum = record.checksum()
        owners = [] if checksum is None else mark_sources.owners(self._store, checksum)
        title = record.properties()[0]
        if checksum is None or book.id in owners or (not owners and title and title == book.title):
            return False
        self.collected.left.append((book.file, FOREIGN))
        self._folder.log(f"KOReader's record of {book.file} is of another book ({title}), and was not taken")
        return True
