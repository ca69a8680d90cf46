"""What the reader can set: the one table of preferences, with their defaults and bounds.

Rule 1: a preference exists if and only if it has a row here. The store keeps only what differs from the default; the
menu, the `set` verb and the import from the Lua plugin all go by this table.

Called by: `device/worker.py`, `device/ui/menu.py`, `device/store/preferences.py`. Never: stores anything.
"""

from __future__ import annotations

from device.core.reading_session import Rules, koreaders_rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    Value = int | str

IDLE_CAP_S = "idle_cap_s"
JOIN_PAUSE_S = "join_pause_s"
COUNTING = "counting"
DETECTION = "detection"
MIN_DURATION_S = "min_duration_s"
MIN_PAGES = "min_pages"
PROGRESS_DECIMALS = "progress_decimals"
SYNC_MODE = "sync_mode"
HISTORY_GAP_S = "history_gap_s"
RATING = "rating"
STATUS_SYNC = "status_sync"
ON_HOLD = "on_hold"
PROGRESS_SYNC = "progress_sync"
PROGRESS_FORWARD = "progress_forward"
PROGRESS_BACKWARD = "progress_backward"
HARDCOVER_SYNC = "hardcover_sync"
HIGHLIGHTS = "highlights"
BOOKMARKS = "bookmarks"
NOTES_TO = "notes_to"
NOTES_IN_BOOK = "notes_in_book"
MARKS_UPLOAD = "marks_upload"

EVERY_PAGE, AS_KOREADER = "every-page", "as-koreader"
BY_DURATION, BY_PAGES = "duration", "pages"
AUTOMATIC, MANUAL = "automatic", "manual"
ON, OFF = "on", "off"
STARS, ASK = "stars", "ask"
SILENTLY = "silently"
PAUSED, ABANDONED = "paused", "abandoned"
IN_BOOK, BOOKLORE, BOTH = "in-book", "booklore", "both"
AS_HIGHLIGHT, AS_NOTE = "highlight", "note"
AFTER_SESSION, WHEN_FINISHED = "session", "finished"

TEXT_MAX_CHARS = 40  # of a value typed at a command line


class Preference:
    """A whole number between `least` and `most`, or, where `choices` is not empty, one of these words."""

    __slots__ = ("choices", "default", "key", "least", "most")

    def __init__(self, key: str, default: Value, least: int, most: int, choices: tuple[str, ...] = ()) -> None:
        self.key = key
        self.default = default
        self.least = least
        self.most = most
        self.choices = choices

    def parse(self, text: str) -> Value:
        """The value that `text` stands for. Raises ValueError saying what is allowed."""
        if self.choices:
            if text in self.choices:
                return text
            raise ValueError(f"{self.key} is one of {', '.join(self.choices)}, not {text[:TEXT_MAX_CHARS]!r}")
        digits = text.strip()
        if digits.isascii() and digits.isdigit() and len(digits) < 10 and self.least <= int(digits) <= self.most:
            return int(digits)
        raise ValueError(
            f"{self.key} is a whole number from {self.least} to {self.most}, not {text[:TEXT_MAX_CHARS]!r}"
        )


PREFERENCES = (
    Preference(IDLE_CAP_S, 300, 30, 3_600),  # the longest time that counts for one page
    # A sleep of up to this does not split a session; 0: every sleep does. After ten minutes the launcher begins another
    # journal, whatever is set.
    Preference(JOIN_PAUSE_S, 300, 0, 600),
    Preference(COUNTING, EVERY_PAGE, 0, 0, (EVERY_PAGE, AS_KOREADER)),  # or as KOReader's own statistics do
    Preference(DETECTION, BY_DURATION, 0, 0, (BY_DURATION, BY_PAGES)),  # what makes a session worth keeping
    Preference(MIN_DURATION_S, 30, 1, 3_600),  # by duration
    Preference(MIN_PAGES, 5, 1, 1_000),  # by pages
    Preference(PROGRESS_DECIMALS, 2, 0, 5),  # of the percent that are sent
    Preference(SYNC_MODE, AUTOMATIC, 0, 0, (AUTOMATIC, MANUAL)),
    Preference(HISTORY_GAP_S, 1_800, 60, 86_400),  # a longer pause in KOReader's statistics begins another session
    Preference(RATING, STARS, 0, 0, (STARS, ASK, OFF)),  # KOReader's stars times two, or 1 to 10 asked at a book's end
    Preference(STATUS_SYNC, ON, 0, 0, (ON, OFF)),
    Preference(ON_HOLD, PAUSED, 0, 0, (PAUSED, ABANDONED)),  # what KOReader's “On hold” is on the server
    Preference(PROGRESS_SYNC, ON, 0, 0, (ON, OFF)),
    Preference(PROGRESS_FORWARD, ASK, 0, 0, (SILENTLY, ASK, OFF)),  # when the server is further on than this device
    Preference(PROGRESS_BACKWARD, ASK, 0, 0, (ASK, OFF)),  # when it is behind: never without being asked
    Preference(HARDCOVER_SYNC, ON, 0, 0, (ON, OFF)),  # where there is a token for it
    Preference(HIGHLIGHTS, ON, 0, 0, (ON, OFF)),  # with their notes
    Preference(BOOKMARKS, ON, 0, 0, (ON, OFF)),
    Preference(NOTES_TO, IN_BOOK, 0, 0, (IN_BOOK, BOOKLORE, BOTH)),  # at their place in the book, or on its page
    # What a note at its place is: the note of a highlight, or a note of its own kind beside none.
    Preference(NOTES_IN_BOOK, AS_HIGHLIGHT, 0, 0, (AS_HIGHLIGHT, AS_NOTE)),
    Preference(MARKS_UPLOAD, AFTER_SESSION, 0, 0, (AFTER_SESSION, WHEN_FINISHED)),  # or when the book is finished
)
BY_KEY = {preference.key: preference for preference in PREFERENCES}


class Preferences:
    """The reader's own values over the defaults. A stored value that is no longer allowed counts as not set."""

    __slots__ = ("_values",)

    def __init__(self, stored: dict[str, str]) -> None:
        self._values: dict[str, Value] = {}
        for preference in PREFERENCES:
            value = preference.default
            if preference.key in stored:
                try:
                    value = preference.parse(stored[preference.key])
                except ValueError:
                    value = preference.default
            self._values[preference.key] = value

    def get(self, key: str) -> Value:
        return self._values[key]

    def number(self, key: str) -> int:
        return int(self._values[key])

    def collects_marks(self) -> bool:
        """Whether highlights or bookmarks are anything to us."""
        return ON in (self.get(HIGHLIGHTS), self.get(BOOKMARKS))

    def is_manual(self) -> bool:
        """Whether nothing may leave before the reader taps “Sync now”."""
        return self._values[SYNC_MODE] == MANUAL

    def rules(self) -> Rules:
        """What counts as reading."""
        by_pages = self._values[DETECTION] == BY_PAGES
        as_koreader = self._values[COUNTING] == AS_KOREADER
        rules = koreaders_rules(self.number(IDLE_CAP_S)) if as_koreader else Rules(self.number(IDLE_CAP_S))
        rules.join_pause_s = self.number(JOIN_PAUSE_S)
        rules.min_duration_s = 1 if by_pages else self.number(MIN_DURATION_S)
        rules.min_pages = self.number(MIN_PAGES) if by_pages else 1
        return rules
