"""Where a book's marks stand: xpointers as CFIs and CFIs as xpointers, worked out once and kept.

A place costs time on a device, so only what is new, has moved, or was not found by an older converter is worked out;
all of a book together, because a chapter is then read once. Only EPUBs have such places.

Promises: only what was verified counts as a place (`exact`, `repaired`). A book that cannot be read leaves its marks as
they were, and says why.
Called by: `device/sending/annotations.py`. The places themselves are found by `device/epub/positions.py`.
"""

from __future__ import annotations

from device import json_text
from device.core import file_kinds
from device.core.annotations.destinations import page_place
from device.core.outbox import BOOKMARK, HIGHLIGHT
from device.epub.archive import Unreadable
from device.epub.cfi import normal_form
from device.epub.outcomes import APPROXIMATE, CONVERTER, Wanted
from device.epub.xpointer import parse
from device.store import marks
from device.store.holdings import SENDABLE
from device.ui import annotation_texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.core.annotations.holding import Holding
    from device.core.annotations.marks import DeviceMark, ServerMark
    from device.store.database import Store
    from device.store.marks import StoredMark
    from device.store.shared_values import Place

EPUB = "epub"
AT_ONCE = 50  # marks that are placed between two looks at the clock: seconds on the slowest device
EXACT = SENDABLE[0]


class CannotRead(Exception):
    """The book's file is not there, or is no book; the text says what is wrong with it."""


class Found:
    """Where a mark of the server's stands in the file here. `status`: how it was found; `dom`: the rules by which the
    place is spelt; `fraction`: roughly how far into the book. On fixed pages the page says it all."""

    __slots__ = ("dom", "fraction", "pos0", "pos1", "status", "text")

    def __init__(self, status: str) -> None:
        self.status = status
        self.pos0 = ""
        self.pos1 = ""
        self.text = ""
        self.dom: int | None = None
        self.fraction: float | None = None


def has_places(place: Place) -> bool:
    """Whether a place in it can be named so that the web reader knows it."""
    return file_kinds.suffix(place.file) == EPUB


def has_fixed_pages(place: Place) -> bool:
    return file_kinds.kind(place.file) != file_kinds.FLOWING


def place_marks(store: Store, place: Place, stored: list[StoredMark], check_time: Callable[[], None]) -> None:
    """Finds the CFIs of the marks that need it, and keeps them, some at a time. `check_time` raises between these.

    Raises CannotRead.
    """
    if not has_places(place):
        return
    unplaced = [(mark, mark.device) for mark in stored if mark.device is not None]
    unplaced = [(mark, device) for mark, device in unplaced if _is_to_be_placed(mark, device)]
    if not unplaced:
        return
    from device.epub import positions

    unplaced.sort(key=lambda pair: _chapter(pair[1]))
    try:
        with positions.Positions(place.file, _dom(stored)) as book:
            for start in range(0, len(unplaced), AT_ONCE):
                check_time()
                some = unplaced[start : start + AT_ONCE]
                found = book.to_cfis([_wanted(mark.kind, device) for mark, device in some])
                with store.transaction():
                    for (mark, _), cfi in zip(some, found, strict=True):
                        mark.cfi, mark.position = cfi.cfi, cfi.status
                        mark.position_reason, mark.converter = cfi.reason or None, CONVERTER
                        reason = mark.position_reason
                        marks.set_position(store, mark.id, mark.cfi, mark.position, reason, mark.converter)
    except (Unreadable, OSError) as problem:
        raise CannotRead(_cause(problem)) from problem


def _chapter(device: DeviceMark) -> int:
    """In whose order they are placed, so that a chapter is read once."""
    pointer = parse(device.pos0)
    return 0 if pointer is None else pointer.fragment


def _is_to_be_placed(mark: StoredMark, device: DeviceMark) -> bool:
    if not device.pos0 or mark.gone == marks.DELETED:
        return False
    return mark.position is None or (mark.position not in SENDABLE and (mark.converter or 0) < CONVERTER)


def _dom(stored: list[StoredMark]) -> int | None:
    """The version of the rules by which KOReader spells places in this book, as far as a mark tells it."""
    known = [mark.device.dom for mark in stored if mark.device is not None and mark.device.dom is not None]
    return max(known, default=None)


def _wanted(kind: str, device: DeviceMark) -> Wanted:
    if kind == HIGHLIGHT and device.pos1:
        return Wanted(device.pos0, device.pos1, device.text or None, device.dom)
    return Wanted(device.pos0, None, None, device.dom)


def spell(held: list[Holding], place: Place, stored: list[StoredMark]) -> None:
    """Puts into the holdings where they stand; those whose place has not been looked for keep None."""
    by_id = {mark.id: mark for mark in stored}
    flows, is_fixed = has_places(place), has_fixed_pages(place)
    for holding in held:
        mark, device = by_id[holding.key], holding.wanted() or holding.device
        if is_fixed:
            page = None if device is None or holding.kind == HIGHLIGHT else device.page
            holding.place = "" if page is None else page_place(page)
        elif not flows or (device is not None and not device.pos0):
            holding.place = ""
        elif mark.position is not None:
            holding.cfi = (mark.cfi or "") if mark.position in SENDABLE else ""
            holding.place = normal_form(holding.cfi) if holding.cfi else ""


def find_rows(place: Place, stored: list[StoredMark], rows: list[ServerMark]) -> list[Found | None]:
    """Where marks that were made on the web stand in the file here, in their order; None: not to be found for certain.

    Raises CannotRead.
    """
    if has_fixed_pages(place):
        return [Found(EXACT) if row.kind == BOOKMARK and row.page is not None else None for row in rows]
    if not has_places(place):
        return [None] * len(rows)
    from device.epub import positions

    dom = _dom(stored)
    found: list[Found | None] = []
    try:
        with positions.Positions(place.file, dom) as book:
            wanted = [(row.cfi, row.text or None) for row in rows]
            for pointers in book.to_pointers(wanted, dom is not None and positions.spells_every_index(dom)):
                one = None
                if pointers.status in SENDABLE and pointers.pos0 is not None:
                    one = Found(pointers.status)
                    one.pos0, one.pos1, one.text = pointers.pos0, pointers.pos1 or "", pointers.text or ""
                    one.dom, one.fraction = dom, book.fraction(pointers.pos0)
                found.append(one)
    except (Unreadable, OSError) as problem:
        raise CannotRead(_cause(problem)) from problem
    return found


def keep(store: Store, holding: Holding, found: Found | None, now: int) -> None:
    """Notes of a mark that was made elsewhere where it stands here, or that no place was found."""
    status = APPROXIMATE if found is None else found.status
    marks.set_position(store, holding.key, holding.cfi or None, status, None, CONVERTER)
    if found is not None and found.fraction is not None and holding.offered is not None:
        fields = json_text.decode(holding.offered.to_json())
        assert isinstance(fields, dict)
        fields["fraction"] = round(found.fraction, 6)  # by which the launcher puts it in its place in the list
        marks.offer(store, holding.key, json_text.encode(fields).decode("utf-8"), now)


def is_old_miss(mark: StoredMark) -> bool:
    """Whether it was made elsewhere, and an older converter found no place for it here."""
    is_miss = mark.device is None and mark.offered is None and mark.position not in SENDABLE
    return is_miss and mark.converter is not None and mark.converter < CONVERTER


def _cause(problem: Unreadable | OSError) -> str:
    if isinstance(problem, FileNotFoundError):
        return annotation_texts.FILE_IS_GONE
    return str(problem) or type(problem).__name__
