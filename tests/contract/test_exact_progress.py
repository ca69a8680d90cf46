"""How far a book is read, to the word, between KOReader and the web reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.annotated_book import Device
from tests.sandbox import StandIn

DIALECTS = ("booklore", "grimmory", "worldteacher")
PLACE = "/body/DocFragment[2]/body/p[3]/text().14"
CFI = "epubcfi(/6/4!/4/8/1:14)"


class Desk:
    """The reader's device; the server has the same file, or one of another size."""

    def __init__(self, server: StandIn, folder: Path, is_same_file: bool = True) -> None:
        self.server = server
        server.add_user("anna", "secret")
        self.device = Device(folder, server)
        size_kb = self.device.file.stat().st_size // 1024 + (0 if is_same_file else 40)
        self.moby = server.add_book(
            title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247", size_kb=size_kb
        )


@pytest.fixture(params=DIALECTS)
def any_desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    with StandIn(dialect=request.param) as server:
        yield Desk(server, tmp_path)


def test_the_web_reader_opens_where_the_device_was_closed(any_desk: Desk) -> None:
    any_desk.device.closes(at=PLACE)
    any_desk.device.sync()
    state = any_desk.server.state(any_desk.moby)
    assert (state["epub_cfi"], state["epub_percent"]) == (CFI, pytest.approx(11))


def test_a_place_that_is_not_in_the_book_is_not_told(any_desk: Desk) -> None:
    any_desk.device.closes(at="/body/DocFragment[77]/body/p[3]/text().0")
    any_desk.device.sync()
    state = any_desk.server.state(any_desk.moby)
    assert (state["epub_cfi"], state["epub_percent"]) == (None, pytest.approx(11))


def test_another_file_on_the_server_is_told_how_far_it_is_and_no_place(tmp_path: Path) -> None:
    with StandIn(dialect="booklore") as server:
        desk = Desk(server, tmp_path, is_same_file=False)
        desk.device.closes(at=PLACE)
        desk.device.sync()
        state = server.state(desk.moby)
        assert (state["epub_cfi"], state["epub_percent"]) == (None, pytest.approx(11))


def test_the_device_is_offered_the_words_at_which_the_web_reader_was_left(any_desk: Desk) -> None:
    any_desk.device.closes(at="/body/DocFragment[1]/body/p[1]/text().0")
    any_desk.device.sync()
    any_desk.server.progress_on_web("anna", any_desk.moby, 62.5, position="epubcfi(/6/4!/4,/8/1:14,/10/1:3)")
    result = any_desk.device.sync("open", book=str(any_desk.device.file))
    change = result["questions"][0]["answers"][0]["change"]
    assert (change["fraction"], change["xpointer"].replace("text()[1]", "text()")) == (0.625, PLACE)


def test_a_place_of_the_web_readers_that_is_not_in_the_book_is_offered_as_a_fraction(any_desk: Desk) -> None:
    any_desk.device.closes(at="/body/DocFragment[1]/body/p[1]/text().0")
    any_desk.device.sync()
    any_desk.server.progress_on_web("anna", any_desk.moby, 62.5, position="epubcfi(/6/44!/4/8/1:14)")
    result = any_desk.device.sync("open", book=str(any_desk.device.file))
    assert "xpointer" not in result["questions"][0]["answers"][0]["change"]
