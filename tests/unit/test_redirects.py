"""Where a redirect may lead a request that carries a token."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.server.address import parse
from device.server.errors import LoginPage
from device.server.redirects import target

PATH = "/api/v1/books?stripForListView=true"


def led(location: str, here: str = "http://books.example.org", method: str = "GET", status: int = 302) -> str:
    known = [parse(here), parse("https://reads.example.net:8443/library")]
    return str(target(status, location, method, PATH, parse(here), known))


@pytest.mark.parametrize(
    ("location", "address"),
    [
        (f"https://books.example.org{PATH}", "https://books.example.org"),
        (f"https://books.example.org:8443{PATH}", "https://books.example.org:8443"),
        (f"http://books.example.org/library{PATH}", "http://books.example.org/library"),
        (f"/library{PATH}", "http://books.example.org/library"),
        (f"//books.example.org/a/b{PATH}#top", "http://books.example.org/a/b"),
        ("https://books.example.org/api/v1/books", "https://books.example.org"),
        (f"https://reads.example.net:8443{PATH}", "https://reads.example.net:8443"),
        (f"HTTPS://Books.Example.ORG{PATH}", "https://books.example.org"),
    ],
)
def test_the_same_request_on_the_same_server_is_followed(location: str, address: str) -> None:
    assert led(location) == address


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_every_method_is_followed_because_what_redirects_has_done_nothing(method: str, status: int) -> None:
    assert led(f"https://books.example.org{PATH}", method=method, status=status) == "https://books.example.org"


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("http://portal.invalid/welcome", "portal.invalid, another server"),
        (f"https://www.books.example.org{PATH}", "name it in setup.txt"),
        (f"http://reads.example.net:8443{PATH}", "another server"),
        ("/login?return=/api/v1/books", "another page"),
        ("https://books.example.org/api/v1/books?page=2", "another page"),
        ("https://books.example.org:0/api/v1/books", "no web address"),
        ("ftp://books.example.org/api/v1/books", "no web address"),
        (f"http://anna:secret@books.example.org{PATH}", "no web address"),
        ("", "to nowhere"),
        ("/bücher", "to nowhere"),
    ],
)
def test_anything_else_is_a_login_page_before_which_nothing_was_done(location: str, words: str) -> None:
    with pytest.raises(LoginPage, match=words) as refused:
        led(location)
    assert refused.value.nothing_was_done


def test_what_is_encrypted_does_not_become_plain() -> None:
    with pytest.raises(LoginPage, match="without encryption"):
        led(f"http://books.example.org{PATH}", here="https://books.example.org")


def test_see_other_after_a_change_may_mean_that_it_was_made() -> None:
    with pytest.raises(LoginPage) as refused:
        led(f"https://books.example.org{PATH}", method="POST", status=303)
    assert not refused.value.nothing_was_done


@given(st.text(max_size=200), st.sampled_from(["http://books.example.org", "https://books.example.org/library"]))
def test_no_location_leads_to_a_stranger_or_out_of_encryption(location: str, here: str) -> None:
    try:
        found = parse(led(location, here))
    except LoginPage:
        return
    assert found.host in ("books.example.org", "reads.example.net")
    assert found.scheme == "https" or here.startswith("http://")
