"""The stand-in's page that shows highlights in the book, opened as a person would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract.plain_client import PlainClient, signed_in
from tests.sandbox import StandIn
from tests.web.remote_page import RemotePage

pytestmark = pytest.mark.web

SHOWN = "document.documentElement.dataset.shown"
UNDER = "document.getElementById('under').textContent"
WHOEVER = {"cfi": "epubcfi(/6/2!/4/4,/1:0,/1:13)", "text": "Whoever takes", "color": "#4ADE80", "style": "underline"}
THE_HEAD = {"cfi": "epubcfi(/6/2!/4/6,/1:0,/1:8)", "text": "The Head", "note": "An <i>island</i>."}


@pytest.fixture(scope="module")
def page() -> Iterator[RemotePage]:
    with RemotePage() as opened:
        yield opened


@contextmanager
def serving(odd_book: Path, *highlights: dict[str, str]) -> Iterator[tuple[StandIn, PlainClient, str]]:
    """A stand-in with the book and these highlights, and the address of the page."""
    with signed_in() as (server, client):
        book = server.add_book(title="L’été", authors=["Zoë"])
        server.put_file(book, odd_book)
        for highlight in highlights:
            assert client.post("/api/v1/annotations", {"bookId": book, **highlight}).status == 200
        yield server, client, f"{server.url}/sandbox/reader/reader.html?book={book}"


def test_the_latest_highlight_is_shown_with_the_words_that_lie_under_it(page: RemotePage, odd_book: Path) -> None:
    with serving(odd_book, THE_HEAD, WHOEVER) as (_, _, address):
        page.open(address)
        page.wait_for(SHOWN)
        assert page.evaluate(UNDER) == "“Whoever takes”"


def test_another_highlight_is_shown_when_it_is_tapped(page: RemotePage, odd_book: Path) -> None:
    with serving(odd_book, THE_HEAD, WHOEVER) as (_, _, address):
        page.open(address)
        page.wait_for(SHOWN)
        page.evaluate("document.querySelector('#highlights li').click()")
        page.wait_for(f"{SHOWN} === {json.dumps(THE_HEAD['cfi'])}")
        assert page.evaluate(UNDER) == "“The Head”"


def test_a_note_is_shown_as_text(page: RemotePage, odd_book: Path) -> None:
    with serving(odd_book, THE_HEAD) as (_, _, address):
        page.open(address)
        page.wait_for(SHOWN)
        assert "An <i>island</i>." in page.text()


def test_a_highlight_that_arrives_later_appears_by_itself(page: RemotePage, odd_book: Path) -> None:
    with serving(odd_book, THE_HEAD) as (server, client, address):
        page.open(address)
        page.wait_for(SHOWN)
        book = server.marks("annotation")[0]["book_id"]
        client.post("/api/v1/annotations", {"bookId": book, **WHOEVER})
        assert page.wait_for(f"{UNDER}.includes('Whoever') && {UNDER}") == "“Whoever takes”"


def test_a_position_that_the_reader_cannot_use_is_told(page: RemotePage, odd_book: Path) -> None:
    with serving(odd_book, {**THE_HEAD, "cfi": "epubcfi(/6/2!/4/6,/1:0,/1:9999)"}) as (_, _, address):
        page.open(address)
        page.wait_for(SHOWN)
        assert "leaves it out. IndexSizeError" in page.evaluate(UNDER)


def test_a_book_without_highlights_opens_at_its_beginning(page: RemotePage, odd_book: Path) -> None:
    with serving(odd_book) as (_, _, address):
        page.open(address)
        page.wait_for("document.querySelector('foliate-view')?.lastLocation")
        page.wait_for(f"{UNDER} === 'Nothing has arrived yet.'")


def test_a_picture_can_be_taken_of_it(page: RemotePage, odd_book: Path, tmp_path: Path) -> None:
    with serving(odd_book, WHOEVER) as (_, _, address):
        page.open(address)
        page.wait_for(SHOWN)
        page.take_picture(tmp_path / "page.png")
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


def test_the_first_page_leads_to_it_where_there_is_a_file(odd_book: Path) -> None:
    with serving(odd_book, WHOEVER) as (_, client, _):
        assert '<a href="/sandbox/reader/reader.html?book=1">' in client.get("/").body.decode()


def test_without_a_file_there_is_no_way_to_it() -> None:
    with signed_in() as (server, client):
        client.post("/api/v1/annotations", {"bookId": server.add_book(title="Moby Dick"), **WHOEVER})
        assert "/sandbox/reader/" not in client.get("/").body.decode()


def test_what_is_not_in_the_book_is_not_found(odd_book: Path) -> None:
    with serving(odd_book) as (_, client, _):
        for path in ("books/1/META-INF/encryption.xml", "books/2/mimetype", "../stand_in.py", "foliate/none.js"):
            assert client.get(f"/sandbox/reader/{path}").status == 404
