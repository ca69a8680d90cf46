"""The stand-in falls into the same traps as the servers: pages for data, errors for absence, silence for refusal."""

from __future__ import annotations

import json

import pytest

from tests.contract.plain_client import PASSWORD, USER, serving, signed_in

ALL = pytest.mark.parametrize("dialect", ["booklore", "grimmory", "worldteacher"])
STOCK = pytest.mark.parametrize("dialect", ["booklore", "grimmory"])
UNEXPECTED = "An unexpected error occurred."
NO_SUCH_HASH = "0" * 32


@ALL
@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v9/books", "/api/"])
def test_an_unknown_get_gives_the_index_page_with_a_200(dialect: str, path: str) -> None:
    with signed_in(dialect) as (_, client):
        reply = client.get(path)
    assert (reply.status, reply.headers.get_content_type()) == (200, "text/html")


@ALL
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_an_unknown_path_is_a_500_for_every_other_method(dialect: str, method: str) -> None:
    with signed_in(dialect) as (_, client):
        reply = client.ask(method, "/api/v1/nothing")
    assert (reply.status, reply.json["message"]) == (500, UNEXPECTED)


@ALL
def test_a_known_path_with_another_method_is_a_500(dialect: str) -> None:
    with signed_in(dialect) as (_, client):
        assert client.get("/api/v1/reading-sessions").status == 500
        assert client.delete("/api/v1/users/me").status == 500


@pytest.mark.parametrize(("dialect", "status"), [("booklore", 403), ("grimmory", 401), ("worldteacher", 403)])
def test_an_unknown_path_without_credentials_is_refused_like_a_known_one(dialect: str, status: int) -> None:
    with serving(dialect) as (_, client):
        assert client.get("/api/v1/nothing").status == status


@pytest.mark.parametrize(("dialect", "status"), [("booklore", 500), ("grimmory", 500), ("worldteacher", 400)])
def test_a_word_where_a_number_belongs_is_an_error_of_the_dialect(dialect: str, status: int) -> None:
    with signed_in(dialect) as (_, client):
        assert client.get("/api/v1/books/moby").status == status
        assert client.get(f"/api/v1/books/{2**63}").status == status
        assert client.get(f"/api/v1/reading-sessions/book/1?page={2**31}").status == status


@STOCK
def test_stock_servers_answer_a_search_by_hash_with_a_page(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        server.add_book(title="Moby Dick", file_hash=NO_SUCH_HASH)
        assert not client.get(f"/api/v1/books/by-hash/{NO_SUCH_HASH}").is_json
        server.add_koreader_account(1, USER, PASSWORD)
        client.use_koreader_key()
        reply = client.get(f"/api/koreader/books/by-hash/{NO_SUCH_HASH}")
    assert (reply.status, reply.is_json) == (200, False)


@STOCK
def test_stock_servers_answer_a_search_by_words_with_a_500(dialect: str) -> None:
    with signed_in(dialect) as (_, client):
        assert client.get("/api/v1/books/search?title=moby").status == 500


def test_the_worldteacher_image_tells_by_json_that_it_does_not_know_a_hash() -> None:
    with serving("worldteacher") as (server, client):
        server.add_koreader_account(1, USER, PASSWORD)
        client.use_koreader_key()
        reply = client.get(f"/api/koreader/books/by-hash/{NO_SUCH_HASH}")
    assert (reply.status, reply.json["status"]) == (404, 404)


@ALL
def test_the_version_is_told_without_credentials(dialect: str) -> None:
    with serving(dialect) as (server, client):
        assert client.get("/api/v1/healthcheck").json["data"]["version"] == server.dialect.version


@ALL
def test_public_settings_are_told_without_credentials(dialect: str) -> None:
    with serving(dialect) as (_, client):
        assert client.get("/api/v1/public-settings").json == {
            "oidcEnabled": False,
            "remoteAuthEnabled": False,
            "oidcProviderDetails": None,
            "oidcForceOnlyMode": False,
        }


def test_a_body_that_does_not_call_itself_json_is_a_500() -> None:
    with serving() as (_, client):
        client.headers = {"Content-Type": "text/plain"}
        assert client.ask("POST", "/api/v1/auth/login", raw=b"{}").status == 500


def test_long_json_is_compressed_for_those_who_can_read_it() -> None:
    with signed_in() as (server, client):
        for number in range(20):
            server.add_book(title=f"Volume {number}")
        plain = client.get("/api/v1/books")
        client.headers["Accept-Encoding"] = "deflate, gzip;q=0.5"
        compressed = client.get("/api/v1/books")
    assert plain.headers["Content-Encoding"] is None
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert compressed.body == plain.body
    assert len(compressed.raw) < len(plain.raw) / 5


def test_json_below_one_kibibyte_is_not_compressed() -> None:
    with signed_in() as (_, client):
        client.headers["Accept-Encoding"] = "gzip"
        assert client.get("/api/v1/users/me").headers["Content-Encoding"] is None


def test_json_comes_in_chunks() -> None:
    with signed_in() as (_, client):
        reply = client.get("/api/v1/users/me")
    assert (reply.headers["Transfer-Encoding"], reply.headers["Content-Length"]) == ("chunked", None)


def test_every_answer_is_dated_by_the_servers_clock() -> None:
    with signed_in() as (_, client):
        assert client.get("/api/v1/books").headers["Date"] == "Sun, 22 Nov 2026 12:00:00 GMT"


# KOReader's own sync


@pytest.mark.parametrize(("dialect", "status"), [("booklore", 403), ("grimmory", 401), ("worldteacher", 403)])
def test_a_wrong_koreader_key_is_refused(dialect: str, status: int) -> None:
    with serving(dialect) as (server, client):
        server.add_koreader_account(1, USER, PASSWORD)
        client.use_koreader_key(password="wrong")
        assert client.get("/api/koreader/users/auth").status == status


@ALL
def test_a_koreader_key_is_taken_in_either_case(dialect: str) -> None:
    with serving(dialect) as (server, client):
        server.add_koreader_account(1, USER, PASSWORD, sync_enabled=False)
        client.use_koreader_key()
        client.headers["x-auth-key"] = client.headers["x-auth-key"].upper()
        assert client.get("/api/koreader/users/auth").json == {"username": USER}


@ALL
def test_progress_comes_back_from_a_device_that_is_always_called_booklore(dialect: str) -> None:
    with serving(dialect) as (server, client):
        server.add_book(title="Moby Dick", file_hash="a" * 32)
        server.add_koreader_account(1, USER, PASSWORD)
        client.use_koreader_key()
        body = {"document": "a" * 32, "percentage": 0.25, "progress": "/body/DocFragment[4]", "device": "Kobo"}
        assert client.put("/api/koreader/syncs/progress", body).json == {"status": "progress updated"}
        read = client.get(f"/api/koreader/syncs/progress/{'a' * 32}").json
    assert read == {
        "timestamp": 1_795_348_800,
        "document": "a" * 32,
        "percentage": 0.25,
        "progress": "/body/DocFragment[4]",
        "device": "BookLore",
        "device_id": "BookLore",
    }


@ALL
def test_an_unknown_hash_and_an_unread_book_are_told_apart_by_text_only(dialect: str) -> None:
    with serving(dialect) as (server, client):
        server.add_book(title="Moby Dick", file_hash="a" * 32)
        server.add_koreader_account(1, USER, PASSWORD)
        client.use_koreader_key()
        unknown = client.get(f"/api/koreader/syncs/progress/{'b' * 32}")
        unread = client.get(f"/api/koreader/syncs/progress/{'a' * 32}")
    assert (unknown.status, unread.status) == (404, 404)
    assert unknown.json["message"].startswith("Book not found for hash")
    assert unread.json["message"] == "No progress found for user and book"


@ALL
def test_progress_is_a_401_while_sync_is_switched_off(dialect: str) -> None:
    with serving(dialect) as (server, client):
        server.add_koreader_account(1, USER, PASSWORD, sync_enabled=False)
        client.use_koreader_key()
        reply = client.get(f"/api/koreader/syncs/progress/{'a' * 32}")
    assert (reply.status, reply.json["message"]) == (401, "Sync is disabled for this user")


@pytest.mark.parametrize(("fraction", "status"), [(0.0, "UNREAD"), (0.0025, "READING"), (0.995, "READ")])
def test_progress_from_koreader_overwrites_the_read_status(fraction: float, status: str) -> None:
    with signed_in() as (server, client):
        book = server.add_book(title="Moby Dick", file_hash="a" * 32)
        server.add_koreader_account(1, USER, PASSWORD)
        client.post("/api/v1/books/status", {"bookIds": [book], "status": "ABANDONED"})
        signed_in_headers = client.headers
        client.use_koreader_key()
        client.put("/api/koreader/syncs/progress", {"document": "a" * 32, "percentage": fraction})
        client.headers = signed_in_headers
        assert client.get(f"/api/v1/books/{book}").json["readStatus"] == status


@pytest.mark.parametrize(("dialect", "status"), [("booklore", 500), ("grimmory", 200), ("worldteacher", 500)])
def test_progress_without_a_percentage_breaks_all_but_grimmory(dialect: str, status: int) -> None:
    with serving(dialect) as (server, client):
        server.add_book(title="Moby Dick", file_hash="a" * 32)
        server.add_koreader_account(1, USER, PASSWORD)
        client.use_koreader_key()
        assert client.put("/api/koreader/syncs/progress", {"document": "a" * 32}).status == status


def test_two_books_of_one_hash_break_the_progress() -> None:
    with serving() as (server, client):
        server.add_book(title="Moby Dick", file_hash="a" * 32)
        server.add_book(title="Moby Dick, again", file_hash="a" * 32)
        server.add_koreader_account(1, USER, PASSWORD)
        client.use_koreader_key()
        assert client.get(f"/api/koreader/syncs/progress/{'a' * 32}").status == 500


@ALL
def test_registration_from_koreader_is_refused(dialect: str) -> None:
    with serving(dialect) as (server, client):
        server.add_koreader_account(1, USER, PASSWORD)
        client.use_koreader_key()
        reply = client.post("/api/koreader/users/create", {"username": "x", "password": "y"})
    assert (reply.status, reply.json["error"]) == (403, "User registration via Koreader is disabled")


@ALL
def test_a_koreader_account_is_made_with_sync_off_and_switched_on(dialect: str) -> None:
    with signed_in(dialect) as (_, client):
        assert client.get("/api/v1/koreader-users/me").status == 404
        made = client.put("/api/v1/koreader-users/me", {"username": "anna-kobo", "password": "pw"}).json
        assert client.ask("PATCH", "/api/v1/koreader-users/me/sync?enabled=true").status == 204
        switched = client.get("/api/v1/koreader-users/me").json
        client.use_koreader_key("anna-kobo", "pw")
        assert client.get("/api/koreader/users/auth").status == 200
    assert (made["syncEnabled"], switched["syncEnabled"]) == (False, True)


def test_a_reader_without_the_permission_gets_no_koreader_account() -> None:
    with serving() as (server, client):
        server.add_user("berta", PASSWORD, permissions=[])
        client.sign_in("berta")
        reply = client.put("/api/v1/koreader-users/me", {"username": "x", "password": "y"})
    assert (reply.status, json.loads(reply.body)["message"]) == (403, "Access Denied")
