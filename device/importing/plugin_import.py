"""The import from the Lua plugin: its settings, accounts, books, reading sessions and marks → our store.

Promises: the sources are only read. The store is changed in pieces, each a transaction that also notes how far the
import came, so that a run that is killed or has no more time leaves nothing half done and the next one goes on; doing
it again adds nothing. What the reader has set here stays as it is: her account, her preferences, her matches. Nothing
of an account gets into a message. A source that cannot be read costs only what is in it.
Called by: `device/verbs/`.
Law: what the plugin kept, table by table, from its version 1 to 4.4 and its fork; its own mistakes are known, and
`device/core/plugin_rows.py` says which of its facts are not believed.
"""

from __future__ import annotations

import time

from device import protocol
from device.core import plugin_rows, plugin_settings
from device.importing.plugin_files import find, koreader_folder
from device.importing.plugin_records import Report, Taker
from device.importing.plugin_sources import OpenDatabase, Unreadable, open_database, read_lua, read_token
from device.koreader.lua_literals import sequence
from device.secrets import Keeper, Secrets
from device.server import address
from device.store import mark_sources, preferences, settings
from device.store import plugin_database as tables
from device.store import plugin_records as records
from device.ui import texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.core.plugin_rows import OldBook, OldSession
    from device.core.plugin_settings import Meaning
    from device.folder import Folder
    from device.importing.plugin_files import Found
    from device.koreader.lua_literals import Table, Value
    from device.protocol import Result
    from device.store.database import Store
    from device.store.plugin_database import Row

PIECE_ROWS = 200  # between two commits: a second on the slowest device
SETTINGS_MAX = 1_000
LUA_ITEMS_MAX = 50_000  # books or sessions of a settings file
SPARE_S = 5  # before the run's own deadline, to finish properly

# The tables in the order in which they are taken. What was sent comes before what was not: one reading may be in both.
STEPS: tuple[tuple[str, Callable[[Taker, Row], None]], ...] = (
    (tables.BOOKS, Taker.take_book_row),
    (tables.HISTORY, Taker.take_sent_session),
    (tables.PENDING_SESSIONS, Taker.take_pending_session),
    (tables.HISTORY, Taker.take_unsent_session),
    (tables.METADATA, Taker.take_rating_of_book),
    (tables.PENDING_RATINGS, Taker.take_pending_rating),
    (tables.SYNCED_ANNOTATIONS, Taker.take_sent_annotation),
    (tables.SYNCED_BOOKMARKS, Taker.take_sent_bookmark),
    (tables.PENDING_ANNOTATIONS, Taker.take_pending_annotation),
    (tables.PENDING_BOOKMARKS, Taker.take_pending_bookmark),
    (tables.PENDING_DELETIONS, Taker.take_deletion),
)
_LUA_SESSION = (
    "bookHash",
    "bookTitle",
    "bookId",
    "koreaderBookId",
    "bookType",
    "startTime",
    "endTime",
    "durationSeconds",
    "startProgress",
    "endProgress",
    "startLocation",
    "endLocation",
)


def decline(store: Store) -> None:
    """The reader does not want it: it is not offered again, but can still be asked for."""
    if settings.get(store, settings.PLUGIN_IMPORT) is None:
        with store.transaction():
            settings.put(store, settings.PLUGIN_IMPORT, records.DECLINED)


def import_plugin(folder: Folder, store: Store, root: str | None, result: Result, now: int, deadline: float) -> None:
    """Takes what is in KOReader's folder `root`, by default the one that the data folder lies in.

    Raises ValueError if there is nothing, OSError, or what the store raises; what was taken until then stays.
    """
    root = root or koreader_folder(folder)
    found = find(folder.disk, root)
    if found is None:
        raise ValueError(texts.plugin_not_found(root))
    _Import(folder, store, found, result, now, deadline).run()


class _Import:
    """One run of the import."""

    def __init__(self, folder: Folder, store: Store, found: Found, result: Result, now: int, deadline: float) -> None:
        self._folder = folder
        self._store = store
        self._found = found
        self._result = result
        self._now = now
        self._deadline = deadline
        self._keeper = Keeper(folder.disk, folder.secrets)
        self._report = Report()
        self._notes: list[str] = []
        self._problems: list[str] = []
        self._complete = True
        self._read_any = False
        self._holds_secrets = False
        self._first = settings.get(store, settings.PLUGIN_IMPORT) != records.DONE

    def run(self) -> None:
        database = self._open_database()
        try:
            self._run(database)
        except Unreadable as problem:
            self._complain(problem)
        finally:
            if database is not None:
                database.close()
        self._finish()

    def _run(self, database: OpenDatabase | None) -> None:
        values = self._lua_settings()
        if database is not None:
            values.update(self._database_settings(database))
        meaning = plugin_settings.read(values)
        if not meaning.hardcover_token:
            meaning.hardcover_token = plugin_settings.token(read_token(self._folder.disk, self._found.root))
        self._holds_secrets = bool(meaning.account.password or meaning.koreader.password or meaning.hardcover_token)
        self._take_accounts(meaning)
        with self._store.transaction():
            self._take_settings(meaning)
            trusts_ids = self._trusts_ids(meaning)
        taker = Taker(self._store, self._folder.disk, self._report, trusts_ids, self._first, self._now)
        if database is not None:
            self._take_database(taker, database)
        if self._found.cache is not None and self._complete:
            self._take_cache(taker, self._found.cache)

    # Sources

    def _open_database(self) -> OpenDatabase | None:
        if self._found.database is None:
            return None
        try:
            database = open_database(self._folder.disk, self._found.database, self._folder.path)
        except Unreadable as problem:
            self._complain(problem)
            return None
        self._read_any = True
        return database

    def _complain(self, problem: Unreadable) -> None:
        self._problems.append(texts.plugin_unreadable(problem.file, problem.cause))
        self._complete = self._complete and not problem.again

    def _read_lua(self, path: str) -> Table:
        try:
            table = read_lua(self._folder.disk, path)
        except Unreadable as problem:
            self._complain(problem)
            return {}
        except OSError as problem:
            self._problems.append(texts.plugin_unreadable(path, str(problem.strerror)))
            return {}
        self._read_any = True
        return table

    def _lua_settings(self) -> dict[str, str]:
        if self._found.settings is None:
            return {}
        values: dict[str, str] = {}
        for key, value in self._read_lua(self._found.settings).items():
            if isinstance(key, str) and not isinstance(value, dict) and len(values) < SETTINGS_MAX:
                values[key] = _as_text(value)
        return values

    def _database_settings(self, database: OpenDatabase) -> dict[str, str]:
        values: dict[str, str] = {}
        try:
            for _, key, value in database.database.rows(tables.SETTINGS, -1, SETTINGS_MAX):
                if isinstance(key, str) and value is not None and not isinstance(value, bytes):
                    values[key] = _as_text(value)
        except tables.Damaged as problem:
            self._problems.append(texts.plugin_table_damaged(database.path, tables.SETTINGS, str(problem)))
        database.check()
        return values

    # Settings and accounts

    def _take_accounts(self, meaning: Meaning) -> None:
        secrets = self._keeper.load_all()
        changed = False
        account = meaning.account
        if account.is_whole() and not secrets.has_account():
            server = _server(account.server)
            if server is None:
                self._notes.append(texts.PLUGIN_ADDRESS_REFUSED)
            else:
                new = Secrets(server, account.user, account.password, secrets.extra_ca_pem)
                new.keep_others_of(secrets)
                secrets, changed = new, True
                self._notes.append(texts.PLUGIN_ACCOUNT_TAKEN)
        elif account.server and not account.is_whole() and not secrets.has_account():
            self._notes.append(texts.PLUGIN_ACCOUNT_INCOMPLETE)
        if meaning.koreader.user and not secrets.koreader_user:
            secrets.koreader_user, secrets.koreader_password = meaning.koreader.user, meaning.koreader.password
            changed = True
            self._notes.append(texts.PLUGIN_KOREADER_ACCOUNT_KEPT)
        if meaning.hardcover_token and not secrets.hardcover_token:
            secrets.hardcover_token = meaning.hardcover_token
            changed = True
            self._notes.append(texts.PLUGIN_HARDCOVER_TOKEN_KEPT)
        if changed:
            self._keeper.save(secrets)

    def _take_settings(self, meaning: Meaning) -> None:
        if texts.PLUGIN_ACCOUNT_TAKEN in self._notes:
            settings.forget_problems(self._store)
        for key in sorted(meaning.preferences):
            if not preferences.is_set(self._store, key):
                preferences.save(self._store, key, meaning.preferences[key])
                self._notes.append(texts.preference_set(key, meaning.preferences[key]))
                if key in meaning.changed:
                    self._notes.append(texts.plugin_setting_changed(key))
        for key in meaning.unusable if self._first else ():
            self._notes.append(texts.plugin_setting_unusable(key))
        if meaning.enabled is False and self._first:
            self._notes.append(texts.PLUGIN_WAS_OFF)
        for key, value in meaning.kept.items():
            if settings.get(self._store, records.KEPT + key) is None:
                settings.put(self._store, records.KEPT + key, value)

    def _trusts_ids(self, meaning: Meaning) -> bool:
        """Whether what the old plugin knew of its server is true of our account: the books' ids, and what was sent."""
        account = self._keeper.load()
        if account is None or _server(meaning.account.server) != account.server:
            return False
        if meaning.account.user and meaning.account.user != account.user:
            return False
        matches_of = settings.get(self._store, settings.MATCHES_OF)
        if matches_of is None:
            settings.put(self._store, settings.MATCHES_OF, account.owner())
        return matches_of in (None, account.owner())

    # Rows

    def _take_database(self, taker: Taker, database: OpenDatabase) -> None:
        step, rowid = self._begin(database)
        for number, (table, take) in enumerate(STEPS):
            if number >= step and self._complete:
                self._take_table(taker, database, number, table, take, rowid if number == step else -1)
        strangers = database.database.strangers
        if strangers and self._complete:
            self._notes.append(texts.plugin_newer_tables(len(strangers)))

    def _take_table(
        self,
        taker: Taker,
        database: OpenDatabase,
        number: int,
        table: str,
        take: Callable[[Taker, Row], None],
        after_rowid: int,
    ) -> None:
        """Raises Unreadable when the file changed while it was read."""
        rows = PIECE_ROWS
        while rows == PIECE_ROWS and self._has_time():
            rows = 0
            with self._store.transaction():
                try:
                    for row in database.database.rows(table, after_rowid, PIECE_ROWS):
                        take(taker, row)
                        rows += 1
                        after_rowid = row[0] if isinstance(row[0], int) else after_rowid
                except tables.Damaged as problem:
                    self._problems.append(texts.plugin_table_damaged(database.path, table, str(problem)))
                    rows = 0
                database.check()
                settings.put(self._store, records.MARK, f"{number} {after_rowid} {database.stamp}")

    def _has_time(self) -> bool:
        """Whether to go on with the next piece; the next import goes on with it else."""
        if time.monotonic() > self._deadline - SPARE_S:
            self._complete = False
        return self._complete

    def _begin(self, database: OpenDatabase) -> tuple[int, int]:
        """(step, rowid) from which an import that was interrupted goes on, if the file is still the same."""
        step, _, rest = (settings.get(self._store, records.MARK) or "").partition(" ")
        rowid, _, stamp = rest.partition(" ")
        if stamp != database.stamp or not step.isdigit() or not rowid.lstrip("-").isdigit():
            return 0, -1
        return int(step), int(rowid)

    def _take_cache(self, taker: Taker, path: str) -> None:
        """The books and waiting sessions that the old plugin kept before it had a database."""
        table = self._read_lua(path)
        books = _books_of_cache(table.get("book_cache"))
        for at in range(0, len(books), PIECE_ROWS):
            if self._has_time():
                with self._store.transaction():
                    for book in books[at : at + PIECE_ROWS]:
                        taker.take_book(book)
        sessions = sequence(table.get("pending_sessions"))[:LUA_ITEMS_MAX]
        for at in range(0, len(sessions), PIECE_ROWS):
            if self._has_time():
                with self._store.transaction():
                    for session in sessions[at : at + PIECE_ROWS]:
                        taker.take_session(_session_of_cache(session))

    # What came of it

    def _finish(self) -> None:
        if self._complete:
            with self._store.transaction():
                settings.put(self._store, settings.PLUGIN_IMPORT, records.DONE)
                mark_sources.forget(self._store)  # which of the marks in them have been sent is known only now
                settings.remove(self._store, records.MARK)
        elif not self._problems:
            self._notes.append(texts.PLUGIN_UNFINISHED)
        say = self._result.say
        if self._read_any:
            say(protocol.INFO, texts.plugin_taken(self._report.taken))
        else:
            self._result.outcome = protocol.FAILED
        for problem in self._problems:
            say(protocol.WARNING, problem)
        for note in self._notes:
            say(protocol.INFO, note)
        for kind, count in self._report.pending.items():
            say(protocol.INFO, texts.plugin_marks_kept(kind, count))
        for (what, reason), count in self._report.left.items():
            say(protocol.INFO, texts.plugin_left(what, count, reason))
        self._bring_back_the_rest()
        if self._holds_secrets:
            say(protocol.INFO, texts.plugin_holds_secrets(self._found.names()))

    def _bring_back_the_rest(self) -> None:
        from device.importing import plugin_rest  # only few have imported KOReader's statistics before

        if not plugin_rest.is_owed(self._store):
            return
        lines = [texts.PLUGIN_REST_LATER]
        if self._complete:
            lines = plugin_rest.bring_back(self._folder, self._store, self._result, self._now, self._deadline)
        for line in lines:
            self._result.say(protocol.INFO, line)


def _as_text(value: Value) -> str:
    """A setting as the old plugin's database holds it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _server(text: str) -> str | None:
    """An address as our account has it; None if it is none."""
    try:
        return str(address.parse(text))
    except ValueError:
        return None  # its text would quote the address, which may hold a password


def _books_of_cache(cache: Value | None) -> list[OldBook]:
    """`file_hashes` leads from paths to hashes, `book_ids` from hashes to the server's ids."""
    hashes = cache.get("file_hashes") if isinstance(cache, dict) else None
    ids = cache.get("book_ids") if isinstance(cache, dict) else None
    found: list[OldBook] = []
    for path, hash in hashes.items() if isinstance(hashes, dict) else ():
        id = ids.get(hash) if isinstance(ids, dict) and isinstance(hash, str) else None
        book = plugin_rows.book((path, hash, id, None, None, None, None, None, None))
        if not isinstance(book, str) and len(found) < LUA_ITEMS_MAX:
            found.append(book)
    return found


def _session_of_cache(session: Value) -> OldSession | str:
    fields = session if isinstance(session, dict) else {}
    return plugin_rows.pending_session(tuple(fields.get(name) for name in _LUA_SESSION))
