"""How far a book is read, to the word: KOReader's place as a CFI for the web reader, and the web reader's for KOReader.

Promises: only a place that was found in the book's own text on both sides; else none, and how far it is says enough. A
CFI that the web reader cannot open would leave it blank, so none is told of a file that is not the server's own.
Never: decides who is told. Called by: `device/sending/book_states.py`.
"""

from __future__ import annotations

from device.core import file_kinds, progress
from device.epub import cfi as cfis
from device.epub.archive import Unreadable
from device.store import marks, reading_sessions
from device.store.holdings import SENDABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.store.database import Store
    from device.store.shared_values import Place

EPUB = "epub"


def cfi_of(store: Store, place: Place, fraction: float) -> str | None:
    """The CFI of the page on which the last reading ended, if that is how far the book is read."""
    last = reading_sessions.last_place(store, place.book_id)
    if last is None or abs(last[1] - fraction) > progress.SAME or file_kinds.suffix(place.file) != EPUB:
        return None
    from device.epub import positions

    try:
        with positions.Positions(place.file, marks.newest_dom(store, place.book_id)) as book:
            [found] = book.to_cfis([positions.Wanted(last[0], None, None)])
    except (Unreadable, OSError):
        return None
    return found.cfi if found.status in SENDABLE else None


def xpointer_of(store: Store, place: Place, cfi: str) -> str | None:
    """Where a CFI of the web reader's begins, in KOReader's spelling for this book."""
    if file_kinds.suffix(place.file) != EPUB:
        return None
    from device.epub import positions

    try:
        read = cfis.parse(cfi)
        start = cfis.format_point(read.package, read.start)
        dom = marks.newest_dom(store, place.book_id)
        if start is None:
            return None
        with positions.Positions(place.file, dom) as book:
            [found] = book.to_pointers([(start, None)], dom is not None and positions.spells_every_index(dom))
    except (cfis.Invalid, Unreadable, OSError):
        return None
    return found.pos0 if found.status in SENDABLE else None
