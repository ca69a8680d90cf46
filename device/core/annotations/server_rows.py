"""Which of the server's rows is which mark, and a row that is none of them as a new mark.

Promises: every row is paired once. Never: reads books; how two spellings of a place are known to be one is handed in.

The server's rows and the device's marks:

    the server's id         for what is linked
    place                   for what was sent without an answer; for what is on the device and not linked
    page                    of bookmarks on fixed pages
    content                 of what has no place there: book notes, bookmarks with a title only
    words                   if only one has them on either side: what another program put at another place

Called by: `device/sending/annotations.py`.
"""

from __future__ import annotations

from device.core.annotations import book_notes, colours
from device.core.annotations.destinations import Wishes, note_of, page_place, place_of_row, same_content
from device.core.annotations.hearing import is_moved
from device.core.annotations.holding import (
    COPY,
    DELETED,
    LOST,
    MAIN,
    STAND_IN,
    TWIN,
    Holding,
    Link,
    old_role,
)
from device.core.annotations.marks import DeviceMark, ServerMark
from device.core.annotations.words import TELLING_CHARS, clean, same_note, squeezed
from device.core.outbox import BOOK_NOTE, BOOKMARK, HIGHLIGHT, IN_BOOK_NOTE
from device.core.preferences import IN_BOOK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Spelt = Callable[[str], str]
    Pairs = list[tuple[Holding, DeviceMark]]

AT_PLACE = (HIGHLIGHT, IN_BOOK_NOTE, BOOKMARK)


def pair_rows(
    holdings: list[Holding], rows: list[ServerMark], heard: tuple[str, ...], wishes: Wishes
) -> list[ServerMark]:
    """Puts into each link what the server's lists say of it; `heard`: the kinds whose lists were read.

    Returns the rows at a place in the book that no mark here stands for. None, while the place of a mark here is still
    to be looked for: it could be the same.
    """
    _give_way(holdings)
    pairing = _Rows(holdings, rows, heard, wishes)
    pairing.by_id()
    pairing.by_place()
    pairing.by_content()
    pairing.by_words()
    if any(holding.place is None and holding.wanted() is not None for holding in holdings):
        return []
    return pairing.news()


def _give_way(holdings: list[Holding]) -> None:
    """Before the device took what it was offered, or was given back what it had lost, the reader marked the same place
    herself: then that is the mark."""
    waiting = {
        (holding.kind, holding.place): holding
        for holding in sorted(holdings, key=lambda holding: holding.offered is not None)
        if holding.place and _is_waiting(holding)
    }
    if not waiting:
        return
    for holding in holdings:
        mark, main = holding.wanted(), holding.link(MAIN)
        other = waiting.get((holding.kind, holding.place or ""))
        if mark is None or other in (None, holding) or (holding.on_device() is None and holding.offered is not None):
            continue
        is_free = main is None or main.remote_id is None
        if is_free or (main is not None and main.agreed_device is not None and is_moved(main.agreed_device, mark)):
            other.offered, other.is_offered = None, False
            other.gone, other.links = DELETED, []


def _is_waiting(holding: Holding) -> bool:
    """Offered to a device that does not have it; or lost there, and nothing that the reader wrote would go with it."""
    mark = holding.wanted()
    if mark is None or holding.on_device() is not None:
        return False
    return holding.offered is not None or (holding.gone == LOST and not clean(mark.note))


class _Rows:
    __slots__ = ("_holdings", "_left", "_place", "_wishes")

    def __init__(self, holdings: list[Holding], rows: list[ServerMark], heard: tuple[str, ...], wishes: Wishes) -> None:
        self._holdings = holdings
        self._wishes = wishes
        self._left = {(row.kind, row.id): row for row in rows}
        self._place = {key: place_of_row(row, wishes.spelt) for key, row in self._left.items()}
        for holding in holdings:
            holding.links = [link for link in holding.links if not _is_left_over(link)]
            for link in holding.links:
                link.heard, link.row = link.kind in heard, None

    def left(self, kinds: tuple[str, ...]) -> list[ServerMark]:
        return [row for row in self._left.values() if row.kind in kinds]

    def _take(self, link: Link, row: ServerMark) -> None:
        link.heard, link.row, link.kind = True, row, row.kind
        del self._left[row.kind, row.id]

    def by_id(self) -> None:
        for holding in self._holdings:
            for link in holding.links:
                row = None if link.remote_id is None else self._left.get((link.kind, link.remote_id))
                if row is not None:
                    self._take(link, row)

    def by_place(self) -> None:
        at: dict[str, list[ServerMark]] = {}
        for key, row in self._left.items():
            if self._place[key]:
                at.setdefault(self._place[key].casefold(), []).append(row)
        if not at:
            return
        for holding in self._holdings:
            main = holding.link(MAIN)
            if main is not None and main.remote_id is None and main.sent_server is not None:
                place = place_of_row(main.sent_server, self._wishes.spelt)
                kinds = (main.kind, IN_BOOK_NOTE if main.kind == HIGHLIGHT else HIGHLIGHT)
                self._take_at(place, kinds[:1] if main.kind == BOOKMARK else kinds, at, _same(main))
        for holding in self._holdings:
            self._take_unlinked(holding, at)
        for holding in self._holdings:
            self._take_beside(holding, at)

    def _take_beside(self, holding: Holding, at: dict[str, list[ServerMark]]) -> None:
        """Highlight and in-book note at one place are one mark; the highlight is the main thing. So are two highlights,
        which there can be if two programs spell one place differently."""
        main, place = holding.link(MAIN), self._place_of(holding)
        if main is None or main.row is None or holding.link(TWIN) is not None or main.kind == BOOKMARK:
            return
        row = self._first_at(place, (HIGHLIGHT, IN_BOOK_NOTE), at)
        if row is None or place_of_row(main.row, self._wishes.spelt) != place:
            return
        # The older of two of one kind, so that every device chooses the same one.
        is_first = (row.kind != HIGHLIGHT, row.id) < (main.kind != HIGHLIGHT, main.row.id)
        self._take(_put_first(holding, main, TWIN) if is_first else _added(holding, TWIN, row.kind), row)

    def _take_unlinked(self, holding: Holding, at: dict[str, list[ServerMark]]) -> None:
        mark, main = holding.wanted(), holding.link(MAIN)
        if mark is None and holding.on_device() is None:
            return
        place = self._place_of(holding)
        kinds = (BOOKMARK,) if holding.kind == BOOKMARK else (HIGHLIGHT, IN_BOOK_NOTE)
        if main is None:
            self._take_at(place, kinds, at, lambda: _added(holding, MAIN, kinds[0]))
        elif main.remote_id is None:
            if main.row is None:
                self._take_at(place, kinds, at, _same(main))
        elif mark is not None and main.heard and main.row is None:
            self._take_at(place, kinds, at, _same(main))  # its row was made anew
        elif mark is not None and main.agreed_device is not None and is_moved(main.agreed_device, mark):
            self._take_at(place, kinds, at, lambda: _moved_first(holding, main))

    def _place_of(self, holding: Holding) -> str:
        mark = holding.wanted() or holding.on_device()
        if mark is not None and mark.kind == BOOKMARK and self._wishes.fixed_pages and mark.page is not None:
            return page_place(mark.page)
        return holding.place or ""

    def _take_at(
        self, place: str, kinds: tuple[str, ...], at: dict[str, list[ServerMark]], link: Callable[[], Link]
    ) -> None:
        """The first row there of the first kind that has one; `link` is asked for only then."""
        row = self._first_at(place, kinds, at)
        if row is not None:
            self._take(link(), row)

    def _first_at(self, place: str, kinds: tuple[str, ...], at: dict[str, list[ServerMark]]) -> ServerMark | None:
        rows = at.get(place.casefold(), ()) if place else ()
        for kind in kinds:
            for row in rows:
                if row.kind == kind and (row.kind, row.id) in self._left:
                    return row
        return None

    def by_content(self) -> None:
        """Of what has no place on the server."""
        notes = self.left((BOOK_NOTE,))
        titles = [row for row in self.left((BOOKMARK,)) if not self._place[row.kind, row.id]]
        if not notes and not titles:
            return
        for holding in self._holdings:
            mark = holding.wanted()
            for link in holding.links:
                if (
                    link.remote_id is None
                    and link.row is None
                    and not link.closed
                    and link.kind in (BOOK_NOTE, BOOKMARK)
                ):
                    self._find_content(link, mark, titles if link.kind == BOOKMARK else notes)
            if mark is not None and holding.place is not None:
                self._find_without_link(holding, mark, notes, titles)

    def _find_content(self, link: Link, mark: DeviceMark | None, rows: list[ServerMark]) -> None:
        """What is about to be written: has it been written before, by this device or another?"""
        rows = [row for row in rows if (row.kind, row.id) in self._left]
        sent = link.sent_server
        found = [row for row in rows if sent is not None and same_content(row, sent)]
        if mark is not None and not found:
            found = [row for row in rows if _is_of(row, mark)] or self._quoting(mark, rows)
        if found:
            self._take(link, found[0])

    def _quoting(self, mark: DeviceMark, rows: list[ServerMark]) -> list[ServerMark]:
        """Those that quote its words; none if another mark has the same words."""
        found = [row for row in rows if row.kind == BOOK_NOTE and book_notes.quotes(row.note, mark)]
        return found if found and self._is_telling(mark) else []

    def _is_telling(self, mark: DeviceMark) -> bool:
        """Whether its words say which highlight it is."""
        words = squeezed(mark.text)
        alike = [
            holding
            for holding in self._holdings
            if (other := holding.wanted()) is not None and other.kind == HIGHLIGHT and squeezed(other.text) == words
        ]
        return len(words) >= TELLING_CHARS and len(alike) == 1

    def _find_without_link(
        self, holding: Holding, mark: DeviceMark, notes: list[ServerMark], titles: list[ServerMark]
    ) -> None:
        """What was written of it while nothing was known of that: by an earlier store, or by another device."""
        if mark.kind == BOOKMARK and self._wishes.fixed_pages:
            role, rows = MAIN, titles
        else:
            role, rows = COPY if holding.place else STAND_IN, notes
        has_one = any(holding.link(known) is not None for known in ((MAIN,) if role == MAIN else (COPY, STAND_IN)))
        if has_one or (role == STAND_IN and holding.link(MAIN) is not None):
            return
        rows = [row for row in rows if (row.kind, row.id) in self._left]
        found = [row for row in rows if _is_of(row, mark)]
        if not found and self._wishes.notes_to != IN_BOOK and clean(mark.note):
            found = self._quoting(mark, rows)
        if found:
            link = Link(role, found[0].kind)
            holding.links.append(link)
            self._take(link, found[0])

    def by_words(self) -> None:
        """What another program has sent with a wrong position: the words are the same, and there is no second one."""
        left = self.left((HIGHLIGHT, IN_BOOK_NOTE))
        if not left:
            return
        marks: dict[str, list[Holding]] = {}
        for holding in self._holdings:
            mark = holding.wanted()
            words = squeezed(mark.text) if mark is not None and mark.kind == HIGHLIGHT else ""
            if len(words) >= TELLING_CHARS:
                marks.setdefault(words, []).append(holding)
        rows: dict[str, list[ServerMark]] = {}
        for row in left:
            rows.setdefault(squeezed(row.text), []).append(row)
        for words, found in rows.items():
            holdings = marks.get(words, [])
            if len(found) == 1 and len(holdings) == 1:
                holding, main = holdings[0], holdings[0].link(MAIN)
                if main is None and not holding.place:
                    main = Link(MAIN, found[0].kind)
                    holding.links.append(main)
                    self._take(main, found[0])

    def news(self) -> list[ServerMark]:
        """What is left, without what stands at the place of a mark that is here: it belongs to that, now or when more
        is known of it. Only a note beside two others is one too many for that."""
        here: dict[tuple[str, str], list[Holding]] = {}
        for holding in self._holdings:
            place = self._place_of(holding)
            if holding.wanted() is not None and place:
                here.setdefault((holding.kind, place), []).append(holding)
        news: list[ServerMark] = []
        seen: set[tuple[str, str]] = set()
        for row in sorted(self.left(AT_PLACE), key=lambda row: row.kind == IN_BOOK_NOTE):
            key = (BOOKMARK if row.kind == BOOKMARK else HIGHLIGHT, self._place[row.kind, row.id])
            if not key[1]:
                news.append(row)
            elif key not in seen and all(_is_one_too_many(row, holding) for holding in here.get(key, ())):
                seen.add(key)
                news.append(row)
        return news


def _is_one_too_many(row: ServerMark, holding: Holding) -> bool:
    main, twin, mark = holding.link(MAIN), holding.link(TWIN), holding.wanted()
    if row.kind == BOOKMARK or main is None or twin is None or main.row is None or twin.row is None or mark is None:
        return False
    return bool(clean(row.note)) and clean(row.note) not in clean(mark.note)


def _added(holding: Holding, role: str, kind: str) -> Link:
    link = Link(role, kind)
    holding.links.append(link)
    return link


def _is_left_over(link: Link) -> bool:
    """It was only found, in an earlier run from which nothing followed."""
    return link.role == TWIN and link.remote_id is None and link.sent_server is None and not link.closed


def _same(link: Link) -> Callable[[], Link]:
    return lambda: link


def _put_first(holding: Holding, main: Link, role: str) -> Link:
    """A new main link; the one that was it gets another role."""
    main.role = role
    return _added(holding, MAIN, main.kind)


def _moved_first(holding: Holding, main: Link) -> Link:
    """A new main link at its new place; both rows at the one before are to be replaced."""
    twin = holding.link(TWIN)
    if twin is not None:
        twin.role = old_role(twin)
    return _put_first(holding, main, old_role(main))


def _is_of(row: ServerMark, mark: DeviceMark) -> bool:
    if row.kind == BOOK_NOTE:
        return book_notes.is_of(row.note, mark)
    return mark.kind == BOOKMARK and same_note(note_of(row, mark), mark.note)


# A row as a new mark


def take_in(
    row: ServerMark, key: int, pos0: str, pos1: str, holdings: list[Holding], text: str = "", dom: int | None = None
) -> Holding:
    """The mark that a row of the server's is to be on the device. `pos0`, `pos1`: where it stands there, empty on fixed
    pages; `text`: the words there, if they are known better than the server knows them."""
    kind = BOOKMARK if row.kind == BOOKMARK else HIGHLIGHT
    mark = DeviceMark(kind, _free_date(row.created_at, holdings))
    mark.changed_at = mark.made_at
    mark.pos0, mark.pos1, mark.page, mark.dom = pos0, pos1, row.page, dom
    mark.text = text or row.text
    if kind == HIGHLIGHT:
        mark.note = clean(row.note)
        mark.chapter = row.title
        mark.color = colours.word_of(row.color) if row.color else colours.DEFAULT_WORD
        mark.drawer = colours.drawer_of(row.style)
    else:
        mark.text = mark.note = clean(row.title)
    holding = Holding(key, kind)
    holding.offered, holding.is_offered = mark, True
    link = Link(MAIN, row.kind, row.id)
    link.agreed_device, link.agreed_server = mark.copy(), row
    link.heard, link.row = True, row
    holding.links.append(link)
    return holding


_EPOCH = "1970-01-01 00:00:00"
_DATE_CHARS = len(_EPOCH)


def _free_date(created_at: str, holdings: list[Holding]) -> str:
    """KOReader tells marks apart by their date: one that no other mark of the book has."""
    date = created_at[:_DATE_CHARS].replace("T", " ")
    digits = date[:4] + date[5:7] + date[8:10] + date[11:13] + date[14:16] + date[17:19]
    if len(date) != _DATE_CHARS or not (digits.isascii() and digits.isdigit()):
        date = _EPOCH
    taken = {mark.made_at for holding in holdings for mark in (holding.device, holding.offered) if mark is not None}
    head = date[: -len("00:00")]
    seconds = int(date[-5:-3]) * 60 + int(date[-2:])
    for offset in range(3_600):
        now = (seconds + offset) % 3_600
        candidate = f"{head}{now // 60:02d}:{now % 60:02d}"
        if candidate not in taken:
            return candidate
    return date
