"""Highlights and bookmarks of closed books, collected by the worker from KOReader's own files on a real disk."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from device.collecting_all import Everything
from device.disk import Disk
from device.folder import Folder
from device.koreader import fingerprint
from device.protocol import Job
from device.store import database, marks
from tests.fixtures import make_sidecars as make
from tests.reader import ROOT, Moment, Reader
from tests.sandbox import StandIn

AT = 1_795_000_000


class Device:
    """KOReader's folder, books, and a reader who opens and closes them."""

    def __init__(self, root: Path) -> None:
        self.koreader = root / "koreader"
        self.shelf = root / "books"
        self.shelf.mkdir()
        self.reader = Reader(self.koreader / "bookloresync")
        self.read_at = AT

    def book(self, title: str = "Moby Dick") -> Path:
        path = self.shelf / f"{title}.epub"
        path.write_bytes(f"{title} ".encode() * 2_000)
        return path

    def saves(self, book: Path, *annotations: dict[str, Any], **fields: Any) -> Path:
        """KOReader writes its record of a book."""
        self.read_at += 100
        known = {"partial_md5_checksum": fingerprint.of_file(str(book)),
                 "doc_props": {"title": book.stem, "authors": make.AUTHORS}}  # fmt: skip
        content = make.record(list(annotations), str(book), **(known | fields))
        return make.write(make.beside(book), content, self.read_at)

    def reads(self, book: Path, *lines: dict[str, Any]) -> None:
        """A journal of a minute with the book, with lines `marks`."""
        self.read_at += 1_000
        moments: list[Moment] = [
            (0, "open", {"page": 1, "pages": 200}),
            (40, "page", {"page": 2, "pages": 200}),
        ]
        moments += [(50, "marks", {"count": 1, "changed": [], "gone": []} | line) for line in lines]
        moments.append((60, "close", {"reason": "close", "page": 2, "pages": 200}))
        self.reader.journal(
            moments, title=book.stem, start=self.read_at, file=str(book), authors=[make.AUTHORS],
            fingerprint=fingerprint.of_file(str(book)), size_bytes=book.stat().st_size,
        )  # fmt: skip

    def runs(self, verb: str = "ingest", reason: str = "close", **fields: Any) -> dict[str, Any]:
        return self.reader.run_job(verb, reason, **fields)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(self.reader.data / "state.sqlite")) as store:
            return store.execute(statement).fetchall()

    def marks(self) -> list[tuple[str, str, int]]:
        """(title, date, gone) of every mark."""
        return self.rows("SELECT b.title, m.made_at, m.gone FROM mark m JOIN book b ON b.id = m.book_id ORDER BY 1, 2")

    def log(self) -> str:
        return (self.reader.data / "log" / "worker.log").read_text()


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path)


def made_at(number: int) -> str:
    return str(make.highlight(number)["datetime"])


def test_the_book_that_was_just_closed_is_read(device: Device) -> None:
    book = device.book()
    device.saves(book, make.highlight(1), make.bookmark(2))
    device.reads(book)
    assert device.runs()["outcome"] == "done"
    assert device.marks() == [("Moby Dick", made_at(1), 0), ("Moby Dick", make.bookmark(2)["datetime"], 0)]


def test_lines_of_the_journal_are_taken_without_a_record(device: Device) -> None:
    book = device.book()
    device.reads(book, {"changed": [make.highlight(1)], "dom": make.DOM})
    device.runs()
    assert device.marks() == [("Moby Dick", made_at(1), 0)]


def test_what_the_reader_was_seen_to_delete_and_what_the_record_has_no_more_is_deleted(device: Device) -> None:
    book = device.book()
    device.saves(book, make.highlight(1), make.highlight(2), make.highlight(3))
    device.reads(book)
    device.runs()
    gone = {name: make.highlight(1)[name] for name in ("datetime", "page", "pos0", "pos1")}
    device.reads(book, {"gone": [gone]})
    device.saves(book, make.highlight(3))
    device.runs()
    assert device.marks() == [("Moby Dick", made_at(1), 1), ("Moby Dick", made_at(2), 1), ("Moby Dick", made_at(3), 0)]


@pytest.mark.parametrize("reason", ["open", "wake", "network", "tap", "start"])
def test_the_record_of_the_open_book_is_not_read(device: Device, reason: str) -> None:
    book = device.book()
    device.saves(book, make.highlight(1))
    device.reads(book)
    device.runs("sync", reason, book=str(book))
    assert device.marks() == []
    device.runs("sync", "close")
    assert device.marks() == [("Moby Dick", made_at(1), 0)]


def test_a_book_that_was_read_without_us_is_found_in_its_turn(device: Device) -> None:
    book = device.book()
    device.saves(book, make.highlight(1))
    device.reads(book)
    device.runs()
    device.saves(book, make.highlight(1), make.highlight(2))
    device.runs("ingest")
    assert len(device.marks()) == 1
    device.runs("sync")
    assert len(device.marks()) == 2


def test_a_record_that_has_not_changed_is_not_read(device: Device) -> None:
    book = device.book()
    path = device.saves(book, make.highlight(1))
    device.reads(book)
    device.runs()
    before = path.stat()
    shutil.copy(make.write(device.shelf / "other", b" " * before.st_size, AT), path)
    os.utime(path, ns=(before.st_mtime_ns, before.st_mtime_ns))
    assert device.runs("sync")["messages"] is not None
    assert "cannot be read" not in device.log()
    os.utime(path, (AT, AT))
    device.runs("sync")
    assert "cannot be read" in device.log()


def test_a_record_that_is_gone_loses_its_marks_and_a_book_that_is_gone_does_not(device: Device) -> None:
    books = [device.book("Emma"), device.book("Moby Dick")]
    records = [device.saves(book, make.highlight(1)) for book in books]
    for book in books:
        device.reads(book)
    device.runs()
    books[0].unlink()
    for record in records:
        record.unlink()
    device.runs("sync")
    assert device.marks() == [("Emma", made_at(1), 0), ("Moby Dick", made_at(1), 2)]


def test_a_record_of_another_book_is_not_taken(device: Device) -> None:
    moby, emma = device.book("Moby Dick"), device.book("Emma")
    device.saves(moby, make.highlight(1))
    device.saves(emma, make.highlight(2))
    device.reads(moby)
    device.reads(emma)
    device.runs()
    shutil.copy(make.beside(emma), make.beside(moby))
    device.runs("sync")
    assert device.marks() == [("Emma", made_at(2), 0), ("Moby Dick", made_at(1), 0)]
    assert "is of another book" in device.log()


def test_a_book_whose_file_was_changed_keeps_its_record(device: Device) -> None:
    book = device.book()
    device.saves(book, make.highlight(1))
    device.reads(book)
    device.runs()
    path = device.saves(book, make.highlight(1), make.highlight(2))
    book.write_bytes(b"the server wrote its metadata into it")
    assert path.exists()
    device.runs("sync")
    assert len(device.marks()) == 2


def test_a_book_that_was_moved_with_its_record_is_read_where_it_lies_now(device: Device) -> None:
    book = device.book()
    device.saves(book, make.highlight(1))
    device.reads(book)
    device.runs()
    moved = device.shelf / "read" / book.name
    moved.parent.mkdir()
    book.rename(moved)
    make.beside(book).parent.rename(make.beside(moved).parent)
    device.saves(moved, make.highlight(1), make.highlight(2))
    device.reads(moved)
    device.runs()
    assert device.marks() == [("Moby Dick", made_at(1), 0), ("Moby Dick", made_at(2), 0)]


def test_a_torn_record_costs_nothing_but_a_line_in_the_log(device: Device) -> None:
    book = device.book()
    path = device.saves(book, make.highlight(1))
    device.reads(book)
    device.runs()
    path.write_bytes(path.read_bytes()[:200])
    assert device.runs("sync")["outcome"] == "not_configured"
    assert device.marks() == [("Moby Dick", made_at(1), 0)]
    assert device.log().count("cannot be read") == 1
    device.runs("sync")
    assert device.log().count("cannot be read") == 1


def test_nothing_is_collected_when_the_reader_wants_none_of_it(device: Device) -> None:
    device.runs("set", arguments={"key": "highlights", "value": "off"})
    device.runs("set", arguments={"key": "bookmarks", "value": "off"})
    book = device.book()
    device.saves(book, make.highlight(1))
    device.reads(book, {"changed": [make.highlight(2)]})
    device.runs("sync")
    assert device.marks() == []
    device.runs("set", arguments={"key": "highlights", "value": "on"})
    device.runs("sync")
    assert device.marks() == [("Moby Dick", made_at(1), 0)]


def test_a_book_whose_recording_is_switched_off_is_left_alone(device: Device) -> None:
    book = device.book()
    device.saves(book, make.highlight(1))
    device.runs("track", "tap", book=str(book), arguments={"on": False})
    device.reads(book, {"changed": [make.highlight(2)]})
    device.runs("sync")
    device.runs("collect-marks", "tap")
    assert device.marks() == []


def test_all_books_of_koreaders_history_are_looked_at_on_a_tap(device: Device) -> None:
    moby, emma, plain = device.book("Moby Dick"), device.book("Emma"), device.book("Walden")
    device.saves(moby, make.highlight(1), make.highlight(2))
    device.saves(emma, make.bookmark(3))
    device.saves(plain)
    missing = device.shelf / "Gone.epub"
    (device.koreader / "history.lua").write_bytes(make.history([moby, emma, plain, missing]))
    result = device.runs("collect-marks", "tap")
    assert result["messages"][0]["text"] == "2 highlights and 1 bookmark in 2 books, all of them new."
    assert [title for title, _, _ in device.marks()] == ["Emma", "Moby Dick", "Moby Dick"]
    assert device.rows("SELECT title, authors, format, fingerprint FROM book ORDER BY title") == [
        ("Emma", make.AUTHORS, "epub", fingerprint.of_file(str(emma))),
        ("Moby Dick", make.AUTHORS, "epub", fingerprint.of_file(str(moby))),
    ]
    again = device.runs("collect-marks", "tap")
    assert again["messages"][0]["text"] == "2 highlights and 1 bookmark in 2 books, none of them new."


def test_a_second_copy_of_a_known_book_is_not_taken_for_it(device: Device) -> None:
    book = device.book()
    device.saves(book, make.highlight(1))
    device.reads(book)
    device.runs()
    copy = device.shelf / "copy" / book.name
    copy.parent.mkdir()
    shutil.copy(book, copy)
    device.saves(copy, make.highlight(2))
    (device.koreader / "history.lua").write_bytes(make.history([copy, book]))
    device.runs("collect-marks", "tap")
    assert device.marks() == [("Moby Dick", made_at(1), 0)]
    assert device.rows("SELECT file FROM book") == [(str(book),)]


def test_when_the_time_is_up_it_stops_and_goes_on_the_next_time(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = [device.book(f"Book {number:03}") for number in range(50)]
    for book in books:
        device.saves(book, make.highlight(1))
    (device.koreader / "history.lua").write_bytes(make.history(books))
    device.runs("status")
    folder = Folder(Disk(), str(device.reader.data))
    store = database.open_store(Disk(), folder.store, AT)
    ticks = iter(range(1_000))
    monkeypatch.setattr("time.monotonic", lambda: next(ticks))
    counts, reported = [], []
    for until in (30, 1_000):
        everything = Everything(folder, store, Job(None, "collect-marks", "tap", 60), AT, until)
        everything.collect(lambda done, total: reported.append((done, total)))
        counts.append((everything.is_complete, marks.count_on_device(store)[0]))
    store.close()
    assert counts == [(False, 30), (True, 50)]
    assert reported[:2] == [(0, 50), (20, 50)]
    assert reported[-1] == (50, 50)


# Not by the kernel's account of the child, which begins with the memory of the tests that start it.
MEASURED = (
    "import sys; from device.worker import main; code = main(sys.argv[1:]);"
    " [kib] = [line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM:')];"
    " print(code, int(kib) // 1024)"
)


def test_a_record_of_4000_highlights_fits_into_a_small_device_also_when_they_are_known(device: Device) -> None:
    book = device.book()
    for notes in ("", "more"):
        items = make.large(4_000)
        device.saves(book, *(item | {"note": notes} if notes else item for item in items))
        device.reads(book)
        command = [sys.executable, "-c", MEASURED, "ingest", "--data", str(device.reader.data)]
        run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
        code, peak_mib = run.stdout.split()[-2:]
        assert code == "0"
        assert int(peak_mib) < 60
    assert len(device.marks()) == 4_000


def test_at_a_terminal_it_says_the_same(device: Device) -> None:
    book = device.book()
    device.saves(book, make.highlight(1))
    (device.koreader / "history.lua").write_bytes(make.history([book]))
    run = device.reader.run("collect-marks")
    assert run.returncode == 0
    assert run.stdout.splitlines() == ["1 highlight in 1 book, all of them new."]


def test_without_any_it_says_so(device: Device) -> None:
    assert device.runs("collect-marks", "tap")["messages"] == [
        {"level": "info", "text": "There are no highlights or bookmarks in the books that you have opened."}
    ]


def test_after_a_lost_store_everything_is_collected_again(device: Device) -> None:
    book = device.book()
    device.saves(book, make.highlight(1), make.highlight(2))
    device.reads(book)
    device.runs()
    (device.reader.data / "state.sqlite").unlink()
    device.runs("sync")
    assert len(device.marks()) == 2


def test_after_a_lost_store_kept_journals_tell_of_marks_and_of_deletions(device: Device) -> None:
    book = device.book()
    gone = {name: make.highlight(1)[name] for name in ("datetime", "page", "pos0", "pos1")}
    device.reads(book, {"changed": [make.highlight(1), make.highlight(2)], "dom": make.DOM})
    device.runs()
    device.reads(book, {"gone": [gone], "dom": make.DOM})
    device.runs()
    (device.reader.data / "state.sqlite").unlink()
    device.runs()
    assert device.marks() == [("Moby Dick", made_at(1), 1), ("Moby Dick", made_at(2), 0)]


def test_after_a_damaged_store_no_mark_is_there_twice(device: Device) -> None:
    book = device.book()
    device.saves(book, make.highlight(1), make.highlight(2))
    device.reads(book, {"changed": [make.highlight(1)], "dom": make.DOM})
    device.runs()
    path = device.reader.data / "state.sqlite"
    content = bytearray(path.read_bytes())
    content[4096 + 5 : 4096 + 60] = b"\xff" * 55
    path.write_bytes(content)
    device.runs("sync")
    device.runs("sync")
    assert sorted(date for _, date, _ in device.marks()) == [made_at(1), made_at(2)]


def test_of_a_library_of_450_known_books_each_run_looks_at_200(device: Device) -> None:
    device.runs("status")
    with contextlib.closing(sqlite3.connect(device.reader.data / "state.sqlite")) as store, store:
        for number in range(450):
            book = device.book(f"Book {number:03}")
            device.saves(book, make.highlight(1), partial_md5_checksum=f"{number:032x}")
            store.execute(
                "INSERT INTO book (file, format, title, authors, identifiers, fingerprint)"
                " VALUES (?, 'epub', ?, '', '', ?)",
                (str(book), book.stem, f"{number:032x}"),
            )
            store.execute("INSERT INTO book_fingerprint VALUES (?, last_insert_rowid(), NULL)", (f"{number:032x}",))
    device.runs("sync")
    assert len(device.marks()) == 200


def test_marks_are_collected_before_a_sync_sends(device: Device) -> None:
    with StandIn() as server:
        server.add_user("anna", "secret")
        device.reader.configure(server.url)
        book = device.book()
        device.saves(book, make.highlight(1))
        device.reads(book)
        device.runs("sync")
    assert device.marks() == [("Moby Dick", made_at(1), 0)]
