"""What a run has to say about ratings, read status and progress: changes for KOReader, and questions for the reader.

Promises: what KOReader is to be given is said again by each run until it is known to have it; a question comes again
until it is answered. Nothing here decides or sends.
Called by: `device/verbs/`, at the end of a run. Law: docs/protocol.md, “Questions” and “Changes”.
"""

from __future__ import annotations

from device import protocol
from device.core import preferences, progress, shared_values
from device.core.shared_values import PROGRESS, RATING, STATUS
from device.store import settings
from device.store import shared_values as stored
from device.ui import book_state_texts as texts

ID_MAX_DIGITS = 15
SWITCHES = {RATING: preferences.RATING, STATUS: preferences.STATUS_SYNC, PROGRESS: preferences.PROGRESS_SYNC}

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.preferences import Preferences
    from device.json_text import Json
    from device.protocol import Job, Result
    from device.store.database import Store
    from device.store.shared_values import BookValue


def tell(store: Store, wanted: Preferences, job: Job, result: Result) -> None:
    """The most pressing first: a result has room for a few questions only."""
    for item in stored.offered(store):
        if not _is_on(item.value.field, wanted):
            continue
        if item.value.field == PROGRESS:
            _tell_position(item, wanted, job, result)
        else:
            result.changes.append(_change(item))
    if wanted.get(preferences.RATING) == preferences.ASK:
        for book_id, title, finished_at in stored.rating_questions(store):
            result.questions.append(_how_is_it(book_id, title, finished_at))
    on_hold = str(wanted.get(preferences.ON_HOLD)).upper()
    for item in stored.compared(store):
        if _is_on(item.value.field, wanted) and item.value.is_contested(on_hold) and not _is_left(store, item, on_hold):
            result.questions.append(_contested(item, on_hold))


def warn_of_kosync(store: Store, wanted: Preferences, job: Job, result: Result) -> None:
    """Once, as long as both are on."""
    both = job.kosync and wanted.get(preferences.PROGRESS_SYNC) == preferences.ON
    told = settings.get(store, settings.KOSYNC_TOLD) is not None
    if both and not told:
        result.say(protocol.WARNING, texts.KOSYNC_TOO)
        with store.transaction():
            settings.put(store, settings.KOSYNC_TOLD, "1")
    elif told and not both:
        with store.transaction():
            settings.remove(store, settings.KOSYNC_TOLD)


def change_id(book_id: int, field: str, offered: str | None) -> str:
    """Names the value as well: what is reported late is then not taken for what is offered by then."""
    place = progress.parse_place(offered) if field == PROGRESS else None
    value = f"{place.fraction:.4f}" if place is not None else shared_values.shown(offered)
    return f"{book_id}-{field}-{value or 'none'}"


def book_and_field(change: str) -> tuple[int, str] | None:
    """Whose change it is."""
    number, _, rest = change.partition("-")
    field = rest.partition("-")[0]
    if not number.isascii() or not number.isdigit() or len(number) > ID_MAX_DIGITS or field not in shared_values.FIELDS:
        return None
    return int(number), field


def _is_on(field: str, wanted: Preferences) -> bool:
    return wanted.get(SWITCHES[field]) != preferences.OFF


def _change(item: BookValue) -> Json:
    value = item.value
    before, after = (_shown(value.field, text) for text in (value.device, value.offered))
    return {
        "id": change_id(item.book_id, value.field, value.offered),
        "kind": value.field,
        "file": item.file,
        "from": before,
        "to": after,
    }


def _shown(field: str, text: str | None) -> Json:
    """As KOReader keeps it."""
    if field == RATING:
        stars = shared_values.shown(text)
        return int(stars) if stars is not None and stars.isascii() and stars.isdigit() else None
    return shared_values.shown(text)


def _tell_position(item: BookValue, wanted: Preferences, job: Job, result: Result) -> None:
    place, here = progress.parse_place(item.value.offered), progress.to_fraction(item.value.device)
    if place is None or job.book != item.file:
        return
    if job.fraction is not None:
        here = job.fraction  # she may have read on since the book was last closed
    there = place.fraction
    change: dict[str, Json] = {"kind": "position", "file": item.file, "fraction": there}
    if place.page is not None:
        change["page"] = place.page
    if place.xpointer is not None:
        change["xpointer"] = place.xpointer
    how = progress.how_to_offer(there, here, wanted)
    if how == preferences.SILENTLY:
        result.changes.append({"id": change_id(item.book_id, PROGRESS, item.value.offered), **change})
    elif how == preferences.ASK:
        stay: dict[str, Json] = {"book_id": item.book_id, "fraction": there, "go": False}
        go: dict[str, Json] = {"book_id": item.book_id, "fraction": there, "go": True}
        result.questions.append({
            "id": f"position-{item.book_id}-{there:.4f}",
            "text": texts.position_question(item.title, there, here),
            "when": "book",
            "book": item.file,
            "answers": [
                {"label": texts.GO_THERE, "verb": protocol.POSITION, "arguments": go, "change": change},
                {"label": texts.STAY_HERE, "verb": protocol.POSITION, "arguments": stay},
            ],
            "dismissed": {"verb": protocol.POSITION, "arguments": stay},
        })  # fmt: skip


def _pair(item: BookValue, on_hold: str) -> str:
    value = item.value
    return f"{shared_values.to_server(value.field, value.now_on_device(), on_hold)} {value.server}"


def _is_left(store: Store, item: BookValue, on_hold: str) -> bool:
    """Whether the reader did not want to say which of these two values counts."""
    return settings.get(store, left_key(item.book_id, item.value.field)) == _pair(item, on_hold)


def left_key(book_id: int, field: str) -> str:
    return f"{settings.LEFT_OPEN}{book_id}-{field}"


def _contested(item: BookValue, on_hold: str) -> Json:
    value = item.value
    leave: dict[str, Json] = {"book_id": item.book_id, "dismissed": _pair(item, on_hold)}
    here = shared_values.to_server(value.field, value.now_on_device(), on_hold)
    answers: list[Json] = [
        {"label": texts.keep_here(value.field, here), **_answer(item.book_id, value.field, here)},
        {"label": texts.keep_there(value.field, value.server), **_answer(item.book_id, value.field, value.server)},
    ]
    return {
        "id": f"{value.field}-{item.book_id}-{here}-{value.server}",
        "text": texts.contested_question(value.field, item.title, here, value.server),
        "when": "between_books",
        "answers": answers,
        "dismissed": {"verb": protocol.MARK if value.field == STATUS else protocol.RATE, "arguments": leave},
    }


def _answer(book_id: int, field: str, value: str | None) -> dict[str, Json]:
    arguments: dict[str, Json] = {"book_id": book_id}
    if field == STATUS:
        return {"verb": protocol.MARK, "arguments": {**arguments, "status": value or shared_values.UNREAD}}
    return {"verb": protocol.RATE, "arguments": {**arguments, "rating": 0 if value is None else int(value)}}


def _how_is_it(book_id: int, title: str, finished_at: int) -> Json:
    answers: list[Json] = [
        {"label": str(rating), **_answer(book_id, RATING, str(rating))}
        for rating in range(1, shared_values.RATING_MOST + 1)
    ]
    dismissed: dict[str, Json] = {"book_id": book_id, "dismissed": True}
    return {
        "id": f"rate-{book_id}-{finished_at}",
        "text": texts.rate_question(title),
        "when": "between_books",
        "columns": texts.RATE_QUESTION_COLUMNS,
        "answers": answers,
        "dismissed": {"verb": protocol.RATE, "arguments": dismissed},
    }
