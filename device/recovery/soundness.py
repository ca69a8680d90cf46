"""Keeping the store sound: looking after it when a run begins and ends, and what can be done when a run fails.

    begin ──▶ is there reason to doubt? check ──▶ … the verb … ──▶ let kept journals go
    failed ──▶ disk full: let all kept journals go ──▶ once more
           └─▶ broken, or nothing else explains it and the check finds it broken: rebuild ──▶ once more

Promises: a run is tried again only if something was done about its failure; whatever is done is said.
Called by: `device/worker.py`.
"""

from __future__ import annotations

import posix

from device import protocol
from device.core import kept_journal
from device.recovery import evidence, storage
from device.store import books, check, database, reading_sessions
from device.ui import texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.outbox import Uptime
    from device.folder import Folder
    from device.protocol import Result
    from device.store.database import Store


def begin(folder: Folder, store: Store, result: Result, now: int, uptime: Uptime) -> None:
    """Raises database.Error when the store is not what it should be."""
    if store.set_aside is not None:
        result.say(protocol.WARNING, texts.store_replaced(store.set_aside))
    if check.is_due(store, uptime.boot_id, now):
        check.check(store.connection)
        _check_evidence(folder, store)
        _remember(store, uptime, now)
    if folder.disk.size_bytes(folder.untracked) is not None and books.are_none(store):
        # The store is new, the reader's wish not to be recorded is older.
        from device.recovery.rebuild import switch_off

        with store.transaction():
            switch_off(folder, store)
    lost = evidence.unknown(folder, store)
    if lost:
        _take_again(folder, store, lost, result, now, uptime)


def _remember(store: Store, uptime: Uptime, now: int) -> None:
    """A disk that is full or read-only costs the next run a check, and this one nothing."""
    try:
        with store.transaction():
            check.remember(store, uptime.boot_id, now)
    except database.Error as problem:
        if database.may_be_damage(problem):
            raise


def _check_evidence(folder: Folder, store: Store) -> None:
    """What waits to be sent is compared with the journals that are kept: no other check sees a wrong number in a row.

    Raises Damaged.
    """
    for id in evidence.ids(folder):
        recorded = kept_journal.sessions(evidence.lines_of(folder, id))
        if recorded is None or not reading_sessions.journal_is_ingested(store, id):
            continue
        found = [kept_journal.key(session) for session in reading_sessions.of_journal(store, id)]
        if found != [kept_journal.key(session) for session in recorded]:
            raise database.Damaged(f"the sessions of {id} are not those of its journal")


def _take_again(folder: Folder, store: Store, lost: list[str], result: Result, now: int, uptime: Uptime) -> None:
    from device.recovery.rebuild import restore
    from device.store.rebuild import add_missing_entries

    with store.transaction():
        count = restore(folder, store, lost, now, uptime)
        add_missing_entries(store, now)
    if count:
        result.say(protocol.INFO, texts.taken_again(count))


def remedy(folder: Folder, problem: Exception, result: Result, now: int, uptime: Uptime) -> bool:
    """Whether something was done about a failure, so that the run may be tried once more.

    Raises what keeps it from being done.
    """
    if storage.is_full(problem):
        return make_room(folder)
    if isinstance(problem, OSError) or not _is_explained_by_damage(folder, problem):
        return False
    from device.recovery.rebuild import rebuild

    folder.log(f"the store is damaged: {type(problem).__name__}: {problem}")
    outcome = rebuild(folder, now, uptime)
    result.outcome = protocol.DONE
    result.say(protocol.WARNING, texts.store_rebuilt(outcome.sessions, outcome.from_journals, outcome.lost))
    if "setting" in outcome.incomplete:
        result.say(protocol.WARNING, texts.PREFERENCES_LOST)
    result.say(protocol.WARNING, texts.damaged_store_is_in(outcome.moved_to))
    return True


def make_room(folder: Folder) -> bool:
    """For a full disk: lets all kept journals go, if the store is sound and has what is in them; whether any went."""
    if folder.disk.size_bytes(folder.store + database.JOURNAL):
        return False  # a transaction was cut off, and this look would not see what it takes back
    connection = database.open_read_only(folder.store)
    try:
        check.check(connection)
        return evidence.let_all_go(folder, database.Store(connection))
    except (database.Error, ValueError):
        return False
    finally:
        connection.close()


def _is_explained_by_damage(folder: Folder, problem: Exception) -> bool:
    """A statement that is right and fails, or a value that cannot be, is either a mistake of ours or a broken file."""
    if database.is_damage(problem):
        return True
    if database.is_read_only(problem):
        # SQLite also says this of a file whose header claims a format that can only be read.
        return not storage.is_read_only(folder) and posix.access(folder.store, posix.W_OK)
    if not database.may_be_damage(problem):
        return False
    store = database.open_read_only(folder.store)
    try:
        check.check(store)
    except (database.Error, ValueError) as found:
        return database.may_be_damage(found)
    finally:
        store.close()
    from device.store import salvage

    return salvage.has_unusable_rows(folder.store)
