"""Highlights, notes and bookmarks of the old plugin → marks of ours, and their links to what it has sent.

    still to be sent    becomes a mark, with the words and the place that were kept; KOReader's own record of the book,
                        once it is read, finds it by its date and place
    sent, with an id    the mark's link has that id, with nothing agreed: the server's list tells whether it is there,
                        and whether it stands at the right words
    a note on the       the server takes any number of them, so the link says what was sent, as after a lost answer:
    book's page         the list tells whether it is there
    sent, without       proves nothing: the mark is sent as if it had never been, and the server says if it has it
    sent, with an id,   it never told the server of deletions, so the server still has it: there it stays, and it does
    deleted since       not come back to the device

Promises: done twice it is done once. Never: sends.
Called by: `plugin_records.py`; `device/annotation_ingest.py`, when KOReader's record of such a book has been read.
"""

from __future__ import annotations

from device import json_text
from device.core import outbox as rules
from device.core.annotations import colours, koreader_forms
from device.core.annotations.marks import ServerMark
from device.store import mark_ledger, mark_links, mark_plans, marks, settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.annotations.marks import DeviceMark
    from device.store.database import Store
    from device.store.mark_ledger import Sent
    from device.store.mark_links import Link
    from device.store.marks import StoredMark

NOT_SEEN = 0  # as `device_at`: on the device it was seen by the old plugin alone


def keep(store: Store, book_id: int, kind: str, made_at: str, payload: str) -> bool:
    """Makes a mark of what was still to be sent, if there is none of that date; whether it did."""
    mark = _mark(kind, made_at, payload)
    if mark is None or any(known.kind == mark.kind for known in marks.made_at(store, book_id, made_at)):
        return False
    marks.add(store, book_id, mark, NOT_SEEN)
    return True


def _mark(kind: str, made_at: str, payload: str) -> DeviceMark | None:
    """None if it has no place in the book."""
    try:
        fields = json_text.decode(payload)
    except ValueError:
        return None
    if not isinstance(fields, dict):
        return None
    item = {name: fields.get(name) for name in ("pos0", "pos1", "page", "text", "note", "chapter")}
    item["datetime"] = made_at
    if kind == rules.BOOKMARK:
        item["page"] = fields["pos0"] if isinstance(fields.get("pos0"), str) else fields.get("page")
        item["pos0"], item["pos1"] = None, None
        item["note"], item["text"] = fields.get("notes"), fields.get("notes")
    else:
        color, style = fields.get("color"), fields.get("style")
        item["color"] = colours.word_of(color if isinstance(color, str) else "")
        item["drawer"] = colours.drawer_of(style if isinstance(style, str) else "")
    return koreader_forms.from_item(item, None)


def take_over(store: Store, book_id: int, at: int) -> None:
    """Gives the marks of a book, all of which are known now, the links to what the old plugin has sent of them.

    Within a transaction. Nothing is taken over before the book is matched.
    """
    account, server_book = settings.get(store, settings.MATCHES_OF), mark_plans.server_book(store, book_id)
    if account is None or server_book is None:
        return
    missing: list[Sent] = []
    for sent in mark_ledger.not_taken(store, book_id):
        known = [mark for mark in marks.made_at(store, book_id, sent.made_at) if mark.kind == _kind(sent)]
        if not known:
            missing.append(sent)
        elif len(known) == 1:
            _save(store, _link(sent, known[0], account, server_book))
            mark_ledger.note_taken(store, book_id, sent.kind, sent.made_at)
    if mark_ledger.has_taken(store, book_id):  # else it is KOReader's record that was lost, and all may come back
        for sent in missing:
            if sent.remote_id is not None and sent.kind != rules.BOOK_NOTE:
                id = marks.add_deleted(store, book_id, _kind(sent), sent.made_at, at)
                link = mark_links.Link(id, account, server_book, mark_links.MAIN, sent.kind)
                link.remote_id, link.closed = sent.remote_id, True
                _save(store, link)
                mark_ledger.note_taken(store, book_id, sent.kind, sent.made_at)


def _kind(sent: Sent) -> str:
    return rules.BOOKMARK if sent.kind == rules.BOOKMARK else rules.HIGHLIGHT


def _save(store: Store, link: Link | None) -> None:
    """Not in the place of one that is there already."""
    if link is not None and all(
        other.role != link.role for other in mark_links.of_mark(store, link.mark_id, link.account)
    ):
        mark_links.save(store, link)


def _link(sent: Sent, mark: StoredMark, account: str, server_book: int) -> Link | None:
    """None if nothing is known that a link could say."""
    role = mark_links.COPY if sent.kind == rules.BOOK_NOTE else mark_links.MAIN
    link = mark_links.Link(mark.id, account, server_book, role, sent.kind)
    link.remote_id = sent.remote_id
    if sent.remote_id is None and sent.kind == rules.BOOK_NOTE and mark.device is not None:
        link.sent_device, link.sent_server = mark.device, ServerMark(rules.BOOK_NOTE)
        link.sent_server.note, link.sent_server.title = mark.device.note, mark.device.chapter
    return None if link.remote_id is None and link.sent_server is None else link
