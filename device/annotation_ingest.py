"""Highlights, notes and bookmarks that KOReader tells of → store: what the launcher saw change, and whole records.

    journal line `marks`    what has changed in the open book since the line before, and what its reader deleted
    KOReader's record       everything that the book has; what a record before had and this one has not was deleted

Promises: what cannot be read of a mark costs nothing but that mark. A record with nothing of what was known, one that
is not there any more, and a mark that no record has had yet (KOReader may have crashed before it wrote one) are lost,
not deleted. An older copy of a record adds what is new to us and takes nothing away: KOReader is about to write the
newer one again; one of which something cannot be read takes nothing away either. Nothing here decides what follows from
a change.
Called by: `device/ingest.py`, within the transaction of the journal; `device/collecting.py`, within one of its own;
`device/recovery/rebuild.py`.
Law: `device/core/annotations/holding.py` and `identity.py`, which say what is seen and which mark it is.
"""

from __future__ import annotations

from device.core.annotations import identity, koreader_forms
from device.core.annotations.holding import LOST, Holding
from device.core.instants import EARLIEST_PLAUSIBLE_S
from device.store import holdings, mark_ledger, mark_plans, marks, settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.annotations.koreader_forms import Found
    from device.core.annotations.marks import DeviceMark
    from device.core.journal import Marks
    from device.json_text import Json
    from device.store.database import Store

NOBODY = ""  # the account whose links are wanted: what is on the server is of no account here


class Taken:
    """What came of one record: marks that the book has, how many of them were new or not to be read, and how many
    others were lost."""

    __slots__ = ("broken", "lost", "new", "there")

    def __init__(self, there: int, broken: int) -> None:
        self.there = there
        self.broken = broken
        self.new = 0
        self.lost = 0


def take_lines(store: Store, book_id: int, lines: list[Marks], now: int) -> None:
    """What the launcher saw change, one moment after the other."""
    book = _Book(store, book_id)
    for line in lines:
        at = plausible(line.wall_s, now)
        book.miss([place for place in (_place(value, line.dom) for value in line.gone) if place is not None], at)
        for place in line.unplaced:
            book.leave_there(_place(place, line.dom), at)
        seen = []
        for item in line.changed:
            mark = koreader_forms.from_item(item, line.dom)
            was = _place(item.get("was"), line.dom) if isinstance(item, dict) else None
            if mark is not None and isinstance(item, dict) and item.get("cut") is True:
                mark = book.completed(mark)
            if mark is not None and not book.see_as(was, mark, at):
                seen.append(mark)
        book.see(seen, at)
    book.end()


def _place(value: Json, dom: int | None) -> DeviceMark | None:
    """Date and place of a mark, as one without anything else. A bookmark has no range."""
    if not isinstance(value, dict):
        return None
    return koreader_forms.from_item({**value, "drawer": "lighten"} if value.get("pos0") else value, dom)


def take_record(store: Store, book_id: int, found: Found, at: int, is_copy: bool) -> Taken:
    """Everything that a record has. `at`: when it was written. `is_copy`: a newer one is there that cannot be read."""
    taken = Taken(len(found.marks), found.broken)
    if not found.says:
        return taken
    book = _Book(store, book_id)
    if is_copy:
        taken.new = book.add_new(found.marks, at)
    else:
        taken.new, taken.lost = book.see_all(found.marks, at, found.broken == 0)
    book.end()
    if not is_copy and mark_ledger.not_taken(store, book_id):
        from device.importing.plugin_marks import take_over

        take_over(store, book_id, at)
    return taken


def lose_record(store: Store, book_id: int, at: int) -> int:
    """KOReader's record of a book that is there itself is not there any more; how many marks were lost with it."""
    book = _Book(store, book_id)
    _, lost = book.see_all([], at, True)
    book.end()
    return lost


def leave_there(store: Store, book_id: int, holding: Holding, reason: str, account: str, now: int) -> None:
    """A mark of the server's has no place in the book here. A better converter will look for one again."""
    from device.epub.positions import APPROXIMATE, CONVERTER

    holding.could_not_take()
    holdings.save(store, holding, now)
    server_book = mark_plans.server_book(store, book_id)
    if server_book is not None:
        holdings.save_links(store, holding, account, server_book, now)
    marks.set_position(store, holding.key, None, APPROXIMATE, reason, CONVERTER)


def plausible(at: int, now: int) -> int:
    """When something was so on the device, by a clock that may be wrong: never later than now."""
    return min(at, now) if at >= EARLIEST_PLAUSIBLE_S else max(now, 0)


class _Book:
    """The marks of one book while something of them is taken in."""

    __slots__ = ("_has_changed", "_holdings", "_id", "_store")

    def __init__(self, store: Store, id: int) -> None:
        self._store = store
        self._id = id
        self._holdings = holdings.of_book(store, id, NOBODY)
        self._has_changed = False

    def miss(self, places: list[DeviceMark], at: int) -> None:
        """The reader has deleted the marks that stood there."""
        for holding in identity.take_gone(self._holdings, places, _spelt):
            self._save(holding, at)

    def leave_there(self, place: DeviceMark | None, at: int) -> None:
        """The book has no place for the mark that it had been given: on the server it stays."""
        known = self._known_as(place)
        account = settings.get(self._store, settings.MATCHES_OF) or NOBODY
        holding = None if known is None else holdings.of_mark(self._store, known.key, account)
        if known is None or holding is None:
            return
        known.miss(True)
        holding.miss(True)
        leave_there(self._store, self._id, holding, "unplaced", account, at)
        self._has_changed = True

    def completed(self, mark: DeviceMark) -> DeviceMark | None:
        """A mark whose words did not fit into the journal, with those that are known. None: only KOReader's own record
        has them, and is waited for."""
        known = self._known_as(mark)
        before = None if known is None else known.on_device()
        if before is None or not (before.text.startswith(mark.text) and before.note.startswith(mark.note)):
            return None
        mark.text, mark.note = before.text, before.note
        return mark

    def see_as(self, was: DeviceMark | None, mark: DeviceMark, at: int) -> bool:
        """A mark that had another date or place before; whether that one is known."""
        holding = self._known_as(was)
        if holding is None:
            return False
        if holding.see(mark):
            self._save(holding, at)
        return True

    def see(self, seen: list[DeviceMark], at: int) -> None:
        """Some of the marks that the device has."""
        if not self._holdings:
            self._add_all(seen, at)
            return
        found = identity.take_seen(self._holdings, seen, False, False, _spelt)
        for holding in found.changed:
            self._save(holding, at)
        self._add_all(found.new, at)

    def see_all(self, seen: list[DeviceMark], at: int, tells_missing: bool) -> tuple[int, int]:
        """All the marks that the device has; how many of them were not known, and how many others are lost."""
        if not self._holdings:
            return self._add_all(seen, at), 0
        beyond = dict.fromkeys((holding.key for holding in self._holdings), False)
        if tells_missing:
            beyond = marks.beyond_record(self._store, self._id, at)
        found = identity.take_seen(self._holdings, seen, True, False, _spelt, beyond)
        for holding in found.changed:
            self._save(holding, at)
        return self._add_all(found.new, at), sum(holding.gone == LOST for holding in found.changed)

    def add_new(self, seen: list[DeviceMark], at: int) -> int:
        """Marks of an older copy: what is known of them is newer."""
        _, new = identity.pair_seen(self._holdings, seen, True, _spelt)
        return self._add_all(new, at)

    def end(self) -> None:
        """Whatever was decided about the book's marks is to be decided anew."""
        if self._has_changed:
            mark_plans.doubt(self._store, self._id)

    def _known_as(self, place: DeviceMark | None) -> Holding | None:
        """By its date, as KOReader does: another that stands at the same place is not meant."""
        if place is None:
            return None
        here = [
            holding
            for holding in self._holdings
            if (mark := holding.on_device()) is not None and mark.made_at == place.made_at
        ]
        pairs, _ = identity.pair_seen(here, [place], False, _spelt)
        return pairs[0][0] if pairs else None

    def _add_all(self, new: list[DeviceMark], at: int) -> int:
        for mark in new:
            holding = Holding(marks.add(self._store, self._id, mark, at), mark.kind)
            holding.device = mark
            self._holdings.append(holding)
            self._has_changed = True
        return len(new)

    def _save(self, holding: Holding, at: int) -> None:
        holdings.save(self._store, holding, at)
        self._has_changed = True


def _spelt(pointer: str) -> str:
    """One form for all spellings of a place. Rarely asked for: what has kept its date is known by that."""
    from device.epub import xpointer

    found = xpointer.parse(pointer)
    return pointer if found is None else found.key()
