"""The three-way merge of one mark. (Being filled in; these are its names.)

How a book's marks are synchronized, with the functions in the order of their use:

    identity.pair_seen(holdings, seen)               which of KOReader's marks is which holding; then Holding.see, .miss
    identity.pair_rows(holdings, rows, kinds_heard)  puts `heard` and `row` into the links; makes links for rows that are
                                                     found by their place; returns the rows that nothing is known of
    merge.take_in(row, pointers, …) -> Holding       such a row as a new mark to be offered to the device
    book.plan(holdings, wishes, answer) -> Plans     the plan of every mark, and the question if too much would go
    Plan.apply()                                     makes it the state: offers, links (in one transaction, before sending)
    merge.begun(holding, call)                       before the first byte leaves: what is sent is remembered in the link
    merge.answered(holding, call, row)               the server has done it; then a new plan is made of this mark alone
"""

from __future__ import annotations

from device.core.annotations.holding import Holding, Link
from device.core.annotations.marks import DeviceMark, ServerMark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json

    Fields = dict[str, Json]

CREATE, EDIT, DELETE = "create", "edit", "delete"

# What is to be said to the reader.
BOTH_KEPT, EDIT_WON, LOOK_OURS = "both_kept", "edit_won", "look_ours"

# What the reader answered to the question about a mass deletion.
RESTORE, GO_AHEAD = "restore", "delete"


class Call:
    """One thing that the server is to be told. `fields`: the request's, by the server's names, without the book.

    `device` and `server`: what is agreed once it is answered. `needs_list`: it must not be sent before the list of its
    kind was heard in this run.
    """

    __slots__ = ("device", "fields", "kind", "needs_list", "op", "remote_id", "role", "server")

    def __init__(self, role: str, op: str, kind: str, remote_id: int | None) -> None:
        self.role = role
        self.op = op
        self.kind = kind
        self.remote_id = remote_id
        self.fields: Fields = {}
        self.device: DeviceMark | None = None
        self.server: ServerMark | None = None
        self.needs_list = False


class Plan:
    """What follows for one mark. Nothing of it has happened yet: `apply` makes it the mark's state.

    `wanted`: what the device is to have (None: nothing). `links`: its links as they are then. `calls`: what the server
    is to be told, one after the other; after each answer (`answered`) a new plan is made. `says`: codes.
    `removes_here`: because the server no longer has it; `deletes_there`: because the reader deleted it here;
    `gives_back`: because KOReader's record was lost. These three count for the question about a mass deletion.
    """

    __slots__ = ("calls", "deletes_there", "gives_back", "holding", "links", "removes_here", "says", "wanted")

    def __init__(self, holding: Holding) -> None:
        self.holding = holding
        self.wanted: DeviceMark | None = None
        self.links: list[Link] = []
        self.calls: list[Call] = []
        self.says: list[str] = []
        self.removes_here = False
        self.deletes_there = False
        self.gives_back = False
