"""What each verb does, once the run has the data folder to itself.

Promises: a verb says what came of it through the run's result. After every verb the menu is what it should be.
Called by: `device/worker.py`. Never: decides what is sent or counted; `device/core` does.
"""

from __future__ import annotations

import time

from device import protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.configure import Setup
    from device.folder import Folder
    from device.importing.history import Outcome
    from device.protocol import Job, Result
    from device.secrets import Secrets
    from device.store.database import Store
    from device.store.outbox import OpenEntry
    from device.ui.account_menu import Shown


UNTRACKED_MAX_BYTES = 65_536  # as much as the launcher reads when a book opens; ingest goes by the store


class Run:
    """One run: where, with which store, what for, what came of it. `deadline` is on the monotonic clock."""

    __slots__ = ("deadline", "folder", "job", "result", "store")

    def __init__(self, folder: Folder, store: Store, job: Job, result: Result, deadline: float) -> None:
        self.folder = folder
        self.store = store
        self.job = job
        self.result = result
        self.deadline = deadline


def run_verb(run: Run, setup: Setup | None) -> None:
    """Raises ValueError with a text for the reader, OSError, or what the store raises."""
    if setup is not None:
        _store_account(run, setup)
        return
    VERBS[run.job.verb](run)


def _status(run: Run) -> None:
    """What waits is said by `finish`; what KOReader's history would bring is looked up here."""
    if not _is_preview(run.job):
        return
    from device.importing.history import preview
    from device.ui.history import preview_lines

    _say_all(run, preview_lines(_read_history(run, preview)))


def _is_preview(job: Job) -> bool:
    return job.verb == protocol.STATUS and job.arguments.get("history") is True


def _import_history(run: Run) -> None:
    from device.importing.history import import_history
    from device.ui.history import import_lines

    _ingest(run)  # what is in a journal is not KOReader's to tell
    outcome = _read_history(run, import_history)
    run.result.counts["recorded"] += outcome.total.sessions
    _say_all(run, import_lines(outcome))


def _read_history(run: Run, read: Callable[..., Outcome]) -> Outcome:
    from device.importing.history import statistics_path
    from device.importing.progress import Progress
    from device.store import preferences
    from device.ui import texts

    given = run.job.arguments.get("statistics")
    path = statistics_path(run.folder, given if isinstance(given, str) else None)
    progress = Progress(run.job.id is None, texts.history_progress, run.folder.log)
    try:
        return read(
            run.folder, run.store, path, preferences.load(run.store), int(time.time()), run.deadline, progress.report
        )
    finally:
        progress.end()


def _import_plugin(run: Run) -> None:
    """Takes over what the old plugin left, or notes that the reader does not want it."""
    from device.importing import plugin_import
    from device.ui import texts

    if run.job.arguments.get("decline") is True:
        plugin_import.decline(run.store)
        run.result.say(protocol.INFO, texts.PLUGIN_DECLINED)
        return
    given = run.job.arguments.get("from")
    root = given.rstrip("/") or "/" if isinstance(given, str) and given.startswith("/") else None
    _ingest(run)
    plugin_import.import_plugin(run.folder, run.store, root, run.result, int(time.time()), run.deadline)


def _say_all(run: Run, lines: list[str]) -> None:
    for line in lines:
        run.result.say(protocol.INFO, line)


def _ingest(run: Run) -> None:
    from device import process
    from device.ingest import ingest
    from device.store import preferences

    ingest(run.folder, run.store, preferences.load(run.store), run.result, int(time.time()), process.uptime())


def _sync(run: Run) -> None:
    from device import hardcover_verbs
    from device.secrets import Keeper
    from device.ui import texts

    _ingest(run)
    if run.folder.disk.size_bytes(run.folder.setup) is not None:
        _take_setup_file(run)
    hardcover_verbs.take_token_file(run)
    keeper = Keeper(run.folder.disk, run.folder.secrets)
    secrets = keeper.load()
    if secrets is None:
        run.result.outcome = protocol.NOT_CONFIGURED
        if run.job.asked_for():
            run.result.say(protocol.ERROR, texts.NOT_CONFIGURED)
        return
    from device.sending.sync import sync

    sync(run.folder, run.store, keeper, secrets, run.job, run.result, run.deadline)
    hardcover_verbs.send(run)


def _take_setup_file(run: Run) -> None:
    """A mistake in the file is said; an account that is there already goes on working."""
    from device.configure import SetupProblem, collect

    try:
        _store_account(run, collect(run.folder, None))
    except SetupProblem as problem:
        run.result.say(protocol.ERROR, str(problem))


def _store_account(run: Run, setup: Setup) -> None:
    from device.configure import store_account
    from device.server.address import is_unencrypted
    from device.ui import account_texts, texts

    account = store_account(run.folder, run.store, setup)
    if not setup.is_an_account():
        run.result.say(protocol.INFO, account_texts.taken(list(setup.values)))
        return
    run.result.say(protocol.INFO, texts.configured(account.user, account.server))
    for place in account.addresses():
        if is_unencrypted(place):
            run.result.say(protocol.WARNING, account_texts.unencrypted(place))


def _set(run: Run) -> None:
    """Changes one preference; at a terminal, without one, lists them all."""
    from device.core import preferences as table
    from device.store import preferences
    from device.ui import texts

    key, value = run.job.arguments.get("key"), run.job.arguments.get("value")
    if key is None and run.job.reason == protocol.TERMINAL:
        values = preferences.load(run.store)
        for preference in table.PREFERENCES:
            run.result.say(protocol.INFO, f"{preference.key} {values.get(preference.key)}")
        return
    if key not in table.BY_KEY:
        raise ValueError(texts.no_preference(str(key), list(table.BY_KEY)))
    preference = table.BY_KEY[str(key)]
    if isinstance(value, float) and value == int(value):
        value = int(value)
    parsed = preference.parse(str(value))
    with run.store.transaction():
        preferences.save(run.store, preference.key, parsed)
    run.result.say(protocol.INFO, texts.preference_set(preference.key, parsed))


def _track(run: Run) -> None:
    """Whether a book's reading is recorded and sent; also for one that was never opened before."""
    from device.core.journal import Book
    from device.store import books
    from device.ui import texts

    on = run.job.arguments.get("on")
    wanted = {"on": True, "off": False, True: True, False: False}.get(on if isinstance(on, (bool, str)) else "")
    if wanted is None or not run.job.book:
        raise ValueError(texts.TRACK_WHAT)
    book = Book(run.job.book, run.job.book.rpartition(".")[2].lower(), "", [], [], None, None)
    with run.store.transaction():
        if books.with_file(run.store, run.job.book) is None:
            books.remember(run.store, book)
        books.track_file(run.store, run.job.book, wanted)
    run.result.say(protocol.INFO, texts.tracking(book.name(), wanted))


def _match(run: Run) -> None:
    from device.matching_verbs import match

    _ingest(run)
    match(run)


def _hardcover(run: Run) -> None:
    from device.hardcover_verbs import hardcover

    hardcover(run)


def _trust(run: Run) -> None:
    from device.account_verbs import trust

    trust(run)


def _sign_out(run: Run) -> None:
    from device.account_verbs import sign_out

    sign_out(run)


def _rate(run: Run) -> None:
    from device.book_state_verbs import rate

    rate(run)


def _mark(run: Run) -> None:
    from device.book_state_verbs import mark

    mark(run)


def _position(run: Run) -> None:
    from device.book_state_verbs import position

    position(run)


def _applied(run: Run) -> None:
    from device.book_state_verbs import applied

    applied(run)


VERBS: dict[str, Callable[[Run], None]] = {
    protocol.INGEST: _ingest,
    protocol.SYNC: _sync,
    protocol.STATUS: _status,
    protocol.SET: _set,
    protocol.TRACK: _track,
    protocol.IMPORT_HISTORY: _import_history,
    protocol.IMPORT_PLUGIN: _import_plugin,
    protocol.MATCH: _match,
    protocol.HARDCOVER: _hardcover,
    protocol.TRUST: _trust,
    protocol.SIGN_OUT: _sign_out,
    protocol.RATE: _rate,
    protocol.MARK: _mark,
    protocol.POSITION: _position,
    protocol.APPLIED: _applied,
}


def finish(run: Run) -> None:
    """Counts, the menu for the next time it opens, and the sentences that sum the run up."""
    from device import hardcover_verbs
    from device.core import outbox as rules
    from device.secrets import Keeper
    from device.store import outbox, reading_sessions, settings
    from device.ui import account_texts, status

    entries = outbox.open_entries(run.store)
    # What is kept back because its book is switched off waits for nothing.
    run.result.counts["waiting"] = sum(_waiting(entries).values())
    run.result.counts["rejected"] = sum(entry.count for entry in entries if entry.state == rules.REJECTED)
    secrets = Keeper(run.folder.disk, run.folder.secrets).load_all()
    account = _shown(secrets) if secrets.has_account() else None
    server = None if account is None else account.server
    problem = settings.get(run.store, settings.LAST_PROBLEM)
    offered = _offer(run)
    _write_for_launcher(run, entries, account, secrets.has_others(), problem, offered)
    if run.job.id is not None:
        from device import book_state_results
        from device.store import preferences

        wanted = preferences.load(run.store)
        book_state_results.tell(run.store, wanted, run.job, run.result)
        if run.job.verb == protocol.SYNC:
            book_state_results.warn_of_kosync(run.store, wanted, run.job, run.result)
    if run.job.verb == protocol.STATUS and not _is_preview(run.job):
        there = reading_sessions.count_acknowledged(run.store)
        if account is not None and account.unencrypted:
            run.result.say(protocol.WARNING, account_texts.unencrypted(" and ".join(account.unencrypted)))
        for line in status.report(entries, there, server, problem, int(time.time())) + hardcover_verbs.lines(run):
            run.result.say(protocol.INFO, line)
        _say_all(run, _lacking(run))
    elif run.job.verb == protocol.SYNC:
        _sum_up(run.job, run.result, entries)


def _lacking(run: Run) -> list[str]:
    """What the account at the server is known not to be allowed, as far as it matters."""
    from device.store import settings

    if not settings.get(run.store, settings.PERMISSIONS):
        return []
    from device.sending import rights
    from device.ui import dialect_texts

    return dialect_texts.lacking(rights.used(run.store))


def _shown(secrets: Secrets) -> Shown:
    from device.server.address import is_unencrypted
    from device.ui.account_menu import Shown

    shown = Shown(secrets.server)
    shown.local_server, shown.network = secrets.local_server, secrets.home_network
    shown.unencrypted = [place for place in secrets.addresses() if is_unencrypted(place)]
    shown.is_pinned = bool(secrets.pins)
    return shown


def _offer(run: Run) -> bool:
    """Whether an older plugin's data could be taken over; said once, and in the menu until it is done or declined."""
    from device.importing.plugin_files import offer
    from device.store import settings
    from device.ui import texts

    files = offer(run.folder, run.store)
    if files is None:
        return False
    if run.job.verb in (protocol.STATUS, protocol.SYNC) and not settings.get(run.store, settings.OFFER_TOLD):
        run.result.say(protocol.INFO, texts.plugin_offer(files))
        with run.store.transaction():
            settings.put(run.store, settings.OFFER_TOLD, "1")
    return True


def _write_for_launcher(
    run: Run, entries: list[OpenEntry], account: Shown | None, has_others: bool, problem: str | None, offered: bool
) -> None:
    from device import hardcover_verbs, json_text, matching_verbs
    from device.store import books, preferences, settings
    from device.ui import menu

    state = menu.State(entries, preferences.load(run.store), int(time.time()))
    state.account = account
    state.has_other_accounts = has_others
    state.server = None if account is None else account.server
    state.problem = problem
    state.lacking = _lacking(run)
    state.last_sync_at = settings.get_int(run.store, settings.LAST_SYNC_AT)
    state.untracked = books.untracked_files(run.store)
    state.offers = menu.plugin_offer() if offered else []
    state.matching = matching_verbs.menu_items(run)
    state.hardcover = hardcover_verbs.menu_items(run)
    disk, folder = run.folder.disk, run.folder
    disk.write(folder.menu, json_text.encode(menu.menu(state)))
    if state.untracked:
        disk.write(folder.untracked, _lines(state.untracked, UNTRACKED_MAX_BYTES))
    elif disk.size_bytes(folder.untracked) is not None:
        disk.remove(folder.untracked)


def _lines(texts: list[str], limit_bytes: int) -> bytes:
    """One a line, as many as the launcher reads; what would be two lines is left out."""
    content = b""
    for text in texts:
        line = text.encode("utf-8", "replace") + b"\n"
        if b"\n" not in line[:-1] and len(content) + len(line) <= limit_bytes:
            content += line
    return content


def _waiting(entries: list[OpenEntry]) -> dict[str, int]:
    """What is still to be sent, by kind."""
    from device.core import outbox as rules

    found: dict[str, int] = {}
    for entry in entries:
        if entry.tracked and entry.state != rules.REJECTED:
            found[entry.kind] = found.get(entry.kind, 0) + entry.count
    return found


def _sum_up(job: Job, result: Result, entries: list[OpenEntry]) -> None:
    from device.core import outbox as rules
    from device.ui import status, texts

    if result.sent:
        result.say(protocol.INFO, texts.sent_things(result.sent))
    told: set[str] = set()
    for entry in entries:
        if entry.state != rules.WAITING or not entry.tracked or not (job.asked_for() or result.counts["recorded"]):
            continue
        text = texts.unmatched(entry.title, status.why(entry))
        if text not in told:
            result.say(protocol.INFO, text)
            told.add(text)
    if job.asked_for() and result.outcome == protocol.DONE and not result.messages:
        waiting = _waiting(entries)
        result.say(protocol.INFO, texts.still_waiting(waiting) if waiting else texts.NOTHING_WAITS)
