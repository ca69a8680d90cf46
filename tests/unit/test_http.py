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

from device.server import address, dialing, framing, http
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
        [json_answer(b'{"data":{}}')],
        [json_answer(b'{"status":200,"data":{"ok":true}}')],
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


def test_a_question_that_gets_no_answer_on_a_kept_connection_is_not_asked_again(
    server: ScriptedServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(framing, "IDLE_S", 0.3)
    server.scripts = [[json_answer()], [0.4, b""], [json_answer()]]
    connection = connect()
    connection.request("GET", "/", {})
    with pytest.raises(ReplyLost, match="no answer"):
        connection.request("GET", "/", {})
    time.sleep(0.3)  # as long as a second one would have been waited for
    assert len(server.requests) == 2


def test_a_question_whose_answer_breaks_off_on_a_kept_connection_is_not_asked_again(
    server: ScriptedServer, connect: Connect
) -> None:
    server.scripts = [[json_answer()], [b"HTTP/1.1 200 OK\r\n", b""], [json_answer()]]
    connection = connect()
    connection.request("GET", "/", {})
    with pytest.raises(ReplyLost):
        connection.request("GET", "/", {})
    assert len(server.requests) == 2


def test_a_silent_device_of_a_name_is_waited_for_once_and_the_name_is_asked_for_once(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    with silent_port() as silent:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, ("127.0.0.1", port)) for port in (silent, server.port)]

        def resolved(place: address.Address, proxy: object) -> list[object]:
            asked.append(place.host)
            return list(found)

        monkeypatch.setattr(dialing, "_resolved", resolved)
        place = address.parse("http://books.test")
        connection = http.Connection(place, Trust("", 0), time.monotonic() + 20, [http.Way(place, connect_s=0.5)])
        server.scripts = [[json_answer(b"{}", b"Connection: close\r\n"), b""] for _ in range(4)]
        started_s = time.monotonic()
        for _ in range(4):
            connection.request("GET", "/", {})
    assert 0.4 < time.monotonic() - started_s < 1.0
    assert asked == ["books.test"]


@contextlib.contextmanager
def silent_port() -> Iterator[int]:
    """It takes no connection and refuses none: its queue is full, and nobody takes from it."""
    with socket.socket() as listener, contextlib.ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        time.sleep(0.05)
        yield listener.getsockname()[1]


# Two addresses, of which the one at home may be another BookLore's

HEALTHY = json_answer(b'{"status":200,"data":{"version":"v2.3.0"}}')
BEARER = {"Authorization": "Bearer x"}
REFUSED = b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def home() -> Iterator[ScriptedServer]:
    started = ScriptedServer()
    yield started
    started.close()


def from_home_on(home: ScriptedServer, remote_port: int) -> http.Connection:
    ways = [
        http.Way(address.parse(f"http://127.0.0.1:{home.port}"), is_doubtful=True),
        http.Way(address.parse(f"http://127.0.0.1:{remote_port}")),
    ]
    return http.Connection(ways[0].address, Trust("", 0), time.monotonic() + 5, ways)


def paths(server: ScriptedServer) -> list[str]:
    return [request.split(b" ")[1].decode() for request in server.requests]


def test_what_is_secret_goes_by_the_way_that_is_not_in_doubt_and_the_rest_comes_back(
    home: ScriptedServer, server: ScriptedServer
) -> None:
    home.scripts, server.scripts = [[HEALTHY], [json_answer(b"[1]")]], [[json_answer(b"[2]")]]
    connection = from_home_on(home, server.port)
    assert connection.request_in_secret("POST", "/refresh", {}, b"{}").body == b"[2]"
    assert connection.address.port == server.port
    assert connection.request("GET", "/me", BEARER).body == b"[1]"
    assert (paths(home), paths(server)) == ([http.HEALTH, "/me"], ["/refresh"])


def test_what_is_secret_goes_by_the_way_in_doubt_where_no_other_is_left(home: ScriptedServer) -> None:
    home.scripts = [[HEALTHY], [json_answer(b"[1]")]]
    connection = from_home_on(home, 9)
    assert connection.request_in_secret("POST", "/refresh", {}, b"{}").body == b"[1]"
    assert connection.is_unproven()


def test_a_way_that_has_taken_our_token_may_have_the_rest(home: ScriptedServer) -> None:
    home.scripts = [[HEALTHY], [json_answer()], [json_answer(b"[1]")]]
    connection = from_home_on(home, 9)
    connection.request("GET", "/me", BEARER)
    assert connection.request_in_secret("POST", "/refresh", {}, b"{}").body == b"[1]"
    assert not connection.is_unproven()


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refusal_by_a_way_in_doubt_gives_it_up_for_the_other(
    home: ScriptedServer, server: ScriptedServer, status: int
) -> None:
    home.scripts = [[HEALTHY], [REFUSED.replace(b"401", b"%d" % status)]]
    server.scripts = [[json_answer(b"[1]")], [json_answer(b"[2]")]]
    connection = from_home_on(home, server.port)
    assert connection.request("POST", "/one", BEARER, b"{}").body == b"[1]"
    assert connection.request("GET", "/two", BEARER).body == b"[2]"
    assert (paths(home), paths(server)) == ([http.HEALTH, "/one"], ["/one", "/two"])


def test_a_refusal_by_the_only_way_left_is_an_answer(home: ScriptedServer) -> None:
    home.scripts = [[HEALTHY], [REFUSED]]
    way = http.Way(address.parse(f"http://127.0.0.1:{home.port}"), is_doubtful=True)
    connection = http.Connection(way.address, Trust("", 0), time.monotonic() + 5, [way])
    assert connection.request("GET", "/me", BEARER).status == 401
    assert connection.is_unproven()


def moved(port: int) -> bytes:
    return b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:%d/me\r\nContent-Length: 0\r\n\r\n" % port


@pytest.mark.parametrize(("method", "headers"), [("GET", BEARER), ("POST", {})])
def test_nothing_secret_follows_a_redirect_to_another_port_before_booklore_has_shown_itself_there(
    home: ScriptedServer, server: ScriptedServer, connect: Connect, method: str, headers: dict[str, str]
) -> None:
    server.scripts = [[moved(home.port)]]
    home.scripts = [[json_answer()], [json_answer()]]
    with pytest.raises(NotBookLore, match="is not BookLore"):
        connect().request(method, "/me", headers)
    assert paths(home) == [http.HEALTH]


def test_a_question_without_a_token_follows_a_redirect_to_another_port_as_it_is(
    home: ScriptedServer, server: ScriptedServer, connect: Connect
) -> None:
    server.scripts, home.scripts = [[moved(home.port)]], [[json_answer(b"[1]")]]
    assert connect().request("GET", "/me", {}).body == b"[1]"
    assert paths(home) == ["/me"]


def test_an_address_in_doubt_that_redirects_is_asked_who_it_is_where_that_leads(
    home: ScriptedServer, server: ScriptedServer
) -> None:
    home.scripts = [[moved(server.port).replace(b"/me", http.HEALTH.encode())]]
    server.scripts = [[HEALTHY], [json_answer(b"[1]")]]
    connection = from_home_on(home, 9)
    assert connection.request("GET", "/me", BEARER).body == b"[1]"
    assert (paths(home), paths(server)) == ([http.HEALTH], [http.HEALTH, "/me"])
