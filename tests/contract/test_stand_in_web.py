"""The stand-in's other hands are those of the servers: the web app, another KOReader, the administrator, an update."""

from __future__ import annotations

import time

import pytest

from tests.contract.plain_client import NOON, PASSWORD, USER, PlainClient, serving, signed_in
from tests.sandbox import StandIn
from tests.sandbox.messages import ApiError

ALL = pytest.mark.parametrize("dialect", ["booklore", "grimmory", "worldteacher"])
HASH = "0123456789abcdef0123456789abcdef"
BACK_WITHIN_S = 5


def book(client: PlainClient, book_id: int = 1) -> dict[str, object]:
    record: dict[str, object] = client.get(f"/api/v1/books/{book_id}").json
    return record


# The reader in the web app


@ALL
def test_a_rating_on_the_web_is_there_for_the_device(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        server.add_book(title="Moby Dick")
        server.rate_on_web(USER, 1, 7)
        assert book(client)["personalRating"] == 7
        server.rate_on_web(USER, 1, None)
        assert "personalRating" not in book(client)


@ALL
def test_a_status_on_the_web_has_the_time_at_which_it_was_given(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        server.add_book(title="Moby Dick")
        server.status_on_web(USER, 1, "READ", at=NOON - 3600)
        assert book(client)["dateFinished"] == "2026-11-22T11:00:00Z"
        assert server.state(1)["read_status_modified_at"] == NOON - 3600


@ALL
def test_progress_on_the_web_makes_an_abandoned_book_one_that_is_being_read(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        server.add_book(title="Moby Dick")
        server.status_on_web(USER, 1, "ABANDONED")
        server.progress_on_web(USER, 1, 42.5, at=NOON - 60)
        assert book(client)["readStatus"] == "READING"
        assert book(client)["epubProgress"] == {"percentage": 42.5}
        assert book(client)["lastReadTime"] == "2026-11-22T11:59:00Z"


def test_what_the_web_app_does_is_not_among_what_a_client_asked() -> None:
    with serving() as (server, _):
        server.add_book(title="Moby Dick")
        server.rate_on_web(USER, 1, 7)
        assert server.requests == []


def test_the_web_app_gets_the_servers_own_errors() -> None:
    with serving() as (server, _), pytest.raises(ApiError):
        server.status_on_web(USER, 99, "READ")


# Another KOReader


@ALL
def test_another_koreader_brings_a_book_that_was_read_down_to_reading(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        server.add_book(title="Moby Dick", file_hash=HASH)
        server.status_on_web(USER, 1, "READ")
        server.koreader_progress(USER, 1, 0.5, "/body/DocFragment[4]")
        assert book(client)["readStatus"] == "READING"
        assert book(client)["koreaderProgress"] == {"percentage": 50.0}


@ALL
def test_another_koreader_at_the_end_sets_the_date_finished_each_time(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        server.add_book(title="Moby Dick")
        server.koreader_progress(USER, 1, 1.0, at=NOON - 86_400)
        server.koreader_progress(USER, 1, 1.0, at=NOON)
        assert book(client)["dateFinished"] == "2026-11-22T12:00:00Z"


@ALL
def test_another_koreader_at_the_beginning_makes_a_book_unread(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        server.add_book(title="Moby Dick")
        server.status_on_web(USER, 1, "PAUSED")
        server.koreader_progress(USER, 1, 0.001)
        assert book(client)["readStatus"] == "UNREAD"


# Metadata and files


@ALL
def test_one_book_tells_what_lists_leave_out(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        server.add_book(
            title="Moby Dick",
            subtitle="Or, The Whale",
            language="en",
            page_count=600,
            publisher="Harper",
            published_date="1851-11-14",
            hardcover_id="moby-dick",
            hardcover_book_id=379631,
        )
        whole = client.get("/api/v1/books/1").json["metadata"]
        (listed,) = client.get("/api/v1/books").json
    assert (whole["subtitle"], whole["hardcoverId"], whole["hardcoverBookId"]) == (
        "Or, The Whale",
        "moby-dick",
        "379631",
    )
    assert not {"subtitle", "hardcoverId", "hardcoverBookId"} & set(listed["metadata"])
    assert (listed["metadata"]["language"], listed["metadata"]["pageCount"]) == ("en", 600)
    assert (listed["metadata"]["publisher"], listed["metadata"]["publishedDate"]) == ("Harper", "1851-11-14")


@ALL
def test_another_format_is_a_file_of_the_same_book(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        server.add_book(title="Moby Dick", file_name="moby.epub")
        server.add_format(1, file_name="moby.pdf", book_type="PDF", file_hash=HASH)
        (listed,) = client.get("/api/v1/books").json
        assert listed["primaryFile"]["fileName"] == "moby.epub"
        assert [file["fileName"] for file in listed["alternativeFormats"]] == ["moby.pdf"]


@ALL
def test_the_hash_of_another_format_finds_the_book_for_koreader(dialect: str) -> None:
    with serving(dialect) as (server, client):
        server.add_koreader_account(1, USER, PASSWORD)
        server.add_book(title="Moby Dick")
        server.add_format(1, file_name="moby.pdf", file_hash=HASH)
        client.use_koreader_key()
        assert client.put("/api/koreader/syncs/progress", {"document": HASH, "percentage": 0.5}).status == 200


@ALL
def test_a_file_that_the_server_has_rewritten_has_another_hash(dialect: str) -> None:
    with serving(dialect) as (server, client):
        server.add_opds_account(1, USER, PASSWORD)
        server.set_komga(True)
        server.add_book(title="Moby Dick", file_hash=HASH)
        server.set_hash(1, "f" * 32)
        client.use_basic()
        (listed,) = client.get("/komga/api/v1/books").json["content"]
        assert listed["fileHash"] == "f" * 32


# The administrator


@ALL
def test_permissions_and_libraries_may_be_taken_away(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        server.set_permissions(USER, ["canDownload"])
        server.set_libraries(USER, [])
        me = client.get("/api/v1/users/me").json
    assert (me["permissions"]["canDownload"], me["permissions"]["canAccessOpds"]) == (True, False)
    assert me["assignedLibraries"] == []


@ALL
def test_an_update_tells_another_version(dialect: str) -> None:
    with serving(dialect) as (server, client):
        server.set_version("v9.9.9")
        assert client.get("/api/v1/healthcheck").json["data"]["version"] == "v9.9.9"


@ALL
def test_a_locked_login_refuses_the_right_password(dialect: str) -> None:
    with serving(dialect) as (server, client):
        server.lock_login(USER)
        assert client.log_in().status == 429
        server.clock.advance(15 * 60)
        assert client.log_in().status == 200


@ALL
def test_revoked_tokens_are_worth_nothing(dialect: str) -> None:
    with serving(dialect) as (server, client):
        tokens = client.log_in().json
        server.revoke_tokens()
        client.use_token(tokens["accessToken"])
        assert client.get("/api/v1/users/me").status == 401
        assert client.post("/api/v1/auth/refresh", {"refreshToken": tokens["refreshToken"]}).status == 400


@ALL
def test_a_proxy_signs_a_known_user_in_where_that_is_switched_on(dialect: str) -> None:
    with serving(dialect) as (server, client):
        client.headers = {"Remote-User": USER}
        assert client.get("/api/v1/auth/remote").status == 203
        server.settings.remote_auth_enabled = True
        assert "accessToken" in client.get("/api/v1/auth/remote").json
        client.headers = {"Remote-User": "nobody"}
        assert client.get("/api/v1/auth/remote").status == 403


# Restarts


def log_in_again(server: StandIn) -> int:
    """Tries until the server is back."""
    until = time.monotonic() + BACK_WITHIN_S
    while True:
        client = PlainClient(server)
        server.clock.advance(1)  # tokens of one second would be the same
        try:
            return client.log_in().status
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
        finally:
            client.close()


@ALL
def test_a_restart_keeps_data_and_tokens_and_forgets_failed_logins(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        for _ in range(5):
            client.log_in(password="wrong")
        server.add_book(title="Moby Dick")
        token = client.headers
        server.restart()
        server.clock.advance(1)
        other = PlainClient(server)
        assert other.log_in().status == 200
        other.headers = token
        assert other.get("/api/v1/books/1").status == 200
        other.close()


@pytest.mark.parametrize(("fault", "stored"), [("restart", 0), ("restart_after_commit", 1)])
def test_a_restart_in_the_middle_of_a_request_ends_it(fault: str, stored: int) -> None:
    with signed_in() as (server, client):
        server.add_book(title="Moby Dick")
        server.fault(when=lambda method, path, count: method == "POST", do=fault, seconds=0.1)
        server.lock_login(USER)
        with pytest.raises(OSError):
            client.post("/api/v1/book-notes", {"bookId": 1, "content": "wet"})
        assert log_in_again(server) == 200
        assert len(server.marks("book_note")) == stored


def test_a_server_that_is_stopped_while_it_restarts_stays_away() -> None:
    with signed_in() as (server, client):
        server.fault(when=lambda method, path, count: method == "GET", do="restart", seconds=30)
        with pytest.raises(OSError):
            client.get("/api/v1/books")
    with pytest.raises(OSError):
        PlainClient(server).log_in()
