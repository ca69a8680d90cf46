"""Titles, names, languages and folded text: what is called the same, and what is not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.core import file_kinds, languages, names, titles
from device.core.folding import normal, words
from device.core.titles import MAIN, NEAR, NONE, OTHER, SAME, Title, compare


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("L'Été  — 1984!", "lete 1984"), ("Cafe\u0301", "Café"),
        ("Ｆｕｌｌ Ｗｉｄｔｈ", "full width"), ("Straße", "STRASSE"),
        ("Rock ’n’ Roll", "rock n roll"), ("Salt & Pepper", "salt and pepper"), ("Œuvres", "oeuvres"),
        ("ИСТОРИЯ ЁЖИКА", "история ежика"), ("שָׁלוֹם", "שלום"), ("Ægir", "Aegir"), ("2.5 hours", "2.5 Hours."),
    ],
)  # fmt: skip
def test_spellings_of_one_text_are_one(one: str, other: str) -> None:
    assert normal(one) == normal(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("C++", "C#"), ("C++", "C"), ("कि", "का"), ("1.5", "15"), ("กิ", "กา"), ("Müller", "Mueller"), ("が", "か")],
)
def test_different_words_stay_different(one: str, other: str) -> None:
    assert normal(one) != normal(other)


@given(st.text(max_size=60))
def test_folding_what_is_folded_changes_nothing(text: str) -> None:
    assert normal(normal(text)) == normal(text)


@given(st.text(st.characters(max_codepoint=0x17F), max_size=40))
def test_composed_and_decomposed_letters_are_one(text: str) -> None:
    decomposed = unicodedata.normalize("NFD", text)
    assert words(decomposed) == words(unicodedata.normalize("NFC", decomposed))


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("Hobbit, The", "The Hobbit", SAME), ("Moby Dick; or, The Whale", "Moby-Dick, or the Whale", SAME),
        ("Henry IV, Part II", "Henry IV Part Two", SAME), ("Emma: A Novel", "Emma", SAME),
        ("Rocky II", "Rocky 2", SAME),
        ("The Two Towers (The Lord of the Rings, #2)", "The Two Towers", SAME), ("01 Emma", "1 Emma", SAME),
        ("Sapiens: A Brief History", "Sapiens", MAIN), ("Algorithms, 3rd Edition", "Algorithms", MAIN),
        ("Harry Poter", "Harry Potter", NEAR), ("The Shining", "Shining", NEAR), ("Mobydick", "Moby-Dick", NEAR),
        ("Ghost", "Ghosts", OTHER), ("Dune", "Dune Messiah", OTHER), ("Star Wars: Thrawn", "Star Wars: Heir", OTHER),
        ("Catch-22", "Catch-23", OTHER), ("Algorithms 2nd Edition", "Algorithms 3rd Edition", OTHER),
        ("XIV", "xiv", SAME), ("XIV", "XV", OTHER), ("Louis XIV", "Louis 14", SAME),
        ("Unknown", "Emma", NONE), ("", "", NONE), ("07", "07", NONE), ("★★★", "★★★", NONE),
    ],
)  # fmt: skip
def test_titles_are_compared_by_what_they_say(one: str, other: str, said: str) -> None:
    assert compare(Title(one), Title(other)) == said


@pytest.mark.parametrize(
    ("title", "language", "tells"),
    [
        ("The Trial", "en", True), ("Der Prozess", "de", True), ("The Trial", "de", False), ("Dune", "en", False),
        ("Les Misérables", "fr", True), ("Les Misérables", "en", False), ("La Peste", "fr", False),
        ("Die Hard", "de", False), ("Die Leiden des jungen Werther", "de", True),
        ("Cyrano de Bergerac", "en", False), ("Romeo and Juliet Two Lovers", "de", False),
        ("Harry Potter Deathly Hallows", "en", True), ("The Trial", "tlh", False),
    ],
)  # fmt: skip
def test_only_small_words_of_a_language_tell_that_a_title_is_in_it(title: str, language: str, tells: bool) -> None:
    assert Title(title).tells_its_language(language) == tells


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 1e300, None])
def test_what_no_book_of_a_series_has_is_no_number(number: float | None) -> None:
    assert titles.number_text(number) is None
    assert titles.number_text(2.0) == "2"


def test_a_title_of_a_megabyte_is_taken_apart_as_far_as_titles_go() -> None:
    assert Title("#1 " * 300_000).said == Title(("#1 " * 300)[:500]).said


def test_a_series_before_the_title_is_no_part_of_it() -> None:
    there = Title("The Eye of the World", "", "The Wheel of Time")
    assert compare(Title("The Wheel of Time, Book 1: The Eye of the World"), there) == SAME
    assert compare(Title("The Wheel of Time, Book 2: The Great Hunt"), there) == OTHER


def test_a_subtitle_counts_where_it_stands_beside_the_title() -> None:
    assert compare(Title("Sapiens: A Brief History"), Title("Sapiens", "A Brief History")) == SAME
    assert compare(Title("Sapiens: A Brief History"), Title("Sapiens: A Brief History", "A Brief History")) == SAME


TITLES = st.text("aeT Vol.1II:(),#2é ", max_size=24)


@given(TITLES, TITLES, TITLES)
def test_it_makes_no_difference_which_title_comes_first(one: str, other: str, series: str) -> None:
    first, second = Title(one, "", series), Title(other)
    assert compare(first, second) == compare(second, first)
    assert titles.likeness(first.keys, second.keys) == titles.likeness(second.keys, first.keys)
    assert titles.compare_numbers(first, "1", second, None) == titles.compare_numbers(second, None, first, "1")


@given(st.text(max_size=60))
def test_every_title_is_called_the_same_as_itself(text: str) -> None:
    assert compare(Title(text), Title(text)) in (SAME, NONE)
    assert 0 <= titles.likeness(Title(text).keys, Title(text).keys) <= 1


@pytest.mark.parametrize(
    ("one", "one_index", "other", "other_index", "said"),
    [
        ("Saga Vol. 2", None, "Saga, Vol. 02", None, titles.SAME_NUMBER),
        ("Saga Vol. 2", None, "Saga, Vol. 3", None, titles.OTHER_NUMBER),
        ("Saga Volume II", None, "Saga", "2", titles.SAME_NUMBER),
        ("Saga v02", None, "Saga", "3", titles.OTHER_NUMBER),
        ("Saga, Book Two", None, "Saga", None, titles.ONE_NUMBER),
        ("Saga #2", None, "Saga #3", None, titles.OTHER_NUMBER),
        ("Saga (Saga Deluxe 2)", None, "Saga (Saga Deluxe 3)", None, titles.OTHER_NUMBER),
        ("Saga", "2", "Saga", "2.5", titles.OTHER_NUMBER),
        ("Saga", "2", "Saga", None, titles.ONE_INDEX),
        ("Saga Books 1-3", None, "Saga Book 1", None, titles.OTHER_NUMBER),
        ("Saga, Band 2", None, "Saga, Band 3", None, titles.OTHER_NUMBER),
        ("Saga", None, "Saga", None, titles.NO_NUMBER),
    ],
)  # fmt: skip
def test_the_numbers_of_volumes_are_compared_wherever_they_stand(
    one: str, one_index: str | None, other: str, other_index: str | None, said: str
) -> None:
    assert titles.compare_numbers(Title(one), one_index, Title(other), other_index) == said


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (["Austen, Jane"], ["Jane Austen"], names.ALL), (["Haruki Murakami"], ["Murakami Haruki"], names.ALL),
        (["J.R.R. Tolkien"], ["Tolkien, J. R. R."], names.ALL), (["JRR Tolkien"], ["J. R. R. Tolkien"], names.ALL),
        (["Neil Gaiman & Terry Pratchett"], ["Terry Pratchett", "Neil Gaiman"], names.ALL),
        (["Émile Zola"], ["Emile Zola"], names.ALL), (["Homer", "Emily Wilson (Translator)"], ["Homer"], names.ALL),
        (["Ursula K. Le Guin"], ["Le Guin, Ursula K"], names.ALL),
        (["Martin L. King Jr."], ["King, Martin L., Jr."], names.ALL),
        (["Martin L. King Jr."], ["Martin L King"], names.BY_INITIALS),
        (["John Smith Jr."], ["John Smith Sr."], names.NOBODY), (["Jane Doe, PhD"], ["Jane Doe"], names.ALL),
        (["Doyle, Sir Arthur Conan"], ["Arthur Conan Doyle"], names.ALL),
        (["Jane Doe, Max Mann"], ["Max Mann", "Jane Doe"], names.ALL),
        (["Le Guin, Ursula K."], ["Ursula K. Le Guin"], names.ALL),
        (["Jane Doe, Max Mann"], ["Jane Doe"], names.SOME),
        (["村上春樹"], ["村上 春樹"], names.ALL), (["村上春"], ["村上 春樹"], names.NOBODY),
        (["Staff"], ["Staff"], names.UNKNOWN), (["et al."], ["et al."], names.UNKNOWN),
        (["Marvel"], ["Marvel"], names.UNKNOWN), (["Ian Good et al."], ["Ian Good"], names.SOME),
        (["J. Austen"], ["Jane Austen"], names.BY_INITIALS),
        (["Jo M. Hall"], ["Jo Hall"], names.BY_INITIALS), (["Austen"], ["Jane Austen"], names.BY_INITIALS),
        (["Neil Gaiman"], ["Terry Pratchett", "Neil Gaiman"], names.SOME),
        (["Jane Austen"], ["Joan Austen"], names.NOBODY), (["A. Dumas fils"], ["A. Dumas"], names.NOBODY),
        (["Unknown"], ["Jane Austen"], names.UNKNOWN), ([], [], names.UNKNOWN), (["Various"], ["X Y"], names.UNKNOWN),
    ],
)  # fmt: skip
def test_authors_are_compared_as_people(one: list[str], other: list[str], said: str) -> None:
    assert names.compare(names.parse(one), names.parse(other)) == said


NAMES = st.lists(st.text("abJ., &é村jr", max_size=12), max_size=4)


@given(NAMES, NAMES)
def test_whoever_may_not_agree_does_not(one: list[str], other: list[str]) -> None:
    first, second = names.parse(one), names.parse(other)
    assert names.may_agree(first, second) or names.compare(first, second) == names.NOBODY


@given(NAMES, NAMES)
def test_it_makes_no_difference_which_authors_come_first(one: list[str], other: list[str]) -> None:
    assert names.compare(names.parse(one), names.parse(other)) == names.compare(names.parse(other), names.parse(one))


@pytest.mark.parametrize(
    ("text", "code"),
    [("en-GB", "en"), ("eng", "en"), ("English", "en"), ("de_AT", "de"), ("Français", "fr"), ("und", ""), ("", ""),
     ("tlh", "tlh"), ("zh-Hant", "zh")],
)  # fmt: skip
def test_a_language_has_many_names(text: str, code: str) -> None:
    assert languages.code(text) == code


@pytest.mark.parametrize(
    ("name", "suffix", "kind", "stem"),
    [
        ("/b/x.kepub.epub", "epub", file_kinds.FLOWING, "x"), ("x.fb2.zip", "fb2", file_kinds.FLOWING, "x"),
        ("x.CBZ", "cbz", file_kinds.PICTURES, "x"), ("x.pdf", "pdf", file_kinds.PAGES, "x"),
        ("Dr. No", "", file_kinds.FLOWING, "Dr"), ("v1.2 of it.epub", "epub", file_kinds.FLOWING, "v1.2 of it"),
    ],
)  # fmt: skip
def test_a_files_name_says_what_kind_of_book_it_is(name: str, suffix: str, kind: str, stem: str) -> None:
    assert file_kinds.stem(name) == stem
    if suffix:
        assert (file_kinds.suffix(name), file_kinds.kind(name)) == (suffix, kind)
