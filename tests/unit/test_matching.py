"""Which book on the server is this file: only what is certain matches by itself."""

from __future__ import annotations

import pytest

from device.core import matching
from device.core.matching import NONE_FOUND, SEVERAL_FOUND, ServerBook, Wanted, isbn13, normal


def wanted() -> Wanted:
    return Wanted("Moby Dick; or, The Whale", ["Herman Melville"], ["ISBN:0-14-243724-7"], "/b/moby.epub", 812_345)


def book(server_id: int, **fields: object) -> ServerBook:
    values: dict[str, object] = {"title": "", "authors": [], "isbns": [], "files": []}
    return ServerBook(server_id, **(values | fields))  # type: ignore[arg-type]


def answer(*library: ServerBook) -> tuple[int, str] | str:
    seeker = wanted()
    for candidate in library:
        seeker.compare(candidate)
    return seeker.answer()


def test_the_same_isbn_is_the_same_book_whatever_its_spelling() -> None:
    assert answer(book(7, isbns=["9780142437247"]), book(8, isbns=["9780140430554"])) == (7, matching.BY_ISBN)


def test_an_isbn_outweighs_a_title_that_fits_another_book() -> None:
    other = book(8, title="Moby Dick or the whale", authors=["Herman Melville"])
    assert answer(other, book(7, isbns=["978-0-14-243724-7"])) == (7, matching.BY_ISBN)


def test_a_file_name_with_its_size_is_certain() -> None:
    assert answer(book(3, files=[("Moby.EPUB", 793)])) == (3, matching.BY_FILE)


def test_a_file_name_alone_is_not() -> None:
    assert answer(book(3, files=[("moby.epub", 5000)])) == NONE_FOUND


def test_title_and_author_match_without_case_and_punctuation() -> None:
    assert answer(book(5, title="MOBY-DICK, or the whale", authors=["herman melville"])) == (5, matching.BY_TITLE)


def test_a_title_by_another_author_is_another_book() -> None:
    assert answer(book(5, title="Moby Dick; or, The Whale", authors=["Somebody Else"])) == NONE_FOUND


def test_two_editions_that_fit_equally_well_wait_for_the_reader() -> None:
    twice = [book(id, title="Moby Dick or The Whale", authors=["Herman Melville"]) for id in (1, 2)]
    assert answer(*twice) == SEVERAL_FOUND


def test_an_empty_library_has_no_match() -> None:
    assert answer() == NONE_FOUND


def test_a_book_without_any_metadata_matches_nothing() -> None:
    seeker = Wanted("", [], [], "", None)
    seeker.compare(book(1))
    assert seeker.answer() == NONE_FOUND


@pytest.mark.parametrize(
    "text",
    [
        "9780142437247",
        "ISBN:9780142437247",
        "urn:isbn:978-0-14-243724-7",
        "isbn:0142437247",
        "0-14-243724-7",
        "ISBN 0142437247",
    ],
)
def test_every_spelling_of_an_isbn_is_one_number(text: str) -> None:
    assert isbn13(text) == "9780142437247"


def test_an_isbn_10_may_end_in_x() -> None:
    assert isbn13("0-8044-2957-X") == "9780804429573"


@pytest.mark.parametrize(
    "text", ["", "9780142437248", "0142437246", "uuid:9780142437247abc", "٩٧٨٠١٤٢٤٣٧٢٤٧", "1234567890123"]
)
def test_what_is_no_isbn_is_none(text: str) -> None:
    assert isbn13(text) is None


def test_titles_are_compared_by_letters_and_digits() -> None:
    assert normal("  L'Été  — 1984! ") == "l été 1984"
