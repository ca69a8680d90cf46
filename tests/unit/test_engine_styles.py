"""What a book's stylesheets change in the texts that KOReader's engine has."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.epub import stylesheet, xpointer
from device.epub.engine_styles import Styles
from device.epub.engine_tree import parse_item

SHEETS = {
    "OPS/s/a.css": b"@import 'b.css'; @import url(\"c.css\") print; .shown { display: block }",
    "OPS/s/b.css": b"@import url(a.css);\n.gone { display: none }",
    "OPS/s/c.css": b"p { display: none }",
}


def shown(css: str, body: str, head: str = "") -> dict[str, str]:
    """Each visible text node by its place, blanks and all that is dropped aside."""
    styles = Styles(SHEETS.get)
    source = f"<html><head>{head}<style>{css}</style></head><body>{body}</body></html>"
    made = parse_item(source, 20260812, styles, "OPS/t.xhtml")
    found: dict[str, str] = {}
    for index, char in enumerate(made.visible):
        _, pointer = made.pointer_at(index, after=False)
        place = xpointer.written(pointer, explicit_ones=False).rpartition(".")[0]
        place = place.removeprefix("/body/DocFragment[1]/body/")
        found[place] = found.get(place, "") + char
    return found


def text(css: str, body: str) -> str:
    return "".join(shown(css, body).values())


def test_what_a_stylesheet_hides_is_not_visible() -> None:
    assert text(".pagenum { display:none }", "<p>a<span class='x pagenum'>12</span>b</p>") == "ab"


def test_what_a_stylesheet_shows_is_visible() -> None:
    assert text("title { display: inline }", "<title>a</title>b") == "ab"


def test_a_style_attribute_wins_over_sheets_unless_they_are_important() -> None:
    body = "<p style='display:inline'>a</p><p style='display:none'>b</p>"
    assert text("p { display: none }", body) == "a"
    assert text("p { display: none !important }", body) == ""


@pytest.mark.parametrize(
    ("css", "visible"),
    [
        ("#i{display:none} .c{display:inline} p{display:inline}", "b"),
        (".c{display:none} p{display:inline}", "b"),
        ("p.c{display:none} .c{display:inline}", "b"),
        (".c{display:none} .c{display:block}", "ab"),
        ("*{display:inline} p{display:none}", ""),
        ("p[class]{display:none}", "b"),
        ("p[class='c']{display:none}", "b"),
        ("div p{display:none}", "b"),
        ("div > p{display:none}", "b"),
        ("section p, q{display:none}", "ab"),
        ("body > p{display:none}", "a"),
        ("html body div .c{display:none}", "b"),
        ("p:hover{display:none}", "ab"),
        ("p::before{display:none}", "ab"),
        ("p + p{display:none}", "ab"),
        ("div+p{display:none}", "a"),
        ("div > q + p{display:none}", "ab"),
        ("p ~ p{display:none}", "ab"),
        ("p:first-child{display:none}", "b"),
        ("div:first-child p{display:none}", "b"),
        ("p:first-child-x{display:none}", "ab"),
        ("[x|class~='c']{display:none}", "b"),
        ("[class^=c], [class*=x]{display:none}", "b"),
        ("[class$=d], [class|=d], [class~=d]{display:none}", "ab"),
        ("> p{display:none} div >{display:none} .c.{display:none}", "ab"),
        ("@media print{p{display:none}} p.x{display:none}", "ab"),
        ("@media screen{p.c{display:none}} div{display:none}", "b"),
        ("@font-face{src:url(x)} p.c{display:none}", "b"),
        ("@page{margin:0} @namespace a 'x'; p.c{/* ; } */display:none}", "b"),
        ("p.c{display:nonsense}", "ab"),
        ("p.c{display:none;display:nonsense}", "b"),
        ("p.c::before{display:none;content:'x'}", "ab"),
        ("p.c{display:none", "b"),
    ],
)
def test_selectors_and_conditions_decide_as_in_the_engine(css: str, visible: str) -> None:
    assert text(css, "<div><p class='c' id='i'>a</p></div><p>b</p>") == visible


def test_an_element_that_is_made_a_block_makes_the_blanks_around_it_go() -> None:
    body = "<div>a <span class='s'>b</span> <i>c</i> d</div>"
    assert "div/text()[3]" in shown("", body)
    assert "div/text()[3]" not in shown(".s{display:block}", body)


def test_a_mark_before_the_content_keeps_the_blanks_at_its_beginning() -> None:
    body = "<p> <b>a</b>b</p><pre>\nc</pre>"
    assert list(shown("", body)) == ["p/b/text()", "p/text()", "pre/text()"]
    css = "p::before, pre:before { content: '-' }"
    assert list(shown(css, body)) == ["p/b/text()", "p/text()[2]", "pre/text()"]
    pointer = xpointer.parse("/body/DocFragment/body/pre/text().1")
    assert pointer is not None
    styled = parse_item(f"<style>{css}</style><body>{body}</body>", 20260812, Styles(SHEETS.get))
    assert styled.index_at(0, pointer) == 2
    assert parse_item(f"<body>{body}</body>", 20260812).index_at(0, pointer) == 3


def test_a_mark_stands_in_a_line_with_the_blank_beside_it() -> None:
    body = "<div> <b>a</b><p>b</p><i>c</i> </div>"
    for css, place, there in (
        ("", "1", False),
        ("div::before{content:''}", "1", True),
        ("div::before{content:'';display:block}", "1", False),
        ("div::after{content:''}", "1", True),
        ("div::before, div::after{content:''}", "2", True),
    ):
        pointer = xpointer.parse(f"/body/DocFragment/body/div/text()[{place}].0")
        assert pointer is not None
        made = parse_item(f"<style>{css}</style><body>{body}</body>", 20260812, Styles(SHEETS.get))
        assert (made.index_at(0, pointer) is not None) == there


def test_blanks_between_nothing_but_floats_go() -> None:
    body = "<div><span>a</span> <span>b</span> <i>c</i> d</div><div><span>e</span> <span>f</span> </div>"
    assert "div[1]/text()[3]" in shown("span{float:left}", body)
    made = parse_item(f"<body>{body}</body>", 20260812)
    pointer = xpointer.parse("/body/DocFragment/body/div[2]/text()[1].0")
    assert pointer is not None
    assert made.index_at(0, pointer) is not None
    styled = parse_item(f"<style>span{{float:left}}</style><body>{body}</body>", 20260812, Styles(SHEETS.get))
    assert styled.index_at(0, pointer) is None


@pytest.mark.parametrize(("css", "index"), [("", 4), ("white-space:pre-wrap", 2), ("white-space: nowrap", 4)])
def test_blanks_count_where_a_stylesheet_keeps_them(css: str, index: int) -> None:
    pointer = xpointer.parse("/body/DocFragment/body/p/text().5")
    assert pointer is not None
    source = f"<style>.c{{{css}}}</style><body><p class='c'>ab   cde</p></body>"
    assert parse_item(source, 20260812, Styles(SHEETS.get)).index_at(0, pointer) == index


def test_linked_sheets_are_read_with_what_they_import_for_screens() -> None:
    link = "<link rel='stylesheet' type='text/css' href='s/a.css'/>"
    assert "".join(shown("", "<p>a<b class='gone'>b</b></p>", link).values()) == "a"


@pytest.mark.parametrize(
    "link",
    [
        "<link rel='alternate stylesheet' href='s/b.css'/>",
        "<link rel='stylesheet' type='text/less' href='s/b.css'/>",
        "<link rel='stylesheet' href='s/b.css' media='print'/>",
        "<link rel='stylesheet' href='s/nothing.css'/>",
        "<link rel='stylesheet' href='../../../etc/passwd'/>",
    ],
)
def test_other_links_are_not_followed(link: str) -> None:
    assert "".join(shown("", "<p>a<b class='gone'>b</b></p>", link).values()) == "ab"


CSS = st.text("{}():;,.#@>*[]='\"/ \nimportmedadisplaynone-", max_size=120)


@given(CSS)
def test_whatever_a_sheet_is_reading_it_ends(css: str) -> None:
    found = stylesheet.parse(f"{css}.x{{display:none}}{css}")
    assert all(rule.parts and rule.declarations for rule in found.rules)
    text(css, "<p class='x'>a</p>")


@pytest.mark.parametrize(
    "pattern", ["{", "}", "/*", "@media screen{", "@media x{", "a{display:none}", "@import 'x';", "[", ",", "a "]
)
def test_no_pattern_costs_more_than_its_length(pattern: str) -> None:
    began_at = time.process_time()
    found = stylesheet.parse(pattern * (stylesheet.SHEET_MOST_CHARS // len(pattern)))
    assert time.process_time() - began_at < 5
    assert len(found.rules) <= stylesheet.RULES_MOST
