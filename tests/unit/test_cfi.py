"""EPUB CFIs are read as the law has it and written as the web reader writes them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.epub import cfi
from device.epub.cfi import Cfi, Invalid, Point


def bare(*numbers: int) -> tuple[tuple[int, str], ...]:
    return tuple((number, "") for number in numbers)


def test_a_place_in_a_text_is_steps_and_an_offset() -> None:
    found = cfi.parse("epubcfi(/6/4[ch1]!/4/10[id]/3:5)")
    assert found == Cfi(((6, ""), (4, "ch1")), Point(((4, ""), (10, "id"), (3, "")), 5), None)


def test_a_range_is_the_common_path_and_two_ends() -> None:
    found = cfi.parse("epubcfi(/6/4!/4/2,/1:3,/4[b]/1:7)")
    assert found.start == Point(bare(4, 2, 1), 3)
    assert found.end == Point(((4, ""), (2, ""), (4, "b"), (1, "")), 7)


def test_an_end_of_a_range_may_be_the_common_path_itself() -> None:
    found = cfi.parse("epubcfi(/8/12!/4,,/2/1:10)")
    assert found.start == Point(bare(4), None)


def test_a_range_around_a_whole_element_is_no_place() -> None:
    assert cfi.parse("epubcfi(/6/4!/4/2,,)").end is not None


def test_the_common_path_may_end_at_the_document() -> None:
    found = cfi.parse("epubcfi(/6/6!,/4/6/1:23,/4)")
    assert (found.package, found.start.steps) == (bare(6, 6), bare(4, 6, 1))


def test_what_is_escaped_in_an_id_is_part_of_it() -> None:
    found = cfi.parse("epubcfi(/6/4!/4/2[a^]b^,c^^^;s^=a]/1:0)")
    assert found.start.steps[1] == (2, "a]b,c^;s=a")


def test_an_id_with_brackets_and_commas_is_escaped() -> None:
    point = Point(((4, ""), (2, "a]b,c"), (1, "")), 0)
    assert cfi.format_point(bare(6, 2), point) == "epubcfi(/6/2!/4/2[a^]b^,c]/1:0)"


@pytest.mark.parametrize("text", ["epubcfi(/6/4!/4/2/1:5[;s=b])", "epubcfi(/6/4!/4/2/1:5[words;s=b])"])
def test_the_side_of_a_place_is_read(text: str) -> None:
    assert cfi.parse(text).start.side == "b"


def test_the_side_may_stand_behind_an_id() -> None:
    found = cfi.parse("epubcfi(/6/4!/4/2[p1;s=a])").start
    assert (found.steps[-1], found.side) == ((2, "p1"), "a")


def test_other_parameters_are_passed_over() -> None:
    found = cfi.parse("epubcfi(/6/4!/4/2[p1;vnd.x=^]^,1;s=a]/1:0)")
    assert found.start.steps == ((4, ""), (2, "p1"), (1, ""))


def test_the_words_around_a_place_are_read() -> None:
    assert cfi.parse("epubcfi(/6/4!/4/2/1:3[xx,y^,z])").start.text == ("xx", "y,z")


def test_words_may_stand_at_a_text_without_an_offset() -> None:
    found = cfi.parse("epubcfi(/6/4!/4/2/1[;s=a])").start
    assert (found.steps[-1], found.text, found.side) == ((1, ""), (), "a")


@pytest.mark.parametrize("end", ["~23.5", "@5.75:97.6", "~23.5@50:75.3", "~2[;s=a]"])
def test_times_and_points_in_pictures_are_passed_over(end: str) -> None:
    assert cfi.parse(f"epubcfi(/6/4!/4/2/4{end})").start.steps == bare(4, 2, 4)


def test_blanks_around_it_do_not_matter() -> None:
    assert cfi.parse(" epubcfi(/6/4!/4/2) \n") == cfi.parse("epubcfi(/6/4!/4/2)")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "epubcfi()",
        "/6/4!/4/2/1:0",
        "epubcfi(/6/4!/4/2/1:0",
        "epubcfi(/6/4)",
        "epubcfi(/6/4!)",
        "epubcfi(!/4/2)",
        "epubcfi(/6/4!/4/x)",
        "epubcfi(/6/4!/4/-2)",
        "epubcfi(/6/4!/4/2/1:)",
        "epubcfi(/6/4!/4/1234567890)",
        "epubcfi(/6/4!/4/2[open)",
        "epubcfi(/6/4!/4/2[open^])",
        "epubcfi(/6/4!/4/2/1:5 or so)",
        "epubcfi(/6/4!/4/2,/1:0)",
        "epubcfi(/6/4!/4/2,/1:0,/1:2,/1:4)",
        "epubcfi(/6/4!/4/2!/6/1:0)",
        "epubcfi(/6,/2!/4/4/1:0,/4!/4/4/1:5)",
        "epubcfi(,/6/2!/4/4/1:0,/6/4!/4/4/1:5)",
        "epubcfi(/6/4!/4" + "/2" * 500 + ")",
    ],
)
def test_what_is_no_place_in_one_document_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        cfi.parse(text)


def test_a_range_is_written_with_the_longest_common_path() -> None:
    start, end = Point(((4, ""), (2, "c"), (6, "p"), (1, "")), 5), Point(((4, ""), (2, "c"), (8, ""), (1, "")), 2)
    assert cfi.format_range(((6, ""), (4, "i")), start, end) == "epubcfi(/6/4[i]!/4/2[c],/6[p]/1:5,/8/1:2)"


def test_within_one_text_the_text_belongs_to_both_ends() -> None:
    start, end = Point(bare(4, 2, 1), 0), Point(bare(4, 2, 1), 9)
    assert cfi.format_range(bare(6, 4), start, end) == "epubcfi(/6/4!/4/2,/1:0,/1:9)"


def test_a_range_that_ends_where_it_begins_is_written_as_a_place() -> None:
    place = Point(bare(4, 2, 1), 1)
    assert cfi.format_range(bare(6, 4), place, place) == "epubcfi(/6/4!/4/2/1:1)"


def test_an_element_gets_no_offset() -> None:
    assert cfi.format_point(bare(6, 4), Point(bare(4, 2), 1)) == "epubcfi(/6/4!/4/2)"


def test_what_would_be_too_long_for_the_server_goes_without_ids() -> None:
    point = Point(((4, "x" * 600), (2, "y" * 600), (1, "")), 7)
    assert cfi.format_point(bare(6, 4), point) == "epubcfi(/6/4!/4/2/1:7)"


def test_what_is_too_long_even_without_ids_is_not_written() -> None:
    deep = bare(*[2] * 600)
    assert cfi.format_point(bare(6, 4), Point((*deep, (1, "")), 0)) is None
    assert cfi.format_range(bare(6, 4), Point((*deep, (1, "")), 0), Point((*deep, (1, "")), 1)) is None


def test_two_spellings_of_one_range_compare_as_the_same() -> None:
    spelled = "epubcfi(/6[spine]/4[ch1]!,/4/2[p]/1:0,/4/2[p]/1:9[;s=b])"
    assert cfi.normal_form(spelled) == cfi.normal_form("epubcfi(/6/4!/4/2,/1:0,/1:9)")


def test_what_cannot_be_read_compares_as_it_is() -> None:
    assert cfi.normal_form("somewhere") == "somewhere"


def test_places_are_sorted_as_they_follow_one_another() -> None:
    places = [
        "epubcfi(/6/4!/4/2/1:9)",
        "epubcfi(/6/4!/4/2,/1:9,/1:10)",
        "epubcfi(/6/4!/4/2/1:10)",
        "epubcfi(/6/4!/4/2/3:0)",
        "epubcfi(/6/4!/4/10/1:0)",
        "epubcfi(/6/10!/4/2/1:0)",
    ]
    keys = [cfi.order(cfi.parse(text)) for text in places]
    assert all(first < second for first, second in pairwise(keys))


ids = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(str.strip)
elements = st.tuples(st.integers(0, 500).map(lambda number: 2 * number), ids)
texts = st.integers(0, 500).map(lambda number: (2 * number + 1, ""))
sides = st.sampled_from(["", "a", "b"])
words = st.lists(ids.filter(bool), max_size=2).map(tuple)
paths = st.lists(elements, min_size=1, max_size=5).map(tuple)


@st.composite
def points(draw: st.DrawFn) -> Point:
    steps = draw(st.lists(elements, max_size=8).map(tuple))
    if draw(st.booleans()) or not steps:
        return Point((*steps, draw(texts)), draw(st.integers(0, 99_999)), draw(sides), draw(words))
    return Point(steps, None, draw(sides))


@given(paths, points())
def test_a_place_is_read_back_as_it_was_written(package: tuple[tuple[int, str], ...], point: Point) -> None:
    text = cfi.format_point(package, point)
    assert text is None or cfi.parse(text) == Cfi(package, point, None)


@given(paths, points(), points())
def test_a_range_is_read_back_as_it_was_written(package: tuple[tuple[int, str], ...], start: Point, end: Point) -> None:
    text = cfi.format_range(package, start, end)
    found = cfi.parse(text or "")
    same_numbers = [number for number, _ in start.steps] == [number for number, _ in end.steps]
    if same_numbers and start.offset == end.offset:
        assert found == Cfi(package, start, None)
    else:
        assert [number for number, _ in found.start.steps] == [number for number, _ in start.steps]
        assert found.end is not None
        assert [number for number, _ in found.end.steps] == [number for number, _ in end.steps]
        assert (found.start.offset, found.end.offset) == (start.offset, end.offset)


@given(st.text(st.sampled_from("/0123456789!,:~@.[];=^sab() é"), max_size=60))
def test_whatever_is_read_is_written_in_a_form_that_stays(inner: str) -> None:
    try:
        found = cfi.parse(f"epubcfi({inner})")
    except Invalid:
        return
    text = cfi.formatted(found)
    assert text is not None
    assert cfi.formatted(cfi.parse(text)) == text


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        cfi.parse(text)
    except Invalid as problem:
        assert str(problem)
