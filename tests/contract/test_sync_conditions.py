"""When a run goes to the server, with what, and what it remembers of the way."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device.server.http import CONNECT_S
from tests.contract.one_answer_server import OneAnswerServer
from tests.contract.test_outbox_kinds import Shelf, server_of
from tests.reader import EMMA, MOBY, Reader

SHORT_S = 10


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with server_of("booklore") as server:
        yield Shelf(server, Reader(tmp_path / "bookloresync"))


def setting(reader: Reader, key: str) -> str | None:
    with contextlib.closing(sqlite3.connect(reader.data / "state.sqlite")) as store:
        row = store.execute("SELECT value FROM setting WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])


def texts(result: dict[str, Any]) -> list[str]:
    return [message["text"] for message in result["messages"]]


def test_in_manual_mode_nothing_leaves_before_the_reader_asks(shelf: Shelf) -> None:
    shelf.reader.run("set", "sync_mode", "manual")
    shelf.reader.reads(**MOBY)
    for reason in ("close", "wake", "network", "start", "exit"):
        result = shelf.reader.run_job("sync", reason=reason)
        assert (result["outcome"], result["counts"]["waiting"], result["counts"]["sent"]) == ("done", 1, 0)
    assert shelf.server.requests == []
    assert shelf.sync()["counts"]["sent"] == 1


def test_what_was_recorded_of_a_book_that_is_switched_off_stays_on_the_device(shelf: Shelf) -> None:
    shelf.reader.reads(**MOBY)
    shelf.reader.reads(start=1_795_100_000, **EMMA)
    shelf.reader.run("ingest")
    shelf.reader.run("track", "--book", "/mnt/onboard/Moby Dick.epub", "off")
    assert shelf.sync()["counts"]["sent"] == 1
    assert [session["bookTitle"] for session in shelf.server.sessions()] == ["Emma"]
    requests = len(shelf.server.requests)
    shelf.sync()
    assert len(shelf.server.requests) == requests
    shelf.reader.run("track", "--book", "/mnt/onboard/Moby Dick.epub", "on")
    assert shelf.sync()["counts"]["sent"] == 1


@pytest.mark.parametrize(
    ("ahead_s", "words"),
    [
        (12 * 3600, "This device's clock is 12 hours behind your server's."),
        (-2 * 86_400, "This device's clock is 2 days ahead of your server's."),
        (20 * 60, "This device's clock is 20 minutes behind your server's."),
    ],
)
def test_a_reader_who_asks_is_told_that_her_clock_is_wrong(shelf: Shelf, ahead_s: int, words: str) -> None:
    shelf.server.clock.advance(ahead_s)
    shelf.reader.reads(**MOBY)
    assert texts(shelf.sync()) == [words, "1 reading session sent."]


def test_how_far_the_clocks_are_apart_is_written_down_and_said_to_nobody_who_did_not_ask(shelf: Shelf) -> None:
    shelf.server.clock.advance(3600)
    shelf.reader.reads(**MOBY)
    assert texts(shelf.reader.run_job("sync", reason="close")) == ["1 reading session sent."]
    assert abs(int(setting(shelf.reader, "clock_offset_s") or 0) - 3600) <= 2
    assert abs(int(setting(shelf.reader, "clock_measured_at") or 0) - time.time()) < 60
    assert setting(shelf.reader, "clock_boot_id") == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert int(setting(shelf.reader, "clock_uptime_s") or 0) > 0


def test_clocks_a_few_minutes_apart_are_nothing_to_talk_about(shelf: Shelf) -> None:
    shelf.server.clock.advance(200)
    shelf.reader.reads(**MOBY)
    assert texts(shelf.sync()) == ["1 reading session sent."]


def test_a_dead_host_costs_one_time_out_however_much_waits(shelf: Shelf) -> None:
    for number in range(5):
        title = f"The House of {number}"
        shelf.server.add_book(title=title, authors=["Somebody"])
        shelf.reader.reads(title=title, authors=["Somebody"], start=1_795_000_000 + number * 1000)
    shelf.sync()
    for number in range(5):
        shelf.reader.reads(title=f"The House of {number}", authors=["Somebody"], start=1_795_100_000 + number * 1000)
    before = len(shelf.server.requests)
    shelf.server.fault(when=lambda method, path, count: True, do="hang", times=None, seconds=60)
    started_s = time.monotonic()
    assert shelf.sync(deadline_s=SHORT_S)["outcome"] == "offline"
    assert time.monotonic() - started_s < SHORT_S + CONNECT_S
    assert len(shelf.server.requests) == before + 1


def test_a_book_that_breaks_the_run_off_does_so_once_and_the_next_run_begins_behind_it(shelf: Shelf) -> None:
    for book, start in ((MOBY, 1_795_000_000), (EMMA, 1_795_001_000)):
        shelf.reader.reads(start=start, **book)
    shelf.sync()
    for book, start in ((MOBY, 1_795_100_000), (EMMA, 1_795_101_000)):
        shelf.reader.reads(start=start, **book)
    shelf.server.fault(when=lambda m, p, count: m == "POST" and "sessions" in p, do="drop_request", times=1)
    shelf.sync(deadline_s=SHORT_S)
    assert len(shelf.server.sessions()) == 2
    shelf.sync(deadline_s=SHORT_S)
    assert [session["bookTitle"] for session in shelf.server.sessions()][2:] == ["Emma"]


def test_a_list_that_cannot_be_had_keeps_no_other_book_from_going_out(shelf: Shelf) -> None:
    shelf.reader.reads(**MOBY)
    shelf.reader.reads(start=1_795_001_000, **EMMA)
    shelf.sync()
    shelf.reader.reads(start=1_795_100_000, **MOBY)
    shelf.server.fault(when=lambda m, p, count: m == "POST" and "sessions" in p, do="proxy_error_before", times=1)
    shelf.sync(deadline_s=SHORT_S)
    shelf.reader.let_intents_settle()
    shelf.reader.reads(start=1_795_200_000, **EMMA)
    shelf.server.fault(when=lambda m, p, count: "/reading-sessions/book/" in p, do="error_before", times=None)
    assert shelf.sync(deadline_s=SHORT_S)["counts"] == {"recorded": 1, "sent": 1, "waiting": 1, "rejected": 0}


@pytest.mark.parametrize("kind", ["progress", "deletion"])
def test_a_portal_that_answers_everything_with_204_is_not_believed(shelf: Shelf, kind: str) -> None:
    """204 is what BookLore says to these; the portal has to prove first that it is BookLore."""
    shelf.put("rating", {"rating": 8})
    shelf.sync()
    shelf.put(kind, {"pdfProgress": {"page": 1}} if kind == "progress" else {"of": "bookmark", "id": 1})
    with OneAnswerServer() as portal:
        portal.always = b"HTTP/1.1 204 No Content\r\n\r\n"
        secrets = shelf.reader.data / "secrets.json"
        account = secrets.read_text()
        owner = f"anna at {portal.url}"
        secrets.write_text(account.replace(shelf.server.url, portal.url))
        with contextlib.closing(sqlite3.connect(shelf.reader.data / "state.sqlite")) as store, store:
            store.execute("UPDATE setting SET value = ? WHERE key = 'matches_of'", (owner,))
        result = shelf.sync(deadline_s=SHORT_S)
    assert (result["counts"]["sent"], result["counts"]["waiting"]) == (0, 1)


def test_progress_is_rounded_as_the_reader_wishes(shelf: Shelf) -> None:
    shelf.reader.run("set", "progress_decimals", "0")
    shelf.reader.reads(pages=5, first_page=11, of_pages=201, **MOBY)
    shelf.sync()
    [session] = shelf.server.sessions()
    assert (session["startProgress"], session["endProgress"], session["progressDelta"]) == (5.0, 7.0, 2.0)


def test_a_picture_book_is_told_as_one(shelf: Shelf) -> None:
    shelf.reader.reads(file="/mnt/onboard/Moby Dick.fb2.zip", format="zip", **MOBY)
    shelf.sync()
    assert shelf.server.sessions()[0]["bookType"] == "FB2"


def test_an_idle_run_asks_nothing_also_after_marks_and_ratings(shelf: Shelf) -> None:
    shelf.put("rating", {"rating": 8})
    shelf.put("bookmark", {"cfi": "epubcfi(/6/4!/4/2)"})
    shelf.sync()
    requests = len(shelf.server.requests)
    assert texts(shelf.sync()) == ["Nothing waits to be sent."]
    assert len(shelf.server.requests) == requests


def test_two_lists_are_read_for_a_thousand_imported_sessions_of_two_books(tmp_path: Path) -> None:
    """One for each book, a hundred rows a page."""
    with server_of("grimmory") as server:
        shelf = Shelf(server, Reader(tmp_path / "bookloresync"))
        shelf.put("rating", {"rating": 8})
        shelf.put("rating", {"rating": 8}, title="Emma")
        shelf.sync()
        imported(shelf.reader, 500)
        assert shelf.sync(deadline_s=600)["counts"]["sent"] == 1000
        lists = [request.path for request in server.requests if "/reading-sessions/book/" in request.path]
        assert sorted(lists) == sorted(f"/api/v1/reading-sessions/book/{id}" for id in (shelf.moby, shelf.emma))


def imported(reader: Reader, count: int) -> None:
    """As the history import leaves them: of matched books, in doubt."""
    with contextlib.closing(sqlite3.connect(reader.data / "state.sqlite")) as store, store:
        books = [id for (id,) in store.execute("SELECT id FROM book ORDER BY id")]
        for book in books:
            for number in range(count):
                start = 1_700_000_000 + number * 1000 + book
                cursor = store.execute(
                    "INSERT INTO reading_session (book_id, source, started_at, ended_at, duration_s, pages_read, flags)"
                    " VALUES (?, 'statistics', ?, ?, 100, 2, '')",
                    (book, start, start + 100),
                )
                store.execute(
                    "INSERT INTO outbox (kind, key, book_id, session_id, state, unproven, created_at, changed_at)"
                    " VALUES ('reading_session', ?, ?, ?, 'intent', 1, 0, 0)",
                    (str(cursor.lastrowid), book, cursor.lastrowid),
                )
