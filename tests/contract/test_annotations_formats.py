"""Highlights and bookmarks of books that have no places the web reader knows: PDF, comics, FB2, MOBI."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.annotated_book import Device, Web, highlight
from tests.sandbox import StandIn

DIALECTS = ("booklore", "grimmory", "worldteacher")
FLOWING = ("fb2", "mobi", "azw3")


class Desk:
    """The reader's device with a book of some format, and the web page of her server."""

    def __init__(self, server: StandIn, folder: Path, suffix: str) -> None:
        self.server = server
        server.add_user("anna", "secret")
        types = {"pdf": "PDF", "djvu": "PDF", "cbz": "CBX", "fb2": "FB2", "mobi": "MOBI", "azw3": "AZW3"}
        self.moby = server.add_book(
            title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247", book_type=types[suffix],
            file_name=f"moby.{suffix}",
        )  # fmt: skip
        book = folder / f"moby.{suffix}"
        book.write_bytes(b"what is in it is nobody's business here")
        self.device = Device(folder, server, book=book)
        self.web = Web(server, self.moby)

    def opens(self) -> dict[str, Any]:
        return self.device.sync("open", book=str(self.device.file))


@pytest.fixture(params=[(dialect, "pdf") for dialect in DIALECTS] + [("grimmory", "cbz")], ids="-".join)
def fixed_desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    dialect, suffix = request.param
    with StandIn(dialect=dialect) as server:
        yield Desk(server, tmp_path, suffix)


@pytest.fixture
def grimmory_desk(tmp_path: Path) -> Iterator[Desk]:
    with StandIn(dialect="grimmory") as server:
        yield Desk(server, tmp_path, "pdf")


def on_page(page: int, minute: int = 0, **more: Any) -> dict[str, Any]:
    """KOReader's record of a highlight on a fixed page."""
    return {
        "datetime": f"2026-11-20 21:{minute:02}:00",
        "drawer": "lighten",
        "color": "yellow",
        "text": "Call me Ishmael",
        "chapter": "Loomings",
        "pageno": page,
        "page": page,
        "pos0": {"page": page, "x": 100.5, "y": 200.25, "zoom": 1, "rotation": 0},
        "pos1": {"page": page, "x": 180.5, "y": 210.25, "zoom": 1, "rotation": 0},
        "pboxes": [{"x": 100, "y": 200, "w": 80, "h": 12}],
        **more,
    }


def page_bookmark(page: int, minute: int = 0, **more: Any) -> dict[str, Any]:
    date = f"2026-11-21 08:{minute:02}:00"
    return {"datetime": date, "page": page, "pageno": page, "chapter": "Loomings", "text": f"Page {page}", **more}


def test_a_highlight_on_a_fixed_page_becomes_a_note_that_names_the_page(fixed_desk: Desk) -> None:
    result = fixed_desk.device.syncs(on_page(12, note="The famous one"))
    [row] = fixed_desk.web.rows("book_note")
    for words in ("The famous one", "Call me Ishmael", "Loomings, page 12"):
        assert words in str(row["content"])
    assert fixed_desk.web.rows() == fixed_desk.web.rows("in_book_note") == []
    assert not any("exactly" in message["text"] for message in result["messages"])


def test_a_bookmark_of_a_page_is_one_there_by_number_or_by_title(fixed_desk: Desk) -> None:
    fixed_desk.device.syncs(page_bookmark(12))
    [row] = fixed_desk.web.rows("bookmark")
    assert row["cfi"] is None
    if fixed_desk.server.dialect.bookmarks_have_page_numbers:
        assert row["page_number"] == 12
    else:
        assert (row["page_number"], row["title"]) == (None, "Page 12")
    fixed_desk.device.sync()
    fixed_desk.device.syncs()
    assert fixed_desk.web.rows("bookmark") == []


def test_a_bookmark_of_a_page_whose_reply_is_lost_is_there_once(fixed_desk: Desk) -> None:
    fixed_desk.server.fault(when=lambda m, p, count: m == "POST" and p == "/api/v1/bookmarks", do="lose_reply")
    fixed_desk.device.has(page_bookmark(12))
    fixed_desk.device.closes()
    fixed_desk.device.sync(deadline_s=10)
    fixed_desk.device.reader.let_intents_settle()
    fixed_desk.device.sync()
    assert len(fixed_desk.web.rows("bookmark")) == 1


def test_a_bookmark_of_a_page_made_on_the_web_comes_to_the_device(grimmory_desk: Desk) -> None:
    grimmory_desk.device.closes()
    grimmory_desk.device.sync()
    grimmory_desk.web.makes("bookmark", pageNumber=30, title="Here")
    grimmory_desk.device.applies(grimmory_desk.opens())
    [mark] = grimmory_desk.device.marks
    assert mark["page"] == 30
    grimmory_desk.device.closes()
    grimmory_desk.device.let_hours_pass()
    assert (grimmory_desk.opens()["changes"], len(grimmory_desk.web.rows("bookmark"))) == ([], 1)


def test_a_made_up_position_that_another_program_sent_for_a_page_stays_where_it_is(grimmory_desk: Desk) -> None:
    grimmory_desk.device.closes()
    grimmory_desk.device.sync()
    grimmory_desk.web.makes(cfi="epubcfi(/6/24!/4/2/1:0,/1:0)", text="Words")
    assert grimmory_desk.opens()["changes"] == []
    assert len(grimmory_desk.web.rows()) == 1


@pytest.mark.parametrize("suffix", FLOWING)
def test_flowing_text_without_places_goes_to_the_books_page(tmp_path: Path, suffix: str) -> None:
    with StandIn(dialect="booklore") as server:
        desk = Desk(server, tmp_path, suffix)
        place = "/FictionBook/body/section[3]/p[5]/text()"
        mark = highlight("Call me Ishmael", pos0=f"{place}.0", pos1=f"{place}.15", page=f"{place}.0")
        desk.device.syncs(mark, {**page_bookmark(30), "page": f"{place}.0", "text": "in Loomings"})
        contents = sorted(str(row["content"]) for row in desk.web.rows("book_note"))
        assert len(contents) == 2
        assert any("Call me Ishmael" in content for content in contents)
        assert all("Loomings" in content for content in contents)
        assert desk.web.rows() == desk.web.rows("bookmark") == []
