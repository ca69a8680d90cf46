"""The fingerprints that Komga's list tells, and what may come instead of it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from device.server import address, komga
from device.server.errors import NotBookLore, ReplyLost, ServerFailed
from device.server.http import Connection
from device.server.komga import KomgaOff, KomgaRefused, komga_fingerprints
from device.server.tls import Trust
from tests.sandbox import StandIn
from tests.sandbox.messages import Request

DEADLINE_S = 20
LIST = "/komga/api/v1/books"


def fingerprint(number: int) -> str:
    return f"{number:032x}"


@pytest.fixture(params=["booklore", "grimmory", "worldteacher"])
def server(request: pytest.FixtureRequest) -> Iterator[StandIn]:
    with StandIn(dialect=request.param) as server:
        server.add_opds_account(server.add_user("anna", "secret"), "device", "pä:ss wörd")
        server.set_komga(True)
        yield server


def ask(server: StandIn, password: str = "pä:ss wörd") -> dict[int, str]:
    connection = Connection(address.parse(server.url), Trust("", int(time.time())), time.monotonic() + DEADLINE_S)
    try:
        return dict(komga_fingerprints(connection, "device", password))
    finally:
        connection.close()


def test_every_book_with_a_fingerprint_is_told(server: StandIn) -> None:
    first = server.add_book(title="Moby Dick", file_hash=fingerprint(1).upper())
    server.add_book(title="Not scanned yet")
    server.add_book(title="Odd", file_hash="not a fingerprint")
    last = server.add_book(title="Diary", file_hash=fingerprint(2), library_id=server.add_library("Private"))
    assert ask(server) == {first: fingerprint(1), last: fingerprint(2)}


def test_a_library_is_asked_for_in_one_request(server: StandIn) -> None:
    for number in range(300):
        server.add_book(title=f"Volume {number}", file_hash=fingerprint(number))
    assert len(ask(server)) == 300
    assert server.asked == [f"GET {LIST}"]


def test_a_library_of_more_than_a_page_is_read_to_its_end(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(komga, "PAGE_SIZE", 100)
    for number in range(250):
        server.add_book(title=f"Volume {number}", file_hash=fingerprint(number))
    assert len(ask(server)) == 250
    assert len(server.asked) == 3


def test_no_more_pages_are_read_than_any_library_has(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(komga, "PAGE_SIZE", 2)
    for number in range(30):
        server.add_book(title=f"Volume {number}", file_hash=fingerprint(number))
    assert len(ask(server)) == 2 * komga.PAGES_MOST


def test_a_list_that_is_switched_off_says_so_for_good(server: StandIn) -> None:
    server.set_komga(False)
    with pytest.raises(KomgaOff) as caught:
        ask(server)
    assert caught.value.for_good


def test_a_web_page_in_its_place_is_no_list_but_may_be_one_tomorrow(server: StandIn) -> None:
    server.fault(when=lambda method, path, count: path == LIST, do="html")
    with pytest.raises(KomgaOff) as caught:
        ask(server)
    assert not caught.value.for_good


def test_a_wrong_password_has_a_name_of_its_own(server: StandIn) -> None:
    with pytest.raises(KomgaRefused):
        ask(server, "wrong")


def test_a_server_that_fails_may_be_asked_again(server: StandIn) -> None:
    server.fault(when=lambda method, path, count: path == LIST, do="error_before")
    with pytest.raises(ServerFailed):
        ask(server)


@pytest.mark.parametrize("fault", ["truncate", "garbage_chunk", "lose_reply"])
def test_a_list_that_is_cut_off_is_an_error(server: StandIn, fault: str) -> None:
    for number in range(20):
        server.add_book(title=f"Volume {number}", file_hash=fingerprint(number))
    server.fault(when=lambda method, path, count: path == LIST, do=fault, times=None)
    with pytest.raises((ReplyLost, NotBookLore)):
        ask(server)


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"content":{}}', b"null", b"nonsense"])
def test_json_of_another_kind_is_an_error(server: StandIn, body: bytes) -> None:
    answer = server.http.answer

    def other(request: Request) -> object:
        response = answer(request)
        return type(response)(200, body, "application/json") if request.path == LIST else response

    server.http.answer = other  # type: ignore[assignment]
    with pytest.raises(NotBookLore):
        ask(server)
