"""Signing in with a password, with a token, with a password that is not kept; and signing out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.plain_client import PlainClient
from tests.contract.test_transport import library, texts
from tests.reader import MOBY, Reader
from tests.sandbox import StandIn

DIALECTS = ("booklore", "grimmory", "worldteacher")
LOGIN, REFRESH, LOGOUT = "/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/auth/logout"
DAY_S = 86_400


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path / "bookloresync")


@pytest.fixture(params=DIALECTS)
def any_server(request: pytest.FixtureRequest) -> Iterator[StandIn]:
    with library(dialect=request.param) as server:
        yield server


@pytest.fixture
def server() -> Iterator[StandIn]:
    with library() as started:
        yield started


def tokens_of(server: StandIn, password: str = "secret") -> tuple[str, str]:
    """What a browser that is signed in holds: access token, refresh token."""
    client = PlainClient(server)
    reply = client.log_in("anna", password).json
    client.close()
    server.clock.advance(2)
    return reply["accessToken"], reply["refreshToken"]


def set_up(reader: Reader, *lines: str) -> str:
    (reader.data / "setup.txt").write_text("\n".join(lines) + "\n")
    run = reader.run("configure")
    assert run.returncode == 0, run.stderr
    return run.stdout


def secrets(reader: Reader) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((reader.data / "secrets.json").read_text())
    return found


def asked(server: StandIn, path: str) -> int:
    return sum(request.path == path for request in server.requests)


# Tokens


def test_a_refresh_token_serves_without_a_password(any_server: StandIn, reader: Reader) -> None:
    _, refresh = tokens_of(any_server)
    logins = asked(any_server, LOGIN)
    set_up(reader, f"server = {any_server.url}", f"token = {refresh}")
    reader.reads(**MOBY)
    assert reader.run("sync").returncode == 0
    any_server.clock.advance(11 * 3600)
    reader.reads(start=1_795_100_000, **MOBY)
    assert reader.run("sync").returncode == 0
    assert len(any_server.sessions()) == 2
    assert (asked(any_server, LOGIN), asked(any_server, REFRESH)) == (logins, 2)
    assert (secrets(reader)["user"], secrets(reader)["token"]) == ("anna", "")


def test_an_access_token_serves_until_it_expires_and_then_another_is_asked_for(
    any_server: StandIn, reader: Reader
) -> None:
    access, _ = tokens_of(any_server)
    set_up(reader, f"server = {any_server.url}", f"token = Bearer {access}")
    reader.reads(**MOBY)
    assert reader.run("sync").returncode == 0
    any_server.clock.advance(11 * 3600)
    reader.reads(start=1_795_100_000, **MOBY)
    run = reader.run("sync")
    assert run.returncode == 1
    assert "does not take the token any more: put a new one into setup.txt" in run.stderr
    assert "1 reading session of “Moby Dick”" in reader.status()
    assert reader.run_job("sync", reason="close")["messages"] == []
    access, _ = tokens_of(any_server)
    set_up(reader, f"token = {access}")
    assert reader.run("sync").returncode == 0
    assert len(any_server.sessions()) == 2


def test_a_token_that_is_none_is_said(server: StandIn, reader: Reader) -> None:
    set_up(reader, f"server = {server.url}", "user = anna", "token = nonsense")
    reader.reads(**MOBY)
    assert "does not take the token any more" in reader.run("sync").stderr


def test_where_passwords_are_switched_off_the_reader_learns_what_to_do(any_server: StandIn, reader: Reader) -> None:
    any_server.settings.oidc_only = True
    reader.configure(any_server.url)
    reader.reads(**MOBY)
    result = reader.run_job("sync", reason="close")
    assert result["outcome"] == "failed"
    assert "not log in with a password (HTTP 403)" in texts(result)
    assert "put a token into setup.txt" in texts(result)
    reader.run_job("sync", reason="network")
    assert asked(any_server, LOGIN) == 1


# A password that is not kept


def test_a_password_that_is_not_to_be_kept_goes_with_the_first_login(any_server: StandIn, reader: Reader) -> None:
    set_up(reader, f"server = {any_server.url}", "user = anna", "password = secret", "keep_password = no")
    assert secrets(reader)["password"] == "secret"
    reader.reads(**MOBY)
    assert reader.run("sync").returncode == 0
    assert "secret" not in (reader.data / "secrets.json").read_text()
    any_server.clock.advance(20 * DAY_S)
    reader.reads(start=1_795_100_000, **MOBY)
    assert reader.run("sync").returncode == 0
    any_server.clock.advance(31 * DAY_S)
    reader.reads(start=1_795_200_000, **MOBY)
    run = reader.run("sync")
    assert "The login at" in run.stderr
    assert "put it into setup.txt again" in run.stderr
    set_up(reader, "password = secret")
    assert reader.run("sync").returncode == 0
    assert len(any_server.sessions()) == 3
    assert secrets(reader)["password"] == ""


def test_a_first_login_that_fails_keeps_the_password(server: StandIn, reader: Reader) -> None:
    server.fault(when=lambda method, path, count: path == LOGIN, do="error_before", times=1)
    set_up(reader, f"server = {server.url}", "user = anna", "password = secret", "keep_password = no")
    reader.reads(**MOBY)
    assert reader.run("sync").returncode == 4
    assert reader.run("sync").returncode == 0


# Too many failures


def test_a_locked_account_is_left_alone_for_a_quarter_of_an_hour(any_server: StandIn, reader: Reader) -> None:
    client = PlainClient(any_server)
    for _ in range(5):
        client.log_in("anna", "wrong")
    client.close()
    before = asked(any_server, LOGIN)
    reader.configure(any_server.url)
    reader.reads(**MOBY)
    result = reader.run_job("sync", reason="close")
    assert result["outcome"] == "offline"
    assert "takes no logins for a quarter of an hour" in texts(result)
    for reason in ("close", "network", "wake"):
        assert reader.run_job("sync", reason=reason)["messages"] == []
    assert asked(any_server, LOGIN) == before + 1
    any_server.clock.advance(901)
    assert reader.run_job("sync", reason="tap")["counts"]["sent"] == 1


# Other accounts


def test_other_accounts_can_come_later_and_leave_this_one_as_it_is(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    lines = ("hardcover_token = abc", "koreader_user = kate", "koreader_password = k", "opds_user = o")
    assert "the Hardcover token" in set_up(reader, *lines, "opds_password = p")
    found = secrets(reader)
    assert (found["server"], found["user"], found["password"]) == (server.url, "anna", "secret")
    assert (found["hardcover_token"], found["koreader_user"], found["opds_password"]) == ("abc", "kate", "p")
    reader.configure(server.url, user="bert")
    found = secrets(reader)
    assert (found["user"], found["hardcover_token"], found["koreader_password"]) == ("bert", "abc", "k")


def test_a_key_without_a_value_takes_away_what_it_named(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    set_up(reader, "hardcover_token = abc")
    set_up(reader, "hardcover_token =")
    assert secrets(reader)["hardcover_token"] == ""


def test_a_password_alone_needs_an_account_to_belong_to(reader: Reader) -> None:
    (reader.data / "setup.txt").write_text("password = secret\n")
    run = reader.run("configure")
    assert run.returncode == 1
    assert "lacks server: there is no account yet" in run.stderr
    assert (reader.data / "setup.txt").exists()


def test_an_unencrypted_address_is_noted_where_it_is_set_up_and_in_the_menu(reader: Reader) -> None:
    reader.put_setup_file("http://192.168.1.5:6060")
    run = reader.run("configure")
    assert "http://192.168.1.5:6060 is not encrypted" in run.stderr
    menu = (reader.data / "menu.json").read_text()
    assert "Not encrypted: others in the same network can read along" in menu
    assert "is not encrypted" in reader.run("status").stderr


# Signing out


def test_signing_out_tells_the_server_and_leaves_no_secret_behind(any_server: StandIn, reader: Reader) -> None:
    reader.configure(any_server.url)
    reader.reads(**MOBY)
    reader.run("sync")
    refresh = secrets(reader)["refresh_token"]
    result = reader.run_job("sign-out", reason="tap")
    assert result["outcome"] == "done"
    assert texts(result) == "The account is removed from this device. What was recorded stays here."
    assert not (reader.data / "secrets.json").exists()
    left = b"".join(path.read_bytes() for path in reader.data.rglob("*") if path.is_file())
    assert refresh.encode() not in left
    assert asked(any_server, LOGOUT) == 1
    client = PlainClient(any_server)
    assert client.post(REFRESH, {"refreshToken": refresh}).status == 400
    client.close()


def test_signing_out_works_without_a_server(reader: Reader) -> None:
    with library() as server:
        reader.configure(server.url)
        reader.reads(**MOBY)
        reader.run("sync")
    run = reader.run("sign-out")
    assert run.returncode == 0
    assert "The server could not be told" in run.stdout
    assert not (reader.data / "secrets.json").exists()


def test_who_signs_in_again_goes_on_where_she_was(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    reader.reads(**MOBY)
    reader.run("sync")
    reader.run("sign-out")
    reader.reads(start=1_795_100_000, **MOBY)
    assert reader.run_job("sync", reason="close")["outcome"] == "not_configured"
    reader.configure(server.url)
    assert reader.run("sync").stdout == "1 reading session sent.\n"
    assert len(server.sessions()) == 2
    assert not [request for request in server.requests if "/reading-sessions/book/" in request.path]


def test_signing_out_without_an_account_is_no_failure(reader: Reader) -> None:
    run = reader.run("sign-out")
    assert (run.returncode, run.stdout) == (0, "No account is signed in.\n")


def test_the_menu_shows_the_account_and_the_ways_out_of_it(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    reader.run("trust", "ab" * 32)
    menu = json.loads((reader.data / "menu.json").read_text())
    [account] = [item for item in menu["items"] if item.get("id") == "account"]
    taps = {item["id"]: item for item in account["items"] if "verb" in item}
    assert (taps["sign-out"]["verb"], bool(taps["sign-out"]["confirm"])) == ("sign-out", True)
    assert taps["account-unpin"]["arguments"] == {"fingerprint": "none"}
    reader.run("trust", "none")
    assert "account-unpin" not in (reader.data / "menu.json").read_text()
