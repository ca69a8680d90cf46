"""Texts about ratings, read status and progress: of settings, questions and messages.

Called by: `settings_menu.py`, `device/sending/book_states.py`. Law: what `texts.py` says of texts.
"""

from __future__ import annotations

RATINGS = "Ratings and read status"
RATE_BY_STARS = "KOReader's stars, times two"
RATE_BY_QUESTION = "Ask for 1 to 10 at the end of a book"
RATE_BY_QUESTION_HELP = "Asked once, when the book is closed at its end. KOReader's stars follow the answer."
RATE_OFF = "Leave ratings alone"
STATUS_ON = "Sync read status both ways"
STATUS_OFF = "Leave read status alone"
ON_HOLD_PAUSED = "“On hold” means paused"
ON_HOLD_ABANDONED = "“On hold” means abandoned"

PROGRESS = "Progress"
PROGRESS_ON = "Sync progress both ways"
PROGRESS_ON_HELP = "The server is asked first. A newer position there is never replaced by an older one from here."
PROGRESS_OFF = "Leave progress alone"
FORWARD_SILENTLY = "Further on elsewhere: go there"
FORWARD_ASK = "Further on elsewhere: ask"
FORWARD_OFF = "Further on elsewhere: stay"
BACKWARD_ASK = "Further back elsewhere: ask"
BACKWARD_OFF = "Further back elsewhere: stay"

HARDCOVER_ON = "Sync ratings and status to Hardcover"
HARDCOVER_ON_HELP = "Needs a token, in hardcover_token.txt beside setup.txt or as hardcover_token = … in it."
HARDCOVER_OFF = "Leave Hardcover alone"

RATE_QUESTION_COLUMNS = 5
GO_THERE, STAY_HERE = "Go there", "Stay here"
ONLY_WITH_A_BOOK = "name the book with --book FILE; it has to have been opened before"
RATINGS_ARE_OFF = "ratings are switched off in the settings: nothing was changed"
STATUS_IS_OFF = "read status is switched off in the settings: nothing was changed"
RATE_HOW = "a rating is a whole number from 1 to 10, or none"
MARK_HOW = "a read status is one of read, reading, paused, abandoned, unread"
KOSYNC_TOO = (
    "KOReader's own progress sync is on as well. Two that move the page are one too many: switch off its automatic"
    " sync, or progress here in the settings."
)

_STATUS_WORDS = {
    "UNREAD": "unread",
    "UNSET": "unread",
    "READING": "being read",
    "RE_READING": "being read again",
    "READ": "read",
    "PARTIALLY_READ": "partly read",
    "PAUSED": "paused",
    "WONT_READ": "not to be read",
    "ABANDONED": "abandoned",
}


def value(field: str, value: str | None) -> str:
    """A rating or a read status, for the reader."""
    if field == "rating":
        return "no rating" if value is None else f"{value} of 10"
    return _STATUS_WORDS.get(value or "UNSET", "unread")


def contested(field: str, title: str, kept: str | None, servers: str | None, outcome: str) -> str:
    """Both sides had changed it, and one of them won."""
    there = "the server's" if outcome == "theirs" else "this device's"
    text = f"“{title}” was changed here and on the server: {value(field, kept)} stays, which is {there}."
    if outcome == "ours":
        text += f" The server had {value(field, servers)}."
    return text


def rate_question(title: str) -> str:
    return f"You have finished “{title}”. How do you like it?"


def contested_question(field: str, title: str, here: str | None, there: str | None) -> str:
    return f"“{title}” is {value(field, here)} on this device and {value(field, there)} on the server. What is right?"


def keep_here(field: str, here: str | None) -> str:
    return f"This device: {value(field, here)}"


def keep_there(field: str, there: str | None) -> str:
    return f"Server: {value(field, there)}"


def position_question(title: str, there: float, here: float | None) -> str:
    if here is None:
        return f"“{title}” was read elsewhere, to {there:.0%}. Go there?"
    where = "further on" if there > here else "further back"
    return f"“{title}” was read elsewhere, {where}: {there:.0%} there, {here:.0%} here. Go there?"


def rated(title: str, rating: int | None) -> str:
    return f"“{title}”: no rating." if rating is None else f"“{title}”: {rating} of 10."


def marked(title: str, status: str) -> str:
    return f"“{title}” is marked as {value('status', status)}."
