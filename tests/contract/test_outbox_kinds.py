"""Everything that goes through the outbox besides reading sessions, against the three kinds of server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device.core import outbox as rules
from device.core.outbox import SETTLE_S, TRIES_MOST
from device.store import database
from tests.reader import EMMA, MOBY, Reader
from tests.sandbox import StandIn

DIALECTS = ("booklore", "grimmory", "worldteacher")
SHORT_S = 10  # a run too short to wait for anything to settle

CREATED: dict[str, tuple[str, str, dict[str, Any]]] = {  # kind: path, table of the stand-in, payload
    "highlight": (
        "/api/v1/annotations",
        "annotation",
        {"cfi": "epubcfi(/6/4!/4,/2/1:0,/2/1:9)", "text": "Call me Ishmael", "color": "#FACC15", "style": "underline"},
    ),
    "in_book_note": ("/api/v2/book-notes", "in_book_note", {"cfi": "epubcfi(/6/4!/4/2)", "noteContent": "Who?"}),
    "book_note": ("/api/v1/book-notes", "book_note", {"title": "In all", "content": "A whale of a book"}),
    "bookmark": ("/api/v1/bookmarks", "bookmark", {"cfi": "epubcfi(/6/8!/4/2)", "title": "Chapter 2"}),
}


class Shelf:
    """A reader whose two books the server knows, and what is put into her outbox."""

    def __init__(self, server: StandIn, reader: Reader) -> None:
        self.server = server
        self.reader = reader
        self.moby = server.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
        self.emma = server.add_book(title="Emma", authors=["Jane Austen"], isbn13="9780141439587")
        reader.configure(server.url)

    def put(self, kind: str, payload: Any, title: str = "Moby Dick", unproven: bool = False) -> None:
        """Into the outbox, as what records it would; a book that was never seen before has to be found first."""
        author = "Herman Melville" if title == "Moby Dick" else "Jane Austen"
        self.reader.enqueue(kind, payload, title, [author], rules.WAITING if unproven else rules.NEW)

    def sync(self, **options: Any) -> dict[str, Any]:
        return self.reader.run_job("sync", reason="tap", **options)

    def requests(self, path: str, method: str = "POST") -> int:
        return sum(request.path.startswith(path) and request.method == method for request in self.server.requests)

    def fails(self, path: str, do: str, method: str = "POST", **options: Any) -> None:
        self.server.fault(when=lambda m, p, count: m == method and p.startswith(path), do=do, **options)


@pytest.fixture(params=DIALECTS)
def any_shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    with server_of(request.param) as server:
        yield Shelf(server, Reader(tmp_path / "bookloresync"))


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with server_of("booklore") as server:
        yield Shelf(server, Reader(tmp_path / "bookloresync"))


def server_of(dialect: str) -> StandIn:
    server = StandIn(dialect=dialect)
    server.add_user("anna", "secret")
    return server


def test_a_rating_a_status_and_a_position_arrive(any_shelf: Shelf) -> None:
    any_shelf.put("rating", {"rating": 8})
    any_shelf.put("progress", {"epubProgress": {"cfi": None, "href": None, "percentage": 41.276}})
    any_shelf.put("status", {"status": "PAUSED"})
    assert any_shelf.sync()["counts"]["sent"] == 3
    state = any_shelf.server.state(any_shelf.moby)
    assert (state["personal_rating"], state["read_status"], state["epub_percent"]) == (8, "PAUSED", 41.28)


@pytest.mark.parametrize("kind", CREATED)
def test_a_mark_arrives(any_shelf: Shelf, kind: str) -> None:
    _, table, payload = CREATED[kind]
    any_shelf.put(kind, payload)
    assert any_shelf.sync()["counts"]["sent"] == 1
    [row] = any_shelf.server.marks(table)
    assert (row["book_id"], row["cfi"] if "cfi" in row else row["content"]) == (
        any_shelf.moby,
        payload.get("cfi") or payload["content"],
    )


@pytest.mark.parametrize("kind", CREATED)
@pytest.mark.parametrize("fault", ["lose_reply", "proxy_error_after_commit", "error_after_commit", "truncate"])
def test_a_mark_whose_reply_is_lost_is_not_doubled(shelf: Shelf, kind: str, fault: str) -> None:
    path, table, payload = CREATED[kind]
    shelf.put(kind, payload)
    shelf.fails(path, fault)
    shelf.sync(deadline_s=SHORT_S)
    shelf.reader.let_intents_settle()
    shelf.sync(deadline_s=SHORT_S)
    assert len(shelf.server.marks(table)) == 1
    assert shelf.requests(path) == 1
    assert "Nothing waits" in shelf.reader.status()


@pytest.mark.parametrize("kind", CREATED)
def test_a_mark_that_another_program_may_have_sent_is_looked_for_first(shelf: Shelf, kind: str) -> None:
    path, table, payload = CREATED[kind]
    shelf.put(kind, payload)
    shelf.sync()
    shelf.put(kind, payload, unproven=True)
    shelf.put(kind, payload | {"cfi": "epubcfi(/6/6!/4/2)", "content": "New"}, unproven=True)
    assert shelf.sync()["counts"]["sent"] == 1
    assert len(shelf.server.marks(table)) == 2
    assert shelf.requests(path) == 2
    assert shelf.requests(path + "/book/", "GET") == 1


@pytest.mark.parametrize("kind", ["highlight", "in_book_note", "bookmark"])
def test_a_place_that_is_taken_is_as_good_as_sent(any_shelf: Shelf, kind: str) -> None:
    _, table, payload = CREATED[kind]
    for _ in range(2):
        any_shelf.put(kind, payload)
    assert any_shelf.sync()["counts"]["sent"] == 2
    assert len(any_shelf.server.marks(table)) == 1


def test_a_bookmark_of_a_page_is_not_doubled_where_the_server_keeps_no_pages(any_shelf: Shelf) -> None:
    any_shelf.put("bookmark", {"pageNumber": 12, "title": "Page 12"})
    any_shelf.fails("/api/v1/bookmarks", "error_after_commit")
    any_shelf.sync(deadline_s=SHORT_S)
    assert len(any_shelf.server.marks("bookmark")) == 1
    assert "Nothing waits" in any_shelf.reader.status()


@pytest.mark.parametrize("kind", ["rating", "status", "progress"])
def test_what_the_server_keeps_the_last_of_is_sent_again_without_asking(shelf: Shelf, kind: str) -> None:
    payload: Any = {"rating": 6, "status": "READING", "fileProgress": {"progressPercent": 5}}
    shelf.put(kind, {name: payload[name] for name in payload if name.startswith(kind) or kind == "progress"})
    path, method = {
        "rating": ("/api/v1/books/personal-rating", "PUT"),
        "status": ("/api/v1/books/status", "POST"),
        "progress": ("/api/v1/books/progress", "POST"),
    }[kind]
    shelf.fails(path, "lose_reply", method)
    shelf.sync(deadline_s=SHORT_S)
    shelf.reader.let_intents_settle()
    before = len(shelf.server.requests)
    assert shelf.sync(deadline_s=SHORT_S)["counts"]["sent"] == 1
    asked = [(request.method, request.path) for request in shelf.server.requests[before:]]
    questions = [path for verb, path in asked[: asked.index((method, path))] if verb == "GET"]
    assert questions in (
        [],
        ["/api/v1/healthcheck"],
    )  # an empty 204 is believed only from who has proven to be BookLore
    assert shelf.requests(path, method) == 2


@pytest.mark.parametrize("kind", CREATED)
@pytest.mark.parametrize("by", ["id", "content"])
def test_what_was_sent_can_be_deleted(any_shelf: Shelf, kind: str, by: str) -> None:
    path, table, payload = CREATED[kind]
    any_shelf.put(kind, payload)
    any_shelf.put(kind, payload | {"cfi": "epubcfi(/6/6!/4/2)", "content": "To be kept"})
    any_shelf.sync()
    first, kept = any_shelf.server.marks(table)
    any_shelf.put("deletion", {"of": kind, "id": first["id"]} if by == "id" else {"of": kind, **payload})
    assert any_shelf.sync()["counts"]["sent"] == 1
    assert any_shelf.server.marks(table) == [kept]
    assert any_shelf.requests(path, "DELETE") == 1


@pytest.mark.parametrize("kind", CREATED)
def test_deleting_what_is_not_there_any_more_is_done_at_once(any_shelf: Shelf, kind: str) -> None:
    """The servers answer it with 500."""
    any_shelf.put("rating", {"rating": 8})
    any_shelf.sync()
    any_shelf.put("deletion", {"of": kind, "id": 4711})
    started_s = time.monotonic()
    assert any_shelf.sync()["counts"]["sent"] == 1
    assert time.monotonic() - started_s < SETTLE_S
    assert "Nothing waits" in any_shelf.reader.status()


def test_a_deletion_never_meets_another_accounts_mark(shelf: Shelf) -> None:
    """The ids of one server mean other things on the next."""
    _, table, payload = CREATED["highlight"]
    shelf.put("highlight", payload)
    shelf.sync()
    [mine] = shelf.server.marks(table)
    shelf.put("deletion", {"of": "highlight", "id": mine["id"], "cfi": payload["cfi"]})
    with server_of("grimmory") as other:
        other.add_book(title="Moby Dick", authors=["Herman Melville"])
        shelf.reader.configure(other.url)
        shelf.put("highlight", payload | {"cfi": "epubcfi(/6/6!/4/2)"})
        shelf.sync()
        assert [row["id"] for row in other.marks(table)] == [mine["id"]]
        assert not any(request.method == "DELETE" for request in other.requests)


@pytest.mark.parametrize("kind", [*CREATED, "rating", "status", "progress"])
def test_what_belongs_to_a_book_that_is_gone_waits_for_it(any_shelf: Shelf, kind: str) -> None:
    """Only some of the servers' answers say so; for a highlight it is a 500, for a rating a 400."""
    others = {"rating": {"rating": 4}, "status": {"status": "READ"}, "progress": {"pdfProgress": {"page": 1}}}
    any_shelf.put("rating", {"rating": 8})
    any_shelf.sync()
    any_shelf.server.remove_book(any_shelf.moby)
    any_shelf.put(kind, CREATED[kind][2] if kind in CREATED else others[kind])
    any_shelf.sync()
    assert "no book on the server" in any_shelf.reader.status()
    any_shelf.server.add_book(title="Moby Dick", authors=["Herman Melville"])
    any_shelf.reader.let_the_library_age()
    assert any_shelf.sync()["counts"]["sent"] == 1


def test_a_status_that_the_server_does_not_know_is_refused_and_not_taken_for_sent(shelf: Shelf) -> None:
    """It is answered with 200, and stored as none."""
    shelf.put("status", {"status": "SKIMMED"})
    [message] = shelf.sync()["messages"]
    assert "1 change of the reading status of “Moby Dick” was not taken by the server" in message["text"]


@pytest.mark.parametrize("payload", ["", "{", "[]", '{"cfi":"c","text":"\\ud83d"}'])
def test_what_cannot_be_put_into_a_request_is_shown_and_blocks_nothing(shelf: Shelf, payload: str) -> None:
    shelf.put("highlight", payload)
    shelf.put("rating", {"rating": 8})
    result = shelf.sync()
    assert result["counts"]["sent"] == 1
    assert "it cannot be sent" in shelf.reader.status()


def test_what_is_unclear_holds_back_its_book_and_no_other(shelf: Shelf) -> None:
    shelf.put("highlight", CREATED["highlight"][2])
    shelf.put("bookmark", CREATED["bookmark"][2])
    shelf.put("bookmark", CREATED["bookmark"][2], title="Emma")
    shelf.fails("/api/v1/annotations", "proxy_error_before")
    shelf.sync(deadline_s=SHORT_S)
    assert [row["book_id"] for row in shelf.server.marks("bookmark")] == [shelf.emma]
    shelf.reader.let_intents_settle()
    shelf.sync(deadline_s=SHORT_S)
    assert [row["book_id"] for row in shelf.server.marks("bookmark")] == [shelf.emma, shelf.moby]


def test_what_the_server_fails_at_again_and_again_is_given_up_with_the_reason(shelf: Shelf) -> None:
    shelf.put("highlight", CREATED["highlight"][2])
    shelf.put("bookmark", CREATED["bookmark"][2])
    shelf.fails("/api/v1/annotations", "error_before", times=None)
    for _ in range(TRIES_MOST):
        result = shelf.sync()
    assert result["counts"] == {"recorded": 0, "sent": 1, "waiting": 0, "rejected": 1}
    assert shelf.requests("/api/v1/annotations") == TRIES_MOST
    words = "1 highlight of “Moby Dick”: failed 5 times, the last time with HTTP 500: An unexpected error occurred."
    assert words in shelf.reader.status()
    shelf.sync()
    assert shelf.requests("/api/v1/annotations") == TRIES_MOST


def test_a_session_that_was_given_up_goes_out_when_the_reader_asks_and_the_server_is_well(shelf: Shelf) -> None:
    shelf.reader.reads(**MOBY)
    shelf.fails("/api/v1/reading-sessions", "error_before", times=TRIES_MOST)
    for _ in range(TRIES_MOST):
        shelf.sync()
    assert shelf.reader.run_job("sync", reason="close")["counts"]["rejected"] == 1
    assert shelf.sync()["counts"]["sent"] == 1
    assert len(shelf.server.sessions()) == 1


def test_a_session_that_the_server_swallows_keeps_no_other_from_arriving(shelf: Shelf) -> None:
    shelf.reader.reads(start=1_795_000_000, **MOBY)
    shelf.reader.reads(start=1_795_100_000, **MOBY)
    shelf.reader.reads(start=1_795_200_000, **EMMA)
    swallowed: list[str] = []

    def first_of_moby(method: str, path: str, count: int) -> bool:
        return method == "POST" and path == "/api/v1/reading-sessions" and _next_is_the_first_of_moby(shelf)

    shelf.server.fault(when=first_of_moby, do="drop_request", times=None)
    for _ in range(TRIES_MOST + 2):
        shelf.sync(deadline_s=SHORT_S)
        shelf.reader.let_intents_settle()
        swallowed.append(shelf.reader.status())
    assert len(shelf.server.sessions()) == 2
    assert "1 reading session of “Moby Dick”" in swallowed[-1]


def _next_is_the_first_of_moby(shelf: Shelf) -> bool:
    """The stand-in's faults do not see bodies; the store knows what is on its way."""
    store = database.open_read_only(str(shelf.reader.data / "state.sqlite"))
    try:
        row = store.execute(
            "SELECT s.started_at FROM outbox o JOIN reading_session s ON s.id = o.session_id"
            " WHERE o.state = 'intent' ORDER BY o.begun_uptime_s DESC, o.changed_at DESC LIMIT 1"
        ).fetchone()
    finally:
        store.close()
    return row is not None and int(row[0]) == 1_795_000_000
