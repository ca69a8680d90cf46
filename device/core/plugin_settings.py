"""What the Lua plugin's settings mean here: preferences, accounts, and what is kept until its feature is there.

Rule 1: a value is text, and our own table says what it may be. The old plugin's reading of its own settings turned the
password "0123" into 123; so accounts and addresses are taken letter by letter, and never appear in a message.
Rule 2: what might be a secret is never among what is kept.

Called by: `device/importing/plugin_import.py`. Never: stores anything.
"""

from __future__ import annotations

from device.core import preferences

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.preferences import Value

VALUE_MAX_CHARS = 1_000  # of an address, a name, a password
TOKEN_MAX_CHARS = 8_192
KEPT_MAX_CHARS = 200
KEPT_MOST = 100
KEY_MAX_CHARS = 64

SERVER = "server_url"
USER, PASSWORD = "booklore_username", "booklore_password"
KOREADER_USER, KOREADER_PASSWORD = "username", "password"
HARDCOVER_TOKEN = "hardcover_token"
ENABLED = "is_enabled"

# Features that are not there yet, and switches that have no counterpart: kept as they are.
_KEPT = frozenset((
    ENABLED, "silent_messages", "log_to_file", "secure_logs", "sync_mode", "manual_sync_only",
    "force_push_session_on_suspend", "connect_network_on_suspend", "ask_wifi_enable", "booklore_shelf_name", "shelf_id",
    "download_dir", "auto_sync_shelf_on_resume", "delete_removed_shelf_books", "shelf_use_original_filename",
    "delete_sdr_on_book_delete", "hardcover_user_id", "highlights_notes_sync_enabled", "notes_destination",
    "upload_strategy", "bookmarks_sync_enabled", "auto_update_check", "historical_sync_ack", "initial_scan_done",
))  # fmt: skip
_RATINGS, _RATING_MODE = "rating_sync_enabled", "rating_sync_mode"
_HARDCOVER = "hardcover_rating_sync_enabled"
# A key with one of these in it may hold a secret, or where somebody lives. Of keys that nobody has told us about only
# switches and numbers are kept.
_SECRET = ("pass", "user", "token", "secret", "key", "auth", "url", "host", "server", "ssid", "login", "mail", "pin")
_KEY_CHARS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")

_NUMBERS = (
    ("min_duration", preferences.MIN_DURATION_S),
    ("min_pages", preferences.MIN_PAGES),
    ("progress_decimal_places", preferences.PROGRESS_DECIMALS),
)


class Account:
    """An address, a name and a password, each as it was written; '' where there is none."""

    __slots__ = ("password", "server", "user")

    def __init__(self, server: str, user: str, password: str) -> None:
        self.server = server
        self.user = user
        self.password = password

    def is_whole(self) -> bool:
        return bool(self.server and self.user and self.password)


class Meaning:
    """What a set of settings means. `preferences` holds only what differs from our defaults."""

    __slots__ = ("account", "changed", "enabled", "hardcover_token", "kept", "koreader", "preferences", "unusable")

    def __init__(self, account: Account, koreader: Account, hardcover_token: str) -> None:
        self.account = account
        self.koreader = koreader  # the other account, for KOReader's own progress sync
        self.hardcover_token = hardcover_token
        self.enabled: bool | None = None  # None: not said
        self.preferences: dict[str, Value] = {}
        self.changed: list[str] = []  # preferences that were brought within our bounds
        self.unusable: list[str] = []  # keys whose value is none
        self.kept: dict[str, str] = {}


def read(values: dict[str, str]) -> Meaning:
    server = _verbatim(values.get(SERVER), VALUE_MAX_CHARS).rstrip("/")
    meaning = Meaning(
        Account(server, _verbatim(values.get(USER)), _verbatim(values.get(PASSWORD))),
        Account(server, _verbatim(values.get(KOREADER_USER)), _verbatim(values.get(KOREADER_PASSWORD))),
        token(values.get(HARDCOVER_TOKEN)),
    )
    meaning.enabled = _switch(values.get(ENABLED))
    for key, preference in _NUMBERS:
        if key in values:
            _take_number(meaning, key, values[key], preference)
    _take_detection(meaning, values.get("session_detection_mode"))
    if _is_manual(values):
        meaning.preferences[preferences.SYNC_MODE] = preferences.MANUAL
    _take_ratings(meaning, values)
    for key in sorted(values):
        if len(meaning.kept) < KEPT_MOST and _may_be_kept(key, values[key]):
            meaning.kept[key] = values[key]
    return meaning


def token(value: str | None) -> str:
    """A token as it can stand in a header line; '' for anything else."""
    word = (value or "").strip()
    if len(word) > TOKEN_MAX_CHARS or not word.isascii() or not word.isprintable() or " " in word:
        return ""
    return word


def _verbatim(value: str | None, limit: int = VALUE_MAX_CHARS) -> str:
    """The value letter by letter; one that is too long is none."""
    return value if value is not None and len(value) <= limit else ""


def _take_number(meaning: Meaning, key: str, value: str, preference: str) -> None:
    row = preferences.BY_KEY[preference]
    try:
        number = float(value[: preferences.TEXT_MAX_CHARS])
    except ValueError:
        number = float("nan")
    if number != number:
        meaning.unusable.append(key)
        return
    within = int(min(max(number, row.least), row.most))
    if within != number:
        meaning.changed.append(preference)
    if within != row.default:
        meaning.preferences[preference] = within


def _take_detection(meaning: Meaning, value: str | None) -> None:
    row = preferences.BY_KEY[preferences.DETECTION]
    if value in row.choices and value != row.default:
        meaning.preferences[preferences.DETECTION] = str(value)
    elif value is not None and value not in row.choices:
        meaning.unusable.append("session_detection_mode")


def _take_ratings(meaning: Meaning, values: dict[str, str]) -> None:
    """There ratings were off until they were switched on; a switch that was never touched says nothing."""
    if _switch(values.get(_RATINGS)) is False:
        meaning.preferences[preferences.RATING] = preferences.OFF
    elif values.get(_RATING_MODE) == "select_at_complete":
        meaning.preferences[preferences.RATING] = preferences.ASK
    if _switch(values.get(_HARDCOVER)) is False:
        meaning.preferences[preferences.HARDCOVER_SYNC] = preferences.OFF


def _is_manual(values: dict[str, str]) -> bool:
    """The flag is what the old plugin went by; the mode beside it was not always kept up with it."""
    flag = _switch(values.get("manual_sync_only"))
    return values.get("sync_mode") == "manual" if flag is None else flag


def _switch(value: str | None) -> bool | None:
    return {"true": True, "false": False}.get(value or "")


_TAKEN = frozenset((_RATINGS, _RATING_MODE, _HARDCOVER, *(key for key, _ in _NUMBERS)))


def _may_be_kept(key: str, value: str) -> bool:
    if len(value) > KEPT_MAX_CHARS or len(key) > KEY_MAX_CHARS or not _KEY_CHARS.issuperset(key):
        return False
    if key in _KEPT:
        return True
    if any(word in key for word in _SECRET) or key in _TAKEN:
        return False
    return _switch(value) is not None or (value.isascii() and value.isdigit() and len(value) <= 12)
