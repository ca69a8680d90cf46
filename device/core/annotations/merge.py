"""The three-way merge of one mark: what the device has, what the server has, and what the server had last.

Rule 1: what becomes of a mark is decided in this file and nowhere else, and nothing happens while it is decided. What
the words mean stands in `holding.py`.

    device \\ server   as agreed          changed            not there any more          never there
    ----------------  -----------------  -----------------  --------------------------  ------------------------
    as agreed         nothing            the device too     removed from the device     -
    changed           the server too     field by field     the edit wins: made again   created
    deleted           deleted            the edit wins      forgotten                   forgotten
    record lost       given back         given back, so     forgotten                   given back, and created
    never had it      -                  -                  -                           added (`take_in`)

Field by field: of two notes both are kept, unless one contains the other. Of two colours or styles the device's stands.
The words and the place of a highlight the server cannot change: the new one is created first and the old one deleted
once the new one is there, so that a cut in between leaves two of them and never none; the second is known (`OLD`).
Only where the place is the same, and the server would refuse a second one, the old one is deleted first.

Found on both sides without anything agreed: it is one mark (same place), and both notes are kept. Nothing is deleted.

Book notes (COPY, STAND_IN) stand elsewhere: deleting one on the server does not touch the highlight, but it is not
written again until the note changes; deleting the highlight there does not touch the book note either.

What cannot be helped: the server knows no “only if it is still as I saw it”. What is changed there between the reading
of its list and the request a moment later is overwritten.

How a book's marks are synchronized, with the functions in the order of their use:

    identity.pair_seen      which of KOReader's marks is which holding; then Holding.see or .miss of each
    server_rows.pair_rows   puts `heard` and `row` into the links; the rows that nothing is known of come back
    server_rows.take_in     such a row as a new mark, to be offered to the device
    book.plan_all           a Plan for each mark, and the question if too much would go at once
    Plan.apply              makes it the state: offers and links, in one transaction, before anything is sent
    merge.begun             before the first byte leaves: what is sent is remembered in the link
    merge.answered          the server has done it; then this mark is planned anew, until there are no calls

Called by: `device/sending/`. Never: sends, stores, waits.
"""

from __future__ import annotations

from device.core.annotations.calls import Call, next_calls
from device.core.annotations.destinations import Wishes
from device.core.annotations.hearing import Hearing
from device.core.annotations.holding import DELETED, LOST, MAIN, OLD, Holding, Link
from device.core.annotations.marks import DeviceMark, ServerMark
from device.core.annotations.words import same_on_device

# What the reader answered to the question about a mass deletion.
RESTORE, GO_AHEAD = "restore", "delete"


class Plan:
    """What follows for one mark. Nothing of it has happened yet: `apply` makes it the mark's state.

    `wanted`: what the device is to have (None: nothing). `links`: its links as they are then. `calls`: what the server
    can be told now; after each answer a new plan is made. `says`: codes (`hearing.py`). `removes_here`: because the
    server no longer has it; `deletes_there`: because the reader deleted it here; `gives_back`: because KOReader's
    record was lost. These three count for the question about a mass deletion.
    """

    __slots__ = ("calls", "deletes_there", "gives_back", "holding", "links", "removes_here", "says", "wanted")

    def __init__(
        self, holding: Holding, wanted: DeviceMark | None, links: list[Link], calls: list[Call], says: list[str]
    ) -> None:
        self.holding = holding
        self.wanted = wanted
        self.links = links
        self.calls = calls
        self.says = says
        self.removes_here = False
        self.deletes_there = False
        self.gives_back = False

    def apply(self, now_there: str) -> None:
        """`now_there`: the device's local time in KOReader's words. An edit is stamped with it, so that an old copy of
        KOReader's record is known to be older."""
        holding, wanted = self.holding, self.wanted
        holding.links = self.links
        here = holding.on_device()
        if wanted is not None and here is not None and not same_on_device(wanted, here):
            already = holding.is_offered and holding.offered is not None and same_on_device(wanted, holding.offered)
            wanted = wanted.copy()
            wanted.changed_at = holding.wanted_changed_at() if already else max(now_there, here.changed_at)
        if wanted is None and here is None:
            holding.gone = DELETED
        holding.offer(wanted)


def plan(holding: Holding, wishes: Wishes, answer: str = "", is_second: bool = False) -> Plan:
    """`answer`: RESTORE or GO_AHEAD, if a question about this book was answered. `is_second`: another mark stands at
    the very same words, and it is that one which has them on the server."""
    heard = Hearing(holding, wishes, restores=answer == RESTORE)
    had_tombstone = any(link.tombstone for link in holding.links)
    links, calls = next_calls(holding, heard.wanted, heard.links, wishes, is_second)
    made = Plan(holding, heard.wanted, links, calls, heard.says)
    made.removes_here = heard.removes_here and holding.on_device() is not None
    made.gives_back = holding.gone == LOST and not holding.is_offered and heard.wanted is not None
    made.deletes_there = (
        heard.wanted is None and not had_tombstone and any(link.role == MAIN and link.tombstone for link in links)
    )
    return made


def begun(holding: Holding, call: Call) -> None:
    """The request is about to leave: from now on the server may have it."""
    link = holding.link(call.role)
    if link is not None and call.server is not None:
        link.sent_device, link.sent_server = call.device, call.server


def answered(holding: Holding, call: Call, row: ServerMark | None) -> None:
    """The server has done it. `row`: what it says it has now; None where it did not say.

    A creation whose id was not told stays as sent: the next list tells it.
    """
    link = holding.link(call.role)
    if link is None:
        return
    if call.server is None:
        _deleted(holding, link)
        return
    if link.remote_id is None and (row is None or not row.id):
        return
    if row is not None and row.id:
        link.remote_id = row.id
    link.agreed_device, link.agreed_server = call.device, call.server.copy()
    link.agreed_server.id = link.remote_id or 0
    link.sent_device, link.sent_server = None, None


def _deleted(holding: Holding, link: Link) -> None:
    """The tombstone of a mark that nobody has any more stays until a list confirms it."""
    if link.role.startswith(OLD) or (link.role != MAIN and holding.wanted() is not None):
        holding.links.remove(link)
    elif holding.wanted() is not None:
        link.forget()
    else:
        link.closed = True
