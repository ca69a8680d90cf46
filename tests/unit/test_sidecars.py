"""KOReader's records of books: every place, every age, and what a half-written one is worth."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.disk import Disk
from device.koreader import fingerprint, sidecars
from tests.fixtures import make_sidecars as make

AT = 1_795_000_000
BOOK = b"x" * 5_000
HASH = hashlib.md5(BOOK[:2_048] + BOOK[4_096:]).hexdigest()


class Device:
    """A book on a device with KOReader on it."""

    def __init__(self, root: Path) -> None:
        self.koreader = root / "koreader"
        self.koreader.mkdir()
        self.book = root / "books" / "Moby Dick.epub"
        self.book.parent.mkdir()
        self.book.write_bytes(BOOK)
        self.naps = 0

    def find(self, *fingerprints: str) -> sidecars.Found | None:
        return sidecars.Sidecars(Disk(), str(self.koreader)).find(str(self.book), list(fingerprints))

    def read(self, *fingerprints: str) -> sidecars.Record | None:
        found = self.find(*fingerprints)
        return None if found is None else sidecars.Sidecars(Disk(), str(self.koreader)).read(found)

    def pages(self, *fingerprints: str) -> object:
        """Which record was read: each is made with another number of pages."""
        found = self.read(*fingerprints)
        return None if found is None else found.table["doc_pages"]

    def write(self, path: Path, pages: int, modified_at: int = AT) -> Path:
        return make.write(path, make.record([], str(self.book), doc_pages=pages), modified_at)

    @property
    def beside(self) -> Path:
        return make.beside(self.book)

    @property
    def in_one_folder(self) -> Path:
        return self.koreader / "docsettings" / str(self.book)[1:].replace(".epub", ".sdr") / "metadata.epub.lua"

    def by_hash(self, digits: str = HASH) -> Path:
        return self.koreader / "hashdocsettings" / digits[:2] / f"{digits}.sdr" / "metadata.epub.lua"


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Device:
    device = Device(tmp_path)

    def nap(seconds: float) -> None:
        device.naps += 1

    monkeypatch.setattr("time.sleep", nap)
    return device


def test_a_book_that_was_never_opened_has_no_record(device: Device) -> None:
    assert device.read() is None


def test_the_record_beside_the_book_is_read(device: Device) -> None:
    device.write(device.beside, 600)
    found = device.read()
    assert found is not None
    assert (found.modified_at, found.checksum(), found.is_copy) == (AT, make.CHECKSUM, False)
    assert found.properties() == (make.TITLE, make.AUTHORS)
    assert found.dom() == make.DOM


def test_the_record_in_koreaders_own_folder_is_read(device: Device) -> None:
    device.write(device.in_one_folder, 600)
    assert device.pages() == 600


def test_the_record_by_fingerprint_is_read(device: Device) -> None:
    device.write(device.by_hash(), 600)
    assert device.pages() == 600


def test_the_record_by_an_earlier_fingerprint_is_read_too(device: Device) -> None:
    device.write(device.by_hash("a" * 32), 600)
    assert device.pages() is None
    assert device.pages("A" * 32) == 600


@pytest.mark.parametrize("hostile", ["../../../../etc", "x" * 32, "", "/" * 32])
def test_what_is_no_fingerprint_leads_nowhere(device: Device, hostile: str) -> None:
    device.write(device.by_hash(), 600)
    assert device.pages(hostile) == 600


def test_records_of_old_versions_are_read(device: Device) -> None:
    device.write(device.book.with_suffix(".sdr") / "Moby Dick.epub.lua", 1, AT)
    assert device.pages() == 1
    name = f"[{device.book.parent!s}/] Moby Dick.epub.lua".replace("/", "#")
    device.write(device.koreader / "history" / name, 2, AT + 10)
    assert device.pages() == 2
    device.write(device.book.parent / "Moby Dick.epub.kpdfview.lua", 3, AT + 20)
    assert device.pages() == 3


@pytest.mark.parametrize("newest", ["beside", "in_one_folder", "by_hash"])
def test_the_newest_of_several_is_believed(device: Device, newest: str) -> None:
    paths = {"beside": device.beside, "in_one_folder": device.in_one_folder, "by_hash": device.by_hash()}
    for number, (place, path) in enumerate(paths.items(), 1):
        device.write(path, number, AT + (60 if place == newest else 0))
    assert device.pages() == list(paths).index(newest) + 1


def test_a_copy_is_never_believed_before_what_it_is_a_copy_of(device: Device) -> None:
    device.write(device.beside, 1, AT)
    device.write(Path(f"{device.beside}.old"), 2, AT + 7_200)
    device.write(device.in_one_folder, 3, AT + 3_600)
    assert device.pages() == 1


def test_a_copy_alone_is_read(device: Device) -> None:
    device.write(Path(f"{device.beside}.old"), 2)
    assert device.pages() == 2


def test_of_a_record_that_was_not_written_to_its_end_the_copy_is_read(device: Device) -> None:
    whole = make.record([make.highlight(1)], str(device.book))
    make.write(device.beside, whole[: len(whole) // 2], AT + 100)
    device.write(Path(f"{device.beside}.old"), 2, AT)
    found = device.read()
    assert found is not None
    assert (found.table["doc_pages"], found.modified_at, found.is_copy) == (2, AT, True)
    # It is read again when the broken one changes.
    place = device.find()
    assert place is not None
    assert (place.path, place.stamp) == (str(device.beside), f"{len(whole) // 2} {(AT + 100) * 10**9}")
    assert device.naps == sidecars.TRIES - 1


def test_a_record_that_koreader_is_just_writing_is_read_a_moment_later(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make.record([], str(device.book), doc_pages=600)
    make.write(device.beside, whole[:100], AT)
    monkeypatch.setattr("time.sleep", lambda seconds: make.write(device.beside, whole, AT))
    assert device.pages() == 600


@pytest.mark.parametrize("content", [b"", b"return {}", b"\0" * 512, b"return os.exit()", b"<html>"])
def test_of_a_record_without_anything_in_it_the_copy_is_read(device: Device, content: bytes) -> None:
    make.write(device.beside, content, AT + 100)
    device.write(Path(f"{device.beside}.old"), 2, AT)
    assert device.pages() == 2


def test_an_empty_record_alone_is_none(device: Device) -> None:
    make.write(device.beside, b"", AT)
    assert device.read() is None


def test_a_broken_record_alone_is_not_none(device: Device) -> None:
    make.write(device.beside, b"\0" * 512, AT)
    with pytest.raises(sidecars.Unreadable, match="Moby Dick"):
        device.read()


def test_a_record_without_end_is_not_read_into_memory(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device.koreader.lua_literals.CONTENT_MAX_BYTES", 1_000)
    make.write(device.beside, make.record(make.large(10), str(device.book)), AT)
    with pytest.raises(sidecars.Unreadable, match="longer than"):
        device.read()


def test_a_folder_in_the_records_place_is_no_record(device: Device) -> None:
    device.beside.mkdir(parents=True)
    device.write(device.in_one_folder, 600, AT - 10**6)
    assert device.pages() == 600


def test_a_record_that_has_changed_has_another_stamp(device: Device) -> None:
    device.write(device.beside, 600)
    before, again = device.find(), device.find()
    os.utime(device.beside, (AT + 2, AT + 2))
    after = device.find()
    assert before is not None and again is not None and after is not None
    assert before.stamp == again.stamp != after.stamp
    assert before.size_bytes == device.beside.stat().st_size


@pytest.mark.parametrize(
    ("file", "record"),
    [
        ("/b/Moby Dick.epub", "/b/Moby Dick.sdr/metadata.epub.lua"),
        ("/b/Moby.Dick.EPUB", "/b/Moby.Dick.sdr/metadata.EPUB.lua"),
        ("/b/book", "/b/book.sdr/metadata._.lua"),
        ("/b.c/book", "/b.sdr/metadata.c/book.lua"),
        ("/b/book.", "/b/book.sdr/metadata._.lua"),
        ("/b/.epub", "/b/.sdr/metadata.epub.lua"),
        ("/b/book.fb2.zip", "/b/book.fb2.sdr/metadata.zip.lua"),
    ],
)
def test_the_records_name_is_made_as_koreader_makes_it(file: str, record: str) -> None:
    looker = sidecars.Sidecars(Disk(), "/koreader")
    assert looker._candidates(file, [])[0] == record


@pytest.mark.parametrize("file", ["", "relative.epub", "/b/\0.epub"])
def test_what_is_no_path_has_no_record(device: Device, file: str) -> None:
    assert sidecars.Sidecars(Disk(), str(device.koreader)).find(file, []) is None


def test_a_name_that_is_too_long_has_no_record(device: Device) -> None:
    assert sidecars.Sidecars(Disk(), str(device.koreader)).find(f"/b/{'x' * 4_000}.epub", []) is None


@pytest.mark.parametrize("size", [0, 1, 1_023, 1_024, 1_025, 4_095, 4_097, 16_384, 70_000, 300_000])
def test_a_fingerprint_is_koreaders_partial_md5(tmp_path: Path, size: int) -> None:
    content = bytes(number * 7 % 251 for number in range(size))
    path = tmp_path / "book"
    path.write_bytes(content)
    samples = [content[offset : offset + 1_024] for offset in [0, *(1_024 << 2 * step for step in range(11))]]
    assert fingerprint.of_file(str(path)) == hashlib.md5(b"".join(samples)).hexdigest()


def test_what_cannot_be_read_has_no_fingerprint(tmp_path: Path) -> None:
    assert fingerprint.of_file(str(tmp_path / "missing")) is None
    assert fingerprint.of_file("/b/\0") is None


@given(st.binary(max_size=300) | st.integers(0, 600).map(lambda at: make.record([make.highlight(1)])[:at]))
@settings(max_examples=150, deadline=None)
def test_whatever_lies_in_a_records_place_is_a_record_or_none_or_unreadable(content: bytes) -> None:
    class OneFile(Disk):
        def stamp(self, path: str) -> tuple[int, int] | None:
            return (len(content), AT * 10**9) if path.endswith(".sdr/metadata.epub.lua") else None

        def read(self, path: str, limit_bytes: int) -> bytes | None:
            return content

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sidecars, "PAUSE_S", 0)
        try:
            looker = sidecars.Sidecars(OneFile(), "/koreader")
            place = looker.find("/b/1.epub", [])
            assert place is not None
            found = looker.read(place)
        except sidecars.Unreadable:
            return
    if found is not None:
        assert found.checksum() is None or len(found.checksum() or "") == 32
        assert all(isinstance(text, str) for text in found.properties())
        assert found.dom() is None or isinstance(found.dom(), int)
