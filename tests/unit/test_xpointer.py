"""KOReader's names for a place, in every spelling that is in the field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.epub import xpointer
from device.epub.xpointer import Step, XPointer, parse, written

NEW = "/body[1]/DocFragment[12]/body[1]/div[1]/p[3]/text()[1].15"
OLD = "/body/DocFragment[12]/body/div/p[3]/text().15"


def steps_of(text: str) -> list[tuple[str, int]]:
    found = parse(text)
    assert found is not None
    return [(step.name, step.index) for step in found.steps]


def key_of(text: str) -> str:
    found = parse(text)
    assert found is not None
    return found.key()


def test_both_spellings_name_the_same_place() -> None:
    assert steps_of(NEW) == steps_of(OLD) == [("body", 1), ("div", 1), ("p", 3), ("text()", 1)]
    assert key_of(NEW) == key_of(OLD) != key_of(OLD + "0")


@pytest.mark.parametrize(
    ("text", "explicit_ones"),
    [
        (NEW, True),
        (OLD, False),
        ("/body/DocFragment/body/section[1]/br.0", False),
        ("/body[1]/DocFragment[1]/body[1]/section[1]/br[3].0", True),
        ("/body/DocFragment[10]/body/div/section/section[6]/span", False),
        ("/body/DocFragment[7]/body/p[1]/text()[2].0", False),
        ("/body/DocFragment[7].0", False),
        (".1", False),
    ],
)
def test_what_was_read_is_written_again_in_its_own_spelling(text: str, explicit_ones: bool) -> None:
    found = parse(text)
    assert found is not None
    assert written(found, explicit_ones) == text


def test_a_place_can_be_written_in_the_spelling_of_the_other_kind_of_book() -> None:
    old = parse("/body/DocFragment/body/p[2]/img.0")
    assert old is not None
    assert written(old, explicit_ones=True) == "/body[1]/DocFragment[1]/body[1]/p[2]/img[1].0"


def test_a_pointer_to_an_element_has_an_offset_or_none() -> None:
    with_offset, without = parse("/body/DocFragment[2]/body/p.0"), parse("/body/DocFragment[2]/body/p")
    assert with_offset is not None and without is not None
    assert (with_offset.offset, without.offset) == (0, None)
    assert with_offset.key() == without.key()


def test_the_end_of_the_book_is_a_place_in_no_fragment() -> None:
    end = parse(".1")
    assert end is not None
    assert (end.fragment, end.steps, end.offset) == (0, [], 1)


def test_boxes_of_old_books_are_looked_through() -> None:
    assert steps_of("/body/DocFragment[3]/body/div/autoBoxing[2]/floatBox/p/inlineBox[1]/text().3") == [
        ("body", 1),
        ("div", 1),
        ("p", 1),
        ("text()", 1),
    ]


def test_capital_letters_in_what_has_a_fixed_name_do_not_matter() -> None:
    found = parse("/BODY/DOCFRAGMENT[3]/BODY/P[2]/TEXT().4")
    assert found is not None
    assert (found.fragment, found.is_text(), found.offset) == (3, True, 4)
    assert key_of("/BODY/DOCFRAGMENT[3]/body/p/TEXT().4") == key_of("/body/DocFragment[3]/body/p[1]/text().4")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "17",
        "/",
        "//",
        "/body",
        "/body/p",
        "/FictionBook/body/section/p",
        "body/DocFragment[1]/body",
        "/body/DocFragment[0]/body",
        "/body/DocFragment[x]/body",
        "/body/DocFragment[1/body",
        "/body/DocFragment[1]]/body",
        "/body/DocFragment[1]/body/p[1]x/text().3",
        "/body/DocFragment[1]/body//p",
        "/body/DocFragment[٣]/body",
        "/body/DocFragment[1234567890]/body",
        "/body/DocFragment[1]/body" + "/i" * xpointer.STEPS_MOST,
        "/body/DocFragment[1]/body/" + "i" * xpointer.POINTER_MOST_CHARS,
    ],
)
def test_what_is_no_xpointer_gives_none(text: str) -> None:
    assert parse(text) is None


def test_the_kind_of_the_book_is_seen_in_its_pointers() -> None:
    assert xpointer.has_explicit_ones(NEW)
    assert not xpointer.has_explicit_ones(OLD)


names = st.sampled_from(["p", "div", "h1", "text()", "?pi", "section", "my.name", "em", "x-y"])
pointers = st.builds(
    lambda fragment, steps, offset, bare: XPointer(1 if bare else fragment, steps, offset, bare),
    st.integers(1, 999),
    st.lists(
        st.builds(
            lambda name, index, alone: Step(name, 1 if alone else index, alone),
            names,
            st.integers(1, 99),
            st.booleans(),
        ),
        max_size=8,
    ),
    st.none() | st.integers(0, 99_999),
    st.booleans(),
)


@given(pointers, st.booleans())
def test_every_pointer_survives_being_written_and_read(pointer: XPointer, explicit_ones: bool) -> None:
    text = written(pointer, explicit_ones)
    found = parse(text)
    assert found is not None
    assert written(found, explicit_ones) == text
    assert found.key() == pointer.key()


@given(st.text("/body[1]DocFragmentx().0523 \u0663é", max_size=60))
def test_whatever_the_text_is_reading_it_gives_a_pointer_or_none(text: str) -> None:
    found = parse(text)
    if found is not None:
        again = parse(written(found, explicit_ones=True))
        assert again is not None
        assert again.key() == found.key()
