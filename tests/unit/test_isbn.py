"""ISBNs: every spelling of one is one number, and what only looks like one is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.core.isbn import isbn13, of_identifier, of_identifiers


@pytest.mark.parametrize(
    "text",
    [
        "9780142437247", "ISBN:9780142437247", "urn:isbn:978-0-14-243724-7", "isbn:0142437247", "0-14-243724-7",
        "ISBN 0142437247", "ISBN-13: 978 0 14 243724 7", "isbn10:0142437247", "978\u20110\u201114\u2011243724\u20117",
        "9780142437247 (pbk.)", " 978.0142437247 ", "ISBN=9780142437247 : £9.99",
    ],
)  # fmt: skip
def test_every_spelling_of_an_isbn_is_one_number(text: str) -> None:
    assert isbn13(text) == "9780142437247"


@pytest.mark.parametrize("text", ["0-8044-2957-X", "080442957x"])
def test_an_isbn_10_may_end_in_x(text: str) -> None:
    assert isbn13(text) == "9780804429573"


@pytest.mark.parametrize(
    "text",
    [
        "", "9780142437248", "0142437246", "uuid:9780142437247abc", "٩٧٨٠١٤٢٤٣٧٢٤٧", "1234567890123", "97801424372479",
        "0000000000", "9780000000002", "1111111111", "9781234567897", "123456789X", "x" * 10, "9" * 300,
    ],
)  # fmt: skip
def test_what_is_no_isbn_is_none(text: str) -> None:
    assert isbn13(text) is None


@pytest.mark.parametrize(
    ("identifier", "found"),
    [
        ("ISBN:0142437247", True), ("urn:isbn:9780142437247", True), ("9780142437247", True), ("0-14-243724-7", True),
        ("isbn 0142437247", True), ("0142437247", False), ("goodreads:0142437247", False), ("AMAZON:0142437247", False),
        ("uuid:9780142437247", False), ("calibre:9780142437247", False),
    ],
)  # fmt: skip
def test_a_number_of_another_scheme_is_no_isbn_however_it_looks(identifier: str, found: bool) -> None:
    assert (of_identifier(identifier) == "9780142437247") is found


def test_the_two_lengths_of_one_isbn_are_one() -> None:
    assert of_identifiers(["ISBN:0142437247", "ISBN:9780142437247", "MOBI-ASIN:B00ABC", ""]) == {"9780142437247"}


@given(st.text(max_size=40))
def test_whatever_is_given_the_answer_is_thirteen_digits_or_none(text: str) -> None:
    found = isbn13(text)
    assert found is None or (len(found) == 13 and found.isascii() and found.isdigit() and isbn13(found) == found)


@given(st.integers(0, 10**9 - 1))
def test_one_wrong_digit_is_noticed(body: int) -> None:
    digits = f"978{body:09}"
    check = -sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10
    assert isbn13(digits + str((check + 1) % 10)) is None


@given(st.from_regex(r"(ISBN[-: ]?)?[0-9]{1,5}-?[0-9]{1,7}-?[0-9]{1,6}-?[0-9X]", fullmatch=True))
def test_hyphens_make_no_difference(text: str) -> None:
    assert isbn13(text) == isbn13(text.replace("-", ""))
