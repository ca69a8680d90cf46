"""The stand-in's logins and tokens are those of the servers, with their traps."""

from __future__ import annotations

import base64
import json
from contextlib import closing
from pathlib import Path

import pytest

from tests.contract.plain_client import NOON, PASSWORD, USER, PlainClient, serving, signed_in
from tests.sandbox import StandIn

ALL = pytest.mark.parametrize("dialect", ["booklore", "grimmory", "worldteacher"])
HOUR_S = 3600


def claims(token: str) -> dict[str, object]:
    payload = token.split(".")[1]
    decoded: dict[str, object] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return decoded


@pytest.mark.parametrize("dialect", ["booklore", "worldteacher"])
def test_a_booklore_login_tells_no_expiry_and_writes_its_boolean_as_text(dialect: str) -> None:
    with serving(dialect) as (_, client):
        reply = client.log_in().json
    assert set(reply) == {"accessToken", "refreshToken", "isDefaultPassword"}
    assert reply["isDefaultPassword"] == "false"


def test_a_grimmory_login_tells_its_expiry_and_writes_a_real_boolean() -> None:
    with serving("grimmory") as (_, client):
        reply = client.log_in().json
    assert (reply["expires"], reply["isDefaultPassword"]) == (7200, False)


@pytest.mark.parametrize(("dialect", "hours"), [("booklore", 10), ("grimmory", 2), ("worldteacher", 10)])
def test_an_access_token_is_good_until_the_second_its_claims_name(dialect: str, hours: int) -> None:
    with signed_in(dialect) as (server, client):
        token = client.headers["Authorization"].removeprefix("Bearer ")
        assert claims(token)["exp"] == NOON + hours * HOUR_S
        server.clock.advance(hours * HOUR_S - 1)
        assert client.get("/api/v1/users/me").status == 200
        server.clock.advance(1)
        assert client.get("/api/v1/users/me").status == 401


def test_token_claims_are_the_servers_own_without_type_or_id() -> None:
    with serving("booklore") as (_, client):
        token = client.log_in().json["accessToken"]
    assert set(claims(token)) == {"sub", "userId", "isDefaultPassword", "iat", "exp"}


def test_grimmory_tokens_name_their_issuer() -> None:
    with serving("grimmory") as (_, client):
        token = client.log_in().json["accessToken"]
    assert claims(token)["iss"] == "booklore"


@pytest.mark.parametrize(("dialect", "has_body"), [("booklore", False), ("grimmory", True), ("worldteacher", False)])
def test_an_invalid_token_is_a_401_and_only_grimmory_says_more(dialect: str, has_body: bool) -> None:
    with serving(dialect) as (_, client):
        client.use_token("not.a.token")
        reply = client.get("/api/v1/books")
    assert (reply.status, bool(reply.body)) == (401, has_body)


@ALL
def test_a_token_with_a_forged_signature_is_refused(dialect: str) -> None:
    with signed_in(dialect) as (_, client):
        head, payload, _ = client.headers["Authorization"].split(".")
        client.headers["Authorization"] = f"{head}.{payload}.{'A' * 43}"
        assert client.get("/api/v1/users/me").status == 401


@pytest.mark.parametrize(("dialect", "status"), [("booklore", 403), ("grimmory", 401), ("worldteacher", 403)])
def test_a_request_without_any_credentials_is_refused(dialect: str, status: int) -> None:
    with serving(dialect) as (_, client):
        assert client.get("/api/v1/books").status == status


@ALL
def test_a_wrong_password_is_a_400(dialect: str) -> None:
    with serving(dialect) as (_, client):
        reply = client.log_in(password="wrong")
    assert (reply.status, reply.json["message"]) == (400, "Invalid credentials")


def test_a_login_without_a_password_names_the_field() -> None:
    with serving() as (_, client):
        reply = client.post("/api/v1/auth/login", {"username": USER})
    assert (reply.status, reply.json["details"]) == (400, ["password: must not be blank"])


@ALL
def test_two_logins_within_one_second_collide(dialect: str) -> None:
    with serving(dialect) as (_, client):
        assert client.log_in().status == 200
        collision = client.log_in()
    assert collision.status == 400
    assert collision.json["message"] == "A data conflict occurred. The operation could not be completed."


def test_a_login_one_second_later_does_not_collide() -> None:
    with serving() as (server, client):
        client.log_in()
        server.clock.advance(1)
        assert client.log_in().status == 200


def test_after_five_wrong_passwords_the_right_one_is_refused_too() -> None:
    with serving() as (_, client):
        failures = [client.log_in(password="wrong").status for _ in range(5)]
        sixth = client.log_in()
    assert failures == [400] * 5
    assert sixth.status == 429
    assert sixth.headers["Retry-After"] is None


def test_the_lock_ends_fifteen_minutes_after_the_first_failure() -> None:
    with serving() as (server, client):
        for _ in range(5):
            client.log_in(password="wrong")
            server.clock.advance(60)
        server.clock.advance(15 * 60 - 5 * 60 - 1)
        assert client.log_in().status == 429
        server.clock.advance(1)
        assert client.log_in().status == 200


def test_a_good_login_forgets_earlier_failures() -> None:
    with serving() as (server, client):
        for _ in range(4):
            client.log_in(password="wrong")
        client.log_in()
        server.clock.advance(1)
        for _ in range(4):
            client.log_in(password="wrong")
        assert client.log_in().status == 200


def test_failures_of_one_address_lock_other_users_out() -> None:
    with serving() as (server, client):
        server.add_user("berta", PASSWORD)
        for _ in range(5):
            client.log_in(password="wrong")
        assert client.log_in("berta").status == 429


@ALL
def test_a_refresh_token_works_once(dialect: str) -> None:
    with serving(dialect) as (server, client):
        old = client.log_in().json["refreshToken"]
        server.clock.advance(1)
        new = client.post("/api/v1/auth/refresh", {"refreshToken": old}).json
        server.clock.advance(1)
        again = client.post("/api/v1/auth/refresh", {"refreshToken": old})
        client.use_token(new["accessToken"])
        assert client.get("/api/v1/users/me").status == 200
    assert ("expires" in new) == (dialect == "grimmory")
    assert (again.status, again.json["message"]) == (400, "Invalid credentials")


def test_a_refresh_in_the_second_of_the_login_collides_and_leaves_the_old_token_alive() -> None:
    with serving() as (server, client):
        token = client.log_in().json["refreshToken"]
        assert client.post("/api/v1/auth/refresh", {"refreshToken": token}).status == 400
        server.clock.advance(1)
        assert client.post("/api/v1/auth/refresh", {"refreshToken": token}).status == 200


def test_a_refresh_token_ends_after_thirty_days() -> None:
    with serving() as (server, client):
        token = client.log_in().json["refreshToken"]
        server.clock.advance(30 * 24 * HOUR_S)
        assert client.post("/api/v1/auth/refresh", {"refreshToken": token}).status == 400


def test_a_refresh_token_passes_for_an_access_token() -> None:
    with serving() as (_, client):
        client.use_token(client.log_in().json["refreshToken"])
        assert client.get("/api/v1/users/me").status == 200


def test_a_logout_ends_the_refresh_token() -> None:
    with serving() as (server, client):
        token = client.log_in().json["refreshToken"]
        assert client.post("/api/v1/auth/logout", {"refreshToken": token}).status == 200
        server.clock.advance(1)
        assert client.post("/api/v1/auth/refresh", {"refreshToken": token}).status == 400


@pytest.mark.parametrize(("dialect", "status"), [("booklore", 200), ("grimmory", 401), ("worldteacher", 200)])
def test_only_grimmory_wants_a_token_for_the_logout(dialect: str, status: int) -> None:
    with serving(dialect) as (_, client):
        assert client.post("/api/v1/auth/logout", {}).status == status


@ALL
def test_remote_authentication_says_that_it_is_off_with_a_203(dialect: str) -> None:
    with serving(dialect) as (_, client):
        reply = client.get("/api/v1/auth/remote")
    assert (reply.status, reply.json["status"]) == (203, 203)


def test_with_single_sign_on_only_an_ordinary_user_cannot_log_in() -> None:
    with serving() as (server, client):
        server.settings.oidc_only = True
        server.add_user("root", PASSWORD, permissions=["admin"])
        assert client.log_in().status == 403
        assert client.log_in("root").status == 200


def test_a_user_learns_her_permissions_and_libraries() -> None:
    with serving() as (server, client):
        server.add_user("berta", PASSWORD, permissions=["canDownload"])
        client.sign_in("berta")
        me = client.get("/api/v1/users/me").json
    assert me["username"] == "berta"
    assert [name for name, granted in me["permissions"].items() if granted] == ["canDownload"]
    assert [library["name"] for library in me["assignedLibraries"]] == ["Library"]


def test_tokens_outlive_a_restart_of_a_server_with_a_database_file(tmp_path: Path) -> None:
    database = tmp_path / "server.sqlite"
    with StandIn(database=database) as first, closing(PlainClient(first)) as client:
        first.add_user(USER, PASSWORD)
        token = client.log_in().json["accessToken"]
    with StandIn(database=database) as second, closing(PlainClient(second)) as client:
        client.use_token(token)
        assert client.get("/api/v1/users/me").status == 200
