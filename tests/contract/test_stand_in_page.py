"""What the stand-in shows to people, and how it is started by hand."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path

from tests.contract.plain_client import PlainClient, serving, signed_in
from tests.sandbox.web_page import duration

ROOT = Path(__file__).parents[2]
NASTY = """</title><script>alert("1")</script> & 'L’été' 夜の海"""
VOID = {"meta", "link", "br", "img"}


class Page(HTMLParser):
    """The text a person sees, and the tags it is made of; refuses tags that do not close."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action")]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.text += data


def shown(client: PlainClient) -> Page:
    reply = client.get("/")
    assert (reply.status, reply.headers.get_content_type()) == (200, "text/html")
    return Page(reply.body.decode())


def read(client: PlainClient, book: int, **changes: object) -> None:
    body = {
        "bookId": book,
        "bookType": "EPUB",
        "startTime": "2026-02-22T14:00:00Z",
        "endTime": "2026-02-22T14:20:07Z",
        "durationSeconds": 1207,
        "startProgress": 10.0,
        "endProgress": 33.3,
        "startLocation": "12",
        "endLocation": "31",
        **changes,
    }
    assert client.post("/api/v1/reading-sessions", body).status == 202


def test_the_page_shows_a_session_with_its_times_progress_and_pages() -> None:
    with signed_in() as (server, client):
        read(client, server.add_book(title="Moby Dick", authors=["Herman Melville"]))
        text = " ".join(shown(client).text.split())
    assert "Moby Dick Herman Melville 33.3 %" in text
    assert "2026-02-22 14:00:00 – 14:20:07 20 min 7 s 10.0 % → 33.3 % 12 → 31" in text


def test_the_page_shows_highlights_in_their_color() -> None:
    with signed_in() as (server, client):
        book = server.add_book(title="Moby Dick")
        body = {"bookId": book, "cfi": "epubcfi(/6/4!/4)", "text": "Call me Ishmael.", "color": "#4ADE80"}
        client.post("/api/v1/annotations", body)
        assert "Call me Ishmael." in shown(client).text
        assert "--mark:#4ADE80" in client.get("/").body.decode()


def test_whatever_a_book_is_called_is_shown_as_text() -> None:
    with signed_in() as (server, client):
        book = server.add_book(title=NASTY, authors=["<b>Bold</b>"])
        read(client, book, startLocation="<i>", endLocation='"><img src=x>')
        page = shown(client)
    assert NASTY in page.text
    assert "<b>Bold</b>" in page.text
    assert not {"script", "img"} & set(page.tags)


def test_the_page_needs_nothing_from_elsewhere() -> None:
    with signed_in() as (server, client):
        read(client, server.add_book(title="Moby Dick"))
        page = client.get("/").body.decode()
    assert Page(page).addresses == []
    assert not re.search(r"url\(|@import|https?:", page)


def test_an_empty_library_says_how_to_fill_it() -> None:
    with serving() as (_, client):
        assert "The library is empty" in shown(client).text


def test_a_library_nobody_has_read_in_says_what_to_do() -> None:
    with serving() as (server, client):
        server.add_book(title="Moby Dick")
        text = shown(client).text
    assert "Nothing has arrived yet" in text
    assert "Moby Dick" in text


def test_many_sessions_do_not_make_an_endless_page() -> None:
    with signed_in() as (server, client):
        book = server.add_book(title="Moby Dick")
        for _ in range(53):
            read(client, book)
        page = shown(client)
    assert page.tags.count("tr") == 50 + 1
    assert "and 3 earlier reading sessions" in page.text


def test_durations_are_said_as_people_say_them() -> None:
    assert [duration(seconds) for seconds in (0, 59, 60, 61, 3599, 3600, 5400)] == [
        "0 s", "59 s", "1 min", "1 min 1 s", "59 min 59 s", "1 h 0 min", "1 h 30 min",
    ]  # fmt: skip


def test_the_state_is_there_as_json_for_programs() -> None:
    with signed_in() as (server, client):
        book = server.add_book(title="Moby Dick")
        server.add_book(title="Emma")
        read(client, book)
        state = client.get("/sandbox/state.json").json
    assert state["totals"] == {"books": 2, "booksRead": 1, "sessions": 1, "secondsRead": 1207, "highlights": 0}
    assert (state["books"][0]["progressPercent"], state["books"][0]["sessions"][0]["durationSeconds"]) == (33.3, 1207)
    assert state["books"][1]["sessions"] == []


def test_the_requests_are_there_as_json_without_credentials() -> None:
    with signed_in() as (_, client):
        client.get("/")
        reply = client.get("/sandbox/requests.json")
    assert [(asked["method"], asked["path"]) for asked in reply.json["requests"]] == [("POST", "/api/v1/auth/login")]
    assert client.headers["Authorization"].encode() not in reply.body


# By hand


@contextmanager
def started(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The program, and the address it says it listens on."""
    command = [sys.executable, "-m", "tests.sandbox", "--port", "0", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        try:
            line = program.stdout.readline()
            found = re.fullmatch(r"listening on (https?://127\.0\.0\.1:\d+/)\n", line)
            assert found, line
            yield program, found[1]
        finally:
            program.kill()


def state_at(address: str) -> dict[str, object]:
    with urllib.request.urlopen(f"{address}sandbox/state.json", timeout=10) as answer:
        state: dict[str, object] = json.load(answer)
        return state


def test_it_says_where_it_listens_and_ends_cleanly_on_sigterm() -> None:
    with started("--dialect", "grimmory") as (program, address):
        assert state_at(address)["dialect"] == "grimmory"
        program.send_signal(signal.SIGTERM)
        assert program.wait(timeout=10) == 0


def test_started_again_it_adds_neither_users_nor_books_twice(tmp_path: Path) -> None:
    books = tmp_path / "books.json"
    books.write_text(json.dumps([{"title": "Moby Dick", "file_name": "moby.epub"}, {"title": "Emma"}]))
    options = ("--database", str(tmp_path / "server.sqlite"), "--user", "anna:secret", "--books", str(books))
    for _ in range(2):
        with started(*options) as (program, address):
            found = state_at(address)["books"]
            assert isinstance(found, list)
            assert [book["title"] for book in found] == ["Moby Dick", "Emma"]
            program.send_signal(signal.SIGTERM)
            assert program.wait(timeout=10) == 0


def test_with_a_folder_for_tls_it_makes_its_own_certificate(tmp_path: Path) -> None:
    with started("--tls-dir", str(tmp_path / "tls")) as (_, address):
        assert address.startswith("https://")
    assert (tmp_path / "tls" / "authority.pem").exists()


def test_verbose_it_tells_each_request() -> None:
    with started("--verbose") as (program, address):
        state_at(address)
        assert program.stderr is not None
        assert "GET    /sandbox/state.json 200" in program.stderr.readline()
