"""Settings and small facts that outlive a run, as text by key."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.store.database import Store

MATCHES_OF = "matches_of"  # the account whose server ids the books carry
LIBRARY_READ_AT = "library_read_at"  # when the server's book list was last read
LIBRARY_WHOLE_AT = "library_whole_at"  # when all of it was read
LIBRARY_COUNT = "library_count"  # how many books it had then
FINGERPRINTS_READ_AT = "fingerprints_read_at"  # when they were last taken from Komga's list
RETRY_AT = "retry_at"  # no unasked try before this instant
FAILURES = "failures"  # runs in a row that did not reach the server
LOGIN_REFUSED = "login_refused"  # "1": no unasked try until the account is changed; five wrong ones lock it
PAUSED = "paused"  # "1": the server itself has asked for the pause, which holds in another network too
ADDRESS_WORKED = "address_worked"  # "local" or "remote": by which of its addresses the server was reached last
CERTIFICATE_ASKED = "certificate_asked"  # the fingerprint of the certificate that the reader was last asked about
LAST_PROBLEM = "last_problem"  # what the last run that failed had to say
LAST_SYNC_AT = "last_sync_at"
PLUGIN_IMPORT = "plugin_import"  # what the reader answered to the offer of the older plugin's data
OFFER_TOLD = "offer_told"  # "1": that there is such an offer has been said
STUMBLED_AT = "stumbled_at"  # the book at which a run was broken off: the next ones begin behind it
LIBRARY_FIRST = "library_first"  # "1": a run was broken off before it came to look for books: the next begins with it
DIALECT = "dialect"  # which of the known servers it is (device/server/dialects.py)
DIALECT_UNTIL = "dialect_until"  # until when that is believed
DIALECT_SEEN_AT = "dialect_seen_at"  # when it was last known to be still of the same version
SERVER_VERSION = "server_version"  # what its health check told then
KOMGA_OFF_UNTIL = "komga_off_until"  # until when Komga's list is not asked for, because it is switched off
PERMISSIONS = "permissions"  # what the account lacks, one word each (device/server/permissions.py)
PERMISSIONS_AT = "permissions_at"  # when that was asked
PERMISSIONS_TOLD = "permissions_told"  # which of them the reader has been told
PULLED_AT = "pulled_at"  # when changes of ratings, status and progress on the server were last asked for
LEFT_OPEN = "left_open."  # and book and field: the two values of which the reader did not want to say which counts
KOSYNC_TOLD = "kosync_told"  # "1": that KOReader's own progress sync is on as well has been said
MARKS_TURN_AT = "marks_turn_at"  # when the server's lists of books that are not being read were last asked for
MARKS_ASK = "marks_ask."  # and book: why so many of its marks would go, and how many: the reader is asked first
MARKS_ANSWER = "marks_answer."  # and book: what she answered, until that is done
MARKS_TOLD = "marks_told."  # and book: the marks that its last change for KOReader was about, by the change's number
REBUILT_AT = "rebuilt_at"  # when this store was filled, in one go, from what a damaged one left
CLOCK_OFFSET_S = "clock_offset_s"  # how far the server's clock was ahead of this device's, when it was last seen
CLOCK_MEASURED_AT = "clock_measured_at"  # by the device's clock, in the boot and at the uptime that follow
CLOCK_BOOT_ID = "clock_boot_id"
CLOCK_UPTIME_S = "clock_uptime_s"


def get(store: Store, key: str) -> str | None:
    row = store.execute("SELECT value FROM setting WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def get_int(store: Store, key: str) -> int:
    """The number kept under `key`; 0 if there is none."""
    value = get(store, key)
    return int(value) if value is not None and value.removeprefix("-").isdigit() else 0


def put(store: Store, key: str, value: str) -> None:
    store.execute("INSERT OR REPLACE INTO setting (key, value) VALUES (?, ?)", (key, value))


def remove(store: Store, key: str) -> None:
    store.execute("DELETE FROM setting WHERE key = ?", (key,))


def under(store: Store, prefix: str) -> list[tuple[str, str]]:
    """(rest of the key, value) of all keys that begin with `prefix`, which ends in a dot."""
    rows = store.execute(
        "SELECT substr(key, ?2), value FROM setting WHERE key > ?1 AND key < ?3 ORDER BY key",
        (prefix, len(prefix) + 1, prefix[:-1] + "/"),
    )
    return [(str(rest), str(value)) for rest, value in rows]


def forget_dialect(store: Store) -> None:
    """Which server it is is asked anew."""
    for key in (DIALECT, DIALECT_UNTIL, DIALECT_SEEN_AT, SERVER_VERSION):
        remove(store, key)


def forget_server(store: Store) -> None:
    """What was found out about the server and the account there is asked anew."""
    forget_dialect(store)
    for key in (KOMGA_OFF_UNTIL, PERMISSIONS, PERMISSIONS_AT, PERMISSIONS_TOLD):
        remove(store, key)


def forget_library(store: Store) -> None:
    """It is read anew, with all that goes with it."""
    for key in (LIBRARY_READ_AT, LIBRARY_WHOLE_AT, LIBRARY_COUNT, FINGERPRINTS_READ_AT):
        remove(store, key)


def forget_problems(store: Store) -> None:
    """After a success, or for a changed account: nothing keeps the next run from trying."""
    for key in (RETRY_AT, FAILURES, PAUSED, LOGIN_REFUSED, LAST_PROBLEM):
        remove(store, key)
