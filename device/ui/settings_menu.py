"""The settings in the menu model: every preference, by topic.

Called by: `menu.py`. Pure: preferences in, items out.
"""

from __future__ import annotations

from device.core import preferences
from device.ui import annotation_texts, book_state_texts, texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.preferences import Preferences
    from device.json_text import Json

# (preference, value, label, help) of each choice.
_SENDING = (
    (preferences.SYNC_MODE, preferences.AUTOMATIC, texts.SYNC_AUTOMATIC, texts.SYNC_AUTOMATIC_HELP),
    (preferences.SYNC_MODE, preferences.MANUAL, texts.SYNC_MANUAL, ""),
)
_COUNTING = (
    (preferences.COUNTING, preferences.EVERY_PAGE, texts.COUNT_EVERY_PAGE, ""),
    (preferences.COUNTING, preferences.AS_KOREADER, texts.COUNT_AS_KOREADER, texts.COUNT_AS_KOREADER_HELP),
    (preferences.DETECTION, preferences.BY_DURATION, texts.DETECT_BY_DURATION, ""),
    (preferences.DETECTION, preferences.BY_PAGES, texts.DETECT_BY_PAGES, ""),
)
_RATINGS = (
    (preferences.RATING, preferences.STARS, book_state_texts.RATE_BY_STARS, ""),
    (preferences.RATING, preferences.ASK, book_state_texts.RATE_BY_QUESTION, book_state_texts.RATE_BY_QUESTION_HELP),
    (preferences.RATING, preferences.OFF, book_state_texts.RATE_OFF, ""),
    (preferences.STATUS_SYNC, preferences.ON, book_state_texts.STATUS_ON, ""),
    (preferences.STATUS_SYNC, preferences.OFF, book_state_texts.STATUS_OFF, ""),
    (preferences.ON_HOLD, preferences.PAUSED, book_state_texts.ON_HOLD_PAUSED, ""),
    (preferences.ON_HOLD, preferences.ABANDONED, book_state_texts.ON_HOLD_ABANDONED, ""),
    (preferences.HARDCOVER_SYNC, preferences.ON, book_state_texts.HARDCOVER_ON, book_state_texts.HARDCOVER_ON_HELP),
    (preferences.HARDCOVER_SYNC, preferences.OFF, book_state_texts.HARDCOVER_OFF, ""),
)
_PROGRESS = (
    (preferences.PROGRESS_SYNC, preferences.ON, book_state_texts.PROGRESS_ON, book_state_texts.PROGRESS_ON_HELP),
    (preferences.PROGRESS_SYNC, preferences.OFF, book_state_texts.PROGRESS_OFF, ""),
    (preferences.PROGRESS_FORWARD, preferences.SILENTLY, book_state_texts.FORWARD_SILENTLY, ""),
    (preferences.PROGRESS_FORWARD, preferences.ASK, book_state_texts.FORWARD_ASK, ""),
    (preferences.PROGRESS_FORWARD, preferences.OFF, book_state_texts.FORWARD_OFF, ""),
    (preferences.PROGRESS_BACKWARD, preferences.ASK, book_state_texts.BACKWARD_ASK, ""),
    (preferences.PROGRESS_BACKWARD, preferences.OFF, book_state_texts.BACKWARD_OFF, ""),
)
_MARKS = (
    (preferences.HIGHLIGHTS, preferences.ON, annotation_texts.HIGHLIGHTS_ON, annotation_texts.HIGHLIGHTS_ON_HELP),
    (preferences.HIGHLIGHTS, preferences.OFF, annotation_texts.HIGHLIGHTS_OFF, ""),
    (preferences.BOOKMARKS, preferences.ON, annotation_texts.BOOKMARKS_ON, ""),
    (preferences.BOOKMARKS, preferences.OFF, annotation_texts.BOOKMARKS_OFF, ""),
    (preferences.NOTES_TO, preferences.IN_BOOK, annotation_texts.NOTES_IN_BOOK, ""),
    (preferences.NOTES_TO, preferences.BOOKLORE, annotation_texts.NOTES_TO_BOOKLORE, ""),
    (preferences.NOTES_TO, preferences.BOTH, annotation_texts.NOTES_TO_BOTH, ""),
    (preferences.NOTES_IN_BOOK, preferences.AS_HIGHLIGHT, annotation_texts.NOTES_WITH_HIGHLIGHT, ""),
    (preferences.NOTES_IN_BOOK, preferences.AS_NOTE, annotation_texts.NOTES_ON_THEIR_OWN, ""),
    (preferences.MARKS_UPLOAD, preferences.AFTER_SESSION, annotation_texts.UPLOAD_AFTER_SESSION, ""),
    (preferences.MARKS_UPLOAD, preferences.WHEN_FINISHED, annotation_texts.UPLOAD_WHEN_FINISHED, ""),
)


def settings(values: Preferences, marks: list[Json]) -> list[Json]:
    """`marks`: what there is to say of highlights, above their settings."""
    by_pages = values.get(preferences.DETECTION) == preferences.BY_PAGES
    return [
        *_choices(values, _SENDING),
        *_choices(values, _COUNTING),
        _number(values, preferences.MIN_PAGES, texts.MIN_PAGES, 1, "")
        if by_pages
        else _number(values, preferences.MIN_DURATION_S, texts.MIN_DURATION, 5, "s"),
        _number(values, preferences.IDLE_CAP_S, texts.IDLE_CAP, 30, "s"),
        _number(values, preferences.JOIN_PAUSE_S, texts.JOIN_PAUSE, 60, "s"),
        _number(values, preferences.PROGRESS_DECIMALS, texts.PROGRESS_DECIMALS, 1, ""),
        _number(values, preferences.HISTORY_GAP_S, texts.HISTORY_GAP, 300, "s"),
        _submenu("ratings", book_state_texts.RATINGS, _choices(values, _RATINGS)),
        _submenu("progress", book_state_texts.PROGRESS, _choices(values, _PROGRESS)),
        _submenu("marks", annotation_texts.MARKS, [*marks, *_choices(values, _MARKS)]),
    ]


def _submenu(id: str, label: str, items: list[Json]) -> Json:
    return {"id": id, "kind": "menu", "label": label, "items": items}


def _choices(values: Preferences, rows: tuple[tuple[str, str, str, str], ...]) -> list[Json]:
    return [_choice(values, *row) for row in rows]


def _choice(values: Preferences, key: str, value: str, label: str, help: str) -> Json:
    item: dict[str, Json] = {
        "id": f"{key}-{value}",
        "kind": "choice",
        "label": label,
        "checked": values.get(key) == value,
        "verb": "set",
        "arguments": {"key": key, "value": value},
    }
    if help:
        item["help"] = help
    return item


def _number(values: Preferences, key: str, label: str, step: int, unit: str) -> Json:
    preference = preferences.BY_KEY[key]
    item: dict[str, Json] = {
        "id": key,
        "kind": "number",
        "label": label,
        "value": values.number(key),
        "least": preference.least,
        "most": preference.most,
        "step": step,
        "verb": "set",
        "arguments": {"key": key},
    }
    if unit:
        item["unit"] = unit
    return item
