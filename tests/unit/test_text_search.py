"""Words are found where they must be, and nowhere if nothing tells where."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.epub import text_search
from device.epub.engine_text import squeezed

FAR = "." * 5_000


def test_two_readers_agree_on_words_without_blanks_and_what_has_no_width() -> None:
    assert text_search.bare(" a\u00a0b\n\tc\u00ad\u200bd\ufeff\u3000e") == "abcde"


def test_letters_of_formulas_count_as_plain_ones() -> None:
    assert text_search.bare("\U0001d465\U0001d7d9 \U0001d6fc") == "x1α"


def test_every_mathematical_letter_is_what_unicode_says() -> None:
    letters = [chr(code) for code in range(0x1D400, 0x1D800) if unicodedata.category(chr(code)) != "Cn"]
    assert text_search.plain("".join(letters)) == unicodedata.normalize("NFKC", "".join(letters))


@given(st.text())
def test_plain_letters_stand_where_the_mathematical_ones_stood(text: str) -> None:
    assert len(text_search.plain(text)) == len(text)


@given(st.text())
def test_what_the_engines_visible_text_leaves_out_is_left_out_of_what_it_is_compared_with(text: str) -> None:
    assert text_search.bare(text) == text_search.plain(squeezed(text))


def test_words_that_stand_once_are_found_wherever_they_were_said_to_be() -> None:
    assert text_search.nearest(FAR + "onlyonce" + FAR, "onlyonce", 0) == len(FAR)
    assert text_search.nearest(FAR + "onlyonce" + FAR, "onlyonce", None) == len(FAR)


def test_a_short_word_is_not_taken_from_far_away_even_if_it_stands_once() -> None:
    assert text_search.nearest(FAR + "22" + FAR, "22", 0) is None
    assert text_search.nearest(FAR + "22" + FAR, "22", None) is None


def test_a_short_word_near_its_place_is_found() -> None:
    assert text_search.nearest(FAR + "22" + FAR, "22", len(FAR) - 30) == len(FAR)


def test_of_words_that_stand_often_the_nearest_are_meant() -> None:
    chapter = "word" + FAR + "word" + FAR + "word"
    assert text_search.nearest(chapter, "word", len(FAR) + 14) == len(FAR) + 4
    assert text_search.nearest(chapter, "word", 0) == 0
    assert text_search.nearest(chapter, "word", len(chapter)) == len(chapter) - 4


def test_words_that_stand_often_are_not_taken_from_where_chance_may_have_put_them() -> None:
    assert text_search.nearest("word" + FAR, "word", 100) == 0
    assert text_search.nearest("word" + FAR + "word", "word", 100) is None
    assert text_search.nearest("word" + "." * 30 + "word", "word", 12) is None


def test_between_two_places_none_is_chosen() -> None:
    assert text_search.nearest("word........word", "word", 6) is None


def test_words_that_stand_often_are_nowhere_if_nothing_says_where() -> None:
    assert text_search.nearest("once again and once again", "once again", None) is None


def test_words_that_overlap_with_themselves_are_told_apart() -> None:
    assert text_search.nearest("aaaaaa", "aaaa", 1) == 1
    assert text_search.nearest("aaaaaa", "aaaa", 0) == 0


def test_a_sign_that_stands_everywhere_is_not_looked_for() -> None:
    assert text_search.nearest("a.b.c.", ".", 1) is None


def test_nothing_is_nowhere() -> None:
    assert text_search.nearest("words", "", 0) is None


def test_in_another_chapter_only_words_that_are_long_and_stand_once_are_believed() -> None:
    words = "sixteenlettersxx"
    assert text_search.only_one("before" + words, words) == 6
    assert text_search.only_one("before" + words[:-1], words[:-1]) is None
    assert text_search.only_one(words + words, words) is None


@given(st.text("ab", min_size=1, max_size=40), st.text("ab", min_size=1, max_size=8), st.integers(0, 40))
def test_what_is_found_reads_as_it_should_and_is_the_nearest(chapter: str, words: str, at: int) -> None:
    found = text_search.nearest(chapter, words, at)
    places = [place for place in range(len(chapter)) if chapter.startswith(words, place)]
    if found is None:
        assert len(places) != 1
        assert not chapter.startswith(words, at) or len(words) < text_search.OFTEN_CHARS
    else:
        assert found in places
        assert abs(found - at) == min(abs(place - at) for place in places)


@pytest.mark.parametrize(
    ("pieces", "words", "is_shown"),
    [
        (["One ", "two"], "Onetwo", True),
        (["One ", "\n ", "two"], "Onetwo", True),
        (["漢", "かん", "字", "じ", "を"], "漢字を", True),
        (["a", "hidden", "a", "a"], "aaa", True),
        (["a", "a", "b"], "ab", True),
        (["hidden", "seen"], "seen", False),
        (["seen", "hidden"], "seen", False),
        (["seen", "more"], "seenmo", False),
        (["se", "en"], "se", False),
        (["other"], "words", False),
        ([], "", False),
        ([" "], "", False),
    ],
)
def test_a_selection_shows_words_if_only_whole_inner_nodes_are_hidden(
    pieces: list[str], words: str, is_shown: bool
) -> None:
    assert text_search.shows(pieces, words) == is_shown


def test_at_its_ends_a_selection_from_the_web_may_have_hidden_nodes() -> None:
    assert text_search.shows_within(["(", "seen", "hidden", "too", ")"], "seentoo")
    assert not text_search.shows_within(["seen", "too"], "seent")
    assert not text_search.shows_within(["hidden"], "")


def test_a_book_made_to_have_countless_choices_is_given_up() -> None:
    assert not text_search.shows(["a"] * 3_000, "a" * 1_500)


def test_a_long_selection_of_many_nodes_has_but_one_choice() -> None:
    assert text_search.shows([f"word{number} " for number in range(3_000)], "".join(f"word{n}" for n in range(3_000)))


def test_of_a_selection_with_hidden_nodes_the_seen_ones_are_kept_with_their_blanks() -> None:
    assert text_search.seen_of(["seen ", "hidden", "\n", "too"], "seentoo") == "seen \ntoo"
    assert text_search.seen_of(["other"], "words") == ""


def test_it_is_known_how_far_a_text_reads_as_words() -> None:
    assert text_search.length_reading(" a\u00ad b c", "ab") == 5
    assert text_search.length_reading("a b", "ab") == 3
    assert text_search.length_reading("a x", "ab") is None
    assert text_search.length_reading("a", "ab") is None
