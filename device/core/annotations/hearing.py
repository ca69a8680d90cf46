"""What the server's list says of a mark's links, taken into what the device is to have.

Called by: `merge.py`, whose table this carries out from the server's side. It works on copies: the holding stays as
it is.
"""

from __future__ import annotations

from device.core.annotations import colours
from device.core.annotations.destinations import Wishes, note_after, note_of, place_of_row, same_content
from device.core.annotations.holding import COPY, MAIN, OLD, STAND_IN, TWIN, Holding, Link
from device.core.annotations.marks import DeviceMark, ServerMark
from device.core.annotations.words import both_edited, clean, merged_note, same_note, same_words, squeezed
from device.core.outbox import IN_BOOK_NOTE

# What is to be said to the reader.
BOTH_KEPT, EDIT_WON, LOOK_OURS = "both_kept", "edit_won", "look_ours"

_ORDER = (MAIN, TWIN, COPY, STAND_IN, OLD)


class Hearing:
    """`wanted` and `links` after what was heard; `removes_here`: the server does not have the mark any more."""

    __slots__ = ("_holding", "_restores", "_wishes", "links", "removes_here", "says", "wanted")

    def __init__(self, holding: Holding, wishes: Wishes, restores: bool) -> None:
        self._holding = holding
        self._wishes = wishes
        self._restores = restores
        self.wanted = holding.wanted()
        self.links = [link.copy() for link in holding.links]
        self.says: list[str] = []
        self.removes_here = False
        for role in _ORDER:
            for link in [link for link in self.links if link.role.startswith(role)]:
                if link.heard and link in self.links:
                    self._hear(link)
        if restores and self.wanted is None:
            self._restore()

    def link(self, role: str) -> Link | None:
        found = [link for link in self.links if link.role == role]
        return found[0] if found else None

    def _hear(self, link: Link) -> None:
        """Once: what was heard before an answer is not news after it."""
        row = link.row
        link.heard, link.row = False, None
        if row is not None:
            self._is_there(link, row)
        elif link.role == MAIN:
            self._main_is_absent(link)
        else:
            self._other_is_absent(link)

    # It is there

    def _is_there(self, link: Link, row: ServerMark) -> None:
        if link.closed and link.tombstone:
            link.closed = False  # it was told to be deleted, and is there again
        elif link.closed:
            if link.role != MAIN or self.wanted is None:
                return
            link.closed = False  # the device has it after all
        sent = link.sent_device
        if link.sent_server is not None and self._is_as_sent(row, link.sent_server):
            link.agreed_device, link.agreed_server = link.sent_device, row
        link.sent_device, link.sent_server = None, None
        agreed, had = link.agreed_device, link.agreed_server
        link.kind = row.kind
        if agreed is None or had is None:
            self._adopt(link, row, sent)
        elif link.remote_id not in (None, row.id):
            self._changed(link, row, *_without_note(agreed, had))  # made anew: its note need not be the old one's heir
        elif not same_content(row, had):
            self._changed(link, row, agreed, had)
        else:
            link.agreed_server = row
        link.remote_id = row.id

    def _is_as_sent(self, row: ServerMark, sent: ServerMark) -> bool:
        spelt = self._wishes.spelt
        return same_content(row, sent) and place_of_row(row, spelt) == place_of_row(sent, spelt)

    def _adopt(self, link: Link, row: ServerMark, sent: DeviceMark | None) -> None:
        """Found there, with nothing agreed: both are kept. `sent`: it was looked for because this had been sent."""
        here = self.wanted
        if here is None:
            here = self._holding.on_device() or (self._holding.device if sent is not None else None)
            if here is None or (link.role != MAIN and sent is None):
                self.links.remove(link)  # without anything agreed nothing is deleted
                return
            self.says.append(EDIT_WON)
            if sent is None:
                here = _as_there(here, row)
        agreed = here.copy() if sent is None else sent.copy()
        agreed.color, agreed.drawer = here.color, here.drawer
        theirs = note_of(row, agreed)
        agreed.note = theirs
        if row.color and not colours.same_colour(here.color, row.color):
            agreed.color = colours.word_of(row.color)
        if row.style and not colours.same_style(here.drawer, row.style):
            agreed.drawer = colours.drawer_of(row.style)
        if both_edited("", here.note, theirs):
            self.says.append(BOTH_KEPT)
        wanted = here.copy()
        wanted.note = merged_note("", here.note, theirs)
        self.wanted = wanted
        is_known = link.remote_id is not None
        link.agreed_device, link.agreed_server = agreed, row
        if link.role == MAIN:
            self._drop_copies_not_sent()
            place = self._holding.place
            if is_known and place and place_of_row(row, self._wishes.spelt) != place:
                agreed.text, agreed.pos0, agreed.pos1 = "", "", ""  # it was ours, and stands at the wrong words
                agreed.changed_at = ""

    def _drop_copies_not_sent(self) -> None:
        """Who created the mark there has written its copy as well."""
        for link in [link for link in self.links if link.role == COPY]:
            if link.remote_id is None and link.sent_server is None and not link.closed and link.row is None:
                self.links.remove(link)

    def _changed(self, link: Link, row: ServerMark, agreed: DeviceMark, had: ServerMark) -> None:
        after = agreed.copy()
        if not same_note(note_of(row, agreed), note_of(had, agreed)):
            after.note = note_after(row, had, agreed)
        if row.color.upper() != had.color.upper():
            after.color = colours.word_of(row.color)
        if row.style.lower() != had.style.lower():
            after.drawer = colours.drawer_of(row.style)
        here = self.wanted
        if here is None:
            if link.role in (COPY, STAND_IN):
                self.links.remove(link)  # what somebody wrote on the book's page stays there
                return
            here = (self._holding.device or agreed).copy()
            for other in self.links:
                other.tombstone = False
            self.says.append(EDIT_WON)
        self._say_what_is_contested(agreed, here, after)
        wanted = here.copy()
        wanted.note = merged_note(agreed.note, here.note, after.note)
        if here.color == agreed.color:
            wanted.color = after.color
        if here.drawer == agreed.drawer:
            wanted.drawer = after.drawer
        if row.text and squeezed(row.text) != squeezed(had.text) and same_words(here, agreed):
            after.text = wanted.text = row.text  # made anew there, with the words put right
        self.wanted = wanted
        link.agreed_device, link.agreed_server = after, row

    def _say_what_is_contested(self, agreed: DeviceMark, here: DeviceMark, after: DeviceMark) -> None:
        if both_edited(agreed.note, here.note, after.note):
            self.says.append(BOTH_KEPT if clean(here.note) and clean(after.note) else EDIT_WON)
        looks = ((agreed.color, here.color, after.color), (agreed.drawer, here.drawer, after.drawer))
        if any(ours != base and theirs not in (base, ours) for base, ours, theirs in looks):
            self.says.append(LOOK_OURS)

    # It is not there

    def _main_is_absent(self, link: Link) -> None:
        if link.remote_id is None:
            link.sent_device, link.sent_server = None, None
            return
        if link.closed or self.wanted is None:
            self.links.remove(link)
        elif link.tombstone:
            link.forget()
        elif self._is_changed(link, self.wanted):
            link.forget()
            self.says.append(EDIT_WON)
        elif self._restores:
            link.forget()
        elif not self._stands_elsewhere(link):
            self.wanted = None
            self.removes_here = True
            self.links = [other for other in self.links if other.is_old()]

    def _stands_elsewhere(self, link: Link) -> bool:
        """A note of its own at the same place keeps the highlight, and takes the place of the other one."""
        twin = self.link(TWIN)
        if twin is None or twin.row is None or twin.closed:
            return False
        self.links.remove(link)
        row, twin.role, twin.heard, twin.row = twin.row, MAIN, False, None
        self._is_there(twin, row)
        self._take_look(twin)
        return True

    def _take_look(self, link: Link) -> None:
        """What has become the main link looks as it does there: so it is no edit of the reader's that would have to
        survive its deletion."""
        agreed = link.agreed_device
        if agreed is None or self.wanted is None:
            return
        self.wanted, link.agreed_device = self.wanted.copy(), agreed.copy()
        self.wanted.color = agreed.color
        if link.kind == IN_BOOK_NOTE:
            link.agreed_device.drawer = self.wanted.drawer  # which has none there
        else:
            self.wanted.drawer = agreed.drawer

    def _is_changed(self, link: Link, wanted: DeviceMark) -> bool:
        """Whether the device has what the server had not been told yet."""
        agreed, had = link.agreed_device, link.agreed_server
        if agreed is None or had is None:
            return True
        return (
            self._has_note_untold(link, agreed, wanted)
            or agreed.color != wanted.color
            or agreed.drawer != wanted.drawer
            or is_moved(agreed, wanted)
        )

    def _has_note_untold(self, main: Link, agreed: DeviceMark, wanted: DeviceMark) -> bool:
        copy, twin = self.link(COPY), self.link(TWIN)
        if carries_note(main, copy, twin, self._wishes):
            return not same_note(agreed.note, wanted.note)
        for other in (copy, twin):
            if other is not None and other.agreed_device is not None:
                return not same_note(other.agreed_device.note, wanted.note)
        return bool(clean(wanted.note))

    def _other_is_absent(self, link: Link) -> None:
        if link.remote_id is None and not link.closed:
            link.sent_device, link.sent_server = None, None
        elif link.is_old() or link.tombstone or self.wanted is None:
            self.links.remove(link)
        elif link.role == TWIN:
            self._note_is_absent(link, self.wanted)
        else:
            link.closed, link.remote_id = True, None
            link.sent_device, link.sent_server = None, None

    def _note_is_absent(self, twin: Link, wanted: DeviceMark) -> None:
        """Somebody deleted the note at its place in the book, and left the highlight."""
        main = self.link(MAIN)
        self.links.remove(twin)
        has_it_too = main is not None and main.agreed_server is not None and clean(main.agreed_server.note)
        if twin.agreed_device is None or has_it_too:
            return
        if same_note(twin.agreed_device.note, wanted.note):
            self.wanted = wanted.copy()
            self.wanted.note = ""
        else:
            self.says.append(EDIT_WON)

    def _restore(self) -> None:
        """The reader wants back what she deleted, or what vanished."""
        main = self.link(MAIN)
        if main is None or main.agreed_device is None:
            return
        for link in self.links:
            link.tombstone = False
        self.wanted = (self._holding.device or main.agreed_device).copy()


def _as_there(mark: DeviceMark, row: ServerMark) -> DeviceMark:
    """A mark that was to be removed, and at whose place somebody has made another since, which is not its heir."""
    mark = mark.copy()
    mark.note = ""
    if row.color:
        mark.color = colours.word_of(row.color)
    if row.style:
        mark.drawer = colours.drawer_of(row.style)
    return mark


def _without_note(agreed: DeviceMark, had: ServerMark) -> tuple[DeviceMark, ServerMark]:
    agreed, had = agreed.copy(), had.copy()
    agreed.note = had.note = ""
    return agreed, had


def carries_note(main: Link, copy: Link | None, twin: Link | None, wishes: Wishes) -> bool:
    """Whether the mark at its place has the note too; else only what stands beside it has."""
    if twin is not None and twin.kind != IN_BOOK_NOTE:
        twin = None
    if copy is None and twin is None:
        return True
    if main.agreed_server is not None and clean(main.agreed_server.note):
        return True
    return twin is None and wishes.notes_to == "both"


def is_moved(agreed: DeviceMark, wanted: DeviceMark) -> bool:
    """Whether the reader chose other words for the highlight.

    Other xpointers alone prove nothing: another engine spells them otherwise. And words that differ where nobody has
    changed anything are how another engine reads the same place. So KOReader has to say that it was changed since; the
    versions before 2024.07 never say when, and there other xpointers count.
    """
    if same_words(agreed, wanted):
        return False
    if wanted.changed_at or agreed.changed_at:
        return wanted.changed_at > agreed.changed_at
    return (agreed.pos0, agreed.pos1) != (wanted.pos0, wanted.pos1)
