"""Places in the web reader's document: from the source and back, and what the reader's library makes of a CFI.

What is expected of `resolve` was measured with foliate-js 1.0.1 in Chromium.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.epub import browser_dom, cfi
from device.epub.browser_dom import HTML, SVG, XHTML, BrowserItem, read_item
from device.epub.browser_nodes import TooComplex
from device.epub.cfi import Point

CHAPTER = (
    '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>t</title></head>'
    '<body id="b"><p id="one">a&amp;b😀c<i>d</i>e<!-- f -->g</p><p/><p id="two"><b>h</b><b>i</b></p></body></html>'
)


@pytest.fixture
def item() -> BrowserItem:
    return read_item(CHAPTER, XHTML)


def place(item: BrowserItem, words: str) -> str:
    return repr(item.place_of(CHAPTER.index(words)))


def resolved(item: BrowserItem, start: str, end: str | None = None) -> str | None:
    """The text of the range that a CFI selects; None if the reader throws."""
    text = f"epubcfi(/6/4!{start})" if end is None else f"epubcfi(/6/4!,{start},{end})"
    parsed = cfi.parse(text)
    span = item.resolve(parsed.start, parsed.end)
    return None if span is None else item.text_of(*span)


def test_a_place_is_the_path_the_piece_of_text_and_the_offset_in_it(item: BrowserItem) -> None:
    found = item.place_of(CHAPTER.index("d</i>"))
    assert found is not None
    assert found.steps == ((4, "b"), (2, "one"), (2, ""))
    assert (found.chunk, found.offset, found.units) == (1, 0, 1)


def test_offsets_count_what_the_source_spells_otherwise_as_it_is_read(item: BrowserItem) -> None:
    assert place(item, "&amp;") == "/4/2/1:1+1"
    assert place(item, "b😀") == "/4/2/1:2+1"


def test_offsets_count_utf_16_units(item: BrowserItem) -> None:
    assert place(item, "😀") == "/4/2/1:3+2"
    assert place(item, "c<i>") == "/4/2/1:5+1"


def test_a_comment_does_not_begin_a_new_piece(item: BrowserItem) -> None:
    assert place(item, "g</p>") == "/4/2/3:1+1"


@pytest.mark.parametrize("words", ["<p id", "p id", "amp;", "-- f", "</body>"])
def test_what_is_no_text_has_no_place(item: BrowserItem, words: str) -> None:
    assert place(item, words) == "None"


def test_before_the_source_and_behind_it_there_is_no_place(item: BrowserItem) -> None:
    assert item.place_of(0) is None
    assert item.place_of(len(CHAPTER)) is None


@pytest.mark.parametrize(
    ("steps", "offset", "words"),
    [
        ((4, 2, 1), 0, "a&amp;"),
        ((4, 2, 1), 2, "b😀"),
        ((4, 2, 1), 4, "c<i>"),  # within the pair of units
        ((4, 2, 1), 6, "d</i>"),  # behind the last character
        ((4, 2), None, "a&amp;"),
        ((4, 4), None, "h</b>"),
        ((4, 6, 4), None, "i</b>"),
        ((4, 6, 0), None, "h</b>"),
        ((4, 2, 4), None, "h</b>"),
        ((4, 2), 2, "e<!--"),
    ],
)
def test_a_place_is_found_in_the_source(item: BrowserItem, steps: tuple[int, ...], offset: int, words: str) -> None:
    assert item.source_at(steps, offset) == CHAPTER.index(words)


def test_behind_all_text_is_the_end_of_the_source(item: BrowserItem) -> None:
    assert item.source_at((4, 8), None) == len(CHAPTER)
    assert item.source_at((4, 6, 4, 1), 1) == len(CHAPTER)


@pytest.mark.parametrize(
    ("steps", "offset"),
    [((4, 2, 1), 7), ((4, 2, 3), None), ((4, 3), 0), ((4, 4, 1), 0), ((9,), None), ((4, 2, 1, 2), 0)],
)
def test_where_the_reader_throws_there_is_no_place(item: BrowserItem, steps: tuple[int, ...], offset: int) -> None:
    assert item.source_at(steps, offset) is None


def test_a_range_gives_the_text_that_the_reader_selects(item: BrowserItem) -> None:
    assert resolved(item, "/4/2/1:1", "/4/2/3:2") == "&b😀cdeg"
    assert resolved(item, "/4/2/1:3", "/4/6/2/1:1") == "😀cdegh"


def test_a_point_selects_nothing(item: BrowserItem) -> None:
    assert resolved(item, "/4/2/1:1") == ""


def test_an_end_before_its_start_selects_nothing(item: BrowserItem) -> None:
    assert resolved(item, "/4/2/3:1", "/4/2/1:0") == ""


def test_an_id_on_the_last_step_wins_over_the_path_and_the_offset(item: BrowserItem) -> None:
    assert resolved(item, "/4/2/1:0", "/4/98[two]:7") == "a&b😀cdeg"
    assert resolved(item, "/4/2/1:0", "/4/6[nosuch]") == "a&b😀cdeg"


def test_ids_before_the_last_step_are_passed_over(item: BrowserItem) -> None:
    assert resolved(item, "/4[two]/2[nosuch]/1:0", "/4/2/1:1") == "a"


def test_half_a_character_is_none(item: BrowserItem) -> None:
    assert resolved(item, "/4/2/1:4", "/4/2/1:6") == "c"


def test_a_piece_of_several_texts_wants_an_offset_and_one_of_a_single_text_does_not(item: BrowserItem) -> None:
    assert resolved(item, "/4/2/1", "/4/2/1:1") == "a"
    assert resolved(item, "/4/2/3", "/4/2/3:1") is None


def test_every_character_has_a_place_that_leads_back_to_it() -> None:
    source = "<table>a<b>b<tr><td>c😀</b>d&eacute;&nvlt;<p>e</table>f\r\ng"
    page = read_item(source, HTML)
    assert page.is_html
    for words in ("a<b", "b<tr", "c😀", "😀", "d&ea", "&eacute;", "&nvlt;", "e</t", "f\r", "\r\n", "g"):
        found = page.place_of(source.index(words))
        assert found is not None, words
        steps = (*[number for number, _ in found.steps], found.chunk)
        assert page.source_at(steps, found.offset) == source.index(words)


def test_a_name_of_two_characters_takes_two_units() -> None:
    found = read_item("&nvlt;", HTML).place_of(0)
    assert found is not None
    assert found.units == 2


def test_text_put_before_its_table_is_found_in_the_order_of_the_document() -> None:
    page = read_item("<table><td>a</td>b</table>c", HTML)
    assert [text for _, _, text in page.chunks()] == ["b", "a", "c"]
    assert page.text_of(0, page.length()) == "bac"


def test_of_equal_ids_the_first_counts() -> None:
    page = read_item("<p>a<i id=x>b</i><i id=x>c</i></p>", HTML)
    assert resolved(page, "/4/2/1:0", "/4/8[x]") == "a"


def test_a_picture_that_is_no_xml_is_refused() -> None:
    assert read_item('<svg xmlns="http://www.w3.org/2000/svg"><text>a</text></svg>', SVG).length() == 1
    with pytest.raises(TooComplex):
        read_item("<svg><text>a</svg>", SVG)


def test_a_chapter_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser_dom, "SOURCE_MOST_CHARS", 100)
    with pytest.raises(TooComplex, match="too long"):
        read_item(CHAPTER, XHTML)


STEPS = st.lists(st.integers(0, 9), max_size=5).map(tuple)
INNER = st.recursive(
    st.sampled_from(["a", "b c", "é", "😀", "&amp;", "<!--c-->", "<![CDATA[<]]>", "<?p?>", "\n", "<br/>"]),
    lambda inner: st.lists(inner, max_size=4).map(lambda parts: f"<i>{''.join(parts)}</i>{''.join(parts[:1])}"),
    max_leaves=20,
)


@given(INNER)
def test_every_place_leads_to_its_character_and_back(inner: str) -> None:
    source = f'<html xmlns="http://www.w3.org/1999/xhtml"><body><p>{inner}</p></body></html>'
    item = read_item(source, XHTML)
    assert not item.is_html
    units = 0
    for offset, char in enumerate(source):
        found = item.place_of(offset)
        if found is None:
            continue
        steps = (*found.steps, (found.chunk, ""))
        span = item.resolve(Point(steps, found.offset), Point(steps, found.offset + found.units))
        assert span == (units, units + found.units)
        assert char == "&" or item.text_of(*span) == char
        assert item.source_of(units) == offset
        units += found.units
    assert units == item.length()


@given(INNER, STEPS, st.none() | st.integers(0, 5), st.sampled_from([XHTML, HTML]))
def test_any_path_leads_somewhere_or_nowhere(
    inner: str, steps: tuple[int, ...], offset: int | None, media_type: str
) -> None:
    source = f'<html xmlns="http://www.w3.org/1999/xhtml"><body><p>{inner}</p></body></html>'
    item = read_item(source, media_type)
    found = item.source_at((4, 2, *steps), offset)
    assert found is None or 0 <= found <= len(source)
