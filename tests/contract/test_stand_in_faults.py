"""The stand-in fails when and how a test asks for it, and remembers everything it was asked."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from pathlib import Path

import pytest

from tests.contract.plain_client import NOON, PASSWORD, USER, PlainClient, serving, signed_in
from tests.sandbox import StandIn, web_page
from tests.sandbox.certificates import (
    CertificateFiles,
    make_authority,
    make_expired_certificate,
    make_future_certificate,
    make_self_signed_certificate,
    make_server_certificate,
    make_wrong_host_certificate,
)

PATH = "/api/v1/reading-sessions"


def session(book_id: int) -> dict[str, object]:
    return {
        "bookId": book_id,
        "bookType": "EPUB",
        "startTime": "2026-02-22T14:00:00Z",
        "endTime": "2026-02-22T14:20:00Z",
        "durationSeconds": 1200,
    }


def every_post(method: str, path: str, count: int) -> bool:
    return method == "POST" and path == PATH


@pytest.mark.parametrize(
    ("fault", "stored"), [("drop_request", 0), ("reset", 0), ("lose_reply", 1), ("reset_after_commit", 1)]
)
def test_a_connection_is_cut_before_or_after_the_session_is_stored(fault: str, stored: int) -> None:
    with signed_in() as (server, client):
        book = server.add_book(title="Moby Dick")
        server.fault(when=every_post, do=fault)
        with pytest.raises(ConnectionError):  # RemoteDisconnected is one too
            client.post(PATH, session(book))
        assert len(server.sessions(book)) == stored
        assert (server.requests[-1].status, server.requests[-1].fault) == (None, fault)


@pytest.mark.parametrize(("fault", "stored"), [("error_before", 0), ("error_after_commit", 1)])
def test_an_error_is_answered_before_or_after_the_session_is_stored(fault: str, stored: int) -> None:
    with signed_in() as (server, client):
        book = server.add_book(title="Moby Dick")
        server.fault(when=every_post, do=fault, status=503)
        assert client.post(PATH, session(book)).status == 503
        assert len(server.sessions(book)) == stored


def test_an_answer_ends_early_although_the_work_is_done() -> None:
    with signed_in() as (server, client):
        book = server.add_book(title="Moby Dick")
        server.fault(when=lambda method, path, count: path.endswith("personal-rating"), do="truncate")
        with pytest.raises(http.client.IncompleteRead):
            client.put("/api/v1/books/personal-rating", {"ids": [book], "rating": 9})
        client.close()
        assert client.get(f"/api/v1/books/{book}").json["personalRating"] == 9


def test_a_body_is_garbage_although_the_header_is_sound() -> None:
    with signed_in() as (server, client):
        server.fault(when=lambda method, path, count: True, do="garbage_chunk")
        with pytest.raises((http.client.IncompleteRead, ValueError)):
            client.get("/api/v1/books")


def test_a_captive_portal_answers_with_a_page() -> None:
    with signed_in() as (server, client):
        book = server.add_book(title="Moby Dick")
        server.fault(when=every_post, do="html")
        reply = client.post(PATH, session(book))
        assert (reply.status, reply.headers.get_content_type()) == (200, "text/html")
        assert server.sessions(book) == []


def test_a_captive_portal_answers_with_a_redirect() -> None:
    with signed_in() as (server, client):
        server.fault(when=every_post, do="redirect", location="http://portal.invalid/terms")
        reply = client.post(PATH, session(1))
    assert (reply.status, reply.headers["Location"]) == (302, "http://portal.invalid/terms")


@pytest.mark.parametrize(("fault", "stored"), [("hang", 0), ("hang_after_commit", 1)])
def test_a_server_hangs_before_or_after_the_session_is_stored(fault: str, stored: int) -> None:
    with signed_in() as (server, client):
        book = server.add_book(title="Moby Dick")
        server.fault(when=every_post, do=fault, seconds=60)
        impatient = http.client.HTTPConnection("127.0.0.1", server.port, timeout=0.5)
        headers = {"Content-Type": "application/json", **client.headers}
        impatient.request("POST", PATH, json.dumps(session(book)), headers)
        with pytest.raises(TimeoutError):
            impatient.getresponse()
        impatient.close()
        assert len(server.sessions(book)) == stored


def test_a_server_that_hangs_is_stopped_all_the_same() -> None:
    with serving() as (server, _):
        server.fault(when=every_post, do="hang", seconds=600)
        sent = socket.create_connection(("127.0.0.1", server.port))
        sent.sendall(b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" % PATH.encode())
        while not any(record.fault for record in server.requests):
            time.sleep(0.01)
        stopping_at = time.monotonic()
    assert time.monotonic() - stopping_at < 3
    sent.close()


def test_a_slow_answer_is_whole_in_the_end() -> None:
    with signed_in() as (server, client):
        server.fault(when=lambda method, path, count: path.endswith("/me"), do="slow", seconds=0.5)
        started_at = time.monotonic()
        assert client.get("/api/v1/users/me").json["username"] == USER
        assert time.monotonic() - started_at > 0.4


def test_a_fault_chooses_by_method_path_and_count_and_ends_after_its_times() -> None:
    with signed_in() as (server, client):
        book = server.add_book(title="Moby Dick")
        server.fault(when=lambda method, path, count: method == "POST" and count >= 3, do="html", times=2)
        statuses = []
        for _ in range(6):
            client.get("/api/v1/books")
            statuses.append(client.post(PATH, session(book)).status)
    assert statuses == [202, 202, 200, 200, 202, 202]


def test_an_unknown_fault_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="no such fault"):
        StandIn().fault(when=every_post, do="explode")


def test_a_defect_of_the_stand_in_itself_does_not_pass_for_a_servers_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(state: dict[str, object], server_name: str, web_reader: object) -> str:
        raise KeyError("a bug in the page")

    monkeypatch.setattr(web_page, "render", fail)
    with pytest.raises(AssertionError, match="a bug in the page"), serving() as (_, client):
        assert client.get("/").status == 500


# The recorder


def test_requests_and_connections_are_counted() -> None:
    with signed_in() as (server, client):
        for _ in range(3):
            client.get("/api/v1/books?withDescription=true")
        other = PlainClient(server)
        other.get("/api/v1/healthcheck")
        other.close()
        assert server.connections == 2
        asked = server.requests
    assert [(record.method, record.path, record.status) for record in asked] == [
        ("POST", "/api/v1/auth/login", 200),
        *[("GET", "/api/v1/books", 200)] * 3,
        ("GET", "/api/v1/healthcheck", 200),
    ]
    assert [record.connection for record in asked] == [1, 1, 1, 1, 2]
    assert asked[1].query == {"withDescription": "true"}


def test_bytes_are_counted_as_they_crossed_the_wire() -> None:
    with serving() as (server, _):
        request = b"GET /api/v1/healthcheck HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        wire = socket.create_connection(("127.0.0.1", server.port))
        wire.sendall(request)
        answer = b""
        while data := wire.recv(4096):
            answer += data
        wire.close()
        (record,) = server.requests
    assert (record.bytes_in, record.bytes_out) == (len(request), len(answer))


def test_a_request_may_come_in_chunks() -> None:
    with serving() as (server, _):
        body = json.dumps({"username": USER, "password": PASSWORD}).encode()
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        chunks = iter([body[:10], body[10:]])
        connection.request(
            "POST", "/api/v1/auth/login", chunks, {"Content-Type": "application/json"}, encode_chunked=True
        )
        assert connection.getresponse().status == 200
        connection.close()


def test_a_connection_may_be_closed_after_so_many_requests() -> None:
    with serving() as (server, client):
        server.http.requests_per_connection = 2
        replies = [client.get("/api/v1/healthcheck") for _ in range(4)]
        assert server.connections == 2
    assert [reply.headers["Connection"] for reply in replies] == [None, "close", None, "close"]


def test_a_silent_connection_is_closed() -> None:
    with serving() as (server, _):
        server.http.idle_s = 0.1
        wire = socket.create_connection(("127.0.0.1", server.port))
        wire.settimeout(5)
        assert wire.recv(1) == b""
        wire.close()


def test_a_server_starts_again_on_its_port_with_its_data() -> None:
    with signed_in() as (server, client):
        client.post(PATH, session(server.add_book(title="Moby Dick")))
        port = server.port
        server.stop()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        server.start()
        client.close()
        assert server.port == port
        assert len(client.get(f"{PATH}/book/1").json["content"]) == 1


def test_the_clock_can_be_stopped_and_turned() -> None:
    with serving() as (server, _):
        assert server.clock.now() == NOON
        server.clock.advance(90)
        assert server.clock.now() == NOON + 90


# TLS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def authority(folder: Path) -> CertificateFiles:
    return make_authority(folder)


def greet(files: CertificateFiles, authority: CertificateFiles) -> int:
    with StandIn(tls=files) as server:
        client = PlainClient(server, ssl.create_default_context(cafile=authority.certificate))
        try:
            return client.get("/api/v1/healthcheck").status
        finally:
            client.close()


def test_a_certificate_of_the_authority_is_accepted(folder: Path, authority: CertificateFiles) -> None:
    assert greet(make_server_certificate(folder, authority), authority) == 200


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("wrong host", "IP address mismatch"),
        ("expired", "has expired"),
        ("future", "not yet valid"),
        ("self-signed", "self-signed certificate"),
        ("other authority", "unable to get local issuer|certificate signature failure"),
    ],
)
def test_a_bad_certificate_is_bad_for_the_reason_it_was_made_for(
    folder: Path, authority: CertificateFiles, kind: str, reason: str
) -> None:
    files = {
        "wrong host": lambda: make_wrong_host_certificate(folder, authority),
        "expired": lambda: make_expired_certificate(folder, authority),
        "future": lambda: make_future_certificate(folder, authority),
        "self-signed": lambda: make_self_signed_certificate(folder),
        "other authority": lambda: make_server_certificate(folder, make_authority(folder, "stranger"), name="strange"),
    }[kind]()
    with pytest.raises(ssl.SSLCertVerificationError, match=reason):
        greet(files, authority)


def test_a_failed_handshake_is_counted_and_the_server_goes_on(folder: Path, authority: CertificateFiles) -> None:
    with StandIn(tls=make_server_certificate(folder, authority)) as server:
        with pytest.raises(ssl.SSLError):
            PlainClient(server, ssl.create_default_context()).get("/api/v1/healthcheck")
        trusting = PlainClient(server, ssl.create_default_context(cafile=authority.certificate))
        assert trusting.get("/api/v1/healthcheck").status == 200
        assert (server.recorder.failed_handshakes, len(server.requests)) == (1, 1)
        trusting.close()
