"""Two notes become one, colours and styles come back, and a note is found again in what was written of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.core.annotations import book_notes, colours
from device.core.annotations.destinations import held
from device.core.annotations.marks import DeviceMark
from device.core.annotations.words import clean, merged_note, same_note, squeezed
from device.core.outbox import BOOK_NOTE, BOOKMARK, HIGHLIGHT

texts = st.text(st.sampled_from("ab \n.“”—"), max_size=30)
WORDS = ("red", "orange", "yellow", "green", "olive", "cyan", "blue", "purple")


@given(texts, texts, texts)
def test_merging_two_notes_does_not_depend_on_which_comes_first(base: str, one: str, other: str) -> None:
    assert same_note(merged_note(base, one, other), merged_note(base, other, one))


@given(texts, texts, texts)
def test_merging_again_changes_nothing(base: str, one: str, other: str) -> None:
    both = merged_note(base, one, other)
    assert same_note(merged_note(one, both, one), both)
    assert same_note(merged_note("", both, both), both)


@given(st.lists(st.sampled_from("abcdef"), max_size=4), st.lists(st.sampled_from("abcdef"), max_size=4))
def test_no_paragraph_of_either_note_is_lost(one: list[str], other: list[str]) -> None:
    merged = merged_note("what they were before", "\n\n".join(one), "\n\n".join(other))
    kept = [note for note in (one, other) if note]
    assert {part for note in kept for part in note} <= set(merged.split("\n\n"))


def test_a_note_that_only_one_side_changed_is_that_sides() -> None:
    assert merged_note("a", "a", "b") == "b"
    assert merged_note("a", "b", "a") == "b"


def test_a_note_emptied_here_and_edited_there_is_the_edited_one() -> None:
    assert merged_note("a", "", "b") == "b"


def test_of_two_notes_the_one_that_contains_the_other_is_enough() -> None:
    assert merged_note("", "a cat", "cat") == "a cat"


def test_a_piece_of_a_word_does_not_contain_a_note() -> None:
    assert set(merged_note("", "cat", "category").split("\n\n")) == {"cat", "category"}


def test_a_soft_hyphen_or_a_line_break_makes_no_other_words() -> None:
    assert squeezed("Call\u00ad me\nIshmael") == squeezed("Call me Ishmael")


@pytest.mark.parametrize("word", WORDS)
def test_every_colour_comes_back_as_itself(word: str) -> None:
    assert colours.word_of(colours.hex_of(word)) == word


@pytest.mark.parametrize("word", ["gray", "white", "", "chartreuse"])
def test_what_has_no_colour_on_the_server_goes_as_yellow(word: str) -> None:
    assert colours.hex_of(word) == "#FFC107"


@pytest.mark.parametrize("drawer", ["lighten", "underscore", "strikeout", "invert"])
def test_every_way_of_drawing_comes_back_as_itself(drawer: str) -> None:
    assert colours.drawer_of(colours.style_of(drawer)) == drawer


@given(st.text(max_size=10))
def test_any_text_as_a_colour_gives_one_of_koreaders(text: str) -> None:
    assert colours.word_of(text) in (*WORDS, "gray")


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_any_colour_of_the_server_has_a_nearest_one(rgb: tuple[int, int, int]) -> None:
    assert colours.word_of("#{:02x}{:02x}{:02x}".format(*rgb)) in (*WORDS, "gray")


def _mark(note: str, text: str, chapter: str, page: int | None, kind: str = HIGHLIGHT) -> DeviceMark:
    mark = DeviceMark(kind, "2026-01-01 10:00:00")
    mark.note, mark.text, mark.chapter, mark.page = note, text, chapter, page
    mark.drawer = "lighten" if kind == HIGHLIGHT else ""
    return mark


@given(texts, texts, texts, st.none() | st.integers(0, 999), st.sampled_from((HIGHLIGHT, BOOKMARK)))
def test_a_note_is_found_again_in_the_book_note(
    note: str, text: str, chapter: str, page: int | None, kind: str
) -> None:
    mark = _mark(note, text, chapter, page, kind)
    assert book_notes.note_in(book_notes.written(mark), mark) == clean(note)


@given(texts, texts, texts)
def test_a_book_note_says_something(note: str, text: str, chapter: str) -> None:
    assert clean(book_notes.written(_mark(note, text, chapter, None)))


def test_a_note_that_was_edited_on_the_server_is_found_before_the_quotation() -> None:
    mark = _mark("old", "Call me Ishmael.", "Loomings", 13)
    edited = book_notes.written(mark).replace("old", "a new one\n\nin two paragraphs")
    assert book_notes.note_in(edited, mark) == "a new one\n\nin two paragraphs"


def test_a_note_is_found_where_somebody_took_the_quotation_away() -> None:
    assert book_notes.note_in("only this", _mark("old", "Call me Ishmael.", "Loomings", 13)) == "only this"


def test_what_another_device_wrote_with_another_page_is_of_the_same_mark() -> None:
    here, there = _mark("n", "Call me Ishmael.", "Loomings", 13), _mark("n", "Call me Ishmael.", "Loomings", 21)
    assert book_notes.is_of(book_notes.written(there), here)


def test_what_quotes_other_words_is_not_of_this_mark() -> None:
    other = _mark("n", "Some years ago", "Loomings", 13)
    assert not book_notes.is_of(book_notes.written(other), _mark("n", "Call me Ishmael.", "Loomings", 13))


@given(st.text(max_size=30))
def test_a_text_is_cut_where_java_counts_as_many_units(text: str) -> None:
    kept = held(BOOKMARK, "title", text * 20)
    assert (text * 20).startswith(kept)
    assert len(kept.encode("utf-16-le")) <= 2 * 255


def test_a_book_note_keeps_what_a_text_column_holds() -> None:
    assert len(held(BOOK_NOTE, "note", "ä" * 60_000).encode()) <= 65_535
