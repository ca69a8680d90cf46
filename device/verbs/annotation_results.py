"""What a run has to say about highlights, notes and bookmarks: changes for KOReader's records, and what came of them.

Promises: what the device is to be given is said again by each run until it is reported; a report is taken only for what
is still offered. Nothing here decides what is offered.
Called by: `device/verbs/`, at the end of a run, if there are any marks, and for the verb `applied`.
Law: docs/protocol.md, “Changes of marks”.
"""

from __future__ import annotations

import binascii

from device import json_text, protocol
from device.core import preferences
from device.core.outbox import BOOKMARK, HIGHLIGHT
from device.store import marks, settings
from device.store import shared_values as stored_books
from device.ui import annotation_texts as texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.annotations.marks import DeviceMark
    from device.core.preferences import Preferences
    from device.json_text import Json
    from device.protocol import Result
    from device.store.database import Store
    from device.store.marks import Offered, StoredMark
    from device.store.outbox import OpenEntry

    Item = dict[str, Json]

OFFERED_MOST = 500  # read from the store at once: the rest comes when these have been made
ITEMS_MOST = 100  # of a change: a book with more gets the others with the next result
ITEMS_MAX_BYTES = 120_000  # of all changes together; the launcher reads results of 256 KiB
NAME = "marks"
GONE = "gone"  # a report on all items: the file is not there, or KOReader has no record of it
SWITCHES = {HIGHLIGHT: preferences.HIGHLIGHTS, BOOKMARK: preferences.BOOKMARKS}


def tell(store: Store, wanted: Preferences, result: Result) -> None:
    """One change for each book, and the questions about many that are gone."""
    for book, asked in settings.under(store, settings.MARKS_ASK):
        why, _, count = asked.partition(" ")
        found = stored_books.title_and_file(store, int(book)) if _is_number(book) else None
        if found is not None and _is_number(count):
            result.questions.append(_question(int(book), found[0], why, int(count)))
    left_bytes = ITEMS_MAX_BYTES
    for batch in _by_book(marks.offered(store, OFFERED_MOST, ITEMS_MOST), wanted):
        items: list[Item] = []
        told: list[Json] = []
        for offered in batch:
            item = item_of(offered.mark)
            if item is None:
                continue
            size = len(json_text.encode(item))
            if size > left_bytes or len(items) == ITEMS_MOST:
                break
            left_bytes -= size
            items.append(item)
            told.append([offered.mark.id, _digest(offered.mark)])
        if items:
            id = _remembered(store, batch[0].mark.book_id, told)
            result.changes.append({"id": id, "kind": "annotations", "file": batch[0].file, "items": list(items)})


def waiting(store: Store, wanted: Preferences) -> list[OpenEntry]:
    """Marks that no run has come to, or whose book is not known to be on the server, as what waits besides."""
    from device.core import outbox as rules
    from device.store import mark_plans
    from device.store.outbox import OpenEntry

    return [
        OpenEntry(
            rules.NEW if found.is_matched else rules.WAITING,
            found.title,
            found.count,
            found.since,
            found.reason,
            found.kind,
        )
        for found in mark_plans.undecided(store, settings.get(store, settings.MATCHES_OF) or "")
        if wanted.get(SWITCHES[found.kind]) == preferences.ON
    ]


def menu_items(store: Store) -> list[Json]:
    """What the menu says of highlights: how many there are, and how many could not be placed."""
    from device.store import mark_plans

    highlights, bookmarks, _ = marks.count_on_device(store)
    lines = [("marks-here", texts.on_device(highlights, bookmarks))] if highlights or bookmarks else []
    inexact = mark_plans.count_not_exact(store, settings.get(store, settings.MATCHES_OF) or "")
    if inexact:
        lines.append(("marks-inexact", texts.not_exact(inexact)))
    return [{"id": id, "kind": "text", "label": label, "enabled": False} for id, label in lines]


def _question(book_id: int, title: str, why: str, count: int) -> Json:
    from device.core.annotations.book import GONE_HERE
    from device.core.annotations.merge import GO_AHEAD, RESTORE

    def ask(answer: str) -> Item:
        return {"verb": protocol.MARKS, "arguments": {"book_id": book_id, "answer": answer}}

    delete, restore = texts.MASS_ANSWERS.get(why, texts.MASS_ANSWERS[GONE_HERE])
    return {
        "id": f"marks-{book_id}-{why}-{count}",
        "text": texts.mass_deletion(why, title, count),
        "when": "between_books",
        "answers": [{"label": restore, **ask(RESTORE)}, {"label": delete, **ask(GO_AHEAD)}],
        "dismissed": ask("later"),
    }


def _by_book(offered: list[Offered], wanted: Preferences) -> list[list[Offered]]:
    batches: list[list[Offered]] = []
    for each in offered:
        if wanted.get(SWITCHES[each.mark.kind]) != preferences.ON:
            continue
        if not batches or batches[-1][0].mark.book_id != each.mark.book_id:
            batches.append([])
        batches[-1].append(each)
    return batches


def _digest(mark: StoredMark) -> int:
    what = "anew " if is_given_anew(mark) else ""
    return binascii.crc32((what + (mark.offered or "")).encode("utf-8", "replace"))


# The number of a change is that of the list of items it has: the same list is told under the same number.


def _remembered(store: Store, book_id: int, told: list[Json]) -> str:
    """The change's name; what it holds is kept, so that a report can be understood in another run."""
    number, before = _told(store, book_id)
    if before != told:
        number += 1
        with store.transaction():
            settings.put(store, f"{settings.MARKS_TOLD}{book_id}", _text({"n": number, "items": told}))
    return f"{book_id}-{NAME}-{number}"


def _told(store: Store, book_id: int) -> tuple[int, list[Json]]:
    try:
        fields = json_text.decode(settings.get(store, f"{settings.MARKS_TOLD}{book_id}") or "{}")
    except ValueError:
        return 0, []
    number, items = (fields.get("n"), fields.get("items")) if isinstance(fields, dict) else (None, None)
    if not isinstance(number, int) or not isinstance(items, list):
        return 0, []
    return number, items


def _text(value: Json) -> str:
    return json_text.encode(value).decode("utf-8")


def is_of_marks(change: str) -> bool:
    """Whether a change's name is one of these, rather than of a rating or a status."""
    return change.partition("-")[2].partition("-")[0] == NAME


def reported(store: Store, change: str, outcomes: str) -> list[tuple[StoredMark, str]]:
    """(mark, outcome) of each item of a change that is still offered so."""
    book, _, rest = change.partition("-")
    name, _, number = rest.partition("-")
    if name != NAME or not _is_number(book) or not _is_number(number):
        return []
    told_number, items = _told(store, int(book))
    if told_number != int(number):
        return []
    words = outcomes.split()
    if words == [GONE]:
        words *= len(items)
    found = []
    for item, word in zip(items, words, strict=False):
        id, digest = item if isinstance(item, list) and len(item) == 2 else (None, None)
        mark = marks.one(store, id) if isinstance(id, int) else None
        if mark is not None and mark.offered is not None and _digest(mark) == digest:
            found.append((mark, word))
    return found


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


# Marks in KOReader's own form


def item_of(mark: StoredMark) -> Item | None:
    """An item of a change; None if there is nothing that could be done."""
    if mark.offered is None:
        return None
    here, to = mark.on_device(), marks.device_mark(mark.offered) if mark.offered else None
    if here is None:
        return None if to is None else {"do": "add", "kind": to.kind, "to": _added(to, _fraction(mark.offered))}
    item: Item = {"do": "remove", "kind": here.kind, "from": {**_identity(here), **_changeable(here)}}
    if to is None or is_given_anew(mark):
        return item
    changed = _changed(here, to)
    if not changed:
        return None  # other words at the same place: KOReader has those of the file
    item["do"], item["to"] = "edit", changed
    return item


def is_given_anew(mark: StoredMark) -> bool:
    """Whether it is taken out first and then added again: nobody can move a mark of KOReader's."""
    from device.core.annotations.words import same_words

    here, to = mark.on_device(), marks.device_mark(mark.offered) if mark.offered else None
    if here is None or to is None or same_words(here, to):
        return False
    return (here.pos0, here.pos1) != (to.pos0, to.pos1)


def _fraction(offered: str) -> float | None:
    """How far into the book it is, as far as that was noted with the offer."""
    fields = json_text.decode(offered)
    value = fields.get("fraction") if isinstance(fields, dict) else None
    return value if isinstance(value, float) and 0 <= value <= 1 else None


def _identity(mark: DeviceMark) -> Item:
    """By what KOReader knows it. In text that flows a place is an xpointer, on fixed pages a table."""
    fields: Item = {"datetime": mark.made_at}
    if mark.kind == BOOKMARK:
        fields["page"] = mark.pos0 or mark.page
        return fields
    start, end = _position(mark.pos0), _position(mark.pos1)
    fields["page"] = start if isinstance(start, str) else mark.page
    fields["pos0"], fields["pos1"] = start, end
    return fields


def _position(text: str) -> Json:
    return _json_of(text) if text.startswith("{") else text or None


def _json_of(text: str) -> Json:
    try:
        return json_text.decode(text)
    except ValueError:
        return None


def _changeable(mark: DeviceMark) -> Item:
    fields: Item = {"note": mark.note or None}
    if mark.kind == HIGHLIGHT:
        fields["color"], fields["drawer"] = mark.color or None, mark.drawer or None
    return fields


def _changed(before: DeviceMark, after: DeviceMark) -> Item:
    old, new = _changeable(before), _changeable(after)
    return {name: value for name, value in new.items() if value != old[name]}


def _added(mark: DeviceMark, fraction: float | None) -> Item:
    from device.core.annotations.colours import is_koreaders

    texts = {"text": mark.text, "note": mark.note, "drawer": mark.drawer, "chapter": mark.chapter}
    if is_koreaders(mark.color):
        texts["color"] = mark.color  # without one KOReader draws it in its default
    fields: Item = {**_identity(mark), **{name: text for name, text in texts.items() if text}}
    if mark.boxes and isinstance(fields.get("pos0"), dict):
        fields["pboxes"] = _json_of(mark.boxes)
    if fraction is not None:
        fields["fraction"] = round(fraction, 6)
    return {name: value for name, value in fields.items() if value is not None}
