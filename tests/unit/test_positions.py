"""Highlights that have moved, go over several chapters, or come from the web: placed where their words prove it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.epub import outcomes
from device.epub.joining import open_chapter
from device.epub.opened_book import OpenedBook
from device.epub.positions import APPROXIMATE, EXACT, REPAIRED, Cfi, Pointers, Positions, Wanted
from device.epub.xpointer import written
from tests.fixtures.make_torture_books import Document, chapters, write

DOM = 20240114
Book = Callable[..., str]

LONG = "These words are long enough to be told by themselves."
CHAPTERS = (
    "<p>The first chapter has a word or two.</p><p>And it ends here.</p>",
    f"<p>Nothing to see.</p><p>{LONG}</p><p>again and again</p>",
    "<p>The third chapter begins.</p><p>word word word word</p>",
)


@pytest.fixture
def book(tmp_path: Path) -> Book:
    def make(*documents: Document | str) -> str:
        return str(write(tmp_path / "book.epub", chapters(documents or CHAPTERS)))

    return make


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write(tmp_path_factory.mktemp("book") / "book.epub", chapters(CHAPTERS)))


def at(fragment: int, path: str) -> str:
    return f"/body/DocFragment[{fragment}]/body/{path}"


def to_cfi(path: str, pos0: str, pos1: str | None, text: str | None, dom: int | None = DOM) -> Cfi:
    with Positions(path, dom) as opened:
        return opened.to_cfis([Wanted(pos0, pos1, text)])[0]


def to_pointers(path: str, cfi: str, text: str | None = None) -> Pointers:
    with Positions(path, DOM) as opened:
        return opened.to_pointers([(cfi, text)], explicit_ones=False)[0]


def test_words_beside_their_place_are_repaired(book: Book) -> None:
    found = to_cfi(book(), at(1, "p[1]/text().7"), at(1, "p[1]/text().14"), "chapter")
    assert (found.cfi, found.status, found.reason) == ("epubcfi(/6/2!/4/2,/1:10,/1:17)", REPAIRED, outcomes.MOVED)


def test_words_with_the_wrong_end_are_repaired(book: Book) -> None:
    found = to_cfi(book(), at(1, "p[1]/text().10"), at(1, "p[1]/text().12"), "chapter")
    assert (found.cfi, found.status) == ("epubcfi(/6/2!/4/2,/1:10,/1:17)", REPAIRED)


def test_long_words_are_found_in_their_chapter_without_a_place_that_fits(book: Book) -> None:
    found = to_cfi(book(), at(2, "div/p[9]/text().0"), at(2, "div/p[9]/text().4"), LONG)
    assert (found.cfi, found.status) == ("epubcfi(/6/4!/4/4,/1:0,/1:53)", REPAIRED)


def test_long_words_are_found_in_a_chapter_beside_the_one_that_is_named(book: Book) -> None:
    found = to_cfi(book(), at(1, "p[2]/text().0"), at(1, "p[2]/text().9"), LONG)
    assert (found.cfi, found.reason) == ("epubcfi(/6/4!/4/4,/1:0,/1:53)", outcomes.OTHER_DOCUMENT)
    found = to_cfi(book(), at(3, "p[2]/text().0"), at(3, "p[2]/text().9"), LONG)
    assert (found.cfi, found.reason) == ("epubcfi(/6/4!/4/4,/1:0,/1:53)", outcomes.OTHER_DOCUMENT)


def test_short_words_are_not_looked_for_in_other_chapters(book: Book) -> None:
    found = to_cfi(book(), at(1, "p[2]/text().0"), at(1, "p[2]/text().3"), "see")
    assert (found.cfi, found.status, found.reason) == (None, APPROXIMATE, outcomes.NOT_FOUND)


def test_words_that_stand_often_and_nothing_tells_which_are_approximate(book: Book) -> None:
    found = to_cfi(book(), at(3, "div/text().0"), at(3, "div/text().4"), "word")
    assert (found.cfi, found.status, found.reason) == (None, APPROXIMATE, outcomes.AMBIGUOUS)


def test_words_that_stand_often_are_where_the_place_says(book: Book) -> None:
    assert to_cfi(book(), at(3, "p[2]/text().10"), at(3, "p[2]/text().14"), "word").cfi == (
        "epubcfi(/6/6!/4/4,/1:10,/1:14)"
    )


def test_a_highlight_over_two_chapters_is_given_up_to_the_end_of_the_first(book: Book) -> None:
    text = "ends here.\nNothing to"
    found = to_cfi(book(), at(1, "p[2]/text().7"), at(2, "p[1]/text().10"), text)
    assert (found.cfi, found.status) == ("epubcfi(/6/2!/4/4,/1:7,/1:17)", REPAIRED)
    assert (found.reason, found.text) == (outcomes.CROSS_DOCUMENT, "ends here.")


def test_a_highlight_that_has_no_word_in_its_first_chapter_is_in_the_next_one(book: Book) -> None:
    found = to_cfi(book(), at(1, "p[2]/text().17"), at(2, "p[1]/text().7"), "Nothing")
    assert (found.cfi, found.status) == ("epubcfi(/6/4!/4/2,/1:0,/1:7)", EXACT)


def test_a_highlight_that_ends_where_the_next_chapter_begins_is_whole(book: Book) -> None:
    found = to_cfi(book(), at(1, "p[2]/text().7"), at(2, "p[1].0"), "ends here.")
    assert (found.cfi, found.status, found.reason) == ("epubcfi(/6/2!/4/4,/1:7,/1:17)", EXACT, "")


def test_a_part_with_other_words_than_the_highlight_is_not_sent(book: Book) -> None:
    found = to_cfi(book(), at(1, "p[2]/text().7"), at(2, "p[1]/text().10"), "begins here.\nNothing to")
    assert (found.cfi, found.status) == (None, APPROXIMATE)


def test_the_end_of_the_book_may_be_the_end_of_a_highlight(book: Book) -> None:
    found = to_cfi(book(), at(3, "p[2]/text().15"), ".1", "word")
    assert (found.cfi, found.status) == ("epubcfi(/6/6!/4/4,/1:15,/1:19)", EXACT)


def test_the_beginning_of_the_book_may_be_the_start_of_one(book: Book) -> None:
    found = to_cfi(book(), ".0", at(1, "p[1]/text().9"), "The first")
    assert (found.cfi, found.status) == ("epubcfi(/6/2!/4/2,/1:0,/1:9)", EXACT)


def test_a_place_that_begins_behind_everything_is_believed_for_its_words_only(book: Book) -> None:
    found = to_cfi(book(), ".1", at(2, "p[2]/text().53"), LONG)
    assert (found.cfi, found.status) == ("epubcfi(/6/4!/4/4,/1:0,/1:53)", REPAIRED)


def test_of_an_old_book_without_a_version_both_countings_are_tried(book: Book) -> None:
    path = book("<p>one</p>", Document(b"\x89PNG", "p.png", media_type="image/png"), "<p>behind the picture</p>")
    found = to_cfi(path, at(2, "p/text().0"), at(2, "p/text().6"), "behind", dom=None)
    assert (found.cfi, found.status) == ("epubcfi(/6/6!/4/2,/1:0,/1:6)", EXACT)


def test_words_of_a_picture_in_the_spine_are_the_engines_own(book: Book) -> None:
    path = book("<p>one</p>", Document(b"\x89PNG", "p.png", media_type="image/png"))
    found = to_cfi(path, at(2, "pre/text().0"), at(2, "pre/text().6"), "Failed")
    assert (found.status, found.reason) == (APPROXIMATE, outcomes.ENGINE_TEXT)


@pytest.mark.parametrize(
    ("pos0", "pos1", "text", "reason"),
    [
        ("nonsense", None, None, outcomes.NO_POINTER),
        (at(1, "p[1]/text().0"), "nonsense", "The", outcomes.NO_POINTER),
        ("", "", "", outcomes.NO_POINTER),
        (at(1, "p[1]/text().0"), at(1, "p[1]/text().3"), "", outcomes.NO_TEXT),
        (at(1, "p[1]/text().0"), at(1, "p[1]/text().3"), " \u00ad\n", outcomes.NO_TEXT),
        (at(1, "p[1]/text().0"), at(1, "p[1]/text().3"), None, outcomes.NO_TEXT),
        (at(9, "p[1]/text().0"), at(9, "p[1]/text().3"), "The", outcomes.NO_DOCUMENT),
        (at(3, "p[1]/text().0"), at(1, "p[1]/text().3"), "The", outcomes.NO_DOCUMENT),
        (at(1, "p[9]/text().0"), None, None, outcomes.NO_PLACE),
        (at(1, "p[1]/text().0"), at(1, "p[1]/text().3"), "Tho", outcomes.NOT_FOUND),
        (at(1, "p[1]/text().0"), at(1, "p[1]/text().3"), "x" * 100_000, outcomes.NOT_FOUND),
    ],
)
def test_what_cannot_be_sent_has_a_reason(
    book: Book, pos0: str, pos1: str | None, text: str | None, reason: str
) -> None:
    found = to_cfi(book(), pos0, pos1, text)
    assert (found.cfi, found.status, found.reason) == (None, APPROXIMATE, reason)


def test_a_bookmark_may_be_kept_as_a_range_without_extent(book: Book) -> None:
    place = at(1, "p[1]/text().4")
    assert to_cfi(book(), place, place, "").cfi == "epubcfi(/6/2!/4/2/1:4)"


def test_a_bookmark_behind_the_last_word_of_a_chapter_is_behind_it(book: Book) -> None:
    assert to_cfi(book(), at(1, "p[2]/text().17"), None, None).cfi == "epubcfi(/6/2!/4/4/1:17)"


def test_a_bookmark_in_a_chapter_of_pictures_is_that_chapter(book: Book) -> None:
    found = to_cfi(book("<p><img src='a.png' alt=''/></p>"), at(1, "p/img.0"), None, None)
    assert (found.cfi, found.status, found.reason) == ("epubcfi(/6/2!/4)", REPAIRED, outcomes.NO_TEXT)


def test_answers_come_in_the_order_of_the_questions_and_each_chapter_is_read_once(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def counted(*arguments: object) -> object:
        read.append(arguments[2].href)  # type: ignore[attr-defined]
        return open_chapter(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("device.epub.opened_book.open_chapter", counted)
    wanted = [
        Wanted(at(number, "p[1]/text().0"), at(number, "p[1]/text().3"), text)
        for number, text in [(3, "The"), (1, "The"), (2, "Not"), (3, "The"), (1, "The")]
    ]
    with Positions(book(), DOM) as opened:
        found = opened.to_cfis(wanted)
    assert [one.cfi for one in found] == [f"epubcfi(/6/{n}!/4/2,/1:0,/1:3)" for n in (6, 2, 4, 6, 2)]
    assert sorted(read) == ["c1.xhtml", "c2.xhtml", "c3.xhtml"]


def test_questions_of_several_dom_versions_may_come_together(book: Book) -> None:
    path = book("<p>one</p>", Document(b"\x89PNG", "p.png", media_type="image/png"), "<p>two</p>")
    old = Wanted(at(2, "p/text().0"), at(2, "p/text().3"), "two", 20210903)
    new = Wanted(at(3, "p/text().0"), at(3, "p/text().3"), "two", DOM)
    with Positions(path, None) as opened:
        assert [one.cfi for one in opened.to_cfis([old, new])] == ["epubcfi(/6/6!/4/2,/1:0,/1:3)"] * 2


def test_how_far_into_the_book_a_place_is_is_known_roughly(book: Book) -> None:
    with Positions(book(), DOM) as opened:
        places = [".0", at(1, "p[1]/text().0"), at(1, "p[2]/text().0"), at(2, "p[2]/text().0"), at(3, "p[1].0"), ".1"]
        fractions = [opened.fraction(place) for place in places]
        assert fractions == sorted(fraction for fraction in fractions if fraction is not None)
        assert fractions[0] == 0.0
        assert fractions[-1] == 1.0
        assert opened.fraction("nonsense") is None
        assert opened.fraction(at(9, "p.0")) is None


# --- from the web reader --------------------------------------------------------------------------------------------


def test_a_selection_on_the_web_is_spelled_as_the_book_spells_places(book: Book) -> None:
    with Positions(book(), None) as opened:
        cfi = ("epubcfi(/6/2!/4/2,/1:4,/1:9)", "first")
        old, new = opened.to_pointers([cfi], explicit_ones=False)[0], opened.to_pointers([cfi], explicit_ones=True)[0]
    assert (old.pos0, old.pos1) == (at(1, "p[1]/text().4"), at(1, "p[1]/text().9"))
    assert new.pos0 == "/body[1]/DocFragment[1]/body[1]/p[1]/text()[1].4"
    assert (old.status, old.text) == (EXACT, "first")


def test_a_book_of_one_document_has_no_number_in_old_spellings(book: Book) -> None:
    found = to_pointers(book("<p>only</p>"), "epubcfi(/6/2!/4/2,/1:0,/1:4)")
    assert found.pos0 == "/body/DocFragment/body/p/text().0"


def test_blanks_around_a_selection_do_not_matter(book: Book) -> None:
    found = to_pointers(book("<p>one</p>\n\n<p>two</p>\n"), "epubcfi(/6/2!/4,/3:0,/5:1)", "\n\ntwo\n")
    assert (found.pos0, found.pos1, found.status) == (
        "/body/DocFragment/body/p[2]/text().0",
        "/body/DocFragment/body/p[2]/text().3",
        EXACT,
    )


def test_an_end_that_has_lost_where_in_its_element_it_is_is_found_by_the_words(book: Book) -> None:
    found = to_pointers(book(), "epubcfi(/6/2!,/4/2/1:4,/4)", "first chapter has a word or two.\nAnd it")
    assert (found.pos0, found.pos1, found.status) == (at(1, "p[1]/text().4"), at(1, "p[2]/text().6"), REPAIRED)


def test_a_start_that_has_lost_it_is_found_by_the_words(book: Book) -> None:
    found = to_pointers(book(), "epubcfi(/6/2!,/4,/4/4/1:6)", "or two.\nAnd it")
    assert (found.pos0, found.pos1, found.status) == (at(1, "p[1]/text().29"), at(1, "p[2]/text().6"), REPAIRED)


def test_without_words_a_lost_end_is_not_guessed(book: Book) -> None:
    found = to_pointers(book(), "epubcfi(/6/2!,/4/2/1:4,/4)")
    assert (found.pos0, found.status) == (None, APPROXIMATE)


def test_a_bookmark_on_the_web_in_a_chapter_of_pictures_is_its_beginning(book: Book) -> None:
    path = book("<p>one</p>", "<p><img src='a.png' alt=''/></p>")
    found = to_pointers(path, "epubcfi(/6/4!/4/2/2)")
    assert (found.pos0, found.pos1, found.status) == ("/body/DocFragment[2]/body.0", None, REPAIRED)
    assert to_cfi(path, found.pos0 or "", None, None).cfi == "epubcfi(/6/4!/4)"


def test_words_that_koreader_hides_have_no_place(book: Book) -> None:
    found = to_pointers(book("<p>seen</p><p hidden='hidden'>not seen</p>"), "epubcfi(/6/2!/4/4,/1:0,/1:3)", "not")
    assert (found.pos0, found.status, found.reason) == (None, APPROXIMATE, outcomes.HIDDEN)


def test_of_words_that_are_hidden_in_part_the_seen_ones_are_the_highlight(book: Book) -> None:
    path = book("<p>one <ruby>漢<rt>kan</rt></ruby> two</p><p hidden='hidden'>three</p>")
    inner = to_pointers(path, "epubcfi(/6/2!/4/2,/1:0,/3:4)", "one 漢kan two")
    assert (inner.status, inner.text) == (EXACT, "one 漢 two")
    outer = to_pointers(path, "epubcfi(/6/2!/4,/2/3:1,/4/1:5)", "two\nthree")
    assert (outer.status, outer.reason, outer.text) == (REPAIRED, outcomes.PARTLY_HIDDEN, "two")
    assert outer.pos1 == "/body/DocFragment/body/p[1]/text()[2].4"


def test_a_text_that_the_server_has_cut_off_does_not_shorten_the_highlight(book: Book) -> None:
    text = "word " * 1_200
    found = to_pointers(book(f"<p>{text}</p>"), "epubcfi(/6/2!/4/2,/1:0,/1:5999)", text[:5_000])
    assert (found.pos1, found.status) == ("/body/DocFragment/body/p/text().5999", EXACT)
    assert found.text == text.strip()


def test_words_that_the_web_reader_hides_need_not_be_among_those_that_it_has_selected(book: Book) -> None:
    body = "<p>one <ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby> two</p><p>a <b style='display: none'>b</b> c</p>"
    found = to_pointers(book(body), "epubcfi(/6/2!/4/2,/1:0,/3:4)", "one 漢kan two")
    assert (found.status, found.text) == (EXACT, "one 漢 two")
    assert found.pos1 is not None
    assert found.pos1.endswith("/p[1]/text()[2].4")
    assert to_pointers(book(body), "epubcfi(/6/2!/4/4,/1:0,/3:2)", "a c").status == EXACT


@pytest.mark.parametrize(
    ("cfi", "text", "written", "status"),
    [
        ("epubcfi(/6/2!/4/2,/1:4,/1:17)", "FIRST CHAPTER", "first chapter", EXACT),
        ("epubcfi(/6/2!/4,/2/1:0,/4)", "THE FIRST CHAPTER HAS A WORD OR TWO.\n", CHAPTERS[0][3:39], EXACT),
        ("epubcfi(/6/2!/4/2,/1:2,/1:15)", "FIRST CHAPTER", "first chapter", REPAIRED),
        ("epubcfi(/6/2!/4/6,/1:0,/1:7)", "STRASSE,", "Straße,", EXACT),
    ],
)
def test_words_that_a_stylesheet_shows_in_other_letters_are_those_of_the_book(
    book: Book, cfi: str, text: str, written: str, status: str
) -> None:
    found = to_pointers(book(CHAPTERS[0] + "<p>Straße, drei</p>"), cfi, text)
    assert (found.text, found.status) == (written, status)


def test_other_words_than_the_book_has_are_not_placed(book: Book) -> None:
    found = to_pointers(book(), "epubcfi(/6/2!/4/2,/1:4,/1:9)", "quite other words")
    assert (found.pos0, found.status, found.reason) == (None, APPROXIMATE, outcomes.NOT_FOUND)


def test_short_words_are_not_placed_far_from_where_they_were(book: Book) -> None:
    path = book(f"<p>start</p><p>{'x ' * 3_000}</p><p>22</p>")
    found = to_pointers(path, "epubcfi(/6/2!/4/2,/1:0,/1:2)", "22")
    assert (found.pos0, found.status) == (None, APPROXIMATE)


@pytest.mark.parametrize(
    ("cfi", "reason"),
    [
        ("nonsense", outcomes.NO_CFI),
        ("epubcfi(/8/2!/4/2/1:0)", outcomes.NO_DOCUMENT),
        ("epubcfi(/6/20!/4/2/1:0)", outcomes.NO_DOCUMENT),
        ("epubcfi(/6/2!/4/2/1:4000)", outcomes.NO_PLACE),
        ("epubcfi(/6/2!/4/2/9:0)", outcomes.NO_PLACE),
        ("epubcfi(/6/2!/4/2,/1:0,/1:4000)", outcomes.NO_PLACE),
    ],
)
def test_a_cfi_that_leads_nowhere_has_a_reason(book: Book, cfi: str, reason: str) -> None:
    found = to_pointers(book(), cfi)
    assert (found.pos0, found.status, found.reason) == (None, APPROXIMATE, reason)


def test_a_cfi_that_the_web_reader_cannot_follow_is_found_by_long_words(book: Book) -> None:
    found = to_pointers(book(), "epubcfi(/6/4!/4/40,/1:0,/1:4000)", LONG)
    assert (found.pos0, found.status) == (at(2, "p[2]/text().0"), REPAIRED)


# --- whatever comes -------------------------------------------------------------------------------------------------

BITS = st.sampled_from(
    [
        *(
            "alpha ",
            "beta",
            "gamma 42 ",
            "\n",
            "  ",
            "\U0001f600",
            "é",
            "\u00ad",
            "&amp;",
            "&nbsp;",
            "&mdash;",
            " & ",
            "&x;",
        ),
        *(
            "<p>",
            "</p>",
            "<b>",
            "</b>",
            "<i id='x'>",
            "</i>",
            "<div>",
            "</div>",
            "<br/>",
            "<br>",
            "<p/>",
            "<ruby>漢<rt>",
        ),
        *(
            "</rt></ruby>",
            "<table><tr><td>",
            "</td></tr></table>",
            "<pre>\n",
            "</pre>",
            "<!-- c -->",
            "<![CDATA[<x>]]>",
        ),
        *("<?pi x?>", "<svg>", "</svg>", "<math><mi>x</mi>", "</math>", "<p hidden=''>", "<a title='>'>", "</a>", "\t"),
    ]
)


@settings(deadline=None, max_examples=150)
@given(st.lists(BITS, min_size=1, max_size=30), st.integers(0, 99), st.integers(1, 40))
def test_any_words_of_any_chapter_are_placed_where_they_are_or_not_at_all(
    tmp_path_factory: pytest.TempPathFactory, bits: list[str], begin: int, length: int
) -> None:
    path = str(write(tmp_path_factory.getbasetemp() / "any.epub", chapters(["".join(bits)])))
    with Positions(path, DOM) as opened:
        book = OpenedBook(path, DOM)
        chapter = book.chapter(book.spine.items[0], DOM)
        book.close()
        if begin >= len(chapter.words):
            return
        end = min(len(chapter.words), begin + length)
        first, last = chapter.pointer_at(begin, False), chapter.pointer_at(end - 1, True)
        assert first is not None
        assert last is not None
        words = chapter.words[begin:end]
        found = opened.to_cfis([Wanted(written(first[1], True), written(last[1], True), words)])[0]
        if found.status == APPROXIMATE:
            return
        back = opened.to_pointers([(found.cfi or "", found.text)], explicit_ones=True)[0]
        if back.status != APPROXIMATE:
            assert (back.pos0, back.pos1) == (written(first[1], True), written(last[1], True))


STEPS = st.sampled_from(["p", "p[1]", "p[2]", "p[9]", "div", "text()", "text()[2]", "autoBoxing", "x", "", "[", "body"])
POINTERS = st.one_of(
    st.builds(
        lambda fragment, steps, offset: f"/body/DocFragment[{fragment}]/body/{'/'.join(steps)}{offset}",
        st.integers(0, 5),
        st.lists(STEPS, max_size=4),
        st.sampled_from(["", ".0", ".3", ".99999", ".-1", "."]),
    ),
    st.sampled_from([".0", ".1", "", "/body"]),
    st.text(max_size=20),
)
TEXTS = st.none() | st.sampled_from(["The", "word", "chapter", LONG, "ends here.\nNothing", "e"]) | st.text(max_size=9)
CFIS = st.one_of(
    st.builds(
        lambda item, steps, start, end: f"epubcfi(/6/{item}!{steps},{start},{end})",
        st.integers(0, 9),
        st.sampled_from(["", "/4", "/4/2", "/4/4", "/2", "/0", "/6"]),
        st.sampled_from(["", "/1:0", "/1:7", "/2/1:3", "/3:1", "/2", "/1:999"]),
        st.sampled_from(["", "/1:3", "/1:17", "/4/1:3", "/3:1", "/4", "/1:999"]),
    ),
    st.text(max_size=20),
)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(POINTERS, st.none() | POINTERS, TEXTS), max_size=4))
def test_whatever_is_asked_only_words_that_were_found_are_placed(
    three: str, asked: list[tuple[str, str | None, str | None]]
) -> None:
    with Positions(three, None) as opened:
        found = opened.to_cfis([Wanted(*one) for one in asked])
        for (_, pos1, text), one in zip(asked, found, strict=True):
            assert (one.cfi is None) == (one.status == APPROXIMATE)
            if one.cfi is not None and pos1 is not None and text and one.text is not None:
                seen, words = "".join(one.text.split()), "".join(text.split())
                assert seen == words or (one.reason == outcomes.CROSS_DOCUMENT and words.startswith(seen))


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(CFIS, TEXTS), max_size=4))
def test_whatever_comes_from_the_web_only_places_that_exist_are_given(
    three: str, asked: list[tuple[str, str | None]]
) -> None:
    with Positions(three, DOM) as opened:
        for one in opened.to_pointers(asked, explicit_ones=False):
            assert (one.pos0 is None) == (one.status == APPROXIMATE)
            if one.pos0 is not None:
                assert opened.to_cfis([Wanted(one.pos0, one.pos1, one.text)])[0].status == EXACT
