"""The order of a book's documents, as EPUB counts them and as KOReader does."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.epub import container, source_text, spine
from device.epub.archive import Archive

NEW, OLD = 20260812, 20210903
CONTAINER = b'<container><rootfiles><rootfile full-path="OPS/a.opf"/></rootfiles></container>'
CHAPTER = b"<html><head><title>t</title></head><body><p>text</p></body></html>"
PACKAGE = """<?xml version="1.0"?>
<!-- <spine> --><opf:package xmlns:opf="http://www.idpf.org/2007/opf">
<opf:metadata/><opf:manifest>
<opf:item media-type="application/xhtml+xml" href="one%20two.xhtml" id="a"/>
<opf:item id="b" href="../text/b&amp;c.xhtml" media-type="application/xhtml+xml"></opf:item>
<opf:item id="a" href="never.xhtml" media-type="application/xhtml+xml"/>
<opf:item id="s" href="/img/s.svg" media-type="image/svg+xml"/>
</opf:manifest><!-- c --><opf:collection/>
<opf:spine id="sp" toc="ncx"><opf:itemref idref="a" id="r1"/><x/><opf:itemref idref="nothing"/>
<opf:itemref linear="no" idref="b"></opf:itemref><opf:itemref idref="s"/><opf:itemref idref="a"/></opf:spine>
</opf:package>"""


def book(path: Path, items: dict[str, bytes], media_type: str = "application/xhtml+xml") -> Archive:
    manifest = "".join(f'<item id="i{n}" href="{name}" media-type="{media_type}"/>' for n, name in enumerate(items))
    refs = "".join(f'<itemref idref="i{n}"/>' for n in range(len(items)))
    package = f"<package><metadata/><manifest>{manifest}</manifest><spine>{refs}</spine></package>"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("META-INF/container.xml", CONTAINER)
        made.writestr("OPS/a.opf", package)
        for name, content in items.items():
            if content:
                made.writestr(f"OPS/{name}", content)
    return Archive(str(path))


def fragments(archive: Archive, dom: int) -> list[tuple[str, int | None]]:
    with archive:
        found = spine.read_spine(archive).fragments(archive, dom)
        return [(fragment.item.href.removeprefix("OPS/"), fragment.in_item) for fragment in found]


def test_steps_count_all_elements_and_addresses_are_followed() -> None:
    found = spine.parse(PACKAGE, "OPS/a.opf")
    assert (found.step, found.id) == (8, "sp")
    assert [(item.step, item.id, item.href, item.linear) for item in found.items] == [
        (2, "r1", "OPS/one two.xhtml", True),
        (6, "", "", True),
        (8, "", "text/b&c.xhtml", False),
        (10, "", "img/s.svg", True),
        (12, "", "OPS/one two.xhtml", True),
    ]
    assert found.has_dangling()


def test_each_document_is_a_fragment_and_a_missing_one_only_in_new_books(tmp_path: Path) -> None:
    items = {"a.xhtml": CHAPTER, "b.xhtml": b"", "c.xhtml": CHAPTER}
    assert fragments(book(tmp_path / "a", items), NEW) == [("a.xhtml", 0), ("b.xhtml", None), ("c.xhtml", 0)]
    assert fragments(book(tmp_path / "a", items), OLD) == [("a.xhtml", 0), ("c.xhtml", 0)]


def test_two_bodies_are_two_fragments(tmp_path: Path) -> None:
    two = b"<html><head/><body>a</body><body>b</body></html>"
    items = {"a.xhtml": two, "c.xhtml": CHAPTER}
    assert fragments(book(tmp_path / "a", items), NEW) == [("a.xhtml", 0), ("a.xhtml", 1), ("c.xhtml", 0)]


def test_a_broken_tag_before_the_end_of_a_body_makes_another_body(tmp_path: Path) -> None:
    broken = b"<html><head><title>t</title></head><body><p>a</p><a @b></body></html>"
    assert fragments(book(tmp_path / "a", {"a.xhtml": broken}), NEW) == [("a.xhtml", 0)]
    broken = b"<html><head><title>t</title></head><body><p>a</p></body><a @b></body></html>"
    assert fragments(book(tmp_path / "b", {"a.xhtml": broken}), NEW) == [("a.xhtml", 0), ("a.xhtml", 1)]


def test_a_long_text_before_the_end_of_a_body_does_not_matter(tmp_path: Path) -> None:
    long = b"<html><head><title>t</title></head><body><p>" + b"word " * 9_000 + b"</body></html>"
    assert fragments(book(tmp_path / "a", {"a.xhtml": long}), NEW) == [("a.xhtml", 0)]


def test_what_is_not_html_is_a_note_of_the_engine_or_nothing(tmp_path: Path) -> None:
    items = {"a.xhtml": b"plain text " * 10, "b.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><text>a</text></svg>"}
    assert fragments(book(tmp_path / "a", items), NEW) == [("a.xhtml", None), ("b.svg", None)]
    assert fragments(book(tmp_path / "a", items), OLD) == []


def test_an_old_book_has_no_fragments_of_other_types(tmp_path: Path) -> None:
    assert fragments(book(tmp_path / "a", {"a.html": CHAPTER}, "text/html"), OLD) == []
    assert fragments(book(tmp_path / "a", {"a.html": CHAPTER}, "text/html"), NEW) == [("a.html", 0)]


def test_an_address_with_a_fragment_leads_to_no_document(tmp_path: Path) -> None:
    archive = book(tmp_path / "a", {"a.xhtml#o1": b"", "a.xhtml": CHAPTER})
    assert fragments(archive, NEW) == [("a.xhtml#o1", None), ("a.xhtml", 0)]


def test_a_document_in_utf_16_is_one(tmp_path: Path) -> None:
    chapter = '<?xml version="1.0" encoding="utf-16"?>' + CHAPTER.decode()
    assert fragments(book(tmp_path / "a", {"a.xhtml": chapter.encode("utf-16")}), NEW) == [("a.xhtml", 0)]


@pytest.mark.parametrize(
    ("href", "name"),
    [
        ("x.xhtml", "a/b/x.xhtml"),
        ("../x.xhtml", "a/x.xhtml"),
        ("../../../../x.xhtml", "x.xhtml"),
        ("/etc/passwd", "etc/passwd"),
        ("./c//d/../x.xhtml", "a/b/c/x.xhtml"),
        ("", "a/b"),
    ],
)
def test_addresses_never_lead_out_of_the_archive(href: str, name: str) -> None:
    assert container.resolved(href, "a/b/c.opf") == name


def test_escapes_in_addresses_are_undone() -> None:
    assert container.unquoted("a%20b%C3%A9%zz%") == "a bé%zz%"


@given(st.text("<>/='\" packgespinitmrfdhl:&;%2.\n", max_size=200))
def test_whatever_a_package_is_reading_it_ends(document: str) -> None:
    found = spine.parse(f"<package>{document}<spine><itemref idref='a'/>{document}", "a.opf")
    assert all(item.step % 2 == 0 and ".." not in item.href.split("/") for item in found.items)


def test_utf_8_is_the_same_on_both_sides() -> None:
    for data in (
        b"abc",
        "é😀".encode(),
        b"\xef\xbb\xbf" + "é".encode(),
        b'<?xml version="1.0" encoding="UTF-8"?>\xc3\xa9',
    ):
        found = source_text.decoded(data)
        assert found.is_same()
        assert found.engine == data.removeprefix(b"\xef\xbb\xbf").decode()


@pytest.mark.parametrize(
    ("head", "engine"),
    [
        ('<?xml version="1.0" encoding="ISO-8859-1"?>', "é –x"),
        ('<meta charset="windows-1252"/>', "é –x"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=windows-1252"/>', "é –x"),
        ("<p>", "é –x"),
    ],
)
def test_single_byte_texts_are_what_they_say_to_the_engine_and_broken_to_the_browser(head: str, engine: str) -> None:
    found = source_text.decoded(head.encode() + b"\xe9 \x96x")
    assert found.engine == head + engine
    assert found.browser == head + "\ufffd \ufffdx"
    assert found.to_browser(len(head) + 3) == len(head) + 3


def test_utf_16_is_read_by_the_engine_in_halves() -> None:
    found = source_text.decoded("a😀b".encode("utf-16"))
    assert found.engine == "a\ufffd\ufffdb"
    assert found.to_browser(4) == len(found.browser)


@given(st.binary(max_size=60))
def test_any_bytes_give_two_texts_with_places_in_order(data: bytes) -> None:
    for head in (b"", b'<?xml version="1.0" encoding="latin1"?>', b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"):
        found = source_text.decoded(head + data)
        places = [found.to_browser(offset) for offset in range(len(found.engine) + 1)]
        assert places == sorted(places)
        assert places[-1] <= len(found.browser)
        for offset in range(len(found.browser) + 1):
            assert 0 <= found.to_engine(offset) <= len(found.engine)
            assert found.to_engine(offset) == len(found.engine) or found.to_browser(found.to_engine(offset)) >= offset


def test_many_names_for_one_long_document_are_not_all_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spine, "COUNTED_MOST_BYTES", len(CHAPTER))
    two = CHAPTER.replace(b"<body>", b"<body><p>text</p></body><body>")
    assert fragments(book(tmp_path / "a", {"a.xhtml": CHAPTER, "b.xhtml": two}), NEW) == [
        ("a.xhtml", 0),
        ("b.xhtml", 0),
    ]
