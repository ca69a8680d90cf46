"""Which book on the server a file is: what is asked for it, how often, and what comes of it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.make_books import make_book
from tests.reader import EMMA, MOBY, Reader
from tests.sandbox import StandIn

DIALECTS = ("booklore", "grimmory", "worldteacher")
MD5, OTHER_MD5 = "0123456789abcdef" * 2, "fedcba9876543210" * 2


class Shelf:
    """A server with two books, and a device that is set up for it."""

    def __init__(self, dialect: str, folder: Path) -> None:
        self.server = StandIn(dialect=dialect)
        self.server.add_user("anna", "secret")
        self.moby = self.server.add_book(
            title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247", file_hash=MD5, size_kb=800
        )
        self.emma = self.server.add_book(title="Emma", authors=["Jane Austen"], isbn13="9780141439587")
        self.reader = Reader(folder / "bookloresync")

    def sync(self, reason: str = "close") -> dict[str, Any]:
        return self.reader.run_job("sync", reason)

    def asked(self, part: str) -> int:
        return sum(part in request.path for request in self.server.requests if request.method == "GET")

    def library_readings(self) -> int:
        return sum(request.path in ("/api/v1/books", "/api/v1/books/page") for request in self.server.requests)

    def of_books(self, column: str) -> list[Any]:
        with contextlib.closing(sqlite3.connect(self.reader.data / "state.sqlite")) as store:
            return [row[0] for row in store.execute(f"SELECT {column} FROM book ORDER BY id")]

    def run_sql(self, statement: str) -> list[Any]:
        with contextlib.closing(sqlite3.connect(self.reader.data / "state.sqlite")) as store, store:
            return store.execute(statement).fetchall()


def started(dialect: str, folder: Path) -> Iterator[Shelf]:
    shelf = Shelf(dialect, folder)
    with shelf.server:
        shelf.reader.configure(shelf.server.url)
        yield shelf


@pytest.fixture(params=DIALECTS)
def any_shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    yield from started(request.param, tmp_path)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    yield from started("booklore", tmp_path)


@pytest.fixture
def grimmory(tmp_path: Path) -> Iterator[Shelf]:
    yield from started("grimmory", tmp_path)


@pytest.fixture
def image(tmp_path: Path) -> Iterator[Shelf]:
    yield from started("worldteacher", tmp_path)


# The rules, as they are met on the way


def test_a_book_is_found_by_its_isbn_and_called_what_the_server_calls_it(any_shelf: Shelf) -> None:
    any_shelf.reader.reads(**MOBY)
    assert any_shelf.sync()["counts"]["sent"] == 1
    assert any_shelf.of_books("matched_by || ' ' || server_id || ' ' || server_title") == [
        f"ISBN {any_shelf.moby} Moby Dick"
    ]


def test_the_image_is_asked_for_the_fingerprint_and_its_library_stays_unread(image: Shelf) -> None:
    image.reader.reads(title="Wal", fingerprint=MD5, size_bytes=800 * 1024)
    assert image.sync()["counts"]["sent"] == 1
    assert image.of_books("matched_by") == ["hash"]
    assert image.library_readings() == 0


def test_the_fingerprint_of_another_file_is_not_believed(image: Shelf) -> None:
    """KOReader of 2026 gives a book that is opened from within another the other's."""
    image.reader.reads(title="Wal", fingerprint=MD5, size_bytes=300 * 1024)
    assert image.sync()["counts"]["sent"] == 0
    assert image.of_books("server_id") == [None]


def test_komgas_list_tells_the_fingerprints_where_it_is_switched_on(shelf: Shelf) -> None:
    shelf.server.set_komga(True)
    shelf.reader.reads(title="Wal", fingerprint=MD5, size_bytes=800 * 1024)
    assert shelf.sync()["counts"]["sent"] == 1
    assert shelf.of_books("matched_by") == ["hash"]


def test_the_isbn_within_the_epub_itself_finds_its_book(shelf: Shelf, tmp_path: Path) -> None:
    file = epub(tmp_path / "e.epub", "9780141439587")
    shelf.reader.reads(title="Emma", language="", file=file)
    assert shelf.sync()["counts"]["sent"] == 1
    assert shelf.of_books("matched_by") == ["ISBN"]


def test_an_epub_is_read_again_only_when_it_has_changed(shelf: Shelf, tmp_path: Path) -> None:
    file = epub(tmp_path / "e.epub", "9780142437247")
    shelf.reader.reads(title="Emma", language="", file=file)
    shelf.sync()
    [stamp] = shelf.of_books("package_stamp")
    shelf.run_sql("UPDATE book SET file_identifiers = ''")
    shelf.sync("tap")
    assert shelf.of_books("package_stamp || file_identifiers") == [stamp]
    epub(tmp_path / "e.epub", "9780141439587")
    os.utime(file, (1_795_000_000, 1_795_000_000))
    assert shelf.sync("tap")["counts"]["sent"] == 1


def epub(path: Path, isbn: str) -> str:
    make_book(path, title="Emma", authors=["Jane Austen"], isbn=isbn, chapters=[("I", ["Emma Woodhouse."])])
    return str(path)


def test_a_file_that_the_server_has_changed_keeps_its_match(any_shelf: Shelf) -> None:
    any_shelf.reader.reads(**MOBY, fingerprint=MD5, size_bytes=800 * 1024)
    any_shelf.sync()
    any_shelf.reader.reads(**MOBY, start=1_795_100_000, fingerprint=OTHER_MD5, size_bytes=812 * 1024)
    assert any_shelf.sync()["counts"]["sent"] == 1
    assert any_shelf.of_books("server_id") == [any_shelf.moby]
    assert any_shelf.run_sql("SELECT COUNT(*) FROM book_fingerprint") == [(2,)]


# How often the library is read


def test_a_book_that_is_not_there_makes_the_library_be_read_once_a_day(any_shelf: Shelf) -> None:
    any_shelf.reader.reads(title="Persuasion", authors=["Jane Austen"])
    for start in range(3):
        any_shelf.reader.reads(**EMMA, start=1_795_100_000 + start * 1000)
        any_shelf.sync()
    assert any_shelf.library_readings() == 1
    any_shelf.run_sql("UPDATE setting SET value = value - 90000 WHERE key = 'library_read_at'")
    any_shelf.reader.reads(**EMMA, start=1_795_200_000)
    any_shelf.sync()
    assert any_shelf.library_readings() == 2


def test_a_new_book_is_looked_for_in_what_was_read_in_the_last_ten_minutes(shelf: Shelf) -> None:
    shelf.reader.reads(**MOBY)
    shelf.sync()
    shelf.reader.reads(**EMMA, start=1_795_100_000)
    assert shelf.sync()["counts"]["sent"] == 1
    assert shelf.library_readings() == 1
    shelf.run_sql("UPDATE setting SET value = value - 700 WHERE key = 'library_read_at'")
    shelf.reader.reads(title="Persuasion", authors=["Jane Austen"], start=1_795_200_000)
    shelf.sync()
    assert shelf.library_readings() == 2


def test_a_tap_reads_the_library_if_it_is_older_than_a_minute(shelf: Shelf) -> None:
    shelf.reader.reads(title="Persuasion", authors=["Jane Austen"])
    shelf.sync()
    shelf.sync("tap")
    assert shelf.library_readings() == 1
    shelf.run_sql("UPDATE setting SET value = value - 61 WHERE key = 'library_read_at'")
    shelf.sync("tap")
    assert shelf.library_readings() == 2


def test_a_store_that_has_lost_the_library_reads_it_again(shelf: Shelf) -> None:
    shelf.reader.reads(title="Persuasion", authors=["Jane Austen"])
    shelf.sync()
    shelf.run_sql("DELETE FROM server_book")
    shelf.run_sql("UPDATE setting SET value = value - 601 WHERE key = 'library_read_at'")
    shelf.sync()
    assert shelf.library_readings() == 2
    assert shelf.run_sql("SELECT COUNT(*) FROM server_book") == [(2,)]


def test_a_book_that_has_vanished_is_forgotten_only_after_a_whole_reading(shelf: Shelf) -> None:
    shelf.reader.reads(title="Persuasion", authors=["Jane Austen"])
    shelf.sync()
    shelf.server.remove_book(shelf.emma)
    shelf.server.fault(when=lambda method, path, count: path == "/api/v1/books", do="truncate", times=1)
    shelf.reader.let_the_library_age()
    shelf.sync("tap")
    assert shelf.run_sql("SELECT COUNT(*) FROM server_book") == [(2,)]
    shelf.reader.let_the_library_age()
    shelf.sync("tap")
    assert shelf.run_sql("SELECT title FROM server_book") == [("Moby Dick",)]


def test_grimmory_is_asked_for_what_is_new(grimmory: Shelf) -> None:
    for number in range(150):
        grimmory.server.add_book(title=f"The House of {number}", authors=["Somebody"])
    grimmory.reader.reads(title="Persuasion", authors=["Jane Austen"])
    grimmory.sync()
    grimmory.server.clock.advance(60)
    grimmory.server.add_book(title="Persuasion", authors=["Jane Austen"])
    grimmory.reader.let_the_library_age()
    assert grimmory.sync("tap")["counts"]["sent"] == 1
    assert [grimmory.asked(path) for path in ("/api/v1/books/page",)] == [1]
    assert grimmory.run_sql("SELECT COUNT(*) FROM server_book") == [(153,)]


def test_grimmorys_library_is_read_as_a_whole_when_the_numbers_do_not_agree(grimmory: Shelf) -> None:
    grimmory.reader.reads(title="Persuasion", authors=["Jane Austen"])
    grimmory.sync()
    grimmory.server.remove_book(grimmory.emma)
    grimmory.reader.let_the_library_age()
    grimmory.sync("tap")
    assert grimmory.run_sql("SELECT title FROM server_book") == [("Moby Dick",)]


def test_another_account_starts_without_a_library(shelf: Shelf, tmp_path: Path) -> None:
    shelf.reader.reads(title="Persuasion", authors=["Jane Austen"])
    shelf.sync()
    for other in started("booklore", tmp_path / "other"):
        shelf.reader.configure(other.server.url)
        shelf.reader.reads(**EMMA, start=1_795_100_000)
        assert shelf.sync()["counts"]["sent"] == 1
        assert other.library_readings() == 1
