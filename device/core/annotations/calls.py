"""What the server is to be told of a mark, once it is decided what the device is to have.

The table of what becomes of what stands in `destinations.py`; here it is held against the links that are there.

    main       there while the mark is there; created where the mark has a place and its note does not go to the book's
               page alone
    twin       an in-book note that somebody wrote beside the highlight: it has the note, too
    copy       wanted with the mark's first note, or when the note changes: a note that was sent once is not sent again
               because the preferences have changed. It waits until the main one is there: if somebody else had created
               that, he wrote the copy as well
    stand-in   wanted while there is no place; it goes when the main one is there
    old        goes when what takes its place is there

Called by: `merge.py`. It changes the links it is given, which are copies.
"""

from __future__ import annotations

from device.core import preferences
from device.core.annotations import colours
from device.core.annotations.destinations import (
    Wishes,
    as_sent,
    changed_fields,
    main_kind,
    new_fields,
    place_of_row,
    set_note,
)
from device.core.annotations.hearing import carries_note, is_moved
from device.core.annotations.holding import COPY, MAIN, STAND_IN, TWIN, Holding, Link, old_role
from device.core.annotations.marks import DeviceMark, ServerMark
from device.core.annotations.words import clean, same_note, same_words
from device.core.outbox import BOOK_NOTE, BOOKMARK, HIGHLIGHT, IN_BOOK_NOTE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json

CREATE, EDIT, DELETE = "create", "edit", "delete"


class Call:
    """One thing that the server is to be told. `fields`: the request's, by the server's names, without the book.

    `device` and `server`: what is agreed once it is answered; both None for a deletion. `needs_list`: it must not be
    sent before the list of its kind was read in this run, because sending it blindly could undo or double something.
    """

    __slots__ = ("device", "fields", "kind", "needs_list", "op", "remote_id", "role", "server")

    def __init__(self, link: Link, op: str) -> None:
        self.role = link.role
        self.op = op
        self.kind = link.kind
        self.remote_id = link.remote_id
        self.fields: dict[str, Json] = {}
        self.device: DeviceMark | None = None
        self.server: ServerMark | None = None
        self.needs_list = op != CREATE


def next_calls(
    holding: Holding, wanted: DeviceMark | None, links: list[Link], wishes: Wishes, is_second: bool
) -> tuple[list[Link], list[Call]]:
    """The links as they are to be from now on, and what can be sent now. What depends on an answer comes later."""
    if wanted is None:
        return _nothing_wanted(links)
    work = _Wanted(holding, wanted, links, wishes, is_second)
    work.decide()
    return work.links, work.calls()


def _nothing_wanted(links: list[Link]) -> tuple[list[Link], list[Call]]:
    kept: list[Link] = []
    calls: list[Call] = []
    if not any(link.role == MAIN for link in links):
        for link in [link for link in links if link.role == TWIN][:1]:
            link.role = MAIN  # what stood before it is another's: the place stays this mark's until its row is gone
    for link in links:
        if link.closed:
            if link.role == MAIN or link.tombstone:
                kept.append(link)
        elif link.remote_id is not None:
            link.tombstone = True
            kept.append(link)
            calls.append(Call(link, DELETE))
        elif link.sent_server is not None:
            kept.append(link)  # whether it is there, the next list tells
    return kept, calls


class _Wanted:
    """The mark is to be there."""

    __slots__ = ("_holding", "_is_second", "_mark", "_wishes", "links")

    def __init__(self, holding: Holding, mark: DeviceMark, links: list[Link], wishes: Wishes, is_second: bool) -> None:
        self._holding = holding
        self._mark = mark
        self._wishes = wishes
        self._is_second = is_second
        self.links = links

    def _link(self, role: str) -> Link | None:
        found = [link for link in self.links if link.role == role]
        return found[0] if found else None

    def _add(self, role: str, kind: str) -> Link:
        link = Link(role, kind)
        self.links.append(link)
        return link

    # Which links there are to be

    def decide(self) -> None:
        place, mark = self._holding.place, self._mark
        self._put_twin_first()
        self._take_old_back()
        main = self._link(MAIN)
        if main is not None and main.remote_id is not None:
            self._keep_up(main)
            main = self._link(MAIN)
        has_place = self._has_place()
        if main is None and has_place and self._goes_to_its_place():
            main = self._add(MAIN, main_kind(mark, self._wishes))
            self._copy_of(None)
        elif main is not None and main.remote_id is None and main.sent_server is None:
            if not has_place and place is not None:
                self.links.remove(main)
                main = None
            elif main.role == MAIN:
                main.kind = main_kind(mark, self._wishes)
        elif main is not None and main.agreed_device is not None:
            if not same_note(main.agreed_device.note, mark.note):
                self._copy_of(main)
        elif main is None and has_place:
            self._copy_of(None)
        self._review(self._link(COPY))
        self._review(self._link(TWIN))
        self._stand_in(main, has_place)

    def _put_twin_first(self) -> None:
        """Where only the other row of the two at this place is left."""
        main, twin = self._link(MAIN), self._link(TWIN)
        if twin is None or twin.remote_id is None or twin.tombstone:
            return
        if main is None or (main.remote_id is None and main.sent_server is None):
            self.links = [link for link in self.links if link is not main]
            twin.role = MAIN

    def _take_old_back(self) -> None:
        """The row that was to be replaced is what is wanted again, and the new one has not been sent."""
        main = self._link(MAIN)
        if main is not None and (main.remote_id is not None or main.sent_server is not None):
            return
        before = [link for link in self.links if link.is_old() and self._is_what_is_wanted(link)]
        if before:
            self.links = [link for link in self.links if link is not main]
            before[0].role, before[0].tombstone = MAIN, False

    def _has_place(self) -> bool:
        if self._mark.kind == BOOKMARK and self._wishes.fixed_pages:
            return self._mark.page is not None
        return bool(self._holding.place) and not self._is_second

    def _goes_to_its_place(self) -> bool:
        if self._mark.kind == BOOKMARK:
            return True
        if not clean(self._mark.note) or self._wishes.notes_to == preferences.BOTH:
            return True
        return self._wishes.notes_to == preferences.IN_BOOK and self._link(COPY) is None

    def _keep_up(self, main: Link) -> None:
        """What the server cannot change of a mark that is there: its words, and its kind."""
        assert main.agreed_device is not None and main.agreed_server is not None
        agreed, mark = main.agreed_device, self._mark
        if is_moved(agreed, mark):
            if self._holding.place is None:
                return
            if self._holding.place and self._holding.place == place_of_row(main.agreed_server, self._wishes.spelt):
                main.tombstone = True  # the server would refuse a second one at this place
            else:
                self._replace(main)
        elif main.kind == IN_BOOK_NOTE and not clean(mark.note):
            self._replace(main)
        else:
            main.tombstone = False
            if not same_words(agreed, mark) or (agreed.pos0, agreed.pos1) != (mark.pos0, mark.pos1):
                main.agreed_device = agreed.copy()
                main.agreed_device.text = mark.text
                main.agreed_device.pos0, main.agreed_device.pos1 = mark.pos0, mark.pos1

    def _replace(self, main: Link) -> None:
        before = [link for link in self.links if link.is_old() and self._is_what_is_wanted(link)]
        for link in (main, self._link(TWIN)):
            if link is not None:
                link.role, link.tombstone = old_role(link), False
        if before:
            before[0].role = MAIN  # the reader took the change back before the old row was deleted
            before[0].tombstone = False
            return
        new = self._add(MAIN, main_kind(self._mark, self._wishes))
        if not self._has_place():
            self.links.remove(new)

    def _is_what_is_wanted(self, link: Link) -> bool:
        if link.agreed_device is None or link.agreed_server is None or link.remote_id is None:
            return False
        if link.kind == IN_BOOK_NOTE and not clean(self._mark.note):
            return False
        place = place_of_row(link.agreed_server, self._wishes.spelt)
        return place == self._holding.place and same_words(link.agreed_device, self._mark)

    def _copy_of(self, main: Link | None) -> None:
        """`main`: where it is there already, and its note has changed; None: the mark is new here."""
        twin = self._link(TWIN)
        has_note = any(
            link is not None and link.agreed_server is not None and clean(link.agreed_server.note)
            for link in (main, twin)
        )
        note_goes_there = self._wishes.notes_to == preferences.BOTH or (
            self._wishes.notes_to == preferences.BOOKLORE and not has_note
        )
        if (
            note_goes_there
            and self._mark.kind == HIGHLIGHT
            and clean(self._mark.note)
            and self._link(COPY) is None
            and (main is None or main.kind == HIGHLIGHT or self._wishes.notes_to == preferences.BOTH)
        ):
            stand_in = self._link(STAND_IN)
            if stand_in is not None and not stand_in.closed:
                stand_in.role = COPY
            else:
                self._add(COPY, BOOK_NOTE)

    def _review(self, link: Link | None) -> None:
        """A copy whose note is gone, or that somebody deleted before the note was changed."""
        if link is None:
            return
        if link.closed and (link.agreed_device is None or not same_note(link.agreed_device.note, self._mark.note)):
            link.forget()
        if link.kind != HIGHLIGHT and not clean(self._mark.note):
            if link.remote_id is None and link.sent_server is None:
                self.links.remove(link)
            elif link.remote_id is not None:
                link.tombstone = True
        else:
            link.tombstone = False

    def _stand_in(self, main: Link | None, has_place: bool) -> None:
        link = self._link(STAND_IN)
        is_there = main is not None and main.remote_id is not None
        if link is None:
            is_due = self._holding.place is not None and not has_place and not is_there and self._link(COPY) is None
            if is_due and (not self._is_second or clean(self._mark.note)):
                self._add(STAND_IN, BOOK_NOTE)
            return
        if has_place or is_there:
            if link.remote_id is None and link.sent_server is None:
                self.links.remove(link)
            elif is_there and link.remote_id is not None:
                link.tombstone = True
        elif link.closed:
            agreed = link.agreed_device
            if agreed is None or not same_note(agreed.note, self._mark.note) or is_moved(agreed, self._mark):
                link.forget()
        else:
            link.tombstone = False

    # What is to be sent for them

    def calls(self) -> list[Call]:
        main, stand_in = self._link(MAIN), self._link(STAND_IN)
        copy = self._link(COPY) if main is None else None  # its note is on the book's page, and it has no place
        is_there = any(
            link is not None and (link.remote_id is not None or link.closed) for link in (main, stand_in, copy)
        )
        # Where another mark has the words already and there is no note, nothing takes the place of an old row.
        is_there = is_there or (self._is_second and main is None and stand_in is None and copy is None)
        has_no_main = main is None or main.remote_id is not None
        calls: list[Call] = []
        for link in self.links:
            if link.closed or (link.remote_id is None and link.sent_server is not None):
                continue  # given up; or the next list tells first whether it is there
            if link.tombstone or (link.is_old() and is_there):
                calls.append(Call(link, DELETE))
            elif link.is_old() or (link.role in (COPY, TWIN) and not has_no_main):
                continue
            elif link.remote_id is None:
                if link.role != TWIN and (link.role != MAIN or self._has_place()):
                    calls.append(self._creation(link))
            else:
                calls.extend(self._edit(link))
        return calls

    def _creation(self, link: Link) -> Call:
        call = Call(link, CREATE)
        with_note = link.role != MAIN or self._main_carries()
        cfi = self._holding.cfi if link.role == MAIN else ""
        call.device = self._mark.copy()
        call.server = as_sent(link.kind, self._mark, cfi, with_note, self._wishes)
        if not with_note:
            call.device.note = ""
        call.fields = new_fields(call.server)
        call.needs_list = not call.server.cfi and call.server.page is None
        return call

    def _main_carries(self) -> bool:
        main = self._link(MAIN)
        old = [link for link in self.links if link.is_old()]
        if main is None:
            return False
        before = old[-1] if old and main.agreed_server is None else main
        return carries_note(before, self._link(COPY), self._link(TWIN), self._wishes)

    def _edit(self, link: Link) -> list[Call]:
        agreed, had, mark = link.agreed_device, link.agreed_server, self._mark
        if agreed is None or had is None:
            return []  # the list tells first what it is
        if link.role == MAIN and is_moved(agreed, mark):
            return []  # its new place has not been found yet
        row, after = had.copy(), agreed.copy()
        if link.role == MAIN:
            after.color, after.drawer = mark.color, mark.drawer
            if row.color and mark.color != agreed.color:
                row.color = colours.hex_of(mark.color)
            if row.style and mark.drawer != agreed.drawer:
                row.style = colours.style_of(mark.drawer)
            is_due = not same_note(agreed.note, mark.note) and carries_note(
                link, self._link(COPY), self._link(TWIN), self._wishes
            )
        else:
            is_due = not same_note(agreed.note, mark.note) or not same_words(agreed, mark)
            is_due = is_due and (link.kind != HIGHLIGHT or bool(clean(had.note)))
        if is_due:
            after.note = mark.note
            if link.role != MAIN:
                after.text, after.pos0, after.pos1 = mark.text, mark.pos0, mark.pos1
            if link.kind == BOOK_NOTE:
                after.chapter, after.page, after.pageref = mark.chapter, mark.page, mark.pageref
            set_note(row, after)
        fields = changed_fields(had, row)
        if not fields:
            link.agreed_device = after
            return []
        call = Call(link, EDIT)
        call.device, call.server, call.fields = after, row, fields
        return [call]
