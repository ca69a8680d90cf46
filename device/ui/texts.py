"""Sentences for the reader, in one place, so that they can be translated as one table.

Called by: the worker's verbs. Rule: a sentence names the book or the server it is about, and what to do if anything.
"""

from __future__ import annotations

NOT_CONFIGURED = "No server account yet. Copy setup.txt into the bookloresync folder, or run `booklore-sync configure`."
NOTHING_WAITS = "Nothing waits to be sent."
BUSY = "A sync is already going on."
# By state of an entry (device/core/outbox.py).
WHY = {
    "new": "will be sent with the next sync",
    "intent": "is looked for on the server before it is sent",
    "waiting": "waits for its book to be found on the server",
    "rejected": "refused by the server",
}
UNTRACKED = "kept back, because the recording of this book is switched off"

SYNC_NOW = "Sync now"
SYNC_NOW_HELP = "Sends what waits to the server."
SELFCHECK = "Check the connection"
SELFCHECK_HELP = "Tries store, clock, certificates and server."
TRACK = "Record this book"
TRACK_HELP = (
    "When it is off, nothing of this book is recorded or sent. KOReader's own statistics go on; once it is on again,"
    " importing the reading history brings what they hold of the time in between."
)
TRACK_WHAT = "track needs a book and on or off"
SETTINGS = "Settings"
MANUAL = "Nothing is sent before you tap “Sync now”."
NO_SYNC_YET = "Not synced yet"
SYNC_AUTOMATIC = "Send when a book is closed"
SYNC_AUTOMATIC_HELP = "Also on waking up and when a network comes. Wi-Fi is never switched on."
SYNC_MANUAL = "Send only when I tap “Sync now”"
COUNT_EVERY_PAGE = "Count every page"
COUNT_AS_KOREADER = "Count like KOReader's statistics"
COUNT_AS_KOREADER_HELP = (
    "Leaves out pages of less than 5 seconds and, in books with fixed pages, the page a book opens on before the first "
    "turn. For the same numbers set the longest time for one page as in KOReader: 120 s if you never changed it there."
)
DETECT_BY_DURATION = "A session counts by its length"
DETECT_BY_PAGES = "A session counts by its pages"
MIN_DURATION = "Shortest session"
MIN_PAGES = "Fewest pages of a session"
IDLE_CAP = "Longest time that counts for one page"
JOIN_PAUSE = "Sleep that does not split a session"
PROGRESS_DECIMALS = "Decimals of the progress"
HISTORY_GAP = "Pause that splits the imported history"
PLUGIN_IMPORT = "Take over the old plugin's data"
PLUGIN_IMPORT_HELP = "Settings, account, books, waiting and sent sessions of the older plugin. It stays as it is."
PLUGIN_DECLINE = "Do not take it over"
PLUGIN_DECLINE_HELP = "This offer goes away; `booklore-sync import-plugin` can still do it."
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


def no_preference(key: str, known: list[str]) -> str:
    return f"there is no preference {key!r}; there are {', '.join(known)}"


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
    "finish_date": ("1 date of a book's end", "{} dates of books' ends"),
    "highlight": ("1 highlight", "{} highlights"),
    "in_book_note": ("1 note in the text", "{} notes in the text"),
    "book_note": ("1 note on the book", "{} notes on the book"),
    "bookmark": ("1 bookmark", "{} bookmarks"),
    "edit": ("1 change of a highlight, note or bookmark", "{} changes of highlights, notes and bookmarks"),
    "deletion": ("1 deletion", "{} deletions"),
}


_GOES_ALONG = ("progress", "finish_date")


def things(kind: str, count: int) -> str:
    """So many outbox entries of a kind (`device/core/outbox.py`)."""
    one, many = _THINGS[kind]
    return one if count == 1 else many.replace("{}", str(count))


def sent_things(counts: dict[str, int]) -> str:
    """What a run has sent, by kind; sessions come first. What goes along with each reading is named only by itself."""
    sent = [kind for kind in _THINGS if counts.get(kind)]
    told = [kind for kind in sent if kind not in _GOES_ALONG] or sent
    parts = [things(kind, counts[kind]) for kind in told]
    return f"{', '.join(parts)} sent."


def still_waiting(counts: dict[str, int]) -> str:
    """What waits, by kind; sessions come first."""
    parts = [things(kind, counts[kind]) for kind in _THINGS if counts.get(kind)]
    return f"{', '.join(parts)} {'waits' if sum(counts.values()) == 1 else 'wait'} for the next sync."


def on_the_server(count: int) -> str:
    return f"On the server: {sessions(count)}"


def waits(kind: str, count: int, title: str, why: str) -> str:
    return f"{things(kind, count)} of “{title}”: {why}"


def since(text: str, age: str) -> str:
    return f"{text}, since {age}"


def more(count: int) -> str:
    return f"… and {count} more"


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


def store_rebuilt(count: int, from_journals: int, lost: int) -> str:
    kept = f" ({from_journals} of them from kept journals)" if from_journals else ""
    gone = f"Up to {lost} older ones are lost on this device; what was sent of them is on the server."
    return (
        f"The store was damaged and has been built anew with {sessions(count)}{kept}."
        f" {gone if lost else 'None is lost.'} What may be on the server is looked up there before it is sent."
    )


PREFERENCES_LOST = "Preferences could not all be read; those that are missing have their first values again."


def damaged_store_is_in(path: str) -> str:
    return f"The damaged store is kept as {path}."


def store_replaced(path: str) -> str:
    return f"The store was damaged and has been built anew. The damaged one is kept as {path}."


def store_of_newer_version(problem: str, path: str) -> str:
    return f"{problem}. Update BookLore Sync. If there is no newer one, move {path} away: a new store then begins."


def store_failed(path: str, problem: str) -> str:
    return f"The store {path} failed: {problem}. What is not in it yet stays in the journal."


def taken_again(count: int) -> str:
    return f"The store had lost {sessions(count)}, now taken again from the journals that are kept."


def storage_full(path: str, free_kib: int) -> str:
    return (
        f"The storage is full ({free_kib} KB are free where {path} lies). Nothing that was recorded is lost."
        " Delete something there; the next sync goes on."
    )


def storage_read_only(path: str) -> str:
    return (
        f"The storage can only be read, so nothing can be written to {path}. Nothing that was recorded is lost."
        " Restart the device; if it stays so, its storage needs repair."
    )


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
    minutes = seconds // 60
    return f"{minutes // 60:,} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


# The import from the Lua plugin

PLUGIN_ACCOUNT_TAKEN = "The old plugin's server account is this device's account now."
PLUGIN_ACCOUNT_INCOMPLETE = (
    "The old plugin has no BookLore user and password, only an address. Set the account up with setup.txt."
)
PLUGIN_ADDRESS_REFUSED = (
    "The old plugin's server address cannot be used as it is. Set the account up with setup.txt; the rest was taken."
)
PLUGIN_KOREADER_ACCOUNT_KEPT = "The KOReader account is kept for progress, which is not synced yet."
PLUGIN_HARDCOVER_TOKEN_KEPT = "The Hardcover token is kept: ratings and read status go to Hardcover, too."
PLUGIN_WAS_OFF = "The old plugin was switched off. This one syncs; to stop that, set the sync mode to manual."
PLUGIN_UNFINISHED = "The time was up. Import again to go on where this stopped."
PLUGIN_DECLINED = "What the old plugin left stays where it is, and is not offered again."
PLUGIN_REST = "KOReader's statistics were imported once more, for what lies outside of what the old plugin had sent."
PLUGIN_REST_LATER = (
    f"KOReader's sessions were taken back of which the old plugin had sent a part. “{HISTORY_IMPORT}” under “{HISTORY}”"
    " brings back the rest."
)
PLUGIN_NOTHING_NEW = "There is nothing new in what the old plugin left."

_PLUGIN_TAKEN = {
    "books": ("1 book", "{} books"),
    "sent": ("1 reading session that was sent already", "{} reading sessions that were sent already"),
    "queued": ("1 reading session to send", "{} reading sessions to send"),
    "elsewhere": (
        "1 reading session that it sent to another server or account, to send if it is missing here",
        "{} reading sessions that it sent to another server or account, to send if they are missing here",
    ),
    "rated": ("1 rating that was sent already", "{} ratings that were sent already"),
    "ratings": ("1 rating to send", "{} ratings to send"),
    "ledger": ("1 mark that counted as sent", "{} marks that counted as sent"),
    "notes": ("1 note to send", "{} notes to send"),
    "deletions": ("1 removal from the shelf, kept but not done", "{} removals from the shelf, kept but not done"),
    "withdrawn": ("1 session of the statistics that it had sent", "{} sessions of the statistics that it had sent"),
}
_PLUGIN_KINDS = {
    "highlight": ("1 highlight is", "{} highlights are"),
    "in_book_note": ("1 note in the text is", "{} notes in the text are"),
    "book_note": ("1 note on a highlight is", "{} notes on highlights are"),
    "bookmark": ("1 bookmark is", "{} bookmarks are"),
}
_PLUGIN_ROWS = {
    "session": ("1 reading session", "{} reading sessions"),
    "rating": ("1 rating", "{} ratings"),
    "mark": ("1 mark", "{} marks"),
    "book": ("1 book", "{} books"),
}
_PLUGIN_REASONS = {
    "no book": "no book named",
    "bad times": "times that cannot be read",
    "backwards": "an end before the beginning",
    "too long": "times that cannot be true",
    "no duration": "no time read",
    "bad mark": "content that cannot be read",
    "no rating": "not between 1 and 10",
    "overlaps": "something else is recorded for that time",
    "not tracked": "recording of the book switched off",
    "book lost": "the old plugin has lost the book",
    "other server": "of another server",
}


def _counted(forms: tuple[str, str], count: int) -> str:
    return forms[0] if count == 1 else forms[1].replace("{}", f"{count:,}")


def plugin_not_found(root: str) -> str:
    return f"The old plugin has left nothing in {root}. Name KOReader's folder with --from if it is another."


def plugin_taken(taken: dict[str, int]) -> str:
    parts = [_counted(_PLUGIN_TAKEN[what], taken[what]) for what in _PLUGIN_TAKEN if taken.get(what)]
    return f"Taken over from the old plugin: {', '.join(parts)}." if parts else PLUGIN_NOTHING_NEW


def plugin_marks_kept(kind: str, count: int) -> str:
    return f"{_counted(_PLUGIN_KINDS[kind], count)} kept until positions can be checked against the text."


def plugin_left(what: str, count: int, reason: str) -> str:
    return f"Left out: {_counted(_PLUGIN_ROWS[what], count)} ({_PLUGIN_REASONS[reason]})."


def plugin_setting_changed(key: str) -> str:
    return f"The old plugin's value of {key} was brought within what is possible here."


def plugin_setting_unusable(key: str) -> str:
    return f"The old plugin's setting {key} has no usable value and was left out."


def plugin_unreadable(file: str, cause: str) -> str:
    return f"{file} cannot be read: {cause}. Nothing of it was taken."


PLUGIN_UNAVAILABLE = {
    "missing": "it has just been removed",
    "empty": "it is empty",
    "in use": "another program is writing it; close KOReader and try again",
    "too big": "it is too big",
}
PLUGIN_FOREIGN = "it is a database, but not the old plugin's"
PLUGIN_FILE_MISSING = "it is missing"


def plugin_damaged(problem: str) -> str:
    return f"it is damaged ({problem})"


def plugin_too_long(limit_bytes: int) -> str:
    return f"it is longer than {limit_bytes} bytes"


def plugin_table_damaged(file: str, table: str, cause: str) -> str:
    return f"{file} is damaged: {table} could not be read to its end ({cause}). What came before is taken."


def plugin_newer_tables(count: int) -> str:
    return f"{'1 table' if count == 1 else f'{count} tables'} of a newer version of the old plugin cannot be used yet."


def plugin_holds_secrets(files: list[str]) -> str:
    return f"The old plugin kept passwords as plain text. When all is well here, delete {' and '.join(files)}."


def plugin_offer(files: list[str]) -> str:
    return f"The old plugin left its settings and reading sessions in {' and '.join(files)}. They can be taken over."
