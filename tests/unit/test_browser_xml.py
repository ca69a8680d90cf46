"""XHTML as a browser reads it: strictly, with every character's place in the source."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.epub import browser_xml
from device.epub.browser_dom import XHTML, read_item
from device.epub.browser_nodes import TooComplex

PAGE = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>t</title></head><body>%s</body></html>'
XHTML_11 = '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">'


def texts(source: str, in_chromium: bool = False) -> dict[str, str]:
    """The text of the body's pieces by their paths."""
    item = read_item(source, XHTML, in_chromium)
    found = {"".join([f"/{number}" for number, _ in steps]) + f"/{chunk}": text for steps, chunk, text in item.chunks()}
    return {path.removeprefix("/4"): text for path, text in found.items() if path.startswith("/4/")}


def is_xml(source: str) -> bool:
    return browser_xml.read(source) is not None


def test_pieces_of_text_are_numbered_between_the_elements() -> None:
    assert texts(PAGE % "a<i>b</i>c<br/><br/>d") == {"/1": "a", "/2/1": "b", "/3": "c", "/7": "d"}


def test_comments_instructions_and_cdata_do_not_part_a_piece() -> None:
    assert texts(PAGE % "a&amp;b<!-- c -->d<![CDATA[x<y]]><?e f?>z") == {"/1": "a&bdx<yz"}


def test_line_ends_are_one_character_however_they_are_written() -> None:
    assert texts(PAGE % "a\r\nb\rc&#13;&#10;d&#13;e") == {"/1": "a\nb\nc\nd\ne"}


def test_what_a_template_holds_is_no_part_of_the_document() -> None:
    assert texts(PAGE % "<template>a<p>b</p></template>c") == {"/3": "c"}


@pytest.mark.parametrize(
    "source",
    [
        PAGE % "<p>a<p>b",
        PAGE % "a & b",
        PAGE % "a]]>b",
        PAGE % "&#0;",
        PAGE % "\x01",
        PAGE % "<p a='1' a='2'/>",
        PAGE % "<p xmlns:a='u' xmlns:b='u' a:x='1' b:x='2'/>",
        PAGE % "<epub:switch/>",
        PAGE % "<p epub:type='x'/>",
        PAGE % "<svg><image xlink:href='x'/></svg>",
        PAGE % "a" + "junk",
        "\n" + '<?xml version="1.0"?>' + PAGE % "a",
        "<html><body>a</body></html>",
        PAGE % "<parsererror/>",
        "",
        "a",
    ],
)
def test_what_a_browser_takes_for_no_xml_is_none(source: str) -> None:
    assert not is_xml(source)


@pytest.mark.parametrize(
    "source",
    [
        PAGE % "a" + "\n<!-- b -->\n",
        "\n" + PAGE % "a",
        '<?xml version="1.0" encoding="utf-16"?>' + PAGE % "a",
        PAGE % "<p xml:lang='en'>a</p>",
        '<package xmlns="x">a</package>',
    ],
)
def test_what_a_browser_takes_for_xml_is_so(source: str) -> None:
    assert is_xml(source)


def test_names_of_characters_count_under_the_document_types_that_browsers_know() -> None:
    assert texts(XHTML_11 + PAGE % "a&nbsp;b&NotEqualTilde;c") == {"/1": "a\xa0b\u2242\u0338c"}
    assert is_xml(XHTML_11 + PAGE % "<p title='&nbsp;'/>")


@pytest.mark.parametrize(
    "source",
    [
        "<!DOCTYPE html>" + PAGE % "&nbsp;",
        '<!DOCTYPE html SYSTEM "about:legacy-compat">' + PAGE % "&nbsp;",
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML Basic 1.1//EN" "x">' + PAGE % "&nbsp;",
        XHTML_11 + PAGE % "&nosuch;",
        XHTML_11 + PAGE % "<p title='&nosuch;'/>",
        XHTML_11 + PAGE % "<!-- & --><p title='&nosuch;'/>",
    ],
)
def test_elsewhere_and_unknown_ones_are_errors(source: str) -> None:
    assert not is_xml(source)


def test_an_unknown_name_in_a_comment_or_in_cdata_is_none() -> None:
    assert is_xml(XHTML_11 + PAGE % "<!-- &nosuch; --><![CDATA[ &nosuch; ]]><p title='&nbsp;'/>")


def test_entities_that_the_document_declares_are_expanded() -> None:
    subset = '<!DOCTYPE html [<!ENTITY a "b &amp; <i>c</i>d"><!ENTITY e "[&a;]">]>'
    assert texts(subset + PAGE % "x&e;y") == {"/1": "x[b & ", "/2/1": "c", "/3": "d]y"}


def test_nothing_is_fetched() -> None:
    outside = '<!DOCTYPE html [<!ENTITY a SYSTEM "http://127.0.0.1:9/a">]>'
    assert texts(outside + PAGE % "x&a;y") == {"/1": "xy"}


def bomb(inner: str) -> str:
    names = "abcdefghij"
    entities = "".join(f'<!ENTITY {name} "{f"&{below};" * 10}">' for below, name in itertools.pairwise(names))
    return f'<!DOCTYPE html [<!ENTITY a "{inner}">{entities}]>' + PAGE % "&j;"


@pytest.mark.parametrize("inner", ["x", "x" * 1000])
def test_entities_that_grow_without_end_are_given_up(inner: str) -> None:
    with pytest.raises(TooComplex):
        is_xml(bomb(inner))


def test_entities_that_grow_without_end_to_nothing_are_no_xml() -> None:
    assert not is_xml(bomb(""))


def test_nesting_beyond_what_a_browser_takes_is_no_xml() -> None:
    assert is_xml(PAGE % ("<i>" * 4_900 + "</i>" * 4_900))
    assert not is_xml(PAGE % ("<i>" * 5_100 + "</i>" * 5_100))


def test_more_elements_than_the_device_should_hold_are_refused() -> None:
    with pytest.raises(TooComplex):
        browser_xml.read(PAGE % ("<i/>" * 400_001))


def test_chromium_takes_each_byte_for_a_character_where_a_one_byte_encoding_is_declared() -> None:
    source = '<?xml version="1.0" encoding="iso-8859-1"?>' + PAGE % "é–x"
    assert texts(source, in_chromium=True) == {"/1": "Ã©â€“x"}
    assert texts(source) == {"/1": "é–x"}
    place = read_item(source, XHTML, in_chromium=True).place_of(source.rindex("x<"))
    assert place is not None
    assert place.offset == 5


MARKUP = st.lists(
    st.sampled_from(
        [
            "<p>",
            "</p>",
            "<i id='a'/>",
            "x",
            " ",
            "é",
            "😀",
            "&amp;",
            "&#10;",
            "\r\n",
            "<!--c-->",
            "<![CDATA[",
            "]]>",
            "<?p?>",
        ]
    )
).map("".join)


@given(st.text() | MARKUP.map(lambda inner: PAGE % inner) | MARKUP.map(lambda inner: XHTML_11 + PAGE % inner))
def test_any_text_is_a_document_or_none(source: str) -> None:
    nodes = browser_xml.read(source)
    if nodes is not None:
        assert len(nodes.kinds) == len(nodes.parents) == len(nodes.begins) == len(nodes.ends)
        assert all(begins <= ends for begins, ends in zip(nodes.begins, nodes.ends, strict=True))
