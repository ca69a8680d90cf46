"""A document as KOReader's engine has it: which nodes there are, what is in them, and where that stands."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.epub import engine_tree, xpointer
from device.epub.engine_item import EngineItem
from device.epub.engine_text import is_blank, processed, squeezed
from device.epub.engine_tree import TooLarge, bodies, parse_item

DOM = 20260812
OLD_DOM = 20210903


def item(body: str, dom: int = DOM) -> EngineItem:
    return parse_item(f"<html><head><title>t</title></head><body>{body}</body></html>", dom)


def texts(body: str, dom: int = DOM) -> dict[str, str]:
    """Each visible text node by its place, without blanks."""
    found: dict[str, str] = {}
    made = item(body, dom)
    for index, char in enumerate(made.visible):
        _, pointer = made.pointer_at(index, after=False)
        place = xpointer.written(pointer, explicit_ones=False).rpartition(".")[0]
        place = place.removeprefix("/body/DocFragment[1]/body/")
        found[place] = found.get(place, "") + char
    return found


def ahead(made: EngineItem, place: str) -> str | None:
    """The visible text from a place on; None if there is no such place."""
    pointer = xpointer.parse(f"/body/DocFragment/body{place}")
    assert pointer is not None
    index = made.index_at(0, pointer)
    return None if index is None else made.visible[index:]


def test_texts_are_counted_among_texts_and_elements_among_those_of_their_name() -> None:
    assert texts("<p>a<b>b</b>c<i>d</i>e</p><div>f</div><p>g</p>") == {
        "p[1]/text()[1]": "a",
        "p[1]/b/text()": "b",
        "p[1]/text()[2]": "c",
        "p[1]/i/text()": "d",
        "p[1]/text()[3]": "e",
        "div/text()": "f",
        "p[2]/text()": "g",
    }


def test_an_offset_counts_characters_with_blanks_collapsed() -> None:
    made = item("<p>\n  one\t\n two</p>")
    assert ahead(made, "/p/text().1") == "onetwo"
    assert ahead(made, "/p/text().5") == "two"
    assert ahead(made, "/p/text().8") == ""
    assert ahead(made, "/p/text().9") is None


def test_an_offset_counts_a_character_beyond_the_first_plane_once() -> None:
    assert ahead(item("<p>\U0001f600 word</p>"), "/p/text().2") == "word"


def test_comments_cdata_and_instructions_split_a_text() -> None:
    assert texts("<p>a<!-- x -->b<![CDATA[&c<d]]>e<?pi data?>f</p>") == {
        "p/text()[1]": "a",
        "p/text()[2]": "b",
        "p/text()[3]": "&c<d",
        "p/text()[4]": "e",
        "p/text()[5]": "f",
    }


def test_a_long_text_is_cut_behind_the_last_blank_before_8192_characters() -> None:
    words = "0123456 " * 1_030  # 8240 characters
    assert {place: len(text) for place, text in texts(f"<p>{words}</p>").items()} == {
        "p/text()[1]": 1_024 * 7,
        "p/text()[2]": 6 * 7,
    }


def test_a_long_text_without_blanks_is_cut_at_8192_characters() -> None:
    assert [len(text) for text in texts("<p>" + "x" * 20_000 + "</p>").values()] == [8_192, 8_192, 3_616]


def test_blank_texts_between_blocks_are_none() -> None:
    assert texts("\n<div>\n <p>a</p> <p>b</p>\n text <b>c</b> <i>d</i>\n<p>e</p> </div>\n") == {
        "div/p[1]/text()": "a",
        "div/p[2]/text()": "b",
        "div/text()[1]": "text",
        "div/b/text()": "c",
        "div/i/text()": "d",
        "div/p[3]/text()": "e",
    }
    assert ahead(item("<div>\n <p>a</p> x <b>c</b> <i>d</i>\n<p>e</p> </div>"), "/div/text()[2].0") == "de"


def test_a_blank_text_at_the_beginning_of_a_block_is_none_and_one_at_its_end_is_one() -> None:
    made = item("<p> <b>a</b> </p><p>z</p>")
    assert ahead(made, "/p[1]/text()[1].0") == "z"
    assert ahead(made, "/p[1]/text()[2].0") is None


def test_within_something_inline_only_blanks_beside_a_block_go() -> None:
    assert "b/text()[2]" in texts("<b>x <p>y</p> <i>z</i> t</b>")
    assert texts("<i><p>a</p> <p>b</p></i>") == {"i/p[1]/text()": "a", "i/p[2]/text()": "b"}
    assert ahead(item("<i><p>a</p> <p>b</p></i>"), "/i/text().0") == "b"


def test_other_blanks_than_those_of_the_keyboard_are_letters_to_the_engine() -> None:
    made = item("<p>\u00a0<b>a</b>&nbsp;</p>")
    assert ahead(made, "/p/text()[1].0") == "a"
    assert ahead(made, "/p/text()[2].1") == ""


def test_preformatted_text_keeps_its_blanks_and_fills_up_its_tabs() -> None:
    made = item("<pre>\na\tb\r\n\tc</pre>")
    assert [ahead(made, f"/pre/text().{offset}") for offset in (0, 7, 8, 16, 17)] == ["abc", "bc", "c", "c", ""]


def test_the_line_end_that_opens_preformatted_text_counts_in_old_books() -> None:
    assert ahead(item("<pre>\nab</pre>"), "/pre/text().1") == "b"
    assert ahead(item("<pre>\nab</pre>", OLD_DOM), "/pre/text().1") == "ab"


def test_a_tag_that_is_never_closed_nests_what_follows() -> None:
    assert texts("<p>a<p>b<br>c</p>d") == {
        "p/text()[1]": "a",
        "p/p/text()": "b",
        "p/p/br/text()": "c",
        "p/text()[2]": "d",
    }


def test_a_closing_tag_closes_up_to_its_element_or_nothing() -> None:
    assert texts("<div><p><b>a</div></i>c") == {"div/p/b/text()": "a", "text()": "c"}


def test_no_tbody_is_invented_and_text_between_cells_is_none() -> None:
    assert texts("<table> x <tr> y <td>a</td></tr></table>") == {"table/tr/td/text()": "a"}


def test_what_is_hidden_has_no_visible_text_but_is_counted() -> None:
    assert texts("<p>a<span hidden='hidden'>b</span>c<script>d</script>e</p>") == {
        "p/text()[1]": "a",
        "p/text()[2]": "c",
        "p/text()[3]": "e",
    }
    assert ahead(item("<p>a<span hidden=''>b</span>c</p>"), "/p/span/text().1") == "c"


def test_ruby_annotations_are_left_out() -> None:
    assert item("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>です").visible == "漢です"


def test_blanks_before_a_ruby_annotation_are_none() -> None:
    assert texts("<p><ruby> <rb>a</rb> <rp>(</rp> <rt>b</rt> c<rt>d</rt> </ruby></p>") == {
        "p/ruby/rb/text()": "a",
        "p/ruby/text()[3]": "c",
    }


def test_a_quotation_has_its_marks_as_nodes() -> None:
    made = item("<p><q>a<b>b</b></q></p>")
    assert [ahead(made, place) for place in ("/p/q.0", "/p/q.1", "/p/q.2", "/p/q.3")] == ["ab", "ab", "b", ""]


def test_what_is_in_a_picture_is_not_shown_but_what_stands_for_an_object_is() -> None:
    made = item(
        "<p><svg><text>a</text></svg><object data='x'><b>b</b></object><object type='image/png'><b>c</b></object></p>"
    )
    assert made.visible == "b"


def test_of_a_switch_the_case_is_shown_that_the_engine_knows() -> None:
    math = "required-namespace='http://www.w3.org/1998/Math/MathML'"
    assert item(f"<e:switch><e:case {math}>a</e:case><e:default>b</e:default></e:switch>").visible == "a"
    assert item("<e:switch><e:case required-namespace='x'>a</e:case><e:default>b</e:default></e:switch>").visible == "b"


def test_in_formulas_texts_are_trimmed_and_a_single_letter_is_italic() -> None:
    assert (
        item("<math> <mi> x </mi><mo>-</mo><mi>sin</mi><mi>h</mi><mn> 1</mn></math>").visible
        == "\U0001d465\u2212sin\u210e1"
    )
    assert item("<math><mi mathvariant='normal'>x</mi></math>").visible == "x"


@pytest.mark.parametrize(
    ("variant", "letters"),
    [
        ("bold", "\U0001d400\U0001d41a\U0001d7cf\U0001d6a8\U0001d6c2\U0001d6c1"),
        ("italic", "\U0001d434\U0001d44e1\U0001d6e2\U0001d6fc\U0001d6fb"),
        ("script", "\U0001d49c\U0001d4b61Αα∇"),
        ("Double-Struck", "\U0001d538\U0001d552\U0001d7d9Αα∇"),
        ("no such", "Aa1Αα∇"),
    ],
)
def test_letters_of_formulas_are_written_in_their_alphabet(variant: str, letters: str) -> None:
    assert item(f"<math mathvariant='{variant}'><mtext>Aa1Αα∇</mtext></math>").visible == letters


def test_letters_that_have_their_own_place_and_marks_that_stand_alone_are_found() -> None:
    body = (
        "<math><mi mathvariant='script'>Re</mi><mo>&#x302;</mo><mi mathvariant='fraktur'>C</mi><mi>&#x131;</mi></math>"
    )
    assert item(body).visible == "ℛℯˆℭ\U0001d6a4"


def test_a_fence_has_its_brackets_and_commas_as_elements() -> None:
    assert texts("<math><mfenced open='[' separators=';'><mi>ab</mi><mrow><mn>1</mn></mrow></mfenced></math>") == {
        "math/mfenced/mo[1]/text()": "[",
        "math/mfenced/mrow/mi/text()": "ab",
        "math/mfenced/mrow/mo/text()": ";",
        "math/mfenced/mrow/mrow/mn/text()": "1",
        "math/mfenced/mo[2]/text()": ")",
    }


def test_within_a_drawing_names_keep_their_case() -> None:
    made = item("<svg><textPath>a</textPath></svg><p>b</p>")
    assert ahead(made, "/svg/textPath.0") == "b"


def test_a_place_on_an_element_is_before_it_or_before_one_of_its_children() -> None:
    made = item("<p>a<b>b</b>c<img/>d</p>")
    places = ("/p.0", "/p.1", "/p.2", "/p.4", "/p.5", "/p/img.0", "/p/b", "/p.6")
    assert [ahead(made, place) for place in places] == ["abcd", "bcd", "cd", "d", "", "d", "bcd", None]


def test_an_element_alone_says_also_where_it_ends() -> None:
    for place, behind in (("/div", 2), ("/div.0", 0), ("/div/p[2]", 2), ("/div/p[1]/text()", 0)):
        pointer = xpointer.parse(f"/body/DocFragment/body{place}")
        assert pointer is not None
        found = item("<div><p>a</p><p>b</p></div><p>c</p>").find(0, pointer)
        assert found is not None
        assert found.behind == behind


def test_a_place_that_is_not_there_leads_to_the_nearest_one_and_says_so() -> None:
    made = item("<div><p>a</p><p>b</p></div><p>c</p>")
    for place, index in (
        ("/div/p[3]/text().0", 2),
        ("/div/ul/li/text().2", 0),
        ("/div/p[1]/text()[2].0", 1),
        ("/x", 0),
    ):
        pointer = xpointer.parse(f"/body/DocFragment/body{place}")
        assert pointer is not None
        found = made.find(0, pointer)
        assert found is not None
        assert (found.index, found.fits) == (index, False)


def test_a_fragment_that_is_not_there_gives_nothing() -> None:
    pointer = xpointer.parse("/body/DocFragment[2]/body/p.0")
    assert pointer is not None
    assert item("<p>a</p>").find(1, pointer) is None


def test_the_end_of_the_book_is_behind_everything() -> None:
    pointer = xpointer.parse(".1")
    assert pointer is not None
    assert item("<p>abc</p>").index_at(0, pointer) == 3


def test_two_bodies_are_two_fragments() -> None:
    source = "<html><body><p>a</p></body>x<body><p>b</p></body></html>"
    made = parse_item(source, DOM)
    assert (bodies(source), made.visible) == (2, "ab")
    assert made.pointer_at(1, after=False)[0] == 1


def test_a_body_in_a_comment_is_none() -> None:
    assert bodies("<html><!-- <body> --><body><p>&lt;body></p></body></html>") == 1
    assert bodies("<html><p>a</p></html>") == 0


@pytest.mark.parametrize(
    ("body", "place", "text"),
    [
        ("<p\tclass='x'>a</p>", "/text().0", "a"),  # the tag is lost
        ("<p title='x>y'>a</p>", "/p/text().0", "y'>a"),
        ("<p @click='x'>a<b>b</b></p>", "/p.0", "b"),  # passed over up to the `b>`, whose `<` is lost
        ("< p>a</p>", "/p/text().0", "a"),
        ("<x:p>a</x:p>", "/p/text().0", "a"),
        ("<P>a</p>b", "/text().0", "b"),
        ("<br clear=all/>a", "/br/text().0", "a"),  # the slash belongs to the value
        ("<!DOCTYPE x>a", "/text().0", "a"),
        ("<style>p{}<b></style><p>a</p>", "/p/text().0", "a"),
        ("a<", "/text().0", "a"),
    ],
)
def test_bad_markup_is_read_as_badly_as_the_engine_reads_it(body: str, place: str, text: str) -> None:
    assert ahead(item(body), place) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a &amp; b", "a & b"),
        ("a&nbsp;b", "a\u00a0b"),
        ("&lt b", "<b"),
        ("&foo; b", "&foo; b"),
        ("a & b", "a b"),
        ("a &&amp; b", "a & b"),
        ("&#65;&#x42;&#X43;", "AB43;"),
        ("&#150;", "\u2013"),
        ("&#0;a", "a"),
        ("&#1114112;", "\ufffd"),
        ("a&#32; b", "a  b"),
        ("a &q b", "a &qb"),
        ("&", ""),
        ("&#6", ""),
        ("&ngE;", "\u2267\u0338"),
    ],
)
def test_entities_are_decoded_with_the_mistakes_of_the_engine(raw: str, text: str) -> None:
    assert processed(raw, preformatted=False, literal=False).text == text


@pytest.mark.parametrize(("raw", "text"), [("a\rb", "a\nb"), ("a\r\nb\n\rc", "a\nb\nc"), ("\ra\r\rb\r", "\na\nb\n")])
def test_line_ends_of_every_kind_are_one_in_preformatted_text(raw: str, text: str) -> None:
    assert processed(raw, preformatted=True, literal=False).text == text


def test_a_character_that_an_entity_gives_stands_at_its_ampersand() -> None:
    assert list(processed("a &amp;\n b", preformatted=False, literal=False).places) == [0, 1, 2, 7, 9]


def test_a_document_beyond_the_limits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooLarge):
        item("<i>" * (engine_tree.DEPTH_MOST + 1))
    monkeypatch.setattr(engine_tree, "NODES_MOST", 1_000)
    with pytest.raises(TooLarge):
        item("<br/>" * 1_000)
    monkeypatch.setattr(engine_tree, "SOURCE_MOST_CHARS", 100)
    with pytest.raises(TooLarge):
        item("x" * 100)


@pytest.mark.parametrize(
    "pattern",
    [
        "<a ",
        "<a b='",
        "<!--",
        "<![CDATA[",
        "<style>",
        "</b>",
        '<a b="<',
        "&amp",
        "&",
        "<a b>",
        "x<",
        "<?x ",
        "&#1",
        "<b></b> ",
    ],
)
def test_no_pattern_costs_more_than_its_length(pattern: str) -> None:
    began_at = time.process_time()
    try:
        made = item(pattern * (400_000 // len(pattern)) + ">")
        made.index_of_source(200_000)
    except TooLarge:
        pass
    assert time.process_time() - began_at < 5


MARKUP = st.lists(
    st.sampled_from(
        [
            *(
                "<p>",
                "</p>",
                "<div>",
                "</div>",
                "<b>",
                "</b>",
                "<i>",
                "</i>",
                "<br/>",
                "<br>",
                "<pre>",
                "</pre>",
                "<ul><li>",
            ),
            *(
                "</li></ul>",
                "<span hidden=''>",
                "</span>",
                "<svg>",
                "</svg>",
                "<rt>",
                "</rt>",
                "<math>",
                "</math>",
                "<mi>",
            ),
            *(
                "<mfenced>",
                "</mfenced>",
                "</mi>",
                "<table>",
                "<tr>",
                "<td>",
                "</table>",
                "<!-- c -->",
                "<![CDATA[ d&]]>",
                "<?p?>",
            ),
            *(
                " ",
                "\n",
                "\t",
                "\r\n",
                "word",
                "two words",
                "&amp;",
                "&nbsp;",
                "&",
                "&#32;",
                "&shy;",
                "é",
                "😀",
                "<",
                ">",
                '"',
            ),
            *("<body>", "</body>", "<style>", "</style>", "<x:y z='1'>", "<a @b>", "\u200b", "\u3000", "-"),
        ]
    ),
    max_size=40,
).map("".join)


@given(MARKUP, st.sampled_from([DOM, OLD_DOM]))
@settings(max_examples=300)
def test_every_visible_character_is_found_by_its_pointer_and_by_its_place_in_the_source(body: str, dom: int) -> None:
    made = item(body, dom)
    assert squeezed(made.visible) == made.visible
    behind = -1
    for index in range(len(made.visible)):
        fragment, pointer = made.pointer_at(index, after=False)
        assert made.index_at(fragment, pointer) == index
        fragment, pointer = made.pointer_at(index, after=True)
        assert made.index_at(fragment, pointer) == index + 1
        place = made.source_of(index)
        assert place >= behind
        assert made.index_of_source(place) == (index if place > behind else made.index_of_source(behind))
        behind = place
    assert len(made.bodies) == bodies(made.source)


@given(MARKUP, st.text("<>/!-[]CDAT?&;#x\"'= ab:m\t\n", max_size=60))
@settings(max_examples=300)
def test_whatever_a_document_is_its_tree_is_whole(body: str, junk: str) -> None:
    made = item(body + junk + body)
    count = len(made.name_ids)
    for values in (made.parents, made.ends, made.visible_at, made.source_at, made.lengths, made.flags):
        assert len(values) == count
    for node in range(count):
        assert node < made.ends[node] <= count
        assert made.parents[node] <= node
    assert sorted(made.visible_at) == list(made.visible_at)
    assert sorted(made.source_at) == list(made.source_at)


@given(st.text("ab \t\r\n&;#x1amp\u00a0", max_size=40), st.booleans(), st.booleans())
def test_a_text_has_a_place_for_each_of_its_characters(raw: str, preformatted: bool, literal: bool) -> None:
    made = processed(raw, preformatted, literal)
    assert len(made.places) == len(made.text)
    assert all(0 <= place < len(raw) for place in made.places)
    assert sorted(made.places) == list(made.places)
    if "&" not in raw:
        assert squeezed(made.text) == squeezed(raw)
        assert is_blank(made.text) == is_blank(raw)
