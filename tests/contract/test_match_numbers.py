"""Numbers that no book can have, given to the verb `match`: an answer in words, and nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.test_matching_books import Shelf, started


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    for made in started("booklore", tmp_path):
        made.reader.reads(title="Emma", authors=["Jane Austen"], language="", file="/b/Emma.epub")
        made.sync()
        yield made


def said(shelf: Shelf, **arguments: object) -> list[str]:
    result = shelf.reader.run_job("match", "tap", arguments=arguments)
    return [message["text"] for message in result["messages"]]


@pytest.mark.parametrize("book_id", [2**70, -(2**70), 2**53, 0, -1, 1e300])
def test_a_book_of_ours_with_such_a_number_is_not_known(shelf: Shelf, book_id: float) -> None:
    assert said(shelf, book_id=book_id) == said(shelf, book_id=4711)


@pytest.mark.parametrize("value", [2**70, -(2**70), 1e300, -1, 0])
def test_a_book_of_the_server_with_such_a_number_is_refused_in_few_words(shelf: Shelf, value: float) -> None:
    [text] = said(shelf, book_id=1, value=value)
    assert "is no number that a book can have" in text
    assert len(text) < 100
    assert shelf.of_books("server_id") == [None]
