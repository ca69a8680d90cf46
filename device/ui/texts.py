"""Sentences for the reader, in one place, so that they can be translated as one table.

Called by: the worker's verbs. Rule: a sentence names the book or the server it is about, and what to do if anything.
"""

from __future__ import annotations

NOT_CONFIGURED = "No server account yet. Copy setup.txt into the bookloresync folder, or run `booklore-sync configure`."
NOTHING_WAITS = "Nothing waits to be sent."
BUSY = "A sync is already going on."
UNTRACKED = "kept back, because the recording of this book is switched off"

SYNC_NOW = "Sync now"
SYNC_NOW_HELP = "Sends what waits to the server."
SELFCHECK = "Check the connection"
SELFCHECK_HELP = "Tries store, clock, certificates and server."
TRACK = "Record this book"
TRACK_HELP = "When it is off, nothing of this book is recorded or sent."
SETTINGS = "Settings"
MANUAL = "Nothing is sent before you tap “Sync now”."
NO_SYNC_YET = "Not synced yet"
SYNC_AUTOMATIC = "Send by itself when a book is closed or a network comes"
SYNC_MANUAL = "Send only when I tap “Sync now”"
COUNT_EVERY_PAGE = "Count every page"
COUNT_AS_KOREADER = "Count like KOReader's statistics (not the page a book opens on, nor glances)"
DETECT_BY_DURATION = "A session counts by its length"
DETECT_BY_PAGES = "A session counts by its pages"
MIN_DURATION = "Shortest session"
MIN_PAGES = "Fewest pages of a session"
IDLE_CAP = "Longest time that counts for one page"
JOIN_PAUSE = "Sleep that does not split a session"
PROGRESS_DECIMALS = "Decimals of the progress"
HISTORY_GAP = "Pause that splits the imported history"
HISTORY = "Reading history of KOReader"
HISTORY_PREVIEW = "Show what would be imported"
HISTORY_PREVIEW_HELP = "Looks into KOReader's own statistics and changes nothing."
HISTORY_IMPORT = "Import it"
HISTORY_IMPORT_HELP = "Takes over what was read before this plugin was there; what is recorded already stays as it is."
HISTORY_IMPORT_CONFIRM = "Take KOReader's reading statistics over and send them with the next sync?"


def server(address: str) -> str:
    return f"Server: {address}"


def last_sync(age: str) -> str:
    return f"Last sync: {age} ago"


def sync_failed(problem: str) -> str:
    return f"The last sync failed: {problem}"


def preference_set(key: str, value: int | str) -> str:
    return f"{key} is now {value}."


def tracking(title: str, on: bool) -> str:
    if on:
        return f"“{title}” is recorded and sent."
    return f"Nothing of “{title}” is recorded or sent any more."


def sessions(count: int) -> str:
    return "1 reading session" if count == 1 else f"{count} reading sessions"


_THINGS = {
    "reading_session": ("1 reading session", "{} reading sessions"),
    "rating": ("1 rating", "{} ratings"),
    "status": ("1 change of the reading status", "{} changes of the reading status"),
    "progress": ("1 reading position", "{} reading positions"),
    "highlight": ("1 highlight", "{} highlights"),
    "in_book_note": ("1 note in the text", "{} notes in the text"),
    "book_note": ("1 note on the book", "{} notes on the book"),
    "bookmark": ("1 bookmark", "{} bookmarks"),
    "deletion": ("1 deletion", "{} deletions"),
}


def things(kind: str, count: int) -> str:
    """So many outbox entries of a kind (`device/core/outbox.py`)."""
    one, many = _THINGS[kind]
    return one if count == 1 else many.replace("{}", str(count))


def sent_things(counts: dict[str, int]) -> str:
    """What a run has sent, by kind; sessions come first."""
    parts = [things(kind, counts[kind]) for kind in _THINGS if counts.get(kind)]
    return f"{', '.join(parts)} sent."


def sent(count: int) -> str:
    return f"{sessions(count)} sent."


def still_waiting(count: int) -> str:
    return f"{sessions(count)} {'waits' if count == 1 else 'wait'} for the next sync."


def unmatched(title: str, reason: str) -> str:
    return f"“{title}” waits: {reason}."


def rejected(kind: str, title: str, reason: str) -> str:
    return f"{things(kind, 1)} of “{title}” was not taken by the server: {reason}"


def clock_differs(server_ahead_s: int) -> str:
    """By more than a few minutes; the largest unit is enough."""
    seconds = abs(server_ahead_s)
    unit, length = ("day", 86_400) if seconds >= 86_400 else ("hour", 3_600) if seconds >= 3_600 else ("minute", 60)
    count = (seconds + length // 2) // length
    amount = f"1 {unit}" if count == 1 else f"{count} {unit}s"
    return f"This device's clock is {amount} {'behind' if server_ahead_s > 0 else 'ahead of'} your server's."


def store_set_aside(name: str) -> str:
    return f"The store was damaged. A new one has begun; sessions that were not sent yet are in {name}."


def journal_of_newer_version(name: str) -> str:
    return f"{name} was written by a newer launcher. It is kept; update BookLore Sync."


def journal_unreadable(name: str) -> str:
    return f"{name} holds no reading that can be read. It is kept as {name}.unreadable."


def journal_failed(problem: str) -> str:
    return f"A reading could not be taken and stays in the journal: {problem}."


def configured(user: str, server: str) -> str:
    return f"Reading sessions will be sent to {server} as {user}."


HISTORY_NOTHING_NEW = "KOReader's statistics hold nothing that is not recorded already."
HISTORY_UNCHANGED = "KOReader's statistics have not changed since they were last imported."
HISTORY_ONLY_SHOWN = "Nothing of this has been stored or sent yet."
HISTORY_TIME_UP = "The time was up before the end of the statistics; the next import goes on from there."
HISTORY_UNMATCHED = "Not matched with a book on the server yet:"
HISTORY_LOOKED_FOR = "is looked for with the next sync"
HISTORY_ON_SERVER = "its book on the server is known"
HISTORY_IN_ALL = "In all "
HISTORY_NO_BOOK = "Pages without a book"
HISTORY_CLOCK_UNSET = (
    "The clock of this device is not set, so KOReader's statistics cannot be judged. Set it and try again."
)
HISTORY_LEFT_OUT = {
    "recorded": "recorded already",
    "too short": "too short for a session",
    "untracked": "of a book whose recording is switched off",
    "unfinished": "of a reading that may still go on",
    "at once": "at the same time as another page",
    "impossible": "with impossible numbers",
}
HISTORY_UNAVAILABLE = {
    "missing": "KOReader has no statistics at {path}. Its statistics plugin may be off, or the file elsewhere.",
    "empty": "KOReader's statistics at {path} are empty.",
    "in use": "KOReader is writing its statistics at {path} again and again. Close the book and try again.",
    "too big": "KOReader's statistics at {path} were not closed properly and are too big to copy. Open KOReader once, "
    "so that it brings them in order, and try again.",
}


def history_unavailable(path: str, why: str) -> str:
    return HISTORY_UNAVAILABLE[why].replace("{path}", path)


def history_foreign(path: str) -> str:
    return f"{path} is a database, but not KOReader's statistics."


def history_damaged(path: str, problem: str) -> str:
    return f"KOReader's statistics at {path} cannot be read; the file is damaged ({problem})."


def history_preview(what: str, books: str) -> str:
    return f"To be imported: {what}, of {books}."


def history_records(path: str, records: int) -> str:
    return f"KOReader's statistics at {path}: {pages(records)}."


def history_imported(count: int, duration: str, books: int) -> str:
    they_go = "It goes" if count == 1 else "They go"
    return f"{sessions(count)} ({duration}) of {book_count(books)} imported. {they_go} out with the next sync."


def history_progress(done: int, total: int) -> str:
    return f"KOReader's statistics: {done:,} of {pages(total)} read"


def pages(count: int) -> str:
    return "1 page" if count == 1 else f"{count:,} pages"


def book_count(count: int) -> str:
    return "1 book" if count == 1 else f"{count:,} books"


def hours(seconds: int) -> str:
    """`15 h 38 min`; seconds only below ten minutes."""
    if seconds < 600:
        return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"
    minutes = (seconds + 30) // 60
    return f"{minutes // 60:,} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
