"""From KOReader's places to the page: highlights in the books of this repository, converted by the worker's own verb,
drawn by the web reader, and read again from the page as the words under what is drawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.converter import Converter
from tests.conformance.exactness import is_exact
from tests.fixtures.make_books import make_keepers_log
from tests.fixtures.make_torture_books import make
from tests.unit.test_positions_torture import RANGES, place
from tests.web.browser import Browser, Drawn, Highlight

pytestmark = pytest.mark.web

# The web reader opens the wrong document behind an itemref that leads nowhere; the position is right all the same.
WRONG_DOCUMENT = ("dangling", "2/p/text().0")
# foliate-js draws only within paragraphs if there is one anywhere in the element that holds the whole highlight.
DRAWN_IN_PART = (("pointers", "1/section[1]/h1/text().0"), ("blanks", "3/div/b/text().0"))
# Chromium reads a page that is declared as Latin-1 otherwise the second time (pages/book.js), and shows the NULs of
# one in UTF-16.
READ_OTHERWISE = (("encodings", "2/p[2]/text().5"), ("encodings", "3/p/text().0"))
EXCEPTIONS = (WRONG_DOCUMENT, *DRAWN_IN_PART, *READ_OTHERWISE)

COLORS = ("#FACC15", "#4ADE80", "#38BDF8", "#F472B6")


def drawn(browser: Browser, book: Path, wanted: Sequence[dict[str, Any]], **fields: str) -> list[Drawn]:
    """Converts and draws; whatever has no sure place is a failure."""
    answers = Converter().convert(book, wanted)
    assert {answer["status"] for answer in answers} <= {"exact", "repaired"}, answers
    return browser.draw(book, [Highlight(answer["cfi"], **fields) for answer in answers])


def test_every_highlight_in_the_torture_books_is_drawn_at_its_words(browser: Browser, tmp_path: Path) -> None:
    by_book: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for book, start, end, text, _ in RANGES:
        if (book, start) not in EXCEPTIONS:
            by_book[book].append((start, end, text))
    wrong = []
    for book, ranges in by_book.items():
        wanted = [{"pos0": place(start), "pos1": place(end), "text": text} for start, end, text in ranges]
        found = drawn(browser, make(book, tmp_path), wanted)
        for (start, _, text), mark in zip(ranges, found, strict=True):
            if mark.error or not mark.on_page or not is_exact(mark.pieces, text):
                wrong.append((book, start, text, mark))
    assert wrong == []


@pytest.mark.parametrize(("book", "start"), [*DRAWN_IN_PART, *READ_OTHERWISE])
def test_what_is_not_drawn_as_it_should_be_means_the_right_words(
    browser: Browser, tmp_path: Path, book: str, start: str
) -> None:
    ((text, cfi),) = [(row[3], row[4]) for row in RANGES if row[:2] == (book, start)]
    (found,) = browser.resolve(make(book, tmp_path), [f"epubcfi({cfi})"], by_the_standards=True)
    assert is_exact(found.pieces, text), found


def test_highlights_all_through_a_book_are_drawn_at_their_words(browser: Browser, tmp_path: Path) -> None:
    book = make_keepers_log(tmp_path / "log.epub")
    texts = {
        (1, "p[2]/text()", 0): "The Head is four hundred paces long",
        (2, "p[1]/text()", 1): "Wind south-west and steady",
        (2, "p[1]/em[2]/text()", 0): "Constance",
        (2, "p[2]/text()", 0): "It is said that keepers grow silent.",
    }
    wanted = [
        {
            "pos0": f"/body/DocFragment[{chapter}]/body/{path}.{offset}",
            "pos1": f"/body/DocFragment[{chapter}]/body/{path}.{offset + len(text)}",
            "text": text,
        }
        for (chapter, path, offset), text in texts.items()
    ]
    found = drawn(browser, book, wanted)
    assert [" ".join(mark.text.split()) for mark in found] == list(texts.values())
    assert all(mark.on_page for mark in found)


def test_a_highlight_over_two_paragraphs_is_drawn_over_both(browser: Browser, tmp_path: Path) -> None:
    book = make_keepers_log(tmp_path / "log.epub")
    text = "because nobody asked for it.\nThe Head is four hundred paces"
    wanted = {
        "pos0": "/body/DocFragment[1]/body/p[1]/text().261",
        "pos1": "/body/DocFragment[1]/body/p[2]/text().30",
        "text": text,
    }
    (mark,) = drawn(browser, book, [wanted])
    assert is_exact(mark.pieces, text), mark
    assert mark.rectangles >= 2


@pytest.mark.parametrize("color", COLORS)
def test_it_is_drawn_in_any_colour(browser: Browser, tmp_path: Path, color: str) -> None:
    book = make_keepers_log(tmp_path / "log.epub")
    wanted = {
        "pos0": "/body/DocFragment[1]/body/p[3]/text().0",
        "pos1": "/body/DocFragment[1]/body/p[3]/text().15",
        "text": "Read it slowly.",
    }
    (mark,) = drawn(browser, book, [wanted], color=color)
    assert (mark.text, mark.on_page) == ("Read it slowly.", True)
