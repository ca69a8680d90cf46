"""Signing in with a password, with a token, with a password that is not kept; and signing out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.one_answer_server import OneAnswerServer
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


def edit(reader: Reader, **fields: Any) -> None:
    (reader.data / "secrets.json").write_text(json.dumps(secrets(reader) | fields))


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


def test_an_access_token_serves_on_a_device_whose_clock_is_days_ahead(server: StandIn, reader: Reader) -> None:
    server.clock.advance(-2 * DAY_S)
    access, _ = tokens_of(server)
    set_up(reader, f"server = {server.url}", f"token = {access}")
    reader.reads(**MOBY)
    assert reader.run_job("sync", reason="tap")["counts"]["sent"] == 1


def test_a_token_of_another_user_is_not_taken_for_this_account(server: StandIn, reader: Reader) -> None:
    server.add_user("bert", "pw")
    reader.configure(server.url)
    client = PlainClient(server)
    token = client.log_in("bert", "pw").json["refreshToken"]
    client.close()
    (reader.data / "setup.txt").write_text(f"token = {token}\n")
    run = reader.run("configure")
    assert run.returncode == 1
    assert "is not anna's: to change to that account, write server and token into it" in run.stderr
    assert secrets(reader)["token"] == ""


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


def signed_in_without_a_password(server: StandIn, reader: Reader) -> None:
    """With another session waiting, and an access token that is over."""
    set_up(reader, f"server = {server.url}", "user = anna", "password = secret", "keep_password = no")
    reader.reads(**MOBY)
    assert reader.run("sync").returncode == 0
    server.clock.advance(11 * 3600)
    reader.reads(start=1_795_100_000, **MOBY)


def test_a_lost_answer_to_a_renewal_locks_nobody_out_and_is_told_once(any_server: StandIn, reader: Reader) -> None:
    signed_in_without_a_password(any_server, reader)
    any_server.fault(when=lambda method, path, count: path == REFRESH, do="lose_reply", times=1)
    assert reader.run_job("sync", reason="close")["outcome"] == "offline"
    result = reader.run_job("sync", reason="network")
    assert (result["outcome"], result["counts"]["sent"]) == ("done", 1)
    assert "It serves until" in texts(result)
    reader.reads(start=1_795_200_000, **MOBY)
    result = reader.run_job("sync", reason="close")
    assert (result["counts"]["sent"], texts(result)) == (1, "1 reading session sent.")
    any_server.clock.advance(31 * DAY_S)
    reader.reads(start=1_795_300_000, **MOBY)
    result = reader.run_job("sync", reason="close")
    assert result["outcome"] == "failed"
    assert "put it into setup.txt again" in texts(result)
    assert "It serves until" not in texts(result)


def test_keep_password_no_takes_a_password_that_has_served_from_the_device_at_once(
    server: StandIn, reader: Reader
) -> None:
    reader.configure(server.url)
    reader.reads(**MOBY)
    reader.run("sync")
    assert secrets(reader)["password"] == "secret"
    set_up(reader, "keep_password = no")
    assert secrets(reader)["password"] == ""
    set_up(reader, "password = secret")
    assert secrets(reader)["password"] == "secret"


# What something in front of the server says

JSON_HEAD = "HTTP/1.1 {} X\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{}"
STRANGE = [
    (401, '{"error":"Unauthorized"}'),
    (403, '{"message":"Access denied by policy"}'),
    (400, '{"message":"Bad gateway"}'),
    (400, '{"status":400,"message":"Another thing"}'),
]


def said(status: int, body: str) -> bytes:
    return JSON_HEAD.format(status, len(body), body).encode()


@pytest.mark.parametrize(("status", "body"), STRANGE)
def test_what_is_not_the_servers_own_refusal_costs_no_token(
    server: StandIn, reader: Reader, status: int, body: str
) -> None:
    signed_in_without_a_password(server, reader)
    before = secrets(reader)["refresh_token"]
    with OneAnswerServer(always=said(status, body)) as stranger:
        edit(reader, server=stranger.url, known_as=server.url, access_expires_at=0)
        assert reader.run_job("sync", reason="close")["outcome"] == "offline"
    assert secrets(reader)["refresh_token"] == before
    edit(reader, server=server.url)
    assert reader.run_job("sync", reason="tap")["counts"]["sent"] == 1


def test_where_a_password_is_kept_a_refusal_in_a_strange_form_leads_to_a_login(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    reader.reads(**MOBY)
    reader.run("sync")
    before = secrets(reader)
    with OneAnswerServer(always=said(*STRANGE[0])) as stranger:
        edit(reader, server=stranger.url, known_as=server.url, access_expires_at=0)
        reader.reads(start=1_795_100_000, **MOBY)
        assert reader.run_job("sync", reason="close")["outcome"] == "offline"
        paths = [request.split(b" ")[1].decode() for request in stranger.requests]
    assert paths == [REFRESH, LOGIN]
    assert secrets(reader)["refresh_token"] == before["refresh_token"]


@pytest.mark.parametrize(("status", "body"), STRANGE[:3])
def test_what_is_not_the_servers_own_refusal_of_a_login_does_not_stop_the_next(
    server: StandIn, reader: Reader, status: int, body: str
) -> None:
    with OneAnswerServer(always=said(status, body)) as stranger:
        reader.configure(stranger.url)
        reader.reads(**MOBY)
        assert reader.run_job("sync", reason="close")["outcome"] == "offline"
    edit(reader, server=server.url)
    assert reader.run_job("sync", reason="network")["counts"]["sent"] == 1


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


def test_who_signs_in_again_at_another_address_of_the_server_goes_on_where_she_was(
    server: StandIn, reader: Reader
) -> None:
    reader.configure(server.url)
    reader.reads(**MOBY)
    reader.run("sync")
    reader.run("sign-out")
    lines = ("server = https://books.example.org", f"local_server = {server.url}", "user = anna", "password = secret")
    set_up(reader, *lines)
    assert secrets(reader)["known_as"] == server.url
    reader.run("sign-out")
    set_up(reader, f"server = {server.url.replace('http:', 'https:')}", "user = anna", "password = secret")
    assert secrets(reader)["known_as"] == server.url
    reader.run("sign-out")
    set_up(reader, f"server = {server.url}", "user = bert", "password = secret")
    assert secrets(reader)["known_as"] == ""


def test_an_account_elsewhere_can_be_signed_out_of_without_one_at_a_server(reader: Reader) -> None:
    set_up(reader, "hardcover_token = abc", "koreader_user = kate", "koreader_password = k")
    menu = json.loads((reader.data / "menu.json").read_text())
    [account] = [item for item in menu["items"] if item.get("id") == "account"]
    [item] = account["items"]
    assert (item["verb"], "Hardcover" in item["confirm"]) == ("sign-out", True)
    said = texts(reader.run_job("sign-out", reason="tap"))
    assert said == "No account at a server was signed in. The others (Hardcover, KOReader's sync) are removed."
    assert not (reader.data / "secrets.json").exists()
    assert '"sign-out"' not in (reader.data / "menu.json").read_text()


def test_signing_out_warns_of_a_token_file_that_the_next_sync_would_take(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    (reader.data / "hardcover_token.txt").write_text("abc\n")
    assert "hardcover_token.txt is still there" in texts(reader.run_job("sign-out", reason="tap"))


def test_signing_out_gives_another_booklore_no_refresh_token(server: StandIn, reader: Reader) -> None:
    set_up(reader, "server = http://127.0.0.1:9", f"local_server = {server.url}", "user = anna", "password = secret")
    edit(reader, access_token="a.b.c", refresh_token="d.e.f")
    assert "The server could not be told" in texts(reader.run_job("sign-out", reason="tap"))
    assert asked(server, LOGOUT) == 0
    assert not any("d.e.f" in request.headers.get("authorization", "") for request in server.requests)


def test_signing_out_at_home_tells_the_server(server: StandIn, reader: Reader) -> None:
    set_up(reader, "server = http://127.0.0.1:9", f"local_server = {server.url}", "user = anna", "password = secret")
    reader.reads(**MOBY)
    reader.run("sync")
    reader.run("sign-out")
    assert asked(server, LOGOUT) == 1


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
