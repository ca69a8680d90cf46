"""What the EPUBs that are looked for say of themselves.

Promises: each file is read once, and again only when its size or its time has changed; a file that cannot be read is
none that says something.
Called by: `device/sending/finding_books.py`.
"""

from __future__ import annotations

from device.disk import Disk
from device.epub import package
from device.epub.archive import Unreadable
from device.store import books

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.store.books import StoredBook
    from device.store.database import Store

FILES_MOST = 200  # in one run; the others are read in the next
STAMP_VERSION = "1"  # of what is read: a later program reads files again


def read_packages(store: Store, wanted: list[StoredBook]) -> bool:
    """Whether anything new was read; the store knows it then."""
    disk = Disk()
    left = FILES_MOST
    for book in wanted:
        if book.format not in ("epub", "kepub", "epub3") or not book.file.startswith("/") or left == 0:
            continue
        try:
            found = disk.stamp(book.file)
        except (OSError, ValueError):
            continue  # another machine's path, a card that is not in
        stamp = None if found is None else f"{STAMP_VERSION} {found[0]} {found[1]}"
        if stamp is None or stamp == book.package_stamp:
            continue
        left -= 1
        said = _read(book.file)
        with store.transaction():
            books.note_package(store, book.id, stamp, said.identifiers, (said.series, said.series_index), said.language)
    return left < FILES_MOST


def _read(file: str) -> package.Package:
    try:
        return package.read(file)
    except (Unreadable, OSError, ValueError):
        return package.Package()
