"""HTML as the web reader's browser has it, after reading it twice. What is expected was measured in Chromium."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from device.epub import html5_tree
from device.epub.browser_dom import HTML, XHTML, read_item
from device.epub.browser_nodes import Nodes, TooComplex
from device.epub.cfi import Point
from device.epub.html5_again import Again
from device.epub.html5_builder import BEFORE_HTML, Builder
from device.epub.html5_entities import named, reference
from device.epub.html5_tokens import Tokens

MEASURED = {
    "an end tag that is missing": (
        "<p>one<p>two<ul><li>a<li>b</ul>",
        {"/4/2/1": "one", "/4/4/1": "two", "/4/6/2/1": "a", "/4/6/4/1": "b"},
    ),
    "elements that XHTML closes in their own tag stay open": (
        "<p>a</p><div/>b<p>c</p>",
        {"/4/2/1": "a", "/4/4/1": "b", "/4/4/2/1": "c"},
    ),
    "misnested formatting goes on behind the block": (
        "<p>a<b>b<i>c</b>d</i>e</p>",
        {"/4/2/1": "a", "/4/2/2/1": "b", "/4/2/2/2/1": "c", "/4/2/4/1": "d", "/4/2/5": "e"},
    ),
    "a block within formatting is taken out of it": (
        "<a>a<div>b</a>c</div>d",
        {"/4/2/1": "a", "/4/4/2/1": "b", "/4/4/3": "c", "/4/5": "d"},
    ),
    "formatting that is a custom element is not taken up again": (
        "<p><b is=q>x</p>y<b is>z<p>v</b>w",
        {"/4/2/2/1": "x", "/4/3": "y", "/4/4/1": "z", "/4/4/2/1": "vw"},
    ),
    "a link ends the one before": (
        "<p><a id='x'/>a<a id='y'/>b</p>c",
        {"/4/2/2/1": "a", "/4/2/4/1": "b", "/4/4/1": "c"},
    ),
    "text that does not belong into a table comes before it": (
        "<table>a<tr><td>b</td>c</tr></table>d",
        {"/4/1": "ac", "/4/2/2/2/2/1": "b", "/4/3": "d"},
    ),
    "a table has a body": ("<table><tr><td>a<td>b</table>", {"/4/2/2/2/2/1": "a", "/4/2/2/2/4/1": "b"}),
    "text behind the body belongs to it": ("<body>a</body></html>b", {"/4/1": "ab"}),
    "text before anything else is in the body": (" a<!--c-->b", {"/4/1": "ab"}),
    "SVG ends at a paragraph": ("<svg><g><text>a</text><p>b</svg>c", {"/4/2/2/2/1": "a", "/4/4/1": "bc"}),
    "CDATA is text in SVG and a comment elsewhere": (
        "<svg><text>a<![CDATA[<b]]></text></svg><p>c<![CDATA[d]]>e",
        {"/4/2/2/1": "a<b", "/4/4/1": "ce"},
    ),
    "a form within a form is none": ("<form>a<form>b</form>c</form>d", {"/4/2/1": "ab", "/4/3": "cd"}),
    "headings do not nest": ("<h1>a<h2>b</h1>c", {"/4/2/1": "a", "/4/4/1": "b", "/4/5": "c"}),
    "what stands above words": (
        "<ruby>a<rt>b<rp>c</ruby>d",
        {"/4/2/1": "a", "/4/2/2/1": "b", "/4/2/4/1": "c", "/4/3": "d"},
    ),
    "entities without a semicolon": (
        "<p>a&ampb&copy;c&notit;d&nosuch;e&#x80;f&#0;g",
        {"/4/2/1": "a&b©c¬it;d&nosuch;e€f�g"},
    ),
    "line ends are one character": ("a\r\nb\rc&#13;d", {"/4/1": "a\nb\nc\nd"}),
    "the first line end in pre is lost at each reading": ("<pre>\n\n\na</pre>", {"/4/2/1": "\na"}),
    "an unclosed comment takes the rest": ("a<!-- b <p>c", {"/4/1": "a"}),
    "a script's text is written out": (
        "a<script>if (b < c) d</script>e",
        {"/4/1": "a", "/4/2/1": "if (b &lt; c) d", "/4/3": "e"},
    ),
    "what is for readers without scripts is text": (
        "a<noscript>b &lt;</noscript>c",
        {"/4/1": "a", "/4/2/1": "b &lt;", "/4/3": "c"},
    ),
    "a template is no part": ("a<template>b<p>c</template>d", {"/4/1": "a", "/4/3": "d"}),
    "plain text to the end": ("a<plaintext>b</p>c", {"/4/1": "a", "/4/2/1": "b&lt;/p&gt;c</plaintext></body></html>"}),
    "a table of an old page stays in its paragraph": (
        "<p>a<table><td>b</table>c",
        {"/4/2/1": "a", "/4/2/2/2/2/2/1": "b", "/4/2/3": "c"},
    ),
    "a table ends the paragraph": (
        "<!DOCTYPE html><p>a<table><td>b</table>c",
        {"/4/2/1": "a", "/4/4/2/2/2/1": "b", "/4/5": "c"},
    ),
    "what a select holds": (
        "<select><option>a<option>b<div>c</select>d",
        {"/4/2/2/1": "a", "/4/2/4/1": "b", "/4/2/4/2/1": "c", "/4/3": "d"},
    ),
    "lists of definitions": (
        "<dl><dt>a<dd>b<dt>c</dl>d",
        {"/4/2/2/1": "a", "/4/2/4/1": "b", "/4/2/6/1": "c", "/4/3": "d"},
    ),
    "frames take the place of the body": ("<frameset><frame><noframes>a</noframes></frameset>b", {"/4/4/1": "a"}),
    "a button in a button": ("<button>a<button>b</button>c", {"/4/2/1": "a", "/4/4/1": "b", "/4/5": "c"}),
    "a text area's first line ends are lost": ("<textarea>\n\na<b</textarea>c", {"/4/2/1": "a<b", "/4/3": "c"}),
    "an attribute without its quote": ('<p id="a>b</p><p>c" d>e', {"/4/2/1": "e"}),
    "end tags without a beginning": ("a</p>b</br>c</div>d</x>e", {"/4/1": "a", "/4/3": "b", "/4/5": "cde"}),
    "nested tables": (
        "<table><td>a<table><td>b</table>c</table>d",
        {"/4/2/2/2/2/1": "a", "/4/2/2/2/2/2/2/2/2/1": "b", "/4/2/2/2/2/3": "c", "/4/3": "d"},
    ),
    "caption and columns": (
        "<table><caption>a<col>b<tr><td>c</table>",
        {"/4/1": "b", "/4/2/2/1": "a", "/4/2/6/2/2/1": "c"},
    ),
    "paragraphs within MathML": (
        "<p>a<math><mi>b<p>c</mi><mo>d</math>e",
        {"/4/2/1": "a", "/4/2/2/2/1": "b", "/4/2/2/2/2/1": "c", "/4/2/2/2/2/2/1": "de"},
    ),
    "marquee keeps formatting": (
        "<b>a<marquee>b</b>c</marquee>d</b>e",
        {"/4/2/1": "a", "/4/2/2/1": "bc", "/4/2/3": "d", "/4/3": "e"},
    ),
    "what must not break ends the one before": ("<nobr>a<nobr>b</nobr>c", {"/4/2/1": "a", "/4/4/1": "b", "/4/5": "c"}),
    "html in an SVG foreignObject": (
        "<svg><foreignObject>a<div>b</foreignObject>c</svg>d",
        {"/4/2/2/1": "a", "/4/2/2/2/1": "bcd"},
    ),
    "three equal formattings are taken up, no more": (
        "<p><b><b><b><b>a</p>b",
        {"/4/2/2/2/2/2/1": "a", "/4/4/2/2/1": "b"},
    ),
    "the formatting in a cell ends with it": (
        "<table><td><b>a<td>c</table>d",
        {"/4/2/2/2/2/2/1": "a", "/4/2/2/2/4/1": "c", "/4/3": "d"},
    ),
    "title in the body": ("<p>a<title>b<i>c</title>d", {"/4/2/1": "a", "/4/2/2/1": "b<i>c", "/4/2/3": "d"}),
    "a hidden field may stay in a table": (
        "<table><input type=hidden>a<input>b</table>c",
        {"/4/1": "a", "/4/3": "b", "/4/5": "c"},
    ),
    "text behind a head": ("<head></head> a<head>b", {"/3": " ", "/4/1": "ab"}),
}


def texts(source: str, media_type: str = HTML) -> dict[str, str]:
    found = read_item(source, media_type).chunks()
    return {"".join([f"/{number}" for number, _ in steps]) + f"/{chunk}": text for steps, chunk, text in found}


@pytest.mark.parametrize("case", MEASURED)
def test_what_a_browser_makes_of(case: str) -> None:
    source, expected = MEASURED[case]
    assert texts(source) == expected


def test_a_page_that_is_no_xml_is_read_as_html() -> None:
    source = '<html xmlns="http://www.w3.org/1999/xhtml"><body><p>a<br>b&nbsp;c</body></html>'
    assert texts(source, XHTML) == {"/4/2/1": "a", "/4/2/3": "b\xa0c"}


def test_elements_deeper_than_512_become_siblings() -> None:
    nested = texts("<div>" * 600 + "a")
    [path] = nested
    assert path.count("/") == 513 and path.endswith("/180/1")


def test_a_doctype_is_old_or_is_not() -> None:
    transitional = '<!DOCTYPE html PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN"%s><p>a<table><td>b'
    assert "/4/2/2/2/2/2/1" in texts(transitional % "")
    assert "/4/4/2/2/2/1" in texts(transitional % ' "http://www.w3.org/TR/html4/loose.dtd"')


@pytest.mark.parametrize(
    ("meta", "read"),
    [
        ('<meta charset="iso-8859-1">', "Ã©"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=windows-1252">', "Ã©"),
        ('<meta charset="nosuch"><meta charset="latin1">', "Ã©"),
        ('<meta charset="utf-8"><meta charset="latin1">', "é"),
        ('<!-- <meta charset="latin1"> -->', "é"),
        ("", "é"),
    ],
)
def test_a_declared_one_byte_encoding_counts_at_the_second_reading(meta: str, read: str) -> None:
    assert texts(f"<head>{meta}</head><body>é")["/4/1"] == read


def test_a_declared_one_byte_encoding_counts_for_what_references_stand_for() -> None:
    assert texts('<head><meta charset="iso-8859-1"></head><body>&eacute;&nbsp;&amp;')["/4/1"] == "Ã©Â\xa0&"


def test_an_encoding_of_several_bytes_is_refused() -> None:
    for beyond_ascii in ("é", "&eacute;"):
        with pytest.raises(TooComplex, match="gbk"):
            read_item(f'<meta charset="GBK"><p>{beyond_ascii}', HTML)
    assert texts('<meta charset="GBK"><p>e&amp;') == {"/4/2/1": "e&"}
    assert texts('<meta charset="GBK"><p>e') == {"/4/2/1": "e"}


@pytest.mark.parametrize(
    ("text", "data", "rest"),
    [
        ("&amp;x", "&", "x"),
        ("&ampx", "&", "x"),
        ("&notin;", "∉", ""),
        ("&notit;", "¬", "it;"),
        ("&fjlig;", "fj", ""),
        ("&nosuch;", "", "nosuch;"),
        ("&", "", ""),
        ("&;", "", ";"),
        ("&#65;x", "A", "x"),
        ("&#65x", "A", "x"),
        ("&#x1F600;", "😀", ""),
        ("&#0;", "\ufffd", ""),
        ("&#xD800;", "\ufffd", ""),
        ("&#x110000;", "\ufffd", ""),
        ("&#99999999999999999999;", "\ufffd", ""),
        ("&#00000000000000000065;", "A", ""),
        ("&#150;", "–", ""),
        ("&#;", "", "#;"),
        ("&#x;", "", "#x;"),
    ],
)
def test_a_reference_is_read_as_browsers_read_it(text: str, data: str, rest: str) -> None:
    found, at = reference(text, 0, in_attribute=False)
    assert (found, text[at:]) == (data, rest)


def test_in_an_attribute_a_name_without_semicolon_may_be_part_of_an_address() -> None:
    assert reference("&copy=1", 0, in_attribute=True) == ("", 1)
    assert reference("&copy;1", 0, in_attribute=True) == ("©", 6)
    assert reference("&copy 1", 0, in_attribute=True) == ("©", 5)


def test_every_name_of_the_standard_is_known() -> None:
    import html.entities

    for name, value in html.entities.html5.items():
        if name.endswith(";"):
            assert named(name.removesuffix(";")) == value
        else:
            assert reference(f"&{name}", 0, in_attribute=False) == (value, len(name) + 1)


SOUP = st.lists(
    st.sampled_from(
        [
            *("<p>", "</p>", "<b>", "</b>", "<i id=x>", "</i>", "<a href=x>", "</a>", "<div>", "</div>", "<table>"),
            *("</table>", "<tr>", "<td>", "</td>", "<caption>", "<col>", "<ul>", "<li>", "</ul>", "<dd>", "<h1>"),
            *("</h1>", "<svg>", "</svg>", "<math>", "<mi>", "<desc>", "<form>", "</form>", "<select>", "<option>"),
            *("<button>", "<pre>", "</pre>", "<textarea>", "</textarea>", "<title>", "<script>", "</script>", "<br/>"),
            *("<template>", "</template>", "<noscript>", "<body>", "</body>", "</html>", "<frameset>", "<object>"),
            *("</object>", "<nobr>", "<ruby>", "<rt>", "<!--c-->", "<!--", "<![CDATA[a]]>", "<!DOCTYPE html>", "<p/>"),
            *("a", "b ", "\n", "\r\n", " ", "&amp;", "&lt", "&#13;", "é", "😀", "\0", "<", "<p id='"),
        ]
    ),
    max_size=40,
).map("".join)


def dumped(nodes: Nodes) -> tuple[bytes, list[int], list[int], dict[int, str], list[tuple[int, int, int]]]:
    runs = list(zip(nodes.run_sources, nodes.run_units, nodes.run_codes, strict=True))
    return bytes(nodes.kinds), nodes.parents.tolist(), nodes.begins.tolist(), nodes.ids, runs


def read_twice(source: str) -> Nodes:
    first, second, nodes = Builder(scripting=False), Builder(scripting=True), Nodes(source)
    html5_tree.build(first, Tokens(source))
    second.mode, second.is_old = BEFORE_HTML, first.is_old_again
    html5_tree.build(second, Again(source, first.elements, first.stack[0]))
    nodes.declare(first.encoding)
    html5_tree.record(second.elements, second.stack[0], nodes, "")
    return nodes


@given(SOUP | st.text())
@example("<pre></x>\n\n")
@example("<form><object></form></object><form>")
@settings(max_examples=500)
def test_what_is_read_once_is_what_reading_it_twice_gives(source: str) -> None:
    once = html5_tree.read(source)
    assert dumped(once) == dumped(read_twice(source))


@given(SOUP | st.text())
@settings(max_examples=300)
def test_any_text_is_a_page_and_its_characters_come_from_the_source(source: str) -> None:
    item = read_item(source, HTML)
    for offset, char in enumerate(source):
        place = item.place_of(offset)
        if place is not None:
            steps = (*place.steps, (place.chunk, ""))
            span = item.resolve(Point(steps, place.offset), Point(steps, place.offset + place.units))
            assert span is not None
            assert item.source_of(span[0]) == offset
            written_out = place.units > 2  # in a script: the whole text comes from its beginning
            assert written_out or char in "&<>\r\0" or item.text_of(*span) == char


K = 8_000
COSTLY = {
    "deep": "<div>" * K,
    "formatting": "".join([f"<font x={number}>" for number in range(K)]),
    "formatting in every paragraph": "".join([f"<p><font x={number}></p>" for number in range(K)]),
    "misnested": "<a>" + "<b><div></a>" * K,
    "ends without a beginning": "<div>" * 2_000 + "</x>" * K,
    "ends within SVG": "<svg>" * 1_000 + "</x>" * K,
    "open comments": "<!--x" * K,
    "comments": "<!--x-->" * K,
    "scripts that are comments": "<script><!--</script>" * K,
    "tables in tables": "<table>x" * K,
    "rows that foster": "<table>" + "<b>x<tr>" * K,
    "attributes": "<a " + " ".join([f"x{number}" for number in range(K)]) + ">",
    "open quotes": '<a b="' * K,
    "references": "&" * K + "&abcdefghijklmnopqrstuvwxyzabcdefghijk" * K,
    "digits": "&#" + "1" * K * 10,
    "doctypes": "<!DOCTYPE" * K,
    "frames": "<frameset>" + " x" * K,
}


@pytest.mark.parametrize("case", COSTLY)
def test_no_text_costs_more_than_its_length_allows(case: str) -> None:
    begins_at = time.monotonic()
    try:
        nodes = html5_tree.read(COSTLY[case])
        assert nodes.kinds
    except TooComplex:
        pass
    assert time.monotonic() - begins_at < 60  # seconds; a quadratic reader takes minutes
