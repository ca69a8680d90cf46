"""A reader with an account at Hardcover: her wishes put into the store, her menu and her questions read.

Called by: the tests of Hardcover.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from device.core.journal import Book
from device.disk import Disk
from device.store import books, database, hardcover
from tests.reader import Reader
from tests.sandbox import StandIn
from tests.sandbox.hardcover import TOKEN, HardcoverStandIn

MOBY_FILE, EMMA_FILE = "/mnt/onboard/Moby Dick.epub", "/mnt/onboard/Emma.epub"
MOBY_ISBN, MOBY_ISBN_10 = "9780142437247", "0142437247"
MOBY_ID, EMMA_ID = 501, 502
CURRENTLY_READING, READ = 2, 3


@contextlib.contextmanager
def library_server() -> Iterator[StandIn]:
    """The BookLore that the reader's account is at."""
    with StandIn(dialect="booklore") as server:
        server.add_user("anna", "secret")
        yield server


@contextlib.contextmanager
def hardcover_server() -> Iterator[HardcoverStandIn]:
    with HardcoverStandIn() as there:
        there.add_book(MOBY_ID, "Moby-Dick; or, The Whale", "Herman Melville", isbns=[MOBY_ISBN], year=1851)
        there.add_book(EMMA_ID, "Emma", "Jane Austen", year=1815)
        yield there


def member_of(there: HardcoverStandIn, server: StandIn, data: Path) -> Reader:
    """A reader whose token has been taken."""
    reader = Reader(data)
    reader.configure(server.url)
    put_token(reader, there)
    reader.run("sync")
    return reader


def put_token(reader: Reader, there: HardcoverStandIn, text: str = TOKEN) -> None:
    (reader.data / "hardcover_token.txt").write_text(f"{text}\nserver = {there.url}\n")


def wants(
    reader: Reader,
    field: str,
    value: str | int | None,
    title: str = "Moby Dick",
    author: str = "Herman Melville",
    isbn: str | None = MOBY_ISBN,
) -> None:
    """What agreeing with the server on a rating or status does."""
    store = database.open_store(Disk(), str(reader.data / "state.sqlite"), 0)
    with store.transaction():
        identifiers = [f"ISBN:{isbn}"] if isbn else []
        book = Book(f"/mnt/onboard/{title}.epub", "epub", title, [author] if author else [], identifiers, None, None)
        hardcover.want(store, books.remember(store, book), field, value, int(time.time()))
    store.close()


def wants_for_emma(reader: Reader, field: str, value: str | int | None) -> None:
    wants(reader, field, value, "Emma", "Jane Austen", None)


def change(reader: Reader, statement: str, *values: Any) -> None:
    with contextlib.closing(sqlite3.connect(reader.data / "state.sqlite")) as store, store:
        store.execute(statement, values)


def hardcover_id(reader: Reader, title: str = "Moby Dick") -> int | None:
    with contextlib.closing(sqlite3.connect(reader.data / "state.sqlite")) as store:
        found: int | None = store.execute("SELECT hardcover_id FROM book WHERE title = ?", (title,)).fetchone()[0]
        return found


def everything_the_reader_could_see(reader: Reader) -> str:
    files = [path for path in reader.data.rglob("*") if path.is_file() and path.name != "secrets.json"]
    return "".join(path.read_bytes().decode("utf-8", "replace") for path in files)


def insert_server_book(reader: Reader, server_id: int, hardcover_id: int) -> None:
    """A book of the server's library of which nothing but its number at Hardcover is known."""
    with contextlib.closing(sqlite3.connect(reader.data / "state.sqlite")) as store, store:
        columns = [name for _, name, _, needed, default, key in store.execute("PRAGMA table_info(server_book)")
                   if needed and default is None and not key]  # fmt: skip
        store.execute(
            f"INSERT INTO server_book (server_id, hardcover_id, {', '.join(columns)})"
            f" VALUES (?, ?{', ?' * len(columns)})",
            (server_id, hardcover_id, *[""] * len(columns)),
        )


def menu_items(reader: Reader) -> list[dict[str, Any]]:
    menu = json.loads((reader.data / "menu.json").read_text())
    section = [item for item in menu["items"] if item.get("id") == "hardcover"]
    items: list[dict[str, Any]] = section[0]["items"] if section else []
    return items


def offered(reader: Reader, file: str = MOBY_FILE, value: str | None = None) -> list[tuple[Any, str]]:
    """What the question on the device offers."""
    result = reader.run_job("hardcover", "tap", book=file, arguments={} if value is None else {"value": value})
    [question] = result["questions"]
    return [
        (answer["arguments"]["value"], answer["label"])
        for answer in question["answers"]
        if isinstance(answer["arguments"].get("value"), int)
    ]
