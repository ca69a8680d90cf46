"""`make bench`: what the executables cost, against the budgets, in counts that do not depend on the machine's mood.

Instructions come from callgrind on the static x86_64 executable (repeatable to a few thousand), peak memory from the
kernel's account of the child process, requests and bytes from the stand-in server's recorder. Exit code 1 if a budget
that must be kept is not.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from device.koreader.snapshot import STATISTICS
from tests.annotated_book import CHAPTERS, DOM, PARAGRAPHS, Item, highlight
from tests.device.executables import ARMV7, X86_64, built
from tests.fixtures import make_sidecars
from tests.fixtures.make_books import describe, make_book
from tests.fixtures.make_statistics import make_large
from tests.large_library import OneListServer, made_library
from tests.many_highlights import Annotated
from tests.reader import MOBY, ROOT, Moment, Reader
from tests.sandbox import StandIn
from tests.sandbox.certificates import CertificateFiles, make_authority, make_server_certificate

M = 1_000_000
HANDLER_BENCH = "tests/launcher/bench.lua"


class Measured:
    """One line of the report. `must` is the budget, `reach` what we aim for; both in the unit of `value`."""

    def __init__(self, what: str, value: float, unit: str, must: float | None, reach: float | None) -> None:
        self.what = what
        self.value = value
        self.unit = unit
        self.must = must
        self.reach = reach

    def kept(self) -> bool:
        return self.must is None or self.value <= self.must

    def line(self) -> str:
        must = "" if self.must is None else f"must {self.must:g}"
        reach = "" if self.reach is None else f"reach {self.reach:g}"
        verdict = "" if self.must is None else ("ok" if self.kept() else "OVER BUDGET")
        return f"{self.what:<58} {self.value:>9.2f} {self.unit:<5} {must:<11} {reach:<11} {verdict}".rstrip()


def main() -> int:
    broken = 0
    with tempfile.TemporaryDirectory(prefix="booklore-sync-bench-") as name:
        folder = Path(name)
        for section, measure in SECTIONS:
            print(f"\n{section}", flush=True)
            for measured in measure(folder):
                print("  " + measured.line(), flush=True)
                broken += not measured.kept()
    print("\nlauncher handlers", flush=True)
    handlers = subprocess.run(["luajit", HANDLER_BENCH], cwd=ROOT, capture_output=True, text=True, check=True)
    print("".join(f"  {line}\n" for line in handlers.stdout.splitlines()))
    return 1 if broken else 0


def sizes(folder: Path) -> Iterator[Measured]:
    for program, must, reach in ((ARMV7, 12.5, 9.0), (X86_64, None, None)):
        yield Measured(f"{program.name}, stripped", built(program).stat().st_size / M, "MB", must, reach)
        packed = folder / f"{program.name}.zst"
        subprocess.run(["zstd", "-q", "-19", "-f", str(program), "-o", str(packed)], check=True)
        must, reach = (4.5, 3.2) if program == ARMV7 else (None, None)
        yield Measured(f"{program.name}, zstd -19", packed.stat().st_size / M, "MB", must, reach)


def start_up(folder: Path) -> Iterator[Measured]:
    yield Measured("version", instructions(folder, str(X86_64), "version") / M, "M", 30, 20)
    reader = Reader(folder / "ingest", (str(X86_64),))
    reader.run("status")  # the store exists on a device in use
    reader.reads(**MOBY)
    yield Measured("ingest of one session", _instructions_of(folder, reader, "ingest") / M, "M", 75, 50)


def syncing(folder: Path) -> Iterator[Measured]:
    with https_server(folder) as (server, authority):
        reader = Reader(folder / "sync", (str(X86_64),))
        reader.configure(server.url, ca_file=authority.certificate)
        reader.reads(**MOBY)
        first = _instructions_of(folder, reader, "sync")
        reader.reads(start=1_795_100_000, **MOBY)
        second = _instructions_of(folder, reader, "sync")
        assert len(server.sessions()) == 2
    # Once per server: login, list of books, and all authorities instead of the one that vouched last time.
    yield Measured("first sync over TLS of all", first / M, "M", None, None)
    yield Measured("sync of one session over TLS", second / M, "M", 190, 130)
    reader = Reader(folder / "idle", (str(X86_64),))
    with https_server(folder) as (server, authority):
        reader.configure(server.url, ca_file=authority.certificate)
        yield Measured("sync with nothing to send", _instructions_of(folder, reader, "sync") / M, "M", None, None)


def memory(folder: Path) -> Iterator[Measured]:
    with https_server(folder) as (server, authority):
        reader = Reader(folder / "memory", (str(X86_64),))
        reader.configure(server.url, ca_file=authority.certificate)
        yield Measured("peak, version", _peak_mib([str(X86_64), "version"]), "MiB", None, None)
        yield Measured("peak, sync with nothing to send", _peak_mib(_command(reader, "sync")), "MiB", None, None)
        for number in range(1000):
            reader.reads(start=1_795_000_000 + number * 1000, **MOBY)
        yield Measured("peak, ingest of 1,000 sessions", _peak_mib(_command(reader, "ingest")), "MiB", 24, 18)
        yield Measured("peak, sync of 1,000 waiting sessions", _peak_mib(_command(reader, "sync")), "MiB", 24, 18)
        assert len(server.sessions()) == 1000


def library(folder: Path, worker: tuple[str, ...] = (str(X86_64),)) -> Iterator[Measured]:
    """A library of 20,000 books, a list of 20 MB, and 200 books that are looked for in it."""
    with OneListServer(made_library(20_000)) as server:
        reader = Reader(folder / "library", worker)
        reader.configure(server.url)
        for number in range(200):
            title, author = server.named(number * 97)
            title = title if number % 2 else f"{title} Again"
            reader.reads(title=title, authors=[author], start=1_795_000_000 + number * 1000)
        reader.run("ingest")
        yield Measured("peak, 200 books looked for among 20,000", _peak_mib(_command(reader, "sync")), "MiB", 40, 30)
        reader.let_the_library_age()
        spent = _instructions_of(folder, reader, "sync")
        yield Measured("the same again, nothing new", spent / M, "M", None, None)


def history(folder: Path) -> Iterator[Measured]:
    """KOReader's statistics. What is already imported must cost next to nothing, and memory must not grow with them."""
    until = int(time.time()) - 86_400
    for count in (10_000, 100_000):
        reader = _reader_with_history(folder, count, until)
        spent = _instructions_of(folder, reader, "import-history")
        yield Measured(f"import of {count:,} statistics records", spent / M, "M", None, None)
    spent = _instructions_of(folder, reader, "import-history")
    yield Measured("the same again, nothing new", spent / M, "M", None, None)
    peaks = []
    for count in (10_000, 100_000, 1_000_000):
        command = _command(_reader_with_history(folder, count, until), "import-history")
        peaks.append(_peak_mib(command))
        yield Measured(f"peak, import of {count:,} statistics records", peaks[-1], "MiB", 40, 30)
    # What grows are caches of a fixed size, and the line that sums up 40,000 waiting sessions at the end of the run.
    yield Measured("growth of it for a hundred times the records", peaks[-1] - peaks[0], "MiB", 4, 3)


def _reader_with_history(folder: Path, count: int, until: int) -> Reader:
    """A data folder with an empty store beside statistics of that many records."""
    koreader = folder / f"history-{count}"
    if not koreader.exists():
        make_large(koreader / "settings" / STATISTICS, count, until)
    reader = Reader(koreader / "bookloresync", (str(X86_64),))
    (reader.data / "state.sqlite").unlink(missing_ok=True)
    reader.run("status")
    return reader


def positions(folder: Path) -> Iterator[Measured]:
    """500 highlights in one EPUB of 1 MB, spread over 20 chapters, and in one chapter of 1 MB."""
    for what, chapters in (("20 chapters", 20), ("one chapter", 1)):
        file = folder / f"large-{chapters}.epub"
        book = Annotated(file, "The Large Book", "Somebody", chapters, 1_900 // chapters, 500)
        asked = folder / f"asked-{chapters}.jsonl"
        asked.write_text(book.lines())
        command = [str(X86_64), "positions", str(file)]
        with asked.open() as lines:
            answers = subprocess.run(command, stdin=lines, capture_output=True, text=True, check=True).stdout
        assert answers.count('"exact"') == 500
        with asked.open() as lines:
            yield Measured(f"500 highlights, {what}", instructions(folder, *command, stdin=lines) / M, "M", None, None)
        with asked.open() as lines:
            yield Measured(f"peak, 500 highlights, {what}", _peak_mib(command, stdin=lines), "MiB", 40, 30)


def marks(folder: Path, worker: tuple[str, ...] = (str(X86_64),)) -> Iterator[Measured]:
    """3,000 highlights in 200 books that have never been opened since the installation; then nothing; then one more."""
    shelf, koreader = folder / "shelf", folder / "koreader-of-marks"
    shelf.mkdir()
    server = StandIn(dialect="booklore")
    server.add_user("anna", "secret")
    books = []
    for number in range(200):
        title, author = f"The House of {number}", f"Author {number}"
        book = Annotated(shelf / f"house-{number}.epub", title, author, 5, 8, 15)
        book.put_record(1_795_000_000 + number)
        server.add_book(
            title=title, authors=[author], file_name=book.file.name, size_kb=book.file.stat().st_size // 1024
        )
        books.append(book)
    with server:
        reader = Reader(koreader / "bookloresync", worker)
        (koreader / "history.lua").write_bytes(make_sidecars.history([book.file for book in books]))
        reader.configure(server.url)
        yield Measured("collecting 3,000 highlights of 200 books",
                       _instructions_of(folder, reader, "collect-marks") / M, "M", None, None)  # fmt: skip
        peak, spent, runs = 0.0, 0, 0
        while len(server.marks("annotation")) < 3_000 and runs < 60:
            peak = max(peak, _peak_mib(_command(reader, "sync")))
            runs += 1
        assert len(server.marks("annotation")) == 3_000
        yield Measured("syncs that it took to send them", runs, "", None, None)
        yield from _requests_so_far("3,000 highlights of 200 books", server, 3_000 + 2 * 200 + 10, 3_000 + 10)
        yield Measured("peak, sending 3,000 highlights", peak, "MiB", 40, 30)
        reader.let_hours_pass(2)
        yield from _requests_of_a_run("200 books with highlights, idle sync", server, reader, 2, 1)
        spent = _instructions_of(folder, reader, "sync")
        yield Measured("200 books with highlights, idle sync", spent / M, "M", None, None)


def requests(folder: Path, worker: tuple[str, ...] = (str(X86_64),)) -> Iterator[Measured]:
    """An evening's 100 sessions over five books, and then 20 highlights in them, all in one sync; then one more of each
    and two edits; then nothing."""
    books = [
        make_book(
            folder / f"house-{number}.epub", title=f"The House of {number}", authors=["Somebody"], chapters=CHAPTERS
        )
        for number in range(5)
    ]
    for dialect, reach in (("booklore", 124), ("grimmory", 124), ("worldteacher", 5 + 20 + 4)):
        server = StandIn(dialect=dialect)
        server.add_user("anna", "secret")
        for number in range(5):
            server.add_book(title=f"The House of {number}", authors=["Somebody"])
        with server:
            reader = Reader(folder / f"requests-{dialect}", worker)
            reader.configure(server.url)
            for number in range(100):
                _reads(reader, books[number % 5], number, _marks(number // 5, 4) if number >= 95 else [])
            reader.run("sync")
            assert (len(server.sessions()), len(server.marks("annotation"))) == (100, 20)
            yield from _requests_so_far(f"{dialect}, 100 sessions, 20 highlights", server, 120 + 6, reach)
            yield Measured(f"{dialect}, connections for them", server.connections, "", 1, 1)
            yield from _requests_of_a_run(f"{dialect}, idle sync", server, reader, 2, 1)
            edited = [mark | {"note": "Ah", "datetime_updated": "2026-11-21 09:00:00"} for mark in _marks(19, 2)]
            _reads(reader, books[0], 100, [*edited, *_marks(0, 5)[4:]])
            # A session, a highlight, the list that is read before edits, and two edits.
            yield from _requests_of_a_run(f"{dialect}, a new highlight and two edits", server, reader, 6, 5)


def _marks(number: int, count: int) -> list[Item]:
    words = PARAGRAPHS[0].split()
    return [
        highlight(words[at], 1, 1, number * 2 + at % 2, datetime=f"2026-11-20 2{at}:{number:02}:00")
        for at in range(count)
    ]


def _reads(reader: Reader, book: Path, number: int, marks: list[Item]) -> None:
    about = {name: value for name, value in describe(book).items() if name in ("authors", "language")}
    place = {"page": 12, "pages": 200}  # without a fraction: progress would be five requests more
    moments: list[Moment] = [(0, "open", {"page": 11, "pages": 200}), (60, "page", place)]
    if marks:
        moments.append((110, "marks", {"count": len(marks), "dom": DOM, "changed": marks, "gone": []}))
    moments.append((120, "close", {"reason": "close", **place}))
    title = f"The House of {book.stem[-1]}"
    reader.journal(moments, title=title, file=str(book), start=1_795_000_000 + number * 1000, **about)


def changes(folder: Path, worker: tuple[str, ...] = (str(X86_64),)) -> Iterator[Measured]:
    """Twenty books of a library of 500: the first sync, an idle one, and twenty changes."""
    for dialect in ("booklore", "grimmory", "worldteacher"):
        server = StandIn(dialect=dialect)
        server.add_user("anna", "secret")
        for number in range(500):
            server.add_book(title=f"The House of {number}", authors=[f"Author {number}"], file_name=f"{number}.epub")
        with server:
            reader = Reader(folder / f"changes-{dialect}", worker)
            reader.configure(server.url)
            for number in range(20):
                _closes(reader, number, 0, {"fraction": 0.3, "rating": 3, "status": "reading"})
            reader.run("sync")
            yield from _requests_so_far(f"{dialect}, first sync, 20 books of 500", server, 66, 63)
            reader.let_hours_pass(2)
            yield from _requests_of_a_run(f"{dialect}, idle sync", server, reader, 2, 1)
            for number in range(20):
                saved = {"fraction": 0.3, "rating": 3, "status": "reading"}
                saved |= ({"rating": 5}, {"fraction": 0.4}, {"status": "abandoned"})[number % 3]
                _closes(reader, number, 1, saved)
            yield from _requests_of_a_run(f"{dialect}, 20 changes and their sessions", server, reader, 46, 42)


def _closes(reader: Reader, number: int, day: int, saved: dict[str, object]) -> None:
    place = {"page": 100, "pages": 300, "fraction": saved["fraction"]}
    reader.journal(
        [
            (0, "open", {"page": 99, "pages": 300, "fraction": 0.29}),
            (60, "page", place),
            (120, "close", {"reason": "close", **place}),
            (121, "snapshot", {"xpointer": "/body/DocFragment[3]/body/p[1]", **saved}),
        ],
        title=f"The House of {number}",
        authors=[f"Author {number}"],
        start=1_795_000_000 + day * 86_400 + number * 1000,
    )


def _requests_of_a_run(what: str, server: StandIn, reader: Reader, must: int, reach: int) -> Iterator[Measured]:
    before = len(server.requests)
    reader.run("sync")
    made = server.requests[before:]
    yield Measured(f"{what}, requests", len(made), "", must, reach)
    yield Measured(f"{what}, bytes sent", sum(request.bytes_in for request in made) / 1000, "kB", None, None)
    yield Measured(f"{what}, bytes received", sum(request.bytes_out for request in made) / 1000, "kB", None, None)


def _requests_so_far(what: str, server: StandIn, must: int, reach: int) -> Iterator[Measured]:
    received = sum(request.bytes_in for request in server.requests)
    sent = sum(request.bytes_out for request in server.requests)
    yield Measured(f"{what}, requests", len(server.requests), "", must, reach)
    yield Measured(f"{what}, bytes sent", received / 1000, "kB", None, None)
    yield Measured(f"{what}, bytes received", sent / 1000, "kB", None, None)


@contextmanager
def https_server(folder: Path) -> Iterator[tuple[StandIn, CertificateFiles]]:
    tls = folder / "tls"
    tls.mkdir(exist_ok=True)
    authority = make_authority(tls)
    server = StandIn(dialect="booklore", tls=make_server_certificate(tls, authority))
    server.add_user("anna", "secret")
    server.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
    with server:
        yield server, authority


def instructions(folder: Path, *command: str, stdin: TextIO | int = subprocess.DEVNULL) -> int:
    """Instructions that a command executes in user space, counted by callgrind. Raises if the command fails."""
    output = folder / "callgrind.out"
    run = subprocess.run(
        ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output}", *command],
        capture_output=True,
        text=True,
        cwd=ROOT,
        stdin=stdin,
    )
    if run.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{run.stdout}{run.stderr}")
    found = re.search(r"^(?:summary|totals): (\d+)", output.read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


def _instructions_of(folder: Path, reader: Reader, verb: str) -> int:
    return instructions(folder, *_command(reader, verb))


def _command(reader: Reader, verb: str) -> list[str]:
    return [*reader.worker, verb, "--data", str(reader.data)]


def _peak_mib(command: list[str], stdin: TextIO | int = subprocess.DEVNULL) -> float:
    """Peak resident memory of a command.

    `time` forks and waits for it: a child that Python itself starts would inherit the peak of Python's own memory.
    """
    run = subprocess.run(
        ["/usr/bin/time", "--quiet", "--format=%M", *command],
        capture_output=True,
        text=True,
        check=True,
        env={},
        stdin=stdin,
    )
    return int(run.stderr.splitlines()[-1]) / 1024


SECTIONS: tuple[tuple[str, Callable[[Path], Iterator[Measured]]], ...] = (
    ("size", sizes),
    ("instructions, x86_64 static executable under callgrind", start_up),
    ("instructions of a sync", syncing),
    ("memory, x86_64 static executable", memory),
    ("the server's library, x86_64 static executable", library),
    ("history, x86_64 static executable", history),
    ("positions, x86_64 static executable", positions),
    ("highlights, x86_64 static executable", marks),
    ("requests", requests),
    ("requests of changes", changes),
)

if __name__ == "__main__":
    sys.exit(main())
