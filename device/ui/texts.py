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


def things(kind: str, count: int) -> str:
    return sessions(count)


def sent(count: int) -> str:
    return f"{sessions(count)} sent."


def still_waiting(count: int) -> str:
    return f"{sessions(count)} {'waits' if count == 1 else 'wait'} for the next sync."


def unmatched(title: str, reason: str) -> str:
    return f"“{title}” waits: {reason}."


def rejected(title: str, reason: str) -> str:
    return f"The server refused a reading session of “{title}”: {reason}"


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
