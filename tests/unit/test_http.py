"""HTTP over one connection, against a server that says exactly what each test tells it to."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.server import address, framing, http
from device.server.errors import NotBookLore, NotReached, OutOfTime, ReplyLost
from device.server.tls import Trust

Script = list[bytes | float]  # bytes to send, or seconds to wait; an empty one closes


class ScriptedServer:
    """Answers the n-th request with the n-th script; each connection is closed when its scripts say so (b"")."""

    def __init__(self) -> None:
        self.scripts: list[Script] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with peer:
                self._answer(peer)

    def _answer(self, peer: socket.socket) -> None:
        while self.scripts:
            request = b""
            while b"\r\n\r\n" not in request:
                part = peer.recv(65_536)
                if not part:
                    return
                request += part
            self.requests.append(request)
            for step in self.scripts.pop(0):
                if isinstance(step, float):
                    time.sleep(step)
                elif step:
                    with contextlib.suppress(OSError):  # a client that has given up
                        peer.sendall(step)
                else:
                    return

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    started = ScriptedServer()
    yield started
    started.close()


Connect = Callable[..., http.Connection]


@pytest.fixture
def connect(server: ScriptedServer) -> Connect:
    def connection(base: str = "", limit_s: float = 20.0) -> http.Connection:
        place = address.parse(f"http://127.0.0.1:{server.port}{base}")
        return http.Connection(place, Trust("", 1_795_000_000), time.monotonic() + limit_s)

    return connection


def json_answer(body: bytes = b"{}", extra: bytes = b"") -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
    return head + extra + b"\r\n" + body


def test_two_requests_share_one_connection(server: ScriptedServer, connect: Connect) -> None:
    server.scripts = [[json_answer(b'{"a":1}')], [json_answer(b'{"a":2}')]]
    connection = connect()
    assert connection.request("GET", "/one", {}).body == b'{"a":1}'
    assert connection.request("GET", "/two", {}).body == b'{"a":2}'
    assert server.connections == 1


def test_the_servers_clock_is_read_from_its_answers_and_runs_on(server: ScriptedServer, connect: Connect) -> None:
    server.scripts = [
        [json_answer()],
        [json_answer(b"{}", b"Date: Sun, 22 Nov 2026 22:13:59 GMT\r\n")],
        [json_answer(b"{}", b"Date: yesterday\r\n")],
    ]
    connection = connect()
    connection.request("GET", "/", {})
    assert connection.server_now() is None
    connection.request("GET", "/", {})
    assert connection.server_now() == 1_795_385_639
    connection.request("GET", "/", {})
    time.sleep(1.1)
    assert connection.server_now() == 1_795_385_640


def test_a_connection_made_beforehand_is_the_one_that_is_used(server: ScriptedServer, connect: Connect) -> None:
    server.scripts = [[json_answer()]]
    connection = connect()
    connection.connect()
    connection.connect()
    connection.request("POST", "/", {}, b"{}")
    assert server.connections == 1


def test_a_base_path_comes_before_every_path(server: ScriptedServer, connect: Connect) -> None:
    server.scripts = [[json_answer()]]
    connect("/booklore/").request("GET", "/api", {})
    assert server.requests[0].startswith(b"GET /booklore/api HTTP/1.1\r\n")


def test_a_chunked_answer_is_put_together(server: ScriptedServer, connect: Connect) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.scripts = [[head + b"3\r\nabc\r\n", 0.05, b"2;x=y\r\nde\r\n0\r\nTrailer: t\r\n\r\n"], [json_answer(b"[]")]]
    connection = connect()
    assert connection.request("GET", "/", {}).body == b"abcde"
    assert connection.request("GET", "/", {}).body == b"[]"


def test_a_compressed_answer_is_unpacked(server: ScriptedServer, connect: Connect) -> None:
    server.scripts = [[json_answer(gzip.compress(b"x" * 5000), b"Content-Encoding: gzip\r\n")]]
    assert connect().request("GET", "/", {}).body == b"x" * 5000


def test_a_small_answer_that_unpacks_to_a_huge_one_is_refused(server: ScriptedServer, connect: Connect) -> None:
    bomb = gzip.compress(bytes(http.BODY_MAX_BYTES * 4))
    server.scripts = [[json_answer(bomb, b"Content-Encoding: gzip\r\n")]]
    with pytest.raises(ReplyLost, match="more than"):
        connect().request("GET", "/", {})


def test_an_answer_that_ends_with_the_connection_is_whole(server: ScriptedServer, connect: Connect) -> None:
    server.scripts = [[b"HTTP/1.1 200 OK\r\n\r\nall of it", b""]]
    assert connect().request("GET", "/", {}).body == b"all of it"


def test_an_interim_answer_is_passed_over(server: ScriptedServer, connect: Connect) -> None:
    server.scripts = [[b"HTTP/1.1 100 Continue\r\n\r\n" + json_answer(b"[1]")]]
    assert connect().request("POST", "/", {}, b"{}").body == b"[1]"


@pytest.mark.parametrize(
    "script",
    [
        [b""],
        [b"HTTP/1.1 200 OK\r\nContent-Le", b""],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", b""],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", b""],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n", b""],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", b""],
        [b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", b""],
    ],
)
def test_a_lost_or_garbled_answer_to_a_change_is_reported_as_such_and_not_sent_again(
    server: ScriptedServer, connect: Connect, script: Script
) -> None:
    server.scripts = [script, [json_answer()]]
    with pytest.raises(ReplyLost):
        connect().request("POST", "/", {}, b"{}")
    assert len(server.requests) == 1


def test_a_kept_connection_that_the_server_closed_is_opened_again_for_a_question(
    server: ScriptedServer, connect: Connect
) -> None:
    server.scripts = [[json_answer(b"[1]"), b""], [json_answer(b"[2]")]]
    connection = connect()
    connection.request("GET", "/", {})
    time.sleep(0.05)
    assert connection.request("GET", "/", {}).body == b"[2]"


def test_what_does_not_speak_http_is_not_booklore(server: ScriptedServer, connect: Connect) -> None:
    server.scripts = [[b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b""]]
    with pytest.raises(ReplyLost, match="does not speak HTTP"):
        connect().request("GET", "/", {})


def test_a_head_without_an_end_is_not_read_forever(server: ScriptedServer, connect: Connect) -> None:
    server.scripts = [[b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000, b""]]
    with pytest.raises(ReplyLost, match="without an end"):
        connect().request("GET", "/", {})


def test_a_server_that_hangs_costs_no_more_than_the_run_has(server: ScriptedServer, connect: Connect) -> None:
    server.scripts = [[5.0, b""]]
    started = time.monotonic()
    with pytest.raises(ReplyLost):
        connect(limit_s=0.3).request("GET", "/", {})
    assert time.monotonic() - started < 4


def test_a_server_that_drips_bytes_costs_no_more_than_the_run_has(server: ScriptedServer, connect: Connect) -> None:
    drip: Script = []
    for _ in range(40):
        drip += [b"X", 0.1]
    server.scripts = [[b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", *drip]]
    with pytest.raises(ReplyLost, match=r"time was up|no answer"):
        connect(limit_s=0.5).request("GET", "/", {})


def test_a_closed_port_is_not_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    place = address.parse(f"http://127.0.0.1:{port}")
    with pytest.raises(NotReached, match="cannot be reached"):
        http.Connection(place, Trust("", 0), time.monotonic() + 5).request("POST", "/", {}, b"{}")


def test_a_name_that_nobody_knows_is_not_reached() -> None:
    place = address.parse("http://no-such-server.invalid")
    with pytest.raises(NotReached, match="not known in this network"):
        http.Connection(place, Trust("", 0), time.monotonic() + 20).request("GET", "/", {})


def test_no_request_begins_when_the_time_is_up(server: ScriptedServer, connect: Connect) -> None:
    with pytest.raises(OutOfTime):
        connect(limit_s=-1).request("POST", "/", {}, b"{}")
    assert server.requests == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://books.example.org", ("https", "books.example.org", 443, "")),
        ("http://192.168.1.5:6060/booklore/", ("http", "192.168.1.5", 6060, "/booklore")),
        (" HTTPS://Books.Example.org:8443 ", ("https", "books.example.org", 8443, "")),
        ("http://[fd00::1]:6060", ("http", "fd00::1", 6060, "")),
    ],
)
def test_an_address_is_taken_apart(text: str, expected: tuple[str, str, int, str]) -> None:
    place = address.parse(text)
    assert (place.scheme, place.host, place.port, place.base) == expected


@pytest.mark.parametrize(
    "text",
    ["", "books.example.org", "ftp://x", "http://", "http://x:0", "http://x:99999", "http://a:b@x", "http://bücher.de"],
)
def test_what_is_no_address_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"address|server|port"):
        address.parse(text)


@given(st.binary(max_size=300), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 404\r\nConnection: "]))
def test_any_head_is_one_or_no_http(block: bytes, begun: bytes) -> None:
    try:
        head = framing.parse_head(begun + block)
    except ValueError:
        return
    assert 0 <= head.status <= 999
    assert all(name == name.lower() for name in head.headers)


@given(st.text(max_size=200))
def test_any_text_is_an_address_or_a_problem_in_words(text: str) -> None:
    try:
        place = address.parse(text)
    except ValueError as problem:
        assert str(problem)
        return
    assert str(address.parse(str(place))) == str(place)


def test_each_device_of_one_name_that_does_not_answer_is_tried_and_the_reason_told(
    server: ScriptedServer, connect: Connect
) -> None:
    """`localhost` is ::1 as well, where nobody listens."""
    server.scripts = [[json_answer(b"[1]")]]
    place = address.parse(f"http://localhost:{server.port}")
    assert http.Connection(place, Trust("", 0), time.monotonic() + 5).request("GET", "/", {}).body == b"[1]"


def test_an_address_in_doubt_has_to_be_booklore_and_is_asked_once(server: ScriptedServer) -> None:
    server.scripts = [[json_answer(b'{"status":200,"data":{"version":"v2.3.0"}}')], [json_answer()], [json_answer()]]
    way = http.Way(address.parse(f"http://127.0.0.1:{server.port}"), is_doubtful=True)
    connection = http.Connection(way.address, Trust("", 0), time.monotonic() + 5, [way])
    for _ in range(2):
        connection.request("POST", "/api", {"Authorization": "Bearer x"}, b"{}")
    assert [request.split(b" ")[1] for request in server.requests] == [b"/api/v1/healthcheck", b"/api", b"/api"]
    assert b"Bearer" not in server.requests[0]
    assert server.connections == 1


@pytest.mark.parametrize(
    "script",
    [
        [json_answer(b"[]")],
        [json_answer(b"{}")],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<p/>"],
        [b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"],
        [b""],
        [b"SSH-2.0\r\n\r\n", b""],
        [json_answer(b"x" * (http.PROBE_MAX_BYTES + 1))],
    ],
)
def test_an_address_in_doubt_that_is_not_booklore_is_told_nothing_more(server: ScriptedServer, script: Script) -> None:
    server.scripts = [script, [json_answer()]]
    way = http.Way(address.parse(f"http://127.0.0.1:{server.port}"), is_doubtful=True)
    connection = http.Connection(way.address, Trust("", 0), time.monotonic() + 5, [way])
    with pytest.raises((NotReached, NotBookLore)):
        connection.request("POST", "/api", {"Authorization": "Bearer x"}, b"{}")
    assert len(server.requests) == 1
