"""A server with two addresses: one at home, one for everywhere."""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device.secrets import Secrets
from device.sending.connecting import ways
from device.server import wifi
from device.server.http import CONNECT_LOCALLY_S, CONNECT_S
from tests.contract.one_answer_server import OneAnswerServer
from tests.contract.redirecting_server import RedirectingServer
from tests.contract.test_transport import library, texts
from tests.reader import EMMA, MOBY, Reader
from tests.sandbox import StandIn
from tests.sandbox.certificates import make_authority, make_self_signed_certificate, make_server_certificate

DEAD = "http://127.0.0.1:9"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\nConnection: close\r\n\r\n<p/>"


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path / "bookloresync")


@pytest.fixture
def server() -> Iterator[StandIn]:
    with library() as started:
        yield started


def set_up(reader: Reader, remote: str, local: str, more: str = "") -> None:
    lines = f"server = {remote}\nlocal_server = {local}\nuser = anna\npassword = secret\n{more}"
    (reader.data / "setup.txt").write_text(lines)
    run = reader.run("configure")
    assert run.returncode == 0, run.stderr


def kept(reader: Reader, key: str) -> str | None:
    with contextlib.closing(sqlite3.connect(reader.data / "state.sqlite")) as store:
        row = store.execute("SELECT value FROM setting WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])


def asked_to(server: StandIn) -> list[str]:
    return [f"{request.method} {request.path}" for request in server.requests]


def test_in_an_unknown_network_the_address_at_home_is_tried_first_and_asked_who_it_is(
    server: StandIn, reader: Reader
) -> None:
    set_up(reader, DEAD, server.url)
    reader.reads(**MOBY)
    assert reader.run("sync").returncode == 0
    assert len(server.sessions()) == 1
    assert asked_to(server)[:2] == ["GET /api/v1/healthcheck", "POST /api/v1/auth/login"]
    assert "authorization" not in server.requests[0].headers
    assert kept(reader, "address_worked") == "local"


def test_an_address_that_does_not_answer_falls_over_to_the_other_in_the_same_run(
    server: StandIn, reader: Reader
) -> None:
    set_up(reader, server.url, DEAD)
    reader.reads(**MOBY)
    reader.reads(start=1_795_100_000, **EMMA)
    assert reader.run("sync").stdout == "2 reading sessions sent.\n"
    assert asked_to(server)[0] == "POST /api/v1/auth/login"
    assert kept(reader, "address_worked") == "remote"


def test_a_stranger_at_the_address_of_home_is_told_nothing(server: StandIn, reader: Reader) -> None:
    with OneAnswerServer(always=PAGE) as stranger:
        set_up(reader, server.url, stranger.url)
        reader.reads(**MOBY)
        assert reader.run("sync").returncode == 0
        [asked] = stranger.requests
        assert asked.startswith(b"GET /api/v1/healthcheck HTTP/1.1\r\n")
        assert b"authorization" not in asked.lower()
    assert len(server.sessions()) == 1


def test_the_address_that_worked_last_comes_first(server: StandIn, reader: Reader) -> None:
    with OneAnswerServer(always=PAGE) as stranger:
        set_up(reader, server.url, stranger.url)
        for number in range(3):
            reader.reads(start=1_795_000_000 + number * 1000, **MOBY)
            reader.run("sync")
        assert len(stranger.requests) == 1
    assert len(server.sessions()) == 3


def test_a_silent_address_at_home_costs_three_seconds(server: StandIn, reader: Reader) -> None:
    with silent_place() as silent:
        set_up(reader, server.url, silent)
        reader.reads(**MOBY)
        started_s = time.monotonic()
        assert reader.run("sync").returncode == 0
        assert 2.5 < time.monotonic() - started_s < 8


def test_where_neither_answers_the_reader_is_told_and_everything_waits(reader: Reader) -> None:
    set_up(reader, "http://127.0.0.1:10", DEAD)
    reader.reads(**MOBY)
    run = reader.run("sync")
    assert run.returncode == 4
    assert "http://127.0.0.1:10 cannot be reached" in run.stdout
    assert "1 reading session of “Moby Dick”" in reader.status()


def test_it_is_one_account_by_either_address(server: StandIn, reader: Reader) -> None:
    """Nothing is looked up again, and tokens of the one are good at the other."""
    set_up(reader, DEAD, server.url)
    reader.reads(**MOBY)
    reader.run("sync")
    edit(reader, server=server.url, local_server=DEAD, known_as=DEAD)
    before = len(server.requests)
    reader.reads(start=1_795_100_000, **MOBY)
    assert reader.run("sync").returncode == 0
    assert not [line for line in asked_to(server)[before:] if "auth" in line or "reading-sessions/book" in line]
    assert len(server.sessions()) == 2


def test_an_account_that_gets_a_second_address_stays_the_same_account(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    reader.reads(**MOBY)
    reader.run("sync")
    before = kept(reader, "matches_of")
    set_up(reader, "http://127.0.0.1:10", server.url)
    reader.reads(start=1_795_100_000, **MOBY)
    assert reader.run("sync").returncode == 0
    assert kept(reader, "matches_of") == before
    assert "GET /api/v1/reading-sessions/book/1" not in asked_to(server)


# Another network, with somebody else's machine at the address of home


@pytest.fixture
def friend() -> Iterator[StandIn]:
    """Another BookLore, which knows nobody of ours."""
    with StandIn() as started:
        started.add_user("bert", "x")
        yield started


def secrets_told_to(server: StandIn, refresh_token: str = "-") -> list[str]:
    """Requests that carry a password or a refresh token."""
    return [
        request.path
        for request in server.requests
        if "/auth/" in request.path or f"Bearer {refresh_token}" == request.headers.get("authorization")
    ]


@pytest.mark.parametrize("keep_password", ["yes", "no"])
def test_another_booklore_at_the_address_of_home_gets_no_password_and_no_refresh_token_and_stops_nothing(
    server: StandIn, friend: StandIn, reader: Reader, keep_password: str
) -> None:
    set_up(reader, server.url, friend.url, f"keep_password = {keep_password}\n")
    for number in range(3):
        reader.reads(start=1_795_000_000 + number * 1000, **MOBY)
        result = reader.run_job("sync", reason="close")
        assert (result["outcome"], texts(result)) == ("done", "1 reading session sent.")
        secrets = json.loads((reader.data / "secrets.json").read_text())
        assert secrets["refresh_token"]
        assert secrets_told_to(friend, secrets["refresh_token"]) == []
        server.clock.advance(11 * 3600)
    assert len(server.sessions()) == 3
    assert kept(reader, "address_worked") == "remote"


def test_another_booklore_gets_no_refresh_token_that_serves_as_an_access_token(
    server: StandIn, friend: StandIn, reader: Reader
) -> None:
    set_up(reader, server.url, friend.url, "keep_password = no\n")
    reader.reads(**MOBY)
    reader.run("sync")
    token = json.loads((reader.data / "secrets.json").read_text())["refresh_token"]
    server.clock.advance(11 * 3600)
    server.fault(when=lambda method, path, count: path.endswith("/refresh"), do="lose_reply", times=1)
    for number in range(1, 4):
        forget(reader, "address_worked")
        reader.reads(start=1_795_000_000 + number * 1000, **MOBY)
        reader.run("sync")
    assert len(server.sessions()) == 4
    assert json.loads((reader.data / "secrets.json").read_text())["access_token"] == token
    assert secrets_told_to(friend, token) == []


def test_another_booklore_that_is_all_there_is_takes_no_token_away_and_stops_no_later_sync(
    server: StandIn, friend: StandIn, reader: Reader
) -> None:
    set_up(reader, server.url, DEAD, "keep_password = no\n")
    reader.reads(**MOBY)
    reader.run("sync")
    before = json.loads((reader.data / "secrets.json").read_text())
    edit(reader, server=DEAD, local_server=friend.url, known_as=server.url)
    reader.reads(start=1_795_100_000, **MOBY)
    result = reader.run_job("sync", reason="close")
    assert result["outcome"] == "offline"
    assert "may be another server in this network" in texts(result)
    after = json.loads((reader.data / "secrets.json").read_text())
    assert (after["refresh_token"], kept(reader, "login_refused")) == (before["refresh_token"], None)
    edit(reader, server=server.url, local_server=DEAD)
    assert reader.run_job("sync", reason="network")["counts"]["sent"] == 1


def test_a_strangers_certificate_at_the_address_of_home_is_no_question_and_the_other_address_is_the_news(
    reader: Reader, tmp_path: Path
) -> None:
    with library(make_self_signed_certificate(tmp_path)) as stranger:
        set_up(reader, DEAD, stranger.url)
        reader.reads(**MOBY)
        result = reader.run_job("sync", reason="close")
        assert (result["outcome"], result["questions"], result["messages"]) == ("offline", [], [])
        result = reader.run_job("sync", reason="tap")
        assert f"{DEAD} cannot be reached" in texts(result)
        [question] = result["questions"]
        assert "Trust it only if you are at home now" in question["text"]


def test_the_readers_own_certificate_at_home_is_asked_about_when_she_taps(
    server: StandIn, reader: Reader, tmp_path: Path
) -> None:
    with library(make_self_signed_certificate(tmp_path)) as home:
        set_up(reader, server.url, home.url)
        reader.reads(**MOBY)
        [question] = reader.run_job("sync", reason="tap")["questions"]
        reader.reads(start=1_795_100_000, **MOBY)
        assert reader.run_job("sync", reason="tap")["questions"] == []
        reader.run_job("trust", reason="tap", arguments=question["answers"][0]["arguments"])
        forget(reader, "address_worked")
        reader.reads(start=1_795_200_000, **MOBY)
        assert reader.run_job("sync", reason="tap")["counts"]["sent"] == 1
        assert asked_to(home)


def forget(reader: Reader, key: str) -> None:
    with contextlib.closing(sqlite3.connect(reader.data / "state.sqlite")) as store, store:
        store.execute("DELETE FROM setting WHERE key = ?", (key,))


def test_an_address_of_home_that_leads_to_encryption_is_used_while_in_doubt(reader: Reader, tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    with library(make_server_certificate(tmp_path, authority)) as home, RedirectingServer(to=home.url) as front:
        set_up(reader, DEAD, front.url, f"ca_file = {authority.certificate}\n")
        reader.reads(**MOBY)
        assert reader.run("sync").returncode == 0
        assert len(home.sessions()) == 1
        assert front.lines() == ["GET /api/v1/healthcheck HTTP/1.1"]


def test_the_selfcheck_signs_in_at_nothing_but_booklore(reader: Reader) -> None:
    body = b'{"ok":true}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    with OneAnswerServer(always=head + body) as stranger:
        set_up(reader, DEAD, stranger.url)
        run = reader.run("selfcheck")
        assert f"server at home: bad, what answers at {stranger.url} is not BookLore" in run.stderr
        assert not any(b"secret" in request for request in stranger.requests)


def test_the_selfcheck_signs_in_at_the_address_that_is_not_in_doubt(
    server: StandIn, friend: StandIn, reader: Reader
) -> None:
    set_up(reader, server.url, friend.url)
    assert "account: good" in reader.run("selfcheck").stdout
    assert secrets_told_to(friend) == []


def test_the_selfcheck_waits_for_the_address_of_home_as_long_as_a_sync_does(server: StandIn, reader: Reader) -> None:
    with silent_place() as silent:
        set_up(reader, server.url, silent)
        started_s = time.monotonic()
        assert f"{silent} cannot be reached (no answer)" in reader.run("selfcheck").stderr
        assert time.monotonic() - started_s < 8


def test_the_selfcheck_tries_each_address(server: StandIn, reader: Reader) -> None:
    set_up(reader, server.url, DEAD, "home_network = Nest\n")
    run = reader.run("selfcheck")
    assert f"server: good, {server.url} answers" in run.stdout
    assert f"server at home: bad, {DEAD} cannot be reached" in run.stderr


def test_a_mistake_in_the_address_of_home_is_said(reader: Reader) -> None:
    (reader.data / "setup.txt").write_text("server = http://x\nuser = a\npassword = b\nlocal_server = 192.168.1.5\n")
    run = reader.run("configure")
    assert run.returncode == 1
    assert "'192.168.1.5' is not a server address" in run.stderr


def edit(reader: Reader, **fields: Any) -> None:
    path = reader.data / "secrets.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


@contextlib.contextmanager
def silent_place() -> Iterator[str]:
    """An address that takes no connection and refuses none: its queue is full, and nobody takes from it."""
    with socket.socket() as listener, contextlib.ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        place = listener.getsockname()
        for _ in range(4):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(place)
        time.sleep(0.05)
        yield f"http://127.0.0.1:{place[1]}"


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ("Nest", [("local", CONNECT_LOCALLY_S, False), ("remote", CONNECT_S, False)]),
        ("Café", [("remote", CONNECT_S, False), ("local", CONNECT_LOCALLY_S, True)]),
        (None, [("remote", CONNECT_S, False), ("local", CONNECT_LOCALLY_S, True)]),
    ],
)
def test_the_name_of_the_wifi_decides_where_it_is_known(
    monkeypatch: pytest.MonkeyPatch, network: str | None, expected: list[tuple[str, float, bool]]
) -> None:
    monkeypatch.setattr(wifi, "network", lambda: network)
    secrets = Secrets("https://remote", "anna", "secret")
    secrets.local_server, secrets.home_network = "http://local", "Nest"
    found = ways(secrets, "remote")
    assert [(way.address.host, way.connect_s, way.is_doubtful) for way in found] == expected


def test_nobody_is_asked_for_the_network_of_a_server_with_one_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wifi, "network", lambda: pytest.fail("it was asked"))
    secrets = Secrets("https://remote", "anna", "secret")
    secrets.home_network = "Nest"
    assert [way.address.host for way in ways(secrets, None)] == ["remote"]
