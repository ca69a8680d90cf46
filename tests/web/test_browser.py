"""The web reader in the browser, before anything of ours is judged by it: CFIs written by hand."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.web.book_files import BookFiles
from tests.web.browser import Browser, Highlight, Piece

pytestmark = pytest.mark.web

WHOEVER = "epubcfi(/6/2!/4/4,/1:0,/1:13)"
TWO_PARAGRAPHS = "epubcfi(/6/2!/4,/4/1:269,/6/1:8)"


def test_a_cfi_is_resolved_to_the_words_it_names(browser: Browser, odd_book: Path) -> None:
    (found,) = browser.resolve(odd_book, [WHOEVER])
    assert (found.error, found.section, found.pieces) == (None, 0, (Piece("Whoever takes", ""),))


def test_the_text_nodes_of_a_range_come_one_by_one(browser: Browser, odd_book: Path) -> None:
    (found,) = browser.resolve(odd_book, [TWO_PARAGRAPHS])
    assert [piece.text.strip() for piece in found.pieces] == ["nobody asked for it.", "", "The Head"]


def test_a_cfi_behind_the_end_of_its_text_is_an_error_of_the_reader(browser: Browser, odd_book: Path) -> None:
    (found,) = browser.resolve(odd_book, ["epubcfi(/6/2!/4/4,/1:0,/1:9999)"])
    assert found.error is not None
    assert "IndexSizeError" in found.error


def test_a_cfi_of_a_spine_item_that_is_not_there_is_an_error(browser: Browser, odd_book: Path) -> None:
    (found,) = browser.resolve(odd_book, ["epubcfi(/6/98!/4/4,/1:0,/1:3)"])
    assert found.error is not None


def test_one_error_does_not_stop_the_others(browser: Browser, odd_book: Path) -> None:
    found = browser.resolve(odd_book, ["epubcfi(/6/2!/4/98/1:0)", WHOEVER, "no CFI at all"])
    assert [each.error is None for each in found] == [False, True, False]


def test_a_whole_book_is_read_section_by_section(browser: Browser, odd_book: Path) -> None:
    sections = browser.read(odd_book)
    assert len(sections) == 2
    assert any(piece == Piece("Read it slowly. Nothing in it happened quickly.", "") for piece in sections[0])


def test_a_highlight_is_drawn_over_its_words(browser: Browser, odd_book: Path) -> None:
    (found,) = browser.draw(odd_book, [Highlight(WHOEVER, "#4ADE80")])
    assert (found.error, found.text, found.on_page) == (None, "Whoever takes", True)


@pytest.mark.parametrize("style", ["highlight", "underline", "strikethrough", "squiggly"])
def test_every_style_of_the_server_is_drawn_at_its_words(browser: Browser, odd_book: Path, style: str) -> None:
    (found,) = browser.draw(odd_book, [Highlight(WHOEVER, style=style)])
    assert (found.error, found.rectangles, found.text) == (None, 1, "Whoever takes")


def test_a_highlight_that_makes_the_reader_throw_is_not_drawn(browser: Browser, odd_book: Path) -> None:
    found = browser.draw(odd_book, [Highlight("epubcfi(/6/2!/4/4,/1:0,/1:9999)"), Highlight(WHOEVER)])
    assert found[0].error is not None
    assert (found[0].rectangles, found[1].text) == (0, "Whoever takes")


def test_a_drawn_highlight_is_gone_before_the_next(browser: Browser, odd_book: Path) -> None:
    found = browser.draw(odd_book, [Highlight(WHOEVER), Highlight("epubcfi(/6/2!/4/4,/1:14,/1:18)")])
    assert [each.text for each in found] == ["Whoever takes", "over"]


def test_the_browser_ends_with_its_block_and_leaves_nothing(odd_book: Path) -> None:
    with Browser() as own:
        own.resolve(odd_book, [WHOEVER])
        pid, profile = own.chromium.process_id, own.chromium.profile
        assert profile.exists()
    assert not profile.exists()
    with pytest.raises(ProcessLookupError):
        os.killpg(pid, 0)


def test_nothing_is_served_from_outside_its_places(odd_book: Path) -> None:
    files = BookFiles()
    files.add(1, odd_book)
    try:
        assert files.find("books/1/mimetype") == (b"application/epub+zip", "application/octet-stream")
        outside = (
            "../browser.py",
            "foliate/../../package.json",
            "books/1/../../passwd",
            "books/7/mimetype",
            "books/x/y",
        )
        assert [files.find(path) for path in outside] == [None] * len(outside)
    finally:
        files.close()


def test_the_pinned_library_names_no_registry() -> None:
    lock = (Path(__file__).parent / "package-lock.json").read_text()
    assert "://" not in lock
    assert lock.count('"integrity": "sha512-') == 2


def test_the_scripts_are_sound() -> None:
    for script in sorted((Path(__file__).parent / "pages").glob("*.js")):
        run = subprocess.run(["node", "--check", str(script)], capture_output=True, text=True)
        assert (run.returncode, run.stderr) == (0, ""), script.name
