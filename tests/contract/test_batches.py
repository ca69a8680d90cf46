"""Reading sessions in batches, where the server takes them, and everything that may come of one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.reader import EMMA, MOBY, Reader
from tests.sandbox import StandIn
from tests.sandbox.messages import Request

BATCH = "/api/v1/reading-sessions/batch"
SINGLE = "/api/v1/reading-sessions"
PROBE = "/api/v1/books/by-hash/" + "0" * 32
SHORT_S = 10


def server_of(dialect: str) -> StandIn:
    server = StandIn(dialect=dialect)
    server.add_user("anna", "secret")
    server.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
    server.add_book(title="Emma", authors=["Jane Austen"])
    return server


@pytest.fixture
def server() -> Iterator[StandIn]:
    with server_of("worldteacher") as server:
        yield server


@pytest.fixture
def reader(tmp_path: Path, server: StandIn) -> Reader:
    reader = Reader(tmp_path / "bookloresync")
    reader.configure(server.url)
    return reader


def read(reader: Reader, count: int, first: int = 0, **book: Any) -> None:
    for number in range(first, first + count):
        reader.reads(start=1_795_000_000 + number * 1000, **(book or MOBY))


def asked(server: StandIn, path: str) -> int:
    return [request.path for request in server.requests].count(path)


def sync(reader: Reader, **options: Any) -> dict[str, Any]:
    return reader.run_job("sync", reason="tap", **options)


def test_the_sessions_of_a_book_go_in_one_request(server: StandIn, reader: Reader) -> None:
    read(reader, 40)
    read(reader, 2, 100, **EMMA)
    assert sync(reader)["counts"]["sent"] == 42
    assert (asked(server, BATCH), asked(server, SINGLE)) == (2, 0)
    assert len(server.sessions()) == 42


def test_more_than_a_hundred_go_in_several_requests_in_order(server: StandIn, reader: Reader) -> None:
    read(reader, 205)
    assert sync(reader)["counts"]["sent"] == 205
    assert asked(server, BATCH) == 3
    starts = [str(session["startTime"]) for session in server.sessions()]
    assert starts == sorted(starts)


def test_a_single_session_is_sent_singly_and_nobody_asks_for_batches(server: StandIn, reader: Reader) -> None:
    read(reader, 1)
    read(reader, 1, 100, **EMMA)
    assert sync(reader)["counts"]["sent"] == 2
    assert (asked(server, BATCH), asked(server, SINGLE), asked(server, PROBE)) == (0, 2, 0)


@pytest.mark.parametrize("dialect", ["booklore", "grimmory", "worldteacher"])
def test_a_server_is_asked_once_a_week_whether_it_takes_batches(dialect: str, tmp_path: Path) -> None:
    reader = Reader(tmp_path / "bookloresync")
    with server_of(dialect) as server:
        reader.configure(server.url)
        for first in (0, 10, 20):
            read(reader, 2, first)
            assert sync(reader)["counts"]["sent"] == 2
        assert asked(server, PROBE) == 1
        assert asked(server, BATCH) == (3 if dialect == "worldteacher" else 0)


def test_another_account_is_asked_anew(server: StandIn, reader: Reader) -> None:
    read(reader, 2)
    sync(reader)
    with server_of("grimmory") as other:
        reader.configure(other.url)
        read(reader, 2, 10)
        assert sync(reader)["counts"]["sent"] == 2
        assert (asked(other, PROBE), asked(other, BATCH)) == (1, 0)


def test_a_server_that_became_another_one_gets_single_sessions(server: StandIn, reader: Reader) -> None:
    """Grimmory under the address of the image with batches: the unknown path is a 500 there."""
    read(reader, 2)
    sync(reader)
    server.fault(when=lambda method, path, count: path == BATCH, do="error_before", times=None)
    read(reader, 3, 10)
    assert sync(reader)["counts"]["sent"] == 3
    assert len(server.sessions()) == 5
    assert asked(server, SINGLE) == 3


@pytest.mark.parametrize("status", [404, 405])
def test_an_endpoint_that_is_gone_costs_one_request(server: StandIn, reader: Reader, status: int) -> None:
    read(reader, 2)
    sync(reader)
    server.fault(when=lambda method, path, count: path == BATCH, do="error_before", times=1, status=status)
    read(reader, 3, 10)
    sync(reader, deadline_s=SHORT_S)
    reader.let_intents_settle()
    sync(reader)
    assert len(server.sessions()) == 5


@pytest.mark.parametrize(
    "fault", ["lose_reply", "reset_after_commit", "error_after_commit", "truncate", "garbage_chunk"]
)
def test_a_batch_whose_reply_is_lost_is_not_doubled(server: StandIn, reader: Reader, fault: str) -> None:
    read(reader, 150)
    server.fault(when=lambda method, path, count: path == BATCH, do=fault, times=1)
    sync(reader, deadline_s=SHORT_S)
    reader.let_intents_settle()
    sync(reader)
    assert len(server.sessions()) == 150
    assert len({str(session["startTime"]) for session in server.sessions()}) == 150


def test_a_batch_that_never_arrived_is_sent_one_by_one(server: StandIn, reader: Reader) -> None:
    """The next try is careful: one of them may be what the server cannot bear."""
    read(reader, 5)
    server.fault(when=lambda method, path, count: path == BATCH, do="drop_request", times=1)
    sync(reader, deadline_s=SHORT_S)
    reader.let_intents_settle()
    assert sync(reader)["counts"]["sent"] == 5
    assert (asked(server, BATCH), asked(server, SINGLE)) == (1, 5)


@pytest.mark.parametrize(("status", "words"), [(400, "HTTP 400"), (500, "HTTP 500")])
def test_one_poisonous_session_spoils_no_other_of_its_batch(
    server: StandIn, reader: Reader, status: int, words: str
) -> None:
    poison(server, "2026-11-18T11:23:20Z", status)  # the second of them
    read(reader, 4)
    for _ in range(6):
        sync(reader, deadline_s=SHORT_S)
    assert len(server.sessions()) == 3
    assert words in reader.status()
    assert asked(server, BATCH) == 1


@pytest.mark.parametrize("change", ["fewer", "reordered", "unknown", "none", "nonsense"])
def test_only_what_the_answer_names_counts_and_the_rest_is_looked_up(
    server: StandIn, reader: Reader, change: str
) -> None:
    changes: dict[str, Any] = {
        "fewer": lambda results: results[:1],
        "reordered": lambda results: results[::-1],
        "unknown": lambda results: [*results[1:], {"sessionId": 9, "startTime": "2001-01-01T00:00:00Z"}],
        "none": lambda results: [],
        "nonsense": lambda results: [None, 7, {"startTime": 1, "endTime": []}, {"startTime": "x", "endTime": "y"}],
    }
    answer_batches_with(server, changes[change])
    read(reader, 4)
    assert sync(reader)["counts"]["sent"] == 4
    assert len(server.sessions()) == 4
    assert (asked(server, BATCH), asked(server, SINGLE)) == (1, 0)
    assert asked(server, f"{SINGLE}/book/1") == (0 if change == "reordered" else 1)


def test_a_book_that_is_gone_lets_its_batch_wait(server: StandIn, reader: Reader) -> None:
    read(reader, 2)
    sync(reader)
    server.remove_book(1)
    read(reader, 3, 10)
    reader.let_the_library_age()
    sync(reader)
    assert "3 reading sessions of “Moby Dick”: no book on the server" in reader.status()
    server.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
    reader.let_the_library_age()
    assert sync(reader)["counts"]["sent"] == 3


def answer_batches_with(server: StandIn, change: Any) -> None:
    """Everything is stored, and the results are changed on their way back."""
    answer = server.http.answer

    def changed(request: Request) -> Any:
        response = answer(request)
        if request.path != BATCH or response.status != 200:
            return response
        reply = json.loads(response.body)
        reply["results"] = change(reply["results"])
        return type(response)(200, json.dumps(reply).encode(), response.content_type)

    server.http.answer = changed


def poison(server: StandIn, start: str, status: int) -> None:
    """A session at which the server fails, alone or in a batch, and stores nothing of it."""
    answer = server.http.answer

    def spoilt(request: Request) -> Any:
        if request.method == "POST" and start.encode() in request.body:
            error = {"status": status, "message": "An unexpected error occurred.", "timestamp": ""}
            response = answer(Request("GET", "/api/v1/healthcheck", {}, request.headers, b"", request.client_address))
            return type(response)(status, json.dumps(error).encode(), response.content_type)
        return answer(request)

    server.http.answer = spoilt
