"""A book's marks as the rules know them (`device/core/annotations/holding.py`), read from the store and written back.

`mark.offered` is the JSON of the mark that the device is to have, or nothing (an empty text) if it is to be removed.

Promises: what is read and written back unchanged is as it was; only what has changed is written. A mark whose words or
place are others than before is to be placed anew.
Called by: `device/annotation_ingest.py`, `device/sending/annotations.py`, `agreeing.py`, `device/verbs/`.
"""

from __future__ import annotations

from device.core.annotations.holding import Holding, Link
from device.store import mark_links, marks
from device.store.marks import device_mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.annotations.marks import DeviceMark, ServerMark
    from device.store.database import Store
    from device.store.marks import StoredMark

SENDABLE = ("exact", "repaired")  # `position`s that are good enough to be told


def of_book(store: Store, book_id: int, account: str, stored: list[StoredMark] | None = None) -> list[Holding]:
    """Every mark of a book, with its links for one account. `stored`: the marks, if they have been read already."""
    found = [_holding(mark) for mark in (marks.of_book(store, book_id) if stored is None else stored)]
    by_key = {holding.key: holding for holding in found}
    for link in mark_links.of_book(store, book_id, account):
        if link.mark_id in by_key:
            by_key[link.mark_id].links.append(_link(link))
    return found


def of_mark(store: Store, mark_id: int, account: str) -> Holding | None:
    stored = marks.one(store, mark_id)
    if stored is None:
        return None
    holding = _holding(stored)
    holding.links = [_link(link) for link in mark_links.of_mark(store, mark_id, account)]
    return holding


def _holding(stored: StoredMark) -> Holding:
    holding = Holding(stored.id, stored.kind)
    holding.device, holding.gone = stored.device, stored.gone
    if stored.offered is not None:
        holding.offered = device_mark(stored.offered) if stored.offered else None
        holding.is_offered = holding.offered is not None or not stored.offered
    if stored.position in SENDABLE:
        holding.cfi = stored.cfi or ""
    return holding


def _link(kept: mark_links.Link) -> Link:
    link = Link(kept.role, kept.kind, kept.remote_id)
    link.agreed_device, link.agreed_server = kept.agreed_device, kept.agreed_server
    link.sent_device, link.sent_server = kept.sent_device, kept.sent_server
    link.closed, link.tombstone = kept.closed, kept.tombstone_at > 0
    return link


def state_of(holding: Holding) -> tuple[object, ...]:
    """Equal to what it was before only if nothing of the holding has become another object or value since: so it is
    known without comparing texts that nothing is to be saved."""
    links = [
        (
            link.role, link.kind, link.remote_id, link.closed, link.tombstone, link.agreed_device, link.agreed_server,
            link.sent_device, link.sent_server, link.row if link.heard else None,
        )
        for link in holding.links
    ]  # fmt: skip
    return holding.gone, holding.is_offered, holding.device, holding.offered, links


def add(store: Store, book_id: int, holding: Holding, now: int) -> None:
    """A mark that was not known; its number becomes the holding's key."""
    holding.key = marks.add_without_device(store, book_id, holding.kind)
    save(store, holding, now)


def save(store: Store, holding: Holding, now: int) -> None:
    """What the device has and what it is offered. `now`: when that was seen."""
    stored = marks.one(store, holding.key)
    if stored is None:
        return
    if holding.device is not None and _text(holding.device) != _text(stored.device):
        marks.save_device(store, stored.id, holding.device, now)
        if not _stands_where(holding.device, stored.device):
            marks.set_position(store, stored.id, None, None, None, None)
        stored.gone = marks.THERE
    if holding.gone != stored.gone:
        if holding.gone == marks.THERE and holding.device is not None:
            marks.save_device(store, stored.id, holding.device, now)
        else:
            marks.set_gone(store, stored.id, holding.gone, now)
    offered = _text(holding.offered) or "" if holding.is_offered else None
    if offered is None and stored.offered is not None:
        marks.withdraw_offer(store, stored.id)
    elif offered is not None and (stored.offered is None or _differs(offered, stored.offered)):
        marks.offer(store, stored.id, offered, now)


def save_links(store: Store, holding: Holding, account: str, server_book: int, now: int) -> None:
    """Its links as they are now, and no others."""
    before = {link.role: link for link in mark_links.of_mark(store, holding.key, account)}
    for link in holding.links:
        kept = before.pop(link.role, None)
        was = None if kept is None else _contents(kept)
        if kept is None:
            kept = mark_links.Link(holding.key, account, server_book, link.role, link.kind)
        if link.heard:
            kept.server, kept.server_at = link.row, now
        kept.kind, kept.remote_id, kept.closed = link.kind, link.remote_id, link.closed
        kept.agreed_device, kept.agreed_server = link.agreed_device, link.agreed_server
        kept.sent_device, kept.sent_server = link.sent_device, link.sent_server
        kept.tombstone_at = (kept.tombstone_at or max(now, 1)) if link.tombstone else 0
        if was != _contents(kept):
            mark_links.save(store, kept)
    for link_gone in before.values():
        mark_links.remove(store, link_gone)


def _contents(link: mark_links.Link) -> tuple[object, ...]:
    """All but when it was heard."""
    snapshots = (link.agreed_device, link.agreed_server, link.sent_device, link.sent_server, link.server)
    return link.kind, link.remote_id, link.closed, link.tombstone_at, *[_text(snapshot) for snapshot in snapshots]


def _text(mark: DeviceMark | ServerMark | None) -> str | None:
    return None if mark is None else mark.to_json()


def _differs(one: str, other: str) -> bool:
    """Whether two offers differ in the mark itself."""
    return not one or not other or _text(device_mark(one)) != _text(device_mark(other))


def _stands_where(mark: DeviceMark, before: DeviceMark | None) -> bool:
    return before is not None and (mark.pos0, mark.pos1, mark.page, mark.text, mark.dom) == (
        before.pos0, before.pos1, before.page, before.text, before.dom,
    )  # fmt: skip
