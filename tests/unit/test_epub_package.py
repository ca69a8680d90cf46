"""What an EPUB says of itself, whatever state it is in."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.epub import archive, container, package
from device.epub.archive import Archive, Unreadable
from device.epub.tags import elements
from tests.fixtures.make_books import KEEPERS_LOG_ISBN, make_keepers_log, make_odd_book

CONTAINER = b'<container><rootfiles><rootfile full-path="OEBPS/my%20book.opf"/></rootfiles></container>'
OPF = """<?xml version="1.0" encoding="utf-8"?>
<opf:package xmlns:opf="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">
<!-- <dc:title>Not this</dc:title> -->
<opf:metadata>
  <dc:title>Salt &amp; <![CDATA[<Glass>]]> &#233;</dc:title>
  <dc:creator opf:role="aut" opf:file-as="Austen, Jane">Jane Austen</dc:creator>
  <dc:creator opf:role='trl'>Nobody Else</dc:creator>
  <dc:identifier opf:scheme=ISBN>9780141439587</dc:identifier>
  <dc:identifier id="u">urn:isbn:978-0-14-243724-7</dc:identifier>
  <dc:language>en-GB</dc:language>
  <meta name="calibre:series" content="The &quot;Iron&quot; Crown"/>
  <meta name="calibre:series_index" content="2.5"/>
</opf:metadata>
<manifest><item id="dc:title" href="x"/></manifest></opf:package>"""


def book(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return path


def test_a_package_of_epub_2_is_read(tmp_path: Path) -> None:
    path = book(tmp_path / "a.epub", {"META-INF/container.xml": CONTAINER, "OEBPS/my book.opf": OPF.encode()})
    found = package.read(str(path))
    assert (found.title, found.authors) == ("Salt & <Glass> é", ["Jane Austen"])
    assert found.identifiers == ["ISBN:9780141439587", "urn:isbn:978-0-14-243724-7"]
    assert (found.series, found.series_index, found.language) == ('The "Iron" Crown', 2.5, "en-GB")


def test_a_package_of_epub_3_is_read(tmp_path: Path) -> None:
    found = package.read(str(make_keepers_log(tmp_path / "a.epub")))
    assert any(KEEPERS_LOG_ISBN in identifier for identifier in found.identifiers)
    odd = package.read(str(make_odd_book(tmp_path / "b.epub")))
    assert (odd.title, odd.language) == ("L’été à Ærø: “Salt & <Söhne>” – 夜の海, חוף 🐚", "fr")


def test_what_epub_3_says_of_its_identifiers_and_its_series_is_understood() -> None:
    found = package.parse(
        '<metadata><dc:identifier id="i">9780142437247</dc:identifier>'
        '<meta refines="#i" property="identifier-type" scheme="onix:codelist5">15</meta>'
        '<meta property="belongs-to-collection" id="c">Iron Crown</meta>'
        '<meta refines="#c" property="group-position">3</meta>'
        '<dc:creator id="t">Emily</dc:creator><meta refines="#t" property="role">trl</meta></metadata>'
    )
    assert found.identifiers == ["ISBN:9780142437247"]
    assert (found.series, found.series_index, found.authors) == ("Iron Crown", 3.0, [])


def test_a_book_without_a_container_is_read_by_its_only_package(tmp_path: Path) -> None:
    path = book(tmp_path / "a.epub", {"x/Y.OPF": b"<metadata><dc:title>Emma</dc:title>"}, zipfile.ZIP_STORED)
    assert package.read(str(path)).title == "Emma"


def test_something_before_the_archive_is_passed_over(tmp_path: Path) -> None:
    made = book(tmp_path / "a.epub", {"a.opf": b"<dc:title>Emma</dc:title>"})
    made.write_bytes(b"junk" * 100 + made.read_bytes())
    assert package.read(str(made)).title == "Emma"


def test_names_that_lead_out_of_the_archive_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "secret.opf").write_text("<dc:title>Secret</dc:title>")
    container = b'<rootfile full-path="../secret.opf"/>'
    path = book(tmp_path / "a.epub", {"META-INF/container.xml": container, "x": b""})
    with pytest.raises(Unreadable):
        package.read(str(path))


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = book(tmp_path / "a.epub", {"a.opf": b"\0" * (container.PACKAGE_MOST_BYTES + 1)})
    with pytest.raises(Unreadable):
        package.read(str(path))


def test_a_bomb_that_lies_about_its_size_is_not_unpacked(tmp_path: Path) -> None:
    path = book(tmp_path / "a.epub", {"a.opf": b"\0" * (8 * 1_048_576)})
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(Unreadable):
        package.read(str(path))


@pytest.mark.parametrize("flag", [b"\x01\x00"])
def test_an_encrypted_package_is_none(tmp_path: Path, flag: bytes) -> None:
    path = book(tmp_path / "a.epub", {"a.opf": b"<dc:title>Emma</dc:title>"})
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 8 : at + 10] = flag
    path.write_bytes(data)
    with pytest.raises(Unreadable):
        package.read(str(path))


def test_the_first_of_two_members_of_a_name_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    with zipfile.ZipFile(path, "w") as made, pytest.warns(UserWarning):
        made.writestr("a.opf", "first")
        made.writestr("a.opf", "the second")
    with Archive(str(path)) as opened:
        assert opened.member("a.opf", 100) == b"first"
        assert opened.size_bytes("a.opf") == 5
        assert opened.size_bytes("b.opf") is None


def test_what_is_no_archive_is_unreadable(tmp_path: Path) -> None:
    for content in (b"", b"PK", b"x" * 100_000, b"PK\x05\x06" + b"\xff" * 18):
        (tmp_path / "a.epub").write_bytes(content)
        with pytest.raises(Unreadable):
            Archive(str(tmp_path / "a.epub"))


def whole() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("META-INF/container.xml", CONTAINER)
        made.writestr("OEBPS/my book.opf", OPF)
    return buffer.getvalue()


WHOLE = whole()


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255), st.integers(0, len(WHOLE)))
def test_a_damaged_archive_gives_what_it_should_or_nothing(
    tmp_path_factory: pytest.TempPathFactory, at: int, byte: int, end: int
) -> None:
    damaged = bytearray(WHOLE)
    damaged[at] = byte
    path = tmp_path_factory.getbasetemp() / "damaged.epub"
    path.write_bytes(damaged[:end] if end % 2 else damaged)
    try:
        found = package.read(str(path))
    except Unreadable:
        return
    assert found.title in ("Salt & <Glass> é", "")


@given(st.text("<>/!-[]CDAT?&;#x\"'= ab:m", max_size=80))
def test_whatever_a_document_is_reading_it_ends(document: str) -> None:
    for name, attributes, text in elements(document):
        assert len(name) + sum(map(len, attributes.values())) + len(text) <= 8 * len(document)


@given(st.text("abc<&>'\"é\n", max_size=30), st.text("abc <&>'\"é", max_size=30))
def test_what_was_written_is_read(title: str, series: str) -> None:
    def written(text: str) -> str:
        return "".join(f"&#{ord(char)};" if char in "<&>'\"" else char for char in text)

    found = package.parse(
        f'<metadata><dc:title>{written(title)}</dc:title><meta content="{written(series)}" name="calibre:series"/>'
    )
    assert found.title == " ".join(title.split())
    assert found.series == series.strip()


def test_a_long_document_costs_no_more_than_its_length() -> None:
    found = package.parse("<dc:title>" + "<" * 300_000 + "<metadata>" + '="' * 300_000)
    assert found.authors == []


def test_limits_hold_for_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = book(tmp_path / "a.epub", {f"{number}.xhtml": b"" for number in range(50)} | {"z.opf": b"<dc:title>E"})
    monkeypatch.setattr(archive, "DIRECTORY_MOST_BYTES", 1_000)
    with pytest.raises(Unreadable):
        package.read(str(path))
