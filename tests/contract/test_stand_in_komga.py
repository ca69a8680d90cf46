"""The stand-in's OPDS accounts, Komga's list and the administrator's switches are those of the servers."""

from __future__ import annotations

import pytest

from tests.contract.plain_client import PASSWORD, USER, serving, signed_in
from tests.sandbox import StandIn

ALL = pytest.mark.parametrize("dialect", ["booklore", "grimmory", "worldteacher"])
LIST = "/komga/api/v1/books"
ACCOUNTS = "/api/v2/opds-users"
HASH = "0123456789abcdef0123456789abcdef"


def with_account(server: StandIn) -> None:
    server.add_opds_account(1, USER, PASSWORD)
    server.set_komga(True)


@ALL
def test_the_list_tells_ids_as_text_and_the_current_hash(dialect: str) -> None:
    with serving(dialect) as (server, client):
        with_account(server)
        server.add_book(title="Moby Dick", authors=["Herman Melville"], size_kb=812, file_hash=HASH)
        client.use_basic()
        (book,) = client.get(f"{LIST}?page=0&size=500").json["content"]
    assert (book["id"], book["name"], book["fileHash"], book["sizeBytes"]) == ("1", "Moby Dick", HASH, 812 * 1024)
    assert book["metadata"]["authors"] == [{"name": "Herman Melville", "role": "writer"}]


@ALL
def test_the_list_shows_the_books_of_libraries_its_owner_may_not_see(dialect: str) -> None:
    with serving(dialect) as (server, client):
        with_account(server)
        private = server.add_library("Private")
        server.add_book(title="Diary", library_id=private)
        server.add_book(title="Moby Dick")
        client.use_basic()
        assert [book["name"] for book in client.get(LIST).json["content"]] == ["Diary", "Moby Dick"]
        assert [book["name"] for book in client.get(f"{LIST}?library_id={private}").json["content"]] == ["Diary"]


@ALL
def test_pages_are_of_any_size_and_twenty_by_default(dialect: str) -> None:
    with serving(dialect) as (server, client):
        with_account(server)
        for number in range(45):
            server.add_book(title=f"Volume {number}")
        client.use_basic()
        page = client.get(f"{LIST}?page=2").json
        assert (page["numberOfElements"], page["totalElements"], page["totalPages"]) == (5, 45, 3)
        assert (page["first"], page["last"]) == (False, True)
        assert client.get(f"{LIST}?size=100000").json["numberOfElements"] == 45
        assert client.get(f"{LIST}?page=9").json["content"] == []


@ALL
def test_the_list_is_switched_off_at_first_and_only_a_known_account_learns_it(dialect: str) -> None:
    with serving(dialect) as (server, client):
        server.add_opds_account(1, USER, PASSWORD)
        client.use_basic()
        reply = client.get(LIST)
        assert (reply.status, reply.json["status"]) == (403, 403)
        client.use_basic(password="wrong")
        assert client.get(LIST).status == 401


@ALL
def test_a_wrong_password_is_a_401_in_plain_text_that_names_its_realm(dialect: str) -> None:
    with serving(dialect) as (server, client):
        with_account(server)
        for headers in ({}, {"Authorization": "Basic %%%"}, {"Authorization": "Bearer x"}):
            client.headers = headers
            reply = client.get(LIST)
            assert (reply.status, reply.is_json) == (401, False)
            assert reply.headers["WWW-Authenticate"] == 'Basic realm="Booklore Komga API"'


@ALL
def test_a_token_is_no_credential_for_the_list(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        with_account(server)
        assert client.get(LIST).status == 401


@ALL
def test_an_account_may_ask_who_it_is(dialect: str) -> None:
    with serving(dialect) as (server, client):
        with_account(server)
        client.use_basic()
        assert client.get("/komga/api/v2/users/me").json["email"] == f"{USER}@booklore.local"


def test_grimmorys_downloads_by_komga_fail_with_a_conflict() -> None:
    with serving("grimmory") as (server, client):
        with_account(server)
        server.add_book(title="Moby Dick")
        client.use_basic()
        assert client.get(f"{LIST}/1/file").status == 409
        assert client.get(f"{LIST}/1/thumbnail").status == 409


@ALL
def test_a_reader_makes_an_opds_account_of_her_own(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        reply = client.post(ACCOUNTS, {"username": "device", "password": "long and random"})
        assert reply.status == 200
        assert reply.json["username"] == "device"
        assert "password" not in reply.json
        assert [account["username"] for account in client.get(ACCOUNTS).json] == ["device"]
        server.set_komga(True)
        client.use_basic("device", "long and random")
        assert client.get(LIST).status == 200


@ALL
def test_an_opds_account_needs_the_permission(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        server.set_permissions(USER, ["canDownload"])
        assert client.post(ACCOUNTS, {"username": "device", "password": "x"}).status == 403
        assert client.get(ACCOUNTS).status == 403


@ALL
def test_a_name_that_anybody_has_is_a_data_conflict(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        server.add_opds_account(server.add_user("ben", "x"), "device", "y")
        reply = client.post(ACCOUNTS, {"username": "Device", "password": "x"})
        assert reply.status == 400
        assert "data conflict" in reply.json["message"]


@ALL
def test_the_older_path_of_opds_accounts_is_not_there(dialect: str) -> None:
    with signed_in(dialect) as (_, client):
        assert client.post("/api/v1/opds-users", {"username": "device", "password": "x"}).status == 500
        reply = client.get("/api/v1/opds-users")
        assert (reply.status, reply.is_json) == (200, False)


@ALL
def test_an_opds_account_is_deleted_by_its_owner_alone(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        other = server.add_opds_account(server.add_user("ben", "x"), "bens", "y")
        own = server.add_opds_account(1, "annas", "y")
        assert client.delete(f"{ACCOUNTS}/{other}").status == 403
        assert client.delete(f"{ACCOUNTS}/{own}").status == 200
        assert [account["username"] for account in server.opds_accounts()] == ["bens"]


@ALL
def test_the_catalogue_searches_title_and_author_but_no_isbn(dialect: str) -> None:
    with serving(dialect) as (server, client):
        server.add_opds_account(1, USER, PASSWORD)
        server.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
        server.add_book(title="Diary", authors=["Melville"], library_id=server.add_library("Private"))
        client.use_basic()
        assert client.get("/api/v1/opds/catalog?q=melville").status == 403
        server.set_opds(True)
        found = client.get("/api/v1/opds/catalog?q=melville").body
        assert b"urn:booklore:book:1" in found
        assert b"urn:booklore:book:2" not in found
        assert b"urn:booklore" not in client.get("/api/v1/opds/catalog?q=9780142437247").body.replace(
            b"urn:booklore:catalog", b""
        )


@ALL
def test_only_an_administrator_switches_the_list_on(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        change = [{"name": "KOMGA_API_ENABLED", "value": "true"}]
        assert client.put("/api/v1/settings", change).status == 403
        server.set_permissions(USER, ["admin"])
        assert client.put("/api/v1/settings", change).status == 200
        assert server.settings.komga_enabled


@ALL
def test_asking_for_the_newest_version_does_not_pass_unnoticed(dialect: str) -> None:
    with pytest.raises(AssertionError, match="another host"), signed_in(dialect) as (_, client):
        client.get("/api/v1/version")
