"""Highlights, notes and bookmarks of the old plugin → marks of ours, and their links to what it has sent.

    still to be sent    becomes a mark, with the words and the place that were kept; KOReader's own record of the book,
                        once it is read, finds it by its date and place
    sent, with an id    the mark's link has that id, with nothing agreed: the server's list tells whether it is there,
                        and whether it stands at the right words
    sent, without       proves nothing: the mark is sent as if it had never been, and the server says if it has it

Promises: done twice it is done once. Never: sends.
Called by: `plugin_records.py`; `link_sent` by `device/sending/annotations.py`, before it hears a book's lists.
"""

from __future__ import annotations

from device import json_text
from device.core import outbox as rules
from device.core.annotations import colours, koreader_forms
from device.store import mark_ledger, mark_links, marks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.annotations.marks import DeviceMark
    from device.store.database import Store

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
        item["pos0"], item["pos1"] = None, None
        item["page"] = fields.get("page") or fields.get("pos0")
        item["note"], item["text"] = fields.get("notes"), fields.get("notes")
    else:
        color, style = fields.get("color"), fields.get("style")
        item["color"] = colours.word_of(color if isinstance(color, str) else "")
        item["drawer"] = colours.drawer_of(style if isinstance(style, str) else "")
        item["page"] = fields.get("page") or fields.get("pos0")
    return koreader_forms.from_item(item, None)


def link_sent(store: Store, book_id: int, account: str, server_book: int) -> None:
    """Gives the marks of a book the ids under which the old plugin has sent them. Within a transaction."""
    for sent in mark_ledger.not_taken(store, book_id):
        kind = rules.BOOKMARK if sent.kind == rules.BOOKMARK else rules.HIGHLIGHT
        known = [mark for mark in marks.made_at(store, book_id, sent.made_at) if mark.kind == kind]
        if len(known) != 1:
            continue  # not collected yet, or no telling which
        role = mark_links.COPY if sent.kind == rules.BOOK_NOTE else mark_links.MAIN
        if all(link.role != role for link in mark_links.of_mark(store, known[0].id, account)):
            link = mark_links.Link(known[0].id, account, server_book, role, sent.kind)
            link.remote_id = sent.remote_id
            mark_links.save(store, link)
        mark_ledger.note_taken(store, book_id, sent.kind, sent.made_at)
