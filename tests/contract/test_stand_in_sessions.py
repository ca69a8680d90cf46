"""The stand-in takes reading sessions as the servers do: without asking whether it has them already."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.contract.plain_client import PASSWORD, USER, PlainClient, serving, signed_in
from tests.sandbox import StandIn

ALL = pytest.mark.parametrize("dialect", ["booklore", "grimmory", "worldteacher"])
STOCK = pytest.mark.parametrize("dialect", ["booklore", "grimmory"])
PATH = "/api/v1/reading-sessions"
DATA_CONFLICT = "A data conflict occurred. The operation could not be completed."
MALFORMED = "Request body is missing or malformed."


def session(book_id: int, **changes: object) -> dict[str, object]:
    return {
        "bookId": book_id,
        "bookType": "EPUB",
        "startTime": "2026-02-22T14:00:00Z",
        "endTime": "2026-02-22T14:20:07Z",
        "durationSeconds": 1207,
        "durationFormatted": "20m 7s",
        "startProgress": 10.1,
        "endProgress": 33.333333,
        "progressDelta": 23.23,
        "startLocation": "12",
        "endLocation": "31",
        **changes,
    }


@ALL
def test_a_session_is_accepted_with_an_empty_202(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        reply = client.post(PATH, session(server.add_book(title="Moby Dick")))
    assert (reply.status, reply.body) == (202, b"")


@ALL
def test_the_same_session_sent_twice_is_there_twice(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        client.post(PATH, session(book))
        client.post(PATH, session(book))
        assert len(server.sessions(book)) == 2


@ALL
def test_a_session_is_read_back_as_it_was_sent(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        sent = session(book)
        client.post(PATH, sent)
        (read,) = client.get(f"{PATH}/book/{book}").json["content"]
    # Single precision: the nearest 32-bit number to 33.333333 is written 33.333332.
    assert read == {
        **sent, "endProgress": 33.333332, "id": 1, "bookTitle": "Moby Dick", "createdAt": "2026-11-22T13:00:00",
    }  # fmt: skip


@ALL
def test_created_at_is_local_time_without_a_zone(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        server.settings.utc_offset_s = -5 * 3600
        book = server.add_book(title="Moby Dick")
        client.post(PATH, session(book))
        (read,) = client.get(f"{PATH}/book/{book}").json["content"]
    assert read["createdAt"] == "2026-11-22T07:00:00"


@ALL
def test_fields_that_were_not_sent_are_not_there(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        client.post(PATH, session(book, startLocation=None, progressDelta=None))
        (read,) = client.get(f"{PATH}/book/{book}").json["content"]
    assert "startLocation" not in read
    assert "progressDelta" not in read


@ALL
def test_sessions_come_newest_first_five_a_page(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        for _ in range(7):
            client.post(PATH, session(book))
            server.clock.advance(60)
        first = client.get(f"{PATH}/book/{book}").json
        second = client.get(f"{PATH}/book/{book}?page=1&size=5").json
    assert [read["id"] for read in first["content"]] == [7, 6, 5, 4, 3]
    assert [read["id"] for read in second["content"]] == [2, 1]
    assert second["page"] == {"size": 5, "number": 1, "totalElements": 7, "totalPages": 2}


@pytest.mark.parametrize(("dialect", "largest"), [("booklore", 100), ("grimmory", 100), ("worldteacher", 10_000)])
def test_a_page_larger_than_the_dialect_allows_is_a_400(dialect: str, largest: int) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        assert client.get(f"{PATH}/book/{book}?size={largest}").status == 200
        assert client.get(f"{PATH}/book/{book}?size={largest + 1}").status == 400


@ALL
def test_a_reader_does_not_see_the_sessions_of_another(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        client.post(PATH, session(book))
        server.add_user("berta", PASSWORD)
        client.sign_in("berta")
        assert client.get(f"{PATH}/book/{book}").json["content"] == []


@ALL
def test_an_unknown_book_is_a_404_and_nothing_is_stored(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        assert client.post(PATH, session(4711)).status == 404
        assert server.sessions() == []


@ALL
@pytest.mark.parametrize(
    "changes",
    [
        {"bookType": None},
        {"startLocation": "x" * 501},
        {"durationFormatted": "x" * 51},
        {"endProgress": 1e39},
        {"startTime": 10**12},
    ],
    ids=["no book type", "long location", "long duration", "progress beyond a FLOAT", "time beyond a DATETIME"],
)
def test_what_only_the_database_refuses_is_a_data_conflict(dialect: str, changes: dict[str, object]) -> None:
    with signed_in(dialect) as (server, client):
        reply = client.post(PATH, session(server.add_book(title="Moby Dick"), **changes))
    assert (reply.status, reply.json["message"]) == (400, DATA_CONFLICT)


@ALL
def test_all_missing_fields_are_named_together(dialect: str) -> None:
    with signed_in(dialect) as (_, client):
        reply = client.post(PATH, {"bookType": "EPUB"})
    assert (reply.status, reply.json["message"]) == (400, "Validation error")
    assert {detail.split(":")[0] for detail in reply.json["details"]} == {
        "bookId", "startTime", "endTime", "durationSeconds",
    }  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [{"bookType": "DJVU"}, {"startTime": "yesterday"}, {"startTime": "2026-02-22T14:00:00"}, {"durationSeconds": []}],
    ids=["unknown book type", "no date", "no zone", "wrong type"],
)
def test_a_value_of_the_wrong_kind_is_a_malformed_body(changes: dict[str, object]) -> None:
    with signed_in() as (server, client):
        reply = client.post(PATH, session(server.add_book(title="Moby Dick"), **changes))
    assert (reply.status, reply.json["message"]) == (400, MALFORMED)


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"endProgress": NaN}'],
    ids=["none", "cut", "a list", "no UTF-8", "too deep", "not a number"],
)
def test_a_body_that_is_no_json_object_is_a_400(raw: bytes) -> None:
    with signed_in() as (_, client):
        reply = client.ask("POST", PATH, raw=raw)
    assert (reply.status, reply.json["message"]) == (400, MALFORMED)


def test_an_instant_with_an_offset_is_stored_in_utc_and_a_fraction_is_dropped() -> None:
    with signed_in() as (server, client):
        client.post(PATH, session(server.add_book(title="Moby Dick"), startTime="2026-02-22T15:00:00.900+01:00"))
        assert server.sessions()[0]["startTime"] == "2026-02-22T14:00:00Z"


def test_a_bare_number_as_time_means_epoch_seconds() -> None:
    with signed_in() as (server, client):
        client.post(PATH, session(server.add_book(title="Moby Dick"), startTime=1_771_768_800.9))
        assert server.sessions()[0]["startTime"] == "2026-02-22T14:00:00Z"


def test_a_location_that_is_a_number_becomes_a_text() -> None:
    with signed_in() as (server, client):
        client.post(PATH, session(server.add_book(title="Moby Dick"), startLocation=12))
        assert server.sessions()[0]["startLocation"] == "12"


def test_unknown_fields_are_ignored() -> None:
    with signed_in() as (server, client):
        assert client.post(PATH, session(server.add_book(title="Moby Dick"), mood="calm")).status == 202


@STOCK
def test_a_session_that_ends_before_it_starts_is_taken_all_the_same(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        assert client.post(PATH, session(book, endTime="2020-01-01T00:00:00Z")).status == 202


@pytest.mark.parametrize(("dialect", "status"), [("booklore", 202), ("grimmory", 202), ("worldteacher", 403)])
def test_only_the_worldteacher_image_asks_for_access_to_the_library(dialect: str, status: int) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick", library_id=server.add_library("Private"))
        assert client.post(PATH, session(book)).status == status


@ALL
def test_a_session_changes_neither_progress_nor_status(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        before = client.get(f"/api/v1/books/{book}").json
        client.post(PATH, session(book, endProgress=100))
        assert client.get(f"/api/v1/books/{book}").json == before


@STOCK
def test_stock_servers_have_no_batch(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        body = {"bookId": server.add_book(title="Moby Dick"), "bookType": "EPUB", "sessions": [session(1)]}
        assert client.post(f"{PATH}/batch", body).status == 500
        assert server.sessions() == []


def test_the_worldteacher_image_takes_a_batch_and_gives_an_id_for_each() -> None:
    with signed_in("worldteacher") as (server, client):
        book = server.add_book(title="Moby Dick")
        reply = client.post(f"{PATH}/batch", {"bookId": book, "bookType": "EPUB", "sessions": [session(book)] * 3})
        assert len(server.sessions(book)) == 3
    assert (reply.status, reply.json["totalRequested"], reply.json["successCount"]) == (200, 3, 3)
    assert reply.json["results"][2] == {
        "sessionId": 3, "startTime": "2026-02-22T14:00:00Z", "endTime": "2026-02-22T14:20:07Z",
    }  # fmt: skip


def test_a_batch_with_one_bad_session_stores_none() -> None:
    with signed_in("worldteacher") as (server, client):
        book = server.add_book(title="Moby Dick")
        sessions = [session(book), session(book, endTime="2020-01-01T00:00:00Z")]
        reply = client.post(f"{PATH}/batch", {"bookId": book, "bookType": "EPUB", "sessions": sessions})
        assert (reply.status, server.sessions()) == (400, [])


@pytest.mark.parametrize(("dialect", "status"), [("booklore", 403), ("grimmory", 401), ("worldteacher", 202)])
def test_only_the_worldteacher_image_takes_sessions_with_koreaders_headers(dialect: str, status: int) -> None:
    with serving(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        server.add_koreader_account(1, USER, PASSWORD)
        client.use_koreader_key()
        assert client.post(PATH, session(book)).status == status


def test_sessions_outlive_a_restart_of_a_server_with_a_database_file(tmp_path: Path) -> None:
    database = tmp_path / "server.sqlite"
    with StandIn(database=database) as first, closing(PlainClient(first)) as client:
        first.add_user(USER, PASSWORD)
        book = first.add_book(title="Moby Dick")
        client.sign_in()
        client.post(PATH, session(book))
    assert len(StandIn(database=database).sessions(book)) == 1
