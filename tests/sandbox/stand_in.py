"""The stand-in server as tests and the demo use it.

Promises: started, it answers as its dialect does at `url`; stopped, its port is free and its threads have ended. It
starts again on the same port with the same data, as a server that was restarted. A bug of its own, met while
answering, is raised at the end of the `with` block.
Never: listens on anything but `host`; opens a connection itself.
Called by: tests (`from tests.sandbox import StandIn`) and `__main__`.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from types import TracebackType

from tests.sandbox import accounts, opds
from tests.sandbox.calls import ServerSettings
from tests.sandbox.clock import Clock
from tests.sandbox.database import IN_MEMORY, Database
from tests.sandbox.dialects import DIALECTS
from tests.sandbox.dispatch import Dispatcher
from tests.sandbox.faults import PORTAL_ADDRESS, Fault, FaultPlan, When
from tests.sandbox.http_server import HttpServer
from tests.sandbox.reading_sessions import all_sessions
from tests.sandbox.recorder import RecordedRequest, Recorder
from tests.sandbox.schema import TABLES_OF_A_BOOK

DEFAULT_LIBRARY = "Library"
SECRET_BYTES = 32


class StandIn:
    def __init__(
        self,
        dialect: str = "booklore",
        database: str | Path = IN_MEMORY,
        tls: tuple[str | Path, str | Path] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Clock | None = None,
    ) -> None:
        self.dialect = DIALECTS[dialect]
        self.clock = clock or Clock()
        self.settings = ServerSettings()
        self.recorder = Recorder()
        self._database = Database(database)
        self._faults = FaultPlan()
        self._dispatcher = Dispatcher(
            self.dialect, self.settings, self._database, self.clock, self._secret(), self.recorder
        )
        certificate_and_key = None if tls is None else (Path(tls[0]), Path(tls[1]))
        self.http = HttpServer(self._dispatcher.answer, self._faults, self.recorder, self.clock, certificate_and_key)
        self.http.on_restart = self._dispatcher.forget_failures
        self._scheme = "http" if tls is None else "https"
        self.may_call_home = False  # nobody should ask for the newest version; a test that does says so
        self._host = host
        self._port = port

    def __enter__(self) -> StandIn:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if error is None and self.settings.called_home and not self.may_call_home:
            raise AssertionError("somebody asked /api/v1/version, which makes the server call another host")
        if error is None and self.defects:
            raise AssertionError("the stand-in itself failed:\n" + "\n".join(self.defects))

    def start(self) -> None:
        self._port = self.http.start(self._host, self._port)

    def stop(self) -> None:
        self.http.stop()

    def restart(self, down_s: float = 0.0) -> None:
        """As a server that is updated: connections end, failed logins are forgotten, data and tokens stay.

        In the middle of a run, the fault `restart` does the same.
        """
        self.stop()
        time.sleep(down_s)
        self._dispatcher.forget_failures()
        self.start()

    @property
    def url(self) -> str:
        """Address without a slash at the end; the port is known once the server has started."""
        return f"{self._scheme}://{self._host}:{self._port}"

    @property
    def port(self) -> int:
        return self._port

    @property
    def defects(self) -> list[str]:
        return self._dispatcher.defects

    # What the library holds

    def add_library(self, name: str) -> int:
        with self._database.transaction() as database:
            return int(database.execute("INSERT INTO library (name) VALUES (?) RETURNING id", (name,)).fetchone()["id"])

    def add_user(
        self,
        username: str,
        password: str,
        permissions: Collection[str] = accounts.ORDINARY_PERMISSIONS,
        libraries: Collection[int] | None = None,
    ) -> int:
        """A user with the named permissions, assigned to `libraries` or else to the one where books go by default."""
        assigned = [self._default_library()] if libraries is None else libraries
        with self._database.transaction() as database:
            return accounts.create_user(database, username, password, permissions, assigned)

    def add_opds_account(self, user_id: int, username: str, password: str) -> int:
        """The separate account for OPDS and Komga's list."""
        with self._database.transaction() as database:
            return opds.create_opds_account(database, user_id, username, password)

    def has_user(self, username: str) -> bool:
        with self._database.transaction() as database:
            return database.execute("SELECT 1 FROM user WHERE username = ?", (username,)).fetchone() is not None

    def add_koreader_account(
        self, user_id: int | None, username: str, password: str, *, sync_enabled: bool = True
    ) -> None:
        """The separate account for `x-auth-user` and `x-auth-key`."""
        with self._database.transaction() as database:
            accounts.create_koreader_account(database, user_id, username, password, sync_enabled)

    def add_book(
        self,
        *,
        title: str,
        authors: Sequence[str] = (),
        isbn13: str | None = None,
        isbn10: str | None = None,
        file_name: str = "book.epub",
        size_kb: int = 123,
        book_type: str = "EPUB",
        series_name: str | None = None,
        series_number: float | None = None,
        file_hash: str | None = None,
        library_id: int | None = None,
        subtitle: str | None = None,
        language: str | None = "en",
        page_count: int | None = None,
        publisher: str | None = None,
        published_date: str | None = None,
        hardcover_id: str | None = None,
        hardcover_book_id: int | str | None = None,
    ) -> int:
        """`hardcover_id` is Hardcover's name for it in addresses, `hardcover_book_id` its number."""
        library = self._default_library() if library_id is None else library_id
        now_s = int(self.clock.now())
        with self._database.transaction() as database:
            book_id = database.execute(
                "INSERT INTO book (library_id, title, authors, isbn13, isbn10, series_name, series_number, subtitle,"
                " language, page_count, publisher, published_date, hardcover_id, hardcover_book_id, added_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (
                    library, title, json.dumps(list(authors)), isbn13, isbn10, series_name, series_number, subtitle,
                    language, page_count, publisher, published_date, hardcover_id,
                    None if hardcover_book_id is None else str(hardcover_book_id), now_s,
                ),
            ).fetchone()["id"]  # fmt: skip
            _add_file(database, book_id, file_name, book_type, size_kb, file_hash, True, now_s)
            return int(book_id)

    def add_format(
        self, book_id: int, *, file_name: str, book_type: str = "PDF", size_kb: int = 123, file_hash: str | None = None
    ) -> int:
        """Another file of a book, one of its `alternativeFormats`."""
        with self._database.transaction() as database:
            now_s = int(self.clock.now())
            return _add_file(database, book_id, file_name, book_type, size_kb, file_hash, False, now_s)

    def put_file(self, book_id: int, file: Path) -> None:
        """The EPUB itself, so that the stand-in's page can show its highlights where they are."""
        self._dispatcher.web_reader.add(book_id, file)

    def set_hash(self, book_id: int, file_hash: str | None) -> None:
        """As after the server has written metadata into the file: the old hash finds nothing any more."""
        with self._database.transaction() as database:
            database.execute(
                "UPDATE book_file SET current_hash = ? WHERE book_id = ? AND is_primary", (file_hash, book_id)
            )

    def set_metadata(self, book_id: int, **columns: object) -> None:
        """As after somebody has edited the book: columns of the table `book`."""
        with self._database.transaction() as database:
            for name, value in columns.items():
                database.execute(f"UPDATE book SET {name} = ? WHERE id = ?", (value, book_id))

    # What an administrator does

    def set_komga(self, on: bool) -> None:
        """The switch of Komga's list, which is off at first."""
        self.settings.komga_enabled = on

    def set_opds(self, on: bool) -> None:
        self.settings.opds_enabled = on

    def set_version(self, version: str) -> None:
        """The server was updated: the health check tells another version."""
        self.settings.version = version

    def set_permissions(self, username: str, permissions: Collection[str]) -> None:
        with self._database.transaction() as database:
            accounts.set_permissions(database, username, permissions)

    def set_libraries(self, username: str, libraries: Collection[int]) -> None:
        """Assigns these libraries and no others."""
        with self._database.transaction() as database:
            accounts.set_libraries(database, username, libraries)

    def set_password(self, username: str, password: str) -> None:
        with self._database.transaction() as database:
            database.execute("UPDATE user SET password = ? WHERE username = ?", (password, username))

    def lock_login(self, username: str) -> None:
        """As after five wrong passwords: for a quarter of an hour every login of this name is a 429."""
        self._dispatcher.lock_login(username)

    def revoke_tokens(self) -> None:
        """Every token that was given out is worth nothing any more."""
        with self._database.transaction() as database:
            database.execute("UPDATE refresh_token SET revoked = 1")
            database.execute(
                "UPDATE meta SET value = ? WHERE name = 'token secret'", (secrets.token_hex(SECRET_BYTES),)
            )
        self._dispatcher.use_secret(self._secret())

    # What a reader does in the web app. `at` is when, in epoch seconds; now by default.

    def rate_on_web(self, username: str, book_id: int, rating: int | None, at: float | None = None) -> None:
        """1 to 10 stars, or none."""
        body = {"ids": [book_id], "rating": rating}
        self._dispatcher.act(username, "PUT", "/api/v1/books/personal-rating", body, at)

    def status_on_web(self, username: str, book_id: int, status: str, at: float | None = None) -> None:
        body = {"bookIds": [book_id], "status": status}
        self._dispatcher.act(username, "POST", "/api/v1/books/status", body, at)

    def progress_on_web(
        self, username: str, book_id: int, percent: float, at: float | None = None, *, position: str | None = None
    ) -> None:
        """Reads to `percent` in the web reader; `position` is its CFI, or a page's number in books of pages."""
        progress = {"progressPercent": percent, "positionData": position}
        body = {"bookId": book_id, "fileProgress": progress}
        self._dispatcher.act(username, "POST", "/api/v1/books/progress", body, at)

    def mark_on_web(self, username: str, method: str, path: str, body: dict[str, object] | None = None) -> None:
        """She makes, changes or deletes a highlight, a note or a bookmark there; `path` as the web page asks for it."""
        self._dispatcher.act(username, method, path, body or {}, None)

    def koreader_progress(
        self, username: str, book_id: int, fraction: float, progress: str | None = None, at: float | None = None
    ) -> None:
        """Another device of hers tells how far it is, by KOReader's own progress sync. Sets the read status anew."""
        with self._database.transaction() as database:
            database.execute(
                "UPDATE book_file SET current_hash = ? WHERE book_id = ? AND is_primary AND current_hash IS NULL",
                (f"{book_id:032x}", book_id),
            )
            row = database.execute(
                "SELECT current_hash FROM book_file WHERE book_id = ? AND is_primary", (book_id,)
            ).fetchone()
        body = {"document": row["current_hash"], "percentage": fraction, "progress": progress, "device": "Kindle"}
        self._dispatcher.act(username, "PUT", "/api/koreader/syncs/progress", body, at)

    def has_file(self, file_name: str) -> bool:
        with self._database.transaction() as database:
            found = database.execute("SELECT 1 FROM book_file WHERE file_name = ?", (file_name,)).fetchone()
            return found is not None

    def remove_book(self, book_id: int) -> None:
        """With everything that hangs on it, as the servers' databases do."""
        with self._database.transaction() as database:
            database.execute("DELETE FROM book WHERE id = ?", (book_id,))
            for table in TABLES_OF_A_BOOK:
                database.execute(f"DELETE FROM {table} WHERE book_id = ?", (book_id,))

    # What arrived

    def marks(self, table: str) -> list[dict[str, object]]:
        """Every reader's rows of `annotation`, `in_book_note`, `book_note` or `bookmark`, in the order of arrival."""
        with self._database.transaction() as database:
            return [dict(row) for row in database.execute(f"SELECT * FROM {table} ORDER BY id")]

    def state(self, book_id: int) -> dict[str, object]:
        """What the one reader who has something of a book has of it: rating, status, progress."""
        with self._database.transaction() as database:
            rows = database.execute("SELECT * FROM user_book WHERE book_id = ?", (book_id,)).fetchall()
            return dict(rows[0]) if rows else {}

    def sessions(self, book_id: int | None = None) -> list[dict[str, object]]:
        """Reading sessions of all readers in the order in which they came, with the fields of the API and `userId`."""
        with self._database.transaction() as database:
            return all_sessions(database, book_id, self.settings.utc_offset_s)

    def changes(self) -> int:
        """A number that has grown when anything the server knows has changed."""
        return self._database.changes()

    def snapshot(self) -> bytes:
        """Everything the server knows, for `restore`: a client that starts again after a crash meets it as it was."""
        return self._database.snapshot()

    def restore(self, snapshot: bytes) -> None:
        self._database.restore(snapshot)
        self._dispatcher.forget_failures()

    @property
    def requests(self) -> list[RecordedRequest]:
        return self.recorder.requests()

    @property
    def connections(self) -> int:
        return self.recorder.connections

    @property
    def asked(self) -> list[str]:
        """What was asked, as `GET /api/v1/books`, in order."""
        return [f"{request.method} {request.path}" for request in self.requests]

    def opds_accounts(self) -> list[dict[str, object]]:
        with self._database.transaction() as database:
            return [dict(row) for row in database.execute("SELECT * FROM opds_user ORDER BY id")]

    def koreader_accounts(self) -> list[dict[str, object]]:
        with self._database.transaction() as database:
            return [dict(row) for row in database.execute("SELECT * FROM koreader_user ORDER BY id")]

    # What goes wrong

    def fault(
        self,
        when: When,
        do: str,
        times: int | None = 1,
        *,
        seconds: float = 30.0,
        status: int = 500,
        location: str = PORTAL_ADDRESS,
    ) -> None:
        """Puts one of `faults.FAULTS` before the next `times` requests (None: all) for which `when` is true.

        `when` gets method, path, and the how manieth request of this method and path it is, from 1.
        """
        self._faults.add(Fault(when, do, times, seconds, status, location))

    def forget_faults(self) -> None:
        """Those that have not met their request never will."""
        self._faults.forget()

    def _default_library(self) -> int:
        with self._database.transaction() as database:
            database.execute("INSERT OR IGNORE INTO library (name) VALUES (?)", (DEFAULT_LIBRARY,))
            found = database.execute("SELECT id FROM library WHERE name = ?", (DEFAULT_LIBRARY,)).fetchone()
            return int(found["id"])

    def _secret(self) -> bytes:
        """The key that signs tokens; it lives in the database, so that tokens outlive a restart."""
        with self._database.transaction() as database:
            database.execute(
                "INSERT OR IGNORE INTO meta VALUES ('token secret', ?)", (secrets.token_hex(SECRET_BYTES),)
            )
            found = database.execute("SELECT value FROM meta WHERE name = 'token secret'").fetchone()
            return bytes.fromhex(found["value"])


def _add_file(
    database: sqlite3.Connection,
    book_id: int,
    file_name: str,
    book_type: str,
    size_kb: int,
    file_hash: str | None,
    is_primary: bool,
    now_s: int,
) -> int:
    row = database.execute(
        "INSERT INTO book_file (book_id, file_name, book_type, size_kb, current_hash, is_primary, added_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (book_id, file_name, book_type, size_kb, file_hash, is_primary, now_s),
    ).fetchone()
    return int(row["id"])
