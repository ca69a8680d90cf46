"""What the server is told of highlights, notes and bookmarks, and has taken, as the links of the marks know it.

An entry of the outbox that comes from a mark says in its field `mark` whose it is and what is agreed on once the server
has taken it: `id` (the mark), `role`, `op`, `kind` and `remote_id` of the call that it was made from
(`device/core/annotations/merge.py`), `device` and `server` (both sides as they are then, JSON in a text).

Promises: what is sent is noted before the first byte leaves, and what was taken when that is known, each in the
transaction that changes the entry. What is only known to be there (409) is agreed on by nothing: the list tells.
Called by: `device/sending/changes.py`, `device/sending/annotations.py`.
"""

from __future__ import annotations

from device import json_text
from device.core import outbox as rules
from device.core.annotations import merge
from device.core.annotations.calls import CREATE, DELETE, EDIT, Call
from device.core.annotations.holding import Link
from device.core.annotations.marks import ServerMark, whole
from device.server.deliveries import AGREED_FIELD
from device.store import holdings, mark_links, mark_plans, marks, outbox, settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.annotations.holding import Holding
    from device.json_text import Json
    from device.store.database import Store
    from device.store.outbox import Entry

OPS = {EDIT: rules.EDIT, DELETE: rules.DELETION}  # and a creation is of the kind that is created


def entry_of(mark_id: int, call: Call) -> tuple[str, str, str]:
    """(kind, key, payload) of the outbox entry by which a call goes out."""
    fields: dict[str, Json] = dict(call.fields)
    kind = OPS.get(call.op, call.kind)
    if call.op != CREATE:
        fields["of"], fields["id"] = call.kind, call.remote_id
    about: dict[str, Json] = {"id": mark_id, "role": call.role, "op": call.op, "kind": call.kind}
    about["needs_list"] = call.needs_list
    if call.remote_id is not None:
        about["remote_id"] = call.remote_id
    if call.device is not None:
        about["device"] = call.device.to_json()
    if call.server is not None:
        about["server"] = call.server.to_json()
    fields[AGREED_FIELD] = about
    return kind, key(mark_id, call.role), json_text.encode(fields).decode("utf-8")


def key(mark_id: int, role: str) -> str:
    """The outbox key of what is done about one of a mark's links."""
    return f"{mark_id} {role}"


def list_needed(payload: str) -> str | None:
    """Of which kind the server's list has to be read before the entry may go out; None: of none."""
    found = call_of(payload)
    return found[1].kind if found is not None and found[1].needs_list else None


def call_of(payload: str) -> tuple[int, Call] | None:
    """(mark, call) that an entry was made from; None if it comes from elsewhere."""
    try:
        fields = json_text.decode(payload)
    except ValueError:
        return None
    about = fields.get(AGREED_FIELD) if isinstance(fields, dict) else None
    if not isinstance(fields, dict) or not isinstance(about, dict):
        return None
    id, role, op, kind = (about.get(name) for name in ("id", "role", "op", "kind"))
    if not isinstance(id, int) or not isinstance(role, str) or not isinstance(op, str) or not isinstance(kind, str):
        return None
    call = Call(Link(role, kind, whole(about.get("remote_id"))), op)
    call.needs_list = about.get("needs_list") is not False
    device, server = about.get("device"), about.get("server")
    call.device = marks.device_mark(device) if isinstance(device, str) else None
    call.server = mark_links.server_mark(server) if isinstance(server, str) else None
    call.fields = {name: value for name, value in fields.items() if name not in (AGREED_FIELD, "of", "id")}
    return id, call


def put(store: Store, kind: str, key: str, book_id: int, payload: str, now: int) -> bool:
    """This is to be sent. What is open under the key gives way to it, but for what the server may have already.

    What was settled under it is forgotten, unless it was refused and is the same. Whether it is new.
    """
    entry = outbox.mark_entry(store, kind, key)
    if entry is not None and entry.state in (rules.ACKNOWLEDGED, rules.REJECTED):
        if entry.state == rules.REJECTED and entry.payload == payload:
            return False
        outbox.forget(store, entry.id)
        entry = None
    if entry is None:
        return outbox.add(store, kind, key, book_id, payload, rules.NEW, False, now)
    if entry.payload != payload and (kind == rules.EDIT or not entry.may_be_there()):
        outbox.reword(store, entry.id, payload, rules.after(entry.state, rules.REVISED), now)
    return False


def begin(store: Store, entry: Entry, now: int) -> None:
    """Before the first byte leaves: from now on the server may have it."""
    found = _found(store, entry)
    if found is not None:
        call, holding = found
        merge.begun(holding, call)
        _save(store, entry, holding, now)


def give_up(store: Store, entry: Entry, now: int) -> None:
    """It is known that the server does not have it."""
    found = _found(store, entry)
    if found is not None:
        call, holding = found
        link = holding.link(call.role)
        if link is not None and link.remote_id is None:
            link.sent_device, link.sent_server = None, None
            _save(store, entry, holding, now)


def agree(store: Store, entry: Entry, remote_id: int | None, now: int) -> None:
    """The server has taken it. `remote_id`: what it calls what it has created, if it has said so."""
    found = _found(store, entry)
    if found is None:
        return
    call, holding = found
    link = holding.link(call.role)
    is_known = call.op == CREATE and link is not None and link.remote_id is not None  # a list has told it before
    if not is_known:
        merge.answered(holding, call, _row(call, remote_id))
        _save(store, entry, holding, now)
    mark_plans.doubt(store, entry.book_id)  # something may follow from it, or the mark have changed in the meantime


def _found(store: Store, entry: Entry) -> tuple[Call, Holding] | None:
    found = call_of(entry.payload)
    account = settings.get(store, settings.MATCHES_OF)
    holding = None if found is None or account is None else holdings.of_mark(store, found[0], account)
    return None if found is None or holding is None else (found[1], holding)


def _save(store: Store, entry: Entry, holding: Holding, now: int) -> None:
    account = settings.get(store, settings.MATCHES_OF)
    server_book = mark_plans.server_book(store, entry.book_id)
    if account is not None and server_book is not None:
        holdings.save_links(store, holding, account, server_book, now)


def _row(call: Call, remote_id: int | None) -> ServerMark | None:
    """The server's object as it is now, if it is known under which number."""
    if call.server is None:
        return None
    row = call.server.copy()
    row.id = remote_id or call.remote_id or 0
    return row
